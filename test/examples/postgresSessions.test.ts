import * as Reactivity from "@effect/experimental/Reactivity"
import * as PgClient from "@effect/sql-pg/PgClient"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { heldLimit } from "../support/handTimers.js"
import { postgresServer } from "../support/postgresServer.js"
import { until } from "../support/settle.js"
import { visitor } from "./cookieJar.js"
import { runExample, startExample } from "./exampleProcess.js"

const environment = (url: string) => ({
  DATABASE_URL: url,
  SESSION_TIMEOUT: heldLimit,
  SESSION_KEYS: Redacted.value(Config.generateKey())
})

describe("Postgres example", () => {
  it.scopedLive("shares sessions between two servers that make the tables together, and tells no key to the table", () =>
    Effect.gen(function*() {
      const { url } = yield* postgresServer()
      const env = environment(url)
      const start = runExample("postgresSessions.ts", env)
      const [one, other] = yield* Effect.all([start, start], { concurrency: 2 })
      const browser = visitor(one.url)
      assert.strictEqual((yield* browser.send("POST /orders")).status, 401)
      assert.strictEqual((yield* browser.send("GET /")).text, "Visit 1 of nobody\n")
      yield* browser.send("POST /sign-in")
      const cookie = browser.cookie().slice("__Host-id=".length)
      const elsewhere = visitor(other.url, new Map([["__Host-id", cookie]]))
      assert.strictEqual((yield* elsewhere.send("GET /")).text, "Visit 2 of ada\n")
      assert.strictEqual((yield* elsewhere.send("POST /orders")).text, "1 ordered\n")
      assert.strictEqual((yield* browser.send("POST /orders")).text, "2 ordered\n")

      const sql = yield* PgClient.make({ url: Redacted.make(url) }).pipe(Effect.provide(Reactivity.layer))
      const rows = yield* sql<{ readonly text: string }>`SELECT row_to_json(s)::text AS text FROM web_sessions s`
      assert.lengthOf(rows, 1)
      assert.include(rows[0]!.text, "ada")
      // Behind the seal of 33 bytes: the public id, and the secret.
      const [id = "", secret = ""] = Buffer.from(cookie, "base64url").subarray(33).toString().split(".")
      assert.include(rows[0]!.text, id)
      assert.lengthOf(secret, 43)
      assert.notInclude(rows[0]!.text, secret)
    }))

  it.scopedLive("answers 503 while Postgres hangs, and goes on with the same sessions when it is killed and comes back", () =>
    Effect.gen(function*() {
      const postgres = yield* postgresServer({ isDurable: true })
      const example = yield* runExample("postgresSessions.ts", environment(postgres.url))
      const browser = visitor(example.url)
      yield* browser.send("GET /")
      const cookie = browser.cookie()

      yield* postgres.signal("SIGSTOP")
      const hanging = Effect.raceFirst(
        browser.send("GET /"),
        Effect.forever(Effect.zipRight(example.waiting, example.endWaits))
      )
      const away = yield* hanging
      assert.deepStrictEqual([away.status, away.text, away.headers.getSetCookie()], [503, "", []])
      yield* postgres.kill9()
      yield* postgres.restart()

      yield* until(Effect.map(browser.send("GET /"), ({ status }) => status === 200))
      assert.match((yield* browser.send("GET /")).text, /^Visit [34] of nobody/)
      assert.strictEqual(browser.cookie(), cookie)
    }))

  it.scopedLive("does not start without a database to speak of", () =>
    Effect.gen(function*() {
      const example = yield* startExample("postgresSessions.ts", {
        SESSION_KEYS: Redacted.value(Config.generateKey())
      })
      assert.strictEqual(yield* example.ended, 1)
      assert.include(example.output().stdout + example.output().stderr, "DATABASE_URL")
    }))
})
