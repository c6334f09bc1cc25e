import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import type * as SessionRecord from "effect-session/SessionRecord"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import { SessionBase } from "../src/internal/session/sessionBase.js"

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const Since = Session.entry("since", Schema.Date)

class ProbeSession extends SessionBase {
  loads = 0
  constructor(private readonly found: Effect.Effect<SessionRecord.SessionRecord | undefined, Session.SessionGetError>) {
    super()
  }
  protected load() {
    this.loads++
    return this.found
  }
  get change() {
    return this.log().change()
  }
  sendResponse() {
    this.log().isCommitted = true
  }
}

const record = (state: Record<string, string>): SessionRecord.SessionRecord => ({
  id: SessionKey.mintId(),
  state: new Map(Object.entries(state)),
  createdAt: 1_000,
  extendedAt: 1_000,
  expiresAt: 61_000
})

const sessionWith = (state: Record<string, string>) => new ProbeSession(Effect.succeed(record(state)))
const anonymous = () => new ProbeSession(Effect.succeed(undefined))
const unavailable = () =>
  new ProbeSession(Effect.fail(new Session.SessionGetError({ reason: "StoreUnavailable", message: "away" })))

const isUnchanged = (session: ProbeSession) =>
  Effect.map(
    session.status,
    (status) => status === "Unchanged" && session.change.set.size === 0 && session.change.unset.size === 0
  )

