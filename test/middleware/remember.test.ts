import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import { type Answer, Counter, handle, type Handler, makeWebApp, User, type WebApp } from "../support/webApp.js"

const ttl = "1 hour"
const rememberMe = "30 days"
const monthSeconds = 30 * 86_400
const monthMillis = monthSeconds * 1000
const hourMillis = 3_600_000

const lifecycle = Config.BrowserSession({ ttl, rememberMe })
const refreshing = Config.BrowserSession({ ttl, rememberMe, ttlExtension: "OnEveryRequest" })

type StoreLayer = Layer.Layer<SessionStore.SessionStore, unknown>

const backends: ReadonlyArray<
  readonly [name: string, store: Effect.Effect<StoreLayer, never, Scope.Scope>, isShared: boolean]
> = [
  ["in memory", Effect.succeed(MemorySessionStore.layer()), true],
  ["in Redis", Effect.map(redisServer(), ({ url }) => RedisSessionStore.layer({ url, timeout: generous })), true],
  ["in the cookie", Effect.succeed(CookieSessionStore.layer), false]
]

const login = handle((session) => session.insert(User, "ferris"))
const remember = handle((session) => session.remember())
const forget = handle((session) => session.remember(false))
const loginRemembered = handle((session) =>
  Effect.zipRight(session.renew, Effect.zipRight(session.insert(User, "ferris"), session.remember()))
)
const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const renew = handle((session) => session.renew)
const clear = handle((session) => session.clear)
const purge = handle((session) => session.purge)
const nothing = handle(() => Effect.void)
const entries = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
const isRemembered = handle((session) => session.isRemembered)
const isSignedIn = handle((session) => session.contains(User))

/** How long the stored session lives from now, in milliseconds; `null` where there is none. */
const timeLeft = handle((session) =>
  Effect.map(session.timeLeft, (left) => Option.getOrNull(Option.map(left, Duration.toMillis)))
)

/** The Max-Age of the only cookie in an answer, or what else became of the cookie. */
const maxAge = ({ setCookies }: Answer): number | "no Max-Age" | "no cookie" => {
  assert.isAtMost(setCookies.length, 1)
  const [line] = setCookies
  const [, seconds] = /; Max-Age=(\d+)/.exec(line ?? "") ?? []
  return line === undefined ? "no cookie" : seconds === undefined ? "no Max-Age" : Number(seconds)
}

/** Runs `meanwhile` between the load and the commit of another request with the same cookie. */
const inFlight = (app: WebApp, cookie: string, work: Handler, meanwhile: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const [loaded, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
    const late = Effect.gen(function*() {
      yield* (yield* Session.Session).entries
      yield* Deferred.succeed(loaded, undefined)
      yield* Deferred.await(gate)
      return yield* work
    })
    const fiber = yield* Effect.fork(app.request(late, cookie))
    yield* Deferred.await(loaded)
    yield* meanwhile
    yield* Deferred.succeed(gate, undefined)
    return yield* Fiber.join(fiber)
  })

