/**
 * What a session system can be told: the cookie, how its content is sealed, with which keys, and how long it all lives.
 *
 * Options are plain data. `make` checks them once, when the app starts, and refuses what browsers would drop in silence
 * or what would be unsafe; what it hands back is what the middleware reads. You should not regret going to production
 * with the defaults: only the keys are yours to bring.
 *
 * @example
 * ```ts
 * import * as Either from "effect/Either"
 * import * as Config from "effect-session/Config"
 *
 * const config = Config.make({
 *   keys: Config.generateKey(), // in production: Config.fromEnv, or a secret of your platform
 *   lifecycle: Config.PersistentSession({ ttl: "14 days", ttlExtension: "OnEveryRequest", maxLifetime: "90 days" })
 * })
 *
 * console.log(Either.isRight(config)) // true
 * ```
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as EffectConfig from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { randomBytes } from "node:crypto"
import type { ContentSecurity, CookieFormat } from "./CookieCrypto.js"
import { decodeCanonical } from "./internal/canonicalBase64.js"
import { cookieRsKeyBytes } from "./internal/cookieRs.js"
import type { ViolatedCookieRule } from "./internal/cookieRules.js"
import {
  isCookieDomain,
  isCookieName,
  isCookiePath,
  isCookieRsName,
  violatedCookieRule
} from "./internal/cookieRules.js"
import type { CookieAttributes } from "./internal/setCookie.js"
import { maxCookieAgeSeconds } from "./internal/setCookie.js"
import type { TrustedProxies } from "./internal/trustedProxies.js"
import { parseRange } from "./internal/trustedProxies.js"

/**
 * When a session's time to live starts anew.
 *
 * - `OnStateChanges`: when a request changes the state or renews the key. Reading costs no write.
 * - `OnEveryRequest`: with every request that carries a live session. Each of them costs a store call.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export type TtlExtension = "OnStateChanges" | "OnEveryRequest"

/**
 * How long cookie and record live, as data. Both kinds keep the record for `ttl`; they differ in the cookie.
 *
 * - `BrowserSession`: no `Max-Age`. The browser forgets the cookie when it ends its own session, which browsers that
 *   restore tabs may never do: the record's `ttl` is the limit that counts.
 * - `PersistentSession`: `Max-Age` is the `ttl`, so that the cookie outlives a restart of the browser.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export type SessionLifecycle = Data.TaggedEnum<{
  BrowserSession: LifecycleFields
  PersistentSession: LifecycleFields
}>

/**
 * What both kinds of lifecycle hold. Durations are checked by `make`.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export interface LifecycleFields {
  /** How long the session lives after its last extension. A bare number is milliseconds. */
  readonly ttl: Duration.DurationInput
  /** When the `ttl` starts anew. */
  readonly ttlExtension: TtlExtension
  /**
   * The absolute limit, counted from the first save: no extension and no renewal of the key goes past it
   * (ASVS 7.3.2). `undefined` for no limit. A bare number is milliseconds.
   */
  readonly maxLifetime: Duration.DurationInput | undefined
  /**
   * How long a session lives that a handler has called `remember` on, after its last extension; its cookie outlives the
   * browser. `undefined`: no session can be remembered. A bare number is milliseconds.
   */
  readonly rememberMe: Duration.DurationInput | undefined
}

/**
 * What to say about a lifecycle; everything left out is taken from `lifecycleDefaults`.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export interface LifecycleOptions {
  /** See `LifecycleFields.ttl`. At most 400 days; at least one second in a `PersistentSession`. */
  readonly ttl?: Duration.DurationInput | undefined
  /** See `LifecycleFields.ttlExtension`. */
  readonly ttlExtension?: TtlExtension | undefined
  /** See `LifecycleFields.maxLifetime`. At most 36 500 days. */
  readonly maxLifetime?: Duration.DurationInput | undefined
  /** See `LifecycleFields.rememberMe`. One second to 400 days, and no longer than `maxLifetime`. */
  readonly rememberMe?: Duration.DurationInput | undefined
}

