import { assert, describe, it } from "@effect/vitest"
import * as EffectConfig from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { inspect } from "node:util"
import * as Config from "../src/Config.js"

const secret = Redacted.value(Config.generateKey())
const SESSION_KEYS = secret

const read = (variables: Record<string, string>) =>
  Effect.withConfigProvider(Config.fromEnv, ConfigProvider.fromMap(new Map(Object.entries(variables))))

const ringOf = (options: Config.SessionOptions): string => Redacted.value(options.keys as Redacted.Redacted<string>)

describe("fromEnv", () => {
  it.effect("needs nothing but keys, and then says nothing else", () =>
    Effect.gen(function*() {
      const options = yield* read({ SESSION_KEYS })
      assert.deepStrictEqual(Object.keys(options), ["keys"])
      assert.strictEqual(ringOf(options), secret)
    }))

  it.effect("every variable arrives in its option", () =>
    Effect.gen(function*() {
      const { keys, lifecycle, ...others } = yield* read({
        SESSION_KEYS,
        SESSION_COOKIE_NAME: "__Secure-app",
        SESSION_COOKIE_PATH: "/app",
        SESSION_COOKIE_DOMAIN: "example.com",
        SESSION_COOKIE_SECURE: "true",
        SESSION_COOKIE_HTTP_ONLY: "false",
        SESSION_COOKIE_SAME_SITE: "none",
        SESSION_COOKIE_PARTITIONED: "true",
        SESSION_COOKIE_RETIRED:
          "id; Path=/a=b; domain=Example.com; HttpOnly; SameSite=Lax, __Host-id; Secure;Partitioned",
        SESSION_COOKIE_FORMAT: "cookie-rs",
        SESSION_CONTENT_SECURITY: "signed",
        SESSION_LIFECYCLE: "persistent",
        SESSION_TTL: "7 days",
        SESSION_TTL_EXTENSION: "on-every-request",
        SESSION_MAX_LIFETIME: "30 days",
        SESSION_STORE_TIMEOUT: "2 seconds",
        SESSION_LOST_WRITES: "ignore",
        SESSION_BEARER: "Session-Token",
        SESSION_TELEMETRY: "session-id"
      })
      assert.isTrue(Redacted.isRedacted(keys))
      assert.deepStrictEqual(others, {
        cookie: {
          name: "__Secure-app",
          path: "/app",
          domain: "example.com",
          secure: true,
          httpOnly: false,
          sameSite: "None",
          partitioned: true,
          retired: [
            { name: "id", domain: "Example.com", path: "/a=b", secure: false, partitioned: false },
            { name: "__Host-id", secure: true, partitioned: true }
          ]
        },
        cookieFormat: "CookieRs",
        contentSecurity: "Signed",
        storeTimeout: Duration.seconds(2),
        lostWrites: "Ignore",
        bearer: { header: "session-token" },
        telemetry: "SessionId"
      })
      assert.deepStrictEqual(
        { ...lifecycle },
        {
          ...Config.PersistentSession({
            ttl: Duration.days(7),
            ttlExtension: "OnEveryRequest",
            maxLifetime: Duration.days(30)
          })
        }
      )
      assert.isTrue(Either.isRight(Config.make({ keys, lifecycle, ...others })))
    }))

  it.effect("what is remembered and who is trusted arrive as well", () =>
    Effect.gen(function*() {
      const options = yield* read({
        SESSION_KEYS,
        SESSION_COOKIE_NAME: "id",
        SESSION_COOKIE_SECURE: "From-Request",
        SESSION_TRUSTED_PROXIES: " 10.0.0.0/8 , ::1",
        SESSION_REMEMBER_ME: "30 days",
        SESSION_RENEW_EVERY: "15 minutes",
        SESSION_RENEW_GRACE: "30 seconds",
        SESSION_ON_KEY_REUSE: "Ignore"
      })
      assert.deepStrictEqual(options.cookie, { name: "id", secure: "FromRequest" })
      assert.deepStrictEqual(options.trustedProxies, ["10.0.0.0/8", "::1"])
      assert.deepStrictEqual(
        { ...options.lifecycle },
        {
          ...Config.BrowserSession({
            rememberMe: Duration.days(30),
            renewEvery: Duration.minutes(15),
            renewGrace: Duration.seconds(30),
            onKeyReuse: "Ignore"
          })
        }
      )
      const config = yield* Config.make(options)
      assert.strictEqual(config.cookie.secureFromRequest?.trustedProxies.length, 2)
      assert.strictEqual(config.lifecycle.rememberMeMillis, 30 * 86_400_000)
      assert.deepStrictEqual(config.lifecycle.rotation, { every: 900_000, grace: 30_000 })
      assert.strictEqual(config.lifecycle.onKeyReuse, "Ignore")
    }))

  it.effect("the ttl starts anew once in a while, said in words", () =>
    Effect.gen(function*() {
      for (const text of ["every 5 minutes", " Every  5 Minutes "]) {
        const { keys, lifecycle } = yield* read({ SESSION_KEYS, SESSION_TTL_EXTENSION: text })
        assert.deepStrictEqual(lifecycle?.ttlExtension, { every: Duration.minutes(5) })
        const config = yield* Config.make({ keys, lifecycle })
        assert.deepStrictEqual(config.lifecycle.ttlExtension, { everyMillis: 300_000 })
      }
    }))

  it.effect("bearers are turned on and off by a flag, or by the name of their header", () =>
    Effect.gen(function*() {
      for (
        const [text, bearer] of [["true", true], ["ON", true], ["no", false], ["x-key", { header: "x-key" }]] as const
      ) {
        const options = yield* read({ SESSION_KEYS, SESSION_BEARER: text })
        assert.deepStrictEqual(options.bearer, bearer)
        assert.isTrue(Either.isRight(Config.make(options)))
      }
    }))

  it.effect("everybody is trusted by the word all, in any case", () =>
    Effect.gen(function*() {
      for (const SESSION_TRUSTED_PROXIES of ["all", "All", " ALL "]) {
        const options = yield* read({ SESSION_KEYS, SESSION_TRUSTED_PROXIES })
        assert.strictEqual(options.trustedProxies, "All")
      }
      assert.isUndefined((yield* read({ SESSION_KEYS, SESSION_TRUSTED_PROXIES: " " })).trustedProxies)
    }))

  it.effect("words may be in any case, and space around a value does not count", () =>
    Effect.gen(function*() {
      const options = yield* read({
        SESSION_KEYS: ` ${secret}\n`,
        SESSION_COOKIE_SAME_SITE: " STRICT ",
        SESSION_CONTENT_SECURITY: "Private",
        SESSION_COOKIE_FORMAT: "Effect-Session",
        SESSION_COOKIE_SECURE: "No",
        SESSION_LIFECYCLE: "Browser",
        SESSION_TTL: "2 Hours ",
        SESSION_TTL_EXTENSION: "On-State-Changes"
      })
      assert.strictEqual(ringOf(options), secret)
      assert.deepStrictEqual(options.cookie, { sameSite: "Strict", secure: false })
      assert.strictEqual(options.contentSecurity, "Private")
      assert.strictEqual(options.cookieFormat, "EffectSession")
      assert.deepStrictEqual({ ...options.lifecycle }, { ...Config.BrowserSession({ ttl: Duration.hours(2) }) })
    }))

  it.effect("a time to live alone belongs to a browser session", () =>
    Effect.gen(function*() {
      const options = yield* read({ SESSION_KEYS, SESSION_TTL: "2 hours" })
      assert.strictEqual(options.lifecycle?._tag, "BrowserSession")
      assert.deepStrictEqual(options.lifecycle?.ttl, Duration.hours(2))
    }))

  it.effect("a lifecycle alone has the default time to live", () =>
    Effect.gen(function*() {
      const options = yield* read({ SESSION_KEYS, SESSION_LIFECYCLE: "persistent" })
      assert.deepStrictEqual({ ...options.lifecycle }, { ...Config.PersistentSession() })
    }))

  it.effect("keys with commas between stay one secret, newest first", () =>
    Effect.gen(function*() {
      const older = Redacted.value(Config.generateKey())
      const options = yield* read({ SESSION_KEYS: `${secret},${older}` })
      const config = yield* Config.make(options)
      assert.deepStrictEqual(
        config.keys.map((key) => Buffer.from(Redacted.value(key)).toString("base64url")),
        [secret, older]
      )
    }))

  it.effect("a variable that is set to nothing counts as not set", () =>
    Effect.gen(function*() {
      const options = yield* read({
        SESSION_KEYS,
        SESSION_COOKIE_DOMAIN: "",
        SESSION_COOKIE_SECURE: " ",
        SESSION_MAX_LIFETIME: ""
      })
      assert.deepStrictEqual(Object.keys(options), ["keys"])
    }))

  it.effect("what is not set does not wipe out a preset", () =>
    Effect.gen(function*() {
      const { cookie, ...others } = yield* read({ SESSION_KEYS, SESSION_COOKIE_PATH: "/app" })
      const config = yield* Config.make({
        ...Config.development,
        ...others,
        cookie: { ...Config.development.cookie, ...cookie }
      })
      assert.strictEqual(config.cookie.name, "id")
      assert.strictEqual(config.cookie.attributes.secure, false)
      assert.strictEqual(config.cookie.attributes.path, "/app")
    }))

  it.effect("what is wrong only in combination is left to make, which may know more", () =>
    Effect.gen(function*() {
      const options = yield* read({ SESSION_KEYS, SESSION_COOKIE_DOMAIN: "example.com" })
      const error = yield* Effect.flip(Config.make(options))
      assert.strictEqual(error.option, "cookie.domain")
      const mended = yield* Config.make({ ...options, cookie: { ...options.cookie, name: "__Secure-id" } })
      assert.strictEqual(mended.cookie.attributes.domain, "example.com")
    }))

  it.effect("reads the environment of the process when no provider says otherwise", () =>
    Effect.gen(function*() {
      yield* Effect.acquireRelease(
        Effect.sync(() => Object.assign(process.env, { SESSION_KEYS, SESSION_TTL: "3 hours" })),
        () =>
          Effect.sync(() => {
            delete process.env.SESSION_KEYS
            delete process.env.SESSION_TTL
          })
      )
      const options = yield* Effect.withConfigProvider(Config.fromEnv, ConfigProvider.fromEnv())
      assert.strictEqual(ringOf(options), secret)
      assert.deepStrictEqual(options.lifecycle?.ttl, Duration.hours(3))
    }).pipe(Effect.scoped))

  it.effect("follows a prefix, also in its errors", () =>
    Effect.gen(function*() {
      const provide = (variables: Record<string, string>) =>
        Effect.withConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(variables)), { pathDelim: "_" }))
      const prefixed = EffectConfig.nested(Config.fromEnv, "APP")
      const options = yield* provide({ APP_SESSION_KEYS: secret })(prefixed)
      assert.strictEqual(ringOf(options), secret)
      const error = yield* Effect.flip(provide({ APP_SESSION_KEYS: secret, APP_SESSION_TTL: "x" })(prefixed))
      assert.match(String(error), /APP.SESSION_TTL/)
    }))
})

