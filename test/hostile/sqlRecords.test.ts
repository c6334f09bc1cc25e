/**
 * A real table in which somebody else has written: texts that are almost session records, and columns that are not as they were
 * made. Anonymous or a typed error, never a crash, and never another's session.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { pause } from "../support/breathing.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { type DatabaseName, databaseNames, makeDatabase } from "../support/sqlDatabases.js"
import { generous } from "../support/timeLimits.js"
import { makeWebApp } from "../support/webApp.js"
import { builtIns } from "./builtIns.js"
import { observed, operations, resultOf } from "./operations.js"
import type { Result } from "./operations.js"
import { makeRandom } from "./random.js"
import { rowText } from "./records.js"
import { assertNoDefect, makeVictim, verbsOf } from "./storeVerbs.js"

const before = builtIns()
// Each of these records is worth a warning, and all of them together would be the whole log.
const silence = Logger.minimumLogLevel(LogLevel.None)

const world = (name: DatabaseName) =>
  Effect.gen(function*() {
    const context = yield* Layer.build((yield* makeDatabase(name)).client())
    const sql = Context.get(context, SqlClient.SqlClient)
    const store = yield* SqlSessionStore.make({ createTable: true, timeout: generous }).pipe(Effect.provide(context))
    const remove = ({ id }: SessionKey.SessionKey) => sql`DELETE FROM sessions WHERE id = ${id}`
    return {
      sql,
      store,
      clocked: SessionStore.withClock(store),
      remove,
      plant: (key: SessionKey.SessionKey, data: string) =>
        Effect.zipRight(
          remove(key),
          sql`INSERT INTO sessions (id, version, expires_at, data) VALUES (${key.id}, ${"planted"}, ${9_999_999_999_999}, ${data})`
        )
    }
  })

/** What this database takes for a text at all: the column is ASCII, and Postgres has no text with a NUL. */
const storable = (text: string): string => text.replace(/[\u0000\u0080-\uffff]/g, "?")

for (const name of databaseNames) {
  describe(`rows of ${name}, fuzzed`, () => {
    it.scopedLive("each verb answers or fails with a typed error, and nobody sees what another has", () =>
      Effect.gen(function*() {
        const { clocked, plant, remove } = yield* world(name)
        const victim = yield* makeVictim(clocked)
        const random = makeRandom()
        const records = scaled(400, 10_000)
        let live = 0
        const cases = Array.from({ length: records }, () => {
          const key = SessionKey.mint()
          return { key, text: storable(rowText(random, key, victim.key)) }
        })
        yield* Effect.forEach(cases, ({ key, text }) =>
          Effect.gen(function*() {
            for (const [verb, call] of Object.entries(verbsOf(clocked, key))) {
              yield* plant(key, text)
              const result = resultOf(yield* Effect.exit(call))
              assertNoDefect(result, `seed ${random.seed}, ${verb} of ${text.slice(0, 600)}`)
              const answer = result._tag === "Value" ? result.value as SessionStore.LoadResult | undefined : undefined
              if (answer?._tag === "Live") {
                live++
                assert.strictEqual(answer.record.id, key.id)
                assert.notInclude(JSON.stringify([...answer.record.state]), "victim of the test")
              }
            }
            yield* remove(key)
          }), { concurrency: 8, discard: true })
        yield* victim.isUntouched
        assert.isAbove(live, records / 100)
        assert.isBelow(live, records)
        report(`hostile records in ${name}`, { seed: random.seed, records, live, defects: 0 })
      }))

    it.scopedLive("a request whose record is such a text is anonymous or gets a typed error, whatever it does", () =>
      Effect.gen(function*() {
        const { clocked, plant, remove, store } = yield* world(name)
        const victim = yield* makeVictim(clocked)
        const random = makeRandom()
        const app = yield* makeWebApp({ store: Layer.succeed(SessionStore.SessionStore, store) })
        const names = Object.keys(operations)
        const requests = scaled(300, 6_000)
        for (let i = 0; i < requests; i++) {
          yield* pause(i)
          const key = SessionKey.mint()
          const text = storable(rowText(random, key, victim.key))
          yield* plant(key, text)
          const operation = names[i % names.length]!
          const about = `seed ${random.seed}, ${operation} of ${text.slice(0, 600)}`
          const results: Array<Result> = []
          const cookie = `__Host-id=${app.middleware.crypto.seal(SessionKey.toText(key))}`
          const { body, status } = yield* app.request(observed(operation, (result) => results.push(result)), cookie)
          assert.strictEqual(results.length, 1, about)
          assertNoDefect(results[0]!, about)
          assert.notInclude(JSON.stringify(results[0]), "victim of the test", about)
          // 500: the commit found the record damaged in a place that reading it had not looked at.
          assert.include([204, 500], status, about)
          assert.isUndefined(body)
          yield* remove(key)
        }
        yield* victim.isUntouched
      }).pipe(Effect.provide(silence)))
  })
}

describe("whatever stands in the table", () => {
  it.scopedLive("is malformed where SQLite, which takes anything for a column, has no text", () =>
    Effect.gen(function*() {
      const { clocked, sql } = yield* world("sqlite")
      for (
        const [version, data] of [[1, "{}"], ["1", 1.5], [new Uint8Array(3), new Uint8Array(3)], [
          1.5,
          new Uint8Array(0)
        ]]
      ) {
        const key = SessionKey.mint()
        yield* sql.unsafe("INSERT INTO sessions (id, version, expires_at, data) VALUES (?, ?, ?, ?)", [
          key.id,
          version,
          9_999_999_999_999,
          data
        ])
        for (const [verb, call] of Object.entries(verbsOf(clocked, key))) {
          assert.strictEqual(resultOf(yield* Effect.exit(call))._tag, "Typed", verb)
        }
      }
    }))

  it("leaves the built-in prototypes as they were", () => {
    assert.deepStrictEqual(builtIns(), before)
  })
})
