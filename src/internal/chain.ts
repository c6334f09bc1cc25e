/**
 * `Effect.flatMap` without a step of the fiber where there is nothing to wait for. What a session does is mostly there at
 * once (a value that was loaded, a Schema that answers synchronously), and each step costs as much as the work itself.
 *
 * Unlike `Effect.flatMap` it may call `f` at once. So it stands inside an effect only, never where one is made.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

/** @internal */
export const chain = <A, E, R, B, E2, R2>(
  self: Effect.Effect<A, E, R>,
  f: (value: A) => Effect.Effect<B, E2, R2>
): Effect.Effect<B, E | E2, R | R2> => {
  if (!Exit.isExit(self)) {
    return Effect.flatMap(self, f)
  }
  const exit = self as Exit.Exit<A, E>
  return Exit.isSuccess(exit) ? f(exit.value) : exit as Exit.Exit<never, E>
}
