/**
 * A real Redis in which somebody else has written: hashes that are almost session records, and keys of other types.
 * Anonymous or a typed error, never a crash, and never another's session.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { Redis } from "ioredis"
import { pause } from "../support/breathing.js"
import { report } from "../support/figures.js"
import { redisServer } from "../support/redisServer.js"
import { scaled } from "../support/soak.js"
import { generous } from "../support/timeLimits.js"
import { makeWebApp } from "../support/webApp.js"
import { builtIns } from "./builtIns.js"
import { observed, operations, resultOf } from "./operations.js"
import type { Result } from "./operations.js"
import { makeRandom } from "./random.js"
import { recordHash } from "./records.js"
import type { Hash } from "./records.js"
import { assertNoDefect, makeVictim, verbsOf } from "./storeVerbs.js"

const before = builtIns()
// Each of these records is worth a warning, and all of them together would be the whole log.
const silence = Logger.minimumLogLevel(LogLevel.None)

const world = Effect.gen(function*() {
  const { url } = yield* redisServer()
  const store = yield* RedisSessionStore.make({ url, timeout: generous, maxRecordBytes: 2 ** 25 })
  const redis = yield* Effect.acquireRelease(
    Effect.sync(() => new Redis(url)),
    (client) => Effect.sync(() => client.disconnect())
  )
  return { store, clocked: SessionStore.withClock(store), redis }
})

const redisKeyOf = (key: SessionKey.SessionKey) => `session:${key.id}`

const plant = (redis: Redis, key: SessionKey.SessionKey, hash: Hash) =>
  Effect.promise(async () => {
    await redis.del(redisKeyOf(key))
    if (hash.size > 0) {
      await redis.hset(redisKeyOf(key), hash)
    }
  })

const show = (hash: Hash) => JSON.stringify([...hash]).slice(0, 600)

describe("records in Redis, fuzzed", () => {
  it.scopedLive(
    "each verb answers or fails with a typed error, and nobody sees what another has",
    () =>
      Effect.gen(function*() {
        const { clocked, redis } = yield* world
        const victim = yield* makeVictim(clocked)
        const random = makeRandom()
        const records = scaled(1_500, 10_000)
        let live = 0
        const cases = Array.from({ length: records }, () => {
          const key = SessionKey.mint()
          return { key, hash: recordHash(random, key) }
        })
        yield* Effect.forEach(cases, ({ hash, key }) =>
          Effect.gen(function*() {
            for (const [verb, call] of Object.entries(verbsOf(clocked, key))) {
              yield* plant(redis, key, hash)
              const result = resultOf(yield* Effect.exit(call))
              assertNoDefect(result, `seed ${random.seed}, ${verb} of ${show(hash)}`)
              const answer = result._tag === "Value" ? result.value as SessionStore.LoadResult | undefined : undefined
              if (answer?._tag === "Live") {
                live++
                assert.strictEqual(answer.record.id, key.id)
                for (const [name, value] of answer.record.state) {
                  assert.include([hash.get(`=${name}`), hash.get(`~${JSON.stringify(name)}`)], value)
                }
              }
            }
            yield* Effect.promise(() => redis.del(redisKeyOf(key)))
          }), { concurrency: 32, discard: true })
        yield* victim.isUntouched
        assert.isAbove(live, records / 100)
        assert.isBelow(live, records)
        report("hostile records in Redis", { seed: random.seed, records, live, defects: 0 })
      })
  )

  it.scopedLive("a key of another type is a typed error for each verb, and stays what it is", () =>
    Effect.gen(function*() {
      const { clocked, redis } = yield* world
      const types = {
        string: (key: string) => redis.set(key, "x"),
        list: (key: string) => redis.rpush(key, "x"),
        set: (key: string) => redis.sadd(key, "x"),
        zset: (key: string) => redis.zadd(key, 1, "x"),
        stream: (key: string) => redis.xadd(key, "*", "x", "1")
      }
      for (const [type, write] of Object.entries(types)) {
        const key = SessionKey.mint()
        yield* Effect.promise<unknown>(() => write(redisKeyOf(key)))
        for (const [verb, call] of Object.entries(verbsOf(clocked, key))) {
          assert.strictEqual(resultOf(yield* Effect.exit(call))._tag, "Typed", `${verb} of a ${type}`)
        }
        assert.strictEqual(yield* Effect.promise(() => redis.type(redisKeyOf(key))), type)
      }
    }))

  it.scopedLive("ten megabytes are read like one byte, in one value and in ten thousand", () =>
    Effect.gen(function*() {
      const { clocked, redis } = yield* world
      const base = (key: SessionKey.SessionKey) =>
        new Map<string, string>([
          ["v", "1"],
          ["digest", SessionKey.digest(key)],
          ["createdAt", "0"],
          ["expiresAt", "9999999999999"]
        ])
      const one = SessionKey.mint()
      yield* plant(redis, one, base(one).set("=a", JSON.stringify("x".repeat(10_000_000))))
      const many = SessionKey.mint()
      const values = base(many)
      for (let i = 0; i < 10_000; i++) {
        values.set(`=${"k".repeat(990)}${i}`, "1")
      }
      yield* Effect.promise(async () => {
        const entries = [...values]
        for (let at = 0; at < entries.length; at += 1_000) {
          await redis.hset(redisKeyOf(many), new Map(entries.slice(at, at + 1_000)))
        }
      })
      for (const [key, size] of [[one, 1], [many, 10_000]] as const) {
        const loaded = yield* clocked.load(key)
        assert(loaded._tag === "Live")
        assert.strictEqual(loaded.record.state.size, size)
        for (const [verb, call] of Object.entries(verbsOf(clocked, key))) {
          assertNoDefect(resultOf(yield* Effect.exit(call)), `${verb} of ten megabytes`)
        }
      }
    }))

  it.scopedLive(
    "a request whose record is such a hash is anonymous or gets a typed error, whatever it does",
    () =>
      Effect.gen(function*() {
        const { clocked, redis, store } = yield* world
        const victim = yield* makeVictim(clocked)
        const random = makeRandom()
        const app = yield* makeWebApp({ store: Layer.succeed(SessionStore.SessionStore, store) })
        const names = Object.keys(operations)
        const requests = scaled(1_000, 6_000)
        for (let i = 0; i < requests; i++) {
          yield* pause(i)
          const key = SessionKey.mint()
          const hash = recordHash(random, key)
          yield* plant(redis, key, hash)
          const name = names[i % names.length]!
          const about = `seed ${random.seed}, ${name} of ${show(hash)}`
          const results: Array<Result> = []
          const cookie = `__Host-id=${app.middleware.crypto.seal(SessionKey.toText(key))}`
          const { body, status } = yield* app.request(observed(name, (result) => results.push(result)), cookie)
          assert.strictEqual(results.length, 1, about)
          assertNoDefect(results[0]!, about)
          assert.notInclude(JSON.stringify(results[0]), "victim of the test", about)
          // 500: the commit found the record damaged in a place that reading it had not looked at.
          assert.include([204, 500], status, about)
          assert.isUndefined(body)
          yield* Effect.promise(() => redis.del(redisKeyOf(key)))
        }
        yield* victim.isUntouched
      }).pipe(Effect.provide(silence))
  )

  it.scopedLive("a time that no date can hold crashes no handler that asks for it", () =>
    Effect.gen(function*() {
      const { redis, store } = yield* world
      const app = yield* makeWebApp({ store: Layer.succeed(SessionStore.SessionStore, store) })
      for (const time of ["8640000000000001", "1e+300", "Infinity"]) {
        const key = SessionKey.mint()
        yield* plant(
          redis,
          key,
          new Map([["v", "1"], ["digest", SessionKey.digest(key)], ["createdAt", time], ["expiresAt", time]])
        )
        for (const name of ["createdAt", "expiresAt"]) {
          const results: Array<Result> = []
          const cookie = `__Host-id=${app.middleware.crypto.seal(SessionKey.toText(key))}`
          yield* app.request(observed(name, (result) => results.push(result)), cookie)
          assertNoDefect(results[0]!, `${name} of ${time}`)
        }
      }
    }))

  it("leaves the built-in prototypes as they were", () => {
    assert.deepStrictEqual(builtIns(), before)
  })
})
