import * as Cookies from "@effect/platform/Cookies"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { inspect } from "node:util"
import * as Config from "../src/Config.js"
import * as CookieCrypto from "../src/CookieCrypto.js"
import { whyKnown } from "../src/internal/config/knownKeys.js"
import { violatedCookieRule } from "../src/internal/cookie/cookieRules.js"
import { setCookie } from "../src/internal/cookie/setCookie.js"
import { cookiesToSet } from "../src/internal/http/responseCookies.js"

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("base64url")

const redacted = (...parts: ReadonlyArray<string>): Redacted.Redacted<string> => Redacted.make(parts.join(","))

const randomKey = (length: number): string => text(randomBytes(length))

const keys = redacted(randomKey(64))

const accept = (options: Config.SessionOptions): Config.SessionConfig => Either.getOrThrow(Config.make(options))

const reject = (options: Config.SessionOptions): Config.SessionConfigError =>
  Either.getOrThrow(Either.flip(Config.make(options)))

// For what TypeScript would not let through, but JavaScript does.
const untyped = (options: unknown): Config.SessionOptions => options as Config.SessionOptions

const bytesOf = (config: Config.SessionConfig): ReadonlyArray<Uint8Array> => config.keys.map(Redacted.value)

describe("defaults", () => {
  it("with nothing but keys, everything has its documented default", () => {
    const config = accept({ keys })
    assert.strictEqual(config.cookie.name, "__Host-id")
    assert.strictEqual(config.cookie.attributes.path, "/")
    assert.strictEqual(config.cookie.attributes.domain, undefined)
    assert.strictEqual(config.cookie.attributes.secure, true)
    assert.strictEqual(config.cookie.attributes.httpOnly, true)
    assert.strictEqual(config.cookie.attributes.sameSite, "Lax")
    assert.strictEqual(config.cookie.attributes.partitioned, false)
    assert.strictEqual(config.contentSecurity, undefined)
    assert.strictEqual(config.cookieFormat, "EffectSession")
    assert.strictEqual(config.lifecycle._tag, "BrowserSession")
    assert.strictEqual(config.lifecycle.ttlMillis, 86_400_000)
    assert.strictEqual(config.lifecycle.ttlExtension, "OnStateChanges")
    assert.strictEqual(config.lifecycle.maxLifetimeMillis, undefined)
    assert.strictEqual(config.storeTimeoutMillis, 5000)
    assert.strictEqual(config.lostWrites, "Refuse")
    assert.isUndefined(config.bearer)
    assert.strictEqual(config.telemetry, "None")
    assert.deepStrictEqual(config.warnings, [])
    assert.strictEqual(config.keys.length, 1)
  })

  it("an option that is there and undefined counts as left out", () => {
    const config = accept({
      keys,
      cookie: {
        name: undefined,
        path: undefined,
        domain: undefined,
        secure: undefined,
        httpOnly: undefined,
        sameSite: undefined,
        partitioned: undefined
      },
      contentSecurity: undefined,
      cookieFormat: undefined,
      lifecycle: Config.BrowserSession({ ttl: undefined, ttlExtension: undefined, maxLifetime: undefined }),
      storeTimeout: undefined,
      lostWrites: undefined,
      bearer: undefined,
      telemetry: undefined
    })
    const { keys: _, ...others } = config
    const { keys: __, ...expected } = accept({ keys })
    assert.deepStrictEqual(others, expected)
  })

  it("an option that is null, as JSON has it, counts as left out", () => {
    const { keys: _, ...expected } = accept({ keys })
    const { keys: __, ...others } = accept(untyped({
      keys,
      cookie: { name: null, domain: null, secure: null },
      contentSecurity: null,
      lifecycle: { ...Config.BrowserSession(), maxLifetime: null },
      storeTimeout: null,
      lostWrites: null,
      bearer: null,
      telemetry: null
    }))
    assert.deepStrictEqual(others, expected)
    assert.deepStrictEqual(accept(untyped({ keys, cookie: null, lifecycle: null })).cookie, expected.cookie)
  })

  it("every option that is given arrives", () => {
    const config = accept({
      keys,
      cookie: {
        name: "__Secure-app",
        path: "/app",
        domain: "example.com",
        secure: true,
        httpOnly: false,
        sameSite: "None",
        partitioned: true
      },
      contentSecurity: "Signed",
      cookieFormat: "CookieRs",
      lifecycle: Config.PersistentSession({
        ttl: Duration.days(14),
        ttlExtension: "OnEveryRequest",
        maxLifetime: "90 days",
        rememberMe: "60 days"
      }),
      storeTimeout: 250,
      lostWrites: "Ignore",
      bearer: { header: "Session-Token" },
      telemetry: "SessionId"
    })
    assert.deepStrictEqual(config.cookie, {
      name: "__Secure-app",
      attributes: {
        path: "/app",
        domain: "example.com",
        secure: true,
        httpOnly: false,
        sameSite: "None",
        partitioned: true
      },
      secureFromRequest: undefined,
      retired: []
    })
    assert.strictEqual(config.contentSecurity, "Signed")
    assert.strictEqual(config.cookieFormat, "CookieRs")
    assert.deepStrictEqual(config.lifecycle, {
      _tag: "PersistentSession",
      ttlMillis: 14 * 86_400_000,
      ttlExtension: "OnEveryRequest",
      maxLifetimeMillis: 90 * 86_400_000,
      rememberMeMillis: 60 * 86_400_000,
      rotation: undefined,
      onKeyReuse: "EndSession"
    })
    assert.strictEqual(config.storeTimeoutMillis, 250)
    assert.strictEqual(config.lostWrites, "Ignore")
    assert.deepStrictEqual(config.bearer, { header: "session-token" })
    assert.strictEqual(config.telemetry, "SessionId")
  })

  it("bearers are off or on, and then in the header that is named, or in the one that everybody hides", () => {
    const none = [false, undefined, null]
    const usual = [true, {}, { header: undefined }, { header: null }, { header: "Authorization" }]
    for (const bearer of none) {
      assert.isUndefined(accept(untyped({ keys, bearer })).bearer)
    }
    for (const bearer of usual) {
      assert.deepStrictEqual(accept(untyped({ keys, bearer })).bearer, { header: "authorization" })
    }
  })
})

