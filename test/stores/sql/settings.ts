import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { databaseAt } from "../../support/sqlDatabases.js"
import {
  beginSession,
  changeOf,
  freshTable,
  type Group,
  hourly,
  namesIn,
  openClient,
  openStore,
  openWorld
} from "./world.js"

export const settings: Group = (name, database) => {
  describe("settings of the app's client", () => {
    it.scopedLive("about names and integers are nothing to a session", () =>
      Effect.gen(function*() {
        const sql = yield* openClient(database, { hasCamelCase: true })
        const clocked = SessionStore.withClock(yield* openStore(sql, { table: freshTable() }))
        yield* Effect.gen(function*() {
          const key = yield* beginSession(clocked)
          for (const text of ["b", "c"]) {
            assert.strictEqual((yield* clocked.update(key, changeOf(text), hourly))._tag, "Saved")
          }
          assert.deepStrictEqual(yield* namesIn(clocked, key), ["a", "b", "c"])
          assert.isTrue(yield* clocked.delete(key))
        }).pipe(Effect.provideService(SqlClient.SafeIntegers, true))
      }))

    if (name === "postgres") {
      it.scopedLive("about isolation fail no write of a session: it is tried again", () =>
        Effect.gen(function*() {
          const { table } = yield* openWorld(database)
          const url = new URL((yield* database).url)
          url.searchParams.set("options", "-c default_transaction_isolation=serializable")
          const sql = yield* openClient(Effect.succeed(databaseAt(name, url.href)))
          assert.deepStrictEqual(yield* sql`SHOW transaction_isolation`, [{ transaction_isolation: "serializable" }])
          const clocked = SessionStore.withClock(yield* openStore(sql, { table }))
          const key = yield* beginSession(clocked)
          const names = Array.from({ length: 20 }, (_, i) => `n${i}`)
          const results = yield* Effect.forEach(names, (text) => {
            const own = Option.getOrThrow(clocked.readKey(SessionKey.toText(key)))
            return clocked.update(own, changeOf(text), hourly)
          }, { concurrency: "unbounded" })
          assert.deepStrictEqual(results.map(({ _tag }) => _tag), names.map(() => "Saved"))
          assert.deepStrictEqual(yield* namesIn(clocked, key), ["a", ...names].sort())
        }))
    }
  })
}
