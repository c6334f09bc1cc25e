/**
 * What sessions in a table promise on every database, each time in a real one: one server for the file.
 */
import { afterAll } from "@effect/vitest"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"
import * as StoreContract from "effect-session/testing/StoreContract"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import type { MakeDatabase, SqlDatabase } from "../support/sqlDatabases.js"
import { generous } from "../support/timeLimits.js"

class Database extends Context.Tag("test/Database")<Database, SqlDatabase>() {}

export const sqlSuite = (name: string, makeDatabase: MakeDatabase): void => {
  const server = ManagedRuntime.make(Layer.scoped(Database, makeDatabase))
  afterAll(() => server.dispose())

  const database = Effect.promise(() => server.runPromise(Database))

  const store = Layer.unwrapEffect(
    Effect.map(
      database,
      ({ client }) => Layer.provide(SqlSessionStore.layer({ createTable: true, timeout: generous }), client)
    )
  )

  StoreContract.suite(name, { store, canInvalidate: true })

  AcceptanceSuite.suite(name, { store, canInvalidate: true })
}