/**
 * One day, extended by changes only, with no absolute limit. A limit on both idle and whole life is a decision about
 * the app's risk that a library cannot take: set `maxLifetime` where people sign in.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export const lifecycleDefaults: LifecycleFields = {
  ttl: "1 day",
  ttlExtension: "OnStateChanges",
  maxLifetime: undefined,
  rememberMe: undefined
}

const lifecycles = Data.taggedEnum<SessionLifecycle>()

const withLifecycleDefaults = (options: LifecycleOptions): LifecycleFields => ({
  ttl: options.ttl ?? lifecycleDefaults.ttl,
  ttlExtension: options.ttlExtension ?? lifecycleDefaults.ttlExtension,
  maxLifetime: options.maxLifetime ?? lifecycleDefaults.maxLifetime,
  rememberMe: options.rememberMe ?? lifecycleDefaults.rememberMe
})

/**
 * A session whose cookie has no `Max-Age`: it ends with the browser's session, or after `ttl`.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export const BrowserSession = (options: LifecycleOptions = {}): SessionLifecycle =>
  lifecycles.BrowserSession(withLifecycleDefaults(options))

/**
 * A session whose cookie stays for `ttl`, across restarts of the browser. `Max-Age` counts whole seconds: fractions
 * are cut off.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export const PersistentSession = (options: LifecycleOptions = {}): SessionLifecycle =>
  lifecycles.PersistentSession(withLifecycleDefaults(options))

/**
 * The values of SameSite. It is always sent: a browser's own default leaves a window of two minutes for POST requests
 * from other sites.
 *
 * @since 0.1.0
 * @category models
 */
export type SameSite = CookieAttributes["sameSite"]

/**
 * What to say about the session cookie; everything left out is taken from `defaults.cookie`.
 *
 * @since 0.1.0
 * @category models
 */
export interface CookieOptions {
  /**
   * An HTTP token. The prefixes `__Host-`, `__Secure-`, `__Http-` and `__Host-Http-` bring the rules that browsers tie
   * to them (RFC 6265bis §4.1.3).
   */
  readonly name?: string | undefined
  /** The path below which the cookie is sent. It keeps nothing secret from other paths of the same host. */
  readonly path?: string | undefined
  /** Share the cookie with all subdomains of this host. Leave it out to keep the cookie on the one host that set it. */
  readonly domain?: string | undefined
  /**
   * Send the cookie over HTTPS only. `FromRequest`: each response's cookie is as secure as its request, for an app that
   * is reached over both; behind a proxy it needs `trustedProxies`.
   */
  readonly secure?: boolean | "FromRequest" | undefined
  /** Keep the cookie from script in the page. */
  readonly httpOnly?: boolean | undefined
  /** Which requests from other sites carry the cookie. */
  readonly sameSite?: SameSite | undefined
  /** Give each top-level site that embeds the app a cookie jar of its own (CHIPS). */
  readonly partitioned?: boolean | undefined
}

/**
 * What you write to configure sessions. Only `keys` is required; everything left out is taken from `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionOptions {
  /**
   * The secrets that seal the cookie, as base64url without padding: at least 32 bytes each, 64 for `CookieRs`.
   *
   * The first key seals, all keys open. To rotate, put the new key in front, deploy everywhere, and drop the old key
   * when the longest session made with it has ended. One string may hold several keys with commas between.
   */
  readonly keys: Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>
  readonly cookie?: CookieOptions | undefined
  /** `Private`: encrypted. `Signed`: safe from tampering, but readable for whoever holds the cookie. */
  readonly contentSecurity?: ContentSecurity | undefined
  /** How the sealed value is laid out. `CookieRs` is for sharing cookies with apps that use Rust's `cookie` crate. */
  readonly cookieFormat?: CookieFormat | undefined
  /** How long cookie and record live. */
  readonly lifecycle?: SessionLifecycle | undefined
  /**
   * The proxies whose `X-Forwarded-Proto` is believed when `cookie.secure` is `FromRequest`: addresses and ranges, such
   * as `10.0.0.0/8`. `All` where nothing but proxies can reach this server, and the runtime does not tell the peer's
   * address. Nobody is believed by default.
   */
  readonly trustedProxies?: "All" | ReadonlyArray<string> | undefined
  /**
   * How long a contended commit is tried again, counted from when its first attempt lost, before the request is answered
   * with 503. A bare number is milliseconds.
   */
  readonly storeTimeout?: Duration.DurationInput | undefined
}

/**
 * What holds when you say nothing. Each value is the safest one that works for a site on its own host with HTTPS.
 *
 * @since 0.1.0
 * @category defaults
 */
export const defaults = {
  cookie: {
    /** With the prefix `__Host-` no subdomain and no plain HTTP response can plant a cookie of this name. */
    name: "__Host-id",
    /** Demanded by the prefix. */
    path: "/",
    /** This host only, demanded by the prefix. */
    domain: undefined,
    /** Demanded by the prefix. */
    secure: true,
    /** No script has a use for the session cookie. */
    httpOnly: true,
    /** `Strict` would make a visitor who follows a link from elsewhere look signed out. */
    sameSite: "Lax",
    /** Of use only for an app that is embedded in other sites, which also needs `SameSite=None`. */
    partitioned: false
  },
  /** Nobody has to think about what a cookie gives away. */
  contentSecurity: "Private",
  /** Binds the cookie's name into the seal in both modes, which the format of the Rust crate does not. */
  cookieFormat: "EffectSession",
  /** See `lifecycleDefaults`. */
  lifecycle: BrowserSession(),
  /** A header that anybody can send proves nothing. */
  trustedProxies: [],
  /** Far longer than any contention in good health, shorter than the patience of a proxy. */
  storeTimeout: "5 seconds"
} as const satisfies Omit<Required<SessionOptions>, "keys">

