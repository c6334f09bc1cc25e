/**
 * `Effect.clockWith` in one step of the fiber instead of three, for what runs with every call of a store.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"

/** @internal */
export const withClock = <A, E, R>(f: (clock: Clock.Clock) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => f(Context.get(fiber.getFiberRef(DefaultServices.currentServices), Clock.Clock)))
