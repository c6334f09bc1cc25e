import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import { Counter, handle, type Handler, makeWebApp, User } from "../support/webApp.js"

const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const read = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
const purge = handle((session) => session.purge)

const away = { reason: "Unavailable" as const, message: "the store is away" }

/** A store whose verbs can be switched off. */
const switchable = () => {
  const off = new Set<string>()
  const wrap = (store: SessionStore.SessionStore): SessionStore.SessionStore => ({
    ...store,
    load: (...args) => off.has("load") ? Effect.fail(new SessionStore.LoadError(away)) : store.load(...args),
    save: (...args) => off.has("save") ? Effect.fail(new SessionStore.SaveError(away)) : store.save(...args),
    update: (...args) => off.has("update") ? Effect.fail(new SessionStore.UpdateError(away)) : store.update(...args),
    updateTtl: (...args) =>
      off.has("updateTtl") ? Effect.fail(new SessionStore.UpdateError(away)) : store.updateTtl(...args),
    renew: (...args) => off.has("renew") ? Effect.die(new Error("a store that dies")) : store.renew(...args),
    delete: (...args) => off.has("delete") ? Effect.fail(new SessionStore.DeleteError(away)) : store.delete(...args)
  })
  return { off, wrap }
}

describe("a store that cannot answer", () => {
  it.scoped("is never taken for no session: 503, an empty body, no cookie, and the session lives on", () =>
    Effect.gen(function*() {
      const { off, wrap } = switchable()
      const app = yield* makeWebApp({ wrap })
      const browser = app.browser()
      yield* browser.visit(increment)
      for (
        const [verb, handler, status] of [
          ["load", read, 503],
          ["load", purge, 503],
          ["update", increment, 503],
          ["delete", purge, 503],
          ["renew", handle((session) => session.renew), 500]
        ] as const
      ) {
        off.add(verb)
        const answer = yield* Effect.exit(browser.visit(handler))
        assert(Exit.isSuccess(answer))
        assert.strictEqual(answer.value.status, status)
        assert.isUndefined(answer.value.body)
        assert.deepStrictEqual(answer.value.setCookies, [])
        off.clear()
      }
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1 })
      off.add("save")
      const fresh = yield* app.request(increment)
      assert.strictEqual(fresh.status, 503)
      assert.deepStrictEqual(fresh.setCookies, [])
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))

  it.scoped("a handler that catches the typed error goes on without writes", () =>
    Effect.gen(function*() {
      const { off, wrap } = switchable()
      const app = yield* makeWebApp({
        wrap,
        config: { lifecycle: Config.PersistentSession({ ttlExtension: "OnEveryRequest" }) }
      })
      const browser = app.browser()
      yield* browser.visit(increment)
      off.add("load").add("updateTtl").add("update")
      const answer = yield* browser.visit(
        handle((session) => Effect.catchAll(session.get(Counter), (error) => Effect.succeed(error.reason)))
      )
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.body, "StoreUnavailable")
      assert.deepStrictEqual(answer.setCookies, [])
    }))

  it.scoped("a record that is none opens no session, and a later write begins a new one", () =>
    Effect.gen(function*() {
      let malformed = false
      const app = yield* makeWebApp({
        wrap: (store) => ({
          ...store,
          load: (key, now) =>
            malformed
              ? Effect.fail(new SessionStore.LoadError({ reason: "Malformed", message: "not a record" }))
              : store.load(key, now)
        })
      })
      const browser = app.browser()
      yield* browser.visit(increment)
      malformed = true
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
      const answer = yield* browser.visit(handle((session) => session.insert(User, "x")))
      assert.strictEqual(answer.setCookies.length, 1)
      assert.match((yield* browser.visit(purge)).setCookies[0]!, /Max-Age=0/)
    }))
})

describe("a genuine cookie that holds no session", () => {
  it.scoped("breaks no request, whether it reads, refreshes or leaves the session alone", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({
        store: CookieSessionStore.layer,
        config: { lifecycle: Config.BrowserSession({ ttl: "1 minute", ttlExtension: "OnEveryRequest" }) }
      })
      const cookie = `__Host-id=${app.middleware.crypto.seal(SessionKey.toText(SessionKey.mint()))}`
      const untouched: Handler = Effect.succeed(HttpServerResponse.empty())
      assert.deepStrictEqual((yield* app.request(read, cookie)).body, {})
      const answer = yield* app.request(untouched, cookie)
      assert.strictEqual(answer.status, 204)
      assert.deepStrictEqual(answer.setCookies, [])
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))
})

