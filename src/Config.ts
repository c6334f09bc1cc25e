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
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import type { ContentSecurity, CookieFormat } from "./CookieCrypto.js"
import { checkBearer } from "./internal/config/bearerOptions.js"
import { checkCookieOptions, cookieWarnings } from "./internal/config/cookieOptions.js"
import {
  checkDurationText,
  flagWords,
  isEmpty,
  keysVariable,
  oneWordOf,
  readBearer,
  readTrustedProxies,
  readTtlExtension,
  settings,
  variable
} from "./internal/config/environment.js"
import { checkKeys } from "./internal/config/keyChecks.js"
import { checkLifecycleOptions } from "./internal/config/lifecycleOptions.js"
import {
  checkDomain,
  type Checked,
  checkGrace,
  checkMaxLifetime,
  checkMaxStateBytes,
  checkName,
  checkPath,
  checkRenewEvery,
  checkStoreTimeout,
  checkTrustedProxies,
  checkTtl,
  isGiven,
  oneOf,
  type Refusal
} from "./internal/config/optionChecks.js"
import { readRetiredCookies } from "./internal/config/retiredCookies.js"
import type { CookieAttributes } from "./internal/cookie/cookieRules.js"
import type { TrustedProxies } from "./internal/http/trustedProxies.js"
import type { Rotation } from "./SessionRecord.js"

/**
 * What becomes of a response whose request lost what it wrote to the session, because the session ended meanwhile or a
 * renewal replaced the key that the request came with.
 *
 * - `Refuse`: a success becomes a 409 with an empty body. What was not kept is not answered as if it were.
 * - `Ignore`: the response goes out as the handler made it.
 *
 * Either way there is an event, `WritesLost`.
 *
 * @since 0.1.0
 * @category commit
 */
export type LostWrites = "Refuse" | "Ignore"

/**
 * What the traces and logs of a request say of its session.
 *
 * - `None`: nothing.
 * - `SessionId`: the public id. As soon as the store has said that the session of the request lives, it stands as `session.id`
 *   (OpenTelemetry's name) on the span of the request, and on each line that the handler logs from then on. A request that
 *   begins a session has its id on the span, with `session.previous_id` where another came before. Nothing is asked of the store
 *   for it, and no key or value is shown.
 *
 * An app with several kinds of sessions turns it on for one of them, since a span has one `session.id`.
 *
 * An id that merely came with a request stands nowhere: whoever once had a key could write another visitor's id into your traces.
 *
 * @since 0.1.0
 * @category telemetry
 */
export type Telemetry = "None" | "SessionId"

/**
 * Where session keys are given out to clients that keep no cookies.
 *
 * @since 0.1.0
 * @category models
 */
export interface BearerOptions {
  /**
   * The response header with what the client is to send as its `Authorization` from then on: `Bearer` and its key, or `Bearer`
   * alone where its session has ended. By default `authorization`, which every log and trace knows to hide. Name another one
   * where something in front of the app renames or drops that in responses; it is then hidden in this app's own spans and logs.
   */
  readonly header?: string | undefined
}

/**
 * When a session's time to live starts anew.
 *
 * - `OnStateChanges`: when a request changes the state or renews the key. Reading costs no write.
 * - `OnEveryRequest`: with every request that carries a live session. Each of them costs a store call.
 * - `{ every }`: as `OnStateChanges` and, once that much of it has passed, when a request looks at the session. However often that
 *   is, reading costs one write in that time, and the session then always has its `ttl` left but for `every`, or what
 *   `maxLifetime` leaves. A request that does not look at its session costs nothing, and extends nothing. A `Max-Age` goes out
 *   anew with each extension. A bare number is milliseconds.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export type TtlExtension = "OnStateChanges" | "OnEveryRequest" | { readonly every: Duration.DurationInput }

/**
 * What a key does that `renewEvery` has replaced, when somebody comes with it after its grace: either it was stolen, or who has the
 * new one is the thief. There is an event, `KeyReused`, in any case, and the request is anonymous.
 *
 * - `EndSession`: it ends the session, for both of them.
 * - `Ignore`: nothing else.
 *
 * @since 0.1.0
 * @category lifecycle
 */
