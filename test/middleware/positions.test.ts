/**
 * The middleware in every position that the platform has for one, around a handler with every outcome, over real
 * sockets.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"

const Counter = Session.entry("counter", Schema.NonNegativeInt)

const count = Effect.gen(function*() {
  const session = yield* Session.Session
  return yield* session.updateOr(Counter, 1, (n) => n + 1)
})

const outcomes = {
  "/success": Effect.map(count, (n) => HttpServerResponse.text(String(n))),
  "/failure": Effect.zipRight(count, Effect.fail("typed failure")),
  "/defect": Effect.zipRight(count, Effect.die("defect")),
  "/interruption": Effect.zipRight(count, Effect.interrupt),
  "/purge-interrupted": Effect.flatMap(Session.Session, (session) => Effect.zipRight(session.purge, Effect.interrupt)),
  "/read": Effect.gen(function*() {
    const session = yield* Session.Session
    return HttpServerResponse.text(String((yield* session.get(Counter)).pipe((n) => n._tag === "Some" ? n.value : 0)))
  }).pipe(Effect.orDie)
}

const paths = Object.keys(outcomes) as Array<keyof typeof outcomes>

const router = paths.reduce(
  (router, path) => HttpRouter.get(router, path, outcomes[path]),
  HttpRouter.empty as HttpRouter.HttpRouter<unknown, Session.Session>
)

const Middleware = SessionMiddleware.layer({ keys: Config.generateKey() }).pipe(
  Layer.provide(MemorySessionStore.layer())
)

const Server = NodeHttpServer.layer(createServer, { port: 0 })

class Sessions extends HttpApiMiddleware.Tag<Sessions>()("test/Sessions", { provides: Session.Session }) {}

// The endpoints are made in a loop, which the types of an HttpApi cannot follow.
const api = (placed: "api" | "group" | "endpoint" | "nowhere") => {
  let group: any = HttpApiGroup.make("all")
  for (const path of paths) {
    const endpoint = HttpApiEndpoint.get(path.slice(1), path).addSuccess(Schema.String)
    group = group.add(placed === "endpoint" ? endpoint.middleware(Sessions) : endpoint)
  }
  const api = HttpApi.make("test").add(placed === "group" ? group.middleware(Sessions) : group)
  const built: any = placed === "api" ? api.middleware(Sessions) : api
  const handlers: any = HttpApiBuilder.group(built, "all" as never, (handlers: any) => {
    for (const path of paths) {
      handlers = handlers.handleRaw(path.slice(1), () => outcomes[path])
    }
    return handlers
  })
  return HttpApiBuilder.api(built).pipe(
    Layer.provide(handlers),
    Layer.provide(Layer.effect(Sessions, Effect.map(SessionMiddleware.SessionMiddleware, SessionMiddleware.open)))
  ) as Layer.Layer<HttpApi.Api, never, SessionMiddleware.SessionMiddleware>
}

const bound = Effect.gen(function*() {
  return SessionMiddleware.sessionWith(yield* SessionMiddleware.SessionMiddleware)
})

const layerRoutes = Layer.mergeAll(
  ...paths.map((path) => HttpLayerRouter.add("GET", path, outcomes[path])) as [Layer.Layer<never>]
)

interface Position {
  readonly app: Layer.Layer<never, unknown, HttpServer.HttpServer | SessionMiddleware.SessionMiddleware>
}

const positions: Record<string, Position> = {
  "HttpServer.serve(middleware)": {
    app: router.pipe(HttpServer.serve(SessionMiddleware.session))
  },
  "app.pipe(middleware)": { app: HttpServer.serve(router.pipe(SessionMiddleware.session)) },
  "HttpRouter.use(middleware)": { app: HttpServer.serve(router.pipe(HttpRouter.use(SessionMiddleware.session))) },
  "a mounted router with the middleware": {
    app: HttpServer.serve(
      HttpRouter.empty.pipe(HttpRouter.mount("/", router.pipe(HttpRouter.use(SessionMiddleware.session))))
    )
  },
  "twice: serve and pipe": {
    app: router.pipe(SessionMiddleware.session, HttpServer.serve(SessionMiddleware.session))
  },
  "three times: pipe, use and mount": {
    app: HttpServer.serve(
      HttpRouter.empty.pipe(
        HttpRouter.mount("/", router.pipe(HttpRouter.use(SessionMiddleware.session))),
        HttpRouter.use(SessionMiddleware.session),
        SessionMiddleware.session
      )
    )
  },
  "inside the logger, around CORS": {
    app: HttpServer.serve(router.pipe(HttpMiddleware.cors(), SessionMiddleware.session), HttpMiddleware.logger)
  },
  "inside CORS": { app: HttpServer.serve(router.pipe(SessionMiddleware.session, HttpMiddleware.cors())) },
  "behind xForwardedHeaders, twice": {
    app: HttpServer.serve(
      router.pipe(SessionMiddleware.session, HttpMiddleware.xForwardedHeaders, SessionMiddleware.session)
    )
  },
  "HttpLayerRouter.middleware, per route": {
    app: HttpLayerRouter.serve(
      Layer.provide(
        layerRoutes,
        HttpLayerRouter.middleware<{ provides: Session.Session }>()(
          Effect.gen(function*() {
            return SessionMiddleware.sessionWith(yield* SessionMiddleware.SessionMiddleware)
          })
        ).layer
      ),
      { disableLogger: true }
    )
  },
  "HttpLayerRouter.middleware, global": {
    app: HttpLayerRouter.serve(
      Layer.mergeAll(
        layerRoutes,
        HttpLayerRouter.middleware<{ provides: Session.Session }>()(bound as never, { global: true })
      ) as never,
      { disableLogger: true }
    )
  },
  "HttpLayerRouter.serve({ middleware })": {
    app: Layer.unwrapEffect(
      Effect.map(
        bound,
        (middleware) => HttpLayerRouter.serve(layerRoutes, { disableLogger: true, middleware: middleware as never })
      )
    )
  },
  "HttpApiBuilder.serve(middleware)": {
    app: HttpApiBuilder.serve(SessionMiddleware.session as never).pipe(
      Layer.provide(api("nowhere"))
    ) as Position["app"]
  },
  "HttpApiBuilder.middleware": {
    app: HttpApiBuilder.serve().pipe(
      Layer.provide(HttpApiBuilder.middleware(bound as never) as never),
      Layer.provide(api("nowhere"))
    ) as Position["app"]
  },
  "HttpApiMiddleware.Tag on the API": {
    app: HttpApiBuilder.serve().pipe(Layer.provide(api("api"))) as Position["app"]
  },
  "HttpApiMiddleware.Tag on the group": {
    app: HttpApiBuilder.serve().pipe(Layer.provide(api("group"))) as Position["app"]
  },
  "HttpApiMiddleware.Tag on the endpoint": {
    app: HttpApiBuilder.serve().pipe(Layer.provide(api("endpoint"))) as Position["app"]
  }
}

const Provided = Layer.mergeAll(Middleware, Server)

const visit = (path: string, cookie?: string) =>
  Effect.gen(function*() {
    const { address } = yield* HttpServer.HttpServer
    assert(address._tag === "TcpAddress")
    const response = yield* Effect.promise(() =>
      fetch(`http://127.0.0.1:${address.port}${path}`, {
        // A kept connection may be closed by the server just when it is used again: each request has one of its own.
        headers: { connection: "close", ...cookie === undefined ? {} : { cookie } }
      })
    )
    const setCookies = response.headers.getSetCookie()
    return {
      status: response.status,
      body: yield* Effect.promise(() => response.text()),
      setCookies,
      cookie: setCookies[0]?.split(";")[0],
      headers: response.headers
    }
  })

for (const [name, position] of Object.entries(positions)) {
  describe(name, () => {
    const scenario = (title: string, body: Effect.Effect<void, unknown, HttpServer.HttpServer>) =>
      it.scopedLive(title, () =>
        Effect.flatMap(
          Layer.build(Layer.provideMerge(position.app, Provided)),
          (context) => Effect.provide(body, context)
        ))

    for (const [path, status] of [["/success", 200], ["/failure", 500], ["/defect", 500]] as const) {
      scenario(
        `${path} commits what the handler changed, with one cookie`,
        Effect.gen(function*() {
          const first = yield* visit(path)
          assert.strictEqual(first.status, status)
          assert.strictEqual(first.setCookies.length, 1)
          assert.strictEqual(first.headers.get("cache-control"), "no-store")
          assert.include(first.headers.get("vary") ?? "", "Cookie")
          const second = yield* visit(path, first.cookie)
          assert.deepStrictEqual(second.setCookies, [])
          assert.strictEqual((yield* visit("/read", first.cookie)).body, "2")
        })
      )
    }

    scenario(
      "an interrupted handler's changes are dropped",
      Effect.gen(function*() {
        const { cookie } = yield* visit("/success")
        const interrupted = yield* visit("/interruption", cookie)
        assert.strictEqual(interrupted.status, 503)
        assert.deepStrictEqual(interrupted.setCookies, [])
        assert.strictEqual((yield* visit("/read", cookie)).body, "1")
        assert.deepStrictEqual((yield* visit("/interruption")).setCookies, [])
      })
    )

    scenario(
      "an interrupted handler's purge is carried out",
      Effect.gen(function*() {
        const { cookie } = yield* visit("/success")
        const purged = yield* visit("/purge-interrupted", cookie)
        assert.match(purged.setCookies[0]!, /Max-Age=0/)
        assert.strictEqual((yield* visit("/read", cookie)).body, "0")
      })
    )

    scenario(
      "a request for nothing that exists leaves the session alone",
      Effect.gen(function*() {
        const { cookie } = yield* visit("/success")
        const missing = yield* visit("/missing", cookie)
        assert.strictEqual(missing.status, 404)
        assert.deepStrictEqual(missing.setCookies, [])
        assert.strictEqual((yield* visit("/read", cookie)).body, "1")
      })
    )
  })
}

describe("HttpApp.toWebHandler", () => {
  for (
    const [name, handlerOf] of [
      [
        "with the app in the middleware",
        (app: HttpApp.Default<never, Session.Session>, bound: any) => HttpApp.toWebHandler(bound(app))
      ],
      ["with the middleware as an argument", (app: any, bound: any) => HttpApp.toWebHandler(app, bound)]
    ] as const
  ) {
    it.scopedLive(`commits ${name}`, () =>
      Effect.gen(function*() {
        const context = yield* Layer.build(Middleware)
        const bound = SessionMiddleware.sessionWith(Context.get(context, SessionMiddleware.SessionMiddleware))
        const handler = handlerOf(Effect.orDie(outcomes["/success"]), bound)
        const first = yield* Effect.promise(() => handler(new Request("http://localhost/")))
        const cookie = first.headers.getSetCookie()[0]!.split(";")[0]!
        const second = yield* Effect.promise(() => handler(new Request("http://localhost/", { headers: { cookie } })))
        assert.strictEqual(yield* Effect.promise(() => second.text()), "2")
        assert.deepStrictEqual(second.headers.getSetCookie(), [])
      }))
  }
})
