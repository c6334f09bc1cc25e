/**
 * The check of tokens on every router, over real sockets: what brings none of its page reaches no handler and costs no call of the
 * store.
 */
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as OpenApi from "@effect/platform/OpenApi"
import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionCsrf from "effect-session/SessionCsrf"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { connect } from "../support/webSocketClient.js"
import { countVisit, Server, serveWeb, Sessions, signIn, Store, StoreProbe, takeCalls } from "./app.js"

const counted = Effect.map(countVisit, (count) => HttpServerResponse.text(String(count)))
const token = Effect.map(SessionCsrf.token, (token) => HttpServerResponse.text(token))
const enter = signIn(Session.Session, "Ada")

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/token", token),
  HttpRouter.post("/in", enter),
  HttpRouter.post("/", counted)
)

const guarded = routes.pipe(SessionCsrf.guard, SessionMiddleware.session)

class Api extends HttpApi.make("api")
  .add(
    HttpApiGroup.make("all")
      .add(HttpApiEndpoint.get("token", "/token").addSuccess(Schema.String).addError(SessionHttpApi.Failure))
      .add(HttpApiEndpoint.post("in", "/in"))
      .add(HttpApiEndpoint.post("count", "/").addSuccess(Schema.Number))
  )
  .middleware(SessionHttpApi.CsrfGuard)
  .middleware(SessionHttpApi.Sessions)
{}

const ApiLive = HttpApiBuilder.api(Api).pipe(
  Layer.provide(
    HttpApiBuilder.group(
      Api,
      "all",
      (handlers) =>
        handlers.handle("token", () => SessionCsrf.token).handle("in", () => Effect.asVoid(enter)).handle(
          "count",
          () => countVisit
        )
    )
  ),
  Layer.provide([SessionHttpApi.Sessions.layer, SessionHttpApi.CsrfGuard.layer()])
)

const Backend = Layer.mergeAll(Layer.provideMerge(Sessions, Store), Server)

const apps: Readonly<
  Record<string, Layer.Layer<never, unknown, Layer.Layer.Success<typeof Backend>>>
> = {
  "HttpRouter": HttpServer.serve(guarded),
  "HttpLayerRouter": HttpLayerRouter.serve(
    Layer.mergeAll(
      HttpLayerRouter.add("GET", "/token", token),
      HttpLayerRouter.add("POST", "/in", enter),
      HttpLayerRouter.add("POST", "/", counted)
    ).pipe(Layer.provide(SessionHttpLayerRouter.csrfGuard().layer)),
    { disableListenLog: true, disableLogger: true }
  ),
  "HttpApi": Layer.provide(HttpApiBuilder.serve(), ApiLive),
  "a web handler": Layer.unwrapEffect(
    Effect.map(
      Effect.runtime<SessionMiddleware.SessionMiddleware>(),
      (runtime) => serveWeb(HttpApp.toWebHandlerRuntime(runtime)(guarded))
    )
  )
}

describe("a request without a token of its page", () => {
  for (const [title, app] of Object.entries(apps)) {
    it.scopedLive(`is refused by ${title}, and one with it is not`, () =>
      Effect.gen(function*() {
        const [browser, stranger] = [yield* TestBrowser.make, yield* TestBrowser.make]
        const probe = yield* StoreProbe
        const tokenFor = (of: typeof browser) =>
          Effect.map(of.get("/token"), ({ body }) => title === "HttpApi" ? JSON.parse(body) as string : body)
        const post = (path: string, token?: string) =>
          Effect.map(
            browser.request(path, {
              method: "POST",
              headers: token === undefined ? {} : { "x-csrf-token": token }
            }),
            ({ status }) => status
          )
        assert.strictEqual(yield* post("/in", yield* tokenFor(browser)), 204)
        const mine = yield* tokenFor(browser)
        takeCalls(probe)
        for (const wrong of [undefined, "", "x", mine.slice(1), `${mine}, ${mine}`, yield* tokenFor(stranger)]) {
          assert.strictEqual(yield* post("/", wrong), 403, wrong)
        }
        assert.deepStrictEqual(takeCalls(probe), [])
        assert.strictEqual(yield* post("/", mine), 200)
      }).pipe(Effect.provide(Layer.provideMerge(app, Backend))))
  }

  it.scopedLive("is refused where the token comes twice, or is longer than one, in a header or in a form", () =>
    Effect.gen(function*() {
      const { address } = yield* HttpServer.HttpServer
      const url = address._tag === "TcpAddress" ? `http://127.0.0.1:${address.port}/` : ""
      const browser = yield* TestBrowser.make
      const probe = yield* StoreProbe
      const { body: token } = yield* browser.get("/token")
      const cookie = browser.cookieHeader("/") ?? ""
      const send = (init: RequestInit) =>
        Effect.promise(() => fetch(url, { method: "POST", ...init }).then(({ status }) => status))
      const form = (fields: ReadonlyArray<readonly [string, string]>) =>
        send({ headers: { cookie }, body: new URLSearchParams(fields.map(([name, value]) => [name, value])) })
      const inHeader = (value: string) => send({ headers: { cookie, "x-csrf-token": value } })
      for (
        const status of [
          yield* form([["csrf", token], ["csrf", token]]),
          yield* form([["csrf", token], ["csrf", "x"]]),
          yield* form([["csrf[]", token]]),
          yield* form([["csrf", token + "A".repeat(8_000)]]),
          yield* inHeader(token + "A".repeat(8_000)),
          yield* inHeader(`${token}=`),
          yield* send({ headers: { cookie, "x-csrf-token": "x" }, body: new URLSearchParams([["csrf", token]]) }),
          yield* send({ headers: { cookie, "content-type": "text/plain" }, body: `csrf=${token}` })
        ]
      ) {
        assert.strictEqual(status, 403)
      }
      assert.deepStrictEqual(probe.calls, [])
      assert.strictEqual(yield* form([["csrf", token]]), 200)
    }).pipe(Effect.provide(Layer.provideMerge(apps["HttpRouter"]!, Backend))))

  it.scopedLive("is let through where it only reads, a WebSocket's upgrade included, which SessionOrigin is for", () =>
    Effect.gen(function*() {
      const { address } = yield* HttpServer.HttpServer
      const port = address._tag === "TcpAddress" ? address.port : 0
      const client = yield* Effect.promise(() => connect(port, "/token", undefined, { origin: "https://evil.test" }))
      assert.strictEqual(client.status, 200)
    }).pipe(Effect.provide(Layer.provideMerge(apps["HttpRouter"]!, Backend))))

  it("is in the API's description", () => {
    const { paths } = OpenApi.fromApi(Api)
    assert.strictEqual(
      paths["/"]!.post!.responses[403]!.description,
      "The request has no token that is good for its session"
    )
  })

  it.effect("a check with a wrong option fails when it is built", () =>
    Effect.gen(function*() {
      const app = HttpLayerRouter.serve(
        Layer.provide(
          HttpLayerRouter.add("POST", "/", counted),
          SessionHttpLayerRouter.csrfGuard({ headerName: "x csrf" }).layer
        ),
        { disableListenLog: true, disableLogger: true }
      )
      const exit = yield* Effect.exit(Effect.scoped(Layer.build(Layer.provide(app, Backend))))
      assert.include(JSON.stringify(Option.getOrUndefined(Exit.causeOption(exit))), "headerName")
    }))
})
