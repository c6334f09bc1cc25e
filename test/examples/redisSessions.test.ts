import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { Redis } from "ioredis"
import { heldLimit } from "../support/handTimers.js"
import { redisServer } from "../support/redisServer.js"
import { until } from "../support/settle.js"
import { visitor } from "./cookieJar.js"
import { runExample, startExample } from "./exampleProcess.js"

const environment = (url: string) => ({
  REDIS_URL: url,
  REDIS_TIMEOUT: heldLimit,
  SESSION_KEYS: Redacted.value(Config.generateKey())
})

describe("Redis example", () => {
  it.scopedLive("shares sessions between two servers, under its own prefix, with an expiry and behind a password", () =>
    Effect.gen(function*() {
      const redis = yield* redisServer({ args: ["--requirepass", "s3cret"] })
      const url = redis.url.replace("redis://", "redis://:s3cret@")
      const env = environment(url)
      const one = yield* runExample("redisSessions.ts", env)
      const other = yield* runExample("redisSessions.ts", env)
      const browser = visitor(one.url)
      assert.strictEqual((yield* browser.send("GET /")).text, "Visit number 1\n")
      const elsewhere = visitor(other.url, new Map([["__Host-id", browser.cookie().slice("__Host-id=".length)]]))
      assert.strictEqual((yield* elsewhere.send("GET /")).text, "Visit number 2\n")
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis(url)),
        (client) => Effect.sync(() => client.disconnect())
      )
      const [key = "", ...more] = yield* Effect.promise(() => client.keys("*"))
      assert.deepStrictEqual(more, [])
      assert.match(key, /^shop:session:[\w-]{22}$/)
      assert.isAbove(yield* Effect.promise(() => client.pttl(key)), 0)
    }))

  it.scopedLive("answers 503 while Redis hangs, says so, and goes on with the same sessions afterwards", () =>
    Effect.gen(function*() {
      const redis = yield* redisServer()
      const example = yield* runExample("redisSessions.ts", environment(redis.url))
      const browser = visitor(example.url)
      yield* browser.send("GET /")
      const cookie = browser.cookie()
      assert.strictEqual((yield* browser.send("GET /health")).status, 200)

      yield* redis.signal("SIGSTOP")
      const hanging = Effect.raceFirst(
        browser.send("GET /health"),
        Effect.forever(Effect.zipRight(example.waiting, example.endWaits))
      )
      assert.strictEqual((yield* hanging).status, 503)
      const away = yield* browser.send("GET /")
      assert.strictEqual(away.status, 503)
      assert.deepStrictEqual(away.headers.getSetCookie(), [])
      yield* redis.signal("SIGCONT")

      yield* until(Effect.map(browser.send("GET /health"), ({ status }) => status === 200))
      assert.strictEqual((yield* browser.send("GET /")).text, "Visit number 2\n")
      assert.strictEqual(browser.cookie(), cookie)
      yield* example.printed(/StoreUnavailable/)
    }))

  it.scopedLive("does not start without a key", () =>
    Effect.gen(function*() {
      const example = yield* startExample("redisSessions.ts", { REDIS_URL: "redis://127.0.0.1:1" })
      assert.strictEqual(yield* example.ended, 1)
      assert.include(example.output().stdout + example.output().stderr, "SESSION_KEYS")
    }))
})
