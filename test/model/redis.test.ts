import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { redisServer } from "../support/redisServer.js"
import { scaled } from "../support/soak.js"
import { connectRedis, redis } from "./backends.js"
import { expectModel } from "./runModel.js"

describe("sessions in Redis", () => {
  it.scopedLive("do what the model says, whatever happens to them in whatever order", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const client = yield* connectRedis(server.url)
      yield* Effect.promise(() =>
        expectModel("Redis", redis(client), { runs: scaled(200, 10_000), limit: scaled(90_000, 150_000) })
      )
    }))
})
