/**
 * A store over compare and swap keeps the contract also where the backend takes its time, loses races and comes to grief.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as StoreContract from "effect-session/testing/StoreContract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Backend } from "../../examples/compareAndSwap.js"
import { make } from "../../examples/compareAndSwap.js"
import { livingFor } from "../support/lifetimes.js"
import { generous } from "../support/timeLimits.js"

/** Texts that are a turn of the event loop away, there and back. */
const makeBackend = (texts: Map<string, string>): Backend => {
  const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))
  const remote = <A>(step: () => A): Effect.Effect<A> =>
    turn.pipe(Effect.andThen(Effect.sync(step)), Effect.zipLeft(turn))
  return {
    get: (id) => remote(() => texts.get(id)),
    swap: (id, from, to) =>
      remote(() => {
        if (texts.get(id) !== from) {
          return false
        }
        if (to === undefined) {
          texts.delete(id)
        } else {
          texts.set(id, to)
        }
        return true
      })
  }
}

StoreContract.suite("a store over compare and swap", {
  store: Layer.sync(SessionStore.SessionStore, () => make(makeBackend(new Map()), { timeout: generous })),
  canInvalidate: true
})

describe("a store over compare and swap", () => {
  const hourly = { ttl: 3_600_000, maxLifetime: undefined }

  it.live("says Malformed of a text that is no record, and quotes nothing of it", () =>
    Effect.gen(function*() {
      const texts = new Map<string, string>()
      const store = SessionStore.withClock(make(makeBackend(texts), { timeout: generous }))
      const { key } = yield* store.save(new Map([["planted", "1"]]), hourly)
      const sound = texts.get(key.id)!
      for (
        const text of [
          "",
          "planted",
          "null",
          "[]",
          "{\"planted\":1}",
          sound.slice(1),
          sound.replace(/"at|"createdAt/, "\"planted")
        ]
      ) {
        texts.set(key.id, text)
        const errors = [
          yield* Effect.flip(store.load(key)),
          yield* Effect.flip(store.update(key, SessionRecord.noChange, livingFor(1))),
          yield* Effect.flip(store.updateTtl(key, livingFor(1))),
          yield* Effect.flip(store.renew(key, SessionRecord.noChange, livingFor(1)))
        ]
        for (const error of errors) {
          assert.strictEqual(error.reason, "Malformed")
          assert.include(error.message, key.id)
          assert.notInclude(JSON.stringify(error), "planted")
        }
        assert.strictEqual((yield* Effect.flip(store.delete(key)))._tag, "DeleteError")
        assert.strictEqual(texts.get(key.id), text)
      }
    }))

  it.live("is Unavailable, by the name of the verb's error, where the backend fails or is silent", () =>
    Effect.gen(function*() {
      const key = SessionKey.mint()
      const failing = Effect.fail(new Error("connection lost"))
      for (const call of [failing, Effect.never]) {
        const store = SessionStore.withClock(make({ get: () => call, swap: () => call }, { timeout: "20 millis" }))
        const errors = [
          yield* Effect.flip(store.load(key)),
          yield* Effect.flip(store.save(new Map(), hourly)),
          yield* Effect.flip(store.update(key, SessionRecord.noChange, livingFor(1))),
          yield* Effect.flip(Effect.uninterruptible(store.updateTtl(key, livingFor(1)))),
          yield* Effect.flip(store.renew(key, SessionRecord.noChange, livingFor(1))),
          yield* Effect.flip(store.delete(key))
        ]
        assert.deepStrictEqual(
          errors.map(({ _tag, reason }) => `${_tag} ${reason}`),
          ["LoadError", "SaveError", "UpdateError", "UpdateError", "UpdateError", "DeleteError"].map((tag) =>
            `${tag} Unavailable`
          )
        )
      }
    }))

  it.live("gives up within the time limit where it never wins a race", () =>
    Effect.gen(function*() {
      const texts = new Map<string, string>()
      const sound = makeBackend(texts)
      const { key } = yield* SessionStore.withClock(make(sound, { timeout: generous })).save(new Map(), hourly)
      const store = SessionStore.withClock(
        make({ ...sound, swap: () => Effect.succeed(false) }, { timeout: "50 millis" })
      )
      const error = yield* Effect.flip(store.update(key, SessionRecord.noChange, livingFor(1)))
      assert.strictEqual(error.reason, "Unavailable")
    }))
})
