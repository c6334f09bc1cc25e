/**
 * Clients that the app brings, and what becomes of those that cannot serve.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionRecord from "effect-session/SessionRecord"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import { Redis, type RedisOptions } from "ioredis"
import { redisServer } from "../support/redisServer.js"
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
        (store) => store.save(new Map([["a", "1"]]), lifetime)
      )
      const client = yield* connect(url)
      yield* Effect.promise(() => client.multi({ pipeline: false }))
      const store = yield* RedisSessionStore.fromClient(client, { timeout: generous })
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
      const store = yield* RedisSessionStore.fromClient(yield* connect(url, { stringNumbers: true }), {
        timeout: generous
      })
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
})
