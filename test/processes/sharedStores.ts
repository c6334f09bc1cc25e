/**
 * What several processes share, as the workbench is told of it; and two that share nothing.
 */
import * as Config from "effect-session/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { runExample } from "../examples/exampleProcess.js"
import { postgresServer } from "../support/postgresServer.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"

export const sharedStores = [
  {
    name: "Redis",
    server: Effect.map(
      redisServer(),
      ({ url }) => ({ SESSION_STORE: "redis", REDIS_URL: url, REDIS_TIMEOUT: generous })
    )
  },
  {
    name: "Postgres",
    server: Effect.map(
      postgresServer(),
      ({ url }) => ({ SESSION_STORE: "postgres", DATABASE_URL: url, DATABASE_TIMEOUT: generous })
    )
  }
] as const

/** Two processes that each have a store of their own, and open each other's cookies. */
export const separateNodes = Effect.suspend(() => {
  const start = runExample("workbench.ts", {
    SESSION_STORE: "memory",
    SESSION_KEYS: Redacted.value(Config.generateKey())
  })
  return Effect.all([start, start], { concurrency: 2 })
})