describe("lifecycle", () => {
  it("is plain data with its defaults filled in", () => {
    assert.deepStrictEqual({ ...Config.BrowserSession() }, {
      _tag: "BrowserSession",
      ttl: "1 day",
      ttlExtension: "OnStateChanges",
      maxLifetime: undefined,
      rememberMe: undefined,
      renewEvery: undefined,
      renewGrace: "60 seconds",
      onKeyReuse: "EndSession"
    })
    assert.strictEqual(Config.PersistentSession()._tag, "PersistentSession")
    assert.isTrue(
      Equal.equals(Config.PersistentSession({ ttl: "2 days" }), Config.PersistentSession({ ttl: "2 days" }))
    )
    assert.isFalse(Equal.equals(Config.BrowserSession(), Config.PersistentSession()))
  })

  it("its ttl starts anew once in a while, in whole milliseconds and less than any ttl", () => {
    const extension = (every: Duration.DurationInput, rest: Config.LifecycleOptions = {}) =>
      accept({ keys, lifecycle: Config.BrowserSession({ ttl: "1 hour", ttlExtension: { every }, ...rest }) })
        .lifecycle.ttlExtension
    assert.deepStrictEqual(extension("5 minutes"), { everyMillis: 300_000 })
    assert.deepStrictEqual(extension("1 nanos"), { everyMillis: 1 })
    assert.deepStrictEqual(extension(Duration.hours(1.5), { ttl: "2 hours", rememberMe: "30 days" }), {
      everyMillis: 5_400_000
    })
    assert.deepStrictEqual(extension(3_599_999), { everyMillis: 3_599_999 })
  })

  it("durations become whole milliseconds, rounded up so that none becomes zero", () => {
    const ttlMillis = (ttl: Duration.DurationInput) =>
      accept({ keys, lifecycle: Config.BrowserSession({ ttl }) }).lifecycle.ttlMillis
    assert.strictEqual(ttlMillis("1 nanos"), 1)
    assert.strictEqual(ttlMillis(1.5), 2)
    assert.strictEqual(ttlMillis(1500n * 1_000_000n), 1500)
    assert.strictEqual(ttlMillis([2, 1]), 2001)
    assert.strictEqual(ttlMillis("2 weeks"), 14 * 86_400_000)
  })

  it("400 days are a legal time to live, a millisecond more is not", () => {
    const ttl = 400 * 86_400_000
    assert.strictEqual(accept({ keys, lifecycle: Config.PersistentSession({ ttl }) }).lifecycle.ttlMillis, ttl)
    assert.strictEqual(
      reject({ keys, lifecycle: Config.PersistentSession({ ttl: ttl + 1 }) }).option,
      "lifecycle.ttl"
    )
  })

  it("a browser session may live for less than a second, a persistent one may not, as Max-Age=0 removes", () => {
    assert.strictEqual(accept({ keys, lifecycle: Config.BrowserSession({ ttl: 999 }) }).lifecycle.ttlMillis, 999)
    assert.strictEqual(accept({ keys, lifecycle: Config.PersistentSession({ ttl: 1000 }) }).lifecycle.ttlMillis, 1000)
    assert.strictEqual(reject({ keys, lifecycle: Config.PersistentSession({ ttl: 999 }) }).option, "lifecycle.ttl")
  })

  it("an absolute limit may be shorter than the time to live, and longer than 400 days", () => {
    const maxLifetimeMillis = (maxLifetime: Duration.DurationInput) =>
      accept({ keys, lifecycle: Config.BrowserSession({ maxLifetime }) }).lifecycle.maxLifetimeMillis
    assert.strictEqual(maxLifetimeMillis("8 hours"), 8 * 3_600_000)
    assert.strictEqual(maxLifetimeMillis("500 days"), 500 * 86_400_000)
  })
})

describe("remembering and trust", () => {
  it("nothing is remembered and nobody is trusted unless the options say so", () => {
    const config = accept({ keys })
    assert.isUndefined(config.lifecycle.rememberMeMillis)
    assert.isUndefined(config.cookie.secureFromRequest)
  })

  it("a remembered session may live for one second to 400 days, and as long as the absolute limit", () => {
    const rememberMeMillis = (options: Config.LifecycleOptions) =>
      accept({ keys, lifecycle: Config.BrowserSession(options) }).lifecycle.rememberMeMillis
    assert.strictEqual(rememberMeMillis({ rememberMe: 1000 }), 1000)
    assert.strictEqual(rememberMeMillis({ rememberMe: "400 days" }), 400 * 86_400_000)
    assert.strictEqual(rememberMeMillis({ rememberMe: "90 days", maxLifetime: "90 days" }), 90 * 86_400_000)
  })

  it("a null in place of either counts as left out", () => {
    const config = accept(untyped({
      keys,
      trustedProxies: null,
      lifecycle: { ...Config.BrowserSession(), rememberMe: null }
    }))
    assert.isUndefined(config.lifecycle.rememberMeMillis)
    assert.isUndefined(config.cookie.secureFromRequest)
  })

  it("a Secure that goes by the request comes with its proxies, nobody by default", () => {
    const trusted = (trustedProxies?: Config.SessionOptions["trustedProxies"]) =>
      accept({ keys, cookie: { name: "id", secure: "FromRequest" }, trustedProxies }).cookie.secureFromRequest
        ?.trustedProxies
    assert.deepStrictEqual(trusted(), [])
    assert.strictEqual(trusted("All"), "All")
    const ranges = trusted(["10.0.0.0/8", " ::1 "])
    assert.deepStrictEqual(
      Array.isArray(ranges) ? ranges.map(([address, length]) => `${String(address)}/${length}`) : ranges,
      ["10.0.0.0/8", "::1/128"]
    )
  })

  it("a Secure that goes by the request is allowed with a warning, and trust in everybody with another", () => {
    const warnings = (trustedProxies: Config.SessionOptions["trustedProxies"]) =>
      accept({ keys, cookie: { name: "id", secure: "FromRequest" }, trustedProxies }).warnings
    for (const trustedProxies of [undefined, [], ["10.0.0.1"]]) {
      assert.strictEqual(warnings(trustedProxies).length, 1)
      assert.match(warnings(trustedProxies)[0]!, /^cookie\.secure is "FromRequest": .* Redirect to HTTPS/)
    }
    assert.strictEqual(warnings("All").length, 2)
    assert.match(warnings("All")[1]!, /^trustedProxies is "All": .* Name the proxies/)
  })
})

