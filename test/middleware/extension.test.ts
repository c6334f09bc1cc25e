/**
 * A time to live that starts anew once in a while, beside everything else that a lifecycle says.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { makeBearerApp } from "../support/bearerApp.js"
import { eventsDuring } from "../support/heardEvents.js"
import { type Answer, type Browser, Counter, handle, makeWebApp, User, type WebApp } from "../support/webApp.js"

const lifecycleOf = (options: Config.LifecycleOptions = {}, make = Config.PersistentSession) => ({
  lifecycle: make({ ttl: "1 hour", ttlExtension: { every: "5 minutes" }, ...options })
})

const begin = handle((session) => session.insert(User, "ferris"))
const read = handle((session) => session.contains(User))
const same = handle((session) => session.insert(User, "ferris"))
const count = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const remember = handle((session) => session.remember())
const purge = handle((session) => session.purge)
const renew = handle((session) => session.renew)
const expiresAt = handle((session) => Effect.map(session.expiresAt, Option.getOrNull))

const maxAge = ({ setCookies }: Answer): string | undefined => /; Max-Age=(\d+)/.exec(setCookies[0] ?? "")?.[1]

/** What the store was asked for by a visit. */
const callsOf = (app: WebApp, visit: Effect.Effect<Answer>) =>
  Effect.suspend(() => {
    app.calls.length = 0
    return Effect.map(visit, (answer) => [app.calls.join(" "), maxAge(answer)] as const)
  })

const withSession = (options: Parameters<typeof makeWebApp>[0] = {}) =>
  Effect.gen(function*() {
    const app = yield* makeWebApp({ config: lifecycleOf(), ...options })
    const browser = app.browser()
    yield* browser.visit(begin)
    const visit = (handler: Parameters<Browser["visit"]>[0]) => callsOf(app, browser.visit(handler))
    return { app, browser, visit }
  })

