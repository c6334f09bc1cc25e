/**
 * `Effect.flatMap` and `Effect.matchEffect` without a step of the fiber where there is nothing to wait for. What a session does
 * is mostly there at once (a value that was loaded, a Schema and a store that answer synchronously), and each step costs as
 * much as the work itself.
 *
 * Unlike those they may call what comes next at once. So they stand inside an effect only, never where one is made.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"

/**
 * Runs what may throw, as a fiber would.
 *
 * @internal
 */
export const attempt = <A, E, R>(f: () => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
  try {
    return f()
  } catch (defect) {
    return Exit.die(defect)
  }
}

/**
 * Whether it has succeeded already, so that there is nothing to wait for and nothing to catch.
 *
 * @internal
 */
export const isDone = <A, E, R>(self: Effect.Effect<A, E, R>): self is Exit.Success<A, never> =>
  Exit.isExit(self) && Exit.isSuccess(self)

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

/** @internal */
export const chainMatch = <A, E, R, B, E2, R2, C, E3, R3>(
  self: Effect.Effect<A, E, R>,
  options: {
    readonly onSuccess: (value: A) => Effect.Effect<B, E2, R2>
    readonly onFailure: (error: E) => Effect.Effect<C, E3, R3>
  }
): Effect.Effect<B | C, E2 | E3, R | R2 | R3> => {
  if (!Exit.isExit(self)) {
    return Effect.matchEffect(self, options)
  }
  const exit = self as Exit.Exit<A, E>
  return Exit.isSuccess(exit)
    ? options.onSuccess(exit.value)
    : Either.match(Cause.failureOrCause(exit.cause), { onLeft: options.onFailure, onRight: Effect.failCause })
}
