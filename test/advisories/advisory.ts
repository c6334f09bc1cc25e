/**
 * An advisory of another project, and what has to hold here so that it cannot be written about this one.
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { RedisServer } from "../support/redisServer.js"

export interface Advisory {
  /** As the world calls it: CVE, GHSA, RUSTSEC, or the project and number of an issue. */
  readonly id: string
  /** One sentence: what is true of this library. It is the title of the test. */
  readonly holds: string
  /** Fails where it is not true. Starts at time zero of a test clock. */
  readonly check: Effect.Effect<void, unknown, Scope.Scope | RedisServer>
}

/** An advisory about something that this library has not got. */
export interface Elsewhere {
  readonly id: string
  readonly why: string
}
