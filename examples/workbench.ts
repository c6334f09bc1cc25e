/**
 * Every session operation as an HTTP route, for trying things out and for test harnesses in other languages. Run it with
 * `npm run --silent workbench`: standard output carries one line, `listening on http://127.0.0.1:PORT`, once requests are
 * answered; everything else goes to standard error.
 *
 * | variable | value |
 * | --- | --- |
 * | `PORT` | the port to listen on, `0` for a free one; default `3000` |
 * | `SESSION_STORE` | `memory` (default), `cookie`, `redis`, `sqlite`, `postgres` or `mysql` (MariaDB too) |
 * | `REDIS_URL` | where Redis is; default `redis://127.0.0.1:6379` |
 * | `REDIS_TIMEOUT` | how long a call may wait for Redis, such as `500 millis`; default `1 second` |
 * | `DATABASE_URL` | where the database is: `file:/path/app.db`, `postgres://…` or `mysql://…` |
 * | `DATABASE_TIMEOUT` | how long a call may wait for the database; default `5 seconds` |
 * | `SESSION_MAX_PER_ACCOUNT` | how many sessions an account may have: the oldest goes for one more; without, any number |
 * | `SESSION_…` | what `Config.fromEnv` reads; without `SESSION_KEYS`, a key is drawn that lasts as long as the process |
 *
 * The routes about accounts are there on a store that knows accounts, which the one in the cookie does not.
 *
 * The cookie is that of the library's defaults: `__Host-id` with Secure. Clients that keep such cookies from plain HTTP,
 * as curl does, need `SESSION_COOKIE_NAME=id SESSION_COOKIE_SECURE=false`.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as SessionConfig from "effect-session/Config"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { PromptServer } from "./promptServer.js"
import { accountRoutes } from "./workbench/accountRoutes.js"
import { databaseStore } from "./workbench/database.js"
import { router } from "./workbench/routes.js"

const Port = Config.integer("PORT").pipe(
  Config.validate({ message: "Expected a port from 0 to 65535", validation: (port) => port >= 0 && port <= 65_535 }),
  Config.withDefault(3000)
)

const StoreName = Config.literal("memory", "cookie", "redis", "sqlite", "postgres", "mysql")("SESSION_STORE").pipe(
  Config.withDefault("memory")
)

const Store = Layer.unwrapEffect(Effect.gen(function*() {
  const name = yield* StoreName
  switch (name) {
    case "memory":
      return MemorySessionStore.layer()
    case "cookie":
      return CookieSessionStore.layer
    case "redis":
      return RedisSessionStore.layerConfig({
        url: Config.withDefault(Config.redacted("REDIS_URL"), Redacted.make("redis://127.0.0.1:6379")),
        timeout: Config.withDefault(Config.duration("REDIS_TIMEOUT"), RedisSessionStore.defaults.timeout)
      })
    default:
      return databaseStore(name)
  }
}))

const options = Effect.gen(function*() {
  const keys = yield* Config.withDefault(Config.string("SESSION_KEYS"), "")
  if (keys.trim() !== "") {
    return yield* SessionConfig.fromEnv
  }
  yield* Effect.logWarning("SESSION_KEYS is not set: sessions are sealed with a random key and end with this process")
  const drawn = new Map([["SESSION_KEYS", Redacted.value(SessionConfig.generateKey())]])
  return yield* Effect.withConfigProvider(
    SessionConfig.fromEnv,
    ConfigProvider.orElse(ConfigProvider.fromMap(drawn), () => ConfigProvider.fromEnv())
  )
})

const Sessions = Layer.effect(SessionMiddleware.SessionMiddleware, Effect.flatMap(options, SessionMiddleware.make))

const Announcement = Layer.effectDiscard(
  HttpServer.addressFormattedWith((address) => Console.log(`listening on ${address}`))
)

const Accounts = Layer.unwrapEffect(
  Effect.map(
    Config.option(Config.integer("SESSION_MAX_PER_ACCOUNT")),
    (maxPerAccount) => SessionAccounts.layer({ maxPerAccount: Option.getOrUndefined(maxPerAccount) })
  )
)

const Served = Layer.unwrapEffect(
  Effect.map(SessionStore.SessionStore, ({ accounts }) =>
    accounts === undefined
      ? router.pipe(SessionMiddleware.session, HttpServer.serve())
      : HttpRouter.concat(router, accountRoutes).pipe(
        SessionMiddleware.session,
        HttpServer.serve(),
        Layer.provide(Accounts)
      ))
)

const App = Announcement.pipe(
  Layer.provide(Served),
  Layer.provide(Sessions),
  Layer.provide(Store),
  Layer.provide(
    NodeHttpServer.layerConfig(() => new PromptServer(), { port: Port, host: Config.succeed("127.0.0.1") })
  ),
  // A session key may be any text, and the router stops at 100 characters, drops empty parts and joins slashes.
  Layer.provide(HttpRouter.setRouterConfig({
    maxParamLength: Number.MAX_SAFE_INTEGER,
    ignoreTrailingSlash: false,
    ignoreDuplicateSlashes: false
  }))
)

const logFailure = (cause: Cause.Cause<unknown>) =>
  Cause.isInterruptedOnly(cause) ? Effect.void : Effect.logFatal("The workbench cannot run", cause)

NodeRuntime.runMain(
  Layer.launch(App).pipe(
    Effect.tapErrorCause(logFailure),
    Effect.provide(Logger.replace(Logger.defaultLogger, Logger.prettyLogger({ stderr: true })))
  ),
  { disableErrorReporting: true, disablePrettyLogger: true }
)
