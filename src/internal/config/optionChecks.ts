/**
 * What each option may be. Options come from JavaScript, too, and from configuration files: types alone do not keep a wrong
 * value out.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { isCookieDomain, isCookieName, isCookiePath, isCookieRsName } from "../cookie/cookieRules.js"
import { maxCookieAgeSeconds } from "../cookie/setCookie.js"
import { parseRange, type TrustedProxies } from "../http/trustedProxies.js"

/**
 * A check answers with the value as the middleware wants it, or with what is wrong and how to mend it. Whoever asked puts
 * the name in front: of the option, or of the environment variable.
 *
 * @internal
 */
export type Checked<A> = Either.Either<A, string>

/**
 * Which option is refused, and the whole sentence: its name, what is wrong, and how to mend it.
 *
 * @internal
 */
export interface Refusal<Option extends string> {
  readonly option: Option
  readonly message: string
}

/** @internal */
export const oneOf = <const A extends string>(...allowed: ReadonlyArray<A>) => (value: unknown): Checked<A> => {
  const found = allowed.find((candidate) => candidate === value)
  return found === undefined
    ? Either.left(`is unknown: use one of ${allowed.map((candidate) => `"${candidate}"`).join(", ")}`)
    : Either.right(found)
}

/**
 * `null` is how JSON says that an option was left out, and `??` takes it so.
 *
 * @internal
 */
export const isGiven = <A>(value: A): value is NonNullable<A> => value !== undefined && value !== null

/** @internal */
export const checkFlag = (value: unknown): Checked<boolean> =>
  typeof value === "boolean" ? Either.right(value) : Either.left("is not a boolean: use true or false")

/** @internal */
export const checkSecure = (value: unknown): Checked<boolean> =>
  Either.mapLeft(checkFlag(value), (problem) => `${problem}, or "FromRequest"`)

/** @internal */
export const checkTrustedProxies = (value: unknown): Checked<TrustedProxies> => {
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

/** @internal */
export const checkTtl = durationUpTo({
  millis: maxCookieAgeSeconds * 1000,
  sentence: "is longer than 400 days, the most that browsers keep a cookie (RFC 6265bis §5.5)",
  mend: "shorten it, and use ttlExtension \"OnEveryRequest\" to keep visitors who come back"
})

/** @internal */
export const checkExtendEvery = durationUpTo({
  millis: maxCookieAgeSeconds * 1000,
  sentence: "is longer than 400 days, the longest time to live",
  mend: "make it shorter than lifecycle.ttl"
})

/** @internal */
export const checkRenewEvery = durationUpTo({
  millis: maxCookieAgeSeconds * 1000,
  sentence: "is longer than 400 days, which no session lives without a request",
  mend: "shorten it, or leave it out for no renewals"
})

/**
 * Who waits for longer than an hour has more than a slow network.
 *
 * @internal
 */
export const checkGrace = durationUpTo({
  millis: 3_600_000,
  sentence: "is longer than an hour, in which a stolen key goes on beside the new one",
  mend: "shorten it to what the slowest request takes"
})

/**
 * A century is no limit at all, and every date within it fits every backend.
 *
 * @internal
 */
export const checkMaxLifetime = durationUpTo({
  millis: 36_500 * 86_400_000,
  sentence: "is longer than 36500 days",
  mend: "leave it out for no limit"
})

/**
 * setTimeout counts in 31 bits and fires at once above that.
 *
 * @internal
 */
export const checkStoreTimeout = durationUpTo({
  millis: 2_147_483_647,
  sentence: "is longer than a timer can wait (24 days)",
  mend: "use a few seconds"
})

// What fits into one text of the runtime, whatever a store makes of it.
const largestState = 2 ** 28

/** @internal */
export const checkMaxStateBytes = (value: unknown): Checked<number> =>
  Number.isSafeInteger(value) && (value as number) >= 1 && (value as number) <= largestState
    ? Either.right(value as number)
    : Either.left(`is not a number of bytes: use an integer from 1 to ${largestState}`)

/** @internal */
export const checkName = (value: unknown, format: "EffectSession" | "CookieRs"): Checked<string> => {
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

/** @internal */
export const checkPath = (value: unknown): Checked<string> =>
  typeof value === "string" && isCookiePath(value)
    ? Either.right(value)
    : Either.left(
      "is not a cookie path: begin with /, use printable ASCII without ; and no space at the end, at most 1024 bytes"
    )

/** @internal */
export const checkDomain = (value: unknown): Checked<string> =>
  typeof value === "string" && isCookieDomain(value)
    ? Either.right(value)
    : Either.left(
      "is not a host name: write it in ASCII without a dot at either end, like example.com, or leave it out"
    )
