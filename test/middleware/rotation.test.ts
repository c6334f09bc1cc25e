/**
 * Keys that are renewed by themselves, as a visitor and a thief see it.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import type * as SessionEvent from "effect-session/SessionEvent"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { eventsDuring } from "../support/heardEvents.js"
import { settle } from "../support/settle.js"
import {
  type Answer,
  type Browser,
  Counter,
  handle,
  type Handler,
  makeWebApp,
  User,
  type WebApp
} from "../support/webApp.js"

const rotating = (options: Config.LifecycleOptions = {}) => ({
  lifecycle: Config.BrowserSession({ ttl: "2 days", renewEvery: "15 minutes", ...options })
})

const begin = handle((session) => session.insert(User, "ferris"))
const read = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
const count = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const anew = handle((session) => Effect.zipRight(session.purge, session.insert(User, "admin")))
const signIn = handle((session) => Effect.zipRight(session.renew, session.insert(User, "admin")))
const look = handle((session) => Effect.map(session.expiresAt, Option.getOrNull))
const untouched = Effect.succeed(HttpServerResponse.empty())

const ferris = { user: "ferris" }

const tags = (events: ReadonlyArray<SessionEvent.SessionEvent>) => events.map(({ _tag }) => _tag)

const setsCookie = ({ setCookies }: Answer): boolean => setCookies.length > 0

/** A browser with a session whose key is due, and the app. */
const dueSession = (options?: Config.LifecycleOptions, rest?: Parameters<typeof makeWebApp>[0]) =>
  Effect.gen(function*() {
    const app = yield* makeWebApp({ ...rest, config: { ...rotating(options), ...rest?.config } })
    const browser = app.browser()
    yield* browser.visit(begin)
    yield* TestClock.adjust("15 minutes")
    app.calls.length = 0
    return { app, browser, old: browser.cookie() }
  })

/** The same, where the browser has the new key and has come back with it. */
const usedSession = (options?: Config.LifecycleOptions, rest?: Parameters<typeof makeWebApp>[0]) =>
  Effect.tap(dueSession(options, rest), ({ browser, old }) =>
    Effect.gen(function*() {
      yield* browser.visit(read)
      assert.notStrictEqual(browser.cookie(), old)
      yield* browser.visit(read)
    }))

describe("a key that gets old", () => {
  it.scoped("gives way to a new one when a request looks at its session, which stays", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: rotating() })
      const browser = app.browser()
      yield* browser.visit(begin)
      const first = browser.cookie()
      yield* TestClock.adjust("899 seconds")
      assert.isFalse(setsCookie(yield* browser.visit(read)))
      yield* TestClock.adjust("1 second")
      const events = yield* eventsDuring(app, browser.visit(read))
      assert.deepStrictEqual(tags(events), ["Rotated"])
      assert.notStrictEqual(browser.cookie(), first)
      assert.deepStrictEqual((yield* browser.visit(read)).body, ferris)
      assert.isFalse(setsCookie(yield* browser.visit(read)))
    }))

  it.scoped("costs a call when it is time, another when the new one comes first, and else nothing", () =>
    Effect.gen(function*() {
      const { app, browser } = yield* dueSession()
      for (
        const [handler, calls] of [
          [untouched, ""],
          [read, "load rotate"],
          [untouched, ""],
          [read, "load rotate"],
          [read, "load"],
          [count, "load update"]
        ] as const
      ) {
        app.calls.length = 0
        yield* browser.visit(handler)
        assert.strictEqual(app.calls.join(" "), calls)
      }
    }))

  it.scoped("writes what its request wrote in the same call", () =>
    Effect.gen(function*() {
      const { app, browser } = yield* dueSession()
      yield* browser.visit(count)
      assert.deepStrictEqual(app.calls, ["load", "rotate"])
      assert.deepStrictEqual((yield* browser.visit(read)).body, { ...ferris, counter: 1 })
    }))

  it.scoped("leaves the expiry to ttlExtension", () =>
    Effect.gen(function*() {
      for (const ttlExtension of ["OnStateChanges", "OnEveryRequest"] as const) {
        const { browser } = yield* dueSession({ ttlExtension })
        const before = (yield* browser.visit(look)).body
        yield* TestClock.adjust("1 second")
        yield* browser.visit(look)
        const after = (yield* browser.visit(look)).body
        assert.strictEqual(before === after, ttlExtension === "OnStateChanges", ttlExtension)
      }
    }))

  it.scoped("is loaded first where every request refreshes it anyway", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* dueSession({ ttlExtension: "OnEveryRequest" })
      yield* browser.visit(untouched)
      assert.deepStrictEqual(app.calls, ["load", "rotate"])
      assert.notStrictEqual(browser.cookie(), old)
    }))

  it.scoped("is left alone by a renewal of the handler, which leaves no grace", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* dueSession()
      const events = yield* eventsDuring(app, browser.visit(signIn))
      assert.deepStrictEqual(tags(events), ["Renewed"])
      assert.deepStrictEqual((yield* app.request(read, old)).body, {})
    }))
})

