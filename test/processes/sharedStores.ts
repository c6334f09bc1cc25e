/**
 * What several processes share, as the workbench is told of it.
 */
import * as Effect from "effect/Effect"
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
