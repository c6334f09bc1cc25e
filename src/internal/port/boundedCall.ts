/**
 * A call with a time limit that holds wherever the call is made, and that is the only thing to cut it short.
 *
 * `Effect.timeoutFail` will not do during a commit. The fiber that it forks for the call is a child of the request's,
 * and an interrupted fiber interrupts its children even while it cannot be interrupted itself: a client that hangs up
 * would undo its own logout.
 *
 * Every call of a store that waits is guarded so: it costs one fiber, and none for the clock that everybody has.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FiberId from "effect/FiberId"
import { clockOf } from "../effect/clockOf.js"

/** @internal */
export const callWithin = <A, E>(
  call: Effect.Effect<A, E>,
  duration: Duration.Duration,
  onTimeout: () => E
): Effect.Effect<A, E> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime((caller) => {
      const clock = clockOf(caller)
      const id = caller.id()
      return Effect.flatMap(Effect.forkDaemon(Effect.interruptible(call)), (calling) =>
        restore(Effect.async<A, E>((resume) => {
          const stopTimer = startTimer(clock, duration, id, () => {
            resume(Effect.fail(onTimeout()))
            calling.unsafeInterruptAsFork(id)
          })
          calling.addObserver((exit) => {
            stopTimer()
            resume(exit)
          })
          return Effect.sync(() => {
            stopTimer()
            calling.unsafeInterruptAsFork(id)
          })
        })))
    })
  )

const liveClock = Context.get(DefaultServices.liveServices, Clock.Clock)

// A timer that is longer fires at once.
const longestTimer = 2_147_483_647

/** Calls back once the time has passed, unless it is stopped before. */
const startTimer = (
  clock: Clock.Clock,
  duration: Duration.Duration,
  id: FiberId.FiberId,
  onElapsed: () => void
): () => void => {
  const millis = Duration.toMillis(duration)
  if (millis > longestTimer) {
    return () => {}
  }
  if (clock === liveClock) {
    const timer = setTimeout(onElapsed, millis)
    return () => clearTimeout(timer)
  }
  const sleeping = Effect.runFork(Effect.zipRight(clock.sleep(duration), Effect.sync(onElapsed)))
  return () => sleeping.unsafeInterruptAsFork(id)
}
