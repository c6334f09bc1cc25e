/**
 * Sessions and guards of an `HttpApi`, wherever they stand and however the API is served, over real sockets.
 */
import * as Cookies from "@effect/platform/Cookies"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiClient from "@effect/platform/HttpApiClient"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionGuard from "effect-session/SessionGuard"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import {
  countVisit,
  CurrentUser,
  Server,
  serveWeb,
  Sessions,
  signedInCookie,
  signIn,
  Store,
  StoreProbe,
  takeCalls,
  User,
  UserEntry,
  visit
} from "./app.js"

class RequireUser extends SessionHttpApi.Guard<RequireUser>()("test/RequireUser", {
  provides: CurrentUser,
  entry: UserEntry
}) {}

const Middlewares = Layer.mergeAll(SessionHttpApi.Sessions.layer, RequireUser.layer)

/** What an app needs besides itself, the probe of its store and the address of its server included. */
const Backend = Layer.mergeAll(Layer.provideMerge(Sessions, Store), Server)

const Me = Schema.Struct({ name: Schema.String, visits: Schema.Number })

const me = HttpApiEndpoint.get("me", "/me").addSuccess(Me)

const Model = HttpApi.make("test").add(
  HttpApiGroup.make("account").add(me.middleware(SessionHttpApi.Sessions).middleware(RequireUser))
)

type Level = "API" | "group" | "endpoint"

/** The API of `Model` with its two middlewares elsewhere, which the types of an endpoint's handler do not show. */
const placed = (middlewares: ReadonlyArray<readonly [Level, any]>): typeof Model => {
  const put = <A extends { middleware(tag: any): any }>(level: Level, on: A): A =>
    middlewares.reduce((on, [at, tag]) => at === level ? on.middleware(tag) : on, on)
  return put(
    "API",
    HttpApi.make("test").add(put("group", HttpApiGroup.make("account").add(put("endpoint", me))))
  ) as any
}

type Served = Layer.Layer<
  never,
  never,
  SessionMiddleware.SessionMiddleware | HttpServer.HttpServer | HttpRouter.HttpRouter.DefaultServices
>

