/**
 * Sessions that are opened where no middleware stands around the handler, and sessions that meet in one request.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcMiddleware from "@effect/rpc/RpcMiddleware"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import { generous } from "../support/timeLimits.js"
import { User } from "../support/webApp.js"

const Sessions = SessionMiddleware.layer({ keys: Config.generateKey() }).pipe(Layer.provide(MemorySessionStore.layer()))

const open = Effect.flatMap(SessionMiddleware.SessionMiddleware, SessionMiddleware.open)
const login = Effect.flatMap(open, (session) => session.insert(User, "ferris"))
const reasonOf = Effect.map(Effect.flip(login), (error) => error.reason)

const fetchFrom = (layer: Layer.Layer<never, unknown, HttpServer.HttpServer | SessionMiddleware.SessionMiddleware>) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(
      layer.pipe(
        Layer.provide(Sessions),
        Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
    const port = address._tag === "TcpAddress" ? address.port : 0
    return (path: string, init: RequestInit & { readonly headers?: Record<string, string> } = {}) =>
      Effect.promise(async () => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, {
          ...init,
          // A kept connection may be closed by the server just when it is used again: each request has one of its own.
          headers: { connection: "close", ...init.headers }
        })
        return {
          status: response.status,
          body: await response.text(),
          cookie: response.headers.getSetCookie()[0]?.split(";")[0]
        }
      })
  })

describe("a session that is opened for one call of @effect/rpc", () => {
  class RpcSession extends RpcMiddleware.Tag<RpcSession>()("RpcSession", { provides: Session.Session }) {}

  class Calls extends RpcGroup.make(
    Rpc.make("Login", { payload: { name: Schema.String } }),
    Rpc.make("Me", { success: Schema.NullOr(Schema.String) })
  ).middleware(RpcSession) {}

  const CallsLive = Calls.toLayer({
    Login: ({ name }) =>
      Effect.flatMap(Session.Session, (session) => Effect.zipRight(session.insert(User, name), session.renew)).pipe(
        Effect.orDie
      ),
    Me: () =>
      Effect.flatMap(Session.Session, (session) => Effect.map(session.get(User), Option.getOrNull)).pipe(Effect.orDie)
  })

  // What the middleware of a call is given is an effect of the handler's own fiber, whose context has the request.
  const RpcSessionLive = Layer.effect(
    RpcSession,
    Effect.map(
      SessionMiddleware.SessionMiddleware,
      (middleware) => RpcSession.of(() => SessionMiddleware.open(middleware) as Effect.Effect<Session.Session>)
    )
  )

  for (
    const [name, serialization] of [["JSON", RpcSerialization.layerJson], [
      "NDJSON",
      RpcSerialization.layerNdjson
    ]] as const
  ) {
    it.scopedLive(`is stored, and its cookie is set: ${name}`, () =>
      Effect.gen(function*() {
        const ask = yield* fetchFrom(
          HttpLayerRouter.serve(
            RpcServer.layerHttpRouter({ group: Calls, path: "/rpc", protocol: "http" }).pipe(
              Layer.provide(CallsLive),
              Layer.provide(RpcSessionLive),
              Layer.provide(serialization)
            ),
            { disableLogger: true }
          )
        )
        const call = (calls: ReadonlyArray<readonly [tag: string, payload: unknown]>, cookie = "") => {
          const messages = calls.map(([tag, payload], index) => ({
            _tag: "Request",
            id: String(index + 1),
            tag,
            payload,
            headers: []
          }))
          return ask("/rpc", {
            method: "POST",
            headers: { "content-type": "application/json", cookie },
            body: name === "JSON" ?
              JSON.stringify(messages[0])
              : messages.map((message) => `${JSON.stringify(message)}\n`).join("")
          })
        }
        const first = yield* call([["Login", { name: "ada" }]])
        assert.isDefined(first.cookie)
        assert.include((yield* call([["Me", null]], first.cookie)).body, "\"ada\"")
        // In JSON a request is one call.
        const calls = [["Login", { name: "zoe" }], ["Me", null]] as const
        const both = yield* call(name === "JSON" ? calls.slice(0, 1) : calls, first.cookie)
        assert.isDefined(both.cookie)
        assert.include((yield* call([["Me", null]], both.cookie)).body, "\"zoe\"")
      }))
  }
})

describe("a session that is opened in a fiber of its own", () => {
  const served = (handler: Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, any>) =>
    fetchFrom(
      HttpServer.serve(HttpRouter.empty.pipe(
        HttpRouter.get("/", handler),
        HttpRouter.get(
          "/who",
          Effect.flatMap(open, (session) => session.get(User)).pipe(
            Effect.map((user) => HttpServerResponse.text(Option.getOrElse(user, () => "nobody")))
          )
        )
      )) as Layer.Layer<never, never, HttpServer.HttpServer | SessionMiddleware.SessionMiddleware>
    )

  const ways: Readonly<
    Record<string, (work: Effect.Effect<void, unknown, any>) => Effect.Effect<unknown, unknown, any>>
  > = {
    "the handler's own": (work) => work,
    "a time limit": (work) => Effect.timeout(work, generous),
    "a fiber that is joined": (work) => Effect.flatMap(Effect.fork(work), Fiber.join),
    "a fiber that is awaited": (work) => Effect.flatMap(Effect.fork(work), Fiber.await),
    "a daemon that is awaited": (work) => Effect.flatMap(Effect.forkDaemon(work), Fiber.await),
    "parallel fibers": (work) => Effect.all([work, Effect.void, work], { concurrency: "unbounded" })
  }

  for (const [name, way] of Object.entries(ways)) {
    it.scopedLive(`is stored, and its cookie is set: ${name}`, () =>
      Effect.gen(function*() {
        const ask = yield* served(Effect.as(way(login), HttpServerResponse.empty()))
        const { cookie } = yield* ask("/")
        assert.isDefined(cookie)
        assert.strictEqual((yield* ask("/who", { headers: { cookie: cookie! } })).body, "ferris")
      }))
  }

  it.scopedLive("tells whoever writes when the response is on its way", () =>
    Effect.gen(function*() {
      const streamed = yield* served(
        Effect.map(Effect.context<any>(), (context) =>
          HttpServerResponse.stream(
            Stream.fromEffect(reasonOf).pipe(
              Stream.provideContext(context),
              Stream.encodeText
            ) as Stream.Stream<Uint8Array>
          ))
      )
      assert.strictEqual((yield* streamed("/")).body, "ResponseSent")
      const answered = yield* Deferred.make<void>()
      let late: Fiber.Fiber<string, unknown> | undefined
      const outlived = yield* served(
        Effect.gen(function*() {
          late = yield* Effect.forkDaemon(Effect.zipRight(Deferred.await(answered), reasonOf))
          return HttpServerResponse.empty()
        })
      )
      yield* outlived("/")
      yield* Deferred.succeed(answered, undefined)
      assert.strictEqual(yield* Fiber.join(late!), "ResponseSent")
    }))
})

describe("one Request object that is handed in twice", () => {
  const count = Effect.flatMap(Session.Session, (session) => session.updateOr("n", Schema.Number, 1, (n) => n + 1))
    .pipe(
      Effect.map((n) => HttpServerResponse.text(String(n))),
      Effect.orDie
    )

  class Api extends HttpApi.make("api").add(
    HttpApiGroup.make("all").add(HttpApiEndpoint.get("one", "/"))
  ).middleware(SessionHttpApi.Sessions) {}

  const ApiLive = HttpApiBuilder.api(Api).pipe(
    Layer.provide(HttpApiBuilder.group(Api, "all", (handlers) => handlers.handleRaw("one", () => count))),
    Layer.provide(SessionHttpApi.Sessions.layer),
    Layer.provide(Sessions)
  )

  const handlers = {
    HttpApi: () => HttpApiBuilder.toWebHandler(Layer.mergeAll(ApiLive, HttpServer.layerContext)),
    HttpRouter: () =>
      HttpApp.toWebHandlerLayer(
        SessionMiddleware.session(HttpRouter.empty.pipe(HttpRouter.get("/", count))).pipe(Effect.orDie),
        Sessions
      ),
    HttpLayerRouter: () =>
      HttpLayerRouter.toWebHandler(
        HttpLayerRouter.add("GET", "/", count).pipe(
          Layer.provide(SessionHttpLayerRouter.layer),
          Layer.provide(Sessions)
        ),
        { disableLogger: true }
      )
  }

  for (const [name, make] of Object.entries(handlers)) {
    it(`is two requests, one after the other and at once: ${name}`, async () => {
      const { dispose, handler } = make() as {
        readonly handler: (request: Request) => Promise<Response>
        readonly dispose: () => Promise<void>
      }
      const request = new Request("https://app.test/")
      const responses = [await handler(request), ...await Promise.all([handler(request), handler(request)])]
      for (const response of responses) {
        assert.strictEqual(response.status, 200)
        assert.strictEqual(await response.text(), "1")
      }
      assert.strictEqual(new Set(responses.map((response) => response.headers.getSetCookie()[0])).size, 3)
      await dispose()
    })
  }
})

describe("sessions that meet in one request, though their layers were built apart", () => {
  class Other extends SessionMiddleware.Tag("test/Other")<Other>() {}

  const apart = <E, R>(
    inner: HttpApp.Default<E, R>,
    wrap: (app: HttpApp.Default<E, R>) => HttpApp.Default<any, any>,
    layer: Layer.Layer<any, any, any>
  ) => Effect.provide(wrap(inner), Layer.provide(layer, MemorySessionStore.layer()))

  const meet = (
    outer: (app: HttpApp.Default<any, any>) => HttpApp.Default<any, any>,
    inner: (app: HttpApp.Default<any, any>) => HttpApp.Default<any, any>
  ) => {
    const messages: Array<string> = []
    const logger = Logger.make(({ message }) => messages.push(String(message)))
    return Effect.gen(function*() {
      const app = outer(inner(Effect.succeed(HttpServerResponse.text("ok"))))
      const runtime = yield* Effect.runtime<never>()
      const { status } = yield* Effect.promise(() =>
        HttpApp.toWebHandlerRuntime(runtime)(app as HttpApp.Default)(new Request("https://app.test/"))
      )
      return { status, messages }
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  }

  const keys = Config.generateKey()
  const one = (name?: string) => (app: HttpApp.Default<any, any>) =>
    apart(
      app,
      SessionMiddleware.session,
      SessionMiddleware.layer({ keys, ...name === undefined ? {} : { cookie: { name } } })
    )
  const other = (name?: string) => (app: HttpApp.Default<any, any>) =>
    apart(app, Other.middleware, Other.layer({ keys, ...name === undefined ? {} : { cookie: { name } } }))

  it.live("are refused under one cookie name, with a message that names the mend", () =>
    Effect.gen(function*() {
      for (
        const [outer, inner, key] of [[one(), other(), "test/Other"], [
          other(),
          one(),
          "effect-session/Session"
        ]] as const
      ) {
        const { messages, status } = yield* meet(outer, inner)
        assert.strictEqual(status, 500)
        assert.match(messages.join("\n"), /cookie\.name __Host-id is the cookie of the session/)
        assert.include(messages.join("\n"), `Choose another name for ${key}`)
      }
      assert.deepStrictEqual(yield* meet(one(), other("__Host-other")), { status: 200, messages: [] })
    }))

  it.live("are refused for one class of session, whatever their cookies", () =>
    Effect.gen(function*() {
      for (const name of [undefined, "__Host-second"]) {
        const { messages, status } = yield* meet(one(), one(name))
        assert.strictEqual(status, 500)
        assert.include(messages.join("\n"), "Build one layer and provide it to the whole app")
      }
    }))

  it.live("are refused where one of them is opened", () =>
    Effect.gen(function*() {
      const opened = (app: HttpApp.Default<any, any>) =>
        apart(
          app,
          (app) => Effect.zipRight(Effect.flatMap(SessionMiddleware.forSession(Other), SessionMiddleware.open), app),
          Other.layer({ keys })
        )
      assert.strictEqual((yield* meet(one(), opened)).status, 500)
      const first = (app: HttpApp.Default<any, any>) =>
        apart(app, (app) => Effect.zipRight(open, app), SessionMiddleware.layer({ keys }))
      assert.strictEqual((yield* meet(first, opened)).status, 500)
    }))
})
