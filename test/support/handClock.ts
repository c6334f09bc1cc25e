/**
 * A clock that the test moves, for servers whose sockets wait for the real one.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export class HandClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  private now = 1_800_000_000_000
  readonly currentTimeMillis = Effect.sync(() => this.now)
  readonly currentTimeNanos = Effect.sync(() => BigInt(this.now) * 1_000_000n)
  unsafeCurrentTimeMillis = () => this.now
  unsafeCurrentTimeNanos = () => BigInt(this.now) * 1_000_000n
  sleep = () => Effect.never
  moveOn(millis: number): void {
    this.now += millis
  }
}
