/**
 * Keeps sessions in a table of the app's database: Postgres, SQLite, MySQL or MariaDB, by the `SqlClient` of `@effect/sql` that the app
 * has. A read is one statement; a write is one where the session is as its request has loaded it, and two otherwise.
 *
 * A session's statements are never part of a transaction of the app: none takes a logout back, and none is waited for. What this
 * means on SQLite, which has one connection, is in `docs/stores/sql.md`, with the table and its indices.
 *
 * @example
 * ```ts
 * import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
 *
 * // Needs the app's SqlClient, such as that of PgClient.layer.
 * export const SessionStoreLive = SqlSessionStore.layer()
 *
 * // One of the app's migrations, for the Migrator of its SQL package: it makes the table.
 * export const migrations = { "0001_sessions": SqlSessionStore.migration() }
 * ```
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as EffectConfig from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { makeAccounts, type SqlAccounts } from "../internal/sql/sqlAccounts.js"
import { makeCalls } from "../internal/sql/sqlCalls.js"
import { ensureTable, findTable } from "../internal/sql/sqlCreation.js"
import { dialectOf, type SqlDialect } from "../internal/sql/sqlDialect.js"
import { sentenceOf, type SqlFailure, type SqlFault } from "../internal/sql/sqlFailure.js"
import { maxTextLength } from "../internal/sql/sqlLimits.js"
import { decodeSettings, decodeTable, sqlDefaults, type SqlSettings } from "../internal/sql/sqlOptions.js"
import { makeRows, type SqlRows } from "../internal/sql/sqlRows.js"
import { makeStatements } from "../internal/sql/sqlStatements.js"
import { sweepForever } from "../internal/sql/sqlSweep.js"
import { makeTable, type SqlTable } from "../internal/sql/sqlTable.js"
import * as SessionStore from "../SessionStore.js"
import * as CompareAndSwapSessionStore from "./CompareAndSwapSessionStore.js"

/**
 * What the store can be told. Everything left out is taken from `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * What the table is called, with its schema if need be: `"sessions"`, `"app.sessions"`. Letters, digits and `_`, each part at
   * most 48 characters. Apps that share a database need tables of their own.
   */
  readonly table?: string | undefined
  /**
   * Whether the table is made where it is not there when the store is built. Any number of servers may do so at once. Left out, a
   * missing table fails the Layer: `migration` makes it.
   */
  readonly createTable?: boolean | undefined
  /** How rows go that have expired; `false`: something else removes them. */
  readonly sweep?: SweepOptions | false | undefined
  /**
   * How long a call of the store may take, its statements together: more than zero and at most 24 days. A bare number is
   * milliseconds.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * How often at most whoever waits for the end of a session (`Session.ended`) has its row read: a `SELECT` each time, for each one who
   * waits. So long may it take until the end is known. More than zero and at most 24 days; a bare number is milliseconds.
   */
  readonly pollEvery?: Duration.DurationInput | undefined
}

/**
 * How rows go that have expired. Every server may remove them: those that another one is at are left to it.
 *
 * @since 0.1.0
 * @category models
 */
export interface SweepOptions {
  /** How long a server waits between two sweeps, half of it more or less by chance. At most 16 days. */
  readonly every?: Duration.DurationInput | undefined
  /** How many rows one statement removes, from 1 to 10 000. A sweep goes on until there are no more. */
  readonly batch?: number | undefined
}

/**
 * The table `sessions`, which is there already; a sweep about every ten minutes, 500 rows a statement; five seconds a call,
 * and between two looks for the end of a session.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults = sqlDefaults

/**
 * Makes a store of the app's `SqlClient`. Expired rows are removed until the scope is closed.
 *
 * Fails with a `SessionStoreConfigError` where an option cannot be used, the client speaks to another database than Postgres,
 * SQLite, MySQL or MariaDB, or the table is not there or not this store's. Where the database does not answer within the time limit, a
 * warning is logged, and the store is built nevertheless.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options?: Options | undefined
): Effect.Effect<
  SessionStore.SessionStore,
  SessionStore.SessionStoreConfigError,
  SqlClient.SqlClient | Scope.Scope
> =>
  Effect.gen(function*() {
    const settings = yield* decodeSettings(options)
    const sql = yield* SqlClient.SqlClient
    const dialect = yield* decodeDialect(sql)
    const table = makeTable(dialect, settings.table)
    const calls = makeCalls(sql, dialect)
    const statements = makeStatements(table, settings.sweep?.batch ?? sqlDefaults.sweep.batch)
    const look = settings.createTable
      ? ensureTable(calls, statements.probe, table)
      : findTable(calls, statements.probe)
    const maxText = yield* firstAnswer(Effect.zipRight(look, maxTextLength(calls, dialect)), settings, table)
    const rows = makeRows(calls, statements, maxText)
    if (settings.sweep !== undefined) {
      yield* Effect.forkScoped(sweepForever(rows.sweep, settings.sweep))
    }
    const accounts = makeAccounts(calls, rows, statements)
    const { pollEvery, timeout } = settings
    return CompareAndSwapSessionStore.make(backendOf(rows, accounts, table), { pollEvery, timeout })
  })

/**
 * The store as a Layer. See `make`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options?: Options | undefined
): Layer.Layer<SessionStore.SessionStore, SessionStore.SessionStoreConfigError, SqlClient.SqlClient> =>
  Layer.scoped(SessionStore.SessionStore, make(options))

/**
 * The store as a Layer, with options from Effect's `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: EffectConfig.Config.Wrap<Options>
): Layer.Layer<
  SessionStore.SessionStore,
  SessionStore.SessionStoreConfigError | ConfigError.ConfigError,
  SqlClient.SqlClient
> => Layer.scoped(SessionStore.SessionStore, Effect.flatMap(EffectConfig.unwrap(options), make))

/**
 * Makes the table where it is not there, for the app's own migrations: `Migrator.fromRecord({ "0001_sessions": migration() })`. It
 * runs in the transaction in which the SQL package's Migrator runs it.
 *
 * @since 0.1.0
 * @category migrations
 */
