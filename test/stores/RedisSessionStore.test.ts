import { assert, describe, it, layer } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Array from "effect/Array"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { Redis } from "ioredis"
import { livingFor } from "../support/lifetimes.js"
import { redisServer } from "../support/redisServer.js"
import { until } from "../support/settle.js"
import { generous } from "../support/timeLimits.js"

class Fixture extends Context.Tag("Fixture")<Fixture, {
  readonly url: string
  readonly store: SessionStore.ClockedVerbs
  /** A connection of the test's own, to look behind the store. */
  readonly redis: Redis
}>() {}

const adminOf = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url)),
    (client) => Effect.sync(() => client.disconnect())
  )

const FixtureLive = Layer.scoped(
  Fixture,
  Effect.gen(function*() {
    const { url } = yield* redisServer()
    const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
    return { url, store, redis: yield* adminOf(url) }
  })
)

/** The clock is shared by all tests of the layer: each starts at zero. */
const fixture = Effect.tap(Fixture, () => TestClock.setTime(0))

const minute = 60_000
const hour = 60 * minute
const lifetime: SessionRecord.Lifetime = { ttl: minute, maxLifetime: undefined }

const stateOf = (values: Record<string, string>): Map<string, string> => new Map(Object.entries(values))

const changeOf = (
  set: Record<string, string>,
  rest: { readonly unset?: ReadonlyArray<string>; readonly expect?: ReadonlyMap<string, string | undefined> } = {}
): SessionRecord.SessionChange => ({
  set: stateOf(set),
  unset: new Set(rest.unset),
  expect: rest.expect ?? new Map()
})

const redisKeyOf = (key: SessionKey.SessionKey) => `session:${key.id}`

const liveRecord = (result: SessionStore.LoadResult): SessionRecord.SessionRecord => {
  assert(result._tag === "Live", `expected Live, got ${result._tag}`)
  return result.record
}

const saved = (result: SessionStore.WriteResult): SessionStore.Saved => {
  assert(result._tag === "Saved", `expected Saved, got ${result._tag}`)
  return result
}

const loadState = (store: SessionStore.ClockedVerbs, key: SessionKey.SessionKey) =>
  Effect.map(store.load(key), (result) => liveRecord(result).state)

/** Everything that a test can compare, in an order of its own. */
const comparable = (record: SessionRecord.SessionRecord) => ({
  ...record,
  state: [...record.state].sort(([left], [right]) => left < right ? -1 : 1)
})

const comparableResult = (result: SessionStore.WriteResult | SessionStore.LoadResult) =>
  "record" in result
    ? { _tag: result._tag, record: comparable(result.record) }
    : "key" in result
    ? { _tag: result._tag, id: result.key.id, expiresAt: result.expiresAt }
    : "found" in result
    ? { _tag: result._tag, found: new Map(result.found) }
    : { _tag: result._tag }

const hostileKeys = [
  "",
  " ",
  "=",
  "=a",
  "a",
  "~",
  "~\"a\"",
  "v",
  "digest",
  "superseded",
  "createdAt",
  "expiresAt",
  "deadline",
  "__proto__",
  "constructor",
  "toString",
  "0",
  "-1",
  "\0",
  "a\0b",
  "\r\n",
  "é",
  "e\u0301",
  "\u{1F600}",
  "\uD83D",
  "\uDE00",
  "\uDE00\uD83D",
  "\uD800",
  "\uFFFD",
  "=\uD800",
  "\"\\ud800\"",
  "~\"\\ud800\""
]

