/**
 * What an app tells those who listen to its sessions.
 */
import type * as SessionEvent from "effect-session/SessionEvent"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { settle } from "./settle.js"
import type { WebApp } from "./webApp.js"

/** The events of an app while `use` runs. */
export const eventsDuring = <A, E, R>(app: WebApp, use: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const seen: Array<SessionEvent.SessionEvent> = []
    const listener = yield* Effect.fork(
      Stream.runForEach(app.middleware.events, (event) => Effect.sync(() => seen.push(event)))
    )
    yield* settle
    yield* use
    yield* settle
    yield* Fiber.interrupt(listener)
    return seen
  })
