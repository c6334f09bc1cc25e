/**
 * The procedures at work, over HTTP at `/rpc` and over WebSockets at `/socket`. Run it with
 * `npx tsx examples/rpc/server.ts`. `PORT` chooses another port than 3000.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionRpc from "effect-session/SessionRpc"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { PromptServer } from "../promptServer.js"
import { Cart, CurrentUser, RequireUser, Shop, SignedIn, User } from "./api.js"

const ShopLive = Shop.toLayer({
  Login: ({ name }) =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      const user = new User({ name })
      yield* session.insert(SignedIn, user)
      yield* session.renew
      return user
    }),
  Logout: () => Effect.flatMap(Session.Session, (session) => session.purge),
  Me: () => CurrentUser,
  AddToCart: ({ article }) =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      const cart = yield* session.updateOr(Cart, [article], (cart) => [...cart, article])
      return cart.length
    }),
  Articles: () =>
    Effect.flatMap(Session.Session, (session) => session.get(Cart)).pipe(
      Effect.map(Option.getOrElse((): ReadonlyArray<string> => [])),
      Effect.map(Stream.fromIterable),
      Stream.unwrap
    )
})

const Procedures = RpcServer.layer(Shop).pipe(Layer.provide([ShopLive, SessionRpc.Sessions.layer, RequireUser.layer]))

const Routes = Layer.mergeAll(
  Procedures.pipe(Layer.provide(SessionRpc.protocol(RpcServer.layerProtocolHttpRouter({ path: "/rpc" })))),
  Layer.fresh(Procedures).pipe(
    Layer.provide(SessionRpc.protocol(RpcServer.layerProtocolWebsocketRouter({ path: "/socket" })))
  )
)

const app = HttpLayerRouter.serve(
  Layer.mergeAll(Routes, SessionHttpLayerRouter.layerGlobal, SessionHttpLayerRouter.originGuard())
).pipe(
  Layer.provide(RpcSerialization.layerNdjson),
  Layer.provide(SessionMiddleware.layer({ ...SessionConfig.development, keys: SessionConfig.generateKey() })),
  Layer.provide(MemorySessionStore.layer()),
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Config.withDefault(Config.integer("PORT"), 3000) })
  )
)

NodeRuntime.runMain(Layer.launch(app))
