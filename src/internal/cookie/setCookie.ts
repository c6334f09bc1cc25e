/**
 * The session cookie as it is set or removed, as data: platform writes the `Set-Cookie` line of it.
 *
 * @internal
 */
import type { CookieAttributes } from "./cookieRules.js"

/**
 * The longest life, in seconds, that a user agent grants a cookie: 400 days (RFC 6265bis §5.5).
 *
 * @internal
 */
export const maxCookieAgeSeconds = 34_560_000

// An endless life becomes the longest there is, and no number at all ends the cookie at once.
const wholeSeconds = (seconds: number): number => seconds > 0 ? Math.trunc(Math.min(seconds, maxCookieAgeSeconds)) : 0

/**
 * A cookie to be set. Name, value and attributes go out as they are: there is no escape in the grammar of `Set-Cookie`, so
 * they must have been checked before.
 *
 * @internal
 */
export interface SetCookie {
  readonly name: string
  readonly value: string
  readonly attributes: CookieAttributes
  /** Whole seconds; `undefined`: until the browser is closed. */
  readonly maxAgeSeconds: number | undefined
  /** Whether it is set in order to be removed. */
  readonly isRemoval: boolean
}

/**
 * What sets a cookie. Without `maxAgeSeconds` it lives until the browser is closed; a fraction of a second is dropped, more than
 * {@link maxCookieAgeSeconds} is cut down to it.
 *
 * @internal
 */
export const setCookie = (
  name: string,
  value: string,
  attributes: CookieAttributes,
  maxAgeSeconds?: number | undefined
): SetCookie => ({
  name,
  value,
  attributes,
  maxAgeSeconds: maxAgeSeconds === undefined ? undefined : wholeSeconds(maxAgeSeconds),
  isRemoval: false
})

/**
 * What removes the cookie which {@link setCookie} set with the same attributes. It carries Max-Age and Expires, for user agents
 * that know only one of them.
 *
 * @internal
 */
export const removalCookie = (name: string, attributes: CookieAttributes): SetCookie => ({
  name,
  value: "",
  attributes,
  maxAgeSeconds: 0,
  isRemoval: true
})
