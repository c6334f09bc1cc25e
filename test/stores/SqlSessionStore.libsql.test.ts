/**
 * The other client of SQLite, whose answers come from another driver, and which keeps its transactions elsewhere.
 */
import * as LibsqlClient from "@effect/sql-libsql/LibsqlClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as StoreContract from "effect-session/testing/StoreContract"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { join } from "node:path"
import { serverFolder } from "../support/serverProcess.js"
import { settle } from "../support/settle.js"
import { generous } from "../support/timeLimits.js"
import { beginSession, changeOf, hourly, namesIn } from "./sql/world.js"

const client = Layer.unwrapScoped(
  Effect.map(
    serverFolder("libsql"),
    (folder) => Layer.orDie(LibsqlClient.layer({ url: `file:${join(folder, "app.db")}` }))
  )
)

describe("SqlSessionStore by libsql", () => {
  const store = Layer.provide(SqlSessionStore.layer({ createTable: true, timeout: generous }), client)

  // What the client is asked for by these; that the rules are kept, the other one shows.
  const groups = ["creation", "changes", "ownership", "contention"]
  for (const { check, group, title } of StoreContract.cases({ canInvalidate: true })) {
    if (groups.includes(group)) {
      it.live(`${group}: ${title}`, () => check(store))
    }
  }

  it.scoped("is no part of the app's transactions, and waits in them for no longer than its time limit", () =>
    Effect.gen(function*() {
      const sql = Context.get(yield* Layer.build(client), SqlClient.SqlClient)
      const clocked = SessionStore.withClock(
        yield* SqlSessionStore.make({ createTable: true, timeout: "1 second" }).pipe(
          Effect.provideService(SqlClient.SqlClient, sql)
        )
      )
      const key = yield* beginSession(clocked)
      const error = yield* sql.withTransaction(Effect.gen(function*() {
        yield* sql`UPDATE sessions SET expires_at = 0`
        const writing = yield* Effect.fork(Effect.flip(clocked.update(key, changeOf("b"), hourly)))
        yield* settle
        yield* TestClock.adjust("1 second")
        return yield* Fiber.join(writing)
      }))
      assert.strictEqual(error.reason, "Unavailable")
      assert.deepStrictEqual(yield* namesIn(clocked, key), ["a"])
    }))
})
