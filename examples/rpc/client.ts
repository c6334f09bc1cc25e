/**
 * A client that signs in over HTTP, fills its cart over a WebSocket, and signs out. Run it beside the server with
 * `npx tsx examples/rpc/client.ts`; `API_URL` says where the server is.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cookies from "@effect/platform/Cookies"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Socket from "@effect/platform/Socket"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import { WebSocket } from "ws"
import { Shop } from "./api.js"

const visit = Effect.gen(function*() {
  const url = yield* Config.withDefault(Config.string("API_URL"), "http://localhost:3000")
  const jar = yield* Ref.make(Cookies.empty)

  // What is not kept is answered 409 or 503, without a body.
  const withJar = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(HttpClient.HttpClient, (client) => HttpClient.filterStatusOk(HttpClient.withCookiesRef(client, jar)))
  )
  const overHttp = RpcClient.layerProtocolHttp({ url: `${url}/rpc` }).pipe(
    Layer.provide(withJar),
    Layer.provide(NodeHttpClient.layer)
  )

  // A browser sends the cookie by itself.
  const withCookie = Layer.effect(
    Socket.WebSocketConstructor,
    Effect.map(
      Ref.get(jar),
      (cookies) => (url: string) =>
        new WebSocket(url, { headers: { cookie: Cookies.toCookieHeader(cookies) } }) as unknown as globalThis.WebSocket
    )
  )
  const overSocket = RpcClient.layerProtocolSocket().pipe(
    Layer.provide(Socket.layerWebSocket(`${url.replace(/^http/, "ws")}/socket`)),
    Layer.provide(withCookie)
  )

  const client = RpcClient.make(Shop)
  type Client = Effect.Effect.Success<typeof client>

  const whoAmI = (shop: Client) =>
    shop.Me().pipe(
      Effect.map((user) => `I am ${user.name}`),
      Effect.catchTag("Unauthorized", () => Effect.succeed("Nobody knows me")),
      Effect.flatMap(Console.log)
    )

  const signIn = Effect.gen(function*() {
    const shop = yield* client
    yield* whoAmI(shop)
    yield* shop.Login({ name: "ferris" })
  })

  const goShopping = Effect.gen(function*() {
    const shop = yield* client
    yield* whoAmI(shop)
    yield* Effect.all([shop.AddToCart({ article: "rope" }), shop.AddToCart({ article: "soap" })], { concurrency: 2 })
    yield* Console.log(`${yield* shop.AddToCart({ article: "lamp" })} articles`)
    yield* Stream.runForEach(shop.Articles(), (article) => Console.log(`- ${article}`))
    yield* Effect.catchTag(
      shop.Login({ name: "corro" }),
      "SessionInsertError",
      ({ reason }) => Console.log(`A sign-in over the socket: ${reason}`)
    )
  })

  const signOut = Effect.gen(function*() {
    const shop = yield* client
    yield* shop.Logout()
    yield* whoAmI(shop)
  })

  yield* Effect.provide(Effect.scoped(signIn), overHttp)
  yield* Effect.provide(Effect.scoped(goShopping), overSocket)
  yield* Effect.provide(Effect.scoped(signOut), overHttp)
})

NodeRuntime.runMain(Effect.provide(visit, RpcSerialization.layerNdjson))
