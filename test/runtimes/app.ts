/**
 * The app that every runtime serves: ordinary handlers around a session, and the store that the environment names.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const User = Session.entry("user", Schema.NonEmptyString)

const increment = Effect.flatMap(Session.Session, (session) => session.updateOr(Counter, 1, (n) => n + 1))

const state = Effect.gen(function*() {
  const session = yield* Session.Session
  return HttpServerResponse.unsafeJson({
    user: Option.getOrNull(yield* session.get(User)),
    counter: Option.getOrElse(yield* session.get(Counter), () => 0)
  })
})

const login = Effect.gen(function*() {
  const session = yield* Session.Session
  const { user } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ user: Schema.NonEmptyString }))
  yield* session.insert(User, user)
  yield* session.renew
  return yield* state
})

const logout = Effect.flatMap(
  Session.Session,
  (session) => Effect.as(session.purge, HttpServerResponse.empty())
)

const chooseTheme = Effect.map(
  increment,
  () => HttpServerResponse.unsafeSetCookie(HttpServerResponse.empty(), "theme", "dark", { path: "/" })
)

const lines = Effect.map(
  increment,
  (count) => HttpServerResponse.stream(Stream.map(Stream.range(1, count), (n) => new TextEncoder().encode(`${n}\n`)))
)

const failAfterWriting = Effect.zipRight(increment, Effect.fail("the handler's own failure"))

export const app = HttpRouter.empty.pipe(
  HttpRouter.get("/untouched", HttpServerResponse.text("untouched")),
  HttpRouter.get("/state", state),
  HttpRouter.post("/increment", Effect.zipRight(increment, state)),
  HttpRouter.post("/login", login),
  HttpRouter.post("/logout", logout),
  HttpRouter.post("/theme", chooseTheme),
  HttpRouter.post("/lines", lines),
  HttpRouter.post("/fail", failAfterWriting),
  SessionMiddleware.session
)

const store = (name: "memory" | "cookie" | "redis"): Layer.Layer<SessionStore.SessionStore, unknown> => {
  switch (name) {
    case "memory":
      return MemorySessionStore.layer()
    case "cookie":
      return CookieSessionStore.layer
    case "redis":
      // Loaded by those that want it: a runtime without ioredis runs the rest.
      return Layer.unwrapEffect(
        Effect.map(
          Effect.promise(() => import("effect-session/stores/RedisSessionStore")),
          (RedisSessionStore) => RedisSessionStore.layerConfig({ url: Config.redacted("REDIS_URL") })
        )
      )
  }
}

/** `STORE` is `memory`, `cookie` or `redis`; the rest is read as in production. */
export const sessions = SessionMiddleware.layerConfig(SessionConfig.fromEnv).pipe(
  Layer.provide(Layer.unwrapEffect(Effect.map(Config.literal("memory", "cookie", "redis")("STORE"), store)))
)
