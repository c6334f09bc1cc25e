/**
 * Redis servers in a state of their own: full, read-only, without their scripts, with another password.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import { report } from "../support/figures.js"
import { redisServer } from "../support/redisServer.js"
import { scaled } from "../support/soak.js"
import type { Browser } from "../support/webApp.js"
import { Counter, handle } from "../support/webApp.js"
import {
  count,
  increment,
  isUnavailable,
  limits,
  nothingUnhandled,
  purge,
  recovery,
  renew,
  storm,
  whoAmI
} from "./faultyApp.js"
import { assertNothingSentTwice, makeFaultyRedis } from "./faultyRedis.js"

const Bulk = Session.entry("bulk", Schema.String)

describe("Redis as the app finds it", () => {
  nothingUnhandled()

  it.scopedLive("evicts sessions: their users are nobody, the others are who they are, and no cookie is touched", () =>
    Effect.gen(function*() {
      const faulty = yield* makeFaultyRedis({ args: ["--maxmemory-policy", "allkeys-lru"] })
      const { admin, request } = faulty
      const memory = yield* Effect.promise(() => admin.info("memory"))
      const used = Number(/used_memory:(\d+)/.exec(memory)![1])
      yield* Effect.promise(() => admin.config("SET", "maxmemory", String(used + 2_000_000)))
      const users: Array<{ readonly name: string; readonly browser: Browser }> = []
      for (let index = 0; index < 80; index++) {
        const name = `user ${index}`
        const browser = yield* faulty.signedIn(name)
        yield* browser.visit(handle((session) => session.insert(Bulk, "x".repeat(100_000))))
        users.push({ name, browser })
      }
      let evicted = 0
      for (const { browser, name } of users) {
        const answer = yield* request(whoAmI, browser.cookie())
        assert.strictEqual(answer.status, 200)
        assert.deepStrictEqual(answer.setCookies, [])
        if (answer.body === null) {
          evicted++
          // It never comes back, and a write begins a session that holds what was written and nothing else.
          const fresh = yield* browser.visit(handle((session) => session.insert(Counter, 1)))
          assert.strictEqual(fresh.setCookies.length, 1)
          const entries = handle((session) => Effect.map(session.entries, Object.fromEntries))
          const after = yield* request(entries, browser.cookie())
          assert.isTrue(after.status === 200 && Object.keys(after.body as object).every((key) => key === "counter"))
        } else {
          assert.strictEqual(answer.body, name)
        }
      }
      assert.isAbove(evicted, 0)
      assert.isBelow(evicted, users.length)
      report("Redis evicts sessions", { "sessions": users.length, evicted, "mistaken": 0 })
    }))

  it.scopedLive("is a read-only replica: reads are answered, no write is, until it is promoted", () =>
    Effect.gen(function*() {
      const keys = Config.generateKey()
      const primary = yield* makeFaultyRedis({ keys, args: ["--repl-diskless-sync-delay", "0"] })
      const replica = yield* redisServer({ args: ["--replicaof", "127.0.0.1", String(primary.redis.port)] })
      const faulty = yield* makeFaultyRedis({ keys, redis: replica })
      const { admin, request } = faulty
      const alice = yield* primary.signedIn("alice")
      const sessions = yield* Effect.forEach([renew, purge], () => primary.signedIn("bob"))
      const replicated = Effect.flatMap(
        Effect.promise(() => Promise.all([admin.info("replication"), admin.dbsize()])),
        ([info, size]) => info.includes("master_link_status:up") && size === 3 ? Effect.void : Effect.fail("not yet")
      )
      yield* Effect.retry(replicated, Schedule.spaced("20 millis"))

      const cookie = alice.cookie()
      assert.strictEqual((yield* request(whoAmI, cookie)).body, "alice")
      faulty.forget()
      for (
        const [handler, sent] of [
          [increment, cookie],
          [renew, sessions[0]!.cookie()],
          [purge, sessions[1]!.cookie()],
          [increment, undefined]
        ] as const
      ) {
        assert.isTrue(isUnavailable(yield* request(handler, sent)))
        // The refusal costs the connection, which may now lead to the primary.
        yield* recovery(faulty, alice)
      }
      assertNothingSentTwice(faulty, true)
      for (const browser of sessions) {
        assert.strictEqual((yield* primary.request(whoAmI, browser.cookie())).body, "bob")
      }

      yield* Effect.promise(() => admin.call("REPLICAOF", "NO", "ONE") as Promise<unknown>)
      assert.strictEqual((yield* request(increment, cookie)).status, 200)
      assert.strictEqual((yield* request(purge, sessions[1]!.cookie())).status, 200)
      assert.strictEqual((yield* request(whoAmI, sessions[1]!.cookie())).body, null)
    }))

  it.scopedLive("forgets its scripts all the time: each write is carried out, once", () =>
    Effect.gen(function*() {
      const faulty = yield* makeFaultyRedis()
      const alice = yield* faulty.signedIn("alice")
      const flush = Effect.promise(() => faulty.admin.script("FLUSH") as Promise<unknown>)
      const times = scaled(50, 2_000)
      faulty.forget()
      for (let index = 0; index < times; index++) {
        yield* flush
        assert.strictEqual((yield* faulty.request(increment, alice.cookie())).status, 200)
      }
      const sent = (name: string) => faulty.proxy.commands.filter(([command]) => command === name).length
      assert.deepStrictEqual([sent("evalsha"), sent("eval")], [times, times])
      const answer = yield* faulty.request(count, alice.cookie())
      assert.strictEqual((answer.body as { readonly value: number }).value, times)
    }))

  it.scopedLive("wants another password: nobody is let in, and nobody out", () =>
    Effect.gen(function*() {
      const redis = yield* redisServer({ args: ["--requirepass", "right"] })
      const keys = Config.generateKey()
      const right = yield* makeFaultyRedis({ redis, keys, password: "right" })
      const alice = yield* right.signedIn("alice")
      const wrong = yield* makeFaultyRedis({ redis, keys, password: "wrong", limitMillis: limits.short })
      const unavailable = { reads: "Unavailable", writes: "Unavailable", purges: "Unavailable" } as const
      const total = { requests: 0, unavailable: 0, counted: 0, tried: 0 }
      for (let round = 0; round < 3; round++) {
        yield* storm(wrong, alice, unavailable, total, { renews: [], purges: [] })
        yield* Effect.sleep("100 millis")
      }
      assert.deepStrictEqual(wrong.proxy.commands.filter(([command]) => /^(eval|evalsha|hgetall)$/.test(command!)), [])
      assert.strictEqual((yield* right.request(whoAmI, alice.cookie())).body, "alice")
      yield* wrong.close
    }))

  it.scopedLive("was never there: the app starts, says 503, and ends", () =>
    Effect.gen(function*() {
      const redis = yield* redisServer()
      yield* redis.stop()
      const faulty = yield* makeFaultyRedis({ redis, limitMillis: limits.short })
      const outcome = yield* Effect.exit(faulty.request(increment))
      assert(Exit.isSuccess(outcome))
      assert.isTrue(isUnavailable(outcome.value))
      yield* faulty.close
    }))
})