describe("Session", () => {
  describe("reading", () => {
    it.effect("a load that throws fails every read, and leaves none of them waiting", () =>
      Effect.gen(function*() {
        class BrokenSession extends SessionBase {
          protected load(): never {
            throw new Error("broken")
          }
        }
        const session = new BrokenSession()
        for (const read of [session.contains("counter"), session.contains("counter")]) {
          assert.isTrue(Exit.isFailure(yield* Effect.exit(read)))
        }
      }))

    it.effect("an absent key is none, a present one decodes", () =>
      Effect.gen(function*() {
        const session = sessionWith({ since: "\"2020-01-01T00:00:00.000Z\"" })
        assert.deepStrictEqual(yield* session.get(Counter), Option.none())
        assert.deepStrictEqual(yield* session.get(Since), Option.some(new Date("2020-01-01")))
        assert.isTrue(yield* session.contains(Since))
        assert.isFalse(yield* session.contains("counter"))
        assert.isTrue(yield* isUnchanged(session))
      }))

    it.effect("a key and a Schema do as well as an entry", () =>
      Effect.gen(function*() {
        const session = anonymous()
        yield* session.insert("n", Schema.Number, 1)
        assert.deepStrictEqual(yield* session.get("n", Schema.Number), Option.some(1))
        assert.deepStrictEqual(yield* session.update("n", Schema.Number, (n) => n + 1), Option.some(2))
        assert.strictEqual(yield* session.updateOr("m", Schema.Number, 7, (n) => n + 1), 7)
        assert.deepStrictEqual(yield* session.removeAs("n", Schema.Number), Option.some(2))
      }))

    it.effect("a value that does not decode is a typed error which names key and type and not the value", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "\"s3cr3t\"", other: "1" })
        const error = yield* Effect.flip(session.get(Counter))
        assert.strictEqual(error.reason, "DecodeFailed")
        assert.strictEqual(error.key, "counter")
        assert.include(error.message, "NonNegativeInt")
        assert.notInclude(inspect(error, { depth: 9 }) + JSON.stringify(error), "s3cr3t")
        assert.deepStrictEqual(yield* session.get("other", Schema.Number), Option.some(1))
      }))

    it.effect("stored text that is not JSON is a typed error as well", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "{" })
        assert.strictEqual((yield* Effect.flip(session.get(Counter))).reason, "DecodeFailed")
        assert.strictEqual((yield* Effect.flip(session.entries)).reason, "DecodeFailed")
      }))

    it.effect("the service of a Schema is asked for in the type and used", () =>
      Effect.gen(function*() {
        class Factor extends Context.Tag("Factor")<Factor, number>() {}
        const Scaled = Session.entry(
          "scaled",
          Schema.transformOrFail(Schema.Number, Schema.Number, {
            strict: true,
            decode: (n) => Effect.map(Factor, (factor) => n * factor),
            encode: (n) => Effect.map(Factor, (factor) => n / factor)
          })
        )
        const session = anonymous()
        const value = session.insert(Scaled, 30).pipe(
          Effect.zipRight(session.update(Scaled, (n) => n + 10)),
          Effect.provideService(Factor, 10)
        )
        assert.deepStrictEqual(yield* value, Option.some(40))
        assert.deepStrictEqual(yield* session.get("scaled", Schema.Number), Option.some(4))
      }))

    it.effect("id, createdAt and expiresAt tell of the stored session, and of none where there is none", () =>
      Effect.gen(function*() {
        const session = sessionWith({})
        assert.isTrue(SessionKey.isSessionId(Option.getOrThrow(yield* session.id)))
        assert.strictEqual(Option.getOrThrow(yield* session.createdAt).epochMillis, 1_000)
        assert.strictEqual(Option.getOrThrow(yield* session.expiresAt).epochMillis, 61_000)
        assert.deepStrictEqual(yield* anonymous().id, Option.none())
        yield* session.purge
        assert.deepStrictEqual(yield* session.id, Option.none())
      }))

    it.effect("timeLeft counts down to zero and no further, and is none where there is no stored session", () =>
      Effect.gen(function*() {
        const session = sessionWith({})
        const left = Effect.map(session.timeLeft, (left) => Option.getOrNull(Option.map(left, Duration.toMillis)))
        assert.strictEqual(yield* left, 61_000)
        yield* TestClock.setTime(60_999)
        assert.strictEqual(yield* left, 1)
        yield* TestClock.setTime(61_000)
        assert.strictEqual(yield* left, 0)
        yield* TestClock.setTime(100_000)
        assert.strictEqual(yield* left, 0)
        yield* session.purge
        assert.strictEqual(yield* left, null)
        assert.deepStrictEqual(yield* anonymous().timeLeft, Option.none())
        assert.strictEqual((yield* Effect.flip(unavailable().timeLeft)).reason, "StoreUnavailable")
      }))

    it.effect("timeLeft does not count the time that the store took to answer", () =>
      Effect.gen(function*() {
        const session = new ProbeSession(Effect.as(Effect.sleep("11 seconds"), record({})))
        const fiber = yield* Effect.fork(session.timeLeft)
        yield* TestClock.adjust("11 seconds")
        assert.deepStrictEqual(yield* Fiber.join(fiber), Option.some(Duration.seconds(50)))
      }))

    it.effect("isRemembered tells what remember said last, of a session with and without values", () =>
      Effect.gen(function*() {
        for (const session of [sessionWith({ counter: "1" }), anonymous()]) {
          assert.isFalse(yield* session.isRemembered)
          yield* session.remember()
          assert.isTrue(yield* session.isRemembered)
          yield* session.clear
          assert.isTrue(yield* session.isRemembered)
          assert.strictEqual((yield* session.entries).size, 0)
          yield* session.remember(false)
          assert.isFalse(yield* session.isRemembered)
          yield* session.remember(true)
          yield* session.purge
          assert.isFalse(yield* session.isRemembered)
        }
        assert.strictEqual((yield* Effect.flip(unavailable().isRemembered)).reason, "StoreUnavailable")
        assert.strictEqual((yield* Effect.flip(unavailable().remember())).reason, "StoreUnavailable")
      }))

    it.effect("remembering is a change, and not remembering what is not remembered is none", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.remember(false)
        assert.isTrue(yield* isUnchanged(session))
        yield* session.remember()
        assert.strictEqual(yield* session.status, "Changed")
      }))
  })

  describe("loading", () => {
    it.effect("nothing is loaded for status, purge and renew", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.status
        yield* session.renew
        yield* session.purge
        yield* session.insert(Counter, 1)
        assert.strictEqual(session.loads, 0)
      }))

    it.effect("a hundred fibers share one load", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const session = new ProbeSession(Effect.as(Deferred.await(gate), record({ counter: "1" })))
        const readers = yield* Effect.fork(
          Effect.all(Array.from({ length: 100 }, () => session.get(Counter)), { concurrency: "unbounded" })
        )
        yield* Effect.yieldNow()
        yield* Deferred.succeed(gate, undefined)
        const values = yield* Fiber.join(readers)
        assert.isTrue(values.every((value) => Option.isSome(value) && value.value === 1))
        assert.strictEqual(session.loads, 1)
      }))

    it.live("interrupting the fiber that began the load leaves the others their load", () =>
      Effect.gen(function*() {
        const gate = yield* Deferred.make<void>()
        const session = new ProbeSession(Effect.as(Deferred.await(gate), record({ counter: "1" })))
        const first = yield* Effect.fork(session.get(Counter))
        yield* Effect.yieldNow()
        const second = yield* Effect.fork(session.get(Counter))
        yield* Effect.yieldNow()
        const interrupted = yield* Effect.fork(Fiber.interrupt(first))
        yield* Deferred.succeed(gate, undefined)
        assert.deepStrictEqual(yield* Fiber.join(second), Option.some(1))
        yield* Fiber.join(interrupted)
      }))

    it.effect("a store that is away is a typed error of reads and writes, and is not asked twice", () =>
      Effect.gen(function*() {
        const session = unavailable()
        assert.strictEqual((yield* Effect.flip(session.get(Counter))).reason, "StoreUnavailable")
        assert.strictEqual((yield* Effect.flip(session.insert(Counter, 1))).reason, "StoreUnavailable")
        assert.strictEqual((yield* Effect.flip(session.clear)).reason, "StoreUnavailable")
        assert.strictEqual(session.loads, 1)
        assert.isTrue(yield* isUnchanged(session))
      }))
  })

  describe("changing", () => {
    it.effect("an insert changes, an equal value does not", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.insert(Counter, 1)
        assert.isTrue(yield* isUnchanged(session))
        yield* session.insert(Counter, 2)
        assert.strictEqual(yield* session.status, "Changed")
        assert.deepStrictEqual([...session.change.set], [["counter", "2"]])
      }))

    const notEncodable: ReadonlyArray<[string, Effect.Effect<void, Session.SessionInsertError>, string]> = [
      ["a value against the Schema", anonymous().insert(Counter, -1), "EncodeFailed"],
      ["NaN", anonymous().insert("n", Schema.Number, NaN), "NotJson"],
      ["undefined", anonymous().insert("n", Schema.Unknown, undefined), "NotJson"],
      ["a bigint", anonymous().insert("n", Schema.BigIntFromSelf, 1n), "NotJson"],
      ["a Map", anonymous().insert("n", Schema.Unknown, new Map()), "NotJson"],
      ["a Date that is not encoded", anonymous().insert("n", Schema.DateFromSelf, new Date(0)), "NotJson"],
      ["a function inside an object", anonymous().insert("n", Schema.Unknown, { f: () => 1 }), "NotJson"],
      ["a hole in an array", anonymous().insert("n", Schema.Unknown, [1, undefined]), "NotJson"],
      [
        "a cycle",
        Effect.suspend(() => {
          const cycle: Record<string, unknown> = {}
          cycle["self"] = cycle
          return anonymous().insert("n", Schema.Unknown, cycle)
        }),
        "NotJson"
      ]
    ]
    for (const [what, insert, reason] of notEncodable) {
      it.effect(`${what} does not go into a session: ${reason}`, () =>
        Effect.gen(function*() {
          assert.strictEqual((yield* Effect.flip(insert)).reason, reason)
        }))
    }

    it.effect("a failed insert changes nothing", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* Effect.flip(session.insert(Counter, -1))
        assert.isTrue(yield* isUnchanged(session))
        assert.deepStrictEqual(yield* session.get(Counter), Option.some(1))
      }))

    it.effect("update changes a present value and marks the session changed", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        assert.deepStrictEqual(yield* session.update(Counter, (n) => n + 1), Option.some(2))
        assert.strictEqual(yield* session.status, "Changed")
        assert.deepStrictEqual([...session.change.expect], [["counter", "1"]])
      }))

    it.effect("update leaves an absent key absent and does not call the function", () =>
      Effect.gen(function*() {
        const session = anonymous()
        const result = yield* session.update(Counter, () => assert.fail("called"))
        assert.deepStrictEqual(result, Option.none())
        assert.isTrue(yield* isUnchanged(session))
      }))

    it.effect("updateOr inserts the default as it is, then updates", () =>
      Effect.gen(function*() {
        const session = anonymous()
        assert.strictEqual(yield* session.updateOr(Counter, 1, (n) => n + 1), 1)
        assert.strictEqual(yield* session.updateOr(Counter, 1, (n) => n + 1), 2)
        assert.deepStrictEqual([...session.change.expect], [["counter", undefined]])
      }))

    it.effect("updates of one key chain on the value that the store held", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.update(Counter, (n) => n + 1)
        yield* session.update(Counter, (n) => n * 10)
        assert.deepStrictEqual([...session.change.set], [["counter", "20"]])
        assert.deepStrictEqual([...session.change.expect], [["counter", "1"]])
      }))

    it.effect("an insert over an update no longer depends on what the store held", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.update(Counter, (n) => n + 1)
        yield* session.insert(Counter, 2)
        assert.strictEqual(session.change.expect.size, 0)
        yield* session.update(Counter, (n) => n + 1)
        assert.deepStrictEqual([...session.change.set], [["counter", "3"]])
        assert.strictEqual(session.change.expect.size, 0)
      }))

    it.effect("an update that fails to encode changes nothing", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        const error = yield* Effect.flip(session.update(Counter, (n) => -n))
        assert.strictEqual(error._tag, "SessionInsertError")
        assert.isTrue(yield* isUnchanged(session))
      }))

    it.effect("two fibers of one request that update one key both count, though the Schema waits", () =>
      Effect.gen(function*() {
        const Slow = Session.entry(
          "slow",
          Schema.transformOrFail(Schema.Number, Schema.Number, {
            strict: true,
            decode: (n) => Effect.as(Effect.yieldNow(), n),
            encode: (n) => Effect.as(Effect.yieldNow(), n)
          })
        )
        const session = anonymous()
        yield* Effect.all(
          Array.from({ length: 20 }, () => session.updateOr(Slow, 1, (n) => n + 1)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(yield* session.get(Slow), Option.some(20))
      }))

    it.effect("remove answers what was there, and removing an absent key is no change", () =>
      Effect.gen(function*() {
        const session = sessionWith({ a: "{\"x\":1}" })
        assert.deepStrictEqual(yield* session.remove("b"), Option.none())
        assert.isTrue(yield* isUnchanged(session))
        assert.deepStrictEqual(yield* session.remove("a"), Option.some({ x: 1 }))
        assert.deepStrictEqual([...session.change.unset], ["a"])
        assert.isFalse(yield* session.contains("a"))
      }))

    it.effect("removeAs removes also what does not decode", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "\"x\"" })
        assert.strictEqual((yield* Effect.flip(session.removeAs(Counter))).reason, "DecodeFailed")
        assert.deepStrictEqual([...session.change.unset], ["counter"])
      }))

    it.effect("clear removes what this request sees, and an empty session is not changed by it", () =>
      Effect.gen(function*() {
        const session = sessionWith({ a: "1" })
        yield* session.insert("b", Schema.Number, 2)
        yield* session.clear
        assert.strictEqual((yield* session.entries).size, 0)
        assert.isTrue(session.change.unset.has("a"))
        const empty = anonymous()
        yield* empty.clear
        assert.isTrue(yield* isUnchanged(empty))
      }))

    it.effect("names of Object's own members are ordinary keys", () =>
      Effect.gen(function*() {
        const session = anonymous()
        for (const key of ["__proto__", "constructor", "toString", "hasOwnProperty", ""]) {
          assert.deepStrictEqual(yield* session.get(key, Schema.Number), Option.none())
          yield* session.insert(key, Schema.Number, 1)
          assert.deepStrictEqual(yield* session.get(key, Schema.Number), Option.some(1))
        }
        yield* session.insert("nested", Schema.Unknown, JSON.parse("{\"__proto__\":{\"admin\":true}}"))
        assert.isUndefined(({} as { admin?: boolean }).admin)
        assert.strictEqual(session.change.set.get("nested"), "{\"__proto__\":{\"admin\":true}}")
      }))
  })

  describe("status", () => {
    it.effect("a renewal outlives later changes", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.renew
        yield* session.insert(Counter, 5)
        yield* session.remove(Counter)
        yield* session.clear
        assert.strictEqual(yield* session.status, "Renewed")
      }))

    it.effect("a purge empties the session and outlives a renewal", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.insert(Counter, 5)
        yield* session.purge
        yield* session.renew
        assert.strictEqual(yield* session.status, "Purged")
        assert.strictEqual((yield* session.entries).size, 0)
        assert.strictEqual(session.change.set.size, 0)
      }))

    it.effect("an insert after a purge starts from nothing", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.get(Counter)
        yield* session.purge
        yield* session.insert("fresh", Schema.Number, 1)
        assert.deepStrictEqual([...(yield* session.entries)], [["fresh", 1]])
        assert.strictEqual(yield* session.status, "Purged")
      }))
  })

  describe("after the response was sent", () => {
    it.effect("reads go on, and load what no one has asked for yet", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        session.sendResponse()
        assert.deepStrictEqual(yield* session.get(Counter), Option.some(1))
        assert.isTrue(yield* session.contains("counter"))
        assert.strictEqual((yield* session.entries).size, 1)
        assert.isTrue(Option.isSome(yield* session.id))
      }))

    it.effect("every write is a typed error", () =>
      Effect.gen(function*() {
        const session = sessionWith({ counter: "1" })
        yield* session.get(Counter)
        session.sendResponse()
        const failures = [
          session.insert(Counter, 2),
          session.update(Counter, (n) => n + 1),
          session.updateOr(Counter, 1, (n) => n + 1),
          session.remove("counter"),
          session.removeAs(Counter),
          session.clear,
          session.renew,
          session.purge,
          session.purgeWith({ clearSiteData: ["*"] }),
          session.remember()
        ] as ReadonlyArray<Effect.Effect<unknown, Session.SessionGetError | Session.SessionInsertError>>
        for (const failure of failures) {
          const error = yield* Effect.flip(failure)
          assert.strictEqual(error.reason, "ResponseSent")
        }
        assert.isTrue(yield* isUnchanged(session))
      }))
  })
})
