/**
 * The cross-site guard on every router, over real sockets: what another site's page sends reaches no handler, opens no session
 * and costs no call of the store.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { assert, describe, it } from "@effect/vitest"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionOrigin from "effect-session/SessionOrigin"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { connect } from "../support/webSocketClient.js"
import { countVisit, Server, serveWeb, Sessions, Store, StoreProbe } from "./app.js"

const counted = Effect.map(countVisit, (count) => HttpServerResponse.unsafeJson(count))

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/", counted),
  HttpRouter.post("/", counted),
  HttpRouter.post("/hooks/paid", counted),
  HttpRouter.get(
    "/socket",
    Effect.flatMap(
      HttpServerRequest.upgrade,
      (socket) => Effect.as(socket.runRaw(() => Effect.void), HttpServerResponse.empty())
    )
  )
)

const options: SessionOrigin.Options = { trustedOrigins: ["https://admin.test"], exceptPaths: ["/hooks/*"] }
const guardWithOptions = SessionOrigin.guardWith(Either.getOrThrow(SessionOrigin.make(options)))

const counts = HttpApiGroup.make("counts")
  .add(HttpApiEndpoint.get("see", "/").addSuccess(Schema.Number))
  .add(HttpApiEndpoint.post("add", "/").addSuccess(Schema.Number))
  .add(HttpApiEndpoint.post("paid", "/hooks/paid").addSuccess(Schema.Number))

class Api extends HttpApi.make("api").add(counts)
  .middleware(SessionHttpApi.Sessions)
  .middleware(SessionHttpApi.OriginGuard)
{}

const ApiLive = HttpApiBuilder.api(Api).pipe(
  Layer.provide(
    HttpApiBuilder.group(
      Api,
      "counts",
      (handlers) =>
        handlers.handle("see", () => countVisit).handle("add", () => countVisit).handle("paid", () => countVisit)
    )
  ),
  Layer.provide([SessionHttpApi.Sessions.layer, SessionHttpApi.OriginGuard.layer(options)])
)

const LayerRoutes = Layer.mergeAll(
  HttpLayerRouter.add("GET", "/", counted),
  HttpLayerRouter.add("POST", "/", counted),
  HttpLayerRouter.add("POST", "/hooks/paid", counted)
).pipe(Layer.provide(SessionHttpLayerRouter.layer))

const guarded = routes.pipe(SessionMiddleware.session, guardWithOptions)

const Backend = Layer.mergeAll(Layer.provideMerge(Sessions, Store), Server)

const apps: Readonly<
  Record<string, Layer.Layer<never, unknown, Layer.Layer.Success<typeof Backend>>>
> = {
  "HttpRouter": HttpServer.serve(guarded),
  "a mounted HttpRouter": HttpServer.serve(
    HttpRouter.empty.pipe(HttpRouter.mount("/", routes), SessionMiddleware.session, guardWithOptions)
  ),
  "HttpLayerRouter": HttpLayerRouter.serve(Layer.mergeAll(LayerRoutes, SessionHttpLayerRouter.originGuard(options)), {
    disableListenLog: true,
    disableLogger: true
  }),
  "HttpApi": Layer.provide(HttpApiBuilder.serve(), ApiLive),
  "a web handler": Layer.unwrapEffect(
    Effect.map(
      Effect.runtime<SessionMiddleware.SessionMiddleware>(),
      (runtime) => serveWeb(HttpApp.toWebHandlerRuntime(runtime)(guarded))
    )
  )
}

const foreign: ReadonlyArray<Record<string, string>> = [
  { "sec-fetch-site": "cross-site", origin: "https://evil.test" },
  { "sec-fetch-site": "same-site", origin: "https://blog.test" },
  { origin: "https://evil.test" },
  { origin: "null" }
]

const ask = Effect.map(
  Effect.all([HttpServer.HttpServer, StoreProbe]),
  ([{ address }, probe]) => {
    const origin = address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}` : ""
    return {
      origin,
      probe,
      send: (method: string, path: string, headers: Record<string, string> = {}) =>
        Effect.promise(async () => {
          const response = await fetch(origin + path, { method, headers })
          return { status: response.status, body: await response.text(), cookies: response.headers.getSetCookie() }
        })
    }
  }
)

describe("what another site sends", () => {
  for (const [title, app] of Object.entries(apps)) {
    it.scopedLive(`is refused by ${title}`, () =>
      Effect.gen(function*() {
        const { origin, probe, send } = yield* ask
        const body = title === "HttpApi" ? "{\"_tag\":\"CrossSiteRequest\"}" : ""
        for (const headers of foreign) {
          assert.deepStrictEqual(yield* send("POST", "/", headers), { status: 403, body, cookies: [] })
        }
        assert.deepStrictEqual(probe.calls, [])
        for (
          const [method, path, headers] of [
            ["GET", "/", foreign[0]!],
            ["POST", "/", { origin }],
            ["POST", "/", { "sec-fetch-site": "same-origin", origin }],
            ["POST", "/", {}],
            ["POST", "/", { "sec-fetch-site": "cross-site", origin: "https://admin.test" }],
            ["POST", "/hooks/paid", foreign[0]!]
          ] as ReadonlyArray<readonly [string, string, Record<string, string>]>
        ) {
          const reply = yield* send(method, path, headers)
          assert.deepStrictEqual([reply.status, reply.body, reply.cookies.length], [200, "1", 1])
        }
      }).pipe(Effect.provide(Layer.provideMerge(app, Backend))))
  }

  it.live("opens no socket", () =>
    Effect.gen(function*() {
      const { origin } = yield* ask
      const port = Number(new URL(origin).port)
      const dial = (from: string) =>
        Effect.acquireRelease(
          Effect.promise(() => connect(port, "/socket", undefined, { origin: from })),
          (client) => Effect.sync(() => client.status === 101 && client.destroy())
        )
      assert.strictEqual((yield* dial("https://evil.test")).status, 403)
      assert.strictEqual((yield* dial(origin)).status, 101)
      // A server that closes first waits for its sockets.
    }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(apps["HttpRouter"]!, Backend))))

  it("is in the API's description", () => {
    const { components, paths } = OpenApi.fromApi(Api)
    const { content, description } = paths["/"]!.post!.responses[403]!
    assert.strictEqual(description, "Another site made the browser send the request")
    const name = "effect-session/CrossSiteRequest"
    const $ref = `#/components/schemas/${name.replace("/", "~1")}`
    assert.deepStrictEqual(content?.["application/json"]?.schema, { $ref })
    assert.property(components.schemas, name)
  })

  it.effect("a guard with a wrong option fails when it is built", () =>
    Effect.gen(function*() {
      const wrong: SessionOrigin.Options = { trustedOrigins: ["https://a.test/"] }
      const failures = yield* Effect.all([
        Effect.exit(Effect.scoped(Layer.build(SessionHttpApi.OriginGuard.layer(wrong)))),
        Effect.exit(
          Effect.scoped(
            Layer.build(Layer.provide(SessionHttpLayerRouter.originGuard(wrong), HttpLayerRouter.layer))
          )
        )
      ])
      for (const exit of failures) {
        const failure = Option.getOrUndefined(Exit.causeOption(exit))
        assert.include(JSON.stringify(failure), "trustedOrigins")
      }
    }))
})
