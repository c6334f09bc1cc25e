/**
 * The clock of a fiber, for what runs with every request: `Effect.clockWith` takes three steps of the fiber.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import type * as Fiber from "effect/Fiber"

/** @internal */
export const clockOf = (fiber: Fiber.RuntimeFiber<any, any>): Clock.Clock =>
  Context.get(fiber.getFiberRef(DefaultServices.currentServices), Clock.Clock)

/**
 * The time on it, in milliseconds since the epoch.
 *
 * @internal
 */
export const nowOn = (fiber: Fiber.RuntimeFiber<any, any>): number => clockOf(fiber).unsafeCurrentTimeMillis()