layer(FixtureLive)("RedisSessionStore", (it) => {
  describe("save and load", () => {
    it.effect("what is saved is loaded with its key", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        yield* TestClock.setTime(1_000)
        const { expiresAt, key } = yield* store.save(stateOf({ a: "1", b: "\"two\"" }), {
          ttl: minute,
          maxLifetime: 5 * minute
        })
        assert.strictEqual(expiresAt, 61_000)
        assert.deepInclude(comparable(liveRecord(yield* store.load(key))), {
          id: key.id,
          state: [["a", "1"], ["b", "\"two\""]],
          createdAt: 1_000,
          extendedAt: 1_000,
          expiresAt: 61_000
        })
      }))

    it.effect("a session without values is a session", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(new Map(), lifetime)
        assert.strictEqual((yield* loadState(store, key)).size, 0)
      }))

    it.effect("an unknown id and a wrong secret are Absent alike", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        assert.strictEqual((yield* store.load(SessionKey.mint()))._tag, "Absent")
        assert.strictEqual((yield* store.load(SessionKey.mintSecret(key.id)))._tag, "Absent")
      }))

    it.effect("the hash is laid out as docs/stores/redis.md says", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        yield* TestClock.setTime(1_700_000_000_000)
        const { key } = yield* store.save(stateOf({ a: "1", "\uD800": "[2]" }), {
          ttl: minute,
          maxLifetime: 2 * minute
        })
        yield* TestClock.adjust(1)
        const renewed = saved(yield* store.renew(key, SessionRecord.noChange, livingFor(minute)))
        assert.deepStrictEqual(yield* Effect.promise(() => redis.hgetall(redisKeyOf(key))), {
          v: "1",
          digest: SessionKey.digest(renewed.key),
          superseded: `${SessionKey.digest(key)}:1700000000001`,
          createdAt: "1700000000000",
          extendedAt: "1700000000001",
          expiresAt: "1700000060001",
          "=a": "1",
          "~\"\\ud800\"": "[2]"
        })
      }))

    it.effect("apps with different prefixes do not see each other's sessions", () =>
      Effect.gen(function*() {
        const { redis, store, url } = yield* fixture
        const other = SessionStore.withClock(
          yield* RedisSessionStore.make({ url, prefix: "other app/", timeout: generous })
        )
        const { key } = yield* other.save(stateOf({ a: "1" }), lifetime)
        assert.strictEqual(yield* Effect.promise(() => redis.exists(`other app/${key.id}`)), 1)
        assert.strictEqual((yield* store.load(key))._tag, "Absent")
        assert.strictEqual((yield* other.load(key))._tag, "Live")
      }).pipe(Effect.scoped))
  })

  describe("update", () => {
    it.effect("sets and unsets values, leaves the others, and counts the ttl anew", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1", b: "1", c: "1" }), lifetime)
        yield* TestClock.adjust(10_000)
        const result = saved(
          yield* store.update(key, changeOf({ b: "2", d: "2" }, { unset: ["c", "e"] }), livingFor(minute))
        )
        assert.strictEqual(result.expiresAt, 70_000)
        assert.strictEqual(result.key, key)
        const record = liveRecord(yield* store.load(key))
        assert.deepStrictEqual(comparable(record).state, [["a", "1"], ["b", "2"], ["d", "2"]])
        assert.strictEqual(record.expiresAt, 70_000)
      }))

    it.effect("a key both unset and set is set", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* store.update(key, changeOf({ a: "2" }, { unset: ["a"] }), livingFor(minute))
        assert.deepStrictEqual([...(yield* loadState(store, key))], [["a", "2"]])
      }))

    it.effect("another value than the expected one is a Conflict that writes nothing and shows what is there", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1", b: "1" }), lifetime)
        yield* TestClock.adjust(1_000)
        const before = yield* Effect.promise(() => redis.hgetall(redisKeyOf(key)))
        for (
          const expect of [
            new Map([["a", "2"]]),
            new Map([["a", undefined]]),
            new Map([["absent", "1"]]),
            new Map([["a", "1"], ["b", "1"], ["absent", "null"]])
          ]
        ) {
          for (const write of [store.update, store.renew]) {
            const result = yield* write(key, changeOf({ a: "9" }, { unset: ["b"], expect }), livingFor(minute))
            assert(result._tag === "Conflict")
            const values: Record<string, string> = { a: "1", b: "1" }
            assert.deepStrictEqual(
              new Map(result.found),
              new Map([...expect.keys()].map((name) => [name, values[name]] as const))
            )
          }
        }
        assert.deepStrictEqual(yield* Effect.promise(() => redis.hgetall(redisKeyOf(key))), before)
      }))

    it.effect("expected values and expected absence let the write through", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1", b: "1" }), lifetime)
        const expect = new Map([["a", "1"], ["b", "1"], ["c", undefined], ["d", undefined]])
        saved(yield* store.update(key, changeOf({ a: "2", c: "2" }, { unset: ["b"], expect }), livingFor(minute)))
        assert.deepStrictEqual([...(yield* loadState(store, key))].sort(), [["a", "2"], ["c", "2"]])
      }))

    it.effect("never creates: unknown, deleted, expired and foreign keys are Gone and leave nothing behind", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const unknown = SessionKey.mint()
        const deleted = (yield* store.save(stateOf({ a: "1" }), lifetime)).key
        yield* store.delete(deleted)
        for (const key of [unknown, deleted]) {
          for (const write of [store.update, store.renew]) {
            assert.strictEqual((yield* write(key, changeOf({ a: "2" }), livingFor(minute)))._tag, "Gone")
          }
          assert.strictEqual((yield* store.updateTtl(key, livingFor(minute)))._tag, "Gone")
          assert.strictEqual(yield* Effect.promise(() => redis.exists(redisKeyOf(key))), 0)
        }
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        const foreign = SessionKey.mintSecret(key.id)
        const before = yield* Effect.promise(() => redis.hgetall(redisKeyOf(key)))
        for (const write of [store.update, store.renew]) {
          assert.strictEqual((yield* write(foreign, changeOf({ a: "2" }), livingFor(minute)))._tag, "Gone")
        }
        assert.strictEqual((yield* store.updateTtl(foreign, livingFor(2 * minute)))._tag, "Gone")
        yield* store.delete(foreign)
        assert.deepStrictEqual(yield* Effect.promise(() => redis.hgetall(redisKeyOf(key))), before)
      }))
  })

  describe("renew", () => {
    it.effect("replaces the secret, keeps the id, and writes the change in the same step", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* TestClock.adjust(1_000)
        const renewed = saved(yield* store.renew(key, changeOf({ b: "2" }), livingFor(minute)))
        assert.strictEqual(renewed.key.id, key.id)
        assert.notStrictEqual(Redacted.value(renewed.key.secret), Redacted.value(key.secret))
        assert.strictEqual(renewed.expiresAt, 61_000)
        assert.deepStrictEqual([...(yield* loadState(store, renewed.key))].sort(), [["a", "1"], ["b", "2"]])
      }))

    it.effect("a replaced key is Superseded for ten seconds, then Absent", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* store.renew(key, SessionRecord.noChange, livingFor(minute))
        yield* TestClock.adjust(SessionRecord.supersededWindow - 1)
        assert.strictEqual((yield* store.load(key))._tag, "Superseded")
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* store.load(key))._tag, "Absent")
      }))

    it.effect("a request with a replaced key may end the session, and not update, renew or prolong it", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        const current = saved(yield* store.renew(key, SessionRecord.noChange, livingFor(minute))).key
        const before = yield* Effect.promise(() => redis.hgetall(redisKeyOf(key)))
        yield* TestClock.adjust(1_000)
        assert.strictEqual((yield* store.update(key, changeOf({ b: "2" }), livingFor(minute)))._tag, "Superseded")
        assert.strictEqual((yield* store.updateTtl(key, livingFor(minute)))._tag, "Superseded")
        assert.strictEqual((yield* store.renew(key, changeOf({ c: "3" }), livingFor(minute)))._tag, "Superseded")
        assert.deepStrictEqual(yield* Effect.promise(() => redis.hgetall(redisKeyOf(key))), before)
        assert.isTrue(yield* store.delete(key))
        assert.strictEqual((yield* store.load(current))._tag, "Absent")
        assert.isFalse(yield* store.delete(current))
      }))

    it.effect("a hash of before, with a deadline and without a time of extension, is read, written and ended", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        const { expiresAt } = liveRecord(yield* store.load(key))
        yield* Effect.promise(() => redis.hdel(redisKeyOf(key), "extendedAt"))
        yield* Effect.promise(() => redis.hset(redisKeyOf(key), "deadline", "301000"))
        assert.deepInclude(liveRecord(yield* store.load(key)), { extendedAt: expiresAt, expiresAt })
        yield* TestClock.adjust(1_000)
        saved(yield* store.updateTtl(key, livingFor(1)))
        const { key: again } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* Effect.promise(() => redis.hdel(redisKeyOf(again), "extendedAt"))
        saved(yield* store.update(again, changeOf({ b: "2" }), livingFor(minute)))
        assert.deepStrictEqual([...(yield* loadState(store, again))].sort(), [["a", "1"], ["b", "2"]])
        assert.isTrue(yield* store.delete(again))
      }))

    it.effect("remembers the last 128 replaced keys", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const keys = [(yield* store.save(new Map(), lifetime)).key]
        for (let i = 0; i < SessionRecord.supersededRetention.renewals + 1; i++) {
          keys.push(
            saved(
              yield* store.renew(
                Array.lastNonEmpty(keys as [SessionKey.SessionKey]),
                SessionRecord.noChange,
                livingFor(minute)
              )
            ).key
          )
        }
        assert.strictEqual((yield* store.update(keys[0]!, SessionRecord.noChange, livingFor(minute)))._tag, "Gone")
        assert.strictEqual(
          (yield* store.update(keys[1]!, SessionRecord.noChange, livingFor(minute)))._tag,
          "Superseded"
        )
      }))

    it.effect("forgets a replaced key after an hour, with another renewal and without", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const ttl = 600 * minute
        const { key } = yield* store.save(new Map(), { ttl, maxLifetime: undefined })
        const second = saved(yield* store.renew(key, SessionRecord.noChange, livingFor(ttl))).key
        yield* TestClock.adjust(SessionRecord.supersededRetention.millis - 1)
        const third = saved(yield* store.renew(second, SessionRecord.noChange, livingFor(ttl))).key
        assert.strictEqual((yield* store.update(key, SessionRecord.noChange, livingFor(ttl)))._tag, "Superseded")
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* store.update(key, SessionRecord.noChange, livingFor(ttl)))._tag, "Gone")
        yield* store.renew(third, SessionRecord.noChange, livingFor(ttl))
        assert.strictEqual((yield* store.update(key, SessionRecord.noChange, livingFor(ttl)))._tag, "Gone")
        assert.strictEqual((yield* store.update(second, SessionRecord.noChange, livingFor(ttl)))._tag, "Superseded")
      }))
  })

  describe("expiry", () => {
    it.effect("a session lives until, and not at, its limit", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* TestClock.adjust(minute - 1)
        assert.strictEqual((yield* store.load(key))._tag, "Live")
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* store.load(key))._tag, "Absent")
        assert.strictEqual((yield* store.update(key, changeOf({ a: "2" }), livingFor(minute)))._tag, "Gone")
        assert.strictEqual((yield* store.renew(key, changeOf({ a: "2" }), livingFor(minute)))._tag, "Gone")
        assert.strictEqual((yield* store.updateTtl(key, livingFor(minute)))._tag, "Gone")
        yield* store.delete(key)
      }))

    it.effect("updateTtl prolongs and shortens, and changes nothing else", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        const before = yield* Effect.promise(() => redis.hgetall(redisKeyOf(key)))
        yield* TestClock.adjust(minute - 1)
        assert.strictEqual(saved(yield* store.updateTtl(key, livingFor(2 * minute))).expiresAt, 3 * minute - 1)
        assert.strictEqual(saved(yield* store.updateTtl(key, livingFor(10_000))).expiresAt, minute + 9_999)
        const after = yield* Effect.promise(() => redis.hgetall(redisKeyOf(key)))
        assert.deepStrictEqual(after, {
          ...before,
          extendedAt: String(minute - 1),
          expiresAt: String(minute + 9_999)
        })
      }))

    it.effect("nothing goes past maxLifetime, and Redis' own expiry does not either", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const limited = { ttl: 2 * minute, maxLifetime: minute }
        const { expiresAt, key } = yield* store.save(new Map(), limited)
        assert.strictEqual(expiresAt, minute)
        yield* TestClock.adjust(30_000)
        assert.strictEqual(saved(yield* store.updateTtl(key, limited)).expiresAt, minute)
        assert.strictEqual(saved(yield* store.update(key, changeOf({ a: "1" }), limited)).expiresAt, minute)
        const renewed = saved(yield* store.renew(key, SessionRecord.noChange, limited))
        assert.strictEqual(renewed.expiresAt, minute)
        assert.isAtMost(yield* Effect.promise(() => redis.pttl(redisKeyOf(key))), 30_000)
        yield* TestClock.adjust(30_000)
        assert.strictEqual((yield* store.load(renewed.key))._tag, "Absent")
      }))

    it.effect("Redis removes the record by itself", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const pttl = Effect.promise(() => redis.pttl(redisKeyOf(key)))
        const { key } = yield* store.save(new Map(), lifetime)
        assert.isAbove(yield* pttl, 0)
        assert.isAtMost(yield* pttl, minute)
        yield* store.update(key, changeOf({ a: "1" }), livingFor(10 * minute))
        assert.isAbove(yield* pttl, minute)
        const renewed = saved(yield* store.renew(key, SessionRecord.noChange, livingFor(20 * minute)))
        assert.isAbove(yield* pttl, 10 * minute)
        yield* store.updateTtl(renewed.key, livingFor(50))
        yield* until(Effect.map(Effect.promise(() => redis.exists(redisKeyOf(key))), (count) => count === 0))
        assert.strictEqual((yield* store.load(renewed.key))._tag, "Absent")
      }))

    it.effect("a ttl that is no whole number of milliseconds, or none at all, is no error", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        for (const ttl of [0.25, 0, -5, 1e-7]) {
          const { expiresAt, key } = yield* store.save(stateOf({ a: "1" }), { ttl, maxLifetime: undefined })
          assert.strictEqual(expiresAt, ttl)
          assert.include([-2, 0, 1], yield* Effect.promise(() => redis.pttl(redisKeyOf(key))))
        }
        const { key } = yield* store.save(stateOf({ a: "1" }), { ttl: 60_000.5, maxLifetime: undefined })
        for (const ttl of [60_000.25, 1e15, Number.MAX_SAFE_INTEGER, 1e21, 1e300, Infinity]) {
          assert.strictEqual(saved(yield* store.updateTtl(key, livingFor(ttl))).expiresAt, ttl)
          assert.strictEqual(saved(yield* store.update(key, changeOf({ a: "2" }), livingFor(ttl))).expiresAt, ttl)
          assert.strictEqual(liveRecord(yield* store.load(key)).expiresAt, ttl)
          assert.isAbove(yield* Effect.promise(() => redis.pttl(redisKeyOf(key))), 1)
          const other = yield* store.save(new Map(), { ttl, maxLifetime: undefined })
          assert.strictEqual(liveRecord(yield* store.load(other.key)).expiresAt, ttl)
          yield* store.delete(other.key)
        }
      }))
  })

  describe("delete", () => {
    it.effect("ends the session, and may be repeated", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* store.delete(key)
        yield* store.delete(key)
        assert.strictEqual(yield* Effect.promise(() => redis.exists(redisKeyOf(key))), 0)
      }))
  })

  describe("the same answers as the pure functions", () => {
    const times = fc.constantFrom(0, minute, 2 * minute, 6 * minute, 12 * minute, hour, 2 * hour)
    const ttls = fc.constantFrom(minute, 6 * minute, 12 * minute, 2 * hour)
    const oddLifetimes = [6 * minute + 0.5, hour + 0.25, Number.MAX_SAFE_INTEGER, 2 ** 60, 1e21, Infinity]
    const maxLifetimes = fc.option(fc.oneof(ttls, fc.constantFrom(...oddLifetimes)), { nil: undefined })
    const stateKeys = fc.constantFrom("", "a", "b", "digest", "=a", "__proto__", "\uD800", "\uDFFF")
    const jsonTexts = fc.constantFrom("1", "2", "\"é\"")
    const states = fc.array(fc.tuple(stateKeys, jsonTexts), { maxLength: 5 }).map((entries) => new Map(entries))
    const changes = fc.record({
      set: states,
      unset: fc.array(stateKeys, { maxLength: 3 }).map((keys) => new Set(keys)),
      expect: fc.oneof(
        { weight: 2, arbitrary: fc.constant(new Map<string, string | undefined>()) },
        { weight: 1, arbitrary: fc.constant("truth" as const) },
        {
          weight: 1,
          arbitrary: fc.array(fc.tuple(stateKeys, fc.option(jsonTexts, { nil: undefined })), { maxLength: 2 })
            .map((entries) => new Map(entries))
        }
      )
    })
    // Small indices are the newest keys.
    const keyIndex = fc.oneof(fc.constant(0), fc.nat({ max: 6 }))
    const steps = fc.array(
      fc.oneof(
        fc.record({
          verb: fc.constant("save" as const),
          state: states,
          ttl: ttls,
          maxLifetime: maxLifetimes
        }),
        fc.record({ verb: fc.constant("load" as const), key: keyIndex }),
        fc.record({
          verb: fc.constantFrom("update" as const, "renew" as const),
          key: keyIndex,
          change: changes,
          ttl: ttls,
          maxLifetime: maxLifetimes
        }),
        fc.record({ verb: fc.constant("updateTtl" as const), key: keyIndex, ttl: ttls, maxLifetime: maxLifetimes }),
        fc.record({ verb: fc.constant("delete" as const), key: keyIndex, givesWay: fc.boolean() }),
        fc.record({ verb: fc.constant("forge" as const), key: keyIndex }),
        fc.record({ verb: fc.constant("wait" as const), millis: times })
      ),
      { minLength: 5, maxLength: 40 }
    )

    it.effect.prop("random sequences of verbs", [steps], ([steps]) =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const records = new Map<string, SessionRecord.StoredRecord>()
        const keys: Array<SessionKey.SessionKey> = []
        const keyAt = (index: number) => keys[keys.length - 1 - index % keys.length]
        let now = (yield* TestClock.currentTimeMillis) as number

        const write = (
          actual: SessionStore.WriteResult,
          rewrite: SessionRecord.Rewrite,
          key: SessionKey.SessionKey
        ) => {
          const expected: SessionStore.WriteResult = rewrite._tag === "Replace"
            ? SessionStore.WriteResult.Saved({
              key,
              expiresAt: rewrite.record.expiresAt
            })
            : rewrite
          assert.deepStrictEqual(comparableResult(actual), comparableResult(expected))
          if (rewrite._tag === "Replace") {
            records.set(key.id, rewrite.record)
          }
        }

        for (
          const step of [{ verb: "save" as const, state: new Map(), ttl: 60_000, maxLifetime: undefined }, ...steps]
        ) {
          if (step.verb === "wait") {
            yield* TestClock.adjust(step.millis)
            now += step.millis
            continue
          }
          if (step.verb === "save") {
            const { expiresAt, key } = yield* store.save(step.state, step)
            const record = SessionRecord.create(key, step.state, step, now)
            assert.strictEqual(expiresAt, record.expiresAt)
            records.set(key.id, record)
            keys.push(key)
            continue
          }
          const key = keyAt(step.key)!
          const record = records.get(key.id)
          switch (step.verb) {
            case "forge":
              keys.push(SessionKey.mintSecret(key.id))
              break
            case "load":
              assert.deepStrictEqual(
                comparableResult(yield* store.load(key)),
                comparableResult(SessionStore.loadResult(record, key, now))
              )
              break
            case "updateTtl":
              write(
                yield* store.updateTtl(key, step),
                SessionRecord.refresh(record, key, step, now),
                key
              )
              break
            case "delete": {
              const successor = step.givesWay ? SessionKey.mint() : undefined
              const [expected, trace] = SessionRecord.end(record, key, successor, now)
              const answer = yield* store.delete(key, successor)
              if (typeof expected === "boolean" || typeof answer === "boolean") {
                assert.strictEqual(answer, expected)
              } else {
                assert.strictEqual(answer.id, expected.id)
                assert.strictEqual(SessionKey.digest(answer), SessionKey.digest(expected))
              }
              if (trace === undefined) {
                records.delete(key.id)
              } else {
                records.set(key.id, trace)
              }
              break
            }
            default: {
              const { expect, ...rest } = step.change
              const change = { ...rest, expect: expect === "truth" ? record?.state ?? new Map() : expect }
              if (step.verb === "update") {
                write(
                  yield* store.update(key, change, step),
                  SessionRecord.update(record, key, change, step, now),
                  key
                )
              } else {
                const actual = yield* store.renew(key, change, step)
                const newKey = actual._tag === "Saved" ? actual.key : key
                write(actual, SessionRecord.renew(record, key, newKey, change, step, now), newKey)
                if (actual._tag === "Saved") {
                  keys.push(newKey)
                }
              }
            }
          }
        }
        for (const key of keys) {
          assert.deepStrictEqual(
            comparableResult(yield* store.load(key)),
            comparableResult(SessionStore.loadResult(records.get(key.id), key, now))
          )
        }
      }), { fastCheck: { numRuns: 100 } })
  })

  describe("parallel requests", () => {
    const increment = (store: SessionStore.ClockedVerbs, key: SessionKey.SessionKey, from: string) =>
      Effect.iterate(from as string | undefined, {
        while: (value) => value !== undefined,
        body: (value) =>
          Effect.map(
            store.update(
              key,
              changeOf({ n: String(Number(value) + 1) }, { expect: new Map([["n", value]]) }),
              livingFor(minute)
            ),
            (result) => {
              assert(result._tag === "Saved" || result._tag === "Conflict")
              return result._tag === "Conflict" ? result.found.get("n") : undefined
            }
          )
      })

    it.effect("50 increments of one value end at 50", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ n: "0" }), lifetime)
        yield* Effect.replicateEffect(increment(store, key, "0"), 50, { concurrency: "unbounded" })
        assert.strictEqual((yield* loadState(store, key)).get("n"), "50")
      }))

    it.effect("writes of different values from several connections all stay, or hear of a renewal beside them", () =>
      Effect.gen(function*() {
        const { store, url } = yield* fixture
        const second = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
        const { key } = yield* store.save(new Map(), lifetime)
        const numbers = Array.range(1, 50)
        const [results, renewal] = yield* Effect.all([
          Effect.forEach(
            numbers,
            (i) => (i % 2 === 0 ? store : second).update(key, changeOf({ [`k${i}`]: String(i) }), livingFor(minute)),
            { concurrency: "unbounded" }
          ),
          second.renew(key, SessionRecord.noChange, livingFor(minute))
        ], { concurrency: "unbounded" })
        const kept = numbers.filter((i) => results[i - 1]!._tag === "Saved")
        for (const result of results) {
          assert.include(["Saved", "Superseded"], result._tag)
        }
        const state = yield* loadState(store, saved(renewal).key)
        assert.deepStrictEqual([...state].sort(), kept.map((i) => [`k${i}`, String(i)]).sort())
      }).pipe(Effect.scoped))

    it.effect("a session deleted amid writes stays dead", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        yield* Effect.replicateEffect(
          Effect.gen(function*() {
            const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
            const update = (i: number) => store.update(key, changeOf({ [`k${i}`]: "1" }), livingFor(minute))
            const writes = [
              ...Array.makeBy(10, update),
              store.renew(key, SessionRecord.noChange, livingFor(minute)),
              store.delete(key),
              store.updateTtl(key, livingFor(minute)),
              ...Array.makeBy(10, update)
            ]
            yield* Effect.all(writes, { concurrency: "unbounded" })
            assert.strictEqual(yield* Effect.promise(() => redis.exists(redisKeyOf(key))), 0)
          }),
          20
        )
      }))
  })

  describe("what a session can hold", () => {
    it.effect("any text is a key of its own, in every verb", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const state = new Map(hostileKeys.map((key, i) => [key, String(i)]))
        const { key } = yield* store.save(state, lifetime)
        assert.deepStrictEqual(new Map([...(yield* loadState(store, key))].sort()), new Map([...state].sort()))
        const next = new Map(hostileKeys.map((key, i) => [key, String(i + 1)]))
        saved(yield* store.update(key, { set: next, unset: new Set(), expect: state }, livingFor(minute)))
        const conflict = yield* store.update(key, { set: state, unset: new Set(), expect: state }, livingFor(minute))
        assert(conflict._tag === "Conflict")
        assert.deepStrictEqual(new Map([...conflict.found].sort()), new Map([...next].sort()))
        for (const name of hostileKeys) {
          saved(
            yield* store.update(key, {
              set: new Map(),
              unset: new Set([name]),
              expect: new Map([[name, next.get(name)]])
            }, livingFor(minute))
          )
          next.delete(name)
          assert.strictEqual((yield* loadState(store, key)).size, next.size)
        }
        assert.strictEqual(Object.getPrototypeOf({}), Object.prototype)
      }))

    it.effect.prop("random keys and values come back as they were", [
      fc.dictionary(fc.string({ unit: "binary" }), fc.json()).map((values) => new Map(Object.entries(values))),
      fc.array(fc.tuple(fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)), fc.json()))
    ], ([state, odd]) =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const all = new Map([...state, ...odd])
        const { key } = yield* store.save(all, lifetime)
        assert.deepStrictEqual(
          [...(yield* loadState(store, key))].sort(),
          [...all].sort()
        )
      }))

    it.effect("a value of a megabyte", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const value = JSON.stringify("é".repeat(512 * 1024))
        const { key } = yield* store.save(stateOf({ a: value }), lifetime)
        assert.strictEqual((yield* loadState(store, key)).get("a"), value)
        const longer = JSON.stringify("x".repeat(1024 * 1024))
        saved(yield* store.update(key, changeOf({ a: longer }, { expect: new Map([["a", value]]) }), livingFor(minute)))
        assert.strictEqual((yield* loadState(store, key)).get("a"), longer)
      }))

    it.effect("twenty thousand values in one change", () =>
      Effect.gen(function*() {
        const { url } = yield* fixture
        const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
        const state = new Map(Array.makeBy(20_000, (i) => [`k${i}`, String(i)]))
        const { key } = yield* store.save(state, lifetime)
        assert.deepStrictEqual(yield* loadState(store, key), state)
        const next = new Map(Array.makeBy(20_000, (i) => [`n${i}`, String(i)]))
        saved(yield* store.update(key, { set: next, unset: new Set(state.keys()), expect: state }, livingFor(minute)))
        assert.deepStrictEqual(yield* loadState(store, key), next)
      }).pipe(Effect.scoped))

    it.effect("a state that is larger than a command can be is TooLarge, and disturbs nobody", () =>
      Effect.gen(function*() {
        const { store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        const huge = stateOf({ a: "1".repeat(2 ** 28) })
        assert.strictEqual((yield* Effect.flip(store.save(huge, lifetime))).reason, "TooLarge")
        const change = { set: huge, unset: new Set<string>(), expect: new Map() }
        assert.strictEqual((yield* Effect.flip(store.update(key, change, livingFor(minute)))).reason, "TooLarge")
        assert.strictEqual((yield* Effect.flip(store.renew(key, change, livingFor(minute)))).reason, "TooLarge")
        assert.strictEqual((yield* loadState(store, key)).get("a"), "1")
      }))
  })

  describe("what is no session record", () => {
    it.effect("a Redis key of another type is Malformed, and left as it is", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const key = SessionKey.mint()
        yield* Effect.promise(() => redis.set(redisKeyOf(key), "planted-value"))
        const load = yield* Effect.flip(store.load(key))
        assert.strictEqual(load.reason, "Malformed")
        for (
          const write of [
            store.update(key, changeOf({ a: "1" }), livingFor(minute)),
            store.updateTtl(key, livingFor(minute)),
            store.renew(key, changeOf({ a: "1" }), livingFor(minute))
          ]
        ) {
          const error = yield* Effect.flip(write)
          assert.strictEqual(error.reason, "Malformed")
          assert.include(error.message, key.id)
          assert.notInclude(error.message, "planted")
        }
        assert.strictEqual((yield* Effect.flip(store.delete(key))).reason, "Unavailable")
        assert.strictEqual(yield* Effect.promise(() => redis.get(redisKeyOf(key))), "planted-value")
      }))

    const damages: ReadonlyArray<
      readonly [string, Record<string, string | undefined>, { readonly isLoadOnly: boolean }]
    > = [
      ["no version", { v: undefined }, { isLoadOnly: false }],
      ["a version of the future", { v: "2" }, { isLoadOnly: false }],
      ["no digest", { digest: undefined }, { isLoadOnly: false }],
      ["no expiry", { expiresAt: undefined }, { isLoadOnly: false }],
      ["an expiry that is no number", { expiresAt: "planted" }, { isLoadOnly: false }],
      ["a time of extension that is no number", { extendedAt: "planted" }, { isLoadOnly: false }],
      ["a digest of another form", { digest: "planted" }, { isLoadOnly: true }],
      ["an expiry spelt in another way", { expiresAt: "1e300" }, { isLoadOnly: true }],
      ["no creation time", { createdAt: undefined }, { isLoadOnly: true }],
      ["garbage for the replaced secrets", { superseded: "planted:1" }, { isLoadOnly: true }],
      ["an empty list of replaced secrets", { superseded: "" }, { isLoadOnly: true }],
      ["a replaced secret without a time", { superseded: SessionKey.digest(SessionKey.mint()) }, { isLoadOnly: true }],
      ["a field that no version knows", { planted: "1" }, { isLoadOnly: true }],
      ["a second spelling of a key", { "~\"a\"": "1" }, { isLoadOnly: true }],
      ["an escaped key that is no JSON", { "~planted": "1" }, { isLoadOnly: true }],
      ["an escaped key that is no string", { "~1": "1" }, { isLoadOnly: true }]
    ]
    for (const [title, damage, { isLoadOnly }] of damages) {
      it.effect(`a hash with ${title} is Malformed`, () =>
        Effect.gen(function*() {
          const { redis, store } = yield* fixture
          const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
          for (const [field, value] of Object.entries(damage)) {
            yield* Effect.promise(() =>
              value === undefined ? redis.hdel(redisKeyOf(key), field) : redis.hset(redisKeyOf(key), field, value)
            )
          }
          const load = yield* Effect.flip(store.load(key))
          assert.strictEqual(load.reason, "Malformed")
          assert.include(load.message, key.id)
          assert.notInclude(load.message, "planted")
          if (!isLoadOnly) {
            for (
              const write of [
                store.update(key, changeOf({ a: "1" }), livingFor(minute)),
                store.updateTtl(key, livingFor(minute)),
                store.renew(key, changeOf({ a: "1" }), livingFor(minute))
              ]
            ) {
              const error = yield* Effect.flip(write)
              assert.strictEqual(error.reason, "Malformed")
              assert.include(error.message, key.id)
              assert.notInclude(error.message, "planted")
            }
            assert.strictEqual((yield* Effect.flip(store.delete(key))).reason, "Unavailable")
          }
        }))
    }

    it.effect("a Conflict whose record cannot be read is Malformed", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* Effect.promise(() => redis.hdel(redisKeyOf(key), "createdAt"))
        const error = yield* Effect.flip(
          store.update(key, changeOf({}, { expect: new Map([["a", "2"]]) }), livingFor(minute))
        )
        assert.strictEqual(error.reason, "Malformed")
      }))
  })

  describe("commands", () => {
    const verbsOf = (store: SessionStore.ClockedVerbs) =>
      Effect.gen(function*() {
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* store.load(key)
        yield* store.update(
          key,
          changeOf({ a: "2" }, { unset: ["b"], expect: new Map([["a", "1"]]) }),
          livingFor(minute)
        )
        yield* store.update(key, changeOf({ a: "3" }, { expect: new Map([["a", "1"]]) }), livingFor(minute))
        const renewed = saved(yield* store.renew(key, SessionRecord.noChange, livingFor(minute))).key
        yield* store.updateTtl(renewed, livingFor(minute))
        yield* store.delete(renewed)
        yield* store.delete(renewed)
        yield* store.updateTtl(renewed, livingFor(minute))
        yield* store.load(renewed)
      })

    it.effect("every call is one command", () =>
      Effect.gen(function*() {
        const { url } = yield* redisServer()
        const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
        yield* verbsOf(store)
        const admin = yield* adminOf(url)
        const monitor = yield* Effect.acquireRelease(
          Effect.promise(() => admin.monitor()),
          (monitor) => Effect.sync(() => monitor.disconnect())
        )
        const commands: Array<string> = []
        const ended = new Promise<void>((resolve) =>
          monitor.on("monitor", (_time: string, [command, argument]: ReadonlyArray<string>, source: string) => {
            if (command === "echo" && argument === "end") {
              resolve()
            } else if (source !== "lua") {
              commands.push(String(command).toLowerCase())
            }
          })
        )
        yield* verbsOf(store)
        yield* Effect.promise(() => admin.echo("end").then(() => ended))
        assert.deepStrictEqual(commands, [
          "evalsha",
          "hgetall",
          "evalsha",
          "evalsha",
          "evalsha",
          "evalsha",
          "evalsha",
          "evalsha",
          "evalsha",
          "hgetall"
        ])
      }).pipe(Effect.scoped))

    it.effect("a server that has forgotten the scripts is told them again", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const flush = Effect.promise(() => redis.script("FLUSH"))
        yield* flush
        const { key } = yield* store.save(stateOf({ n: "0" }), lifetime)
        yield* flush
        saved(yield* store.update(key, changeOf({ n: "1" }, { expect: new Map([["n", "0"]]) }), livingFor(minute)))
        yield* flush
        saved(yield* store.updateTtl(key, livingFor(minute)))
        yield* flush
        const renewed = saved(yield* store.renew(key, SessionRecord.noChange, livingFor(minute))).key
        assert.strictEqual((yield* loadState(store, renewed)).get("n"), "1")
        yield* flush
        yield* store.delete(renewed)
        assert.strictEqual((yield* store.load(renewed))._tag, "Absent")
      }))

    it.effect("an error of Redis is Unavailable and repeats nothing of what was sent", () =>
      Effect.gen(function*() {
        const { url } = yield* redisServer()
        const admin = yield* adminOf(url)
        // Redis repeats the arguments of a command that it does not know.
        let prefix = ""
        const store = SessionStore.withClock(
          yield* RedisSessionStore.fromClient({
            hgetall: (...args) => admin.call(`${prefix}hgetall`, ...args) as Promise<Record<string, string>>,
            evalsha: (sha, ...args) => admin.call(`${prefix}evalsha`, sha, ...args),
            eval: (source, ...args) => admin.call(`${prefix}eval`, source, ...args)
          })
        )
        prefix = "no-"
        const key = SessionKey.mint()
        const errors = [
          yield* Effect.flip(store.load(key)),
          yield* Effect.flip(store.save(stateOf({ planted: "\"planted\"" }), lifetime)),
          yield* Effect.flip(store.update(key, changeOf({ planted: "\"planted\"" }), livingFor(minute))),
          yield* Effect.flip(store.delete(key))
        ]
        for (const error of errors) {
          assert.strictEqual(error.reason, "Unavailable")
          assert.include(error.message, "unknown command")
          assert.notInclude(JSON.stringify(error) + String(error.cause) + JSON.stringify(error.cause), "planted")
          assert.notInclude(error.message + String(error.cause), SessionKey.digest(key))
          assert.isEmpty(Object.keys(error.cause as Error))
        }
      }).pipe(Effect.scoped))

    it.effect("where Redis is out of memory, writes are Unavailable and change nothing", () =>
      Effect.gen(function*() {
        const { url } = yield* redisServer()
        const admin = yield* adminOf(url)
        const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
        const { key } = yield* store.save(stateOf({ a: "1", b: "1" }), lifetime)
        const before = yield* Effect.promise(() => admin.hgetall(redisKeyOf(key)))
        yield* Effect.promise(() => admin.config("SET", "maxmemory", "1"))
        yield* TestClock.adjust(1_000)
        for (const write of [store.update, store.renew]) {
          assert.strictEqual(
            (yield* Effect.flip(write(key, changeOf({ a: "2" }, { unset: ["b"] }), livingFor(minute)))).reason,
            "Unavailable"
          )
        }
        assert.strictEqual((yield* Effect.flip(store.updateTtl(key, livingFor(minute)))).reason, "Unavailable")
        assert.strictEqual((yield* Effect.flip(store.save(stateOf({ a: "1" }), lifetime))).reason, "Unavailable")
        assert.deepStrictEqual(yield* Effect.promise(() => admin.hgetall(redisKeyOf(key))), before)
        assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 1)
        yield* store.delete(key)
        assert.strictEqual((yield* store.load(key))._tag, "Absent")
      }).pipe(Effect.scoped))
  })

  describe("secrets", () => {
    it.effect("no secret is in Redis, under any key, after any verb", () =>
      Effect.gen(function*() {
        const { redis, store } = yield* fixture
        const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
        yield* store.load(key)
        yield* store.update(key, changeOf({ b: "1" }), livingFor(minute))
        const second = saved(yield* store.renew(key, SessionRecord.noChange, livingFor(minute))).key
        const third = saved(yield* store.renew(second, SessionRecord.noChange, livingFor(minute))).key
        yield* store.updateTtl(third, livingFor(minute))
        const names = yield* Effect.promise(() => redis.keys("*"))
        const hashes = yield* Effect.promise(() =>
          Promise.all(
            names.map(async (name) => [name, await redis.type(name) === "hash" ? await redis.hgetall(name) : ""])
          )
        )
        const everything = JSON.stringify(hashes)
        assert.include(everything, SessionKey.digest(third))
        for (const { secret } of [key, second, third]) {
          assert.notInclude(everything, Redacted.value(secret))
          assert.notInclude(everything, Redacted.value(secret).slice(0, 20))
        }
      }))
  })

  describe("construction", () => {
    it.effect("from Config", () =>
      Effect.gen(function*() {
        const { redis, url } = yield* fixture
        const configured = RedisSessionStore.layerConfig({
          url: Config.redacted("REDIS_URL"),
          prefix: Config.string("REDIS_PREFIX"),
          timeout: Config.duration("REDIS_TIMEOUT"),
          redis: Config.succeed({ connectionName: "sessions" })
        })
        const key = yield* SessionStore.SessionStore.pipe(
          Effect.flatMap((store) => SessionStore.withClock(store).save(stateOf({ a: "1" }), lifetime)),
          Effect.provide(configured),
          Effect.withConfigProvider(ConfigProvider.fromMap(
            new Map([["REDIS_URL", url], ["REDIS_PREFIX", "configured:"], ["REDIS_TIMEOUT", generous]])
          )),
          Effect.map((saved) => saved.key)
        )
        assert.strictEqual(yield* Effect.promise(() => redis.exists(`configured:${key.id}`)), 1)
      }))

    it.effect("on a client that the app has, which stays open", () =>
      Effect.gen(function*() {
        const { redis } = yield* fixture
        const key = yield* Effect.gen(function*() {
          const store = SessionStore.withClock(yield* SessionStore.SessionStore)
          const { key } = yield* store.save(stateOf({ a: "1" }), lifetime)
          saved(yield* store.update(key, changeOf({ b: "2" }), livingFor(minute)))
          assert.strictEqual((yield* loadState(store, key)).size, 2)
          return key
        }).pipe(Effect.provide(RedisSessionStore.layerFromClient(redis, { prefix: "mine:", timeout: generous })))
        assert.strictEqual(redis.status, "ready")
        assert.strictEqual(yield* Effect.promise(() => redis.exists(`mine:${key.id}`)), 1)
      }))
  })
})

