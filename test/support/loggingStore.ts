/**
 * Redis stores of tests in which Redis is away: what they log, and their time limit, are the test's own.
 */
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import { inspect } from "node:util"
import type { HandTimers } from "./handTimers.js"
import { heldLimit } from "./handTimers.js"
import { until } from "./settle.js"

/** The lines that a store logs while it is built and while it runs. */
export const logging = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ cause, logLevel, message }) => {
    lines.push(`${logLevel.label} ${inspect(message)} ${Cause.pretty(cause)}`)
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}

/** A store whose calls end because something happened to them, or because the test lets their time limit pass. */
export const makeStore = (options: RedisSessionStore.Options, { layer } = logging()) =>
  RedisSessionStore.make({ timeout: heldLimit, ...options }).pipe(
    Effect.map(SessionStore.withClock),
    Effect.provide(layer)
  )

/** A store that is built though its Redis is not there. Its first line says why, and is logged before time is up. */
export const makeWithout = (timers: HandTimers, options: RedisSessionStore.Options, log = logging()) =>
  Effect.gen(function*() {
    const before = log.lines.length
    const making = yield* Effect.fork(makeStore(options, log))
    yield* until(Effect.sync(() => log.lines.length > before))
    return yield* timers.elapsing(Fiber.join(making))
  })
