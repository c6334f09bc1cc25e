/**
 * `Effect.onExit` in as few steps of the fiber as can be had. Every request pays for one.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RuntimeFlags from "effect/RuntimeFlags"
import { chain } from "./chain.js"

/**
 * Has `cleanup` hear what becomes of an effect, in a fiber with these flags. What nothing can interrupt needs no region around it
 * to be sure of that, and a cleanup that is done at once no step.
 *
 * @internal
 */
export const onExit = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  cleanup: (exit: Exit.Exit<A, E>) => Effect.Effect<void>,
  runtimeFlags: RuntimeFlags.RuntimeFlags
): Effect.Effect<A, E, R> => {
  const cleaned = (exit: Exit.Exit<A, E>): Effect.Effect<A, E> => chain(cleanup(exit), () => exit)
  return RuntimeFlags.interruptible(runtimeFlags)
    ? Effect.onExit(self, cleanup)
    : Effect.matchCauseEffect(self, {
      onFailure: (cause) => cleaned(Exit.failCause(cause)),
      onSuccess: (value) => cleaned(Exit.succeed(value))
    })
}
