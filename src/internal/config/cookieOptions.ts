/**
 * What the cookie may be, and what it may have been: each attribute by itself, and all of them together, as browsers judge them.
 *
 * @internal
 */
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import type { CookieFormat } from "../../CookieCrypto.js"
import { type CookieAttributes, type ViolatedCookieRule, violatedCookieRule } from "../cookie/cookieRules.js"
import type { TrustedProxies } from "../http/trustedProxies.js"
import {
  checkDomain,
  type Checked,
  checkFlag,
  checkName,
  checkPath,
  checkSecure,
  isGiven,
  oneOf,
  type Refusal
} from "./optionChecks.js"

type CookieField = "name" | keyof CookieAttributes

/** As somebody has written it, who may have written anything. */
interface WrittenCookie extends Partial<Readonly<Record<CookieField, unknown>>> {
  readonly retired?: unknown
}

interface CookieDefaults extends CookieAttributes {
  readonly name: string
}

interface CheckedCookie {
  readonly name: string
  readonly attributes: CookieAttributes
  readonly secureFromRequest: { readonly trustedProxies: TrustedProxies } | undefined
}

type CookieRefusal = Refusal<`cookie.${CookieField | "retired"}`>

/** What all cookies of one configuration are judged by. */
interface CookieRulesInUse {
  readonly defaults: CookieDefaults
  readonly format: CookieFormat
  readonly trustedProxies: TrustedProxies
}

/** Where a cookie stands in the options: the one of today, or one that it was before. */
type CookiePlace = "cookie" | `cookie.retired[${number}]`

/** @internal */
export const checkCookieOptions = (
  options: WrittenCookie,
  rules: CookieRulesInUse
): Either.Either<CheckedCookie & { readonly retired: ReadonlyArray<CheckedCookie> }, CookieRefusal> =>
  Either.gen(function*() {
    const cookie = yield* checkCookie("cookie", options, rules)
    return { ...cookie, retired: yield* checkRetired(cookie, options.retired ?? [], rules) }
  })

const checkSameSite = oneOf<CookieAttributes["sameSite"]>("Strict", "Lax", "None")

const checkCookie = (
  place: CookiePlace,
  options: WrittenCookie,
  { defaults, format, trustedProxies }: CookieRulesInUse
): Either.Either<CheckedCookie, CookieRefusal> =>
  Either.gen(function*() {
    const field = <A>(name: CookieField, checked: Checked<A>) =>
      Either.mapLeft(checked, (problem) => refusalOf(place, name, problem))
    const isFromRequest = options.secure === "FromRequest"
    const name = yield* field("name", checkName(options.name ?? defaults.name, format))
    const attributes: CookieAttributes = {
      path: yield* field("path", checkPath(options.path ?? defaults.path)),
      domain: isGiven(options.domain) ? yield* field("domain", checkDomain(options.domain)) : defaults.domain,
      secure: !isFromRequest && (yield* field("secure", checkSecure(options.secure ?? defaults.secure))),
      httpOnly: yield* field("httpOnly", checkFlag(options.httpOnly ?? defaults.httpOnly)),
      sameSite: yield* field("sameSite", checkSameSite(options.sameSite ?? defaults.sameSite)),
      partitioned: yield* field("partitioned", checkFlag(options.partitioned ?? defaults.partitioned))
    }
    const violated = violatedCookieRule(name, attributes)
    return violated === undefined
      ? { name, attributes, secureFromRequest: isFromRequest ? { trustedProxies } : undefined }
      : yield* Either.left(refusalOf(place, violated.option, describeViolation(place, violated)))
  })

const refusalOf = (place: CookiePlace, field: CookieField, problem: string): CookieRefusal => ({
  option: place === "cookie" ? `cookie.${field}` : "cookie.retired",
  message: `${place}.${field} ${problem}`
})

const maxRetired = 8

const checkRetired = (
  cookie: CheckedCookie,
  retired: unknown,
  rules: CookieRulesInUse
): Either.Either<ReadonlyArray<CheckedCookie>, CookieRefusal> => {
  const refuse = (place: string, problem: string) =>
    Either.left<CookieRefusal>({ option: "cookie.retired", message: `${place} ${problem}` })
  if (!Array.isArray(retired) || !retired.every(Predicate.isRecord)) {
    return refuse("cookie.retired", "is no list of cookies: give what stood under cookie before, in [ ]")
  }
  if (retired.length > maxRetired) {
    return refuse(
      "cookie.retired",
      `has more than ${maxRetired} cookies, each of which is a line in every response that sets the session cookie: `
        + "drop the oldest"
    )
  }
  return Either.all(retired.map((options: WrittenCookie, index) =>
    Either.flatMap(
      checkCookie(`cookie.retired[${index}]`, options, rules),
      (former) =>
        placeOf(former) === placeOf(cookie)
          ? refuse(
            `cookie.retired[${index}]`,
            "has the name, domain, path and partition of cookie itself, which takes its place in the browser: leave it out"
          )
          : Either.right(former)
    )
  ))
}

/** What browsers tell cookies apart by. The name of a host does not differ by the case of its letters. */
const placeOf = ({ attributes: { domain, partitioned, path }, name }: CheckedCookie): string =>
  [name, domain?.toLowerCase(), path, partitioned].join(";")

const describeViolation = (place: CookiePlace, { demandedBy, option, required }: ViolatedCookieRule): string => {
  const byPrefix = demandedBy.startsWith("__")
  const demand = `must be ${required}, or browsers drop the cookie: ${
    byPrefix ? `the prefix ${demandedBy} of ${place}.name` : demandedBy
  } demands it.`
  switch (option) {
    case "secure":
      return `${demand} Set it so${byPrefix ? ", or spread Config.development for plain HTTP on localhost" : ""}`
    case "httpOnly":
      return `${demand} Set it so, or choose a ${place}.name without that prefix`
    case "path":
      return `${demand} Set it so, or begin ${place}.name with __Secure- instead`
    case "domain":
      return `${demand} Leave it out, or begin ${place}.name with __Secure- instead`
  }
}

/**
 * What is allowed but dangerous, one sentence each.
 *
 * @internal
 */
export const cookieWarnings = ({ attributes, secureFromRequest }: CheckedCookie): ReadonlyArray<string> => [
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
