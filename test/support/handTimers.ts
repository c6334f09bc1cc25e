/**
 * A time limit that passes when the test says so: no machine is so slow that it passes by itself, and nobody has to wait
 * for it. For what counts on Node's own timers, which no `TestClock` reaches.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { nap, until } from "./settle.js"

/** What to give as the limit. A timer of just this length is one that the test holds. */
export const heldLimit = "1 hour"
export const heldMillis = 3_600_000

export interface HandTimers {
  /** The limit passes for all who wait for it now. */
  readonly elapse: () => void
  /** The limit passes for all who wait for it, again and again, until the effect has ended. */
  readonly elapsing: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Waits until somebody waits for the limit, and lets it pass. */
  readonly elapseOnce: Effect.Effect<void>
  /** Waits until no timer of any length is left, be it that it fired or that it was cleared. */
  readonly idle: Effect.Effect<void>
}

/** Takes the place of `setTimeout` and `clearTimeout` until the scope is closed. */
export const handTimers: Effect.Effect<HandTimers, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(Effect.sync(() => replaceTimers()), ({ restore }) => Effect.sync(restore)),
  ({ elapse, held, others }) => ({
    elapse,
    elapsing: (effect) => Effect.raceFirst(effect, Effect.forever(Effect.zipRight(nap, Effect.sync(elapse)))),
    elapseOnce: Effect.zipRight(until(Effect.sync(() => held.size > 0)), Effect.sync(elapse)),
    idle: until(Effect.sync(() => held.size + others.size === 0))
  })
)

/** Holds timers of the one length from now on, and calls `onHeld` for each. */
export function replaceTimers(onHeld = () => {}) {
  const original = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }
  const held = new Map<Parameters<typeof clearTimeout>[0], () => void>()
  const others = new Set<Parameters<typeof clearTimeout>[0]>()
  globalThis.setTimeout = ((callback: (...args: Array<unknown>) => void, millis?: number, ...args: Array<unknown>) => {
    const fire = () => callback(...args)
    const timer = original.setTimeout(() => {
      others.delete(timer)
      fire()
    }, millis)
    if (millis === heldMillis) {
      held.set(timer, fire)
      onHeld()
    } else {
      others.add(timer)
    }
    return timer
  }) as typeof setTimeout
  globalThis.clearTimeout = (timer) => {
    held.delete(timer)
    others.delete(timer)
    original.clearTimeout(timer)
  }
  const elapse = () => {
    for (const [timer, fire] of Array.from(held)) {
      clearTimeout(timer)
      fire()
    }
  }
  const restore = () => {
    held.forEach((_, timer) => clearTimeout(timer))
    Object.assign(globalThis, original)
  }
  return { held, others, elapse, restore }
}
