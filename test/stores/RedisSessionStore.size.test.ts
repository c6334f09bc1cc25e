/**
 * How large a session may become in Redis, and what becomes of one that is larger.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { Redis } from "ioredis"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"

const lifetime: SessionRecord.Lifetime = { ttl: 3_600_000, maxLifetime: undefined }

const change = (
  set: Readonly<Record<string, string>>,
  unset: ReadonlyArray<string> = []
): SessionRecord.SessionChange => ({
  set: new Map(Object.entries(set)),
  unset: new Set(unset),
  expect: new Map()
})

const text = (bytes: number): string => JSON.stringify("x".repeat(bytes - 2))

const make = (maxRecordBytes: number) =>
  Effect.gen(function*() {
    const { url } = yield* redisServer()
    const admin = yield* Effect.acquireRelease(
      Effect.sync(() => new Redis(url)),
      (client) => Effect.sync(() => client.disconnect())
    )
    const another = Effect.map(
      RedisSessionStore.make({ url, timeout: generous, maxRecordBytes }),
      SessionStore.withClock
    )
    return { admin, another, store: yield* another }
  })

const sent = (admin: Redis) =>
  Effect.map(
    Effect.promise(() => admin.info("stats")),
    (stats) => Number(/total_net_output_bytes:(\d+)/.exec(stats)![1])
  )

describe("the size of a session in Redis", () => {
  it.scopedLive("one that is larger already is refused, is not fetched, and keeps nobody waiting", () =>
    Effect.gen(function*() {
      const { admin, another, store } = yield* make(RedisSessionStore.defaults.maxRecordBytes)
      const { key } = yield* store.save(new Map([["a", "1"]]), lifetime)
      const other = (yield* store.save(new Map([["a", "1"]]), lifetime)).key
      const redisKey = `session:${key.id}`
      for (let i = 0; i < 50; i++) {
        yield* Effect.promise(() => admin.hset(redisKey, `=big${i}`, text(1_000_000)))
      }
      // A process that has not seen it before: whatever has grown beyond what this library writes came from elsewhere.
      const fresh = yield* another
      const before = yield* sent(admin)
      const [error, ...others] = yield* Effect.all(
        [Effect.flip(fresh.load(key)), ...Array.from({ length: 100 }, () => fresh.load(other))],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(error.reason, "Malformed")
      assert.match(error.message, /more than 4194304 bytes \(maxRecordBytes\)/)
      assert.isTrue(others.every((result) => "_tag" in result && result._tag === "Live"))
      assert.isBelow((yield* sent(admin)) - before, 1_000_000)
      assert.isTrue(yield* fresh.delete(key))
      assert.strictEqual(yield* Effect.promise(() => admin.exists(redisKey)), 0)
    }))

  it.scopedLive("so is one of a million fields, each as small as can be", () =>
    Effect.gen(function*() {
      const { admin, another, store } = yield* make(100_000)
      const { key } = yield* store.save(new Map(), lifetime)
      yield* Effect.promise(() =>
        admin.eval(
          "for i = 1, 1000000 do redis.call('HSET', KEYS[1], '=' .. i, '1') end",
          1,
          `session:${key.id}`
        )
      )
      assert.strictEqual((yield* Effect.flip((yield* another).load(key))).reason, "Malformed")
    }))

  it.scopedLive("a new one that is too large is not stored", () =>
    Effect.gen(function*() {
      const { admin, store } = yield* make(10_000)
      const error = yield* Effect.flip(store.save(new Map([["a", text(10_000)]]), lifetime))
      assert.strictEqual(error.reason, "TooLarge")
      assert.match(error.message, /more than 10000 bytes in Redis \(maxRecordBytes\): keep less in it/)
      assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 0)
    }))

  for (const verb of ["update", "renew"] as const) {
    it.scopedLive(`${verb}: parallel requests that each write within the limit do not pass it together`, () =>
      Effect.gen(function*() {
        const { admin, store } = yield* make(10_000)
        const { key } = yield* store.save(new Map(), lifetime)
        const write = (name: string) => Effect.either(store[verb](key, change({ [name]: text(3_000) }), lifetime))
        const results = verb === "update"
          ? yield* Effect.forEach(["a", "b", "c", "d", "e"], write, { concurrency: "unbounded" })
          : [
            yield* store.update(key, change({ a: text(3_000), b: text(3_000), c: text(3_000) }), lifetime).pipe(
              Effect.either
            ),
            yield* write("d")
          ]
        const refused = results.flatMap((result) => Option.toArray(Either.getLeft(result)))
        assert.deepStrictEqual(
          refused.map(({ reason }) => reason),
          verb === "update" ? ["TooLarge", "TooLarge"] : ["TooLarge"]
        )
        const hash = yield* Effect.promise(() => admin.hgetall(`session:${key.id}`))
        const size = Object.entries(hash).reduce((sum, [field, value]) => sum + field.length + value.length, 0)
        assert.isAtMost(size, 10_000)
        assert.strictEqual((yield* store.load(key))._tag, "Live")
      }))
  }

  it.scopedLive("one that is at the limit may change, shrink, be refreshed and be renewed", () =>
    Effect.gen(function*() {
      const { store } = yield* make(10_000)
      const { key } = yield* store.save(new Map([["a", text(9_500)]]), lifetime)
      const too = yield* Effect.flip(store.update(key, change({ a: text(9_900) }), lifetime))
      assert.strictEqual(too.reason, "TooLarge")
      assert.strictEqual(
        (yield* store.update(key, change({ a: text(9_500).replace("x", "y") }), lifetime))._tag,
        "Saved"
      )
      assert.strictEqual((yield* store.updateTtl(key, lifetime))._tag, "Saved")
      assert.strictEqual((yield* store.update(key, change({ b: text(9_000) }, ["a"]), lifetime))._tag, "Saved")
      assert.strictEqual((yield* store.renew(key, change({ b: text(100) }), lifetime))._tag, "Saved")
    }))

  it.scopedLive("one that is at the limit may be renewed as often as one likes, and is loaded and ended wherever it is", () =>
    Effect.gen(function*() {
      const { another, store } = yield* make(10_000)
      const saved = yield* store.save(new Map(), lifetime)
      let { key } = saved
      // As full as can be.
      for (let bytes = 9_900; bytes > 9_000; bytes -= 10) {
        yield* Effect.either(store.update(key, change({ a: text(bytes) }), lifetime))
      }
      for (let renewals = 0; renewals < 140; renewals++) {
        const result = yield* store.renew(key, change({}), lifetime)
        assert(result._tag === "Saved")
        key = result.key
      }
      const elsewhere = yield* another
      assert.strictEqual((yield* elsewhere.load(key))._tag, "Live")
      assert.strictEqual((yield* elsewhere.update(key, change({ a: "1" }), lifetime))._tag, "Saved")
      assert.isTrue(yield* (yield* another).delete(key))
      assert.strictEqual((yield* store.load(key))._tag, "Absent")
    }))

  it.effect("a limit that is none is refused", () =>
    Effect.gen(function*() {
      for (const maxRecordBytes of [0, 1_023, 1_024.5, 2 ** 28 + 1, Number.NaN, "1024"]) {
        const options = { url: "redis://localhost", maxRecordBytes } as RedisSessionStore.Options
        const error = yield* Effect.flip(Effect.scoped(RedisSessionStore.make(options)))
        assert.strictEqual(error.option, "maxRecordBytes")
        assert.match(error.message, /an integer from 1024 to 268435456/)
      }
    }))
})