describe("SessionStore.make", () => {
  const never = (uninterrupted: { calls: number }) =>
    SessionStore.make({
      readKey: () => Effect.runSync(Effect.succeedNone),
      load: () => Effect.onInterrupt(Effect.never, () => Effect.sync(() => uninterrupted.calls++)),
      save: () => Effect.never,
      update: () => Effect.never,
      updateTtl: () => Effect.never,
      renew: () => Effect.never,
      delete: () => Effect.never
    }, { timeout: "2 seconds" })

  it.effect("ends a call after its time limit, also where the caller cannot be interrupted, and stops the call", () =>
    Effect.gen(function*() {
      const interrupted = { calls: 0 }
      const store = SessionStore.withClock(never(interrupted))
      const key = SessionKey.mint()
      const lifetime = { ttl: 1, maxLifetime: undefined }
      for (
        const call of [
          store.load(key),
          store.save(new Map(), lifetime),
          store.update(key, SessionRecord.noChange, lifetime),
          store.updateTtl(key, lifetime),
          store.renew(key, SessionRecord.noChange, lifetime),
          store.delete(key)
        ] as ReadonlyArray<Effect.Effect<unknown, SessionStore.SessionStoreError>>
      ) {
        const fiber = yield* Effect.fork(Effect.uninterruptible(Effect.flip(call)))
        yield* TestClock.adjust("2 seconds")
        const error = yield* Fiber.join(fiber)
        assert.strictEqual(error.reason, "Unavailable")
        assert.include(error.message, "2s")
      }
      assert.strictEqual(interrupted.calls, 1)
    }))
})

describe("the commit", () => {
  it.scoped("gives up a contended update after storeTimeout, with 503", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({
        config: { storeTimeout: "1 second" },
        wrap: (store) => ({
          ...store,
          update: (key, _change, _lifetime, now) =>
            Effect.flatMap(Effect.orDie(store.load(key, now)), (result) => {
              assert(result._tag === "Live")
              return Effect.as(
                TestClock.adjust("100 millis"),
                SessionStore.WriteResult.Conflict({ found: result.record.state })
              )
            })
        })
      })
      const browser = app.browser()
      yield* browser.visit(increment)
      app.calls.length = 0
      assert.strictEqual((yield* browser.visit(increment)).status, 503)
      // The first attempt, and ten more in the second after it lost.
      assert.strictEqual(app.calls.filter((verb) => verb === "update").length, 11)
    }))

  it.scoped("runs once, though platform asks again after a later handler of the response failed", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const breaksOnce: Handler = Effect.gen(function*() {
        let runs = 0
        yield* HttpApp.appendPreResponseHandler((_request, response) =>
          runs++ === 0 ? Effect.die(new Error("breaks once")) : Effect.succeed(response)
        )
        return yield* increment
      })
      const browser = app.browser()
      const answer = yield* browser.visit(breaksOnce)
      assert.strictEqual(answer.status, 500)
      assert.strictEqual(answer.setCookies.length, 1)
      assert.deepStrictEqual(app.calls, ["save"])
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1 })
    }))

  it.scoped("a streamed body can read the session, and is told that it cannot write it", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const streamed: Handler = Effect.gen(function*() {
        const session = yield* Session.Session
        yield* session.insert(User, "before")
        const late = Effect.all([
          Effect.map(Effect.flip(session.insert(User, "after")), (error) => error.reason),
          Effect.map(session.get(User), Option.getOrNull)
        ]).pipe(Effect.map((results) => JSON.stringify(results)), Effect.orDie)
        return HttpServerResponse.stream(Stream.fromEffect(late).pipe(Stream.encodeText))
      })
      const browser = app.browser()
      assert.deepStrictEqual((yield* browser.visit(streamed)).body, ["ResponseSent", "before"])
      assert.deepStrictEqual((yield* browser.visit(read)).body, { user: "before" })
    }))

  it.scoped("logs what went wrong, and neither key nor value", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ cause, message }) => {
      lines.push(`${message} ${Cause.pretty(cause)} ${inspect(cause, { depth: 20 })}`)
    })
    return Effect.gen(function*() {
      const { off, wrap } = switchable()
      const app = yield* makeWebApp({ wrap })
      const browser = app.browser()
      yield* browser.visit(handle((session) => session.insert(User, "planted value")))
      off.add("update")
      yield* browser.visit(handle((session) => session.insert(User, "planted again")))
      const log = lines.join("\n")
      assert.include(log, "the store is away")
      assert.notInclude(log, "planted")
      assert.notInclude(log, browser.jar.get("__Host-id")!)
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })
})

describe("a store that leads in circles", () => {
  it.scoped("is not followed for ever, by a logout or by a late sign-in", () =>
    Effect.gen(function*() {
      const next = new Map<string, SessionKey.SessionKey>()
      const app = yield* makeWebApp({
        wrap: (store) => ({
          ...store,
          load: () => Effect.succeed(SessionStore.LoadResult.Replaced()),
          updateTtl: () => Effect.succeed(SessionStore.WriteResult.Gone()),
          delete: (key) => Effect.succeed(next.get(key.id) ?? false)
        })
      })
      const cookieOf = (key: SessionKey.SessionKey) =>
        `${app.middleware.config.cookie.name}=${app.middleware.crypto.seal(SessionKey.toText(key))}`
      const [one, other] = [SessionKey.mint(), SessionKey.mint()]
      const signIn = handle((session) => Effect.zipRight(session.renew, session.insert(User, "ada")))
      for (const [from, to] of [[one, one], [one, other]] as const) {
        next.set(from.id, to).set(to.id, from)
        const logout = yield* app.request(purge, cookieOf(from))
        assert.deepStrictEqual([logout.status, logout.setCookies], [200, []])
        assert.strictEqual((yield* app.request(signIn, cookieOf(from))).status, 409)
      }
    }))
})
