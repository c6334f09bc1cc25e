/**
 * A page that stays connected: server-sent events say how long the session has yet to live, and a WebSocket says back what
 * it is told, under the name of whoever signed in.
 *
 *     node --import tsx examples/streamsAndSockets.ts
 *     curl -c jar -X POST localhost:3000/login/ferris && curl -N -b jar localhost:3000/time-left
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { PromptServer } from "./promptServer.js"

const User = Session.entry("user", Schema.String)
const Messages = Session.entry("messages", Schema.NonNegativeInt)

const login = Effect.gen(function*() {
  const session = yield* Session.Session
  const { name } = yield* HttpRouter.schemaPathParams(Schema.Struct({ name: Schema.NonEmptyString }))
  yield* session.insert(User, name)
  yield* session.renew
  return HttpServerResponse.text(`Hello, ${name}\n`)
})

const timeLeft = Effect.map(Session.Session, (session) => {
  const events = Stream.repeatEffectWithSchedule(session.timeLeft, Schedule.spaced("1 second")).pipe(
    Stream.map((left) => Option.match(left, { onNone: () => "none", onSome: Duration.format })),
    Stream.map((left) => `data: ${left}\n\n`),
    Stream.encodeText
  )
  return HttpServerResponse.stream(events, { contentType: "text/event-stream" })
})

const chat = Effect.gen(function*() {
  const session = yield* Session.Session
  const request = yield* HttpServerRequest.HttpServerRequest
  const user = yield* session.get(User)
  // A WebSocket is not bound by the same-origin policy.
  if (Option.isNone(user) || request.headers["origin"] !== `http://${request.headers["host"]}`) {
    return HttpServerResponse.empty({ status: 403 })
  }
  const socket = yield* request.upgrade
  const write = yield* socket.writer
  yield* socket.runRaw((message) =>
    Effect.zipRight(
      session.updateOr(Messages, 1, (n) => n + 1),
      write(`${user.value}: ${String(message)}`)
    )
  )
  return HttpServerResponse.empty()
})

const messages = Effect.flatMap(
  Session.Session,
  (session) =>
    Effect.map(session.get(Messages), (count) => HttpServerResponse.text(`${Option.getOrElse(count, () => 0)}\n`))
)

const app = HttpRouter.empty.pipe(
  HttpRouter.post("/login/:name", login),
  HttpRouter.get("/time-left", timeLeft),
  HttpRouter.get("/chat", chat),
  HttpRouter.get("/messages", messages),
  SessionMiddleware.session,
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Config.withDefault(Config.integer("PORT"), 3000) })
  ),
  Layer.provide(SessionMiddleware.layer({ ...SessionConfig.development, keys: SessionConfig.generateKey() })),
  Layer.provide(MemorySessionStore.layer())
)

NodeRuntime.runMain(Layer.launch(app))