describe("what the cookie was before", () => {
  it("is nothing unless the options say so, and is written as the cookie was", () => {
    assert.deepStrictEqual(accept({ keys }).cookie.retired, [])
    assert.deepStrictEqual(accept(untyped({ keys, cookie: { retired: null } })).cookie.retired, [])
    const { name, retired } = accept({
      keys,
      cookie: {
        name: "sid",
        secure: "FromRequest",
        retired: [{}, { name: "sid", path: "/app", secure: "FromRequest" }]
      },
      trustedProxies: ["10.0.0.1"]
    }).cookie
    assert.strictEqual(name, "sid")
    assert.deepStrictEqual(retired[0], {
      name: "__Host-id",
      attributes: {
        path: "/",
        domain: undefined,
        secure: true,
        httpOnly: true,
        sameSite: "Lax",
        partitioned: false
      },
      secureFromRequest: undefined
    })
    assert.strictEqual(retired[1]!.attributes.path, "/app")
    assert.strictEqual(retired[1]!.secureFromRequest?.trustedProxies.length, 1)
  })

  it("differs from the cookie in its name, domain, path or partition", () => {
    for (const former of [{ name: "sid" }, { domain: undefined }, { path: "/" }, { partitioned: false }]) {
      const cookie = { name: "id", domain: "a.example", path: "/app", partitioned: true }
      assert.strictEqual(
        accept({ keys, cookie: { ...cookie, retired: [{ ...cookie, ...former }] } }).cookie.retired.length,
        1
      )
    }
  })
})

