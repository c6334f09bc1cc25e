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
import { join } from "node:path"
import { mariadbServer } from "./mariadbServer.js"
import { postgresServer } from "./postgresServer.js"
import { serverFolder } from "./serverProcess.js"

export interface SqlDatabase {
  /** As `DATABASE_URL` has it. */
  readonly url: string
  /** A client like that of an app: another one each time that it is built. */
  readonly client: Layer.Layer<SqlClient.SqlClient>
}

export const sqliteAt = (filename: string): SqlDatabase => ({
  url: `file:${filename}`,
  client: Layer.orDie(SqliteClient.layer({ filename }))
})

export const postgresAt = (url: string): SqlDatabase => ({
  url,
  client: Layer.orDie(PgClient.layer({ url: Redacted.make(url) }))
})

export const mysqlAt = (url: string): SqlDatabase => ({
  url,
  client: Layer.orDie(MysqlClient.layer({ url: Redacted.make(url) }))
})

export type MakeDatabase = Effect.Effect<SqlDatabase, never, Scope.Scope>

export const sqlite: MakeDatabase = Effect.map(serverFolder("sqlite"), (folder) => sqliteAt(join(folder, "app.db")))

export const postgres: MakeDatabase = Effect.map(postgresServer(), ({ url }) => postgresAt(url))

export const mariadb: MakeDatabase = Effect.map(mariadbServer(), ({ url }) => mysqlAt(url))

/** By the names that `SESSION_STORE` of the workbench gives them. */
export const databases: { readonly [name in "sqlite" | "postgres" | "mysql"]: MakeDatabase } = {
  sqlite,
  postgres,
  mysql: mariadb
}