/**
 * The defaults of actix-session: as `defaults`, but the cookie is called `id` and so has no prefix to protect its name
 * from subdomains. To share cookies with a Rust app, add `cookieFormat: "CookieRs"`.
 *
 * @example
 * ```ts
 * import * as Config from "effect-session/Config"
 *
 * const config = Config.make({ ...Config.actixDefaults, keys: Config.generateKey() })
 * ```
 *
 * @since 0.1.0
 * @category presets
 */
export const actixDefaults = {
  cookie: { name: "id", path: "/", secure: true, httpOnly: true, sameSite: "Lax" },
  contentSecurity: "Private",
  lifecycle: BrowserSession({ ttl: "1 day", ttlExtension: "OnStateChanges" })
} as const satisfies Omit<SessionOptions, "keys">

/**
 * For plain HTTP on localhost, and nowhere else: a cookie called `id` without Secure.
 *
 * Chrome and Firefox take Secure cookies from `http://localhost`, so the defaults work there; Safari drops them, and
 * every request looks like the first one. The price is that everybody on the way can read and plant the cookie, which
 * is why the configuration carries a warning that the middleware logs.
 *
 * @example
 * ```ts
 * import * as Config from "effect-session/Config"
 *
 * const config = Config.make({ ...Config.development, keys: Config.generateKey() })
 * ```
 *
 * @since 0.1.0
 * @category presets
 */
export const development = {
  cookie: { name: "id", secure: false }
} as const satisfies Omit<SessionOptions, "keys">

/**
 * A fresh key as base64url. It has 64 random bytes, so that the one key serves both cookie formats.
 *
 * The command line program of this package prints one. Keep it where your other secrets are: with a key drawn anew at
 * every start, every deployment signs everybody out.
 *
 * @since 0.1.0
 * @category keys
 */
export const generateKey = (): Redacted.Redacted<string> => Redacted.make(randomBytes(64).toString("base64url"))

