import type * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import type { SweepOptions } from "effect-session/stores/SqlSessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { settle, until } from "../../support/settle.js"
import { watched, watchStatements } from "../../support/watchedStatements.js"
import {
  beginSession,
  changeOf,
  countRows,
  freshTable,
  type Group,
  hourly,
  namesIn,
  openClient,
  openStore,
  openWorld
} from "./world.js"

const minutely = { ttl: 60_000, maxLifetime: undefined }

/** Longer than a server waits between two sweeps, whatever it draws. */
const round = "2 minutes"

const sweep: SweepOptions = { every: "1 minute", batch: 3 }

/** Lets time pass until so many rows are left. A sweep that waits for the database is not waited for by the clock. */
const isLeft = (sql: SqlClient.SqlClient, table: string, count: number) =>
  until(Effect.zipRight(TestClock.adjust(round), Effect.map(countRows(sql, table), (left) => left === count)))

export const sweeps: Group = (name, database) => {
  describe("what has expired", () => {
    it.scoped("goes in batches, no sooner than five minutes after it has", () =>
      Effect.gen(function*() {
        const { clocked, sql, table } = yield* openWorld(database, { sweep })
        const lasting = yield* beginSession(clocked)
        yield* Effect.replicateEffect(beginSession(clocked, minutely), 7)
        yield* TestClock.adjust("5 minutes")
        yield* settle
        assert.strictEqual(yield* countRows(sql, table), 8)
        const removals = yield* watchStatements(name, sql)(
          table,
          isLeft(sql, table, 1)
        )
        assert.isAtLeast(removals.filter((statement) => statement.startsWith("DELETE")).length, 3)
        assert.deepStrictEqual(yield* namesIn(clocked, lasting), ["a"])
      }).pipe(watched))

    it.scoped("may be removed by every server at once", () =>
      Effect.gen(function*() {
        const { clocked, sql, table } = yield* openWorld(database, { sweep })
        const lines: Array<string> = []
        const logger = Logger.make(({ message }) => lines.push(String(message)))
        yield* Effect.replicateEffect(
          Effect.flatMap(openClient(database), (sql) => openStore(sql, { table, sweep })),
          3
        ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
        yield* Effect.replicateEffect(beginSession(clocked, minutely), 60, { concurrency: 10 })
        const lasting = yield* beginSession(clocked)
        yield* isLeft(sql, table, 1)
        assert.deepStrictEqual(yield* namesIn(clocked, lasting), ["a"])
        assert.deepStrictEqual(lines, [])
      }))

    if (name !== "sqlite") {
      it.scoped("stays where it is extended while it is looked for", () =>
        Effect.gen(function*() {
          const { clocked, sql, table } = yield* openWorld(database, { sweep })
          const key = yield* beginSession(clocked, minutely)
          const gone = yield* beginSession(clocked, minutely)
          const isExtended = yield* Deferred.make<void>()
          const mayEnd = yield* Deferred.make<void>()
          const extending = yield* Effect.fork(sql.withTransaction(Effect.gen(function*() {
            yield* sql`UPDATE ${sql(table)} SET expires_at = ${9_999_999_999_999} WHERE id = ${key.id}`
            yield* Deferred.succeed(isExtended, undefined)
            yield* Deferred.await(mayEnd)
          })))
          yield* Deferred.await(isExtended)
          if (name === "postgres") {
            // Nobody waits for the row that another one is at.
            yield* isLeft(sql, table, 1)
          } else {
            yield* TestClock.adjust("10 minutes")
            yield* settle
          }
          yield* Deferred.succeed(mayEnd, undefined)
          yield* Fiber.join(extending)
          yield* isLeft(sql, table, 1)
          assert.deepStrictEqual(
            yield* sql`SELECT id FROM ${sql(table)}`,
            [{ id: key.id }]
          )
          assert.notStrictEqual(gone.id, key.id)
        }))
    }

    it.scoped("is tried again where it could not be removed, and warned of once", () =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => lines.push(`${logLevel.label} ${String(message)}`))
        const { clocked, sql, table } = yield* openWorld(database, { sweep }).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger))
        )
        const away = `away_${table}`
        for (const warnings of [1, 2]) {
          yield* beginSession(clocked, minutely)
          yield* sql`ALTER TABLE ${sql(table)} RENAME TO ${sql(away)}`
          for (let i = 0; i < 4; i++) {
            yield* TestClock.adjust(round)
            yield* until(Effect.sync(() => lines.length >= warnings))
            yield* settle
          }
          assert.deepStrictEqual(lines, lines.slice(0, warnings))
          assert.match(lines[warnings - 1]!, /^WARN .*will be tried again/)
          yield* sql`ALTER TABLE ${sql(away)} RENAME TO ${sql(table)}`
          yield* isLeft(sql, table, 0)
        }
      }))

    it.scoped("is left alone with `sweep: false`, and once the store's scope is closed", () =>
      Effect.gen(function*() {
        const sql = yield* openClient(database)
        const table = freshTable()
        const scope = yield* Scope.make()
        const clocked = SessionStore.withClock(yield* openStore(sql, { table, sweep: false }))
        yield* Scope.extend(openStore(sql, { table, sweep }), scope)
        yield* Scope.close(scope, Exit.void)
        yield* beginSession(clocked, minutely)
        yield* TestClock.adjust("1 hour")
        yield* settle
        assert.strictEqual(yield* countRows(sql, table), 1)
      }))

    it.scoped("and was extended in time is alive", () =>
      Effect.gen(function*() {
        const { clocked } = yield* openWorld(database, { sweep })
        const key = yield* beginSession(clocked, minutely)
        yield* TestClock.adjust("59 seconds")
        assert.strictEqual((yield* clocked.update(key, changeOf("b"), hourly))._tag, "Saved")
        yield* TestClock.adjust("30 minutes")
        yield* settle
        assert.deepStrictEqual(yield* namesIn(clocked, key), ["a", "b"])
      }))
  })
}
