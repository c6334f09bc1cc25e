import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { sql } from "../model/backends.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { databaseNames, makeDatabase } from "../support/sqlDatabases.js"
import { drawnTriples, everyPair, makeStage, quiet, talkative, Tally } from "./suite.js"

// The rules are the same on each, so that the slower ones need not go through all of it.
const triplesOf = { sqlite: scaled(300, 25_000), postgres: scaled(100, 25_000), mysql: scaled(100, 25_000) }

describe("requests of one session in a table", () => {
  for (const name of databaseNames) {
    it.scopedLive(`of ${name} end as if one came after the other, whatever their steps' order`, () =>
      Effect.gen(function*() {
        const makeBackend = yield* sql(yield* makeDatabase(name))
        const { store } = yield* Effect.promise(makeBackend)
        const [first, second] = [makeStage(store, quiet), makeStage(store, talkative)]
        const pairs = new Tally({ startsWithCall: scaled(1, 0) === 1 })
        const triples = new Tally()
        yield* Effect.promise(async () => {
          for (const stage of { sqlite: [first, second], postgres: [second], mysql: [first] }[name]) {
            await everyPair(stage, pairs)
          }
          pairs.expectNoFault()
          await drawnTriples([first, second], triples, { runs: triplesOf[name], limit: scaled(60_000, 90_000) })
          triples.expectNoFault()
        })
        report(`interleavings: ${name}, every order of two`, pairs.figures())
        report(`interleavings: ${name}, three at a time`, triples.figures())
      }))
  }
})