export type OnKeyReuse = "EndSession" | "Ignore"

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
  /**
   * How old a key gets in a session that is in use: the first request after that which looks at the session gets a new one, and
   * the session stays. The one before opens the session for as long as nobody has used the new one, which may have been lost on
   * its way, and for `renewGrace` from then on, so that parallel requests never notice. A `renew` of the handler leaves no grace.
   * `undefined`: keys are renewed by handlers alone. The store has to keep records. A bare number is milliseconds.
   *
   * Servers of a version without this option, and of one with it, cannot share a Redis in which keys were renewed by it.
   */
  readonly renewEvery: Duration.DurationInput | undefined
  /** How long a replaced key goes on once the new one is in use. A bare number is milliseconds. */
  readonly renewGrace: Duration.DurationInput
  /** What somebody does who comes with a replaced key later. */
  readonly onKeyReuse: OnKeyReuse
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
  /** See `TtlExtension`. Its `every` is shorter than `ttl` and `rememberMe`. */
  readonly ttlExtension?: TtlExtension | undefined
  /** See `LifecycleFields.maxLifetime`. At most 36 500 days. */
  readonly maxLifetime?: Duration.DurationInput | undefined
  /** See `LifecycleFields.rememberMe`. One second to 400 days, and no longer than `maxLifetime`. */
  readonly rememberMe?: Duration.DurationInput | undefined
  /** See `LifecycleFields.renewEvery`. Longer than `renewGrace`, and at most 400 days. */
  readonly renewEvery?: Duration.DurationInput | undefined
  /** See `LifecycleFields.renewGrace`. At most an hour. */
  readonly renewGrace?: Duration.DurationInput | undefined
  /** See `OnKeyReuse`. */
  readonly onKeyReuse?: OnKeyReuse | undefined
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
  rememberMe: undefined,
  renewEvery: undefined,
  renewGrace: "60 seconds",
  onKeyReuse: "EndSession"
}

const lifecycles = Data.taggedEnum<SessionLifecycle>()

