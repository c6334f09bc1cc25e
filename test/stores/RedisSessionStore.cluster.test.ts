import { assert, describe, it } from "@effect/vitest"
import type * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import { Cluster } from "ioredis"
import { livingFor } from "../support/lifetimes.js"
import { redisCluster } from "../support/redisCluster.js"
import { generous } from "../support/timeLimits.js"

const minute = 60_000

const changeOf = (key: string): SessionRecord.SessionChange => ({
  set: new Map([[key, "1"]]),
  unset: new Set(),
  expect: new Map()
})

describe("RedisSessionStore on a Redis Cluster", () => {
  it.scopedLive("every verb works on every node, one node a session", () =>
    Effect.gen(function*() {
      const nodes = yield* redisCluster()
      for (const enableAutoPipelining of [false, true]) {
        const client = yield* Effect.acquireRelease(
          Effect.sync(() =>
            new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })), { enableAutoPipelining })
          ),
          (client) => Effect.sync(() => client.disconnect())
        )
        const session = Effect.gen(function*() {
          const store = SessionStore.withClock(yield* SessionStore.SessionStore)
          const { key } = yield* store.save(new Map([["a", "1"]]), { ttl: minute, maxLifetime: undefined })
          yield* Effect.forEach(["b", "c", "d"], (name) => store.update(key, changeOf(name), livingFor(minute)), {
            concurrency: "unbounded"
          })
          const conflict = yield* store.update(
            key,
            { ...changeOf("a"), expect: new Map([["a", "2"]]) },
            livingFor(minute)
          )
          assert.strictEqual(conflict._tag, "Conflict")
          const renewed = yield* store.renew(key, changeOf("e"), livingFor(minute))
          assert(renewed._tag === "Saved")
          assert.strictEqual((yield* store.updateTtl(renewed.key, livingFor(minute)))._tag, "Saved")
          const loaded = yield* store.load(renewed.key)
          assert(loaded._tag === "Live")
          assert.deepStrictEqual([...loaded.record.state.keys()].sort(), ["a", "b", "c", "d", "e"])
          return renewed.key
        })
        yield* Effect.gen(function*() {
          const keys = yield* Effect.replicateEffect(session, 60, { concurrency: "unbounded" })
          const sizes = yield* Effect.forEach(nodes, ({ admin }) => Effect.promise(() => admin.dbsize()))
          assert.strictEqual(Array.reduce(sizes, 0, (sum, size) => sum + size), keys.length)
          for (const size of sizes) {
            assert.isAbove(size, 0)
          }
          const store = SessionStore.withClock(yield* SessionStore.SessionStore)
          yield* Effect.forEach(keys, (key) => store.delete(key), { concurrency: "unbounded" })
          for (const { admin } of nodes) {
            assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 0)
          }
        }).pipe(Effect.provide(RedisSessionStore.layerFromClient(client, { timeout: generous })))
        assert.strictEqual(client.status, "ready")
      }
    }))
})
