/** Every option of every constructor, left out, given, and given as `undefined`. */
import * as Config from "effect-session/Config"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as EffectConfig from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import type * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"

const noCookieOption: Config.CookieOptions = {
  name: undefined,
  path: undefined,
  domain: undefined,
  secure: undefined,
  httpOnly: undefined,
  sameSite: undefined,
  partitioned: undefined
}

const noLifecycleOption: Config.LifecycleOptions = {
  ttl: undefined,
  ttlExtension: undefined,
  maxLifetime: undefined
}

const noOption: Omit<Config.SessionOptions, "keys"> = {
  cookie: undefined,
  contentSecurity: undefined,
  cookieFormat: undefined,
  lifecycle: undefined,
  storeTimeout: undefined,
  bearer: undefined,
  telemetry: undefined
}

const everyOption: Config.SessionOptions = {
  keys: [Config.generateKey(), Redacted.make("an older one")],
  cookie: {
    name: "__Secure-shop",
    path: "/shop",
    domain: "example.com",
    secure: true,
    httpOnly: true,
    sameSite: "None",
    partitioned: true
  },
  contentSecurity: "Signed",
  cookieFormat: "CookieRs",
  lifecycle: Config.PersistentSession({ ttl: "14 days", ttlExtension: "OnEveryRequest", maxLifetime: "90 days" }),
  storeTimeout: 250,
  bearer: { header: "session-token" },
  telemetry: "SessionId"
}

export const made: ReadonlyArray<Either.Either<Config.SessionConfig, Config.SessionConfigError>> = [
  Config.make({ keys: Config.generateKey() }),
  Config.make({ keys: Config.generateKey(), ...noOption }),
  Config.make({ keys: Config.generateKey(), cookie: noCookieOption, lifecycle: Config.BrowserSession() }),
  Config.make({ keys: Config.generateKey(), lifecycle: Config.PersistentSession(noLifecycleOption) }),
  Config.make({ ...Config.actixDefaults, keys: Config.generateKey() }),
  Config.make(everyOption),
  Config.make({
    keys: Config.generateKey(),
    lifecycle: Config.BrowserSession({ ttlExtension: { every: "5 minutes" } })
  })
]

export const crypto = CookieCrypto.make({
  name: "id",
  keys: [Redacted.make(new Uint8Array(32))],
  contentSecurity: "Private",
  format: undefined
})

export const middlewares: ReadonlyArray<
  Layer.Layer<
    SessionMiddleware.SessionMiddleware,
    Config.SessionConfigError | ConfigError.ConfigError,
    SessionStore.SessionStore
  >
> = [
  SessionMiddleware.layer({ keys: Config.generateKey(), ...noOption }),
  SessionMiddleware.layer(everyOption),
  SessionMiddleware.layerConfig(Config.fromEnv)
]

export const stores: ReadonlyArray<
  Layer.Layer<SessionStore.SessionStore, SessionStore.SessionStoreConfigError | ConfigError.ConfigError>
> = [
  CookieSessionStore.layer,
  MemorySessionStore.layer(),
  MemorySessionStore.layer({ capacity: undefined }),
  MemorySessionStore.layer({ capacity: 1_000 }),
  RedisSessionStore.layer({ url: "redis://localhost", prefix: undefined, timeout: undefined, redis: undefined }),
  RedisSessionStore.layer({ url: Redacted.make("redis://localhost"), redis: { connectionName: "shop" } }),
  RedisSessionStore.layerConfig({ url: EffectConfig.redacted("REDIS_URL") })
]

export const both = Layer.provide(SessionMiddleware.layer(everyOption), CookieSessionStore.layer)
