import * as Effect from "effect/Effect"
import { setImmediate, setTimeout } from "node:timers/promises"

/** Lets fibers that wait for each other come to rest: they need turns of the event loop, not time. */
export const settle: Effect.Effect<void> = Effect.repeatN(Effect.promise(() => setImmediate()), 50)

/** A moment between two looks, which leaves the machine to what is waited for. */
export const nap: Effect.Effect<void> = Effect.promise(() => setTimeout(5))

/** Waits until it is so: for as long as that takes, or until the test's own limit says that it hangs. */
export const until = <E, R>(holds: Effect.Effect<boolean, E, R>): Effect.Effect<void, E, R> =>
  Effect.asVoid(Effect.repeat(Effect.zipRight(nap, holds), { until: (is) => is }))