const withLifecycleDefaults = (options: LifecycleOptions): LifecycleFields => ({
  ttl: options.ttl ?? lifecycleDefaults.ttl,
  ttlExtension: options.ttlExtension ?? lifecycleDefaults.ttlExtension,
  maxLifetime: options.maxLifetime ?? lifecycleDefaults.maxLifetime,
  rememberMe: options.rememberMe ?? lifecycleDefaults.rememberMe,
  renewEvery: options.renewEvery ?? lifecycleDefaults.renewEvery,
  renewGrace: options.renewGrace ?? lifecycleDefaults.renewGrace,
  onKeyReuse: options.onKeyReuse ?? lifecycleDefaults.onKeyReuse
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
 * A session whose cookie stays for `ttl`, across restarts of the browser. `Max-Age` counts whole seconds: a fraction
 * counts as a whole one, so that the browser never forgets a session that still lives.
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
  /**
   * What this cookie was before, at most 8 times: each is what stood here, without `retired`. Browsers tell cookies apart by
   * name, domain, path and partition, so that one whose scope changes with a deploy stays beside the new one.
   *
   * What came under a name of before opens where no cookie of today's name came, and whenever the cookie is set or removed,
   * the retired ones are removed. Keep a retired cookie here until the longest session that was begun with it has ended.
   */
  readonly retired?: ReadonlyArray<Omit<CookieOptions, "retired">> | undefined
}

/**
 * What you write to configure sessions. Only `keys` is required; everything left out is taken from `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionOptions {
  /**
   * The secrets that seal the cookie, as base64url without padding: at least 32 random bytes each, 64 for `CookieRs`.
   * Published examples, text, words and what is counted or typed in order are refused.
   *
   * The first key seals, all keys open. To rotate, add the new key behind the old one and deploy everywhere, move it to the
   * front and deploy, and drop the old key when the longest session made with it has ended: so each server can open what
   * another one seals. One string may hold several keys with commas between.
   */
  readonly keys: Redacted.Redacted<string> | ReadonlyArray<Redacted.Redacted<string>>
  readonly cookie?: CookieOptions | undefined
  /**
   * `Private`: encrypted. `Signed`: safe from tampering, but readable for whoever holds the cookie. What you say here is also
   * all that opens: a cookie that was sealed as the other one is refused.
   *
   * Left out, it is chosen by what the store puts into the cookie: a state is `Private`, and a session key is `Signed`, since
   * whoever has the key has the session, sealed or not. A key that was sealed as `Private` opens then, too, and is sealed anew
   * when its session is next written. In the format `CookieRs`, whose signed form does not bind the cookie's name, a key is
   * `Private` as well.
   */
  readonly contentSecurity?: ContentSecurity | undefined
  /** How the sealed value is laid out. `CookieRs` is the seal of Rust's `cookie` crate: one key opens what either side has
   * sealed. The texts inside differ, so sessions are not shared. */
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
  /**
   * How many bytes the keys and values of a session may have together, as UTF-8 and JSON: an integer from 1 to 2^28. A write
   * that would make it larger fails with a `SessionInsertError` (`TooLarge`) before anything is stored. What is larger
   * already can be read, and shrink. The cookie store's own limit, 4096 bytes sealed, comes first.
   */
  readonly maxStateBytes?: number | undefined
  /** What becomes of a response whose request lost what it wrote. See `LostWrites`. */
  readonly lostWrites?: LostWrites | undefined
  /**
   * Whether clients that keep no cookies (mobile apps, programs, other servers) may bring their key as `Authorization: Bearer`,
   * and get it in a response header. Such a request neither reads nor sets a cookie; one that brings both a bearer and a session
   * cookie is answered 400. A client without a key sends `Authorization: Bearer`, so that no browser's script is ever
   * given one in place of a cookie that it cannot read.
   */
  readonly bearer?: boolean | BearerOptions | undefined
  /** What the traces and logs of a request say of its session. See `Telemetry`. */
  readonly telemetry?: Telemetry | undefined
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
    partitioned: false,
    /** The cookie was never another. */
    retired: []
  },
  /** Chosen by what the cookie holds, so that nobody has to think about what it gives away. */
  contentSecurity: undefined,
  /** Binds the cookie's name into the seal in both modes, which the format of the Rust crate does not. */
  cookieFormat: "EffectSession",
  /** See `lifecycleDefaults`. */
  lifecycle: BrowserSession(),
  /** A header that anybody can send proves nothing. */
  trustedProxies: [],
  /** Far longer than any contention in good health, shorter than the patience of a proxy. */
  storeTimeout: "5 seconds",
  /** A mebibyte: a hundred times what a session needs, and what any store and its connection take in their stride. */
  maxStateBytes: 1_048_576,
  /** Who is told that something was kept has no reason to look again. */
  lostWrites: "Refuse",
  /** Who serves browsers alone needs no second way in. */
  bearer: false,
  /** An id that turns up in each trace tells what one visitor did: that is for you to want. */
  telemetry: "None"
} as const satisfies Omit<Required<SessionOptions>, "keys">

/**
 * The defaults of actix-session: as `defaults`, but the cookie is called `id` and so has no prefix to protect its name
 * from subdomains, and it is encrypted whatever it holds. Add `cookieFormat: "CookieRs"` for the same seal too; what
 * actix-session seals inside is another text, so that its sessions are not read here, nor these there.
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
 * A cookie as it is written: its name and attributes.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolvedCookie {
  readonly name: string
  /** Where `secureFromRequest` is not, `attributes.secure` is what counts. */
  readonly attributes: CookieAttributes
  readonly secureFromRequest: { readonly trustedProxies: TrustedProxies } | undefined
}

