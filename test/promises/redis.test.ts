import { describe, it } from "@effect/vitest"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import { connectRedis } from "../model/backends.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import { library } from "./library.js"
import { remote } from "./stages.js"
import { threeAtATime, twoAtATime } from "./suite.js"
import { pairsFrom } from "./visits.js"

describe("the promises hold, whoever waits, wins or hangs up, in Redis", () => {
  it.scopedLive("in every order of two requests, and in drawn orders of three", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const client = yield* connectRedis(server.url)
      const store = yield* RedisSessionStore.fromClient(client, { timeout: generous })
      const stage = remote(store)(library)
      yield* Effect.promise(async () => {
        await twoAtATime("Redis", stage, { isRevocable: true }, pairsFrom(4, 12))
        await threeAtATime("Redis", stage, { isRevocable: true }, 150)
        const rotating = remote(store, "renewed by themselves")(library)
        await twoAtATime(
          "Redis, with keys that are renewed by themselves",
          rotating,
          { isRevocable: true },
          pairsFrom(5, 12)
        )
      })
    }))
})
