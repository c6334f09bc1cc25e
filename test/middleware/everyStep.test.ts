/**
 * A request that is interrupted at each step of its fiber in turn, below a middleware that lets itself be interrupted wherever it
 * is: what a handler ended stays ended, and nobody waits for ever.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import type * as Scheduler from "effect/Scheduler"
import * as Schema from "effect/Schema"
import { waiting } from "../support/waitingStore.js"

const stores = {
  "a store that answers at once": (store: SessionStore.SessionStore) => store,
  "a store that waits": waiting
}

/** Once it begins to count, interrupts the fiber that takes the step of this number, and lets it give way there. */
const interruptingAt = (step: number) => {
  const counter = { steps: -Infinity }
  const scheduler: Scheduler.Scheduler = {
    scheduleTask: (task) => setImmediate(task),
    shouldYield: (fiber) => {
      if (counter.steps++ !== step) {
        return false
      }
      ;(fiber as Fiber.RuntimeFiber<unknown, unknown>).unsafeInterruptAsFork(FiberId.none)
      return 0
    }
  }
  return { counter, scheduler }
}

const hour = { ttl: 3_600_000, maxLifetime: undefined }

describe.each(Object.entries(stores))("interrupted at each step, over %s", (_, wrap) => {
  it.live("a session that the handler ended has ended", () =>
    Effect.gen(function*() {
      const store = wrap(yield* MemorySessionStore.make())
      const clocked = SessionStore.withClock(store)
      const middleware = yield* SessionMiddleware.make({ keys: Config.generateKey() }).pipe(
        Effect.provideService(SessionStore.SessionStore, store)
      )
      let isReached = true
      let interruptions = 0
      for (let step = 0; isReached; step++) {
        const { key } = yield* clocked.save(new Map([["user", "\"somebody\""]]), hour)
        const cookie = `${middleware.config.cookie.name}=${middleware.crypto.seal(SessionKey.toText(key))}`
        const { counter, scheduler } = interruptingAt(step)
        const runtime = yield* Effect.withScheduler(Effect.runtime<never>(), scheduler)
        counter.steps = 0
        let isPurged = false
        const handler = Effect.gen(function*() {
          const session = yield* Session.Session
          yield* session.purge
          isPurged = true
          yield* session.insert("user", Schema.String, "another")
          return HttpServerResponse.empty()
        })
        const app = SessionMiddleware.sessionWith(middleware)(Effect.orDie(handler))
        const request = HttpServerRequest.fromWeb(new Request("https://app.test/", { headers: { cookie } }))
        const handled = Effect.provideService(
          HttpApp.toHandled(app, () => Effect.void, Effect.interruptible),
          HttpServerRequest.HttpServerRequest,
          request
        )
        yield* Effect.exit(Fiber.join(Runtime.runFork(runtime)(handled)))
        isReached = counter.steps > step
        // What is left to do is done by fibers of their own.
        yield* Effect.repeatN(Effect.yieldNow(), 20)
        interruptions += isReached ? 1 : 0
        const { _tag } = yield* clocked.load(key)
        assert(!isPurged || _tag !== "Live", `interrupted at step ${step}, the session lives on`)
      }
      assert.isAbove(interruptions, 20)
    }))
})