/**
 * Checked configuration, with nothing left to decode: what the middleware reads.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionConfig {
  readonly cookie: ResolvedCookie & {
    /** What the cookie was before. None of them is in the place of the cookie itself. */
    readonly retired: ReadonlyArray<ResolvedCookie>
  }
  /** `undefined`: chosen by what the store puts into the cookie. */
  readonly contentSecurity: ContentSecurity | undefined
  readonly cookieFormat: CookieFormat
  /** The key ring, decoded, newest first. */
  readonly keys: Arr.NonEmptyReadonlyArray<Redacted.Redacted<Uint8Array>>
  readonly lifecycle: ResolvedLifecycle
  /** Whole milliseconds. */
  readonly storeTimeoutMillis: number
  readonly maxStateBytes: number
  readonly lostWrites: LostWrites
  /** Where keys are given out to clients that keep no cookies, in lower case; `undefined`: nowhere, and none may bring one. */
  readonly bearer: { readonly header: string } | undefined
  readonly telemetry: Telemetry
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
  readonly ttlExtension: "OnStateChanges" | "OnEveryRequest" | { readonly everyMillis: number }
  readonly maxLifetimeMillis: number | undefined
  readonly rememberMeMillis: number | undefined
  /** In milliseconds; `undefined`: keys are renewed by handlers alone. */
  readonly rotation: Rotation | undefined
  readonly onKeyReuse: OnKeyReuse
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
      "cookie.retired",
      "contentSecurity",
      "cookieFormat",
      "lifecycle",
      "lifecycle.ttl",
      "lifecycle.ttlExtension",
      "lifecycle.ttlExtension.every",
      "lifecycle.maxLifetime",
      "lifecycle.rememberMe",
      "lifecycle.renewEvery",
      "lifecycle.renewGrace",
      "lifecycle.onKeyReuse",
      "trustedProxies",
      "trustedOrigins",
      "exceptPaths",
      "unmarked",
      "headerName",
      "fieldName",
      "storeTimeout",
      "maxStateBytes",
      "lostWrites",
      "bearer",
      "bearer.header",
      "telemetry",
      "session"
    ),
    message: Schema.String
  }
) {}

type ConfigOption = SessionConfigError["option"]

const refusable = <A>(checked: Either.Either<A, Refusal<ConfigOption>>): Either.Either<A, SessionConfigError> =>
  Either.mapLeft(checked, (refusal) => new SessionConfigError(refusal))

const named = <A>(option: ConfigOption, checked: Checked<A>): Either.Either<A, SessionConfigError> =>
  refusable(Either.mapLeft(checked, (problem) => ({ option, message: `${option} ${problem}` })))

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

const checkContentSecurity = oneOf<ContentSecurity>("Private", "Signed")
const checkCookieFormat = oneOf<CookieFormat>("EffectSession", "CookieRs")
const checkLostWrites = oneOf<LostWrites>("Refuse", "Ignore")
const checkTelemetry = oneOf<Telemetry>("None", "SessionId")

