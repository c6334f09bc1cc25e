/**
 * effect-session on the Node server of Effect, in the configuration that one gets by giving it nothing but a key. Beside
 * it what one would write by hand.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Schema from "effect/Schema"
import * as Config from "../../dist/Config.js"
import * as Session from "../../dist/Session.js"
import * as SessionMiddleware from "../../dist/SessionMiddleware.js"
import * as CookieSessionStore from "../../dist/stores/CookieSessionStore.js"
import * as MemorySessionStore from "../../dist/stores/MemorySessionStore.js"
import * as RedisSessionStore from "../../dist/stores/RedisSessionStore.js"
import * as SqlSessionStore from "../../dist/stores/SqlSessionStore.js"
import { bareAnswers, ttlSeconds, userOf } from "./contract.mjs"
import * as byHand from "./effectByHand.mjs"
import { postgresClient, sqliteClient } from "./sqlClients.mjs"

const packages = ["effect", "@effect/platform", "@effect/platform-node"]

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { id: "effect", title: "Effect", store: "none", packages },
  { id: "effect-memory", title: "effect-session, memory", store: "memory", packages },
  { id: "effect-private", title: "effect-session, cookie, Private", store: "cookie", seal: "encrypted", packages },
  { id: "effect-signed", title: "effect-session, cookie, Signed", store: "cookie", seal: "signed", packages },
  { id: "effect-redis", title: "effect-session, Redis", store: "redis", packages: [...packages, "ioredis"] },
  {
    id: "effect-postgres",
    title: "effect-session, PostgreSQL",
    store: "postgres",
    packages: [...packages, "@effect/sql", "@effect/sql-pg", "pg"]
  },
  {
    id: "effect-sqlite",
    title: "effect-session, SQLite",
    store: "sqlite",
    packages: [...packages, "@effect/sql", "@effect/sql-sqlite-node", "better-sqlite3"]
  },
  ...byHand.variants
]

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const User = Session.entry(
  "user",
  Schema.Struct({
    id: Schema.String,
    name: Schema.String,
    roles: Schema.Array(Schema.String),
    text: Schema.optional(Schema.String)
  })
)

const ok = HttpServerResponse.text("ok")

const bareRouter = Object.entries(bareAnswers).reduce(
  (router, [path, answer]) => HttpRouter.get(router, path, Effect.sync(() => HttpServerResponse.text(answer))),
  HttpRouter.empty
)

const routerOf = (user) =>
  HttpRouter.empty.pipe(
    HttpRouter.get(
      "/seed",
      Effect.flatMap(Session.Session, (session) =>
        Effect.as(Effect.zipRight(session.insert(Counter, 0), session.insert(User, user)), ok))
    ),
    HttpRouter.get(
      "/plain",
      Effect.sync(() =>
        HttpServerResponse.text("ok")
      )
    ),
    HttpRouter.get(
      "/read",
      Effect.flatMap(Session.Session, (session) =>
        Effect.map(session.get(Counter), (counter) =>
          HttpServerResponse.text(counter._tag === "Some" ? String(counter.value) : "none")))
    ),
    HttpRouter.get(
      "/count",
      Effect.flatMap(Session.Session, (session) =>
        Effect.map(
          session.updateOr(Counter, 1, (n) =>
            n + 1),
          (counter) =>
            HttpServerResponse.text(String(counter))
        ))
    )
  )

const storeOf = (store, databases) => {
  switch (store) {
    case "memory":
      return MemorySessionStore.layer()
    case "cookie":
      return CookieSessionStore.layer
    case "redis":
      return RedisSessionStore.layer({ url: databases.redisUrl })
    case "postgres":
      return Layer.provide(SqlSessionStore.layer({ createTable: true }), postgresClient(databases))
    case "sqlite":
      return Layer.provide(SqlSessionStore.layer({ createTable: true }), sqliteClient(databases))
  }
}

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, options) => {
  const variant = variants.find((variant) => variant.id === id)
  if (byHand.variants.includes(variant)) {
    return byHand.open(id, options)
  }
  const { stateBytes, ...databases } = options
  const sessions = variant.store === "none"
    ? Layer.empty
    : SessionMiddleware.layer({
      keys: Config.generateKey(),
      // What a store on a server leaves in the cookie is sealed as it is by default.
      ...(variant.seal === "signed" ? { contentSecurity: "Signed" } : {}),
      lifecycle: Config.BrowserSession({ ttl: ttlSeconds * 1000 })
    }).pipe(Layer.provide(storeOf(variant.store, databases)))
  const app = variant.store === "none" ? bareRouter : SessionMiddleware.session(routerOf(userOf(stateBytes)))
  const runtime = ManagedRuntime.make(sessions)
  const handler = await runtime.runPromise(NodeHttpServer.makeHandler(app))
  return { handler, close: () => runtime.dispose() }
}
