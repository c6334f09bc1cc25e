/**
 * The quick start: a visit counter with its sessions in memory. Run it with `npx tsx examples/counter.ts`;
 * `PORT` chooses another port than 3000.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"

const Counter = Session.entry("counter", Schema.NonNegativeInt)

const index = Effect.gen(function*() {
  const session = yield* Session.Session
  const count = yield* session.updateOr(Counter, 1, (n) => n + 1)
  return HttpServerResponse.text(`Visit number ${count}\n`)
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", index),
  SessionMiddleware.session,
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.provide(NodeHttpServer.layerConfig(createServer, { port: Config.withDefault(Config.integer("PORT"), 3000) })),
  Layer.provide(SessionMiddleware.layer({ ...SessionConfig.development, keys: SessionConfig.generateKey() })),
  Layer.provide(MemorySessionStore.layer())
)

NodeRuntime.runMain(Layer.launch(app))
