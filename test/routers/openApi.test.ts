/**
 * What OpenAPI and the Swagger page say of a session: its cookie, who demands it, and what it answers with.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as OpenApi from "@effect/platform/OpenApi"
import { assert, describe, it } from "@effect/vitest"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import {
  adminCookie,
  AdminSession,
  collect,
  CurrentAdmin,
  CurrentUser,
  Server,
  Sessions,
  Store,
  User,
  UserEntry
} from "./app.js"

class RequireUser extends SessionHttpApi.Guard<RequireUser>()("test/RequireUser", {
  provides: CurrentUser,
  entry: UserEntry
}) {}

class AdminSessions extends SessionHttpApi.Tag<AdminSessions>()("test/AdminSessions", {
  session: AdminSession,
  cookieName: adminCookie,
  description: "The cookie of an administrator"
}) {}

class RequireAdmin extends SessionHttpApi.Guard<RequireAdmin>()("test/RequireAdmin", {
  sessions: AdminSessions,
  provides: CurrentAdmin,
  entry: UserEntry
}) {}

const welcome = HttpApiEndpoint.get("welcome", "/").addSuccess(User)
const me = HttpApiEndpoint.get("me", "/me").addSuccess(User)

class Api extends HttpApi.make("api").add(
  HttpApiGroup.make("account").add(welcome).add(me.middleware(RequireUser))
).middleware(SessionHttpApi.Sessions) {}

const cookieScheme = {
  type: "apiKey",
  in: "cookie",
  name: "__Host-id",
  description: "The session cookie. The server sets it, and no client makes one."
}

const failures = {
  500: { description: "The session could not be read or changed" },
  503: { description: "The session store is not available" }
}

// Through JSON, as readers get it.
const specOf = (api: HttpApi.HttpApi<any, any, any, any>): OpenApi.OpenAPISpec =>
  JSON.parse(JSON.stringify(OpenApi.fromApi(api)))

describe("OpenAPI", () => {
  it("has the session cookie as a scheme, at the API when the session is there", () => {
    const spec = specOf(Api)
    assert.deepStrictEqual<unknown>(spec.components.securitySchemes, { session: cookieScheme })
    assert.deepStrictEqual(spec.security, [{ session: [] }])
  })

  it("demands the cookie of guarded operations, and of no other one", () => {
    const { paths } = specOf(Api)
    assert.deepStrictEqual(paths["/me"]?.get?.security, [{ session: [] }])
    assert.deepStrictEqual(paths["/"]?.get?.security, [])
  })

  it("describes 401 where there is a guard, and 500 and 503 without a body where there is a session", () => {
    const { paths } = specOf(Api)
    const welcomed = paths["/"]!.get!.responses
    assert.deepInclude(welcomed, failures)
    assert.notProperty(welcomed, "401")
    const { 401: unauthorized, ...others } = paths["/me"]!.get!.responses
    assert.deepInclude(others, failures)
    assert.strictEqual(unauthorized?.description, "The session has no such value: sign in first")
    assert.deepStrictEqual(Object.keys(unauthorized?.content ?? {}), ["application/json"])
  })

  for (
    const [level, api] of [
      [
        "group",
        HttpApi.make("group").add(HttpApiGroup.make("account").add(welcome).middleware(SessionHttpApi.Sessions))
      ],
      [
        "endpoint",
        HttpApi.make("endpoint").add(HttpApiGroup.make("account").add(welcome.middleware(SessionHttpApi.Sessions)))
      ]
    ] as const
  ) {
    it(`has the cookie at the operation when the session is on the ${level}`, () => {
      const spec = specOf(api)
      assert.deepStrictEqual<unknown>(spec.components.securitySchemes, { session: cookieScheme })
      assert.deepStrictEqual(spec.security, [])
      assert.deepStrictEqual(spec.paths["/"]?.get?.security, [{ session: [] }])
      assert.containsAllKeys(spec.paths["/"]?.get?.responses, ["500", "503"])
    })
  }

  it("has a scheme for each of several sessions, and guards demand their own", () => {
    const spec = specOf(
      HttpApi.make("both").add(
        HttpApiGroup.make("account").add(me.middleware(RequireUser)).add(
          HttpApiEndpoint.get("admin", "/admin").addSuccess(User).middleware(RequireAdmin)
        )
      ).middleware(SessionHttpApi.Sessions).middleware(AdminSessions)
    )
    assert.deepStrictEqual<unknown>(spec.components.securitySchemes, {
      session: cookieScheme,
      test_AdminSession: { ...cookieScheme, name: adminCookie, description: "The cookie of an administrator" }
    })
    assert.deepStrictEqual(spec.paths["/me"]?.get?.security, [{ session: [] }])
    assert.deepStrictEqual(spec.paths["/admin"]?.get?.security, [{ test_AdminSession: [] }])
  })

  it("has a second scheme for clients that keep no cookies, where the session says so, and guards show both", () => {
    class Both extends SessionHttpApi.Tag<Both>()("test/Both", { bearerScheme: "sessionBearer" }) {}
    class RequireEither extends SessionHttpApi.Guard<RequireEither>()("test/RequireEither", {
      sessions: Both,
      provides: CurrentUser,
      entry: UserEntry
    }) {}
    const spec = specOf(
      HttpApi.make("either").add(HttpApiGroup.make("account").add(me.middleware(RequireEither))).middleware(Both)
    )
    const { session, sessionBearer, ...others } = spec.components.securitySchemes
    assert.deepStrictEqual<unknown>(session, cookieScheme)
    assert.deepInclude<unknown>(sessionBearer, { type: "http", scheme: "bearer" })
    assert.deepStrictEqual(others, {})
    assert.deepStrictEqual(spec.paths["/me"]?.get?.security, [{ session: [] }, { sessionBearer: [] }])
  })

  it("names schemes as OpenAPI allows", () => {
    for (const scheme of Object.keys(AdminSessions.security)) {
      assert.match(scheme, /^[a-zA-Z0-9._-]+$/)
    }
  })
})

const AccountLive = HttpApiBuilder.group(
  Api,
  "account",
  (handlers) =>
    handlers.handle("welcome", () => Effect.succeed(new User({ name: "visitor" }))).handle("me", () => CurrentUser)
)
const Middlewares = Layer.mergeAll(SessionHttpApi.Sessions.layer, RequireUser.layer)
const Backend = Layer.mergeAll(Layer.provideMerge(Sessions, Store), Server)

describe("the served description", () => {
  for (
    const [name, app] of [
      [
        "HttpApiBuilder",
        HttpApiBuilder.serve().pipe(
          Layer.provide(HttpApiSwagger.layer({ path: "/docs" })),
          Layer.provide(HttpApiBuilder.middlewareOpenApi()),
          Layer.provide(HttpApiBuilder.api(Api)),
          Layer.provide(AccountLive),
          Layer.provide(Middlewares)
        )
      ],
      [
        "HttpLayerRouter",
        HttpLayerRouter.serve(
          Layer.mergeAll(
            HttpLayerRouter.addHttpApi(Api, { openapiPath: "/openapi.json" }),
            HttpApiSwagger.layerHttpLayerRouter({ api: Api, path: "/docs" })
          ),
          { disableLogger: true, disableListenLog: true }
        ).pipe(Layer.provide(AccountLive), Layer.provide(Middlewares))
      ]
    ] as const
  ) {
    it.scopedLive(`is that of the API, as JSON and on the Swagger page, through ${name}`, () =>
      Effect.gen(function*() {
        const json = yield* TestBrowser.send("/openapi.json")
        assert.deepStrictEqual(JSON.parse(json.body), specOf(Api))
        const docs = yield* TestBrowser.send("/docs")
        assert.strictEqual(docs.status, 200)
        assert.match(docs.headers.get("content-type") ?? "", /^text\/html/)
        const [, embedded] = /<script id="swagger-spec" type="application\/json">(.*?)<\/script>/s.exec(docs.body)!
        assert.deepStrictEqual(JSON.parse(embedded!), specOf(Api))
      }).pipe(Effect.provide(Layer.provideMerge(app, Backend))))
  }
})

describe("a description that names another cookie than the configuration", () => {
  class Elsewhere extends SessionHttpApi.Tag<Elsewhere>()("test/Elsewhere", { cookieName: "sid" }) {}
  class RequireUserElsewhere extends SessionHttpApi.Guard<RequireUserElsewhere>()("test/RequireUserElsewhere", {
    sessions: Elsewhere,
    provides: CurrentUser,
    entry: UserEntry
  }) {}

  const warningsOf = (layer: Layer.Layer<any, never, Layer.Layer.Context<typeof Middlewares>>) =>
    Effect.gen(function*() {
      const said: Array<string> = []
      const Log = Logger.replace(Logger.defaultLogger, collect(said, LogLevel.Warning))
      yield* Layer.build(layer.pipe(Layer.provide(Sessions), Layer.provide(Store), Layer.provide(Log)))
      return said
    })

  it.scoped("is warned of, once, with the mend", () =>
    Effect.gen(function*() {
      const said = yield* warningsOf(Layer.mergeAll(RequireUserElsewhere.layer, Elsewhere.layer))
      assert.deepStrictEqual(said, [
        "The API's description names the session cookie sid, but its name is __Host-id. " +
        "Give test/Elsewhere the cookieName \"__Host-id\", or change cookie.name."
      ])
      assert.strictEqual((yield* warningsOf(RequireUserElsewhere.layer)).length, 1)
    }))

  it.scoped("is not warned of when both agree", () =>
    Effect.map(warningsOf(Middlewares), (said) => assert.deepStrictEqual(said, [])))
})
