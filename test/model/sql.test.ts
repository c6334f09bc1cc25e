import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { scaled } from "../support/soak.js"
import { databaseNames, makeDatabase } from "../support/sqlDatabases.js"
import { sql } from "./backends.js"
import { expectModel } from "./runModel.js"

const runs = { sqlite: scaled(150, 10_000), postgres: scaled(100, 10_000), mysql: scaled(100, 10_000) }

describe("sessions in a table", () => {
  for (const name of databaseNames) {
    it.scopedLive(`of ${name} do what the model says, whatever happens to them in whatever order`, () =>
      Effect.gen(function*() {
        const backend = yield* sql(yield* makeDatabase(name))
        yield* Effect.promise(() => expectModel(name, backend, { runs: runs[name], limit: scaled(90_000, 150_000) }))
      }))
  }
})
