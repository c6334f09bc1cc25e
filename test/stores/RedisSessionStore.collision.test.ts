import { assert, describe, it } from "@effect/vitest"
import type { SessionKey as Key } from "effect-session/SessionKey"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import { Redis } from "ioredis"
import { vi } from "vitest"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"

/** What the next calls of `mint` draw; random keys when there is none left. */
const draws = vi.hoisted((): Array<Key> => [])

vi.mock("../../src/SessionKey.js", async (original) => {
  const module = await original<typeof SessionKey>()
  return { ...module, mint: () => draws.shift() ?? module.mint() }
})

const lifetime = { ttl: 3_600_000, maxLifetime: undefined }

describe("RedisSessionStore and ids that are taken", () => {
  it.scopedLive("an id that is taken is drawn again, and what is there stays as it was", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
      const first = yield* store.save(new Map([["a", "1"]]), lifetime)
      draws.push(SessionKey.mintSecret(first.key.id), SessionKey.mintSecret(first.key.id))
      const second = yield* store.save(new Map([["b", "2"]]), lifetime)
      assert.notStrictEqual(second.key.id, first.key.id)
      for (const [{ key }, name] of [[first, "a"], [second, "b"]] as const) {
        const loaded = yield* store.load(key)
        assert(loaded._tag === "Live")
        assert.deepStrictEqual([...loaded.record.state.keys()], [name])
      }
    }))

  it.scopedLive("an id is taken by a key of any type", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const redis = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis(url)),
        (client) => Effect.sync(() => client.disconnect())
      )
      const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
      const taken = SessionKey.mint()
      yield* Effect.promise(() => redis.set(`session:${taken.id}`, "somebody else's"))
      draws.push(taken)
      const { key } = yield* store.save(new Map(), lifetime)
      assert.notStrictEqual(key.id, taken.id)
      assert.strictEqual(yield* Effect.promise(() => redis.get(`session:${taken.id}`)), "somebody else's")
    }))

  it.scopedLive("randomness that draws nothing but taken ids is an error, not an endless loop", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const store = SessionStore.withClock(yield* RedisSessionStore.make({ url, timeout: generous }))
      const { key } = yield* store.save(new Map(), lifetime)
      draws.push(...Array.from({ length: 100 }, () => key))
      const error = yield* Effect.flip(store.save(new Map(), lifetime))
      draws.length = 0
      assert.strictEqual(error.reason, "Unavailable")
      assert.include(error.message, "randomness")
    }))
})
