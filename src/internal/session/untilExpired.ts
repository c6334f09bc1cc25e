/**
 * Waiting for the time at which a record expires.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SessionRecord from "../../SessionRecord.js"

// What a timer of JavaScript can count: more than that never fires.
const maxTimerMillis = 2 ** 31 - 1

/**
 * Sleeps for that many milliseconds, or for as long as a timer can, if that is less.
 *
 * @internal
 */
export const sleepFor = (millis: number): Effect.Effect<void> =>
  Effect.sleep(Duration.millis(Math.min(Math.ceil(millis), maxTimerMillis)))

/** @internal */
export const untilExpired = (record: SessionRecord.SessionRecord): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    SessionRecord.isExpired(record, now)
      ? Effect.void
      : Effect.zipRight(sleepFor(record.expiresAt - now), untilExpired(record)))
