import * as SqlClient from "@effect/sql/SqlClient"
import { describe, it } from "@effect/vitest"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { databaseNames, makeDatabase } from "../support/sqlDatabases.js"
import { generous } from "../support/timeLimits.js"
import { library } from "./library.js"
import { remote } from "./stages.js"
import { threeAtATime, twoAtATime } from "./suite.js"
import { pairsFrom } from "./visits.js"

const starts = { sqlite: 7, postgres: 19, mysql: 31 }

describe("the promises hold, whoever waits, wins or hangs up, in a table", () => {
  for (const name of databaseNames) {
    it.scopedLive(`of ${name}: in orders of two requests, and in drawn orders of three`, () =>
      Effect.gen(function*() {
        const { client } = yield* makeDatabase(name)
        const sql = Context.get(yield* Layer.build(client()), SqlClient.SqlClient)
        const store = yield* SqlSessionStore.make({ createTable: true, timeout: generous }).pipe(
          Effect.provideService(SqlClient.SqlClient, sql)
        )
        yield* Effect.promise(async () => {
          await twoAtATime(name, remote(store)(library), { isRevocable: true }, pairsFrom(starts[name], 48))
          await threeAtATime(name, remote(store)(library), { isRevocable: true }, 40)
        })
      }))
  }
})
