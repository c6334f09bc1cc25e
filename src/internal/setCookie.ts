/**
 * Writes `Set-Cookie` lines. The attributes stand in the order in which `@effect/platform` writes them, so that a line
 * that takes the way through its `Cookies` comes out byte for byte as it went in.
 *
 * @internal
 */
import type { CookieAttributes } from "./cookieRules.js"

export type { CookieAttributes } from "./cookieRules.js"

/**
 * The longest life, in seconds, that a user agent grants a cookie: 400 days (RFC 6265bis §5.5).
 *
 * @internal
 */
export const maxCookieAgeSeconds = 34_560_000

// Max-Age is digits only. An endless life becomes the longest there is, and no number at all ends the cookie at once.
const maxAgeDigits = (seconds: number): number => seconds > 0 ? Math.trunc(Math.min(seconds, maxCookieAgeSeconds)) : 0

const serialize = (
  name: string,
  value: string,
  attributes: CookieAttributes,
  maxAge: number | undefined,
  expires: string | undefined
): string => {
  let line = `${name}=${value}`
  if (maxAge !== undefined) {
    line += `; Max-Age=${maxAge}`
  }
  if (attributes.domain !== undefined) {
    line += `; Domain=${attributes.domain}`
  }
  line += `; Path=${attributes.path}`
  if (expires !== undefined) {
    line += `; Expires=${expires}`
  }
  if (attributes.httpOnly) {
    line += "; HttpOnly"
  }
  if (attributes.secure) {
    line += "; Secure"
  }
  if (attributes.partitioned) {
    line += "; Partitioned"
  }
  return `${line}; SameSite=${attributes.sameSite}`
}

/**
 * The line that sets a cookie. Without `maxAgeSeconds` it lives until the browser is closed; a fraction of a second is
 * dropped, more than {@link maxCookieAgeSeconds} is cut down to it. Name, value and attributes are written as they are:
 * there is no escape in this grammar, so they must have been checked before.
 *
 * @internal
 */
export const serializeSetCookie = (
  name: string,
  value: string,
  attributes: CookieAttributes,
  maxAgeSeconds?: number | undefined
): string =>
  serialize(name, value, attributes, maxAgeSeconds === undefined ? undefined : maxAgeDigits(maxAgeSeconds), undefined)

/**
 * The line that removes the cookie which {@link serializeSetCookie} set with the same attributes. It carries Max-Age
 * and Expires, for user agents that know only one of them.
 *
 * @internal
 */
export const serializeRemovalCookie = (name: string, attributes: CookieAttributes): string =>
  serialize(name, "", attributes, 0, "Thu, 01 Jan 1970 00:00:00 GMT")