describe("a key that gave way", () => {
  it.scoped("goes on for parallel requests, whose writes are kept", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* dueSession()
      const written = yield* Effect.forEach(Array.from({ length: 8 }), () => app.request(count, old), {
        concurrency: "unbounded"
      })
      assert.strictEqual(written.filter(setsCookie).length, 1)
      assert.deepStrictEqual(written.map(({ status }) => status), Array.from({ length: 8 }, () => 200))
      browser.jar.set("__Host-id", written.find(setsCookie)!.setCookies[0]!.slice("__Host-id=".length).split(";")[0]!)
      assert.deepStrictEqual((yield* browser.visit(read)).body, { ...ferris, counter: 8 })
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual((yield* app.request(count, old)).body, 9)
    }))

  it.scoped("is told to nobody's browser in the place of the new one, however persistent the cookie is", () =>
    Effect.gen(function*() {
      const lifecycle = Config.PersistentSession({
        ttl: "2 days",
        ttlExtension: "OnEveryRequest",
        renewEvery: "15 minutes"
      })
      const { app, browser, old } = yield* usedSession({}, { config: { lifecycle } })
      assert.isTrue(setsCookie(yield* browser.visit(read)))
      for (const handler of [read, count, untouched]) {
        assert.isFalse(setsCookie(yield* app.request(handler, old)))
      }
    }))

  it.scoped("goes on where the new one was lost on its way, and gets another", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* dueSession()
      assert.isTrue(setsCookie(yield* app.request(read, old)))
      yield* TestClock.adjust("59 seconds")
      assert.isFalse(setsCookie(yield* browser.visit(read)))
      yield* TestClock.adjust("20 hours")
      const events = yield* eventsDuring(app, browser.visit(read))
      assert.deepStrictEqual(tags(events), ["Rotated"])
      assert.notStrictEqual(browser.cookie(), old)
      assert.deepStrictEqual((yield* browser.visit(read)).body, ferris)
    }))

  it.scoped("goes on for a request that began with it, however long that takes to commit", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* dueSession()
      const gate = yield* Deferred.make<void>()
      const slow = yield* Effect.fork(
        app.request(
          handle((session) =>
            Effect.zipRight(
              session.contains(User),
              Effect.zipRight(Deferred.await(gate), session.insert(Counter, 1))
            )
          ),
          old
        )
      )
      yield* settle
      yield* browser.visit(read)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(slow)).status, 200)
      assert.deepStrictEqual((yield* browser.visit(read)).body, { ...ferris, counter: 1 })
    }))

  it.scoped("ends its session where a logout with it comes after its grace, and after a sign-in", () =>
    Effect.gen(function*() {
      for (const next of [signIn, anew]) {
        const { app, browser, old } = yield* dueSession()
        const gate = yield* Deferred.make<void>()
        yield* app.request(read, old)
        yield* TestClock.adjust("2 hours")
        const slow = yield* Effect.fork(app.request(
          handle((session) =>
            Effect.zipRight(session.contains(User), Effect.zipRight(Deferred.await(gate), session.purge))
          ),
          old
        ))
        yield* settle
        yield* browser.visit(read)
        yield* browser.visit(read)
        yield* TestClock.adjust("61 seconds")
        yield* browser.visit(next)
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual((yield* Fiber.join(slow)).status, 200)
        assert.deepStrictEqual((yield* browser.visit(read)).body, {})
      }
    }))

  it.scoped("begins its grace also where the new one comes with a request that can set no cookie", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* dueSession()
      yield* browser.visit(read)
      yield* app.request(Effect.zipRight(read, Effect.interrupt), browser.cookie())
      yield* TestClock.adjust("60 seconds")
      assert.deepStrictEqual(tags(yield* eventsDuring(app, app.request(read, old))), ["KeyReused", "Purged"])
    }))

  it.scoped("is not sent again shortly before it gives way, when its answer could arrive too late", () =>
    Effect.gen(function*() {
      const lifecycle = Config.PersistentSession({
        ttl: "2 days",
        ttlExtension: "OnEveryRequest",
        renewEvery: "15 minutes"
      })
      const app = yield* makeWebApp({ config: { lifecycle } })
      const browser = app.browser()
      yield* browser.visit(begin)
      yield* TestClock.adjust("839 seconds")
      assert.isTrue(setsCookie(yield* browser.visit(read)))
      yield* TestClock.adjust("1 second")
      assert.isFalse(setsCookie(yield* browser.visit(read)))
      yield* TestClock.adjust("60 seconds")
      assert.isTrue(setsCookie(yield* browser.visit(read)))
    }))

  it.scoped("ends its session where its visitor logs out with it", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* usedSession()
      yield* app.request(handle((session) => session.purge), old)
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
    }))

  it.scoped("beside the new one, as of another path, disturbs nobody: in its grace, and after it", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* usedSession()
      for (const wait of ["0 seconds", "2 minutes"] as const) {
        yield* TestClock.adjust(wait)
        for (const both of [`${old}; ${browser.cookie()}`, `${browser.cookie()}; ${old}`]) {
          const events = yield* eventsDuring(
            app,
            Effect.map(app.request(read, both), ({ body }) => assert.deepStrictEqual(body, ferris))
          )
          assert.deepStrictEqual(events, [])
        }
      }
    }))
})

