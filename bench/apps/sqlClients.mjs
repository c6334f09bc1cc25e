/**
 * The databases as an app of Effect has them, each with the defaults of its client.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as Redacted from "effect/Redacted"
import { randomUUID } from "node:crypto"
import { join } from "node:path"

/** @param {{ postgresUrl: string }} databases */
export const postgresClient = ({ postgresUrl }) => PgClient.layer({ url: Redacted.make(postgresUrl) })

/** A file of its own each time. @param {{ folder: string }} databases */
export const sqliteClient = ({ folder }) => SqliteClient.layer({ filename: join(folder, `${randomUUID()}.db`) })