for (const [name, backend, isShared] of backends) {
  describe(`a remembered session ${name}`, () => {
    const appWith = (lifecycle: Config.SessionLifecycle) =>
      Effect.flatMap(backend, (store) => makeWebApp({ store, config: { lifecycle } }))

    it.scoped("a session is a browser session until it is remembered, and then has its own time to live", () =>
      Effect.gen(function*() {
        const browser = (yield* appWith(lifecycle)).browser()
        assert.strictEqual(maxAge(yield* browser.visit(login)), "no Max-Age")
        assert.strictEqual((yield* browser.visit(isRemembered)).body, false)
        assert.strictEqual((yield* browser.visit(timeLeft)).body, hourMillis)
        assert.strictEqual(maxAge(yield* browser.visit(remember)), monthSeconds)
        assert.strictEqual((yield* browser.visit(isRemembered)).body, true)
        assert.strictEqual((yield* browser.visit(timeLeft)).body, monthMillis)
        yield* TestClock.adjust("29 days")
        assert.deepStrictEqual((yield* browser.visit(entries)).body, { user: "ferris" })
        yield* TestClock.adjust("1 day")
        assert.deepStrictEqual((yield* browser.visit(entries)).body, {})
      }))

    it.scoped("a session that is remembered when it begins is so from its first cookie on", () =>
      Effect.gen(function*() {
        const browser = (yield* appWith(lifecycle)).browser()
        assert.strictEqual(maxAge(yield* browser.visit(loginRemembered)), monthSeconds)
        assert.strictEqual((yield* browser.visit(timeLeft)).body, monthMillis)
      }))

    it.scoped("it stays remembered through a renewal, later writes and an emptied session", () =>
      Effect.gen(function*() {
        const browser = (yield* appWith(lifecycle)).browser()
        yield* browser.visit(loginRemembered)
        for (const work of [renew, increment, increment, clear]) {
          yield* TestClock.adjust("10 days")
          assert.strictEqual(maxAge(yield* browser.visit(work)), monthSeconds)
          assert.strictEqual((yield* browser.visit(timeLeft)).body, monthMillis)
        }
        assert.deepStrictEqual((yield* browser.visit(entries)).body, {})
        assert.strictEqual((yield* browser.visit(isRemembered)).body, true)
      }))

    it.scoped("a refresh by a request that leaves its session alone extends it by the right time to live", () =>
      Effect.gen(function*() {
        const app = yield* appWith(refreshing)
        const [remembered, other] = [app.browser(), app.browser()]
        yield* remembered.visit(loginRemembered)
        yield* other.visit(login)
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual(maxAge(yield* remembered.visit(nothing)), monthSeconds)
        assert.strictEqual(maxAge(yield* other.visit(nothing)), isShared ? "no cookie" : "no Max-Age")
        yield* TestClock.adjust("59 minutes")
        assert.strictEqual((yield* remembered.visit(timeLeft)).body, monthMillis - 59 * 60_000)
        assert.strictEqual((yield* other.visit(timeLeft)).body, 60_000)
        for (let day = 0; day < 60; day += 20) {
          yield* TestClock.adjust("20 days")
          assert.strictEqual(maxAge(yield* remembered.visit(nothing)), monthSeconds)
        }
        assert.strictEqual((yield* remembered.visit(isSignedIn)).body, true)
        assert.strictEqual((yield* other.visit(isSignedIn)).body, false)
      }))

    it.scoped("it is remembered by another process with the same keys and store", () =>
      Effect.gen(function*() {
        const context = yield* Effect.orDie(Layer.build(yield* backend))
        const options = {
          store: Layer.succeed(SessionStore.SessionStore, Context.get(context, SessionStore.SessionStore)),
          config: { lifecycle, keys: Config.generateKey() }
        }
        const before = (yield* makeWebApp(options)).browser()
        yield* before.visit(loginRemembered)
        yield* TestClock.adjust("20 days")
        const after = (yield* makeWebApp(options)).browser()
        after.jar.set("__Host-id", before.jar.get("__Host-id")!)
        assert.strictEqual((yield* after.visit(isRemembered)).body, true)
        assert.strictEqual(maxAge(yield* after.visit(increment)), monthSeconds)
      }))

    it.scoped("forgetting it goes back to a cookie without Max-Age and to the shorter life", () =>
      Effect.gen(function*() {
        const browser = (yield* appWith(lifecycle)).browser()
        yield* browser.visit(loginRemembered)
        assert.strictEqual(maxAge(yield* browser.visit(forget)), "no Max-Age")
        assert.strictEqual((yield* browser.visit(isRemembered)).body, false)
        assert.strictEqual((yield* browser.visit(timeLeft)).body, hourMillis)
        assert.deepStrictEqual((yield* browser.visit(entries)).body, { user: "ferris" })
        yield* TestClock.adjust(ttl)
        assert.deepStrictEqual((yield* browser.visit(entries)).body, {})
      }))

    it.scoped("what comes after a purge is remembered no longer", () =>
      Effect.gen(function*() {
        const browser = (yield* appWith(lifecycle)).browser()
        yield* browser.visit(loginRemembered)
        assert.strictEqual(maxAge(yield* browser.visit(purge)), 0)
        assert.strictEqual(maxAge(yield* browser.visit(login)), "no Max-Age")
        yield* browser.visit(remember)
        const anew = handle((session) => Effect.zipRight(session.purge, session.insert(User, "corro")))
        assert.strictEqual(maxAge(yield* browser.visit(anew)), "no Max-Age")
        assert.strictEqual((yield* browser.visit(isRemembered)).body, false)
      }))

    it.scoped("remembering alone makes no session", () =>
      Effect.gen(function*() {
        const app = yield* appWith(refreshing)
        const browser = app.browser()
        for (
          const work of [
            remember,
            forget,
            handle((session) => Effect.zipRight(session.renew, session.remember()))
          ]
        ) {
          assert.strictEqual(maxAge(yield* browser.visit(work)), "no cookie")
        }
        assert.deepStrictEqual(app.calls, [])
      }))

    it.scoped("that it is remembered is no value of the app's", () =>
      Effect.gen(function*() {
        const browser = (yield* appWith(lifecycle)).browser()
        yield* browser.visit(loginRemembered)
        const here = handle((session) =>
          Effect.zipRight(session.remember(), Effect.map(session.entries, (all) => all.size))
        )
        assert.strictEqual((yield* browser.visit(here)).body, 1)
        assert.deepStrictEqual((yield* browser.visit(entries)).body, { user: "ferris" })
      }))

    if (isShared) {
      it.scoped("a write in flight while the session is remembered loses nothing and does not shorten its life", () =>
        Effect.gen(function*() {
          const app = yield* appWith(lifecycle)
          const browser = app.browser()
          yield* browser.visit(login)
          const answer = yield* inFlight(app, browser.cookie(), increment, browser.visit(remember))
          assert.strictEqual(maxAge(answer), monthSeconds)
          assert.strictEqual((yield* browser.visit(timeLeft)).body, monthMillis)
          assert.strictEqual((yield* browser.visit(isRemembered)).body, true)
          assert.deepStrictEqual((yield* browser.visit(entries)).body, { user: "ferris", counter: 1 })
        }))

      it.scoped("a write in flight while the session is forgotten does not lengthen its life", () =>
        Effect.gen(function*() {
          const app = yield* appWith(lifecycle)
          const browser = app.browser()
          yield* browser.visit(loginRemembered)
          const answer = yield* inFlight(app, browser.cookie(), increment, browser.visit(forget))
          assert.strictEqual(maxAge(answer), "no cookie")
          assert.strictEqual((yield* browser.visit(timeLeft)).body, hourMillis)
          assert.deepStrictEqual((yield* browser.visit(entries)).body, { user: "ferris", counter: 1 })
        }))

      it.scoped("a renewal in flight while the session is remembered carries on with that", () =>
        Effect.gen(function*() {
          const app = yield* appWith(lifecycle)
          const browser = app.browser()
          yield* browser.visit(login)
          const answer = yield* inFlight(app, browser.cookie(), renew, browser.visit(remember))
          assert.strictEqual(maxAge(answer), monthSeconds)
        }))

      for (
        const [what, first, second, left] of [["remembered", login, remember, monthMillis], [
          "forgotten",
          loginRemembered,
          forget,
          hourMillis
        ]] as const
      ) {
        it.scoped(`a refresh in flight while the session is ${what} goes by what it is now`, () =>
          Effect.gen(function*() {
            const app = yield* appWith(refreshing)
            const browser = app.browser()
            yield* browser.visit(first)
            yield* inFlight(app, browser.cookie(), nothing, browser.visit(second))
            assert.strictEqual((yield* browser.visit(timeLeft)).body, left)
          }))
      }
    }
  })
}

