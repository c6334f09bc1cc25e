/**
 * The app that the advisories are tried on: what its visitors do, and the stores that it runs on.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert } from "@effect/vitest"
import type * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Redis } from "ioredis"
import { randomUUID } from "node:crypto"
import { RedisServer } from "../support/redisServer.js"
import { settle } from "../support/settle.js"
import { generous } from "../support/timeLimits.js"
import type { Answer, Handler, WebApp } from "../support/webApp.js"
import { Counter, handle, makeWebApp, User } from "../support/webApp.js"

export { settle }

// -- what visitors do

export const read = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
export const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
export const insert = (key: string, value: string) => handle((session) => session.insert(key, Schema.String, value))
export const renew = handle((session) => session.renew)
export const logout = handle((session) => session.purge)
export const loginAs = (user: string) => handle((session) => Effect.zipRight(session.insert(User, user), session.renew))
export const untouched: Handler = Effect.succeed(HttpServerResponse.empty())

/** The `name=value` of the cookie that an answer sets: what the browser sends from now on. */
export const cookieOf = (answer: Answer): string => {
  assert.strictEqual(answer.setCookies.length, 1)
  return answer.setCookies[0]!.split(";")[0]!
}

export const valueOf = (cookie: string): string => cookie.slice(cookie.indexOf("=") + 1)

/** A visitor with a session: the cookie. */
export const begin = (app: WebApp, handler: Handler = increment): Effect.Effect<string> =>
  Effect.map(app.request(handler), cookieOf)

export const stateBehind = (app: WebApp, cookie: string): Effect.Effect<unknown> =>
  Effect.map(app.request(read, cookie), ({ body }) => body)

export const opens = (app: WebApp, cookie: string, state: unknown): Effect.Effect<void> =>
  Effect.map(stateBehind(app, cookie), (found) => assert.deepStrictEqual(found, state))

export const opensNothing = (app: WebApp, cookie: string): Effect.Effect<void> => opens(app, cookie, {})

/** The key in a cookie, as only the server can read it. */
export const keyIn = (app: WebApp, cookie: string): SessionKey.SessionKey =>
  app.middleware.crypto.open(valueOf(cookie)).pipe(
    Option.flatMap(({ plaintext }) => app.middleware.store.readKey(plaintext)),
    Option.getOrThrow
  )

/** A cookie that is sealed with the app's own key, whatever is in it. */
export const sealed = (app: WebApp, text: string): string =>
  `${app.middleware.config.cookie.name}=${app.middleware.crypto.seal(text)}`

export const sealedKey = (app: WebApp, key: SessionKey.SessionKey): string => sealed(app, SessionKey.toText(key))

/** Sends any request at all, not only one with a cookie. */
export const send = (app: WebApp, handler: Handler, request: Request): Effect.Effect<Response> =>
  Effect.flatMap(
    Effect.runtime<never>(),
    (runtime) =>
      Effect.promise(() =>
        HttpApp.toWebHandlerRuntime(runtime)(SessionMiddleware.sessionWith(app.middleware)(Effect.orDie(handler)))(
          request
        )
      )
  )

/** A request that has loaded its session, and does its work only after `meanwhile` has happened. */
export const whileInFlight = (
  app: WebApp,
  cookie: string,
  work: Handler,
  meanwhile: Effect.Effect<unknown>
): Effect.Effect<Answer> =>
  Effect.gen(function*() {
    const loaded = yield* Deferred.make<void>()
    const gate = yield* Deferred.make<void>()
    const slow: Handler = Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.entries
      yield* Deferred.succeed(loaded, undefined)
      yield* Deferred.await(gate)
      return yield* work
    })
    const fiber = yield* Effect.fork(app.request(slow, cookie))
    yield* Deferred.await(loaded)
    yield* meanwhile
    yield* Deferred.succeed(gate, undefined)
    return yield* Fiber.join(fiber)
  })

/** The names of the events that are told while `use` runs. */
export const eventsDuring = <A, E, R>(
  app: WebApp,
  use: Effect.Effect<A, E, R>
): Effect.Effect<Array<string>, E, R> =>
  Effect.gen(function*() {
    const told: Array<string> = []
    const listener = yield* Effect.fork(
      Stream.runForEach(app.middleware.events, (event) => Effect.sync(() => told.push(event._tag)))
    )
    yield* settle
    yield* use
    yield* settle
    yield* Fiber.interrupt(listener)
    return told
  })

// -- where its sessions are

type Options = Partial<Config.SessionOptions>

/** A Redis of the test's own: the app on it, and a look behind it. */
export interface RedisApp {
  readonly app: WebApp
  readonly redis: Redis
  readonly prefix: string
  /** The Redis keys of all sessions. */
  readonly keys: Effect.Effect<ReadonlyArray<string>>
}

export const redisApp = (
  config: Options = {},
  prefix: string = `${randomUUID()}:`
): Effect.Effect<RedisApp, never, Scope.Scope | RedisServer> =>
  Effect.gen(function*() {
    const { url } = yield* RedisServer
    const redis = yield* Effect.acquireRelease(
      Effect.sync(() => new Redis(url)),
      (client) => Effect.sync(() => client.disconnect())
    )
    const app = yield* makeWebApp({ config, store: RedisSessionStore.layer({ url, prefix, timeout: generous }) })
    const keys = Effect.map(
      Effect.promise(() => redis.keys("*")),
      (all) => all.filter((key) => key.startsWith(prefix))
    )
    return { app, redis, prefix, keys }
  })

export const memoryApp = (config: Options = {}): Effect.Effect<WebApp, never, Scope.Scope> =>
  makeWebApp({ config, store: MemorySessionStore.layer() })

export const cookieApp = (config: Options = {}): Effect.Effect<WebApp, never, Scope.Scope> =>
  makeWebApp({ config, store: CookieSessionStore.layer })

/** The same check on each store that keeps its sessions on the server. */
export const onEachServer = <E, R>(
  check: (app: WebApp) => Effect.Effect<void, E, R>,
  config: Options = {}
): Effect.Effect<void, E, R | Scope.Scope | RedisServer> =>
  Effect.gen(function*() {
    yield* check(yield* memoryApp(config))
    yield* check((yield* redisApp(config)).app)
  })