const serving: Record<string, (api: typeof Model) => Served> = {
  "HttpApiBuilder.serve": (api) =>
    HttpApiBuilder.serve().pipe(
      Layer.provide(HttpApiBuilder.api(api)),
      Layer.provide(live(api)),
      Layer.provide(Middlewares)
    ),

  "HttpLayerRouter.addHttpApi": (api) =>
    HttpLayerRouter.serve(HttpLayerRouter.addHttpApi(api), { disableLogger: true, disableListenLog: true }).pipe(
      Layer.provide(live(api)),
      Layer.provide(Middlewares)
    ),

  "HttpApiBuilder.toWebHandler": (api) =>
    Layer.unwrapScoped(Effect.gen(function*() {
      const backend = yield* Effect.context<SessionMiddleware.SessionMiddleware>()
      const { dispose, handler } = HttpApiBuilder.toWebHandler(
        HttpApiBuilder.api(api).pipe(
          Layer.provide(live(api)),
          Layer.provide(Middlewares),
          Layer.provide(Layer.succeedContext(backend)),
          Layer.merge(HttpServer.layerContext)
        )
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      return serveWeb(handler)
    }))
}

const live = (api: typeof Model) =>
  HttpApiBuilder.group(api, "account", (handlers) =>
    handlers.handle("me", () =>
      Effect.gen(function*() {
        const user = yield* CurrentUser
        return { name: user.name, visits: yield* countVisit }
      })))

const levels: ReadonlyArray<Level> = ["API", "group", "endpoint"]

const placements = levels.flatMap((sessionAt) =>
  levels.flatMap((guardAt) => {
    const session = [sessionAt, SessionHttpApi.Sessions] as const
    const guard = [guardAt, RequireUser] as const
    return [
      { title: `session on the ${sessionAt}, then guard on the ${guardAt}`, api: placed([session, guard]) },
      // Only on one and the same level is there an order of adding.
      ...(sessionAt === guardAt
        ? [{ title: `guard on the ${guardAt}, then session on the ${sessionAt}`, api: placed([guard, session]) }]
        : [])
    ]
  })
)

for (const [name, serve] of Object.entries(serving)) {
  describe(name, () => {
    for (const { api, title } of placements) {
      it.scopedLive(`${title}: one session, and no way past the guard`, () =>
        Effect.gen(function*() {
          const { browser, probe } = yield* visit
          const refused = yield* browser.get("/me")
          assert.strictEqual(refused.status, 401)
          assert.deepStrictEqual(refused.setCookies, [])
          assert.deepStrictEqual(takeCalls(probe), [])

          const cookie = yield* signedInCookie("Ada")
          takeCalls(probe)
          for (const visits of [1, 2]) {
            const answer = yield* browser.request("/me", { headers: { cookie } })
            assert.strictEqual(answer.status, 200)
            assert.deepStrictEqual(JSON.parse(answer.body), { name: "Ada", visits })
            assert.deepStrictEqual(takeCalls(probe), ["load", "update"])
          }
        }).pipe(Effect.provide(Layer.provideMerge(serve(api), Backend))))
    }
  })
}

class Boom extends Schema.TaggedError<Boom>()("Boom", { what: Schema.String }) {}
class Busy extends Schema.TaggedError<Busy>()("Busy", { until: Schema.Number }) {}

class Account extends HttpApiGroup.make("account")
  .add(HttpApiEndpoint.post("login", "/login").setPayload(User))
  .add(HttpApiEndpoint.get("me", "/me").addSuccess(User).middleware(RequireUser))
  .add(HttpApiEndpoint.get("count", "/count").addSuccess(Schema.Number))
  .add(HttpApiEndpoint.get("unreadable", "/unreadable").addSuccess(Schema.Boolean))
  .add(HttpApiEndpoint.get("plain", "/plain").addSuccess(Schema.String))
  .add(
    HttpApiEndpoint.get("boom", "/boom")
      .setUrlParams(Schema.Struct({ isBusy: Schema.BooleanFromString }))
      .addError(Boom, { status: 500 })
      .addError(Busy, { status: 503 })
  )
{}

class Api extends HttpApi.make("api").add(Account).middleware(SessionHttpApi.Sessions) {}

const AccountLive = HttpApiBuilder.group(Api, "account", (handlers) =>
  handlers
    .handle("login", ({ payload }) => Effect.asVoid(signIn(Session.Session, payload.name)))
    .handle("me", () => CurrentUser)
    .handle("count", () => countVisit)
    .handle("unreadable", () =>
      Effect.flatMap(Session.Session, (session) =>
        session.get(UserEntry.key, Schema.Boolean)).pipe(
          Effect.map((found) => found._tag === "Some")
        ))
    .handle("plain", () =>
      Effect.succeed("nothing to do with the session"))
    .handle("boom", ({ urlParams }) =>
      urlParams.isBusy ? Effect.fail(new Busy({ until: 7 })) : Effect.fail(new Boom({ what: "fuse" }))))

const ApiLive = HttpApiBuilder.serve().pipe(
  Layer.provide(HttpApiBuilder.api(Api)),
  Layer.provide(AccountLive),
  Layer.provide(Middlewares)
)

/** A client that keeps cookies as a browser does. */
const makeClient = Effect.gen(function*() {
  const { address } = yield* HttpServer.HttpServer
  assert(address._tag === "TcpAddress")
  const jar = yield* Ref.make(Cookies.empty)
  return yield* HttpApiClient.make(Api, {
    baseUrl: `http://127.0.0.1:${address.port}`,
    transformClient: HttpClient.withCookiesRef(jar)
  })
}).pipe(Effect.provide(FetchHttpClient.layer))

const scenario = (title: string, body: Effect.Effect<void, unknown, HttpServer.HttpServer | StoreProbe>) =>
  it.scopedLive(title, () => Effect.provide(body, Layer.provideMerge(ApiLive, Backend)))

describe("a generated client", () => {
  scenario(
    "signs in, is known from then on, and counts in its session",
    Effect.gen(function*() {
      const { account } = yield* makeClient
      assert.deepStrictEqual(yield* Effect.flip(account.me()), new SessionGuard.Unauthorized())
      yield* account.login({ payload: new User({ name: "Ada" }) })
      assert.deepStrictEqual(yield* account.me(), new User({ name: "Ada" }))
      assert.strictEqual(yield* account.count(), 1)
      assert.strictEqual(yield* account.count(), 2)
    })
  )

  scenario(
    "learns that the store is away, from a request that reads and from one that only writes",
    Effect.gen(function*() {
      const { account } = yield* makeClient
      yield* account.login({ payload: new User({ name: "Ada" }) })
      const probe = yield* StoreProbe
      probe.isAway = true
      const calls = [account.me(), account.count(), account.login({ payload: new User({ name: "Grace" }) })]
      for (const call of calls) {
        const error = yield* Effect.flip(call as Effect.Effect<unknown, unknown>)
        assert.instanceOf(error, Session.SessionGetError)
        assert.strictEqual(error.reason, "StoreUnavailable")
      }
      probe.isAway = false
      assert.deepStrictEqual(yield* account.me(), new User({ name: "Ada" }))
    })
  )

  scenario(
    "learns that its session cannot be read",
    Effect.gen(function*() {
      const { account } = yield* makeClient
      yield* account.login({ payload: new User({ name: "Ada" }) })
      const error = yield* Effect.flip(account.unreadable())
      assert.instanceOf(error, Session.SessionGetError)
      assert.strictEqual(error.reason, "DecodeFailed")
    })
  )

  scenario(
    "is told an error of the app's own apart from one of the session with the same status",
    Effect.gen(function*() {
      const { account } = yield* makeClient
      const boom = (isBusy: boolean) => Effect.flip(account.boom({ urlParams: { isBusy } }))
      assert.deepStrictEqual(yield* boom(false), new Boom({ what: "fuse" }))
      assert.deepStrictEqual(yield* boom(true), new Busy({ until: 7 }))
    })
  )

  it("knows the errors by their types", () => {
    type Client = Effect.Effect.Success<typeof makeClient>["account"]
    type ErrorOf<Name extends keyof Client> = Extract<
      Effect.Effect.Error<ReturnType<Client[Name]>>,
      SessionGuard.Unauthorized | Session.SessionGetError | Session.SessionInsertError
    >
    expectTypeOf<ErrorOf<"me">>().toEqualTypeOf<
      SessionGuard.Unauthorized | Session.SessionGetError | Session.SessionInsertError
    >()
    expectTypeOf<ErrorOf<"count">>().toEqualTypeOf<Session.SessionGetError | Session.SessionInsertError>()
  })
})

describe("the answers of an API with sessions", () => {
  scenario(
    "say no more than a status when the session fails",
    Effect.gen(function*() {
      const { browser, probe } = yield* visit
      yield* browser.post("/login", { name: "Ada" })
      const unreadable = yield* browser.get("/unreadable")
      assert.deepStrictEqual([unreadable.status, unreadable.body], [500, ""])
      probe.isAway = true
      for (const path of ["/count", "/me", "/unreadable"]) {
        const away = yield* browser.get(path)
        assert.deepStrictEqual([away.status, away.body, away.setCookies], [503, "", []])
      }
    })
  )

  scenario(
    "are 401 with the error's tag at the guard",
    Effect.gen(function*() {
      const { browser } = yield* visit
      const answer = yield* browser.get("/me")
      assert.deepStrictEqual([answer.status, JSON.parse(answer.body)], [401, { _tag: "Unauthorized" }])
    })
  )

  scenario(
    "are the same whatever else is in the Cookie header",
    Effect.gen(function*() {
      const { browser } = yield* visit
      yield* browser.post("/login", { name: "Ada" })
      for (const junk of ["__proto__=1", "constructor=1; toString=2", "=; ;%; a=%E0%A4%A", "__Host-id=%"]) {
        const headers = { cookie: `${junk}; ${browser.cookieHeader("/")}` }
        assert.strictEqual((yield* TestBrowser.send("/me", { headers })).status, 200)
        assert.strictEqual((yield* TestBrowser.send("/me", { headers: { cookie: junk } })).status, 401)
      }
    })
  )

  scenario(
    "cost nothing where the handler leaves the session alone, and where there is no such endpoint",
    Effect.gen(function*() {
      const { browser, probe } = yield* visit
      yield* browser.post("/login", { name: "Ada" })
      takeCalls(probe)
      for (const [path, status] of [["/plain", 200], ["/nowhere", 404]] as const) {
        const answer = yield* browser.get(path)
        assert.deepStrictEqual([answer.status, answer.setCookies], [status, []])
        assert.isNull(answer.headers.get("vary"))
      }
      assert.deepStrictEqual(takeCalls(probe), [])
    })
  )
})

describe("a guard without the session's middleware", () => {
  const alone = HttpApi.make("alone").add(
    HttpApiGroup.make("account").add(
      HttpApiEndpoint.get("me", "/me").addSuccess(User).middleware(RequireUser)
    )
  )
  const app = HttpApiBuilder.serve().pipe(
    Layer.provide(HttpApiBuilder.api(alone)),
    Layer.provide(HttpApiBuilder.group(alone, "account", (handlers) => handlers.handle("me", () => CurrentUser))),
    Layer.provide(RequireUser.layer)
  )

  it.scopedLive("opens the session itself", () =>
    Effect.gen(function*() {
      const { browser, probe } = yield* visit
      const cookie = yield* signedInCookie("Ada")
      takeCalls(probe)
      assert.strictEqual((yield* browser.get("/me")).status, 401)
      const answer = yield* browser.request("/me", { headers: { cookie } })
      assert.deepStrictEqual([answer.status, JSON.parse(answer.body)], [200, { name: "Ada" }])
      assert.strictEqual(answer.headers.get("vary"), "Cookie")
      assert.deepStrictEqual(takeCalls(probe), ["load"])
    }).pipe(Effect.provide(Layer.provideMerge(app, Backend))))
})

describe("an API's session and guard", () => {
  const api = placed([["API", SessionHttpApi.Sessions], ["endpoint", RequireUser]])

  /** A session around the API, and something of the app's own in between that writes to it. */
  const counting = <E>() =>
    Effect.map(
      SessionMiddleware.SessionMiddleware,
      (middleware) => (app: HttpApp.Default<E>) =>
        SessionMiddleware.sessionWith(middleware)(Effect.zipRight(Effect.orDie(countVisit), app))
    )

  const around: Record<string, Served> = {
    "HttpApiBuilder.middleware": HttpApiBuilder.serve().pipe(
      Layer.provide(
        HttpApiBuilder.middleware(counting<never>())
      ),
      Layer.provide(HttpApiBuilder.api(api)),
      Layer.provide(live(api)),
      Layer.provide(Middlewares)
    ),
    "HttpLayerRouter.middleware": HttpLayerRouter.serve(
      Layer.merge(
        HttpLayerRouter.addHttpApi(api),
        HttpLayerRouter.middleware(counting<HttpLayerRouter.unhandled>(), { global: true })
      ),
      { disableLogger: true, disableListenLog: true }
    ).pipe(Layer.provide(live(api)), Layer.provide(Middlewares))
  }

  for (const [name, app] of Object.entries(around)) {
    it.scopedLive(`share the session of ${name} around them`, () =>
      Effect.gen(function*() {
        const { browser, probe } = yield* visit
        const cookie = yield* signedInCookie("Ada")
        takeCalls(probe)
        const answer = yield* browser.request("/me", { headers: { cookie } })
        assert.deepStrictEqual(JSON.parse(answer.body), { name: "Ada", visits: 2 })
        assert.deepStrictEqual(takeCalls(probe), ["load", "update"])
      }).pipe(Effect.provide(Layer.provideMerge(app, Backend))))
  }
})

describe("types", () => {
  const bare = HttpApi.make("bare").add(
    HttpApiGroup.make("account").add(HttpApiEndpoint.get("me", "/me").addSuccess(User))
  )
  type Bare = HttpApiGroup.ApiGroup<"bare", "account">

  it("a handler yields the guarded value behind the guard alone", () => {
    const unguarded = HttpApiBuilder.group(bare, "account", (handlers) => handlers.handle("me", () => CurrentUser))
    // @ts-expect-error: no guard provides CurrentUser
    const complete: Layer.Layer<Bare> = unguarded
    void complete
  })

  it("a handler yields the session behind the session's middleware alone", () => {
    const withoutSession = HttpApiBuilder.group(
      bare,
      "account",
      (handlers) => handlers.handle("me", () => Effect.as(Session.Session, new User({ name: "Ada" })))
    )
    // @ts-expect-error: no middleware provides Session
    const complete: Layer.Layer<Bare> = withoutSession
    void complete
  })
})
