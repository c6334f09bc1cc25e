import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { report } from "../support/figures.js"
import { redisServer } from "../support/redisServer.js"
import { scaled } from "../support/soak.js"
import { connectRedis, redis } from "./backends.js"
import { runModel } from "./runModel.js"

describe("sessions in Redis", () => {
  it.scopedLive("do what the model says, whatever happens to them in whatever order", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const client = yield* connectRedis(server.url)
      const { failure, totals } = yield* Effect.promise(() =>
        runModel(redis(client), { runs: scaled(200, 10_000), limit: scaled(90_000, 200_000) })
      )
      assert.isUndefined(failure, failure)
      report("model: Redis", { ...totals })
    }), scaled(120_000, 300_000))
})