/**
 * Checked configuration, with nothing left to decide or to decode: what the middleware reads.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionConfig {
  readonly cookie: {
    readonly name: string
    /** Where `secureFromRequest` is not, `attributes.secure` is what counts. */
    readonly attributes: CookieAttributes
    readonly secureFromRequest: { readonly trustedProxies: TrustedProxies } | undefined
  }
  readonly contentSecurity: ContentSecurity
  readonly cookieFormat: CookieFormat
  /** The key ring, decoded, newest first. */
  readonly keys: Arr.NonEmptyReadonlyArray<Redacted.Redacted<Uint8Array>>
  readonly lifecycle: ResolvedLifecycle
  /** Whole milliseconds. */
  readonly storeTimeoutMillis: number
  /** What is allowed but dangerous, one sentence each, for the log. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * A lifecycle in numbers: whole milliseconds, fractions rounded up.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolvedLifecycle {
  readonly _tag: SessionLifecycle["_tag"]
  readonly ttlMillis: number
  readonly ttlExtension: TtlExtension
  readonly maxLifetimeMillis: number | undefined
  readonly rememberMeMillis: number | undefined
}

/**
 * Says which option is wrong, what is wrong with it and how to mend it. It never quotes a value: values reach logs that
 * keys must not reach, and a key in the wrong variable is an easy slip.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionConfigError extends Schema.TaggedError<SessionConfigError>("effect-session/SessionConfigError")(
  "SessionConfigError",
  {
    option: Schema.Literal(
      "keys",
      "cookie.name",
      "cookie.path",
      "cookie.domain",
      "cookie.secure",
      "cookie.httpOnly",
      "cookie.sameSite",
      "cookie.partitioned",
      "contentSecurity",
      "cookieFormat",
      "lifecycle",
      "lifecycle.ttl",
      "lifecycle.ttlExtension",
      "lifecycle.maxLifetime",
      "lifecycle.rememberMe",
      "trustedProxies",
      "storeTimeout",
      "session"
    ),
    message: Schema.String
  }
) {}

type ConfigOption = SessionConfigError["option"]

// A check answers with the value as the middleware wants it, or with what is wrong and how to mend it. Whoever asked
// puts the name in front: of the option, or of the environment variable.
type Checked<A> = Either.Either<A, string>

const refuse = (option: ConfigOption, problem: string) =>
  Either.left(new SessionConfigError({ option, message: `${option} ${problem}` }))

const named = <A>(option: ConfigOption, checked: Checked<A>): Either.Either<A, SessionConfigError> =>
  Either.mapLeft(checked, (problem) => new SessionConfigError({ option, message: `${option} ${problem}` }))

/**
 * Checks options and fills in the defaults. Pure: the answer depends on the options alone.
 *
 * Fails with the first `SessionConfigError` found; never throws.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: SessionOptions): Either.Either<SessionConfig, SessionConfigError> =>
  // From JavaScript anything may come. What is no record has no keys either, and is refused for that.
  check(Predicate.isObject(options) ? options : { keys: [] })

const check = (options: SessionOptions): Either.Either<SessionConfig, SessionConfigError> =>
  Either.gen(function*() {
    const contentSecurity = yield* named(
      "contentSecurity",
      checkContentSecurity(
        options.contentSecurity ?? defaults.contentSecurity
      )
    )
    const cookieFormat = yield* named("cookieFormat", checkCookieFormat(options.cookieFormat ?? defaults.cookieFormat))
    const { attributes, name } = yield* checkCookie(options.cookie ?? {}, cookieFormat)
    const trustedProxies = yield* named(
      "trustedProxies",
      checkTrustedProxies(options.trustedProxies ?? defaults.trustedProxies)
    )
    const isFromRequest = options.cookie?.secure === "FromRequest"
    if (!isFromRequest && (trustedProxies === "All" || trustedProxies.length > 0)) {
      return yield* refuse(
        "trustedProxies",
        "has no use unless cookie.secure is \"FromRequest\": set that, or leave trustedProxies out"
      )
    }
    const cookie = { name, attributes, secureFromRequest: isFromRequest ? { trustedProxies } : undefined }
    const lifecycle = yield* checkLifecycle(options.lifecycle ?? defaults.lifecycle)
    const storeTimeoutMillis = yield* named(
      "storeTimeout",
      checkStoreTimeout(options.storeTimeout ?? defaults.storeTimeout)
    )
    const keys = yield* named("keys", checkKeys(options.keys, cookieFormat))
    const warnings = warningsOf(cookie)
    return { cookie, contentSecurity, cookieFormat, keys, lifecycle, storeTimeoutMillis, warnings }
  })

const warningsOf = ({ attributes, secureFromRequest }: SessionConfig["cookie"]): ReadonlyArray<string> => [
  ...(attributes.secure || secureFromRequest !== undefined ? [] : [
    "cookie.secure is false: the session cookie travels over plain HTTP, where everybody on the way can read and "
    + "replace it. Use this for development on localhost only."
  ]),
  ...(secureFromRequest === undefined ? [] : [
    "cookie.secure is \"FromRequest\": whoever comes over plain HTTP shows the session cookie to everybody on the way. "
    + "Redirect to HTTPS and set cookie.secure to true as soon as you can."
  ]),
  ...(secureFromRequest?.trustedProxies === "All"
    ? [
      "trustedProxies is \"All\": whoever reaches this server directly can claim that a plain connection is HTTPS. "
      + "Name the proxies, or let nothing else reach it."
    ]
    : []),
  ...(attributes.httpOnly ? [] : [
    "cookie.httpOnly is false: script in the page can read the session cookie, so one injected script can steal the "
    + "session. Set cookie.httpOnly to true."
  ])
]

// Options come from JavaScript, too, and from configuration files: types alone do not keep a wrong value out.

const oneOf = <const A extends string>(...allowed: ReadonlyArray<A>) => (value: unknown): Checked<A> => {
  const found = allowed.find((candidate) => candidate === value)
  return found === undefined
    ? Either.left(`is unknown: use one of ${allowed.map((candidate) => `"${candidate}"`).join(", ")}`)
    : Either.right(found)
}

const checkContentSecurity = oneOf<ContentSecurity>("Private", "Signed")
const checkCookieFormat = oneOf<CookieFormat>("EffectSession", "CookieRs")
const checkSameSite = oneOf<SameSite>("Strict", "Lax", "None")
const checkTtlExtension = oneOf<TtlExtension>("OnStateChanges", "OnEveryRequest")
const checkLifecycleTag = oneOf<SessionLifecycle["_tag"]>("BrowserSession", "PersistentSession")

// `null` is how JSON says that an option was left out, and `??` above takes it so.
const isGiven = <A>(value: A): value is NonNullable<A> => value !== undefined && value !== null

const checkFlag = (value: unknown): Checked<boolean> =>
  typeof value === "boolean" ? Either.right(value) : Either.left("is not a boolean: use true or false")

const checkSecure = (value: unknown): Checked<boolean> =>
  Either.mapLeft(checkFlag(value), (problem) => `${problem}, or "FromRequest"`)

const checkTrustedProxies = (value: unknown): Checked<TrustedProxies> => {
  if (value === "All") {
    return Either.right(value)
  }
  return Array.isArray(value)
    ? Either.all(Array.from(value, (item, index) =>
      Either.fromNullable(
        typeof item === "string" ? parseRange(item.trim()) : undefined,
        () =>
          `is no list of addresses: number ${index + 1} is neither an address like 10.0.0.1 nor a range like 10.0.0.0/8`
      )))
    : Either.left("is no list: give addresses and ranges, or \"All\"")
}

const durationUpTo =
  (limit: { readonly millis: number; readonly sentence: string; readonly mend: string }) =>
  (value: unknown): Checked<number> => {
    const duration = Duration.decodeUnknown(value)
    if (Option.isNone(duration)) {
      return Either.left("is not a duration: write one like \"30 minutes\"")
    }
    // Rounded up: no backend takes a fraction of a millisecond, and a nanosecond must not become zero.
    const millis = Math.ceil(Duration.toMillis(duration.value))
    if (!(millis > 0)) {
      return Either.left("is zero or below: make it longer")
    }
    return millis > limit.millis ? Either.left(`${limit.sentence}: ${limit.mend}`) : Either.right(millis)
  }

const checkTtl = durationUpTo({
  millis: maxCookieAgeSeconds * 1000,
  sentence: "is longer than 400 days, the most that browsers keep a cookie (RFC 6265bis §5.5)",
  mend: "shorten it, and use ttlExtension \"OnEveryRequest\" to keep visitors who come back"
})

// A century is no limit at all, and every date within it fits every backend.
const checkMaxLifetime = durationUpTo({
  millis: 36_500 * 86_400_000,
  sentence: "is longer than 36500 days",
  mend: "leave it out for no limit"
})

// setTimeout counts in 31 bits and fires at once above that.
const checkStoreTimeout = durationUpTo({
  millis: 2_147_483_647,
  sentence: "is longer than a timer can wait (24 days)",
  mend: "use a few seconds"
})

const checkName = (value: unknown, format: CookieFormat): Checked<string> => {
  if (typeof value !== "string" || !isCookieName(value)) {
    return Either.left("is not a cookie name: use one or more of A-Z a-z 0-9 ! # $ % & ' * + - . ^ _ ` | ~")
  }
  if (value.length > maxNameBytes) {
    return Either.left(`is longer than ${maxNameBytes} bytes: shorten it, it takes room from the cookie's value`)
  }
  return format === "CookieRs" && !isCookieRsName(value)
    ? Either.left(
      "holds one of # % ^ ` | which the Rust side writes escaped, as another name: "
        + "leave them out, or use another cookieFormat than CookieRs"
    )
    : Either.right(value)
}

// Name and value share 4096 bytes, and a browser drops a longer cookie without a word.
const maxNameBytes = 256

const checkPath = (value: unknown): Checked<string> =>
  typeof value === "string" && isCookiePath(value)
    ? Either.right(value)
    : Either.left(
      "is not a cookie path: begin with /, use printable ASCII without ; and no space at the end, at most 1024 bytes"
    )

const checkDomain = (value: unknown): Checked<string> =>
  typeof value === "string" && isCookieDomain(value)
    ? Either.right(value)
    : Either.left(
      "is not a host name: write it in ASCII without a dot at either end, like example.com, or leave it out"
    )

const checkCookie = (
  options: CookieOptions,
  format: CookieFormat
): Either.Either<Omit<SessionConfig["cookie"], "secureFromRequest">, SessionConfigError> =>
  Either.gen(function*() {
    const name = yield* named("cookie.name", checkName(options.name ?? defaults.cookie.name, format))
    const attributes: CookieAttributes = {
      path: yield* named("cookie.path", checkPath(options.path ?? defaults.cookie.path)),
      domain: isGiven(options.domain) ? yield* named("cookie.domain", checkDomain(options.domain)) : undefined,
      secure: options.secure !== "FromRequest"
        && (yield* named("cookie.secure", checkSecure(options.secure ?? defaults.cookie.secure))),
      httpOnly: yield* named("cookie.httpOnly", checkFlag(options.httpOnly ?? defaults.cookie.httpOnly)),
      sameSite: yield* named("cookie.sameSite", checkSameSite(options.sameSite ?? defaults.cookie.sameSite)),
      partitioned: yield* named("cookie.partitioned", checkFlag(options.partitioned ?? defaults.cookie.partitioned))
    }
    const violated = violatedCookieRule(name, attributes)
    return violated === undefined
      ? { name, attributes }
      : yield* refuse(`cookie.${violated.option}`, describeViolation(violated))
  })

const describeViolation = ({ demandedBy, option, required }: ViolatedCookieRule): string => {
  const byPrefix = demandedBy.startsWith("__")
  const demand = `must be ${required}, or browsers drop the cookie: ${
    byPrefix ? `the prefix ${demandedBy} of cookie.name` : demandedBy
  } demands it.`
  switch (option) {
    case "secure":
      return `${demand} Set it so${byPrefix ? ", or spread Config.development for plain HTTP on localhost" : ""}`
    case "httpOnly":
      return `${demand} Set it so, or choose a cookie.name without that prefix`
    case "path":
      return `${demand} Set it so, or begin cookie.name with __Secure- instead`
    case "domain":
      return `${demand} Leave it out, or begin cookie.name with __Secure- instead`
  }
}

const belowMaxAge = "is shorter than one second, which Max-Age would count as zero, and that removes the cookie"

const checkLifecycle = (lifecycle: SessionLifecycle): Either.Either<ResolvedLifecycle, SessionConfigError> =>
  Either.gen(function*() {
    const _tag = yield* named("lifecycle", checkLifecycleTag(lifecycle._tag))
    const ttlMillis = yield* named("lifecycle.ttl", checkTtl(lifecycle.ttl))
    const ttlExtension = yield* named("lifecycle.ttlExtension", checkTtlExtension(lifecycle.ttlExtension))
    const maxLifetimeMillis = isGiven(lifecycle.maxLifetime)
      ? yield* named("lifecycle.maxLifetime", checkMaxLifetime(lifecycle.maxLifetime))
      : undefined
    const rememberMeMillis = isGiven(lifecycle.rememberMe)
      ? yield* named("lifecycle.rememberMe", checkTtl(lifecycle.rememberMe))
      : undefined
    if (_tag === "PersistentSession" && ttlMillis < 1000) {
      return yield* refuse("lifecycle.ttl", `${belowMaxAge}: make it longer or use a BrowserSession`)
    }
    if (rememberMeMillis !== undefined && rememberMeMillis < 1000) {
      return yield* refuse("lifecycle.rememberMe", `${belowMaxAge}: make it longer or leave it out`)
    }
    if (rememberMeMillis !== undefined && rememberMeMillis > (maxLifetimeMillis ?? Infinity)) {
      return yield* refuse(
        "lifecycle.rememberMe",
        "is longer than lifecycle.maxLifetime, which ends remembered sessions as well: raise that or shorten this"
      )
    }
    return { _tag, ttlMillis, ttlExtension, maxLifetimeMillis, rememberMeMillis }
  })

const minKeyBytes: { readonly [Format in CookieFormat]: number } = { EffectSession: 32, CookieRs: cookieRsKeyBytes }

const checkKeys = (
  keys: unknown,
  format: CookieFormat
): Checked<Arr.NonEmptyReadonlyArray<Redacted.Redacted<Uint8Array>>> =>
  Either.gen(function*() {
    const texts = (yield* Either.all(Array.from(Array.isArray(keys) ? keys : [keys], revealText)))
      .flatMap((text) => text.split(","))
    const ring: Array<Uint8Array> = []
    for (const [index, text] of texts.entries()) {
      const nth = texts.length === 1 ? "the key" : `key ${index + 1} of ${texts.length}`
      // A secret that was mounted as a file ends with a line break.
      const bytes = yield* Either.mapLeft(checkKey(text.trim(), format), (problem) => `are refused: ${nth} ${problem}`)
      const twin = ring.findIndex((other) => usedPart(other, format).equals(usedPart(bytes, format)))
      if (twin !== -1) {
        return yield* Either.left(`are refused: ${nth} is the same as key ${twin + 1}. Remove one of them`)
      }
      ring.push(bytes)
    }
    const [first, ...rest] = ring.map((bytes) => Redacted.make(bytes))
    return first === undefined
      ? yield* Either.left(`are missing: ${bringKey}`)
      : [first, ...rest] as const
  })

const bringKey = "bring at least one, for instance from generateKey()"

const revealText = (key: unknown): Checked<string> => {
  if (!isGiven(key)) {
    return Either.left(`are missing: ${bringKey}`)
  }
  if (!Redacted.isRedacted(key)) {
    return Either.left("are not Redacted: wrap each key in Redacted.make, or read them with fromEnv")
  }
  return Either.flatMap(
    Either.try({ try: () => Redacted.value(key), catch: () => "are refused: a key was wiped before it could be read" }),
    (value) => typeof value === "string" ? Either.right(value) : Either.left("are refused: a key is not a string")
  )
}

const checkKey = (text: string, format: CookieFormat): Checked<Uint8Array> => {
  if (text === "") {
    return Either.left(`is empty: ${bringKey}, and leave no empty part between commas`)
  }
  const bytes = decodeCanonical(text, "base64url")
  if (bytes === undefined) {
    return Either.left(
      "is not base64url without padding. From base64, write - for + and _ for / and drop the = at the end"
    )
  }
  if (bytes.length < minKeyBytes.EffectSession) {
    return Either.left(
      `has ${bytes.length} bytes, but at least ${minKeyBytes[format]} are needed. Draw a new one with generateKey()`
    )
  }
  if (bytes.length < minKeyBytes[format]) {
    return Either.left(
      `has ${bytes.length} bytes, but the format CookieRs needs at least ${minKeyBytes[format]}. Draw a new one with `
        + "generateKey(), or, where the Rust app calls Key::derive_from, expand the master key with deriveCookieRsKey "
        + "of CookieCrypto and bring the result as base64url"
    )
  }
  if (isWeak(bytes, format)) {
    return Either.left("is not random: its bytes repeat, so that it can be guessed. Draw a new one with generateKey()")
  }
  // A copy, because a small Buffer is a window on memory that it shares with others.
  return Either.right(new Uint8Array(bytes))
}

// Fewer are a sign of a key that was typed rather than drawn: a random key of 32 bytes has fewer than 12 distinct ones
// with a probability of 2^-83, a longer one less often still. The bound is not higher because random text in
// hexadecimal digits, which people do encode once more, has no more than 16.
const minDistinctBytes = 12

const isWeak = (bytes: Uint8Array, format: CookieFormat): boolean => {
  const used = usedPart(bytes, format)
  // A key of cookie-rs is two keys side by side, and each has to be one.
  const parts = format === "CookieRs" ? [used.subarray(0, used.length / 2), used.subarray(used.length / 2)] : [used]
  return repeatsItself(used) || parts.some((part) => new Set(part).size < minDistinctBytes)
}

// A key that was made longer by writing it twice; in CookieRs both its halves would be equal. A random key of 32 bytes
// looks so with a probability below 2^-127.
const repeatsItself = (bytes: Uint8Array): boolean => {
  for (let period = 1; period <= bytes.length / 2; period++) {
    if (bytes.every((byte, index) => index < period || byte === bytes[index - period])) {
      return true
    }
  }
  return false
}

// What decides whether two keys are one: CookieRs takes the first 64 bytes and ignores the rest.
const usedPart = (bytes: Uint8Array, format: CookieFormat): Buffer =>
  Buffer.from(format === "CookieRs" ? bytes.subarray(0, cookieRsKeyBytes) : bytes)

const flagWords = { true: true, false: false, yes: true, no: false, on: true, off: false, 1: true, 0: false }

const oneWordOf = <A>(words: Readonly<Record<string, A>>) => {
  const values = new Map(Object.entries(words))
  const problem = `is unknown: use one of ${Array.from(values.keys()).join(", ")}`
  return (text: string): Checked<A> => Either.fromNullable(values.get(text.toLowerCase()), () => problem)
}

const checkDurationText = (check: (value: unknown) => Checked<number>) => (text: string): Checked<Duration.Duration> =>
  Either.map(check(text.toLowerCase()), Duration.millis)

// The name goes outside of everything, so that each error carries it as its path, whatever prefix the provider adds.
const variable = <A>(name: string, check: (text: string) => Checked<A>): EffectConfig.Config<Option.Option<A>> =>
  EffectConfig.nested(
    EffectConfig.option(EffectConfig.mapOrFail(EffectConfig.string(), (raw) => {
      const text = raw.trim()
      return text === ""
        ? Either.left(ConfigError.MissingData([], `${name} is empty`))
        : Either.mapLeft(check(text), (problem) => ConfigError.InvalidData([], `${name} ${problem}`))
    })),
    name
  )

const keysVariable = EffectConfig.mapOrFail(
  variable("SESSION_KEYS", (text) => {
    const keys = Redacted.make(text)
    return Either.map(checkKeys(keys, "EffectSession"), () => keys)
  }),
  Either.fromOption(() => ConfigError.MissingData([], `SESSION_KEYS is not set: ${bringKey}, as base64url`))
)

const readTrustedProxies = (text: string): Checked<"All" | ReadonlyArray<string>> => {
  const proxies = text.toLowerCase() === "all" ? "All" : text.split(",").map((item) => item.trim())
  return Either.map(checkTrustedProxies(proxies), () => proxies)
}

// Only what is set: a field that is there and undefined would wipe out a preset's when options are spread.
const settings = <Fields extends { readonly [name: string]: EffectConfig.Config<Option.Option<unknown>> }>(
  fields: Fields
): EffectConfig.Config<
  { readonly [K in keyof Fields]?: Fields[K] extends EffectConfig.Config<Option.Option<infer A>> ? A : never }
> =>
  EffectConfig.map(
    EffectConfig.all(fields) as EffectConfig.Config<{ readonly [name: string]: Option.Option<unknown> }>,
    (values) => Record.getSomes(values) as never
  )

const isEmpty = (settings: object): boolean => Object.keys(settings).length === 0

/**
 * Reads options from environment variables, or from whatever `ConfigProvider` the app has.
 *
 * | variable | value | required |
 * | --- | --- | --- |
 * | `SESSION_KEYS` | keys in base64url, newest first, with commas between | yes |
 * | `SESSION_COOKIE_NAME` | a cookie name | |
 * | `SESSION_COOKIE_PATH` | a path | |
 * | `SESSION_COOKIE_DOMAIN` | a host name | |
 * | `SESSION_COOKIE_SECURE` | `true` or `false`; also `yes`, `no`, `on`, `off`, `1`, `0`; or `from-request` | |
 * | `SESSION_COOKIE_HTTP_ONLY` | `true` or `false` | |
 * | `SESSION_COOKIE_SAME_SITE` | `strict`, `lax` or `none` | |
 * | `SESSION_COOKIE_PARTITIONED` | `true` or `false` | |
 * | `SESSION_COOKIE_FORMAT` | `effect-session` or `cookie-rs` | |
 * | `SESSION_CONTENT_SECURITY` | `private` or `signed` | |
 * | `SESSION_LIFECYCLE` | `browser` or `persistent` | |
 * | `SESSION_TTL` | a duration, like `7 days` | |
 * | `SESSION_TTL_EXTENSION` | `on-state-changes` or `on-every-request` | |
 * | `SESSION_MAX_LIFETIME` | a duration | |
 * | `SESSION_REMEMBER_ME` | a duration | |
 * | `SESSION_TRUSTED_PROXIES` | addresses and ranges with commas between, or `all` | |
 * | `SESSION_STORE_TIMEOUT` | a duration | |
 *
 * Words may be in upper or lower case, and space around a value does not count. A variable that is set to nothing
 * counts as not set. What is not set is not in the result either, so that the options, and their `cookie`, can be
 * spread over those of a preset.
 *
 * Fails with a `ConfigError` that names the variable and what it may hold, never what it holds. What is wrong only in
 * combination is for `make` to find.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Config from "effect-session/Config"
 *
 * const config = Effect.flatMap(Config.fromEnv, (options) => Config.make({ ...options, cookieFormat: "CookieRs" }))
 * ```
 *
 * @since 0.1.0
 * @category environment
 */
