/**
 * What the tests of sessions in a table begin with: a table of their own, a client like that of an app, and a store on it.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ClientSettings, DatabaseName, SqlDatabase } from "../../support/sqlDatabases.js"
import { generous } from "../../support/timeLimits.js"

export class Database extends Context.Tag("test/Database")<Database, SqlDatabase>() {}

export type Group = (name: DatabaseName, database: Effect.Effect<SqlDatabase>) => void

let tables = 0

/** The name of a table that no other test has. */
export const freshTable = (): string => `sessions_${tables++}`

/** A client of its own, in the scope. */
export const openClient = <R>(database: Effect.Effect<SqlDatabase, never, R>, settings?: ClientSettings) =>
  Effect.flatMap(
    database,
    ({ client }) => Effect.map(Layer.build(client(settings)), (context) => Context.get(context, SqlClient.SqlClient))
  )

/** A store on the client, whose table is made. */
export const openStore = (sql: SqlClient.SqlClient, options: SqlSessionStore.Options) =>
  SqlSessionStore.make({ createTable: true, timeout: generous, ...options }).pipe(
    Effect.provideService(SqlClient.SqlClient, sql)
  )

/** A client, a table, and a store on both. */
export const openWorld = (database: Effect.Effect<SqlDatabase>, options?: SqlSessionStore.Options) =>
  Effect.gen(function*() {
    const table = freshTable()
    const sql = yield* openClient(database)
    const store = yield* openStore(sql, { table, ...options })
    return { sql, store, table, clocked: SessionStore.withClock(store) }
  })

export const hourly: SessionRecord.Lifetime = { ttl: 3_600_000, maxLifetime: undefined }

export const changeOf = (name: string, value = "1"): SessionRecord.SessionChange => ({
  ...SessionRecord.noChange,
  set: new Map([[name, value]])
})

export const beginSession = ({ save }: SessionStore.ClockedVerbs, lifetime = hourly) =>
  Effect.map(save(new Map([["a", "1"]]), lifetime), ({ key }) => key)

/** The names of a session's values, or how it is not there. */
export const namesIn = ({ load }: SessionStore.ClockedVerbs, key: SessionKey.SessionKey) =>
  Effect.map(load(key), (loaded) => loaded._tag === "Live" ? [...loaded.record.state.keys()].sort() : loaded._tag)

export const countRows = (sql: SqlClient.SqlClient, table: string) =>
  Effect.map(sql<{ n: number | string }>`SELECT COUNT(*) AS n FROM ${sql(table)}`, ([row]) => Number(row!.n))
