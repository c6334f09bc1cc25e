/**
 * The acceptance suite of session stores: whole apps over real sockets, run on the store that you bring. A store that
 * passes it, and the contract suite beside it, works with everything in this package.
 *
 * Its five workflows are those by which actix-session tests its own stores. Needs `@effect/vitest`, `vitest` and
 * `@effect/platform-node`.
 *
 * @example
 * ```ts
 * import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
 * import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"
 *
 * AcceptanceSuite.suite("MemorySessionStore", { store: MemorySessionStore.layer(), canInvalidate: true })
 * ```
 *
 * @since 0.1.0
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import * as Config from "../Config.js"
import type { ContentSecurity } from "../CookieCrypto.js"
import * as Session from "../Session.js"
import * as SessionMiddleware from "../SessionMiddleware.js"
import type * as SessionStore from "../SessionStore.js"
import * as TestBrowser from "./TestBrowser.js"

/**
 * What the suite is told about a store.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E> {
  /** The store. It is built anew for each case, and may keep the sessions of earlier cases. */
  readonly store: Layer.Layer<SessionStore.SessionStore, E>
  /**
   * Whether the store can end a session, and void an older key, while a copy of the cookie is still around. `false` only
   * for a store that keeps everything in the cookie.
   */
  readonly canInvalidate: boolean
}

/**
 * Registers the cases with vitest, each for `Signed` and for `Private` cookies. Call it at the top of a test file or
 * inside a `describe`.
 *
 * @since 0.1.0
 * @category suites
 */
export const suite = <E>(name: string, options: Options<E>): void => {
  describe(name, () => {
    for (const contentSecurity of ["Signed", "Private"] as const) {
      describe(contentSecurity, () => cases(options, contentSecurity))
    }
  })
}

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const UserId = Session.entry("user_id", Schema.String)

const insertCounter = (value: number) =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    yield* session.insert(Counter, value)
    return HttpServerResponse.empty()
  })

const untouched = Effect.succeed(HttpServerResponse.empty())

const showState = Effect.gen(function*() {
  const session = yield* Session.Session
  return yield* HttpServerResponse.json({
    user_id: Option.getOrNull(yield* session.get(UserId)),
    counter: Option.getOrElse(yield* session.get(Counter), () => 0)
  })
})

const increment = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.updateOr(Counter, 1, (n) => n + 1)
  return yield* showState
})

const login = Effect.gen(function*() {
  const session = yield* Session.Session
  const { user_id } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ user_id: Schema.String }))
  yield* session.insert(UserId, user_id)
  yield* session.renew
  return yield* showState
})

const logout = Effect.gen(function*() {
  const session = yield* Session.Session
  if (yield* session.contains(UserId)) {
    yield* session.purge
  }
  return HttpServerResponse.empty()
})

const onlyForUsers = <E, R>(app: HttpApp.Default<E, R>) =>
  Effect.flatMap(Session.Session, (session) =>
    Effect.flatMap(
      session.contains(UserId),
      (isUser) => isUser ? app : HttpServerResponse.empty({ status: 401 })
    ))

const stateOf = (answer: TestBrowser.Answer): unknown => {
  assert.strictEqual(answer.status, 200)
  return JSON.parse(answer.body)
}

const anonymousState = { user_id: null, counter: 0 }

/** The one cookie that the answer sets, after a look at its name. */
const theCookie = (answer: TestBrowser.Answer, name: string): TestBrowser.SetCookie => {
  assert.deepStrictEqual(answer.setCookies.map((cookie) => cookie.name), [name])
  return answer.setCookies[0]!
}

const maxAge = (cookie: TestBrowser.SetCookie): string | undefined => cookie.attributes.get("max-age")

const setsNoCookie = (answer: TestBrowser.Answer): void => assert.deepStrictEqual(answer.setCookies, [])

