/**
 * Options of every kind and of no kind: a middleware and a store that work, or an error that says which option is
 * wrong. Configuration comes from JavaScript and from files as well, so that the types keep nothing out.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Redacted from "effect/Redacted"
import { pause } from "../support/breathing.js"
import { report } from "../support/figures.js"
import { redisServer } from "../support/redisServer.js"
import { scaled } from "../support/soak.js"
import { handle, makeWebApp, User } from "../support/webApp.js"
import { builtIns } from "./builtIns.js"
import { resultOf } from "./operations.js"
import { makeRandom } from "./random.js"
import type { Random } from "./random.js"
import { parseSetCookie } from "./setCookieGrammar.js"

const before = builtIns()
const silence = Logger.minimumLogLevel(LogLevel.None)

// What no option can be, each in its own way.
const oddities = (): ReadonlyArray<unknown> => [
  ...[undefined, null, NaN, Infinity, -Infinity, 0, -0, -1, 1.5, 1e-9, 1e300, 2 ** 31, 2 ** 53, 10n, -1n, true, false],
  ...["", " ", "\u0000", "a;b", "a\r\nSet-Cookie: b=1", "__proto__", "constructor", "é", "\ud800", "x".repeat(2_000)],
  ...[Symbol("option"), () => "x", [], [1], {}, { _tag: "x" }, Object.create(null), new Map(), new Date(NaN), /x/],
  ...[Duration.infinity, Duration.zero, Redacted.make("x"), Redacted.make(5), Promise.resolve("x")]
]

const keyText = (random: Random, length: number): string => random.bytes(length).toString("base64url")

const someOf = (random: Random, choices: { readonly [option: string]: () => unknown }): Record<string, unknown> => {
  const options: Record<string, unknown> = {}
  for (const [option, choose] of Object.entries(choices)) {
    if (!random.oneIn(3)) {
      options[option] = random.oneIn(25) ? random.pick(oddities()) : choose()
    }
  }
  return options
}

const durations = [
  "1 day",
  "10 minutes",
  "1 second",
  "400 days",
  "1 millis",
  1_000,
  5,
  Duration.hours(3),
  [60, 0],
  86_400_000
]

const keysOf = (random: Random): unknown => {
  switch (random.below(12)) {
    case 0:
      return random.pick(oddities())
    case 1:
      return Redacted.make(random.pick(["secret", "A".repeat(86), keyText(random, 8), "a,b", ",", " "]))
    case 2:
      return [Redacted.make(keyText(random, 64)), random.pick(oddities())]
    case 3:
      return Redacted.make(`${keyText(random, 64)},${keyText(random, 64)}`)
    case 4:
      return Array.from({ length: random.below(6) }, () => Redacted.make(keyText(random, 64)))
    default:
      return Redacted.make(keyText(random, random.pick([32, 64, 64, 64, 100])))
  }
}

const cookieOf = (random: Random): unknown =>
  random.oneIn(12) ? random.pick(oddities()) : someOf(random, {
    name: () =>
      random.pick([
        ...["id", "__Host-id", "__Secure-id", "__Http-id", "__Host-Http-id", "__HOST-id", "constructor", "toString"],
        ...["a!#$%&'*+-.^_`|~9", "a b", "a=b", "a;b", "", "é", "__proto__", "x".repeat(256), "x".repeat(257)],
        random.bytes(1 + random.below(6)).toString("latin1")
      ]),
    path: () =>
      random.pick([
        ...["/", "/", "/app", "/a b", "/a=b&c", "/a,b", "/%20", "/\"", "/a;b", "app", "/é", "/\n", "/ ", "/a/../b"],
        `/${random.bytes(random.below(8)).toString("latin1")}`
      ]),
    domain: () =>
      random.pick([undefined, undefined, "app.test", "localhost", ".app.test", "app.test.", "é.test", "a_b", "a;b"]),
    secure: () => random.pick([true, true, true, false]),
    httpOnly: () => random.pick([true, true, false]),
    sameSite: () => random.pick(["Lax", "Strict", "None", "lax", "none"]),
    partitioned: () => random.pick([false, false, true])
  })

const lifecycleOf = (random: Random): unknown =>
  random.oneIn(12) ? random.pick(oddities()) : {
    _tag: random.pick(["BrowserSession", "PersistentSession", "PersistentSession", "Session"]),
    ...someOf(random, {
      ttl: () => random.pick(durations),
      ttlExtension: () => random.pick(["OnStateChanges", "OnEveryRequest", { every: random.pick(durations) }]),
      maxLifetime: () => random.pick([undefined, ...durations])
    })
  }

const sessionOptions = (random: Random): unknown =>
  random.oneIn(100) ? random.pick(oddities()) : {
    keys: keysOf(random),
    ...someOf(random, {
      cookie: () => cookieOf(random),
      contentSecurity: () => random.pick(["Private", "Signed", "private"]),
      cookieFormat: () => random.pick(["EffectSession", "EffectSession", "CookieRs"]),
      lifecycle: () => lifecycleOf(random),
      storeTimeout: () => random.pick(durations),
      bearer: () => random.pick([true, true, false, { header: "session-token" }, { header: "set-cookie" }, {}]),
      telemetry: () => random.pick(["None", "SessionId", "session-id"])
    })
  }

const show = (options: unknown): string => {
  try {
    return JSON.stringify(
      options,
      (_, value: unknown) =>
        ["symbol", "bigint", "function", "undefined"].includes(typeof value) ? String(value) : value
    )
  } catch {
    return "options that do not print"
  }
}

/** The layer made of these options, in a scope that is closed again; a defect fails the test. */
const built = <S, E>(layer: () => Layer.Layer<S, E>, about: string) =>
  Effect.map(
    Effect.exit(Effect.scoped(Effect.suspend(() => Layer.build(layer())))),
    (exit) => {
      const result = resultOf(exit)
      if (result._tag === "Defect") {
        assert.fail(`${about}: ${result.what}`)
      }
      return result
    }
  )

