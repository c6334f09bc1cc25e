/**
 * One app for browsers and for programs: a browser keeps its session in a cookie, a program sends its key as a bearer. The traces
 * and logs of both say whose session it was.
 *
 *     node --import tsx examples/withoutCookies.ts
 *     curl -i -X POST -H 'Authorization: Bearer' localhost:3000/login/ferris
 *     curl -H 'Authorization: Bearer <what the answer said>' localhost:3000/
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionOrigin from "effect-session/SessionOrigin"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { PromptServer } from "./promptServer.js"

const User = Session.entry("user", Schema.String)

const login = Effect.gen(function*() {
  const session = yield* Session.Session
  const { name } = yield* HttpRouter.schemaPathParams(Schema.Struct({ name: Schema.NonEmptyString }))
  yield* session.insert(User, name)
  yield* session.renew
  return HttpServerResponse.text(`Hello, ${name}\n`)
})

const whoAmI = Effect.gen(function*() {
  const session = yield* Session.Session
  const user = yield* session.get(User)
  return Option.match(user, {
    onNone: () => HttpServerResponse.text("Sign in first\n", { status: 401 }),
    onSome: (name) => HttpServerResponse.text(`${name}\n`)
  })
})

const logout = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.purge
  return HttpServerResponse.empty()
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", whoAmI),
  HttpRouter.post("/login/:name", login),
  HttpRouter.post("/logout", logout),
  SessionMiddleware.session,
  SessionOrigin.guard,
  HttpServer.serve(HttpMiddleware.logger),
  HttpServer.withLogAddress,
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Config.withDefault(Config.integer("PORT"), 3000) })
  ),
  Layer.provide(SessionMiddleware.layer({
    ...SessionConfig.development,
    keys: SessionConfig.generateKey(),
    bearer: true,
    telemetry: "SessionId"
  })),
  Layer.provide(MemorySessionStore.layer())
)

NodeRuntime.runMain(Layer.launch(app))