export const fromEnv: EffectConfig.Config<SessionOptions> = EffectConfig.map(
  EffectConfig.all({
    keys: keysVariable,
    cookie: settings({
      name: variable("SESSION_COOKIE_NAME", (text) => checkName(text, "EffectSession")),
      path: variable("SESSION_COOKIE_PATH", checkPath),
      domain: variable("SESSION_COOKIE_DOMAIN", checkDomain),
      secure: variable(
        "SESSION_COOKIE_SECURE",
        oneWordOf<boolean | "FromRequest">({ ...flagWords, "from-request": "FromRequest" })
      ),
      httpOnly: variable("SESSION_COOKIE_HTTP_ONLY", oneWordOf(flagWords)),
      sameSite: variable(
        "SESSION_COOKIE_SAME_SITE",
        oneWordOf<SameSite>({ strict: "Strict", lax: "Lax", none: "None" })
      ),
      partitioned: variable("SESSION_COOKIE_PARTITIONED", oneWordOf(flagWords))
    }),
    others: settings({
      cookieFormat: variable(
        "SESSION_COOKIE_FORMAT",
        oneWordOf<CookieFormat>({ "effect-session": "EffectSession", "cookie-rs": "CookieRs" })
      ),
      contentSecurity: variable(
        "SESSION_CONTENT_SECURITY",
        oneWordOf<ContentSecurity>({ private: "Private", signed: "Signed" })
      ),
      trustedProxies: variable("SESSION_TRUSTED_PROXIES", readTrustedProxies),
      storeTimeout: variable("SESSION_STORE_TIMEOUT", checkDurationText(checkStoreTimeout))
    }),
    makeLifecycle: variable(
      "SESSION_LIFECYCLE",
      oneWordOf({ browser: BrowserSession, persistent: PersistentSession })
    ),
    lifecycle: settings({
      ttl: variable("SESSION_TTL", checkDurationText(checkTtl)),
      ttlExtension: variable(
        "SESSION_TTL_EXTENSION",
        oneWordOf<TtlExtension>({ "on-state-changes": "OnStateChanges", "on-every-request": "OnEveryRequest" })
      ),
      maxLifetime: variable("SESSION_MAX_LIFETIME", checkDurationText(checkMaxLifetime)),
      rememberMe: variable("SESSION_REMEMBER_ME", checkDurationText(checkTtl))
    })
  }),
  ({ cookie, keys, lifecycle, makeLifecycle, others }) => ({
    keys,
    ...others,
    ...(isEmpty(cookie) ? {} : { cookie }),
    ...(isEmpty(lifecycle) && Option.isNone(makeLifecycle)
      ? {}
      : { lifecycle: Option.getOrElse(makeLifecycle, () => BrowserSession)(lifecycle) })
  })
)