const check = (options: SessionOptions): Either.Either<SessionConfig, SessionConfigError> =>
  Either.gen(function*() {
    const contentSecurity = isGiven(options.contentSecurity)
      ? yield* named("contentSecurity", checkContentSecurity(options.contentSecurity))
      : defaults.contentSecurity
    const cookieFormat = yield* named("cookieFormat", checkCookieFormat(options.cookieFormat ?? defaults.cookieFormat))
    const trustedProxies = yield* named(
      "trustedProxies",
      checkTrustedProxies(options.trustedProxies ?? defaults.trustedProxies)
    )
    const cookie = yield* refusable(
      checkCookieOptions(options.cookie ?? {}, { defaults: defaults.cookie, format: cookieFormat, trustedProxies })
    )
    if (cookie.secureFromRequest === undefined && (trustedProxies === "All" || trustedProxies.length > 0)) {
      return yield* named(
        "trustedProxies",
        Either.left("has no use unless cookie.secure is \"FromRequest\": set that, or leave trustedProxies out")
      )
    }
    const lifecycle = yield* refusable(
      checkLifecycleOptions(options.lifecycle ?? defaults.lifecycle, lifecycleDefaults)
    )
    const storeTimeoutMillis = yield* named(
      "storeTimeout",
      checkStoreTimeout(options.storeTimeout ?? defaults.storeTimeout)
    )
    const maxStateBytes = yield* named(
      "maxStateBytes",
      checkMaxStateBytes(options.maxStateBytes ?? defaults.maxStateBytes)
    )
    const lostWrites = yield* named("lostWrites", checkLostWrites(options.lostWrites ?? defaults.lostWrites))
    const bearer = yield* refusable(checkBearer(options.bearer ?? defaults.bearer))
    const telemetry = yield* named("telemetry", checkTelemetry(options.telemetry ?? defaults.telemetry))
    const keys = yield* named("keys", checkKeys(options.keys, cookieFormat))
    return {
      cookie,
      contentSecurity,
      cookieFormat,
      keys,
      lifecycle,
      storeTimeoutMillis,
      maxStateBytes,
      lostWrites,
      bearer,
      telemetry,
      warnings: cookieWarnings(cookie)
    }
  })

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
 * | `SESSION_COOKIE_RETIRED` | what the cookie was: `id; Domain=example.com; Path=/app; Secure`, more with commas | |
 * | `SESSION_COOKIE_FORMAT` | `effect-session` or `cookie-rs` | |
 * | `SESSION_CONTENT_SECURITY` | `private` or `signed`; not set: by what the cookie holds | |
 * | `SESSION_LIFECYCLE` | `browser` or `persistent` | |
 * | `SESSION_TTL` | a duration, like `7 days` | |
 * | `SESSION_TTL_EXTENSION` | `on-state-changes`, `on-every-request`, or `every` and a duration, like `every 5 minutes` | |
 * | `SESSION_MAX_LIFETIME` | a duration | |
 * | `SESSION_REMEMBER_ME` | a duration | |
 * | `SESSION_RENEW_EVERY` | a duration | |
 * | `SESSION_RENEW_GRACE` | a duration | |
 * | `SESSION_ON_KEY_REUSE` | `end-session` or `ignore` | |
 * | `SESSION_TRUSTED_PROXIES` | addresses and ranges with commas between, or `all` | |
 * | `SESSION_STORE_TIMEOUT` | a duration | |
 * | `SESSION_MAX_STATE_BYTES` | a number of bytes | |
 * | `SESSION_LOST_WRITES` | `refuse` or `ignore` | |
 * | `SESSION_BEARER` | `true` or `false`, or the name of the response header | |
 * | `SESSION_TELEMETRY` | `none` or `session-id` | |
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
      partitioned: variable("SESSION_COOKIE_PARTITIONED", oneWordOf(flagWords)),
      retired: variable("SESSION_COOKIE_RETIRED", readRetiredCookies)
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
      storeTimeout: variable("SESSION_STORE_TIMEOUT", checkDurationText(checkStoreTimeout)),
      maxStateBytes: variable(
        "SESSION_MAX_STATE_BYTES",
        (text) => checkMaxStateBytes(/^\d+$/.test(text) ? Number(text) : undefined)
      ),
      lostWrites: variable(
        "SESSION_LOST_WRITES",
        oneWordOf<LostWrites>({ refuse: "Refuse", ignore: "Ignore" })
      ),
      bearer: variable("SESSION_BEARER", readBearer),
      telemetry: variable(
        "SESSION_TELEMETRY",
        oneWordOf<Telemetry>({ none: "None", "session-id": "SessionId" })
      )
    }),
    makeLifecycle: variable(
      "SESSION_LIFECYCLE",
      oneWordOf({ browser: BrowserSession, persistent: PersistentSession })
    ),
    lifecycle: settings({
      ttl: variable("SESSION_TTL", checkDurationText(checkTtl)),
      ttlExtension: variable("SESSION_TTL_EXTENSION", readTtlExtension),
      maxLifetime: variable("SESSION_MAX_LIFETIME", checkDurationText(checkMaxLifetime)),
      rememberMe: variable("SESSION_REMEMBER_ME", checkDurationText(checkTtl)),
      renewEvery: variable("SESSION_RENEW_EVERY", checkDurationText(checkRenewEvery)),
      renewGrace: variable("SESSION_RENEW_GRACE", checkDurationText(checkGrace)),
      onKeyReuse: variable(
        "SESSION_ON_KEY_REUSE",
        oneWordOf<OnKeyReuse>({ "end-session": "EndSession", ignore: "Ignore" })
      )
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
