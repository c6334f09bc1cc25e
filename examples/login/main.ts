/**
 * A small web app with a login, a look inside its session, and an API. Run it with `npm start` and open the address that
 * it prints; `PORT` chooses another port than 3000, and `PORT=0` a free one. `FRESH_FOR` says how long ago a sign-in may be for
 * what ends sessions on other devices, `5 minutes` where it is left out.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as SessionConfig from "effect-session/Config"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { PromptServer } from "../promptServer.js"
import { lifecycle } from "./account.js"
import { App } from "./app.js"

const Port = Config.integer("PORT").pipe(
  Config.validate({ message: "Expected a port from 0 to 65535", validation: (port) => port >= 0 && port <= 65_535 }),
  Config.withDefault(3000)
)

// Keys drawn at the start suit sessions that do not outlive the process either. Elsewhere: `Config.fromEnv`.
const Sessions = SessionMiddleware.layer({
  ...SessionConfig.development,
  keys: SessionConfig.generateKey(),
  lifecycle
})

const Invitation = Layer.effectDiscard(
  HttpServer.addressFormattedWith((address) => Console.log(`Open ${address} in your browser. Ctrl+C ends it.`))
)

const Main = Invitation.pipe(
  Layer.provide(HttpLayerRouter.serve(App, { disableListenLog: true })),
  Layer.provide(Layer.merge(Sessions, SessionAccounts.layer())),
  Layer.provide(MemorySessionStore.layer()),
  Layer.provide(NodeHttpServer.layerConfig(() => new PromptServer(), { port: Port, host: Config.succeed("127.0.0.1") }))
)

const isTaken = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE"

const sayPortIsTaken = Effect.zipRight(
  Console.error("The port is taken. Choose another one, for instance: PORT=3001 npm start"),
  Effect.sync(() => {
    process.exitCode = 1
  })
)

Layer.launch(Main).pipe(
  Effect.catchTag("ServeError", (error) => isTaken(error.cause) ? sayPortIsTaken : Effect.fail(error)),
  NodeRuntime.runMain
)
