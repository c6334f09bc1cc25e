import * as Effect from "effect/Effect"
import { setImmediate } from "node:timers/promises"

/** One turn of the event loop, however long it takes. */
export const turn: Effect.Effect<void> = Effect.promise(() => setImmediate())

/** Lets fibers that wait for each other come to rest: they need turns of the event loop, not time. */
export const settle: Effect.Effect<void> = Effect.repeatN(turn, 50)

/** Waits until it is so: for as long as that takes, or until the test's own limit says that it hangs. */
export const until = <E, R>(holds: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.repeat(Effect.zipRight(turn, holds), { until: (is) => is }))