describe("RedisSessionStore options", () => {
  const refusal = (options: RedisSessionStore.Options) =>
    Effect.flip(Effect.scoped(Layer.build(RedisSessionStore.layer(options))))

  for (
    const url of [
      "",
      "localhost:6379",
      "http://user:planted@localhost:6379",
      "redis:/localhost",
      "redis://",
      "redis:///0",
      "rediss//user:planted@localhost",
      "redis://user:planted@local host",
      "redis://user:planted@localhost:port",
      "redis://user:planted@localhost:99999",
      "redis://user:planted%@localhost",
      "redis://user:planted%zz@localhost",
      "redis://user:planted@localhost/zero",
      "redis://user:planted@localhost/0/1",
      "redis://user:planted@localhost/-1",
      "redis://user:planted@localhost/0#planted",
      "redis://user:planted@localhost?password=planted",
      "redis://user:planted@localhost?family=planted",
      "redis://user:planted/part@localhost",
      "redis://user:planted#part@localhost"
    ]
  ) {
    it.effect(`refuse the url ${JSON.stringify(url)}, and repeat no part of it`, () =>
      Effect.gen(function*() {
        for (const given of [url, Redacted.make(url)]) {
          const error = yield* refusal({ url: given })
          assert.strictEqual(error._tag, "SessionStoreConfigError")
          assert.strictEqual(error.option, "url")
          assert.include(error.message, "option url")
          assert.notInclude(error.message, "planted")
        }
      }))
  }

  for (const timeout of [0, -1, Infinity, NaN, "0 seconds", "25 days", "soon" as "1 second"] as const) {
    it.effect(`refuse the timeout ${timeout}`, () =>
      Effect.gen(function*() {
        const error = yield* refusal({ url: "redis://127.0.0.1:1", timeout })
        assert.strictEqual(error.option, "timeout")
        assert.include(error.message, "option timeout")
      }))
  }
})