describe("remembering", () => {
  it.scoped("without a policy for it is a typed error that says the mend, and changes nothing", () =>
    Effect.gen(function*() {
      const browser = (yield* makeWebApp()).browser()
      const attempt = (isOn?: boolean) =>
        handle((session) =>
          Effect.map(Effect.flip(session.remember(isOn)), ({ message, reason }) => ({ message, reason }))
        )
      yield* browser.visit(login)
      for (const isOn of [undefined, true, false]) {
        const answer = yield* browser.visit(attempt(isOn))
        const { message, reason } = answer.body as { message: string; reason: string }
        assert.strictEqual(reason, "NotConfigured")
        assert.include(message, "rememberMe: \"30 days\"")
        assert.strictEqual(maxAge(answer), "no cookie")
      }
      assert.strictEqual((yield* browser.visit(isRemembered)).body, false)
    }))

  it.scoped("a session that was remembered lives by the ordinary policy once there is no other", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(MemorySessionStore.layer())
      const store = Layer.succeed(SessionStore.SessionStore, Context.get(context, SessionStore.SessionStore))
      const keys = Config.generateKey()
      const before = (yield* makeWebApp({ store, config: { keys, lifecycle } })).browser()
      yield* before.visit(loginRemembered)
      const after = (yield* makeWebApp({ store, config: { keys, lifecycle: Config.BrowserSession({ ttl }) } }))
        .browser()
      after.jar.set("__Host-id", before.jar.get("__Host-id")!)
      assert.strictEqual((yield* after.visit(isRemembered)).body, false)
      assert.strictEqual(maxAge(yield* after.visit(increment)), "no cookie")
      assert.strictEqual((yield* after.visit(timeLeft)).body, hourMillis)
    }))

  it.scoped("a persistent session has a Max-Age in either case, and each its own", () =>
    Effect.gen(function*() {
      const lifecycle = Config.PersistentSession({ ttl, rememberMe })
      const browser = (yield* makeWebApp({ config: { lifecycle } })).browser()
      assert.strictEqual(maxAge(yield* browser.visit(login)), 3600)
      assert.strictEqual(maxAge(yield* browser.visit(remember)), monthSeconds)
      assert.strictEqual(maxAge(yield* browser.visit(forget)), 3600)
    }))

  it.scoped("no longer than the absolute limit allows, and the cookie says so", () =>
    Effect.gen(function*() {
      const lifecycle = Config.BrowserSession({ ttl, rememberMe, maxLifetime: "40 days" })
      const browser = (yield* makeWebApp({ config: { lifecycle } })).browser()
      yield* browser.visit(loginRemembered)
      yield* TestClock.adjust("25 days")
      assert.strictEqual(maxAge(yield* browser.visit(increment)), 15 * 86_400)
      yield* TestClock.adjust("15 days")
      assert.strictEqual((yield* browser.visit(isSignedIn)).body, false)
    }))

  it.scoped("what is remembered already writes nothing", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: { lifecycle } })
      const browser = app.browser()
      yield* browser.visit(loginRemembered)
      app.calls.length = 0
      assert.strictEqual(maxAge(yield* browser.visit(remember)), "no cookie")
      assert.deepStrictEqual(app.calls, ["load"])
    }))
})
