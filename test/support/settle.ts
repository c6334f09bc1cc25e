import * as Effect from "effect/Effect"
import { setImmediate } from "node:timers/promises"

/** Lets fibers that wait for each other come to rest: they need turns of the event loop, however long each of them takes. */
export const settle: Effect.Effect<void> = Effect.repeatN(Effect.promise(() => setImmediate()), 50)
