import * as Migrator from "@effect/sql/Migrator"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { databaseAt, type SqlDatabase } from "../../support/sqlDatabases.js"
import {
  beginSession,
  countRows,
  freshTable,
  type Group,
  hourly,
  namesIn,
  openClient,
  openStore,
  openWorld
} from "./world.js"

/** A store on the table as it is there. */
const storeOn = (sql: SqlClient.SqlClient, table: string) =>
  Effect.map(openStore(sql, { table, createTable: false }), SessionStore.withClock)

const schemaOf = { sqlite: "main", postgres: "public", mysql: "app" }

const oddTexts = [
  "\u0000",
  "\ud800",
  "\udc00\ud800",
  "é",
  "日本",
  "🜲",
  "'\"`\\",
  "\r\n\t",
  "__proto__",
  "\u2028\ufeff\ufffe",
  "\\u00e9"
]

/** The same server, where texts are Latin-1: in the database, or on the way there. SQLite knows UTF-8 alone. */
const latinDatabase = (sql: SqlClient.SqlClient, { name, url }: SqlDatabase) => {
  const other = new URL(url)
  switch (name) {
    case "sqlite":
      return Effect.succeed(databaseAt(name, url))
    case "postgres":
      other.pathname = "/latin"
      return Effect.as(
        Effect.orDie(sql`CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0`),
        databaseAt(name, other.href)
      )
    case "mysql":
      other.searchParams.set("charset", "LATIN1_SWEDISH_CI")
      return Effect.succeed(databaseAt(name, other.href))
  }
}

