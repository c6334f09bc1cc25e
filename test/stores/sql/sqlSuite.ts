/**
 * What sessions in a table promise on every database, each time in a real one: one server for the file.
 */
import { afterAll, describe } from "@effect/vitest"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"
import * as StoreContract from "effect-session/testing/StoreContract"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { type DatabaseName, makeDatabase } from "../../support/sqlDatabases.js"
import { generous } from "../../support/timeLimits.js"
import { failures } from "./failures.js"
import { settings } from "./settings.js"
import { statements } from "./statements.js"
import { sweeps } from "./sweeps.js"
import { tables } from "./tables.js"
import { transactions } from "./transactions.js"
import { Database } from "./world.js"

export const sqlSuite = (title: string, name: DatabaseName): void => {
  const server = ManagedRuntime.make(Layer.scoped(Database, makeDatabase(name)))
  afterAll(() => server.dispose())

  const database = Effect.promise(() => server.runPromise(Database))

  const store = Layer.unwrapEffect(
    Effect.map(
      database,
      ({ client }) => Layer.provide(SqlSessionStore.layer({ createTable: true, timeout: generous }), client())
    )
  )

  StoreContract.suite(title, { store, canInvalidate: true })

  AcceptanceSuite.suite(title, { store, canInvalidate: true })

  describe(title, () => {
    for (const group of [statements, transactions, tables, failures, settings, sweeps]) {
      group(name, database)
    }
  })
}