describe("a wrong variable is named with what it may hold, and its value stays out of the message", () => {
  const flags = /use one of .*true, false, yes, no, on, off/
  const cases: ReadonlyArray<readonly [variable: string, value: string, message: RegExp]> = [
    ["SESSION_COOKIE_NAME", "wrong value", /is not a cookie name: use one or more of/],
    ["SESSION_COOKIE_PATH", "wrong value", /begin with \//],
    ["SESSION_COOKIE_DOMAIN", "wrong value", /is not a host name/],
    ["SESSION_COOKIE_SECURE", "wrong value", flags],
    ["SESSION_COOKIE_HTTP_ONLY", "wrong value", flags],
    ["SESSION_COOKIE_PARTITIONED", "wrong value", flags],
    ["SESSION_COOKIE_RETIRED", "wrong value", /is no list of cookies: number 1 does not read like id; Domain=/],
    ["SESSION_COOKIE_RETIRED", "sid,", /is no list of cookies: number 2/],
    ["SESSION_COOKIE_RETIRED", "sid; Domain=.a.example", /is no list of cookies: number 1/],
    ["SESSION_COOKIE_RETIRED", "sid; Path=app", /is no list of cookies: number 1/],
    ["SESSION_COOKIE_RETIRED", "sid; Max-Age=0", /is no list of cookies: number 1/],
    ["SESSION_COOKIE_SAME_SITE", "wrong value", /use one of strict, lax, none/],
    ["SESSION_COOKIE_SAME_SITE", "__proto__", /use one of strict, lax, none/],
    ["SESSION_COOKIE_FORMAT", "wrong value", /use one of effect-session, cookie-rs/],
    ["SESSION_CONTENT_SECURITY", "wrong value", /use one of private, signed/],
    ["SESSION_LIFECYCLE", "wrong value", /use one of browser, persistent/],
    ["SESSION_TTL", "wrong value", /is not a duration: write one like/],
    ["SESSION_TTL", "86400", /is not a duration: write one like/],
    ["SESSION_TTL", "-3 days", /is zero or below/],
    ["SESSION_TTL", "4321 days", /is longer than 400 days/],
    [
      "SESSION_TTL_EXTENSION",
      "wrong value",
      /use one of on-state-changes, on-every-request, or every and a duration, like every 5 minutes/
    ],
    ["SESSION_TTL_EXTENSION", "every dya", /says every, but its duration is not a duration: write one like/],
    ["SESSION_TTL_EXTENSION", "every 0 seconds", /says every, but its duration is zero or below/],
    ["SESSION_TTL_EXTENSION", "every 4321 days", /says every, but its duration is longer than 400 days/],
    ["SESSION_MAX_LIFETIME", "wrong value", /is not a duration: write one like/],
    ["SESSION_MAX_LIFETIME", "0 seconds", /is zero or below/],
    ["SESSION_COOKIE_SECURE", "fromrequest-", /true, false, .*from-request/],
    ["SESSION_REMEMBER_ME", "wrong value", /is not a duration: write one like/],
    ["SESSION_REMEMBER_ME", "0 seconds", /is zero or below/],
    ["SESSION_REMEMBER_ME", "4321 days", /is longer than 400 days/],
    ["SESSION_TRUSTED_PROXIES", "wrong value", /is no list of addresses: number 1 is neither/],
    ["SESSION_TRUSTED_PROXIES", "192.0.2.1,198.51.100.7/33", /is no list of addresses: number 2 is neither/],
    ["SESSION_TRUSTED_PROXIES", "192.0.2.1,", /is no list of addresses: number 2 is neither/],
    ["SESSION_STORE_TIMEOUT", "wrong value", /is not a duration: write one like/],
    ["SESSION_LOST_WRITES", "wrong value", /use one of refuse, ignore/],
    ["SESSION_BEARER", "wrong value", /is no name of a header: .*; or true or false/],
    ["SESSION_BEARER", "set-cookie2", /is a header that means something else .*; or true or false/],
    ["SESSION_TELEMETRY", "wrong value", /use one of none, session-id/],
    ["SESSION_KEYS", "wrong value", /are refused: the key is not base64url/],
    ["SESSION_KEYS", "c2hvcnRLZXlz", /are refused: the key has 9 bytes, but at least 32 are needed/],
    ["SESSION_KEYS", `${secret},,`, /are refused: key 2 of 3 is empty/],
    ["SESSION_KEYS", `${secret},${secret}`, /are refused: key 2 of 2 is the same as key 1/]
  ]

  for (const [variable, value, message] of cases) {
    it.effect(`${variable}: ${value.startsWith(secret) ? "a ring of keys" : value}, ${message.source}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(read({ SESSION_KEYS, [variable]: value }))
        assert.isTrue(ConfigError.isConfigError(error) && ConfigError.isInvalidData(error))
        assert.include(String(error), `Invalid data at ${variable}: "${variable} `)
        assert.match(String(error), message)
        const inspected = inspect(error, { depth: Infinity, showHidden: true })
        const shown = `${String(error)} ${JSON.stringify(error)} ${inspected}`
        assert.notInclude(shown, value)
        assert.notInclude(shown, secret)
      }))
  }

  const withoutKeys: ReadonlyArray<Record<string, string>> = [{}, { SESSION_KEYS: "" }, { SESSION_KEYS: " \n" }]
  for (const variables of withoutKeys) {
    it.effect(`keys that are not set: ${JSON.stringify(variables)}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(read(variables))
        assert.isTrue(ConfigError.isMissingDataOnly(error))
        assert.match(String(error), /^\(Missing data at SESSION_KEYS: "SESSION_KEYS is not set: .*generateKey\(\)/)
      }))
  }

  it.effect("several wrong variables are named at once", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(read({ SESSION_KEYS: "x", SESSION_TTL: "x", SESSION_COOKIE_SECURE: "x" }))
      assert.match(String(error), /SESSION_KEYS.*SESSION_COOKIE_SECURE.*SESSION_TTL/)
    }))
})
