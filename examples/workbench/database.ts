/**
 * Sessions in the database that `DATABASE_URL` names, in a table that is made where it is not there yet.
 */
import * as MysqlClient from "@effect/sql-mysql2/MysqlClient"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Config from "effect/Config"
import * as Layer from "effect/Layer"
import { fileURLToPath } from "node:url"

const url = Config.redacted("DATABASE_URL")

const clients = {
  sqlite: SqliteClient.layerConfig({
    filename: Config.mapAttempt(Config.url("DATABASE_URL"), (url) => fileURLToPath(url))
  }),
  postgres: PgClient.layerConfig({ url }),
  mysql: MysqlClient.layerConfig({ url })
}

export const databaseStore = (name: keyof typeof clients) =>
  SqlSessionStore.layerConfig({
    createTable: Config.succeed(true),
    timeout: Config.withDefault(Config.duration("DATABASE_TIMEOUT"), SqlSessionStore.defaults.timeout)
  }).pipe(Layer.provide(clients[name]))
