/**
 * Sessions in Redis, as one would deploy them: docs/guides/redis-in-production.md goes through it. It needs `REDIS_URL`
 * and `SESSION_KEYS`; run it with
 * `SESSION_KEYS=$(npx tsx src/bin/generateKey.ts) REDIS_URL=redis://localhost:6379 npx tsx examples/redisSessions.ts`.
 * `PORT` chooses another port than 3000.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { PromptServer } from "./promptServer.js"

const Store = RedisSessionStore.layerConfig({
  url: Config.redacted("REDIS_URL"),
  prefix: Config.succeed("shop:session:"),
  timeout: Config.withDefault(Config.duration("REDIS_TIMEOUT"), "500 millis")
})

const Counter = Session.entry("counter", Schema.NonNegativeInt)

const index = Effect.gen(function*() {
  const session = yield* Session.Session
  const count = yield* session.updateOr(Counter, 1, (n) => n + 1)
  return HttpServerResponse.text(`Visit number ${count}\n`)
})

// Asks for a session that nobody has: an answer of any kind means that Redis is there.
const health = Effect.gen(function*() {
  const store = SessionStore.withClock(yield* SessionStore.SessionStore)
  yield* store.load(SessionKey.mint())
  return HttpServerResponse.text("ok\n")
})

// What an operator wants to know. Everything else that happens to sessions is counted in SessionMetrics.
const Watch = Layer.scopedDiscard(
  SessionMiddleware.events.pipe(
    Stream.filter(({ _tag }) => _tag === "KeyRefused" || _tag === "StoreUnavailable" || _tag === "Missed"),
    Stream.runForEach((event) => Effect.logWarning("Session event", event)),
    Effect.forkScoped
  )
)

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", index),
  HttpRouter.get("/health", health),
  SessionMiddleware.session,
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.merge(Watch),
  Layer.provide(SessionMiddleware.layerConfig(SessionConfig.fromEnv)),
  Layer.provide(Store),
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Config.withDefault(Config.integer("PORT"), 3000) })
  )
)

NodeRuntime.runMain(Layer.launch(app))
