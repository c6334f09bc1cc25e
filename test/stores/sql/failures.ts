import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import { inspect } from "node:util"
import { freshTable, type Group, hourly, openClient, openStore, openWorld } from "./world.js"

const secret = "planted-secret"

export const failures: Group = (name, database) => {
  describe("failures", () => {
    // Postgres tells the whole row that it refuses, or the value, and MySQL the value.
    const columns = [
      `text NOT NULL CHECK (data NOT LIKE '%${secret}%')`,
      "varchar(10) NOT NULL CHECK (length(data) < 10)",
      ...name === "sqlite" ? [] : ["integer NOT NULL"]
    ]
    for (const data of columns) {
      it.scopedLive(`quote nothing of a session: ${data}`, () =>
        Effect.gen(function*() {
          const sql = yield* openClient(database)
          const table = freshTable()
          yield* sql.unsafe(
            `CREATE TABLE ${table} (id varchar(64) PRIMARY KEY, version varchar(16), account varchar(64), expires_at bigint, data ${data})`
          )
          const { save } = SessionStore.withClock(yield* openStore(sql, { table }))
          const error = yield* Effect.flip(save(new Map([["a", JSON.stringify(secret)]]), hourly))
          assert.strictEqual(error.reason, "Unavailable")
          assert.include(error.message, "The database could not keep a new session: ")
          for (const shown of [JSON.stringify(error), String(error), inspect(error, { depth: 10, showHidden: true })]) {
            assert.notInclude(shown, secret)
            assert.notInclude(shown, "digest")
          }
        }))
    }

    if (name === "mysql") {
      it.scopedLive("say TooLarge of what is more than a packet of MySQL", () =>
        Effect.gen(function*() {
          const { sql, table } = yield* openWorld(database)
          yield* Effect.acquireRelease(
            sql`SET GLOBAL max_allowed_packet = 1048576`,
            () => Effect.orDie(sql`SET GLOBAL max_allowed_packet = 16777216`)
          )
          const { load, save, update } = SessionStore.withClock(
            yield* openStore(yield* openClient(database), { table })
          )
          const state = new Map([["a", JSON.stringify("x".repeat(2_000_000))]])
          const error = yield* Effect.flip(save(state, hourly))
          assert.strictEqual(error.reason, "TooLarge")
          const { key } = yield* save(new Map(), hourly)
          const change = { set: state, unset: new Set<string>(), expect: new Map<string, string>() }
          assert.strictEqual((yield* Effect.flip(update(key, change, hourly))).reason, "TooLarge")
          assert.strictEqual((yield* load(key))._tag, "Live")
        }))
    }
  })
}
