/**
 * The databases that sessions can be kept in by SQL, each a real one of the test's own.
 */
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import type * as SqlClient from "@effect/sql/SqlClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as String from "effect/String"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { mariadbServer } from "./mariadbServer.js"
import { postgresServer } from "./postgresServer.js"
import { serverFolder } from "./serverProcess.js"

export interface ClientSettings {
  /** How many connections the pool may have. SQLite has one. */
  readonly maxConnections?: number | undefined
  /** Whether the app writes names in camelCase that the database has in snake_case. */
  readonly hasCamelCase?: boolean | undefined
}

export interface SqlDatabase {
  readonly name: DatabaseName
  /** As `DATABASE_URL` has it. */
  readonly url: string
  /** A client like that of an app: another one each time that it is built. */
  readonly client: (settings?: ClientSettings) => Layer.Layer<SqlClient.SqlClient>
}

/** As `SESSION_STORE` of the workbench has it. */
export type DatabaseName = "sqlite" | "postgres" | "mysql"

const namesOf = ({ hasCamelCase = false }: ClientSettings) =>
  hasCamelCase ? { transformQueryNames: String.camelToSnake, transformResultNames: String.snakeToCamel } : {}

const clients: { readonly [name in DatabaseName]: (url: string) => SqlDatabase["client"] } = {
  sqlite: (url) => (settings = {}) =>
    Layer.orDie(SqliteClient.layer({ filename: fileURLToPath(url), ...namesOf(settings) })),
  postgres: (url) => (settings = {}) =>
    Layer.orDie(
      PgClient.layer({ url: Redacted.make(url), maxConnections: settings.maxConnections, ...namesOf(settings) })
    ),
  mysql: (url) => (settings = {}) =>
    Layer.orDie(
      MysqlClient.layer({ url: Redacted.make(url), maxConnections: settings.maxConnections, ...namesOf(settings) })
    )
}

export const databaseAt = (name: DatabaseName, url: string): SqlDatabase => ({ name, url, client: clients[name](url) })

const files = Effect.map(serverFolder("sqlite"), (folder) => ({ url: `file:${join(folder, "app.db")}` }))

// Counts statements: see watchedStatements.ts.
const countingPostgres = postgresServer({ settings: { shared_preload_libraries: "pg_stat_statements" } })

/** A new database, which goes away with the scope. */
export const makeDatabase = (name: DatabaseName): Effect.Effect<SqlDatabase, never, Scope.Scope> =>
  Effect.map(
    { sqlite: files, postgres: countingPostgres, mysql: mariadbServer() }[name],
    ({ url }) => databaseAt(name, url)
  )

export const databaseNames: ReadonlyArray<DatabaseName> = ["sqlite", "postgres", "mysql"]