describe("configuration, fuzzed", () => {
  it.effect("any options make a middleware or a SessionConfigError, and never a defect", () =>
    Effect.gen(function*() {
      const random = makeRandom()
      const tries = scaled(4_000, 40_000)
      const messages = new Set<string>()
      let accepted = 0
      for (let i = 0; i < tries; i++) {
        const options = sessionOptions(random)
        const result = yield* built(
          () => Layer.provide(SessionMiddleware.layer(options as Config.SessionOptions), CookieSessionStore.layer),
          `seed ${random.seed}, ${show(options)}`
        )
        if (result._tag === "Value") {
          accepted++
        } else {
          assert(result._tag === "Typed")
          messages.add(result.error)
        }
        yield* pause(i)
      }
      assert.deepStrictEqual([...messages], ["SessionConfigError"])
      assert.isAbove(accepted, tries / 50)
      report("hostile configuration", { seed: random.seed, tried: tries, accepted, defects: 0 })
    }).pipe(Effect.provide(silence)))

  it.effect("whatever is not options at all is a SessionConfigError", () =>
    Effect.gen(function*() {
      for (const options of oddities()) {
        const result = yield* built(
          () => Layer.provide(SessionMiddleware.layer(options as Config.SessionOptions), CookieSessionStore.layer),
          show(options)
        )
        assert.deepStrictEqual(result, { _tag: "Typed", error: "SessionConfigError" }, show(options))
      }
    }))

  it.scoped(
    "every configuration that is accepted serves cookies that the grammar and browsers take",
    () =>
      Effect.gen(function*() {
        const random = makeRandom()
        const wanted = scaled(300, 2_000)
        let served = 0
        for (let drawn = 0; served < wanted; drawn++) {
          yield* pause(drawn)
          const options = sessionOptions(random) as Config.SessionOptions
          const checked = yield* Effect.either(Effect.try(() => Config.make(options)))
          if (checked._tag === "Left" || checked.right._tag === "Left") {
            continue
          }
          const config = checked.right.right
          const about = `seed ${random.seed}, ${show(options)}`
          const app = yield* makeWebApp({ config: options, store: CookieSessionStore.layer })
          const name = config.cookie.name
          const created = yield* app.request(handle((session) => session.insert(User, "ferris")))
          assert.strictEqual(created.status, 200, about)
          assert.strictEqual(created.setCookies.length, 1, about)
          const cookie = parseSetCookie(created.setCookies[0]!)
          assert(typeof cookie === "object", `${about}: ${String(cookie)}: ${created.setCookies[0]!}`)
          assert.strictEqual(cookie.name, name, about)
          const header = `${name}=${cookie.value}`
          assert.strictEqual((yield* app.request(handle((session) => session.id), header)).status, 200, about)

          const removed = yield* app.request(handle((session) => session.purge), header)
          const removal = parseSetCookie(removed.setCookies[0] ?? "")
          assert(typeof removal === "object", `${about}: ${String(removal)}`)
          const without = (attributes: ReadonlyMap<string, string | undefined>) =>
            [...attributes].filter(([attribute]) => attribute !== "Max-Age" && attribute !== "Expires")
          assert.deepStrictEqual(without(removal.attributes), without(cookie.attributes), about)
          assert.deepStrictEqual([removal.name, removal.value, removal.attributes.get("Max-Age")], [name, "", "0"])
          served++
        }
        report("hostile configuration, served", { seed: random.seed, served, "lines that no browser takes": 0 })
      }).pipe(Effect.provide(silence))
  )

  it.effect("any environment makes options or a ConfigError, which never shows a value", () =>
    Effect.gen(function*() {
      const random = makeRandom()
      const variables = [
        ...["KEYS", "COOKIE_NAME", "COOKIE_PATH", "COOKIE_DOMAIN", "COOKIE_SECURE", "COOKIE_HTTP_ONLY"],
        ...["COOKIE_SAME_SITE", "COOKIE_PARTITIONED", "COOKIE_FORMAT", "CONTENT_SECURITY", "LIFECYCLE", "TTL"],
        ...["TTL_EXTENSION", "MAX_LIFETIME", "STORE_TIMEOUT"]
      ].map((name) => `SESSION_${name}`)
      const texts = oddities().filter((value) => typeof value === "string")
      const planted = "planted-value-of-a-variable"
      let accepted = 0
      for (let i = 0; i < scaled(2_000, 20_000); i++) {
        yield* pause(i)
        const environment = new Map([["SESSION_KEYS", keyText(random, 64)]])
        for (let wrong = random.below(3); wrong > 0; wrong--) {
          environment.set(
            random.pick(variables),
            random.pick([...texts, planted, "1 day", "every 5 minutes", "true", "lax", "cookie-rs"])
          )
        }
        const about = `seed ${random.seed}, ${JSON.stringify([...environment])}`
        const exit = yield* Effect.exit(
          Effect.withConfigProvider(Config.fromEnv, ConfigProvider.fromMap(environment))
        )
        const result = resultOf(exit)
        assert.notStrictEqual(result._tag, "Defect", about)
        if (exit._tag === "Success") {
          accepted++
          assert.notStrictEqual(resultOf(yield* Effect.exit(Config.make(exit.value)))._tag, "Defect", about)
        } else {
          assert.notInclude(String(exit.cause), planted, about)
        }
      }
      assert.isAbove(accepted, 100)
    }))

  it.effect("any options make a memory store or a SessionStoreConfigError", () =>
    Effect.gen(function*() {
      for (const capacity of [...oddities(), 1, 2, 1_000, 2 ** 24 + 1, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
        const layer = () => MemorySessionStore.layer({ capacity: capacity as number })
        const result = yield* built(layer, `capacity ${show(capacity)}`)
        const isTaken = capacity === undefined || capacity === null || [1, 2, 1_000].includes(capacity as number)
        assert.strictEqual(result._tag, isTaken ? "Value" : "Typed", `capacity ${show(capacity)}`)
      }
      for (const options of oddities()) {
        yield* built(
          () => MemorySessionStore.layer(options as MemorySessionStore.MemorySessionStoreOptions),
          show(options)
        )
      }
    }))

  it.scopedLive(
    "any options make a Redis store or a SessionStoreConfigError, and no message has the password",
    () =>
      Effect.gen(function*() {
        const { url } = yield* redisServer()
        const random = makeRandom()
        const secret = "planted-password"
        const urls = [
          ...["", "redis://", "redis:", "http://127.0.0.1", "127.0.0.1:6379", "redis://127.0.0.1:99999"],
          ...[`redis://:${secret}@`, `redis://u:${secret}%@127.0.0.1`, `redis://:${secret}@127.0.0.1/x`, `//${secret}`],
          ...[`redis://:${secret}@127.0.0.1#x`, `redis://:${secret}@127.0.0.1?x=1`, `${secret}`]
        ]
        const attempt = (options: unknown) =>
          Effect.gen(function*() {
            const about = `seed ${random.seed}, ${show(options)}`
            const exit = yield* Effect.exit(Effect.scoped(Effect.suspend(() =>
              Effect.flatMap(Layer.build(RedisSessionStore.layer(options as RedisSessionStore.Options)), (context) =>
                Effect.exit(
                  SessionStore.withClock(Context.get(context, SessionStore.SessionStore)).save(new Map(), {
                    ttl: 1_000,
                    maxLifetime: undefined
                  })
                ))
            )))
            const result = resultOf(exit)
            if (result._tag === "Defect") {
              assert.fail(`${about}: ${result.what}`)
            }
            if (exit._tag === "Success") {
              assert.notStrictEqual(resultOf(exit.value)._tag, "Defect", `save with ${about}`)
            }
            assert.notInclude(String(exit), secret, about)
            return result._tag === "Value"
          })
        let accepted = 0
        for (const odd of oddities()) {
          yield* attempt(odd)
          for (const option of ["url", "timeout", "prefix", "redis"]) {
            const isAccepted = yield* attempt({ url, timeout: "2 seconds", [option]: odd })
            accepted += isAccepted ? 1 : 0
          }
        }
        for (const wrong of urls) {
          assert.isFalse(yield* attempt({ url: wrong, timeout: "20 millis" }), wrong)
          assert.isFalse(yield* attempt({ url: Redacted.make(wrong), timeout: "20 millis" }), wrong)
        }
        assert.isAbove(accepted, 5)
      }).pipe(Effect.provide(silence))
  )

  it("leaves the built-in prototypes as they were", () => {
    assert.deepStrictEqual(builtIns(), before)
  })
})
