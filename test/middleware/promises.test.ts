import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import { Counter, handle, makeWebApp, User } from "../support/webApp.js"

const read = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const insert = (key: string, value: number) => handle((session) => session.insert(key, Schema.Number, value))
const logout = handle((session) => session.purge)
const login = handle((session) => Effect.zipRight(session.insert(User, "ferris"), session.renew))

/** A handler that has read its session and then waits before it does its work. */
const late = (gate: Deferred.Deferred<void>, loaded: Deferred.Deferred<void>, work: typeof read) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    yield* session.entries
    yield* Deferred.succeed(loaded, undefined)
    yield* Deferred.await(gate)
    return yield* work
  })

/** Runs `meanwhile` between another request's load and its commit. */
const inFlight = <A, E>(
  request: (handler: typeof read) => Effect.Effect<A, E>,
  work: typeof read,
  meanwhile: Effect.Effect<unknown, E>
) =>
  Effect.gen(function*() {
    const gate = yield* Deferred.make<void>()
    const loaded = yield* Deferred.make<void>()
    const fiber = yield* Effect.fork(request(late(gate, loaded, work)))
    yield* Deferred.await(loaded)
    yield* meanwhile
    yield* Deferred.succeed(gate, undefined)
    return yield* Fiber.join(fiber)
  })

/** What a broken store may do when it is asked to save. */
const brokenSaves: { readonly [how: string]: () => Effect.Effect<never> } = {
  "which dies": () => Effect.die(new Error("no disk")),
  "which throws": () => {
    throw new Error("no disk")
  }
}

describe("a logout cannot be undone", () => {
  it.scoped("not by a long line of sessions, each of which took the place of the one before", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const { config, crypto, store } = app.middleware
      const lifetime = { ttl: 3_600_000, maxLifetime: undefined }
      const { key: first } = yield* store.save(new Map([["user", "\"ferris\""]]), lifetime, 0)
      let last = first
      for (let i = 0; i < 9_000; i++) {
        const { key } = yield* store.save(new Map([["user", "\"ferris\""]]), lifetime, 0)
        yield* store.delete(last, 0, key)
        last = key
      }
      assert.strictEqual((yield* store.load(last, 0))._tag, "Live")
      const cookie = `${config.cookie.name}=${crypto.seal(SessionKey.toText(first))}`
      assert.strictEqual((yield* app.request(logout, cookie)).status, 200)
      assert.strictEqual((yield* store.load(last, 0))._tag, "Absent")
    }))

  for (const [how, save] of Object.entries(brokenSaves)) {
    it.scoped(`not by a store that cannot keep the session in its place (${how})`, () =>
      Effect.gen(function*() {
        let isBroken = false
        const app = yield* makeWebApp({
          wrap: (store) => ({ ...store, save: (...args) => isBroken ? save() : store.save(...args) })
        })
        const browser = app.browser()
        yield* browser.visit(login)
        isBroken = true
        const regenerate = handle((session) => Effect.zipRight(session.purge, session.insert(User, "another")))
        assert.strictEqual((yield* app.request(regenerate, browser.cookie())).status, 500)
        assert.deepStrictEqual((yield* app.request(read, browser.cookie())).body, {})
      }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))
  }

  for (
    const [what, work, status] of [
      ["writes", insert("a", 1), 409],
      ["updates", increment, 409],
      ["clears", handle((session) => session.clear), 409],
      ["signs in", login, 409],
      ["ends it and writes", handle((session) => Effect.zipRight(session.purge, session.insert(User, "ferris"))), 409],
      ["only reads", read, 200],
      ["only renews", handle((session) => session.renew), 200],
      ["logs out as well", logout, 200]
    ] as const
  ) {
    it.scoped(`a request in flight that ${what} does not bring the session back`, () =>
      Effect.gen(function*() {
        const app = yield* makeWebApp()
        const browser = app.browser()
        yield* browser.visit(increment)
        const stolen = browser.cookie()
        const answer = yield* inFlight(
          (handler) => app.request(handler, stolen),
          work,
          browser.visit(logout)
        )
        assert.strictEqual(answer.status, status)
        assert.strictEqual(status === 409 ? answer.body : undefined, undefined)
        assert.deepStrictEqual(answer.setCookies.filter((line) => !line.includes("Max-Age=0")), [])
        assert.deepStrictEqual((yield* app.request(read, stolen)).body, {})
        assert.strictEqual(browser.jar.size, 0)
      }))
  }

  it.scoped("a login in flight is not carried out, with `lostWrites: \"Ignore\"` behind the answer that it made", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: { lostWrites: "Ignore" } })
      const browser = app.browser()
      yield* browser.visit(insert("cart", 7))
      const old = browser.cookie()
      const other = app.browser()
      other.jar.set("__Host-id", browser.jar.get("__Host-id")!)
      const answer = yield* inFlight(browser.visit, login, other.visit(logout))
      assert.deepStrictEqual([answer.status, answer.setCookies], [200, []])
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
      assert.deepStrictEqual((yield* app.request(read, old)).body, {})
    }))

  it.scoped("a logout with cookies of two live sessions ends both, in either order", () =>
    Effect.gen(function*() {
      for (const turned of [false, true]) {
        const app = yield* makeWebApp()
        const [one, other] = [app.browser(), app.browser()]
        yield* one.visit(increment)
        yield* other.visit(increment)
        const cookies = [one.cookie(), other.cookie()]
        const both = (turned ? cookies.reverse() : cookies).join("; ")
        assert.deepStrictEqual((yield* app.request(read, both)).body, {})
        assert.match((yield* app.request(logout, both)).setCookies[0]!, /Max-Age=0/)
        assert.deepStrictEqual((yield* one.visit(read)).body, {})
        assert.deepStrictEqual((yield* other.visit(read)).body, {})
      }
    }))

  it.scoped("a refresh in flight does not bring the session back either", () =>
    Effect.gen(function*() {
      const lifecycle = Config.PersistentSession({ ttl: "1 minute", ttlExtension: "OnEveryRequest" })
      const app = yield* makeWebApp({ config: { lifecycle } })
      const browser = app.browser()
      yield* browser.visit(increment)
      const stolen = browser.cookie()
      const answer = yield* inFlight((handler) => app.request(handler, stolen), read, browser.visit(logout))
      assert.deepStrictEqual(answer.setCookies, [])
      assert.deepStrictEqual((yield* app.request(read, stolen)).body, {})
    }))
})

