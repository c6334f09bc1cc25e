/**
 * An app behind a proxy that speaks TLS to the world: docs/guides/behind-a-proxy.md goes through it. It reads
 * `SESSION_KEYS` and the other variables of `Config.fromEnv`; run it with
 * `SESSION_KEYS=$(npx tsx src/bin/generateKey.ts) npx tsx examples/behindProxy.ts`. `PORT` chooses another port than
 * 3000.
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
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { PromptServer } from "./promptServer.js"

const Language = Session.entry("language", Schema.Literal("en", "de"))

const index = Effect.gen(function*() {
  const session = yield* Session.Session
  const language = Option.getOrElse(yield* session.get(Language), () => "en")
  return HttpServerResponse.text(language === "de" ? "Hallo\n" : "Hello\n")
})

const choose = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.insert(Language, "de")
  return HttpServerResponse.empty({ status: 303, headers: { location: "/" } })
})

// Asks the session nothing, so that proxies may keep it for everybody.
const style = HttpServerResponse.text("body { color: teal }\n", {
  contentType: "text/css",
  headers: { "cache-control": "public, max-age=3600" }
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", index),
  HttpRouter.post("/german", choose),
  HttpRouter.get("/style.css", style),
  SessionMiddleware.session,
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.provide(SessionMiddleware.layerConfig(SessionConfig.fromEnv)),
  Layer.provide(MemorySessionStore.layer()),
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), {
      port: Config.withDefault(Config.integer("PORT"), 3000),
      host: Config.withDefault(Config.string("HOST"), "127.0.0.1")
    })
  )
)

NodeRuntime.runMain(Layer.launch(app))