export const migration = (
  options?: Pick<Options, "table"> | undefined
): Effect.Effect<void, SqlError | SessionStore.SessionStoreConfigError, SqlClient.SqlClient> =>
  Effect.gen(function*() {
    const title = yield* decodeTable(options)
    const sql = yield* SqlClient.SqlClient
    const { creation } = makeTable(yield* decodeDialect(sql), title)
    yield* Effect.forEach(creation, (statement) => sql.unsafe(statement).withoutTransform, { discard: true })
  })

const configError = (option: string, message: string) => new SessionStore.SessionStoreConfigError({ option, message })

const decodeDialect = (
  sql: SqlClient.SqlClient
): Either.Either<SqlDialect, SessionStore.SessionStoreConfigError> =>
  Either.fromNullable(
    dialectOf(sql),
    () =>
      configError(
        "SqlClient",
        "The SqlClient speaks to a database that this store does not: use one for Postgres, SQLite, MySQL or MariaDB, or make a "
          + "store with CompareAndSwapSessionStore"
      )
  )

// A database that does not answer may do so later, and set its own limits; one that says no is set up wrongly.
const firstAnswer = (
  look: Effect.Effect<number, SqlFailure>,
  { timeout }: SqlSettings,
  { title }: SqlTable
): Effect.Effect<number, SessionStore.SessionStoreConfigError> =>
  look.pipe(
    Effect.timeoutFail({ duration: timeout, onTimeout: () => silence(timeout) }),
    Effect.catchAll((failure) =>
      hopeless.includes(failure.fault)
        ? Effect.fail(configError("table", sentenceOf("use the table of sessions", failure, title)))
        : Effect.as(
          Effect.logWarning(sentenceOf("be asked for the table of sessions", failure, title)),
          Number.POSITIVE_INFINITY
        )
    )
  )

const hopeless: ReadonlyArray<SqlFault> = ["MissingTable", "ForeignTable", "Refused"]

const silence = (timeout: Duration.Duration): SqlFailure => ({
  fault: "Unavailable",
  description: `it did not answer within ${Duration.format(timeout)}`
})

const backendOf = (
  rows: SqlRows,
  accounts: SqlAccounts,
  { title }: SqlTable
): CompareAndSwapSessionStore.Backend<string> => {
  const answered = <A>(what: string, call: Effect.Effect<A, SqlFailure>) =>
    Effect.mapError(call, (failure) =>
      new CompareAndSwapSessionStore.BackendError({
        reason: failure.fault === "TooLarge" ? "TooLarge" : "Unavailable",
        message: sentenceOf(what, failure, title)
      }))
  return {
    get: (id) => answered("read a session", rows.get(id)),
    insert: (id, text, expiresAt, account) => answered("keep a new session", rows.insert(id, text, expiresAt, account)),
    replace: (id, version, text, expiresAt, account) =>
      answered("change a session", rows.replace(id, version, text, expiresAt, account)),
    remove: (id, version) => answered("end a session", rows.remove(id, version)),
    accounts: {
      rowsOf: (account, after, limit) =>
        answered("find the sessions of an account", accounts.rowsOf(account, after, limit)),
      stateOf: (account) => answered("look at an account", accounts.stateOf(account)),
      moveEpoch: (account, from, to, keepUntil) =>
        answered("end the sessions of an account", accounts.moveEpoch(account, from, to, keepUntil))
    }
  }
}
