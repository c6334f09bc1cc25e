/**
 * What fails the Layer before a statement is sent, each time with the name of the option and the mend.
 */
import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import { SqlError } from "@effect/sql/SqlError"
import * as Statement from "@effect/sql/Statement"
import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import { settle } from "../support/settle.js"
import { databaseAt, makeDatabase } from "../support/sqlDatabases.js"

/** A client whose database is not there, or never answers. */
const clientOf = (
  dialect: Statement.Dialect,
  acquirer: Effect.Effect<never, SqlError> = Effect.fail(new SqlError({ cause: new Error("connection refused") }))
) =>
  SqlClient.make({
    acquirer,
    compiler: Statement.makeCompiler({
      dialect,
      placeholder: () => "?",
      onIdentifier: (name) => name,
      onRecordUpdate: () => ["", []],
      onCustom: () => ["", []]
    }),
    spanAttributes: []
  }).pipe(Effect.provide(Reactivity.layer))

const make = (options: unknown, dialect: Statement.Dialect = "pg") =>
  Effect.flatMap(
    clientOf(dialect),
    (sql) =>
      SqlSessionStore.make(options as SqlSessionStore.Options).pipe(Effect.provideService(SqlClient.SqlClient, sql))
  )

describe("SqlSessionStore", () => {
  const wrong: ReadonlyArray<readonly [option: string, options: unknown, mend: string]> = [
    ...[
      "",
      "a b",
      "1a",
      "a;DROP TABLE users",
      "a\"",
      "a`",
      "a.b.c",
      "a.",
      ".a",
      "größe",
      "x".repeat(49),
      `a.${"x".repeat(49)}`,
      1,
      {}
    ].map((table) => ["table", { table }, "use a name like"] as const),
    ["createTable", { createTable: "true" }, "use true or false"],
    ["sweep", { sweep: true }, "false"],
    ["sweep", { sweep: "10 minutes" }, "every"],
    ["sweep.every", { sweep: { every: 0 } }, "use one like"],
    ["sweep.every", { sweep: { every: "20 days" } }, "at most 16 days"],
    ["sweep.every", { sweep: { every: "soon" } }, "use one like"],
    ["sweep.batch", { sweep: { batch: 0 } }, "from 1 to 10000"],
    ["sweep.batch", { sweep: { batch: 1.5 } }, "from 1 to 10000"],
    ["sweep.batch", { sweep: { batch: 10_001 } }, "from 1 to 10000"],
    ["timeout", { timeout: 0 }, "use one like"],
    ["timeout", { timeout: "25 days" }, "at most 24 days"],
    ["pollEvery", { pollEvery: 0 }, "use one like"],
    ["pollEvery", { pollEvery: "often" }, "use one like"],
    ["pollEvery", { pollEvery: "25 days" }, "at most 24 days"]
  ]

  it.scopedLive("refuses an option that cannot be used, by its name and with the mend", () =>
    Effect.gen(function*() {
      for (const [option, options, mend] of wrong) {
        const error = yield* Effect.flip(make(options))
        assert.instanceOf(error, SessionStore.SessionStoreConfigError)
        assert.strictEqual(error.option, option, JSON.stringify(options))
        assert.include(error.message, `The option ${option} `)
        assert.include(error.message, mend)
      }
    }))

  it.scoped("says how often the end of a session is looked for, as it was told or as others do", () =>
    Effect.gen(function*() {
      for (
        const [options, millis] of [[{ pollEvery: "1 minute" }, 60_000], [{}, SessionStore.defaultPollEvery]] as const
      ) {
        assert.strictEqual((yield* make(options)).endings!.pollEvery(), millis)
      }
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))))

  it.scopedLive("refuses a client of another database", () =>
    Effect.gen(function*() {
      for (const dialect of ["mssql", "clickhouse"] as const) {
        const error = yield* Effect.flip(make({}, dialect))
        assert.strictEqual(error.option, "SqlClient")
        assert.include(error.message, "use one for Postgres, SQLite, MySQL or MariaDB")
      }
    }))

  it.scoped("is built where the database is away or silent, with a warning, and fails its calls", () =>
    Effect.gen(function*() {
      for (const acquirer of [undefined, Effect.never]) {
        const lines: Array<string> = []
        const logger = Logger.make(({ message }) => lines.push(String(message)))
        const sql = yield* clientOf("pg", acquirer)
        const making = yield* Effect.fork(
          SqlSessionStore.make({ timeout: "2 seconds" }).pipe(
            Effect.provideService(SqlClient.SqlClient, sql),
            Effect.provide(Logger.replace(Logger.defaultLogger, logger))
          )
        )
        yield* settle
        yield* TestClock.adjust("2 seconds")
        const { save } = SessionStore.withClock(yield* Fiber.join(making))
        assert.lengthOf(lines, 1)
        assert.match(lines[0]!, /could not be asked for the table of sessions: (connection refused|it did not answer)/)
        const saving = yield* Effect.fork(Effect.flip(save(new Map(), { ttl: 1, maxLifetime: undefined })))
        yield* settle
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual((yield* Fiber.join(saving)).reason, "Unavailable")
      }
    }))

  it.scopedLive("takes its options from the environment", () =>
    Effect.gen(function*() {
      const { url } = yield* makeDatabase("sqlite")
      const sql = Context.get(yield* Layer.build(databaseAt("sqlite", url).client()), SqlClient.SqlClient)
      const store = SqlSessionStore.layerConfig({
        table: Config.string("TABLE"),
        createTable: Config.boolean("CREATE"),
        sweep: Config.all({ every: Config.duration("EVERY"), batch: Config.integer("BATCH") }),
        timeout: Config.duration("TIMEOUT")
      }).pipe(Layer.provide(Layer.succeed(SqlClient.SqlClient, sql)))
      const env = { TABLE: "visits", CREATE: "true", EVERY: "1 hour", BATCH: "7", TIMEOUT: "1 minute" }
      yield* Effect.withConfigProvider(
        Layer.build(store),
        ConfigProvider.fromMap(new Map(Object.entries(env)))
      )
      assert.deepStrictEqual(yield* sql`SELECT COUNT(*) AS n FROM visits`, [{ n: 0 }])
    }))
})
