/**
 * The cases by which actix-session tests itself, beside its acceptance suite. Each is named by the behaviour, with the
 * seed's name for it in parentheses. Where it is tested elsewhere, or has no meaning here:
 *
 * | the seed's test | here |
 * | --- | --- |
 * | `test_session_workflow` (twice) | `memory.test.ts`, `cookie.test.ts`, `redis.test.ts` |
 * | tests of the stores and their formats | `seedStores.test.ts` |
 * | `get_session`, `get_session_from_request_head` | one way to a session, so one test for the three: `session` |
 * | `legacy_state_format_is_migrated_on_load`, `legacy_format_is_migrated` | none: there is no earlier format to migrate |
 * | the doctest of `SessionKey` (4065 characters are refused) | a key has one exact length: see `seedStores.test.ts` |
 * | `basics` of the old `CookieSession` | is `basic_workflow` of the suite by now |
 * | `prolong_expiration` of the old `CookieSession` | is `expiration_is_always_refreshed…` of the suite by now |
 * | actix-identity's tests | none: this package has no identity, only what one is built of |
 *
 * What the seed has and this library has not, on purpose: a handle without a middleware. Here the type of a handler
 * asks for a `Session`, and an app that does not provide one does not compile.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as TestSession from "effect-session/testing/TestSession"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { answer, entriesOf, serve, StoreCalls } from "./servedApp.js"

const Counter = Session.entry("counter", Schema.Number)
const Key1 = Session.entry("key1", Schema.String)
const Key2 = Session.entry("key2", Schema.String)

describe("the cookie over HTTP", () => {
  it.scoped("login and logout cookies have the same name, path, domain and flags (cookie_storage)", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      const [login] = (yield* browser.get("/test/login")).setCookies
      const [logout] = (yield* browser.get("/test/logout")).setCookies
      assert(login !== undefined && logout !== undefined)

      assert.strictEqual(login.name, "id")
      assert.notStrictEqual(login.value, "")
      assert.deepStrictEqual(Object.fromEntries(login.attributes), {
        domain: "localhost",
        path: "/test",
        httponly: "",
        secure: "",
        samesite: "Strict"
      })

      assert.strictEqual(logout.name, login.name)
      assert.strictEqual(logout.value, "")
      const { expires, "max-age": maxAge, ...others } = Object.fromEntries(logout.attributes)
      assert.strictEqual(maxAge, "0")
      assert.strictEqual(Date.parse(expires!), 0)
      assert.deepStrictEqual(others, Object.fromEntries(login.attributes))
    }).pipe(Effect.provide(serve(
      HttpRouter.empty.pipe(
        HttpRouter.get("/test/login", answer((session) => session.insert(Key1, "value"))),
        HttpRouter.get("/test/logout", answer((session) => session.purge))
      ),
      { config: { cookie: { name: "id", path: "/test", domain: "localhost", sameSite: "Strict" } } }
    ))))

  it.scoped("there is no cookie before there is a value to keep (lazy_cookie)", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      for (const path of ["/", "/read", "/empty"]) {
        assert.deepStrictEqual((yield* browser.get(path)).setCookies, [])
      }
      assert.deepStrictEqual(yield* StoreCalls, [])
      assert.strictEqual((yield* browser.get("/write")).setCookies.length, 1)
      assert.deepStrictEqual(yield* StoreCalls, ["save"])
    }).pipe(Effect.provide(serve(HttpRouter.empty.pipe(
      HttpRouter.get("/", HttpServerResponse.empty()),
      HttpRouter.get("/read", answer(entriesOf)),
      HttpRouter.get(
        "/empty",
        answer((session) => Effect.all([session.renew, session.insert(Key1, "value"), session.clear, session.purge]))
      ),
      HttpRouter.get("/write", answer((session) => session.insert(Counter, 100)))
    )))))

  for (const contentSecurity of ["Signed", "Private"] as const) {
    it.scoped(
      `a handler that writes makes a ${contentSecurity} cookie, and the next one reads by it `
        + "(cookie_session, private_cookie, cookie_session_extractor)",
      () =>
        Effect.gen(function*() {
          const browser = yield* TestBrowser.make
          assert.strictEqual((yield* browser.get("/")).setCookies[0]?.name, "__Host-id")
          assert.strictEqual((yield* browser.get("/read")).body, "{\"counter\":100}")
        }).pipe(Effect.provide(serve(
          HttpRouter.empty.pipe(
            HttpRouter.get("/", answer((session) => session.insert(Counter, 100))),
            HttpRouter.get("/read", answer(entriesOf))
          ),
          { config: { contentSecurity } }
        )))
    )
  }
})

describe("a store that fails", () => {
  const secret = "redis://:hunter2@10.0.0.1"

  const failingWith = (reason: "Unavailable" | "Malformed") =>
    Layer.map(MemorySessionStore.layer(), (context) =>
      Context.make(SessionStore.SessionStore, {
        ...Context.get(context, SessionStore.SessionStore),
        load: () => Effect.fail(new SessionStore.LoadError({ reason, message: secret }))
      }))

  const app = HttpRouter.empty.pipe(
    HttpRouter.get("/", answer(entriesOf)),
    HttpRouter.get("/untouched", HttpServerResponse.text("served")),
    HttpRouter.get("/write", answer((session) => session.insert(Counter, 1))),
    HttpRouter.get("/start", answer((session) => session.purge.pipe(Effect.zipRight(session.insert(Counter, 1)))))
  )

  it.scoped("a failing load is a 503 with an empty body and tells nothing of its cause (errors_are_opaque)", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      // A new visitor has nothing to load, so the session can begin.
      assert.strictEqual((yield* browser.get("/write")).status, 200)
      const cookie = browser.cookieHeader("/")
      for (const path of ["/", "/write"]) {
        const failed = yield* browser.get(path)
        assert.strictEqual(failed.status, 503)
        assert.strictEqual(failed.body, "")
        assert.deepStrictEqual(failed.setCookies, [])
        assert.notInclude(JSON.stringify(Array.from(failed.headers)), "hunter2")
      }
      // Unlike the seed, a request that does not touch its session does not even notice.
      assert.strictEqual((yield* browser.get("/untouched")).body, "served")
      assert.strictEqual(browser.cookieHeader("/"), cookie)
    }).pipe(Effect.provide(serve(app, { store: failingWith("Unavailable") }))))

  it.scoped("a record that cannot be read makes a new visitor, not a failure for good (LoadError::Deserialization)", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.get("/write")
      const before = browser.cookieHeader("/")
      const read = yield* browser.get("/")
      assert.strictEqual(read.status, 200)
      assert.strictEqual(read.body, "{}")
      assert.deepStrictEqual(read.setCookies, [])
      // The seed goes on with the old key here; a key whose session is lost is as good as an unknown one.
      yield* browser.get("/write")
      assert.notStrictEqual(browser.cookieHeader("/"), before)
    }).pipe(Effect.provide(serve(app, { store: failingWith("Malformed") }))))

  for (const verb of ["save", "update", "renew", "delete"] as const) {
    it.scoped(`a failing ${verb} discards the handler's answer and its cookie (SaveError, UpdateError)`, () =>
      Effect.gen(function*() {
        const browser = yield* TestBrowser.make
        if (verb !== "save") {
          assert.strictEqual((yield* browser.get("/save")).status, 200)
        }
        const failed = yield* browser.get(`/${verb}`)
        assert.strictEqual(failed.status, 503)
        assert.strictEqual(failed.body, "")
        assert.deepStrictEqual(failed.setCookies, [])
      }).pipe(Effect.provide(serve(
        HttpRouter.empty.pipe(
          HttpRouter.get("/save", answer((session) => session.insert(Counter, 1))),
          HttpRouter.get("/update", answer((session) => session.insert(Counter, 2))),
          HttpRouter.get("/renew", answer((session) => session.renew)),
          HttpRouter.get("/delete", answer((session) => session.purge))
        ),
        {
          store: Layer.map(MemorySessionStore.layer(), (context) => {
            const store = Context.get(context, SessionStore.SessionStore)
            const error = { reason: "Unavailable", message: secret } as const
            const failing: { readonly [V in typeof verb]: SessionStore.SessionStore[V] } = {
              save: () => Effect.fail(new SessionStore.SaveError(error)),
              update: () => Effect.fail(new SessionStore.UpdateError(error)),
              renew: () => Effect.fail(new SessionStore.UpdateError(error)),
              delete: () => Effect.fail(new SessionStore.DeleteError(error))
            }
            return Context.make(SessionStore.SessionStore, { ...store, [verb]: failing[verb] })
          })
        }
      ))))
  }
})

describe("the session that a handler has", () => {
  it.effect("inserts, reads and removes, and its entries are what is left, as JSON (session, get_session)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.insert(Key1, "value")
      assert.deepStrictEqual(yield* session.get(Key1), Option.some("value"))
      yield* session.insert(Key2, "value2")
      assert.deepStrictEqual(yield* session.remove(Key1), Option.some("value"))
      assert.deepStrictEqual(yield* entriesOf(session), { key2: "value2" })
    }).pipe(Effect.provide(TestSession.layer())))

  it.effect("an ended session is Purged and empty (purge_session)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Unchanged")
      yield* session.purge
      assert.strictEqual(yield* session.status, "Purged")
      assert.deepStrictEqual(yield* entriesOf(session), {})
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Key1, "value")]))))

  it.effect("a renewed session is Renewed and keeps its state (renew_session)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Unchanged")
      yield* session.renew
      assert.strictEqual(yield* session.status, "Renewed")
      assert.deepStrictEqual(yield* entriesOf(session), { key1: "value" })
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Key1, "value")]))))

  it.effect("its entries are its values by key, loaded and written alike (session_entries)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.insert(Key2, "two")
      yield* session.insert(Counter, 3)
      assert.deepStrictEqual(yield* entriesOf(session), { key1: "one", key2: "two", counter: 3 })
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Key1, "one")]))))

  it.effect("contains says whether there is a value (session_contains_key)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.insert(Key1, "value")
      assert.isTrue(yield* session.contains("key1"))
      assert.isFalse(yield* session.contains("key2"))
    }).pipe(Effect.provide(TestSession.layer())))

  it.effect("stays Renewed when it is inserted into afterwards (insert_session_after_renew)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.renew
      yield* session.insert(Key1, "value")
      assert.strictEqual(yield* session.status, "Renewed")
      assert.deepStrictEqual(yield* entriesOf(session), { key1: "value" })
    }).pipe(Effect.provide(TestSession.layer())))

  it.effect("stays Renewed when it is removed from afterwards (remove_session_after_renew)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.renew
      yield* session.remove(Key1)
      assert.strictEqual(yield* session.status, "Renewed")
      assert.deepStrictEqual(yield* entriesOf(session), { key2: "two" })
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Key1, "one"), TestSession.value(Key2, "two")]))))

  it.effect("stays Renewed when it is cleared afterwards (clear_session_after_renew)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      // The seed counts clearing an empty session as a change; here it is none.
      yield* session.remove(Key2)
      assert.strictEqual(yield* session.status, "Unchanged")
      yield* session.renew
      yield* session.clear
      assert.strictEqual(yield* session.status, "Renewed")
      assert.deepStrictEqual(yield* entriesOf(session), {})
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Key1, "one")]))))

  it.effect("clearing is a change where there was something, and none where there was not (clear)", () =>
    Effect.gen(function*() {
      const empty = yield* TestSession.make()
      yield* empty.clear
      assert.strictEqual(yield* empty.status, "Unchanged")
      const full = yield* TestSession.make([TestSession.value(Key1, "one")])
      yield* full.clear
      assert.strictEqual(yield* full.status, "Changed")
    }))

  it.effect("update leaves an absent key absent, and applies the function to a present one (update_session)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.deepStrictEqual(yield* session.update(Counter, (n) => n + 1), Option.none())
      assert.strictEqual(yield* session.status, "Unchanged")
      yield* session.insert(Counter, 0)
      assert.strictEqual(yield* session.status, "Changed")
      assert.deepStrictEqual(yield* session.update(Counter, (n) => n + 1), Option.some(1))
      assert.deepStrictEqual(yield* session.update(Counter, (n) => n + 1), Option.some(2))
      assert.deepStrictEqual(yield* session.get(Counter), Option.some(2))
    }).pipe(Effect.provide(TestSession.layer())))

  it.effect("update of a loaded value is a change by itself, which the seed loses (update_session)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.update(Counter, (n) => n + 1)
      assert.strictEqual(yield* session.status, "Changed")
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Counter, 1)]))))

  it.effect("updateOr inserts its default as it is, and applies the function from then on (update_or_session)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.strictEqual(yield* session.updateOr(Counter, 1, (n) => n + 1), 1)
      assert.strictEqual(yield* session.status, "Changed")
      assert.strictEqual(yield* session.updateOr(Counter, 1, (n) => n + 1), 2)
      assert.deepStrictEqual(yield* session.get(Counter), Option.some(2))
    }).pipe(Effect.provide(TestSession.layer())))

  it.effect("exists without HTTP for a test, unchanged and empty (standalone_session, default_session)", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Unchanged")
      assert.deepStrictEqual(yield* entriesOf(session), {})
      assert.deepStrictEqual(yield* session.id, Option.none())
      yield* session.insert(Key1, "value")
      assert.strictEqual(yield* session.status, "Changed")
      assert.deepStrictEqual(yield* session.get(Key1), Option.some("value"))
    }).pipe(Effect.provide(TestSession.layer())))
})
