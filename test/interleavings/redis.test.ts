import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { connectRedis, redis } from "../model/backends.js"
import { report } from "../support/figures.js"
import { redisServer } from "../support/redisServer.js"
import { scaled } from "../support/soak.js"
import { drawnTriples, everyPair, makeStage, quiet, talkative, Tally } from "./suite.js"

describe("requests of one session in Redis", () => {
  it.scopedLive("end as if one came after the other, whatever their steps' order", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const makeBackend = redis(yield* connectRedis(server.url))
      const { store } = yield* Effect.promise(makeBackend)
      const stages = [makeStage(store, quiet), makeStage(store, talkative)]
      const pairs = new Tally({ startsWithCall: scaled(1, 0) === 1 })
      const triples = new Tally()
      yield* Effect.promise(async () => {
        for (const stage of stages) {
          await everyPair(stage, pairs)
        }
        pairs.expectNoFault()
        await drawnTriples(stages, triples, { runs: scaled(500, 25_000), limit: scaled(60_000, 90_000) })
        triples.expectNoFault()
      })
      report("interleavings: Redis, every order of two", pairs.figures())
      report("interleavings: Redis, three at a time", triples.figures())
    }))
})
