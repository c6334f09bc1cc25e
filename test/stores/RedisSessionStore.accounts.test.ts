/**
 * The index of an account in Redis: how long it is there, how it stays small, what a Redis that evicts takes from it, and what a crash
 * leaves of an end of all.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionSignIn from "effect-session/SessionSignIn"
import type * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import { Cluster, Redis } from "ioredis"
import { livingFor } from "../support/lifetimes.js"
import { redisCluster } from "../support/redisCluster.js"
import { adminOf } from "../support/redisSentinel.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"

const minute = 60_000
const hour = 60 * minute
const start = 1_800_000_000_000
const ada = JSON.stringify("ada")
const indexKey = `session:~account:${SessionSignIn.digest(ada)}`

const signIn = (store: SessionStore.SessionStore, now: number, lifetime = livingFor(hour)) =>
  Effect.gen(function*() {
    const drawn = SessionKey.mint()
    const { ticket } = yield* store.accounts!.enlist(ada, drawn.id, lifetime, now)
    const state = new Map(SessionSignIn.toEntries({ account: ada, signedInAt: now, authenticatedAt: now }))
    const { key } = yield* store.save(state, lifetime, now, drawn)
    const confirmation = yield* store.accounts!.confirm(ada, key.id, ticket, lifetime, now)
    assert.strictEqual(confirmation._tag, "Confirmed")
    return key
  })

const listedIn = (store: SessionStore.SessionStore, now: number) =>
  Effect.map(store.accounts!.list(ada, now), ({ records }) => records.map(({ id }) => id).sort())

const stateOf = (store: SessionStore.SessionStore, key: SessionKey.SessionKey, now: number) =>
  Effect.map(store.load(key, now), ({ _tag }) => _tag)

const commandsOf = (admin: Redis) =>
  Effect.map(
    Effect.promise(() => admin.info("commandstats")),
    (text) =>
      Array.from(text.matchAll(/cmdstat_([a-z|]+):calls=(\d+)/g), ([, name, calls]) => [name!, Number(calls)] as const)
  )

const makeStore = (url: string) => RedisSessionStore.make({ url, timeout: generous })

const idsIn = (hash: Record<string, string>) => Object.keys(hash).filter(SessionKey.isSessionId)

describe("the index of an account in Redis", () => {
  it.scopedLive("stands in a key of its own that names no account, and goes when no session of it can live", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const store = yield* makeStore(url)
      for (
        const [lifetime, span] of [
          [{ ttl: hour, maxLifetime: 5 * hour }, 5 * hour],
          [livingFor(10 * hour), 20 * hour],
          [livingFor(minute), 20 * hour]
        ] as const
      ) {
        yield* signIn(store, start, lifetime)
        const left = yield* Effect.promise(() => admin.pttl(indexKey))
        assert.isAtMost(left, span)
        assert.isAbove(left, span - 10 * minute)
      }
      const keys = yield* Effect.promise(() => admin.keys("*"))
      assert.deepStrictEqual(keys.filter((key) => key.includes("~")), [indexKey])
    }))

  it.scopedLive("is told once more when a session goes on for longer, and not with every write", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const store = yield* makeStore(url)
      const key = yield* signIn(store, start)
      const listedUntil = () =>
        Effect.map(Effect.promise(() => admin.hget(indexKey, key.id)), (entry) => Number(entry?.split(":")[1]))
      assert.strictEqual(yield* listedUntil(), start + 2 * hour)
      const seen = new Set<number>()
      for (let at = start; at < start + 10 * hour; at += 20 * minute) {
        yield* store.update(key, SessionRecord.noChange, livingFor(hour), at)
        const until = yield* listedUntil()
        assert.isAtLeast(until, at + hour)
        seen.add(until)
      }
      assert.isAtMost(seen.size, 11)
    }))

  it.scopedLive("does not grow with the sessions that have been", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const store = yield* makeStore(url)
      for (let n = 0; n < 500; n++) {
        yield* signIn(store, start + n * 10 * minute)
      }
      const size = yield* Effect.promise(() => admin.hlen(indexKey))
      assert.isAtMost(size, 80)
    }))

  it.scopedLive("forgets in a list what has ended, and leaves a sign-in alone that is under way", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const store = yield* makeStore(url)
      const [ended, left] = [yield* signIn(store, start), yield* signIn(store, start)]
      yield* store.delete(ended, start)
      const underWay = SessionKey.mint()
      const { ticket } = yield* store.accounts!.enlist(ada, underWay.id, livingFor(hour), start)
      assert.deepStrictEqual(yield* listedIn(store, start), [left.id])
      const ids = idsIn(yield* Effect.promise(() => admin.hgetall(indexKey)))
      assert.deepStrictEqual(ids.sort(), [left.id, underWay.id].sort())
      const state = new Map(SessionSignIn.toEntries({ account: ada, signedInAt: start, authenticatedAt: start }))
      yield* store.save(state, livingFor(hour), start, underWay)
      const confirmation = yield* store.accounts!.confirm(ada, underWay.id, ticket, livingFor(hour), start)
      assert.strictEqual(confirmation._tag, "Confirmed")
    }))

  it.scopedLive("is taken for whole by a Redis that does not evict, which looks through no other records", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const store = yield* makeStore(url)
      yield* store.accounts!.endAll(ada, start)
      yield* signIn(store, start)
      yield* listedIn(store, start)
      yield* store.accounts!.endAll(ada, start)
      assert.notInclude((yield* commandsOf(admin)).map(([name]) => name), "scan")
    }))

  it.scopedLive("that a Redis has evicted is made anew from the records, once", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer({ args: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"] })
      const admin = yield* adminOf(url)
      // A prefix whose characters mean something in a pattern.
      const store = yield* RedisSessionStore.make({ url, prefix: "a[b]*?:", timeout: generous })
      const evict = Effect.promise(() => admin.del(indexKey.replace("session:", "a[b]*?:")))
      const keys = [yield* signIn(store, start), yield* signIn(store, start)]
      const ids = keys.map(({ id }) => id).sort()
      yield* evict
      assert.deepStrictEqual(yield* listedIn(store, start), ids)
      const looks = () =>
        Effect.map(commandsOf(admin), (commands) => commands.find(([name]) => name === "scan")?.[1] ?? 0)
      const looked = yield* looks()
      assert.deepStrictEqual(yield* listedIn(store, start), ids)
      assert.strictEqual(yield* looks(), looked)
      yield* evict
      const last = yield* signIn(store, start)
      const { count } = yield* store.accounts!.enlist(ada, last.id, livingFor(hour), start)
      assert.isAtLeast(count, 3)
      const { ended } = yield* store.accounts!.endAll(ada, start)
      assert.deepStrictEqual(Array.from(ended).sort(), [...ids, last.id].sort())
      for (const key of [...keys, last]) {
        assert.strictEqual(yield* stateOf(store, key, start), "Absent")
      }
    }))

  it.scopedLive("that was evicted is made anew also where the client has a prefix of its own", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer({ args: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"] })
      const admin = yield* adminOf(url)
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis(url, { keyPrefix: "app:" })),
        (client) => Effect.sync(() => client.disconnect())
      )
      const store = yield* RedisSessionStore.fromClient(client, { timeout: generous })
      const key = yield* signIn(store, start)
      assert.strictEqual(yield* Effect.promise(() => admin.del(`app:${indexKey}`)), 1)
      assert.deepStrictEqual(yield* listedIn(store, start), [key.id])
      assert.deepStrictEqual((yield* store.accounts!.endAll(ada, start)).ended, [key.id])
    }))

  it.scopedLive("that is evicted while all sessions end keeps none of them alive", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer({ args: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"] })
      const admin = yield* adminOf(url)
      const sound = yield* makeStore(url)
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis(url)),
        (client) => Effect.sync(() => client.disconnect())
      )
      for (let step = 1; step <= 6; step++) {
        let calls = 0
        const store = yield* RedisSessionStore.fromClient({
          hgetall: (key) => client.hgetall(key),
          eval: (...args) => client.eval(...args),
          evalsha: async (...args) => {
            if (++calls === step) {
              await admin.del(indexKey)
            }
            return client.evalsha(...args)
          }
        }, { timeout: generous })
        const keys = yield* Effect.replicateEffect(signIn(sound, start), 3)
        calls = 0
        yield* store.accounts!.endAll(ada, start)
        for (const key of keys) {
          assert.strictEqual(yield* stateOf(sound, key, start), "Absent", `evicted before call ${step}`)
        }
      }
    }))

  it.scopedLive("that was evicted makes a sign-in void that was under way", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer({ args: ["--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"] })
      const admin = yield* adminOf(url)
      const store = yield* makeStore(url)
      const drawn = SessionKey.mint()
      const { ticket } = yield* store.accounts!.enlist(ada, drawn.id, livingFor(hour), start)
      yield* Effect.promise(() => admin.del(indexKey))
      const state = new Map(SessionSignIn.toEntries({ account: ada, signedInAt: start, authenticatedAt: start }))
      yield* store.save(state, livingFor(hour), start, drawn)
      const confirmation = yield* store.accounts!.confirm(ada, drawn.id, ticket, livingFor(hour), start)
      assert.strictEqual(confirmation._tag, "Void")
    }))

  it.scopedLive("that a Cluster has evicted is made anew from the records of all its nodes", () =>
    Effect.gen(function*() {
      const nodes = yield* redisCluster()
      for (const { admin } of nodes) {
        yield* Effect.promise(() => admin.config("SET", "maxmemory", "100mb"))
        yield* Effect.promise(() => admin.config("SET", "maxmemory-policy", "volatile-lru"))
      }
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })))),
        (client) => Effect.sync(() => client.disconnect())
      )
      const store = yield* RedisSessionStore.fromClient(client, { timeout: generous })
      const keys = yield* Effect.replicateEffect(signIn(store, start), 40)
      yield* Effect.promise(() => client.del(indexKey))
      assert.deepStrictEqual(yield* listedIn(store, start), keys.map(({ id }) => id).sort())
      yield* Effect.promise(() => client.del(indexKey))
      const { ended } = yield* store.accounts!.endAll(ada, start)
      assert.strictEqual(ended.length, keys.length)
    }))

  it.scopedLive("brings an end of all to its end when it is called again after a crash, at whatever step", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const sound = yield* makeStore(url)
      for (let step = 1; step <= 8; step++) {
        let left = Infinity
        const client = yield* Effect.acquireRelease(
          Effect.sync(() => new Redis(url)),
          (client) => Effect.sync(() => client.disconnect())
        )
        const crashing = new Proxy(client, {
          get: (target, name) => {
            const found: unknown = Reflect.get(target, name, target)
            return typeof found !== "function" ?
              found :
              (...args: ReadonlyArray<unknown>) =>
                (name === "evalsha" || name === "eval") && left-- <= 0
                  ? Promise.reject(new Error("crashed"))
                  : Reflect.apply(found, target, args)
          }
        })
        const store = yield* RedisSessionStore.fromClient(crashing, { timeout: generous })
        const keys = yield* Effect.replicateEffect(signIn(sound, start), 4)
        const late = SessionKey.mint()
        const { ticket } = yield* sound.accounts!.enlist(ada, late.id, livingFor(hour), start)
        left = step
        yield* Effect.exit(store.accounts!.endAll(ada, start))
        yield* sound.accounts!.endAll(ada, start)
        for (const key of keys) {
          assert.strictEqual(yield* stateOf(sound, key, start), "Absent", `after a crash at step ${step}`)
        }
        const state = new Map(SessionSignIn.toEntries({ account: ada, signedInAt: start, authenticatedAt: start }))
        yield* sound.save(state, livingFor(hour), start, late)
        const confirmation = yield* sound.accounts!.confirm(ada, late.id, ticket, livingFor(hour), start)
        assert.strictEqual(confirmation._tag, "Void", `after a crash at step ${step}`)
        yield* sound.delete(late, start)
      }
    }))
})