describe("a ttl that starts anew every five minutes", () => {
  it.scoped("costs the cookie of a browser session nothing", () =>
    Effect.gen(function*() {
      const { visit } = yield* withSession({ config: lifecycleOf({}, Config.BrowserSession) })
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* visit(read), ["load updateTtl", undefined])
      assert.deepStrictEqual(yield* visit(read), ["load", undefined])
    }))

  it.scoped("reaches the cookie that holds the session, also without a Max-Age", () =>
    Effect.gen(function*() {
      const config = lifecycleOf({}, Config.BrowserSession)
      const { browser } = yield* withSession({ store: CookieSessionStore.layer, config })
      for (let hour = 0; hour < 3; hour++) {
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual((yield* browser.visit(read)).setCookies, [])
        yield* TestClock.adjust("54 minutes")
        assert.strictEqual((yield* browser.visit(read)).setCookies.length, 1)
      }
      assert.strictEqual((yield* browser.visit(read)).body, true)
    }))

  it.scoped("starts anew with a write of what was there already, which changes nothing", () =>
    Effect.gen(function*() {
      const { visit } = yield* withSession()
      assert.deepStrictEqual(yield* visit(same), ["load", undefined])
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* visit(same), ["load updateTtl", "3600"])
    }))

  it.scoped("starts anew with a renewal, from which the time counts", () =>
    Effect.gen(function*() {
      const { visit } = yield* withSession()
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(yield* visit(renew), ["load renew", "3600"])
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(yield* visit(read), ["load", undefined])
    }))

  it.scoped("costs nothing more once the absolute limit is nearer, and leaves no second of that out", () =>
    Effect.gen(function*() {
      const { browser, visit } = yield* withSession({ config: lifecycleOf({ maxLifetime: "62 minutes" }) })
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(yield* visit(read), ["load", undefined])
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* visit(read), ["load updateTtl", "3420"])
      for (let minute = 6; minute < 62; minute++) {
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* visit(read), ["load", undefined])
      }
      assert.strictEqual((yield* browser.visit(read)).body, true)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* browser.visit(read)).body, false)
    }))

  it.scoped("is the longer one of a session that is remembered", () =>
    Effect.gen(function*() {
      const { visit } = yield* withSession({ config: lifecycleOf({ rememberMe: "30 days" }) })
      assert.strictEqual((yield* visit(remember))[1], "2592000")
      yield* TestClock.adjust("299 seconds")
      assert.deepStrictEqual(yield* visit(read), ["load", undefined])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* visit(read), ["load update", "2592000"])
      assert.deepStrictEqual(yield* visit(read), ["load", undefined])
    }))

  it.scoped("starts anew at once where a deployment brings a longer one", () =>
    Effect.gen(function*() {
      const context = yield* Layer.build(MemorySessionStore.layer())
      const store = Layer.succeed(SessionStore.SessionStore, Context.get(context, SessionStore.SessionStore))
      const keys = Config.generateKey()
      const { browser: before } = yield* withSession({ store, config: { keys, ...lifecycleOf({ ttl: "10 minutes" }) } })
      const app = yield* makeWebApp({
        store,
        config: { keys, ...lifecycleOf({ ttlExtension: { every: "30 minutes" } }) }
      })
      const after = app.browser()
      after.jar.set("__Host-id", before.jar.get("__Host-id")!)
      yield* TestClock.adjust("9 minutes")
      assert.deepStrictEqual(yield* callsOf(app, after.visit(read)), ["load updateTtl", "3600"])
      yield* TestClock.adjust("29 minutes")
      assert.deepStrictEqual(yield* callsOf(app, after.visit(read)), ["load", undefined])
    }))

  it.scoped("is left alone by a key that gives way before it is time, and goes with one that does so later", () =>
    Effect.gen(function*() {
      const lifecycle = (every: "5 minutes" | "20 minutes") =>
        lifecycleOf({ ttlExtension: { every }, renewEvery: "10 minutes" })
      for (const [every, isExtended] of [["20 minutes", false], ["5 minutes", true]] as const) {
        const { browser, visit } = yield* withSession({ config: lifecycle(every) })
        const before = Date.parse((yield* browser.visit(expiresAt)).body as string)
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(yield* visit(read), ["load rotate", isExtended ? "3600" : "3000"])
        const after = Date.parse((yield* browser.visit(expiresAt)).body as string)
        assert.strictEqual(after - before, isExtended ? 600_000 : 0)
      }
    }))

  it.scoped("starts anew for who brings a bearer, and costs no header", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ config: lifecycleOf() })
      const { visit } = app.client()
      yield* visit(begin)
      for (const calls of ["load updateTtl", "load updateTtl"]) {
        yield* TestClock.adjust("55 minutes")
        app.calls.length = 0
        const { body, headers } = yield* visit(read)
        assert.deepStrictEqual([body, app.calls.join(" ")], ["true", calls])
        assert.isNull(headers.get("authorization"))
        assert.isNull(headers.get("cache-control"))
      }
    }))

  it.scoped("starts anew for no session that has ended while its request was under way", () =>
    Effect.gen(function*() {
      const { app, browser } = yield* withSession()
      const cookie = browser.cookie()
      yield* TestClock.adjust("5 minutes")
      const late = app.request(Effect.tap(read, browser.visit(purge)), cookie)
      const events = yield* eventsDuring(
        app,
        Effect.map(late, ({ setCookies, status }) => assert.deepStrictEqual([status, setCookies], [200, []]))
      )
      assert.deepStrictEqual(events.map(({ _tag }) => _tag), ["Purged", "Gone"])
      assert.strictEqual((yield* app.request(read, cookie)).body, false)
    }))

  it.scoped("starts anew for no key that a renewal has replaced while its request was under way", () =>
    Effect.gen(function*() {
      const { app, browser } = yield* withSession()
      const cookie = browser.cookie()
      yield* TestClock.adjust("5 minutes")
      const late = Effect.tap(read, browser.visit(renew))
      const answer = yield* app.request(late, cookie)
      assert.deepStrictEqual([answer.status, answer.setCookies], [200, []])
      assert.strictEqual((yield* browser.visit(read)).body, true)
    }))

  it.scoped("may fail to start anew without failing the page, and does with the next request", () =>
    Effect.gen(function*() {
      let isReadOnly = true
      const refused = Effect.fail(new SessionStore.UpdateError({ reason: "Unavailable", message: "read-only" }))
      const { browser, visit } = yield* withSession({
        wrap: (store) => ({ ...store, updateTtl: (...args) => isReadOnly ? refused : store.updateTtl(...args) })
      })
      yield* TestClock.adjust("5 minutes")
      const answer = yield* browser.visit(read)
      assert.deepStrictEqual([answer.status, answer.body, answer.setCookies], [200, true, []])
      isReadOnly = false
      assert.deepStrictEqual(yield* visit(read), ["load updateTtl", "3600"])
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))

  it.scoped("asks nothing more of a store that could not be read", () =>
    Effect.gen(function*() {
      let isAway = false
      const away = Effect.fail(new SessionStore.LoadError({ reason: "Unavailable", message: "away" }))
      const { browser, visit } = yield* withSession({
        wrap: (store) => ({ ...store, load: (...args) => isAway ? away : store.load(...args) })
      })
      yield* TestClock.adjust("5 minutes")
      isAway = true
      const withoutIt = handle((session) => Effect.orElseSucceed(session.contains(User), () => "perhaps"))
      assert.deepStrictEqual(yield* visit(withoutIt), ["load", undefined])
      isAway = false
      assert.strictEqual((yield* browser.visit(read)).body, true)
    }))

  it.scoped("counts to the end of a request, however long that takes", () =>
    Effect.gen(function*() {
      const { visit } = yield* withSession()
      assert.deepStrictEqual(yield* visit(Effect.tap(read, TestClock.adjust("5 minutes"))), ["load updateTtl", "3600"])
      assert.deepStrictEqual(yield* visit(count), ["load update", "3600"])
    }))
})
