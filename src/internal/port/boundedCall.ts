/**
 * A call with a time limit that holds wherever the call is made, and that is the only thing to cut it short.
 *
 * `Effect.timeoutFail` will not do during a commit. The fiber that it forks for the call is a child of the request's,
 * and an interrupted fiber interrupts its children even while it cannot be interrupted itself: a client that hangs up
 * would undo its own logout.
 *
 * @internal
 */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** @internal */
export const callWithin = <A, E>(
  call: Effect.Effect<A, E>,
  duration: Duration.Duration,
  onTimeout: () => E
): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const answer = yield* Deferred.make<A, E>()
      const calling = yield* Effect.forkDaemon(Effect.intoDeferred(Effect.interruptible(call), answer))
      const timer = yield* Effect.forkDaemon(
        Effect.interruptible(
          Effect.zipRight(Effect.sleep(duration), Effect.suspend(() => Deferred.fail(answer, onTimeout())))
        )
      )
      return yield* Effect.ensuring(
        restore(Deferred.await(answer)),
        Effect.zipRight(Fiber.interruptFork(calling), Fiber.interruptFork(timer))
      )
    })
  )
