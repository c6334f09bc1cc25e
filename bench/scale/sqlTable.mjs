/**
 * A table of sessions in Postgres with as many rows as are wanted: some that the store has written itself, and copies of one of
 * them under other ids, which Postgres makes in seconds rather than minutes.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import pg from "pg"
import * as SessionStore from "../../dist/SessionStore.js"
import * as SqlSessionStore from "../../dist/stores/SqlSessionStore.js"
import { postgresClient } from "../apps/sqlClients.mjs"
import { lifetime, valuesOf } from "./state.mjs"

const concurrency = 8

/** @param {number} count @param {(n: number) => Effect.Effect<unknown, unknown>} operation */
export const forEach = (count, operation) =>
  Effect.runPromise(
    Effect.forEach(Array.from({ length: count }, (_, n) => n), operation, { concurrency, discard: true })
  )

/** A store on a table of its own. @param {string} postgresUrl @param {string} table @param {object} [options] */
export const openStore = async (postgresUrl, table, options = { sweep: false }) => {
  const scope = Effect.runSync(Scope.make())
  const layer = Layer.provide(
    SqlSessionStore.layer({ table, createTable: true, ...options }),
    postgresClient({ postgresUrl })
  )
  const context = await Effect.runPromise(Scope.extend(Layer.build(layer), scope))
  const store = await Effect.runPromise(Effect.provide(SessionStore.SessionStore, context))
  return { store: SessionStore.withClock(store), close: () => Effect.runPromise(Scope.close(scope, Exit.void)) }
}

/** @param {{ store: SessionStore.ClockedVerbs, written: number }} options @returns the keys of the sessions that were written */
export const writeSessions = async ({ store, written }) => {
  const keys = []
  await forEach(
    written,
    (n) => Effect.map(store.save(valuesOf(n), lifetime), ({ key }) => keys.push(key))
  )
  return keys
}

/** Copies one row from the `from`-th on up to the `to`-th, which expire at `expiresAt` if that is given. */
export const copyRows = async (postgresUrl, table, { expiresAt, from, to }) => {
  const client = new pg.Client({ connectionString: postgresUrl })
  await client.connect()
  await client.query(
    `INSERT INTO ${table} (id, version, account, expires_at, data)
      SELECT lpad(n::text, 22, '0'), version, account, coalesce($3::bigint, expires_at), data
      FROM generate_series($1::int, $2::int) AS n, (SELECT * FROM ${table} LIMIT 1) AS one`,
    [from, to - 1, expiresAt ?? null]
  )
  await client.query(`VACUUM (ANALYZE) ${table}`)
  const { rows: [{ bytes }] } = await client.query(`SELECT pg_total_relation_size('${table}')::float8 AS bytes`)
  await client.end()
  return { bytes }
}