const cases = <E>({ canInvalidate, store }: Options<E>, contentSecurity: ContentSecurity): void => {
  const scenario = <AppE>(
    title: string,
    options: Omit<Config.SessionOptions, "keys" | "contentSecurity">,
    app: HttpApp.Default<AppE, Session.Session>,
    body: (browser: TestBrowser.TestBrowser) => Effect.Effect<void, unknown, HttpServer.HttpServer>
  ) => {
    const App = app.pipe(
      SessionMiddleware.session,
      HttpServer.serve(),
      Layer.provide(SessionMiddleware.layer({ ...options, contentSecurity, keys: Config.generateKey() })),
      Layer.provide(store),
      Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
    )
    it.scopedLive(title, () => Effect.provide(Effect.flatMap(TestBrowser.make, body), App))
  }

  const actixTest = { name: "actix-test", path: "/test/", domain: "localhost" }

  scenario(
    "basic_workflow: the next request reads what one has written",
    { cookie: actixTest, lifecycle: Config.PersistentSession({ ttl: "100 seconds" }) },
    HttpRouter.empty.pipe(
      HttpRouter.get("/", insertCounter(100)),
      HttpRouter.get("/test/", showState)
    ),
    (browser) =>
      Effect.gen(function*() {
        const cookie = theCookie(yield* browser.get("/"), "actix-test")
        assert.strictEqual(cookie.attributes.get("path"), "/test/")
        assert.strictEqual(cookie.attributes.get("domain"), "localhost")
        assert.strictEqual(maxAge(cookie), "100")
        assert.strictEqual(browser.cookieHeader("/test/"), `actix-test=${cookie.value}`)
        assert.deepStrictEqual(stateOf(yield* browser.get("/test/")), { user_id: null, counter: 100 })
      })
  )

  scenario(
    "expiration_is_refreshed_on_changes: only a request that changes the session sends the cookie again",
    { cookie: actixTest, lifecycle: Config.PersistentSession({ ttl: "60 seconds" }) },
    HttpRouter.empty.pipe(
      HttpRouter.get("/", insertCounter(100)),
      // The seed inserts 100 once more here; writing the value that is there already is no change in this library.
      HttpRouter.get("/test/change", insertCounter(101)),
      HttpRouter.get("/test/", untouched)
    ),
    (browser) =>
      Effect.gen(function*() {
        assert.strictEqual(maxAge(theCookie(yield* browser.get("/"), "actix-test")), "60")
        setsNoCookie(yield* browser.get("/test/"))
        assert.strictEqual(maxAge(theCookie(yield* browser.get("/test/change"), "actix-test")), "60")
      })
  )

  scenario(
    "expiration_is_always_refreshed_if_configured_to_refresh_on_every_request: an untouched session sends it, too",
    {
      cookie: actixTest,
      lifecycle: Config.PersistentSession({ ttl: "60 seconds", ttlExtension: "OnEveryRequest" })
    },
    HttpRouter.empty.pipe(
      HttpRouter.get("/", insertCounter(100)),
      HttpRouter.get("/test/", untouched)
    ),
    (browser) =>
      Effect.gen(function*() {
        assert.strictEqual(maxAge(theCookie(yield* browser.get("/"), "actix-test")), "60")
        assert.strictEqual(maxAge(theCookie(yield* browser.get("/test/"), "actix-test")), "60")
      })
  )

  scenario(
    "complex_workflow: counting, login and logout, with the cookies of earlier steps kept beside",
    { cookie: { name: "test-session" }, lifecycle: Config.PersistentSession({ ttl: "7 days" }) },
    HttpRouter.empty.pipe(
      HttpRouter.get("/", showState),
      HttpRouter.post("/do_something", increment),
      HttpRouter.post("/login", login),
      HttpRouter.post("/logout", logout)
    ),
    (browser) =>
      Effect.gen(function*() {
        const sevenDays = String(7 * 24 * 60 * 60)

        // 1: who only reads gets no session
        const first = yield* browser.get("/")
        setsNoCookie(first)
        assert.deepStrictEqual(stateOf(first), anonymousState)

        // 2: the first write begins one
        const second = yield* browser.post("/do_something")
        assert.strictEqual(maxAge(theCookie(second, "test-session")), sevenDays)
        assert.deepStrictEqual(stateOf(second), { user_id: null, counter: 1 })

        // 3: reading it costs no cookie
        const third = yield* browser.get("/")
        setsNoCookie(third)
        assert.deepStrictEqual(stateOf(third), { user_id: null, counter: 1 })

        // 4: a change sends it again, because its Max-Age starts anew
        const fourth = yield* browser.post("/do_something")
        const cookie2 = theCookie(fourth, "test-session")
        assert.strictEqual(maxAge(cookie2), sevenDays)
        assert.deepStrictEqual(stateOf(fourth), { user_id: null, counter: 2 })
        const beforeLogin = browser.copy()

        // 5: the login renews the key and keeps the state
        const fifth = yield* browser.post("/login", { user_id: "ferris" })
        const cookie3 = theCookie(fifth, "test-session")
        assert.notStrictEqual(cookie3.value, cookie2.value)
        assert.strictEqual(maxAge(cookie3), sevenDays)
        assert.deepStrictEqual(stateOf(fifth), { user_id: "ferris", counter: 2 })

        // 6, 7: the new key opens the session and writes to it
        assert.deepStrictEqual(stateOf(yield* browser.get("/")), { user_id: "ferris", counter: 2 })
        assert.deepStrictEqual(stateOf(yield* browser.post("/do_something")), { user_id: "ferris", counter: 3 })
        const beforeLogout = browser.copy()

        // 8: the key from before the login. A moment after the renewal it belongs to a late request, which is anonymous. A
        // cookie that holds the state itself still holds the old state.
        const eighth = yield* beforeLogin.get("/")
        setsNoCookie(eighth)
        assert.deepStrictEqual(stateOf(eighth), canInvalidate ? anonymousState : { user_id: null, counter: 2 })

        // Beyond the seed: what such a late request writes is not kept, since the session has changed hands, and it is not
        // answered as if it were.
        if (canInvalidate) {
          const late = yield* beforeLogin.post("/do_something")
          setsNoCookie(late)
          assert.strictEqual(late.status, 409)
          assert.strictEqual(late.body, "")
          assert.deepStrictEqual(stateOf(yield* browser.get("/")), { user_id: "ferris", counter: 3 })
        }

        // 9: the logout takes the cookie away
        const ninth = yield* browser.post("/logout")
        const removal = theCookie(ninth, "test-session")
        assert.strictEqual(maxAge(removal), "0")
        assert.strictEqual(removal.attributes.get("path"), "/")
        assert.strictEqual(browser.cookieHeader("/"), undefined)

        // 10: a client that sends the emptied cookie instead of forgetting it is anonymous. The seed allows a store that
        // cannot invalidate to set a cookie here; nothing was written, so here no store may.
        const tenth = yield* TestBrowser.send("/", { headers: { cookie: `test-session=${removal.value}` } })
        setsNoCookie(tenth)
        assert.deepStrictEqual(stateOf(tenth), anonymousState)

        // Beyond the seed: a copy of the cookie that the logout took away
        const eleventh = yield* beforeLogout.get("/")
        setsNoCookie(eleventh)
        assert.deepStrictEqual(stateOf(eleventh), canInvalidate ? anonymousState : { user_id: "ferris", counter: 3 })
      })
  )

  scenario(
    "guard: a middleware inside admits a request by what its session holds",
    { cookie: { name: "test-session", path: "/", domain: "localhost" } },
    HttpRouter.empty.pipe(
      HttpRouter.post("/login", login),
      HttpRouter.post("/do_something", increment),
      HttpRouter.mount(
        "/protected",
        HttpRouter.empty.pipe(HttpRouter.get("/", showState), HttpRouter.use(onlyForUsers))
      )
    ),
    (browser) =>
      Effect.gen(function*() {
        const refused = yield* browser.get("/protected")
        assert.strictEqual(refused.status, 401)
        setsNoCookie(refused)

        yield* browser.post("/do_something")
        assert.strictEqual((yield* browser.get("/protected")).status, 401)

        yield* browser.post("/login", { user_id: "ferris" })
        yield* browser.post("/do_something")
        assert.deepStrictEqual(stateOf(yield* browser.get("/protected")), { user_id: "ferris", counter: 2 })
      })
  )
}
