/**
 * The statements that reach a database, in its own words: what Postgres counts, what MariaDB logs as prepared. SQLite has nobody who would
 * tell, so there it is what the client says it does.
 */
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import type { DatabaseName } from "./sqlDatabases.js"

/** Runs the effect, and answers with the statements on the table that were carried out meanwhile, sorted. */
export type WatchStatements = <E, R>(table: string, work: Effect.Effect<unknown, E, R>) => Effect.Effect<
  ReadonlyArray<string>,
  E,
  R
>

const watchPostgres = (sql: SqlClient.SqlClient): WatchStatements => (table, work) =>
  Effect.gen(function*() {
    yield* Effect.orDie(sql`CREATE EXTENSION IF NOT EXISTS pg_stat_statements`)
    yield* Effect.orDie(sql`SELECT pg_stat_statements_reset()`)
    yield* work
    const rows = yield* Effect.orDie(
      sql<
        { query: string; calls: string }
      >`SELECT query, calls FROM pg_stat_statements WHERE query LIKE ${`%"${table}"%`}`
    )
    return rows.flatMap(({ calls, query }) => Array.from({ length: Number(calls) }, () => query)).sort()
  })

const watchMysql = (sql: SqlClient.SqlClient): WatchStatements => (table, work) =>
  Effect.gen(function*() {
    yield* Effect.orDie(sql`SET GLOBAL log_output = 'TABLE'`)
    yield* Effect.orDie(sql`TRUNCATE mysql.general_log`)
    yield* Effect.orDie(sql`SET GLOBAL general_log = ON`)
    yield* work
    yield* Effect.orDie(sql`SET GLOBAL general_log = OFF`)
    const rows = yield* Effect.orDie(
      sql<{ argument: string }>`SELECT CONVERT(argument USING utf8mb4) AS argument FROM mysql.general_log
        WHERE command_type = 'Execute' AND LOCATE(${`\`${table}\``}, argument) > 0 AND LOCATE('general_log', argument) = 0`
    )
    return rows.map(({ argument }) => argument).sort()
  })

const listeners = new Set<(statement: string) => void>()

// The tracer of whoever opens the store and the app, which may run what they do on fibers of their own.
const statementTracer = Tracer.make({
  context: (run) => run(),
  span: (name, parent, context, links, startTime, kind) => ({
    _tag: "Span",
    spanId: name,
    traceId: name,
    name,
    parent,
    context,
    links: [...links],
    kind,
    sampled: true,
    status: { _tag: "Started", startTime },
    attributes: new Map(),
    end: () => {},
    event: () => {},
    addLinks: () => {},
    attribute: (key, value) => {
      if (key === "db.query.text") {
        listeners.forEach((listen) => listen(String(value)))
      }
    }
  })
})

const watchSqlite: WatchStatements = (table, work) =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    const listen = (statement: string) => {
      if (statement.includes(`"${table}"`)) {
        seen.push(statement)
      }
    }
    listeners.add(listen)
    yield* Effect.ensuring(work, Effect.sync(() => listeners.delete(listen)))
    return seen.sort()
  })

/** For a test that watches statements, the whole of it. */
export const watched = <A, E, R>(test: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withTracer(test, statementTracer)

export const watchStatements = (name: DatabaseName, sql: SqlClient.SqlClient): WatchStatements =>
  ({ sqlite: () => watchSqlite, postgres: watchPostgres, mysql: watchMysql })[name](sql)
