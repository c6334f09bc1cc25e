/**
 * A session of one's own beside the default one: two cookies in one request, and neither ever opens the other. Also what
 * is refused when an app is built, and what is not.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionGuard from "effect-session/SessionGuard"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import {
  adminCookie,
  AdminSession,
  AdminSessions,
  cookiesOf,
  CurrentAdmin,
  nameIn,
  Server,
  Sessions,
  signIn,
  UserEntry
} from "./app.js"

type Both = Session.Session | AdminSession

const purge = <Self>(session: Context.Tag<Self, Session.Session>) =>
  Effect.flatMap(session, (session) => Effect.as(session.purge, HttpServerResponse.empty()))

const who = Effect.gen(function*() {
  return HttpServerResponse.text(`${yield* nameIn(Session.Session)}, ${yield* nameIn(AdminSession)}`)
})

const administrator = Effect.map(CurrentAdmin, (admin) => HttpServerResponse.text(admin.name))

const demand = { provides: CurrentAdmin, entry: UserEntry }

const RequireAdmin = SessionGuard.make({ ...demand, session: AdminSession })

const router = HttpRouter.empty.pipe(
  HttpRouter.post("/visitor", signIn(Session.Session, "Ada")),
  HttpRouter.post("/administrator", signIn(AdminSession, "Grace")),
  HttpRouter.post("/both", Effect.zipRight(signIn(Session.Session, "Ada"), signIn(AdminSession, "Grace"))),
  HttpRouter.post("/visitor/leave", purge(Session.Session)),
  HttpRouter.get("/who", who),
  HttpRouter.get("/admin", RequireAdmin(administrator)),
  AdminSession.middleware,
  SessionMiddleware.session
)

const layerRoutes = Layer.mergeAll(
  HttpLayerRouter.add("POST", "/visitor", signIn(Session.Session, "Ada")),
  HttpLayerRouter.add("POST", "/administrator", signIn(AdminSession, "Grace")),
  HttpLayerRouter.add(
    "POST",
    "/both",
    Effect.zipRight(signIn(Session.Session, "Ada"), signIn(AdminSession, "Grace"))
  ),
  HttpLayerRouter.add("POST", "/visitor/leave", purge(Session.Session)),
  HttpLayerRouter.add("GET", "/who", who)
)

const layerGuarded = HttpLayerRouter.add("GET", "/admin", administrator).pipe(
  Layer.provide(SessionHttpLayerRouter.guard({ ...demand, session: AdminSession }).layer)
)

class AdminsOfApi extends SessionHttpApi.Tag<AdminsOfApi>()("test/AdminsOfApi", {
  session: AdminSession,
  cookieName: adminCookie
}) {}

class RequireAdminOfApi extends SessionHttpApi.Guard<RequireAdminOfApi>()("test/RequireAdminOfApi", {
  ...demand,
  sessions: AdminsOfApi
}) {}

const api = HttpApi.make("both").add(
  HttpApiGroup.make("all")
    .add(HttpApiEndpoint.post("visitor", "/visitor"))
    .add(HttpApiEndpoint.post("administrator", "/administrator"))
    .add(HttpApiEndpoint.post("both", "/both"))
    .add(HttpApiEndpoint.post("leave", "/visitor/leave"))
    .add(HttpApiEndpoint.get("who", "/who"))
    .add(HttpApiEndpoint.get("admin", "/admin").middleware(RequireAdminOfApi))
).middleware(SessionHttpApi.Sessions).middleware(AdminsOfApi)

const apiGroup = HttpApiBuilder.group(api, "all", (handlers) =>
  handlers
    .handleRaw("visitor", () => signIn(Session.Session, "Ada"))
    .handleRaw("administrator", () => signIn(AdminSession, "Grace"))
    .handleRaw("both", () => Effect.zipRight(signIn(Session.Session, "Ada"), signIn(AdminSession, "Grace")))
    .handleRaw("leave", () => purge(Session.Session))
    .handleRaw("who", () => who)
    .handleRaw("admin", () => administrator))

type Needs =
  | SessionMiddleware.SessionMiddleware
  | SessionMiddleware.SessionMiddleware<AdminSession>
  | HttpServer.HttpServer
  | HttpRouter.HttpRouter.DefaultServices

const routers: Record<string, Layer.Layer<never, never, Needs>> = {
  HttpRouter: HttpServer.serve(router),

  "HttpLayerRouter, per route": HttpLayerRouter.serve(
    Layer.merge(
      layerRoutes.pipe(
        Layer.provide(
          SessionHttpLayerRouter.middleware.combine(SessionHttpLayerRouter.middlewareFor(AdminSession)).layer
        )
      ),
      layerGuarded
    ),
    { disableLogger: true, disableListenLog: true }
  ),

  "HttpLayerRouter, global": HttpLayerRouter.serve(
    Layer.merge(layerRoutes, layerGuarded).pipe(
      Layer.provide(SessionHttpLayerRouter.layerGlobal),
      Layer.provide(SessionHttpLayerRouter.layerGlobalFor(AdminSession))
    ),
    { disableLogger: true, disableListenLog: true }
  ),

  HttpApi: HttpApiBuilder.serve().pipe(
    Layer.provide(HttpApiBuilder.api(api)),
    Layer.provide(apiGroup),
    Layer.provide([SessionHttpApi.Sessions.layer, AdminsOfApi.layer, RequireAdminOfApi.layer])
  )
}

const stores: Record<string, Layer.Layer<SessionStore.SessionStore>> = {
  memory: Layer.orDie(MemorySessionStore.layer()),
  cookie: CookieSessionStore.layer
}

const visitorCookie = Config.defaults.cookie.name

for (const [name, app] of Object.entries(routers)) {
  // Both sessions have the same ring of keys and the same store, so that nothing but their names keeps them apart.
  for (const [store, Store] of Object.entries(stores)) {
    describe(`two sessions through ${name}, store: ${store}`, () => {
      const Backend = Layer.mergeAll(Layer.merge(Sessions, AdminSessions).pipe(Layer.provide(Store)), Server)
      const scenario = (
        title: string,
        body: (browser: TestBrowser.TestBrowser) => Effect.Effect<void, never, HttpServer.HttpServer>
      ) =>
        it.scopedLive(
          title,
          () => Effect.flatMap(TestBrowser.make, body).pipe(Effect.provide(Layer.provideMerge(app, Backend)))
        )

      scenario("have a cookie each, also when one request makes both", (browser) =>
        Effect.gen(function*() {
          const both = yield* browser.post("/both")
          assert.deepStrictEqual(both.setCookies.map(({ name }) => name).sort(), [adminCookie, visitorCookie].sort())
          const sameSite = new Map(both.setCookies.map(({ attributes, name }) => [name, attributes.get("samesite")]))
          assert.strictEqual(sameSite.get(adminCookie), "Strict")
          assert.strictEqual(sameSite.get(visitorCookie), "Lax")
          assert.strictEqual((yield* browser.get("/who")).body, "Ada, Grace")
        }))

      scenario("are made, read and ended one by one", (browser) =>
        Effect.gen(function*() {
          yield* browser.post("/visitor")
          assert.strictEqual((yield* browser.get("/who")).body, "Ada, nobody")
          yield* browser.post("/administrator")
          assert.strictEqual((yield* browser.get("/who")).body, "Ada, Grace")
          const left = yield* browser.post("/visitor/leave")
          assert.deepStrictEqual(left.setCookies.map(({ name }) => name), [visitorCookie])
          assert.strictEqual((yield* browser.get("/who")).body, "nobody, Grace")
        }))

      scenario("never open each other's cookie value", (browser) =>
        Effect.gen(function*() {
          yield* browser.post("/both")
          const cookies = cookiesOf(browser.cookieHeader("/"))
          const as = (visitor: string | undefined, admin: string | undefined) =>
            TestBrowser.send("/who", { headers: { cookie: `${visitorCookie}=${visitor}; ${adminCookie}=${admin}` } })
          const visitor = cookies[visitorCookie]
          const admin = cookies[adminCookie]
          const bodies = yield* Effect.forEach([
            [visitor, admin],
            [admin, visitor],
            [visitor, visitor],
            [admin, admin]
          ], ([first, second]) => Effect.map(as(first, second), ({ body }) => body))
          assert.deepStrictEqual(bodies, ["Ada, Grace", "nobody, nobody", "Ada, nobody", "nobody, Grace"])
        }))

      scenario("have guards of their own", (browser) =>
        Effect.gen(function*() {
          yield* browser.post("/visitor")
          assert.strictEqual((yield* browser.get("/admin")).status, 401)
          yield* browser.post("/administrator")
          assert.strictEqual((yield* browser.get("/admin")).body, "Grace")
        }))
    })
  }
}

describe("two sessions with a lifecycle and a store of their own", () => {
  it.scopedLive("live as long as each says, where each says", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      const both = yield* browser.post("/both")
      const [visitor, admin] = [visitorCookie, adminCookie].map((name) =>
        both.setCookies.find((cookie) => cookie.name === name)!
      )
      assert.strictEqual(visitor!.attributes.get("max-age"), "3600")
      assert.isFalse(admin!.attributes.has("max-age"))
      // A record in memory leaves a key in the cookie, one in the cookie itself the whole state.
      assert.isAbove(visitor!.value.length, admin!.value.length)
      assert.strictEqual((yield* browser.get("/who")).body, "Ada, Grace")
    }).pipe(Effect.provide(
      routers.HttpRouter!.pipe(
        Layer.provideMerge(Server),
        Layer.provide(
          SessionMiddleware.layer({
            keys: Config.generateKey(),
            lifecycle: Config.PersistentSession({ ttl: "1 hour" })
          }).pipe(Layer.provide(CookieSessionStore.layer))
        ),
        Layer.provide(AdminSessions.pipe(Layer.provide(MemorySessionStore.layer())))
      )
    )))
})

describe("an app is refused when it is built", () => {
  const messageOf = (layer: Layer.Layer<any, Config.SessionConfigError, SessionStore.SessionStore>) =>
    Effect.flip(Layer.build(Layer.provide(layer, stores["memory"]!))).pipe(
      Effect.map((error) => [error.option, error.message])
    )

  it.scoped("with two middlewares for one session", () =>
    Effect.gen(function*() {
      const other = SessionMiddleware.layer({ keys: Config.generateKey(), cookie: { name: "__Host-other" } })
      assert.deepStrictEqual(yield* messageOf(Layer.merge(Sessions, other)), [
        "session",
        "session effect-session/Session has a middleware in this app already. Build one layer and provide it to the whole " +
        "app, or give the other one a session of its own: class OtherSession extends " +
        "SessionMiddleware.Tag(\"OtherSession\")<OtherSession>() {}"
      ])
    }))

  it.scoped("with one cookie name for two sessions, whichever is built first", () =>
    Effect.gen(function*() {
      const admins = AdminSession.layer({ keys: Config.generateKey() })
      assert.deepStrictEqual(yield* messageOf(Layer.provideMerge(admins, Sessions)), [
        "cookie.name",
        `cookie.name ${visitorCookie} is the cookie of the session effect-session/Session in this app already. ` +
        "Choose another name for test/AdminSession"
      ])
      assert.deepStrictEqual(yield* messageOf(Layer.provideMerge(Sessions, admins)), [
        "cookie.name",
        `cookie.name ${visitorCookie} is the cookie of the session test/AdminSession in this app already. ` +
        "Choose another name for effect-session/Session"
      ])
    }))

  it.scoped("with two sessions that share a key under a seal that does not bind the cookie's name", () =>
    Effect.gen(function*() {
      const [shared, own, old] = [Config.generateKey(), Config.generateKey(), Config.generateKey()]
      const twoWith = (
        keys: Config.SessionOptions["keys"],
        visitors: Partial<Config.SessionOptions>,
        admins: Partial<Config.SessionOptions> = visitors
      ) =>
        Layer.merge(
          SessionMiddleware.layer({ ...visitors, keys: [old, shared] }),
          AdminSession.layer({ ...admins, keys, cookie: { name: adminCookie } })
        )
      const unbound = { cookieFormat: "CookieRs", contentSecurity: "Signed" } as const
      const byDefault = { cookieFormat: "CookieRs" } as const
      const bound = { cookieFormat: "CookieRs", contentSecurity: "Private" } as const
      for (
        const swappable of [
          twoWith([own, shared], unbound),
          twoWith(shared, unbound)
        ]
      ) {
        const [option, message] = yield* messageOf(swappable)
        assert.strictEqual(option, "keys")
        assert.match(
          message!,
          /Give each session keys of its own, or use contentSecurity Private or cookieFormat Effect/
        )
        assert.notInclude(message!, Redacted.value(shared))
      }
      for (
        const sound of [
          twoWith(own, unbound),
          twoWith(own, byDefault),
          twoWith(shared, bound),
          twoWith(shared, byDefault),
          twoWith(shared, unbound, byDefault),
          twoWith(shared, { contentSecurity: "Signed" }),
          twoWith(shared, {}),
          twoWith(shared, unbound, bound),
          twoWith(shared, byDefault, bound)
        ]
      ) {
        yield* Layer.build(Layer.provide(sound, stores["memory"]!))
      }
    }))

  it.scoped("also where the second one is deep inside a part of the app", () =>
    Effect.gen(function*() {
      const admins = AdminSession.layer({ keys: Config.generateKey() })
      const part = Layer.scopedDiscard(SessionMiddleware.forSession(AdminSession)).pipe(Layer.provide(admins))
      const [option] = yield* messageOf(Layer.merge(part, Sessions))
      assert.strictEqual(option, "cookie.name")
    }))
})

describe("an app is not refused", () => {
  const Store = stores["memory"]!
  const app = Layer.mergeAll(Sessions, AdminSessions).pipe(Layer.provide(Store))

  it.scopedLive("because another app runs in the same process", () =>
    Effect.gen(function*() {
      const launched = routers.HttpRouter!.pipe(Layer.provide(app), Layer.provideMerge(Server))
      for (const context of [yield* Layer.build(launched), yield* Layer.build(launched)]) {
        assert.strictEqual((yield* Effect.provide(TestBrowser.send("/who"), context)).body, "nobody, nobody")
      }
    }))

  it.live("because another runtime has the same sessions", () =>
    Effect.promise(async () => {
      const runtimes = [ManagedRuntime.make(app), ManagedRuntime.make(app)]
      const [one, other] = await Promise.all(
        runtimes.map((runtime) => runtime.runPromise(SessionMiddleware.SessionMiddleware))
      )
      assert.notStrictEqual(one, other)
      await Promise.all(runtimes.map((runtime) => runtime.dispose()))
    }))

  it.scoped("because a part of it is built again after it was released", () =>
    Effect.gen(function*() {
      const memoMap = yield* Layer.makeMemoMap
      const buildIn = (
        scope: Scope.Scope,
        sessions: Layer.Layer<any, Config.SessionConfigError, SessionStore.SessionStore>
      ) => Layer.buildWithMemoMap(Layer.provide(sessions, Store), memoMap, scope)
      yield* buildIn(yield* Effect.scope, AdminSessions)
      const released = yield* Scope.make()
      yield* buildIn(released, Sessions)
      yield* Scope.close(released, Exit.void)
      yield* buildIn(yield* Effect.scope, Sessions)
    }))

  it.scoped("because one layer is provided in two places", () =>
    Effect.gen(function*() {
      const part = Layer.effectDiscard(SessionMiddleware.SessionMiddleware).pipe(Layer.provide(Sessions))
      yield* Layer.build(Layer.mergeAll(part, part, Sessions).pipe(Layer.provide(Store)))
    }))
})

describe("types", () => {
  it("one session's middleware does not stand in for the other's", () => {
    const served = HttpServer.serve(
      HttpRouter.empty.pipe(HttpRouter.get("/who", who), SessionMiddleware.session)
    )
    // @ts-expect-error: nobody provides AdminSession
    const complete: Layer.Layer<never, never, Needs> = served
    void complete
    const both: HttpRouter.HttpRouter<unknown, Both> = HttpRouter.empty.pipe(HttpRouter.get("/who", who))
    void both
  })

  it("one session's layer does not stand in for the other's", () => {
    const built = routers.HttpRouter!.pipe(Layer.provide(Sessions))
    // @ts-expect-error: the middleware of AdminSession is still missing
    const complete: Layer.Layer<never, never, HttpServer.HttpServer | HttpRouter.HttpRouter.DefaultServices> = built
    void complete
  })
})
