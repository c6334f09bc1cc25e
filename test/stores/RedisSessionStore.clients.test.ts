/**
 * Clients that the app brings, and what becomes of those that cannot serve.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import { Cluster, Redis, type RedisOptions } from "ioredis"
import { redisServer } from "../support/redisServer.js"
import { until } from "../support/settle.js"
import { generous } from "../support/timeLimits.js"

const lifetime = { ttl: 3_600_000, maxLifetime: undefined }

const connect = (url: string, options: RedisOptions = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url, options)),
    (client) => Effect.sync(() => client.disconnect())
  )

describe("RedisSessionStore on a client of the app's", () => {
  it.scopedLive("a client in a MULTI answers nothing: no call is taken for done, and nothing is left behind", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const sound = yield* connect(url)
      const { key } = yield* Effect.flatMap(
        RedisSessionStore.fromClient(sound, { timeout: generous }),
        (store) => SessionStore.withClock(store).save(new Map([["a", "1"]]), lifetime)
      )
      const client = yield* connect(url)
      yield* Effect.promise(() => client.multi({ pipeline: false }))
      const store = SessionStore.withClock(yield* RedisSessionStore.fromClient(client, { timeout: generous }))
      const errors = [
        yield* Effect.flip(store.load(key)),
        yield* Effect.flip(store.save(new Map(), lifetime)),
        yield* Effect.flip(store.update(key, SessionRecord.noChange, lifetime)),
        yield* Effect.flip(store.updateTtl(key, lifetime)),
        yield* Effect.flip(store.renew(key, SessionRecord.noChange, lifetime)),
        yield* Effect.flip(store.delete(key))
      ]
      assert.deepStrictEqual(errors.map(({ reason }) => reason), errors.map(() => "Unavailable"))
      yield* Effect.promise(() => client.discard())
      assert.deepStrictEqual(yield* Effect.promise(() => sound.keys("*")), [`session:${key.id}`])
    }))

  it.scopedLive("a client that hands numbers out as texts serves", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const client = yield* connect(url, { stringNumbers: true })
      const store = SessionStore.withClock(yield* RedisSessionStore.fromClient(client, { timeout: generous }))
      const { key } = yield* store.save(new Map([["a", "1"]]), lifetime)
      assert.strictEqual((yield* store.update(key, SessionRecord.noChange, lifetime))._tag, "Saved")
      assert.isTrue(yield* store.delete(key))
    }))

  for (
    const [what, client] of [
      ["none at all", undefined],
      ["null", null],
      ["a URL", "redis://localhost"],
      ["one with the names of another package", { hGetAll: () => {}, evalSha: () => {}, eval: () => {} }],
      ["one whose commands are no functions", { hgetall: true, evalsha: true, eval: true }]
    ] as const
  ) {
    it.effect(`${what} is refused when the store is made, with the mend`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(RedisSessionStore.fromClient(client as never))
        assert.strictEqual(error.option, "client")
        assert.match(error.message, /hgetall, evalsha, eval.*pass a Redis or a Cluster of ioredis/)
      }))
  }

  it.scopedLive("one that nothing connects, or that was closed for good, is refused when the store is made", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const lazy = yield* connect(url, { lazyConnect: true, enableOfflineQueue: false })
      const error = yield* Effect.flip(RedisSessionStore.fromClient(lazy))
      assert.strictEqual(error.option, "client")
      assert.match(error.message, /not connected.*call client\.connect\(\) before the layer is built/)
      yield* Effect.promise(() => lazy.connect())
      yield* SessionStore.withClock(yield* RedisSessionStore.fromClient(lazy)).save(new Map(), lifetime)
      lazy.disconnect()
      yield* until(Effect.sync(() => lazy.status === "end"))
      assert.match((yield* Effect.flip(RedisSessionStore.fromClient(lazy))).message, /closed for good/)
    }))

  it.scopedLive("one that waits for its first command is connected by it", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const client = yield* connect(url, { lazyConnect: true })
      const store = SessionStore.withClock(yield* RedisSessionStore.fromClient(client, { timeout: generous }))
      assert.isDefined((yield* store.save(new Map(), lifetime)).key)
    }))

  it.scopedLive("a cluster that nothing connects is refused as well", () =>
    Effect.gen(function*() {
      const cluster = new Cluster([{ host: "127.0.0.1", port: 1 }], { lazyConnect: true, enableOfflineQueue: false })
      assert.match((yield* Effect.flip(RedisSessionStore.fromClient(cluster))).message, /call client\.connect\(\)/)
    }))
})

describe("a Redis that refuses what sessions need", () => {
  const rights =
    "+hgetall +evalsha +eval +exists +hmget +hget +hexists +hkeys +hlen +hstrlen +hset +hdel +hscan +pexpire +pttl +del +info +select +quit"
  const needed = rights.split(" ").filter((right) => !["+info", "+select", "+quit"].includes(right))

  const withUser = (...rules: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const { port, url } = yield* redisServer()
      const admin = yield* connect(url)
      const allow = (...rules: ReadonlyArray<string>) =>
        Effect.promise(() => admin.acl("SETUSER", "sessions", "on", ">planted", ...rules))
      yield* allow(...rules)
      return { admin, allow, url: `redis://sessions:planted@127.0.0.1:${port}` }
    })

  const refusal = (url: string) => Effect.flip(RedisSessionStore.make({ url, timeout: generous }))

  it.scopedLive("the layer is not built where one right is missing, and says which and the mend; nothing is written", () =>
    Effect.gen(function*() {
      const { admin, allow, url } = yield* withUser("~session:*", ...rights.split(" "))
      for (const right of needed) {
        yield* allow(right.replace("+", "-"))
        const error = yield* refusal(url)
        assert(error._tag === "SessionStoreConfigError")
        assert.strictEqual(error.option, "url")
        assert.match(error.message, new RegExp(`Redis refuses what sessions need: .*\\b${right.slice(1)}\\b`, "i"))
        assert.include(error.message, needed.join(" "))
        assert.notInclude(error.message, "planted")
        yield* allow(right)
      }
      yield* RedisSessionStore.make({ url, timeout: generous })
      assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 0)
    }))

  it.scopedLive("so it is where the keys are those of another prefix, and with a client of the app's", () =>
    Effect.gen(function*() {
      const { url } = yield* withUser("~shop:*", ...rights.split(" "))
      assert.match((yield* refusal(url)).message, /on the keys of the prefix/)
      const client = yield* connect(url)
      const error = yield* Effect.flip(RedisSessionStore.fromClient(client, { timeout: generous }))
      assert.strictEqual(error.option, "client")
      yield* RedisSessionStore.fromClient(client, { prefix: "shop:", timeout: generous })
    }))

  it.scopedLive("so it is where the server does not know a command", () =>
    Effect.gen(function*() {
      for (const command of ["EVALSHA", "EVAL", "HGETALL", "PEXPIRE"]) {
        const { url } = yield* redisServer({ args: ["--rename-command", command, ""] })
        assert.match((yield* refusal(url)).message, new RegExp(command, "i"))
      }
    }))

  it.scopedLive("a right that is lost later makes calls Unavailable, with the mend in the message", () =>
    Effect.gen(function*() {
      const { allow, url } = yield* withUser("~session:*", ...rights.split(" "))
      const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
      yield* allow("-evalsha")
      const error = yield* Effect.flip(store.save(new Map(), lifetime))
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, needed.join(" "))
    }))

  it.scopedLive("a Redis that is full, or a replica, refuses nothing for good: the layer is built", () =>
    Effect.gen(function*() {
      const { port, url } = yield* redisServer()
      const admin = yield* connect(url)
      yield* Effect.promise(() => admin.config("SET", "maxmemory", "1"))
      yield* RedisSessionStore.make({ url, timeout: generous })
      yield* Effect.promise(() => admin.config("SET", "maxmemory", "0"))
      yield* Effect.promise(() => admin.call("REPLICAOF", "127.0.0.1", String(port)))
      yield* RedisSessionStore.make({ url, timeout: generous })
    }))
})
