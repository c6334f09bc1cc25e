import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { existsSync } from "node:fs"
import { mariadbServer } from "./mariadbServer.js"
import { postgresServer } from "./postgresServer.js"
import { databaseAt } from "./sqlDatabases.js"

const servers = [["postgres", postgresServer], ["mysql", mariadbServer]] as const

const isAlive = (pid: number): boolean => existsSync(`/proc/${pid}`)

describe("servers of the tests' own", () => {
  for (const [name, server] of servers) {
    const query = <A>(url: string, use: (sql: SqlClient.SqlClient) => Effect.Effect<A, unknown>) =>
      Effect.scoped(
        Effect.flatMap(
          Layer.build(databaseAt(name, url).client()),
          (context) => use(Context.get(context, SqlClient.SqlClient))
        )
      )

    it.scopedLive(`${name} answers as soon as it is there, keeps what it is told over a kill, and goes with its scope`, () =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const running = yield* Scope.extend(server({ isDurable: true }), scope)
        yield* query(
          running.url,
          (sql) => Effect.zipRight(sql`CREATE TABLE told (n integer)`, sql`INSERT INTO told VALUES (7)`)
        )
        const first = running.pid
        yield* running.kill9()
        assert.isFalse(isAlive(first))
        yield* running.restart()
        assert.notStrictEqual(running.pid, first)
        yield* running.signal("SIGSTOP")
        yield* running.signal("SIGCONT")
        assert.deepStrictEqual(yield* query(running.url, (sql) => sql`SELECT n FROM told`), [{ n: 7 }])
        yield* running.stop()
        yield* running.stop()
        yield* running.restart()
        const last = running.pid
        assert.isTrue(isAlive(last))
        yield* Scope.close(scope, Exit.void)
        assert.isFalse(isAlive(last))
      }))

    it.scopedLive(`${name} dies with the server's own words where a setting is wrong`, () =>
      Effect.gen(function*() {
        const cause = yield* Effect.flip(Effect.sandbox(server({ settings: { no_such_setting: "1" } })))
        assert.include(String(cause), "no_such_setting")
      }))
  }
})