describe("no write is lost", () => {
  it.scoped("fifty parallel requests that write different keys all keep their writes", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(insert("start", 0))
      const cookie = browser.cookie()
      const gate = yield* Deferred.make<void>()
      const writers = yield* Effect.fork(Effect.all(
        Array.from({ length: 50 }, (_, i) =>
          Effect.gen(function*() {
            const loaded = yield* Deferred.make<void>()
            return yield* app.request(late(gate, loaded, insert(`key${i}`, i)), cookie)
          })),
        { concurrency: "unbounded" }
      ))
      while (app.calls.filter((verb) => verb === "load").length < 50) {
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(writers)
      assert.strictEqual(Object.keys((yield* browser.visit(read)).body as object).length, 51)
    }))

  it.scoped("fifty parallel updates of one key all count, though all of them had read the same value", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(insert("start", 0))
      const cookie = browser.cookie()
      const gate = yield* Deferred.make<void>()
      const writers = yield* Effect.fork(Effect.all(
        Array.from({ length: 50 }, () =>
          Effect.gen(function*() {
            const loaded = yield* Deferred.make<void>()
            return yield* app.request(late(gate, loaded, increment), cookie)
          })),
        { concurrency: "unbounded" }
      ))
      while (app.calls.filter((verb) => verb === "load").length < 50) {
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(writers)
      assert.deepStrictEqual((yield* browser.visit(read)).body, { start: 0, counter: 50 })
    }))

  it.scoped("a write that was in flight during a renewal is not kept, and is not answered as if it were", () =>
    Effect.gen(function*() {
      const lifecycle = Config.PersistentSession({ ttl: "1 minute", ttlExtension: "OnStateChanges" })
      const app = yield* makeWebApp({ config: { lifecycle } })
      const browser = app.browser()
      yield* browser.visit(increment)
      const old = browser.cookie()
      const answer = yield* inFlight((handler) => app.request(handler, old), insert("a", 1), browser.visit(login))
      assert.deepStrictEqual([answer.status, answer.body, answer.setCookies], [409, undefined, []])
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1, user: "ferris" })
    }))

  it.scoped("two sign-ins in flight at once both stick, each in a session that the other side cannot open", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      const cookie = browser.cookie()
      const late = yield* inFlight(
        (handler) => app.request(handler, cookie),
        handle((session) =>
          Effect.all([session.update(Counter, (n) => n + 1), session.insert(User, "second"), session.renew])
        ),
        browser.visit(login)
      )
      assert.strictEqual(late.status, 200)
      const own = late.setCookies[0]!.split(";")[0]!
      // What was derived from the session that it does not write to is derived anew, from nothing.
      assert.deepStrictEqual((yield* app.request(read, own)).body, { user: "second" })
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1, user: "ferris" })
      assert.deepStrictEqual((yield* app.request(read, cookie)).body, {})
    }))
})

describe("a request that does not touch its session costs nothing", () => {
  const untouched = Effect.succeed(HttpServerResponse.empty())

  it.scoped("no store call, no cookie, no header, though it carries a valid cookie", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      app.calls.length = 0
      const answer = yield* browser.visit(untouched)
      assert.deepStrictEqual(app.calls, [])
      assert.deepStrictEqual(answer.setCookies, [])
      assert.isNull(answer.headers.get("vary"))
      assert.isNull(answer.headers.get("cache-control"))
    }))

  it.scoped("its cookie is not even opened", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      let opened = 0
      const { crypto } = app.middleware
      Object.assign(app.middleware, {
        crypto: { ...crypto, open: (value: string) => (opened++, crypto.open(value)) }
      })
      yield* browser.visit(untouched)
      assert.strictEqual(opened, 0)
      yield* browser.visit(read)
      assert.strictEqual(opened, 1)
    }))

  it.scoped("a read is one store call and a write two, whatever the handler does in between", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      app.calls.length = 0
      yield* browser.visit(handle((session) => Effect.all([session.get(Counter), session.entries, session.id])))
      assert.deepStrictEqual(app.calls, ["load"])
      app.calls.length = 0
      yield* browser.visit(
        handle((session) => Effect.all([session.get(Counter), session.insert(User, "x"), session.clear]))
      )
      assert.deepStrictEqual(app.calls, ["load", "update"])
    }))

  it.scoped("anonymous requests that read, purge, renew and clear store nothing and get no cookie", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      for (const operation of ["clear", "purge", "renew", "entries", "status", "id"] as const) {
        const answer = yield* app.request(
          handle((session) => Effect.as(session[operation] as Effect.Effect<unknown, unknown>, null))
        )
        assert.deepStrictEqual(answer.setCookies, [])
      }
      assert.deepStrictEqual(app.calls, [])
    }))
})