describe("illegal options are refused with the option, the fault and the mend", () => {
  const lifecycleOf = (options: Config.LifecycleOptions) => ({ keys, lifecycle: Config.BrowserSession(options) })
  const cases: ReadonlyArray<
    readonly [fault: string, options: unknown, option: Config.SessionConfigError["option"], message: RegExp]
  > = [
    ["an empty name", { keys, cookie: { name: "" } }, "cookie.name", /^cookie\.name is not a cookie name: use /],
    ["a name with a space", { keys, cookie: { name: "a b" } }, "cookie.name", /is not a cookie name: use /],
    ["a name with a semicolon", { keys, cookie: { name: "a;Secure" } }, "cookie.name", /is not a cookie name: use /],
    ["a name with a line break", { keys, cookie: { name: "id\r\n" } }, "cookie.name", /is not a cookie name: use /],
    ["a name with an equals sign", { keys, cookie: { name: "a=b" } }, "cookie.name", /is not a cookie name: use /],
    ["a name beyond ASCII", { keys, cookie: { name: "sitzüng" } }, "cookie.name", /is not a cookie name: use /],
    ["a name that is a number", { keys, cookie: { name: 1 } }, "cookie.name", /is not a cookie name: use /],
    ["a name that leaves no room", { keys, cookie: { name: "a".repeat(257) } }, "cookie.name", /256 bytes: shorten it/],
    ...Array.from("#%^`|", (character) =>
      [
        `the character ${character} in a name for cookie-rs`,
        { keys, cookieFormat: "CookieRs", cookie: { name: `id${character}` } },
        "cookie.name",
        /^cookie\.name holds one of # % \^ ` \|.*leave them out/
      ] as const),
    ["a path without slash", { keys, cookie: { path: "app", name: "id" } }, "cookie.path", /begin with \//],
    ["an empty path", { keys, cookie: { path: "", name: "id" } }, "cookie.path", /begin with \//],
    ["a path with a semicolon", { keys, cookie: { path: "/;a", name: "id" } }, "cookie.path", /without ;/],
    ["a path with a line break", { keys, cookie: { path: "/\n", name: "id" } }, "cookie.path", /printable ASCII/],
    ["a long path", { keys, cookie: { path: `/${"a".repeat(1024)}`, name: "id" } }, "cookie.path", /at most 1024/],
    ["a path that is no text", { keys, cookie: { path: ["/"], name: "id" } }, "cookie.path", /begin with \//],
    ["a domain with a leading dot", { keys, cookie: { domain: ".a.example", name: "id" } }, "cookie.domain", /dot/],
    ["a domain with a port", { keys, cookie: { domain: "a.example:80", name: "id" } }, "cookie.domain", /host name/],
    ["an empty domain", { keys, cookie: { domain: "", name: "id" } }, "cookie.domain", /or leave it out/],
    ["a domain beyond ASCII", { keys, cookie: { domain: "bücher.de", name: "id" } }, "cookie.domain", /ASCII/],
    ["a domain that is no text", { keys, cookie: { domain: true, name: "id" } }, "cookie.domain", /host name/],
    ["a secure that is no boolean", { keys, cookie: { secure: "false" } }, "cookie.secure", /use true or false/],
    ["an httpOnly that is no boolean", { keys, cookie: { httpOnly: 1 } }, "cookie.httpOnly", /use true or false/],
    ["a partitioned that is no boolean", { keys, cookie: { partitioned: "" } }, "cookie.partitioned", /true or false/],
    ["a SameSite in lower case", { keys, cookie: { sameSite: "lax" } }, "cookie.sameSite", /"Strict", "Lax", "None"/],
    [
      "__Host- without Secure",
      { keys, cookie: { secure: false } },
      "cookie.secure",
      /^cookie\.secure must be true, .*the prefix __Host- of cookie\.name demands it.*Config\.development/
    ],
    [
      "__Host- with a path",
      { keys, cookie: { path: "/app" } },
      "cookie.path",
      /^cookie\.path must be "\/", .*__Host- .*__Secure-/
    ],
    [
      "__Host- with a domain",
      { keys, cookie: { domain: "a.example" } },
      "cookie.domain",
      /^cookie\.domain must be undefined, .*__Host- .*Leave it out, or begin cookie\.name with __Secure-/
    ],
    [
      "__Host- in other letters, which browsers take for the same",
      { keys, cookie: { name: "__hOsT-id", path: "/app" } },
      "cookie.path",
      /__hOsT- /
    ],
    ["__Secure- without it", { keys, cookie: { name: "__Secure-id", secure: false } }, "cookie.secure", /__Secure-/],
    ["__Http- for script", { keys, cookie: { name: "__Http-id", httpOnly: false } }, "cookie.httpOnly", /__Http-/],
    ["__Http- without Secure", { keys, cookie: { name: "__Http-id", secure: false } }, "cookie.secure", /__Http-/],
    [
      "__Host-Http- with script access",
      { keys, cookie: { name: "__Host-Http-id", httpOnly: false } },
      "cookie.httpOnly",
      /__Host-Http-/
    ],
    [
      "__Host-Http- with a path",
      { keys, cookie: { name: "__Host-Http-id", path: "/app" } },
      "cookie.path",
      /__Host-Http-/
    ],
    [
      "SameSite=None without Secure",
      { keys, cookie: { name: "id", secure: false, sameSite: "None" } },
      "cookie.secure",
      /^cookie\.secure must be true, .*SameSite=None demands it\. Set it so$/
    ],
    [
      "Partitioned without Secure",
      { keys, cookie: { name: "id", secure: false, partitioned: true } },
      "cookie.secure",
      /^cookie\.secure must be true, .*Partitioned demands it\. Set it so$/
    ],
    ["retired cookies that are no list", { keys, cookie: { retired: { name: "id" } } }, "cookie.retired", /in \[ \]/],
    ["retired names without more", { keys, cookie: { retired: ["id"] } }, "cookie.retired", /no list of cookies/],
    [
      "nine retired cookies",
      { keys, cookie: { retired: Array.from({ length: 9 }, (_, index) => ({ name: `id${index}` })) } },
      "cookie.retired",
      /more than 8 .*drop the oldest/
    ],
    [
      "a retired cookie that browsers never took",
      { keys, cookie: { retired: [{ name: "id" }, { domain: "a.example" }] } },
      "cookie.retired",
      /^cookie\.retired\[1\]\.domain must be undefined, .*__Host- of cookie\.retired\[1\]\.name.*Leave it out/
    ],
    [
      "a retired domain with a port",
      { keys, cookie: { retired: [{ name: "id", domain: "a.example:80" }] } },
      "cookie.retired",
      /^cookie\.retired\[0\]\.domain is not a host name/
    ],
    [
      "a cookie that retires itself",
      {
        keys,
        cookie: {
          name: "id",
          domain: "a.example",
          retired: [{ name: "id", domain: "A.example", secure: false, httpOnly: false, sameSite: "Strict" }]
        }
      },
      "cookie.retired",
      /^cookie\.retired\[0\] has the name, domain, path and partition of cookie itself.*leave it out$/
    ],
    ["an unknown content security", { keys, contentSecurity: "None" }, "contentSecurity", /"Private", "Signed"/],
    ["an unknown cookie format", { keys, cookieFormat: "Jwt" }, "cookieFormat", /"EffectSession", "CookieRs"/],
    ["an unknown lifecycle", { keys, lifecycle: { _tag: "For ever" } }, "lifecycle", /"BrowserSession", "Pers/],
    ["a lifecycle that is no data", { keys, lifecycle: 7 }, "lifecycle", /"BrowserSession", "Pers/],
    ["no time to live", lifecycleOf({ ttl: 0 }), "lifecycle.ttl", /^lifecycle\.ttl is zero or below: make it longer/],
    ["a negative time to live", lifecycleOf({ ttl: "-1 days" }), "lifecycle.ttl", /zero or below/],
    ["a time to live that is not a number", lifecycleOf({ ttl: NaN }), "lifecycle.ttl", /zero or below/],
    ["an endless time to live", lifecycleOf({ ttl: Duration.infinity }), "lifecycle.ttl", /400 days.*shorten it/],
    ["an endless time to live in numbers", lifecycleOf({ ttl: Infinity }), "lifecycle.ttl", /400 days/],
    ["401 days to live", lifecycleOf({ ttl: "401 days" }), "lifecycle.ttl", /400 days/],
    ["a misspelt duration", lifecycleOf({ ttl: "1 dya" as "1 day" }), "lifecycle.ttl", /not a duration: write one/],
    ["a duration out of range", lifecycleOf({ ttl: [1e300, 0] }), "lifecycle.ttl", /not a duration/],
    ["a lifecycle without ttl", { keys, lifecycle: { _tag: "BrowserSession" } }, "lifecycle.ttl", /not a duration/],
    [
      "an unknown extension",
      lifecycleOf({ ttlExtension: "Never" as "OnStateChanges" }),
      "lifecycle.ttlExtension",
      /"OnStateChanges", "OnEveryRequest", or \{ every: "5 minutes" \}$/
    ],
    [
      "an extension without its time",
      lifecycleOf({ ttlExtension: {} as { every: 1 } }),
      "lifecycle.ttlExtension.every",
      /^lifecycle\.ttlExtension\.every is not a duration: write one/
    ],
    [
      "an extension in no time",
      lifecycleOf({ ttlExtension: { every: 0 } }),
      "lifecycle.ttlExtension.every",
      /zero or below: make it longer/
    ],
    [
      "an extension that is never due",
      lifecycleOf({ ttlExtension: { every: Infinity } }),
      "lifecycle.ttlExtension.every",
      /400 days.*shorter than lifecycle\.ttl/
    ],
    [
      "an extension when the session is over",
      lifecycleOf({ ttl: "1 hour", ttlExtension: { every: "1 hour" } }),
      "lifecycle.ttlExtension.every",
      /is no shorter than lifecycle\.ttl: shorten it/
    ],
    [
      "an extension when a remembered session is over",
      lifecycleOf({ ttl: "2 hours", rememberMe: "1 hour", ttlExtension: { every: "1 hour" } }),
      "lifecycle.ttlExtension.every",
      /is no shorter than lifecycle\.rememberMe: shorten it/
    ],
    ["an absolute limit of zero", lifecycleOf({ maxLifetime: 0 }), "lifecycle.maxLifetime", /zero or below/],
    ["a negative absolute limit", lifecycleOf({ maxLifetime: -1 }), "lifecycle.maxLifetime", /zero or below/],
    ["an endless absolute limit", lifecycleOf({ maxLifetime: Infinity }), "lifecycle.maxLifetime", /leave it out/],
    [
      "remembering for no time",
      lifecycleOf({ rememberMe: 0 }),
      "lifecycle.rememberMe",
      /zero or below: make it longer/
    ],
    ["remembering for a negative time", lifecycleOf({ rememberMe: -1 }), "lifecycle.rememberMe", /zero or below/],
    [
      "remembering for less than a second",
      lifecycleOf({ rememberMe: 999 }),
      "lifecycle.rememberMe",
      /one second.*leave/
    ],
    ["remembering for 401 days", lifecycleOf({ rememberMe: "401 days" }), "lifecycle.rememberMe", /400 days.*shorten/],
    ["remembering for ever", lifecycleOf({ rememberMe: Infinity }), "lifecycle.rememberMe", /400 days/],
    [
      "remembering for a misspelt time",
      lifecycleOf({ rememberMe: "1 dya" as "1 day" }),
      "lifecycle.rememberMe",
      /not a duration/
    ],
    [
      "remembering for longer than any session lives",
      lifecycleOf({ rememberMe: 86_400_001, maxLifetime: "1 day" }),
      "lifecycle.rememberMe",
      /^lifecycle\.rememberMe is longer than lifecycle\.maxLifetime.*raise that or shorten this$/
    ],
    ...(["__Host-id", "__Secure-id", "__Http-id", "__Host-Http-id"] as const).map((name) =>
      [
        `a Secure from the request under the name ${name}`,
        { keys, cookie: { name, secure: "FromRequest" } },
        "cookie.secure",
        /^cookie\.secure must be true, .*the prefix __.* demands it/
      ] as const
    ),
    [
      "a Secure from the request under the default name",
      { keys, cookie: { secure: "FromRequest" } },
      "cookie.secure",
      /the prefix __Host- .* demands it/
    ],
    [
      "a Secure from the request with SameSite=None",
      { keys, cookie: { name: "id", secure: "FromRequest", sameSite: "None" } },
      "cookie.secure",
      /SameSite=None demands it/
    ],
    [
      "a Secure from the request with Partitioned",
      { keys, cookie: { name: "id", secure: "FromRequest", partitioned: true } },
      "cookie.secure",
      /Partitioned demands it/
    ],
    [
      "a Secure from the request in other letters",
      { keys, cookie: { name: "id", secure: "fromRequest" } },
      "cookie.secure",
      /use true or false, or "FromRequest"$/
    ],
    ...[["10.0.0.1"], "All"].flatMap((trustedProxies) =>
      [undefined, true, false].map((secure) =>
        [
          `the proxies ${JSON.stringify(trustedProxies)} where Secure is ${String(secure)}`,
          { keys, cookie: { name: "id", secure }, trustedProxies },
          "trustedProxies",
          /^trustedProxies has no use unless cookie\.secure is "FromRequest": set that, or leave/
        ] as const
      )
    ),
    ...([
      [["proxy.example"], 1],
      [["10.0.0.1", "10.0.0.0/33"], 2],
      [["10.0.0.1", "::1", "10/8"], 3],
      [["10.0.0.1", ""], 2],
      [["10.0.0.1", 7], 2],
      [["10.0.0.1", null], 2]
    ] as const).map(([trustedProxies, position]) =>
      [
        `a proxy that is no address: ${JSON.stringify(trustedProxies)}`,
        { keys, cookie: { name: "id", secure: "FromRequest" }, trustedProxies },
        "trustedProxies",
        new RegExp(`^trustedProxies is no list of addresses: number ${position} is neither an address like`)
      ] as const
    ),
    ...["all", "10.0.0.1", 7, {}].map((trustedProxies) =>
      [
        `proxies that are no list: ${JSON.stringify(trustedProxies)}`,
        { keys, cookie: { name: "id", secure: "FromRequest" }, trustedProxies },
        "trustedProxies",
        /^trustedProxies is no list: give addresses and ranges, or "All"$/
      ] as const
    ),
    ["a store timeout of zero", { keys, storeTimeout: 0 }, "storeTimeout", /^storeTimeout is zero or below/],
    ["a negative store timeout", { keys, storeTimeout: "-5 seconds" }, "storeTimeout", /zero or below/],
    ["an endless store timeout", { keys, storeTimeout: Infinity }, "storeTimeout", /use a few seconds/],
    ["a store timeout that fires at once", { keys, storeTimeout: 2 ** 31 }, "storeTimeout", /use a few seconds/],
    ...[0, "", "on", "session-token", [true], () => true].map((bearer) =>
      [
        "a bearer that is none",
        { keys, bearer },
        "bearer",
        /^bearer is unknown: use true or false, or \{ header/
      ] as const
    ),
    ...["", " ", "a b", "a:b", "é", "a\n", 7, {}, "x".repeat(65)].map((header) =>
      [
        "a header that is none",
        { keys, bearer: { header } },
        "bearer.header",
        /^bearer\.header is no name of a header/
      ] as const
    ),
    ...[
      "Set-Cookie",
      "cookie",
      "vary",
      "Cache-Control",
      "cdn-cache-control",
      "content-type",
      "access-control-allow-origin",
      "www-authenticate",
      "location",
      "clear-site-data",
      "__proto__"
    ].map((header) =>
      [
        "a header that means something else",
        { keys, bearer: { header } },
        "bearer.header",
        /means something else/
      ] as const
    ),
    ["another word for telemetry", { keys, telemetry: "All" }, "telemetry", /one of "None", "SessionId"/],
    ["a flag for telemetry", { keys, telemetry: true }, "telemetry", /one of "None", "SessionId"/],
    ["another word for lost writes", { keys, lostWrites: "Drop" }, "lostWrites", /one of "?Refuse"?, "?Ignore"?/],
    ["no keys option", {}, "keys", /^keys are missing: bring at least one.*generateKey/],
    ["a keys option that is null", { keys: null }, "keys", /^keys are missing: bring at least one.*generateKey/],
    ["no key", { keys: [] }, "keys", /^keys are missing: bring at least one.*generateKey/],
    ["a key that is not Redacted", { keys: randomKey(64) }, "keys", /^keys are not Redacted: wrap each/],
    ["one of two that is not Redacted", { keys: [keys, randomKey(64)] }, "keys", /^keys are not Redacted/],
    ["bytes for a key", { keys: Redacted.make(randomBytes(64)) }, "keys", /a key is not a string/],
    ["an empty key", { keys: redacted("") }, "keys", /^keys are refused: the key is empty/],
    ["a blank key", { keys: redacted(" ") }, "keys", /the key is empty/],
    ["an empty part", { keys: redacted(randomKey(64), "", randomKey(64)) }, "keys", /key 2 of 3 is empty/],
    ["a comma at the end", { keys: redacted(randomKey(64), "") }, "keys", /key 2 of 2 is empty.*between commas/],
    ["a key in base64", { keys: redacted("+/".repeat(43)) }, "keys", /not base64url.*write - for \+/],
    ["a padded key", { keys: redacted(`${randomKey(64)}==`) }, "keys", /not base64url without padding/],
    ["a key with a space inside", { keys: redacted(`${randomKey(32)} ${randomKey(32)}`) }, "keys", /not base64url/],
    ["a key with stray bits at the end", { keys: redacted(`${randomKey(33).slice(0, 42)}B`) }, "keys", /not base64url/],
    ["31 bytes", { keys: redacted(randomKey(31)) }, "keys", /the key has 31 bytes, but at least 32 are needed/],
    [
      "a short second key",
      { keys: [keys, redacted(randomKey(8))] },
      "keys",
      /key 2 of 2 has 8 bytes, but at least 32 are needed/
    ],
    [
      "a key of 63 bytes for CookieRs",
      { keys: redacted(randomKey(63)), cookieFormat: "CookieRs" },
      "keys",
      /the key has 63 bytes, but the format CookieRs needs at least 64.*deriveCookieRsKey of CookieCrypto/
    ],
    [
      "a key of 31 bytes for CookieRs, too short to be derived from",
      { keys: redacted(randomKey(31)), cookieFormat: "CookieRs" },
      "keys",
      /has 31 bytes, but at least 64 are needed\. Draw a new one/
    ],
    ["a key of zeros", { keys: redacted(text(new Uint8Array(64))) }, "keys", /not random: its bytes repeat/],
    ["a repeated word", { keys: redacted(text(Buffer.from("changeme".repeat(8)))) }, "keys", /not random/],
    [
      "32 random bytes written twice",
      { keys: redacted(text(Buffer.alloc(64, randomBytes(32)))) },
      "keys",
      /not random/
    ],
    [
      "a CookieRs key whose one half is empty",
      { keys: redacted(text(Buffer.concat([randomBytes(32), Buffer.alloc(32)]))), cookieFormat: "CookieRs" },
      "keys",
      /not random/
    ],
    [
      "a CookieRs key that is random only where nobody looks",
      { keys: redacted(text(Buffer.concat([Buffer.alloc(64), randomBytes(64)]))), cookieFormat: "CookieRs" },
      "keys",
      /not random/
    ],
    [
      "the same key twice",
      { keys: [redacted(randomKey(32)), keys, keys] },
      "keys",
      /key 3 of 3 is the same as key 2\. Remove one/
    ]
  ]

  for (const [fault, options, option, message] of cases) {
    it(fault, () => {
      const error = reject(untyped(options))
      assert.strictEqual(error._tag, "SessionConfigError")
      assert.strictEqual(error.option, option)
      assert.match(error.message, message)
      assert.isTrue(error.message.startsWith(option), error.message)
    })
  }

  it("two CookieRs keys that differ only behind the bytes in use are the same key", () => {
    const used = randomBytes(64)
    const longer = [randomBytes(8), randomBytes(8)].map((tail) => redacted(text(Buffer.concat([used, tail]))))
    assert.match(reject({ keys: longer, cookieFormat: "CookieRs" }).message, /key 2 of 2 is the same as key 1/)
    assert.strictEqual(accept({ keys: longer }).keys.length, 2)
  })

  it("a key that was wiped", () => {
    const wiped = redacted(randomKey(64))
    Redacted.unsafeWipe(wiped)
    assert.match(reject({ keys: wiped }).message, /^keys are refused: a key was wiped/)
  })
})

describe("keys", () => {
  it("one string may hold a whole ring, newest first, as may a list, and both at once", () => {
    const bytes = [randomBytes(32), randomBytes(48), randomBytes(64)]
    const [a, b, c] = bytes.map(text) as [string, string, string]
    const rings = [
      redacted(a, b, c),
      [redacted(a), redacted(b), redacted(c)],
      [redacted(a), redacted(b, c)],
      redacted(` ${a}`, ` ${b} `, `${c}\n`)
    ]
    for (const ring of rings) {
      assert.deepStrictEqual(bytesOf(accept({ keys: ring })).map(text), [a, b, c])
    }
  })

  it("a decoded key shares its memory with nothing else", () => {
    const [bytes] = bytesOf(accept({ keys: redacted(randomKey(32)) }))
    assert.strictEqual(bytes?.buffer.byteLength, 32)
  })

  it("hexadecimal text of a random key, encoded once more, is a key", () => {
    const hex = redacted(text(Buffer.from(randomBytes(64).toString("hex"))))
    assert.strictEqual(accept({ keys: hex }).keys.length, 1)
  })

  it("a key derived from a master key of cookie-rs is a key for CookieRs", () => {
    const derived = CookieCrypto.deriveCookieRsKey(Redacted.make(randomBytes(32)))
    assert.strictEqual(
      accept({ keys: redacted(text(Redacted.value(derived))), cookieFormat: "CookieRs" }).keys.length,
      1
    )
  })

  it.prop(
    "a random key of 32 bytes or more is never refused",
    [FastCheck.integer({ min: 32, max: 128 })],
    ([length]) => Either.isRight(Config.make({ keys: redacted(randomKey(length)) }))
  )

  it("generateKey draws 64 bytes that serve both formats, each time others", () => {
    const [a, b] = [Config.generateKey(), Config.generateKey()]
    assert.notStrictEqual(Redacted.value(a), Redacted.value(b))
    for (const cookieFormat of ["EffectSession", "CookieRs"] as const) {
      assert.deepStrictEqual(bytesOf(accept({ keys: [a, b], cookieFormat })).map((key) => key.length), [64, 64])
    }
  })

  it("the command prints one key and nothing else", async () => {
    const file = fileURLToPath(new URL("../src/bin/generateKey.ts", import.meta.url))
    assert.match(readFileSync(file, "utf8"), /^#!\/usr\/bin\/env node\n/)
    const { stdout: printed } = await promisify(execFile)(process.execPath, ["--import", "tsx", file])
    assert.match(printed, /^[A-Za-z0-9_-]{86}\n$/)
    for (const cookieFormat of ["EffectSession", "CookieRs"] as const) {
      assert.strictEqual(accept({ keys: Redacted.make(printed), cookieFormat }).keys.length, 1)
    }
  })
})

describe("keys that others know", () => {
  const bytesFrom = (start: number, length: number) => Uint8Array.from({ length }, (_, at) => start + at)
  const known: Record<string, string> = {
    "key A of our test vectors": text(bytesFrom(0, 32)),
    "key B of our test vectors": text(bytesFrom(0x40, 64)),
    "a counted key of cookie-rs": text(bytesFrom(0, 64)),
    "a key that is counted down": text(bytesFrom(0, 64).reverse()),
    "the published key of cookie-rs": text(Buffer.from(
      "59cac87de65ac5f5a6f922a9871f14c55e9afe4f3c1a088ffe18748a5ce19f3c" +
        "9d2987811fe2c410c6a886042a01c4183967f193c9b9e90ab4aabb59fc896e6b",
      "hex"
    )),
    "a sentence": text(Buffer.from("The quick brown fox jumps over the lazy dog, and then it sleeps for the night.")),
    "a sentence without spaces":
      "correct-horse-battery-staple-pony-and-so-on-until-it-is-long-enough-for-both-kinds-of-ke",
    "the example of iron-session":
      "complex_password_at_least_32_characters_long_or_somewhat_more_than_that_to_be_a_key___A",
    "change-me": text(Buffer.from("change-me-to-something-long-and-random-before-you-deploy-this-please!")),
    "change-me as it is": "Change-Me-2-something-long-and-random-before-you-deploy-this-please-Change-Me-2-somethingA",
    "CHANGE_ME as it is": "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET_CHANGE_IT_BEFORE_THE_DEPLOYMENT_OF_THE_APP_NOT_AFTERA",
    "hexadecimal digits in order":
      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef01234567",
    "bytes in order, in hexadecimal": Buffer.from(bytesFrom(0, 64)).toString("hex"),
    "those, encoded once more": text(Buffer.from(Buffer.from(bytesFrom(0, 64)).toString("hex"))),
    "the alphabet": "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYA"
  }
  for (const [what, key] of Object.entries(known)) {
    it(`${what}: is refused, and the message has the mend and not the key`, () => {
      const formats = ["EffectSession", "CookieRs"] as const
      for (const cookieFormat of formats.slice(0, Buffer.from(key, "base64url").length < 64 ? 1 : 2)) {
        const error = reject({ keys: redacted(key), cookieFormat })
        assert.strictEqual(error.option, "keys")
        assert.match(error.message, /can be guessed\. Draw a new one with generateKey\(\)/)
        assert.notInclude(error.message, key.slice(0, 12))
      }
    })
  }

  it("random keys, however they are written, are not refused", () => {
    for (let i = 0; i < 100_000; i++) {
      const bytes = randomBytes(i % 2 === 0 ? 32 : 64)
      const spelled = [bytes.toString("base64url"), bytes.toString("hex"), text(Buffer.from(bytes.toString("hex")))]
      const key = i % 10 === 0 ? spelled[1 + i % 2]! : spelled[0]!
      assert.isUndefined(whyKnown(key, Buffer.from(key, "base64url")), key)
    }
  })
})

describe("presets", () => {
  it("actixDefaults is what actix-session does when told nothing", () => {
    const config = accept({ ...Config.actixDefaults, keys })
    assert.deepStrictEqual(config.cookie, {
      name: "id",
      attributes: {
        path: "/",
        domain: undefined,
        secure: true,
        httpOnly: true,
        sameSite: "Lax",
        partitioned: false
      },
      secureFromRequest: undefined,
      retired: []
    })
    assert.strictEqual(config.contentSecurity, "Private")
    assert.deepStrictEqual(config.lifecycle, {
      _tag: "BrowserSession",
      ttlMillis: 86_400_000,
      ttlExtension: "OnStateChanges",
      maxLifetimeMillis: undefined,
      rememberMeMillis: undefined,
      rotation: undefined,
      onKeyReuse: "EndSession"
    })
    assert.deepStrictEqual(config.warnings, [])
    assert.strictEqual(accept({ ...Config.actixDefaults, keys, cookieFormat: "CookieRs" }).cookieFormat, "CookieRs")
  })

  it("development drops Secure and the prefix, and warns", () => {
    const config = accept({ ...Config.development, keys })
    assert.strictEqual(config.cookie.name, "id")
    assert.deepStrictEqual(config.cookie.attributes, {
      path: "/",
      domain: undefined,
      secure: false,
      httpOnly: true,
      sameSite: "Lax",
      partitioned: false
    })
    assert.strictEqual(config.warnings.length, 1)
    assert.match(config.warnings[0] ?? "", /^cookie\.secure is false: /)
  })

  it("access for script is allowed with a warning", () => {
    const { warnings } = accept({ keys, cookie: { httpOnly: false } })
    assert.strictEqual(warnings.length, 1)
    assert.match(warnings[0] ?? "", /^cookie\.httpOnly is false: .*Set cookie\.httpOnly to true/)
    assert.strictEqual(accept({ keys, cookie: { name: "id", httpOnly: false, secure: false } }).warnings.length, 2)
  })
})

const sometimes = <A>(legal: FastCheck.Arbitrary<A>, weird: FastCheck.Arbitrary<unknown>) =>
  FastCheck.oneof(
    { weight: 6, arbitrary: legal },
    { weight: 2, arbitrary: FastCheck.constant(undefined) },
    { weight: 1, arbitrary: weird },
    { weight: 1, arbitrary: FastCheck.anything() }
  )

const duration = sometimes(
  FastCheck.constantFrom<Array<Duration.DurationInput>>("1 day", "30 minutes", 1, 86_400_000, 10n ** 15n, [60, 0]),
  FastCheck.oneof(
    FastCheck.double(),
    FastCheck.bigInt(),
    FastCheck.tuple(FastCheck.double(), FastCheck.double()),
    FastCheck.constantFrom(NaN, Infinity, -Infinity, 0, -1, Duration.infinity, `${"9".repeat(400)} days`),
    FastCheck.string().map((unit) => `1 ${unit}`)
  )
)

const weirdText = FastCheck.oneof(
  FastCheck.string({ unit: "binary" }),
  FastCheck.constantFrom("", ";", "\r\nSet-Cookie: a=b", "\0", "__Host-", "a; Secure", "__proto__", "é", "/", ".", " /")
)

const flag = sometimes(FastCheck.boolean(), FastCheck.constantFrom("true", 0, 1))

const goodKey = FastCheck.constantFrom(...Array.from({ length: 8 }, () => randomKey(64)))
const keyText = FastCheck.array(
  FastCheck.oneof(
    { weight: 9, arbitrary: goodKey },
    { weight: 1, arbitrary: FastCheck.oneof(weirdText, FastCheck.base64String()) }
  ),
  { minLength: 1, maxLength: 3 }
).map((parts) => Redacted.make(parts.join(",")))

const anyOptions = FastCheck.record({
  keys: FastCheck.oneof(
    { weight: 8, arbitrary: keyText },
    { weight: 2, arbitrary: FastCheck.array(FastCheck.oneof(keyText, FastCheck.anything().map(Redacted.make))) },
    { weight: 1, arbitrary: FastCheck.anything() }
  ),
  cookie: sometimes(
    FastCheck.record({
      name: sometimes(FastCheck.constantFrom("id", "__Host-id", "__Secure-id", "__Http-id", "__HOST-x"), weirdText),
      path: sometimes(FastCheck.constantFrom("/", "/app"), weirdText),
      domain: sometimes(FastCheck.constantFrom(undefined, "a.example"), weirdText),
      secure: flag,
      httpOnly: flag,
      sameSite: sometimes(FastCheck.constantFrom("Strict", "Lax", "None"), FastCheck.constantFrom("lax", "", null)),
      partitioned: flag
    }),
    FastCheck.constantFrom("cookie", null, 0)
  ),
  contentSecurity: sometimes(FastCheck.constantFrom("Private", "Signed"), weirdText),
  cookieFormat: sometimes(FastCheck.constantFrom("EffectSession", "CookieRs"), weirdText),
  lifecycle: sometimes(
    FastCheck.record({
      _tag: sometimes(FastCheck.constantFrom("BrowserSession", "PersistentSession"), weirdText),
      ttl: duration,
      ttlExtension: sometimes(
        FastCheck.oneof(
          FastCheck.constantFrom("OnStateChanges", "OnEveryRequest"),
          FastCheck.record({ every: sometimes(FastCheck.constantFrom("5 minutes", 1), duration) })
        ),
        weirdText
      ),
      maxLifetime: duration,
      renewEvery: sometimes(FastCheck.constantFrom("15 minutes", "1 day"), duration),
      renewGrace: sometimes(FastCheck.constantFrom("1 minute", 1), duration),
      onKeyReuse: sometimes(FastCheck.constantFrom("EndSession", "Ignore"), weirdText)
    }),
    FastCheck.constantFrom("BrowserSession", null)
  ),
  storeTimeout: duration,
  lostWrites: sometimes(FastCheck.constantFrom("Refuse", "Ignore"), weirdText),
  bearer: sometimes(
    FastCheck.constantFrom<unknown>(true, false, { header: "session-token" }),
    FastCheck.oneof(weirdText, weirdText.map((header) => ({ header })))
  ),
  telemetry: sometimes(FastCheck.constantFrom("None", "SessionId"), weirdText)
})

const isWholeMillis = (millis: number): boolean => Number.isSafeInteger(millis) && millis > 0

describe("any options", () => {
  it.prop(
    "give a configuration that seals and prints a legal cookie, or a typed error, and never throw",
    [anyOptions],
    ([options]) => {
      const result = Config.make(untyped(options))
      if (Either.isLeft(result)) {
        assert.instanceOf(result.left, Config.SessionConfigError)
        assert.isTrue(result.left.message.startsWith(`${result.left.option} `))
        return
      }
      const { contentSecurity = "Signed", cookie, cookieFormat, keys, lifecycle, storeTimeoutMillis } = result.right
      assert.strictEqual(violatedCookieRule(cookie.name, cookie.attributes), undefined)
      const value = CookieCrypto.make({ name: cookie.name, keys, contentSecurity, format: cookieFormat }).seal("{}")
      const [line] = Cookies.toSetCookieHeaders(cookiesToSet([setCookie(cookie.name, value, cookie.attributes)]))
      assert.match(line!, /^[\x20-\x7e]+$/)
      assert.isTrue(isWholeMillis(lifecycle.ttlMillis) && lifecycle.ttlMillis <= 400 * 86_400_000)
      assert.isTrue(lifecycle.maxLifetimeMillis === undefined || isWholeMillis(lifecycle.maxLifetimeMillis))
      assert.isTrue(isWholeMillis(storeTimeoutMillis))
      const { ttlExtension } = lifecycle
      assert.isTrue(
        typeof ttlExtension === "string" ||
          (isWholeMillis(ttlExtension.everyMillis) && ttlExtension.everyMillis < lifecycle.ttlMillis)
      )
      const { every, grace } = lifecycle.rotation ?? { every: 2, grace: 1 }
      assert.isTrue(isWholeMillis(every) && isWholeMillis(grace) && every > grace)
    },
    { fastCheck: { numRuns: 2000 } }
  )

  it("the options above are often enough legal, so that both outcomes are tried", () => {
    const legal = FastCheck.sample(anyOptions, { numRuns: 2000, seed: 1 })
      .filter((options) => Either.isRight(Config.make(untyped(options))))
    assert.isAtLeast(legal.length, 20)
    assert.isAtMost(legal.length, 1980)
  })
})

describe("secrets", () => {
  const show = (value: unknown): string =>
    [
      String(value),
      JSON.stringify(value),
      inspect(value, { depth: Infinity, showHidden: true, getters: true, maxArrayLength: null }),
      value instanceof Error ? `${value.message} ${value.stack}` : ""
    ].join("\n")

  const spellings = (bytes: Buffer): ReadonlyArray<string> => [
    bytes.toString("base64url"),
    bytes.toString("base64"),
    bytes.toString("hex"),
    Array.from(bytes.subarray(0, 8)).join(","),
    Array.from(bytes.subarray(0, 8)).join(", "),
    bytes.toString("hex").slice(0, 16).replace(/(..)(?=.)/g, "$1 ")
  ]

  it("are in no print of options or configuration", () => {
    const bytes = randomBytes(64)
    const options: Config.SessionOptions = { keys: [redacted(text(bytes), randomKey(64))] }
    const shown = show(options) + show(accept(options)) + show(Config.make(options)) + show(Config.generateKey())
    assert.include(shown, "<redacted>")
    for (const spelling of spellings(bytes)) {
      assert.notInclude(shown, spelling)
    }
  })

  it.prop(
    "are in no error, whatever is wrong with the key",
    [
      FastCheck.string({ unit: FastCheck.constantFrom(..."ABCDEFGHabcdefgh01234567-_+/=é \n"), minLength: 24 })
        .filter((secret) => secret.trim().length > 20)
    ],
    ([secret]) => {
      const result = Config.make({ keys: [redacted(randomKey(64)), redacted(`${secret}!`)] })
      assert.isTrue(Either.isLeft(result))
      const shown = show(Either.getOrThrow(Either.flip(result)))
      assert.notInclude(shown, secret)
      assert.notInclude(shown, secret.trim().slice(0, 20))
    }
  )

  it("are in no error when they stand in the wrong place", () => {
    const secret = randomKey(64)
    const slips: ReadonlyArray<unknown> = [
      { keys: secret },
      { keys: [secret] },
      { keys: Redacted.make({ secret }) },
      { keys, cookie: { name: `${secret};` } },
      { keys, cookie: { name: `__Host-${secret}`, path: "/app" } },
      { keys, cookie: { name: "id", path: secret } },
      { keys, cookie: { name: "id", domain: secret } },
      { keys, cookie: { secure: secret } },
      { keys, cookie: { sameSite: secret } },
      { keys, contentSecurity: secret },
      { keys, cookieFormat: secret },
      { keys, lifecycle: { _tag: secret } },
      { keys, lifecycle: Config.BrowserSession({ ttl: secret as "1 day" }) },
      { keys, storeTimeout: secret },
      { keys, bearer: secret },
      { keys, bearer: { header: `${secret} ` } },
      { keys, telemetry: secret }
    ]
    for (const slip of slips) {
      assert.notInclude(show(reject(untyped(slip))), secret)
    }
  })
})