export const tables: Group = (name, database) => {
  describe("the table", () => {
    it.scopedLive("is missed when the store is built, with the mend", () =>
      Effect.gen(function*() {
        const sql = yield* openClient(database)
        const table = freshTable()
        const error = yield* Effect.flip(storeOn(sql, table))
        assert.strictEqual(error.option, "table")
        assert.include(error.message, `Sessions need the table ${table}: run SqlSessionStore.migration`)
        yield* openStore(sql, { table })
        yield* storeOn(sql, table)
      }))

    it.scopedLive("is missed by a call while it is away, with the mend, and found when it is back", () =>
      Effect.gen(function*() {
        const { clocked, sql, table } = yield* openWorld(database)
        const away = `away_${table}`
        yield* sql`ALTER TABLE ${sql(table)} RENAME TO ${sql(away)}`
        for (let i = 0; i < 2; i++) {
          const errors = [
            yield* Effect.flip(clocked.load(SessionKey.mint())),
            yield* Effect.flip(beginSession(clocked))
          ]
          for (const error of errors) {
            assert.strictEqual(error.reason, "Unavailable")
            assert.include(error.message, `Sessions need the table ${table}: run SqlSessionStore.migration`)
          }
        }
        yield* sql`ALTER TABLE ${sql(away)} RENAME TO ${sql(table)}`
        assert.deepStrictEqual(yield* namesIn(clocked, yield* beginSession(clocked)), ["a"])
      }))

    it.scopedLive("may be made by any number of servers that start at once", () =>
      Effect.gen(function*() {
        const table = freshTable()
        const clients = yield* Effect.replicateEffect(openClient(database, { maxConnections: 1 }), 8)
        const stores = yield* Effect.forEach(clients, (sql) => openStore(sql, { table }), { concurrency: "unbounded" })
        const key = yield* beginSession(SessionStore.withClock(stores[0]!))
        for (const store of stores) {
          assert.deepStrictEqual(yield* namesIn(SessionStore.withClock(store), key), ["a"])
        }
      }))

    it.scopedLive("is made by the app's own migrations, and stays as it is where it is made again", () =>
      Effect.gen(function*() {
        const sql = yield* openClient(database)
        const table = freshTable()
        const migrations = `migrations_${table}`
        const migrate = Migrator.make({})({
          table: migrations,
          loader: Migrator.fromRecord({ "0001_sessions": SqlSessionStore.migration({ table }) })
        }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
        assert.deepStrictEqual(yield* migrate, [[1, "sessions"]])
        const clocked = yield* storeOn(sql, table)
        const key = yield* beginSession(clocked)
        assert.deepStrictEqual(yield* migrate, [])
        yield* SqlSessionStore.migration({ table }).pipe(Effect.provideService(SqlClient.SqlClient, sql))
        const again = SessionStore.withClock(yield* openStore(sql, { table }))
        assert.deepStrictEqual(yield* namesIn(again, key), ["a"])
      }))

    it.scopedLive("of something else is refused", () =>
      Effect.gen(function*() {
        const sql = yield* openClient(database)
        const table = freshTable()
        yield* sql`CREATE TABLE ${sql(table)} (id integer, sess text, expires_at integer)`
        for (const createTable of [false, true]) {
          const error = yield* Effect.flip(openStore(yield* openClient(database), { table, createTable }))
          assert.strictEqual(error.option, "table")
          assert.include(error.message, table)
        }
      }))

    it.scopedLive("may be in a schema, and have the name of a word of SQL", () =>
      Effect.gen(function*() {
        const sql = yield* openClient(database)
        for (const table of [`${schemaOf[name]}.${freshTable()}`, "order", "Select_1"]) {
          const clocked = SessionStore.withClock(yield* openStore(sql, { table }))
          const key = yield* beginSession(clocked)
          assert.strictEqual((yield* clocked.updateTtl(key, hourly))._tag, "Saved")
          assert.isTrue(yield* clocked.delete(key))
          assert.strictEqual(yield* countRows(sql, table), 0)
        }
      }))

    it.scopedLive("tells ids apart that differ in case alone, and finds a row by its index", () =>
      Effect.gen(function*() {
        const { clocked, sql, table } = yield* openWorld(database)
        const key = yield* beginSession(clocked)
        const swapped = key.id.replace(
          /[a-z]/gi,
          (letter) => letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()
        )
        yield* sql`UPDATE ${sql(table)} SET id = ${swapped}`
        assert.notStrictEqual(swapped, key.id)
        assert.strictEqual(yield* namesIn(clocked, key), "Absent")
        const plans = {
          sqlite: () => sql`EXPLAIN QUERY PLAN SELECT data FROM ${sql(table)} WHERE id = ${key.id}`,
          postgres: () =>
            sql.withTransaction(
              Effect.zipRight(
                sql`SET LOCAL enable_seqscan = off`,
                sql`EXPLAIN SELECT data FROM ${sql(table)} WHERE id = ${key.id}`
              )
            ),
          mysql: () => sql`EXPLAIN SELECT data FROM ${sql(table)} WHERE id = ${swapped}`
        }
        assert.match(JSON.stringify(yield* plans[name]()), /USING INDEX|Index Scan using|"type":"const"/)
      }))

    it.scopedLive("keeps each text that a session can have, whatever the database and the connection keep texts in", () =>
      Effect.gen(function*() {
        const plain = yield* openClient(database)
        const latin = yield* openClient(latinDatabase(plain, yield* database))
        for (const sql of [plain, latin]) {
          const clocked = SessionStore.withClock(yield* openStore(sql, { table: freshTable() }))
          const state = new Map(oddTexts.map((text) => [text, JSON.stringify({ [text]: text })] as const))
          const { key } = yield* clocked.save(state, hourly)
          const loaded = yield* clocked.load(Option.getOrThrow(clocked.readKey(SessionKey.toText(key))))
          assert(loaded._tag === "Live")
          assert.deepStrictEqual(new Map(loaded.record.state), state)
        }
      }))

    it.scopedLive("holds nothing that opens a session", () =>
      Effect.gen(function*() {
        const { clocked, sql, table } = yield* openWorld(database)
        const key = yield* beginSession(clocked)
        const renewed = yield* clocked.renew(key, SessionRecord.noChange, hourly)
        assert(renewed._tag === "Saved")
        const content = JSON.stringify(yield* sql`SELECT * FROM ${sql(table)}`)
        assert.include(content, key.id)
        for (const { secret } of [key, renewed.key]) {
          assert.notInclude(content, Redacted.value(secret))
        }
      }))

    it.scopedLive("keeps a session of four mebibytes", () =>
      Effect.gen(function*() {
        const { clocked } = yield* openWorld(database)
        const value = JSON.stringify("x".repeat(4_194_304))
        const { key } = yield* clocked.save(new Map([["a", value]]), hourly)
        const loaded = yield* clocked.load(key)
        assert(loaded._tag === "Live")
        assert.isTrue(loaded.record.state.get("a") === value)
        assert.strictEqual((yield* clocked.updateTtl(key, hourly))._tag, "Saved")
      }))
  })
}
