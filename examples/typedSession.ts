/**
 * A shop whose session is declared as a whole, with notices that are shown once: docs/guides/typed-sessions.md goes through
 * it. Run it with `npx tsx examples/typedSession.ts`; `PORT` chooses another port than 3000.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SessionConfig from "effect-session/Config"
import * as SessionFlash from "effect-session/SessionFlash"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStruct from "effect-session/SessionStruct"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Config from "effect/Config"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"

const User = Schema.Struct({ name: Schema.NonEmptyString, since: Schema.DateTimeUtc })

const Shop = SessionStruct.make({
  visits: Schema.NonNegativeInt,
  user: User,
  theme: Schema.optionalWith(Schema.Literal("light", "dark"), { default: () => "light" }),
  cart: Schema.optionalWith(Schema.Array(Schema.NonEmptyString), { default: () => [] })
})

const Notices = SessionFlash.make("notices", Schema.String)

const backHome = HttpServerResponse.empty({ status: 303, headers: { location: "/" } })

const index = Effect.gen(function*() {
  const shop = yield* Shop
  yield* shop.updateOr("visits", 1, (n) => n + 1)
  const { cart, theme, user, visits } = yield* shop.all
  return HttpServerResponse.unsafeJson({
    visits: Option.getOrThrow(visits),
    user: Option.match(user, { onNone: () => "nobody", onSome: ({ name }) => name }),
    theme,
    cart,
    notices: yield* Notices.take
  })
})

const put = Effect.gen(function*() {
  const { item } = yield* HttpRouter.schemaPathParams(Schema.Struct({ item: Schema.NonEmptyString }))
  const shop = yield* Shop
  yield* shop.update("cart", (cart) => [...cart, item])
  yield* Notices.add(`${item} is in your cart`)
  return backHome
})

const turnLights = Effect.gen(function*() {
  const shop = yield* Shop
  const theme = yield* shop.update("theme", (theme) => theme === "light" ? "dark" : "light")
  yield* Notices.add(`It is ${theme} now`)
  return backHome
})

const login = Effect.gen(function*() {
  const params = yield* HttpRouter.schemaPathParams(Schema.Struct({ name: Schema.NonEmptyString }))
  const shop = yield* Shop
  yield* shop.insert("user", { name: params.name, since: yield* DateTime.now })
  yield* shop.session.renew
  yield* Notices.add(`Welcome, ${params.name}`)
  return backHome
})

const logout = Effect.gen(function*() {
  const shop = yield* Shop
  yield* shop.session.purge
  // This goes into a new session, which holds nothing else.
  yield* Notices.add("You are signed out")
  return backHome
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", index),
  HttpRouter.post("/cart/:item", put),
  HttpRouter.post("/theme", turnLights),
  HttpRouter.post("/login/:name", login),
  HttpRouter.post("/logout", logout),
  SessionMiddleware.session,
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.provide(SessionMiddleware.layer({ ...SessionConfig.development, keys: SessionConfig.generateKey() })),
  Layer.provide(MemorySessionStore.layer()),
  Layer.provide(NodeHttpServer.layerConfig(createServer, { port: Config.withDefault(Config.integer("PORT"), 3000) }))
)

NodeRuntime.runMain(Layer.launch(app))
