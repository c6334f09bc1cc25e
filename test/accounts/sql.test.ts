import { afterAll } from "@effect/vitest"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { databaseNames, makeDatabase, type SqlDatabase } from "../support/sqlDatabases.js"
import { generous } from "../support/timeLimits.js"
import { accountSuite } from "./suite.js"

class Database extends Context.Tag("test/Database")<Database, SqlDatabase>() {}

let tests = 0

for (const name of databaseNames) {
  // One database for the file; each test has a table of its own.
  const databases = ManagedRuntime.make(Layer.scoped(Database, makeDatabase(name)))
  afterAll(() => databases.dispose())

  accountSuite(`SqlSessionStore on ${name}`, () =>
    Layer.unwrapEffect(
      Effect.map(Effect.promise(() => databases.runPromise(Database)), ({ client }) =>
        SqlSessionStore.layer({
          table: `sessions_${++tests}`,
          createTable: true,
          sweep: false,
          timeout: generous
        }).pipe(Layer.provide(client())))
    ))
}
