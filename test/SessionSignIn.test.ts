/**
 * What a record knows of its account: it comes back as it was written, whatever stands there instead is nobody's sign-in of now, and
 * tickets are good exactly for as long as they are.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionSignIn from "effect-session/SessionSignIn"
import * as FastCheck from "effect/FastCheck"
import { livingFor } from "./support/lifetimes.js"

const { epochRetention, ticketValidity } = SessionSignIn

const stateOf = (signIn: SessionSignIn.SignIn): SessionRecord.SessionState => new Map(SessionSignIn.toEntries(signIn))

const recordOf = (state: SessionRecord.SessionState) =>
  SessionRecord.create(SessionKey.mint(), state, livingFor(1_000), 0)

describe("a sign-in", () => {
  it("comes back from the state as it was written", () => {
    const millis = FastCheck.integer({ min: 0, max: Number.MAX_SAFE_INTEGER })
    FastCheck.assert(FastCheck.property(
      FastCheck.string(),
      millis,
      millis,
      FastCheck.option(FastCheck.json(), { nil: undefined }),
      (id, signedInAt, authenticatedAt, json) => {
        const facts = json === undefined ? undefined : JSON.stringify(JSON.parse(json))
        const signIn = {
          account: JSON.stringify(id),
          signedInAt,
          authenticatedAt,
          ...(facts === undefined ? {} : { facts })
        }
        assert.deepStrictEqual(SessionSignIn.signInOf(stateOf(signIn)), signIn)
      }
    ))
  })

  it("of a state without an account is none", () => {
    assert.isUndefined(SessionSignIn.signInOf(new Map()))
    assert.isUndefined(SessionSignIn.signInOf(new Map([[SessionSignIn.signInKey, "{\"signedInAt\":1}"]])))
  })

  it("whose times cannot be read is as old as can be, and fresh for nobody", () => {
    for (
      const text of [
        "",
        "{",
        "null",
        "7",
        "[]",
        "\"\"",
        "{}",
        "{\"signedInAt\":\"1\",\"authenticatedAt\":null}",
        "{\"authenticatedAt\":1e999}",
        "{\"__proto__\":{\"authenticatedAt\":5}}"
      ]
    ) {
      const state = new Map([[SessionSignIn.accountKey, "7"], [SessionSignIn.signInKey, text]])
      assert.deepStrictEqual(SessionSignIn.signInOf(state), { account: "7", signedInAt: 0, authenticatedAt: 0 }, text)
    }
    assert.strictEqual(SessionSignIn.signInOf(new Map([[SessionSignIn.accountKey, "7"]]))?.authenticatedAt, 0)
  })

  it("is the record's while it lives, and of that account alone", () => {
    const record = recordOf(stateOf({ account: "7", signedInAt: 0, authenticatedAt: 0 }))
    assert.isTrue(SessionSignIn.isSignedInTo(record, "7", 999))
    assert.isFalse(SessionSignIn.isSignedInTo(record, "7", 1_000))
    assert.isFalse(SessionSignIn.isSignedInTo(record, "\"7\"", 0))
    assert.isFalse(SessionSignIn.isSignedInTo(recordOf(new Map()), "7", 0))
    assert.isFalse(SessionSignIn.isSignedInTo(undefined, "7", 0))
    const successor = { id: SessionKey.mintId(), digest: SessionKey.digest(SessionKey.mint()) }
    assert.isFalse(SessionSignIn.isSignedInTo({ ...record, successor }, "7", 0))
  })
})

describe("an account", () => {
  it("has a text of at most 512 bytes", () => {
    assert.isTrue(SessionSignIn.isAccountText("a".repeat(512)))
    assert.isFalse(SessionSignIn.isAccountText("a".repeat(513)))
    assert.isTrue(SessionSignIn.isAccountText("ä".repeat(256)))
    assert.isFalse(SessionSignIn.isAccountText("ä".repeat(257)))
  })

  it("is named by the SHA-256 of its text", () => {
    // printf '"ada"' | openssl dgst -sha256 -binary | basenc --base64url
    assert.strictEqual(SessionSignIn.digest("\"ada\""), "mCwvnnHfNUUlpsPGD-X2PL9iS1n7lTniZ_Wtk1xhlhM")
    assert.notStrictEqual(SessionSignIn.digest("7"), SessionSignIn.digest("\"7\""))
  })
})

describe("a ticket", () => {
  const ticket = { epoch: "a", at: 0 }

  it("is void once the epoch is another one, or it is an hour old", () => {
    assert.isFalse(SessionSignIn.isVoid(ticket, "a", ticketValidity - 1))
    assert.isTrue(SessionSignIn.isVoid(ticket, "a", ticketValidity))
    assert.isTrue(SessionSignIn.isVoid(ticket, "b", 0))
    assert.isTrue(SessionSignIn.isVoid({ ...ticket, epoch: undefined }, "a", 0))
  })

  it("is good where the epoch is forgotten, which is kept for longer than a ticket is good", () => {
    assert.isFalse(SessionSignIn.isVoid(ticket, undefined, ticketValidity - 1))
    assert.isAtLeast(epochRetention, 2 * ticketValidity)
  })

  it("moves with the epoch where it was good, and keeps its age", () => {
    assert.deepStrictEqual(SessionSignIn.movedTicket(ticket, "a", "b", 5), { epoch: "b", at: 0 })
    assert.deepStrictEqual(SessionSignIn.movedTicket(ticket, "c", "b", 5), ticket)
    assert.deepStrictEqual(SessionSignIn.movedTicket(ticket, "a", "b", ticketValidity), ticket)
  })
})

describe("sessions of an account", () => {
  it("are sorted by their sign-in, in an order on which everybody agrees", () => {
    const at = (signedInAt: number, id: string) => ({
      id: id as SessionKey.SessionId,
      state: stateOf({ account: "7", signedInAt, authenticatedAt: 0 })
    })
    const sessions = [at(2, "a"), at(1, "c"), at(1, "b"), { id: "d" as SessionKey.SessionId, state: new Map() }]
    for (const given of [sessions, [...sessions].reverse()]) {
      assert.deepStrictEqual(SessionSignIn.oldestFirst(given).map(({ id }) => String(id)), ["d", "b", "c", "a"])
    }
  })
})
