/**
 * Removes what has expired, a batch at a time, for as long as the store is there. Any number of servers may do so.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { SqlFailure } from "./sqlFailure.js"

/** @internal */
export interface SqlSweep {
  readonly every: Duration.Duration
  readonly batch: number
}

/**
 * For how long a row stays after it has expired: for requests that had loaded it in time, and for servers whose clocks differ.
 *
 * @internal
 */
export const sweepMargin = Duration.minutes(5)

/**
 * `remove` removes a batch of rows that have expired by the time it is given, and says how many.
 *
 * @internal
 */
export const sweepForever = (
  remove: (time: number) => Effect.Effect<number, SqlFailure>,
  { batch, every }: SqlSweep
): Effect.Effect<never> =>
  Effect.suspend(() => {
    let isFailing = false
    const round = Effect.matchEffect(removeAll(remove, batch), {
      onFailure: ({ description }) => {
        const isNews = !isFailing
        isFailing = true
        return isNews
          ? Effect.logWarning(`Expired sessions could not be removed, which will be tried again: ${description}`)
          : Effect.void
      },
      onSuccess: () =>
        Effect.sync(() => {
          isFailing = false
        })
    })
    // A trace of its own for each: what has built the store is long done.
    const traced = Effect.withSpan(round, "SqlSessionStore.sweep", { root: true, captureStackTrace: false })
    return Effect.forever(Effect.zipRight(pause(every), traced))
  })

// Servers that were started together do not sweep together.
const pause = (every: Duration.Duration): Effect.Effect<void> =>
  Effect.flatMap(Random.nextRange(0.5, 1.5), (share) => Effect.sleep(Duration.times(every, share)))

const removeAll = (
  remove: (time: number) => Effect.Effect<number, SqlFailure>,
  batch: number
): Effect.Effect<void, SqlFailure> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.asVoid(Effect.repeat(
      Effect.zipLeft(remove(now - Duration.toMillis(sweepMargin)), turn),
      { while: (removed) => removed === batch }
    )))

// A database in this process answers at once: what else there is to do comes between two batches.
const turn: Effect.Effect<void> = Effect.async((resume) => {
  setImmediate(() => resume(Effect.void))
})