/** What the old key opens, and what its session's browser sees then. */
const reusedBy = (browser: Browser, old: string, app: WebApp) =>
  Effect.all([app.request(read, old), browser.visit(read)])

describe("a key that comes after its grace", () => {
  it.scoped("raises an alarm and ends the session for both who have a key of it", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* usedSession()
      yield* TestClock.adjust("60 seconds")
      const events = yield* eventsDuring(
        app,
        Effect.map(reusedBy(browser, old, app), ([thief, visitor]) => {
          assert.deepStrictEqual(thief.body, {})
          assert.deepStrictEqual(visitor.body, {})
        })
      )
      assert.deepStrictEqual(tags(events), ["KeyReused", "Purged", "KeyExpired"])
    }))

  it.scoped("ends nothing where it is told to be ignored, and opens nothing either", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* usedSession({ onKeyReuse: "Ignore" })
      yield* TestClock.adjust("60 seconds")
      const events = yield* eventsDuring(
        app,
        Effect.map(reusedBy(browser, old, app), ([thief, visitor]) => {
          assert.deepStrictEqual(thief.body, {})
          assert.deepStrictEqual(visitor.body, ferris)
        })
      )
      assert.deepStrictEqual(tags(events), ["KeyReused"])
    }))

  it.scoped("logs out where it says so, also where reuse is ignored, and not with success while the store cannot", () =>
    Effect.gen(function*() {
      for (const onKeyReuse of ["EndSession", "Ignore"] as const) {
        let isAway = false
        const { app, browser, old } = yield* usedSession({ onKeyReuse }, {
          wrap: (store) => ({
            ...store,
            delete: (...args) =>
              isAway
                ? Effect.fail(new SessionStore.DeleteError({ reason: "Unavailable", message: "away" }))
                : store.delete(...args)
          })
        })
        yield* TestClock.adjust("60 seconds")
        const logOut = app.request(handle((session) => session.purge), old)
        isAway = true
        assert.strictEqual((yield* logOut).status, 503)
        assert.deepStrictEqual((yield* browser.visit(read)).body, ferris)
        isAway = false
        assert.strictEqual((yield* logOut).status, 200)
        assert.deepStrictEqual((yield* browser.visit(read)).body, {})
      }
    }))

  it.scoped("puts no cookie over the newer one where reuse is ignored", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* usedSession({ onKeyReuse: "Ignore" })
      yield* TestClock.adjust("60 seconds")
      const answer = yield* app.request(begin, old)
      assert.deepStrictEqual([answer.status, answer.setCookies], [409, []])
      assert.deepStrictEqual((yield* browser.visit(read)).body, ferris)
    }))

  it.scoped("raises none beside a newer key that is late itself", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* usedSession()
      const second = browser.cookie()
      yield* TestClock.adjust("15 minutes")
      yield* browser.visit(read)
      yield* browser.visit(signIn)
      const events = yield* eventsDuring(app, app.request(read, `${old}; ${second}`))
      assert.notInclude(tags(events), "KeyReused")
      assert.deepStrictEqual((yield* browser.visit(read)).body, { user: "admin" })
    }))

  it.scoped("is found days later as well", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* usedSession({ ttlExtension: "OnEveryRequest" })
      for (let hours = 0; hours < 24; hours++) {
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual((yield* browser.visit(read)).body, ferris)
      }
      const events = yield* eventsDuring(app, app.request(read, old))
      assert.deepStrictEqual(tags(events), ["KeyReused", "Purged"])
    }))

  it.scoped("raises none where its request came in time, and asks late", () =>
    Effect.gen(function*() {
      const { app, browser, old } = yield* dueSession()
      const gate = yield* Deferred.make<void>()
      const events = yield* eventsDuring(
        app,
        Effect.gen(function*() {
          const upload = (handler: Handler) =>
            Effect.fork(app.request(Effect.zipRight(Deferred.await(gate), handler), old))
          const [reading, writing] = [yield* upload(read), yield* upload(count)]
          yield* settle
          yield* browser.visit(read)
          yield* browser.visit(read)
          yield* TestClock.adjust("10 minutes")
          yield* Deferred.succeed(gate, undefined)
          assert.deepStrictEqual((yield* Fiber.join(reading)).body, {})
          assert.strictEqual((yield* Fiber.join(writing)).status, 409)
          assert.deepStrictEqual((yield* browser.visit(read)).body, ferris)
        })
      )
      assert.deepStrictEqual(tags(events), ["Rotated", "KeySuperseded", "KeySuperseded", "WritesLost"])
    }))

  it.scoped("begins a session of its own where its request writes, as any other that opens none", () =>
    Effect.gen(function*() {
      const { app, old } = yield* usedSession()
      yield* TestClock.adjust("60 seconds")
      const answer = yield* app.request(begin, old)
      assert.strictEqual(answer.status, 200)
      assert.isTrue(setsCookie(answer))
    }))

  it.scoped("is anonymous while the store cannot end the session, and ends it the next time", () =>
    Effect.gen(function*() {
      let isAway = false
      const { app, browser, old } = yield* usedSession({}, {
        wrap: (store) => ({
          ...store,
          delete: (...args) =>
            isAway
              ? Effect.fail(new SessionStore.DeleteError({ reason: "Unavailable", message: "away" }))
              : store.delete(...args)
        })
      })
      yield* TestClock.adjust("60 seconds")
      isAway = true
      assert.deepStrictEqual((yield* app.request(read, old)).body, {})
      assert.deepStrictEqual((yield* browser.visit(read)).body, ferris)
      isAway = false
      yield* app.request(read, old)
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
    }))
})

describe("renewEvery", () => {
  it.effect("is refused with a store that cannot rotate, by name and with the mend", () =>
    Effect.gen(function*() {
      for (const store of [CookieSessionStore.store, { ...(yield* aStore), rotate: undefined }]) {
        const error = yield* Effect.flip(
          SessionMiddleware.make({ keys: Config.generateKey(), ...rotating() }).pipe(
            Effect.provideService(SessionStore.SessionStore, store)
          )
        )
        assert.strictEqual(error.option, "lifecycle.renewEvery")
        assert.match(error.message, /renewEvery .* Leave renewEvery out/)
      }
    }))
})

const aStore = Effect.map(
  Effect.scoped(Effect.map(makeWebApp(), ({ middleware }) => middleware)),
  ({ store }) => store
)
