/**
 * What a cookie's name, value and attributes may be: RFC 6265bis' rules for servers (§4.1) and the limits at which user
 * agents drop or change a cookie without a word (§5). Pure predicates, for the configuration to turn into messages.
 *
 * @internal
 */
import { Buffer } from "node:buffer"

/**
 * A cookie's attributes but its life. All of them are part of every line, also of the one that removes the cookie: user
 * agents ignore a removal whose attributes differ (CVE-2025-55162).
 *
 * @internal
 */
export interface CookieAttributes {
  readonly path: string
  readonly domain: string | undefined
  readonly secure: boolean
  readonly httpOnly: boolean
  readonly sameSite: "Strict" | "Lax" | "None"
  readonly partitioned: boolean
}

/**
 * Name and value together may have this many bytes. User agents ignore a cookie that has more (RFC 6265bis §5.6).
 *
 * @internal
 */
export const maxCookieBytes = 4096

// A longer attribute value is ignored by user agents, which would silently widen a cookie's scope (RFC 6265bis §5.6).
const maxAttributeBytes = 1024

/**
 * The bytes of name and value that count towards {@link maxCookieBytes}.
 *
 * @internal
 */
export const cookieSize = (name: string, value: string): number =>
  Buffer.byteLength(name, "utf8") + Buffer.byteLength(value, "utf8")

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

/**
 * Whether a cookie may be called so: a `token` of HTTP, not empty. `__proto__` is refused as well, since code that
 * keeps cookies in a plain object, as Effect's platform does, loses a cookie of that name.
 *
 * @internal
 */
export const isCookieName = (name: string): boolean => token.test(name) && name !== "__proto__"

/**
 * Whether cookie-rs writes the name as it is. It percent-encodes names too, so any other would be a different cookie
 * here and there.
 *
 * @internal
 */
export const isCookieRsName = (name: string): boolean => isCookieName(name) && !/[#%^`|]/.test(name)

/**
 * Whether the text is a `cookie-value`: no control character, white space, quote, comma, semicolon or backslash,
 * nothing beyond ASCII. May be empty. The grammar's optional quotes around the whole are not accepted.
 *
 * @internal
 */
export const isCookieValue = (value: string): boolean => /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/.test(value)

/**
 * Whether the text may be a Path attribute: absolute, printable ASCII without `;`, no space at its end, at most
 * {@link maxAttributeBytes} long.
 *
 * @internal
 */
export const isCookiePath = (path: string): boolean =>
  path.length <= maxAttributeBytes && /^\/[\x20-\x3a\x3c-\x7e]*$/.test(path) && !path.endsWith(" ")

/**
 * Whether the text may be a Domain attribute: a host name in ASCII (letters, digits and hyphens in labels of 1 to 63,
 * at most 253 in all), with no dot at either end.
 *
 * @internal
 */
export const isCookieDomain = (domain: string): boolean =>
  domain.length <= 253 &&
  domain.split(".").every((label) => /^[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$/.test(label))

/**
 * A rule between a cookie's name and its attributes that the attributes break: user agents would refuse the cookie.
 *
 * @internal
 */
export interface ViolatedCookieRule {
  /** What demands it: a name prefix as the name spells it, `SameSite=None` or `Partitioned`. */
  readonly demandedBy: string
  /** The attribute that has the wrong value. */
  readonly option: "secure" | "httpOnly" | "path" | "domain"
  /** The value it has to have, as one writes it in code. */
  readonly required: "true" | "\"/\"" | "undefined"
}

interface Prefix {
  readonly text: string
  readonly host: boolean
  readonly http: boolean
}

// Longest first: the first that matches is the one to name in a message, and it demands all that a shorter one does.
const prefixes: ReadonlyArray<Prefix> = [
  { text: "__host-http-", host: true, http: true },
  { text: "__host-", host: true, http: false },
  { text: "__secure-", host: false, http: false },
  { text: "__http-", host: false, http: true }
]

/**
 * The first rule that such a cookie would break, or `undefined` when user agents keep it.
 *
 * Prefixes: RFC 6265bis §4.1.3, `__Http-` and `__Host-Http-` from the layered-cookies draft. They are compared without
 * regard to case, as user agents do. `SameSite=None` and `Partitioned` demand Secure.
 *
 * @internal
 */
export const violatedCookieRule = (name: string, attributes: CookieAttributes): ViolatedCookieRule | undefined => {
  const lowerCase = name.toLowerCase()
  const prefix = prefixes.find(({ text }) => lowerCase.startsWith(text))
  if (prefix !== undefined) {
    const demandedBy = name.slice(0, prefix.text.length)
    if (!attributes.secure) {
      return { demandedBy, option: "secure", required: "true" }
    }
    if (prefix.http && !attributes.httpOnly) {
      return { demandedBy, option: "httpOnly", required: "true" }
    }
    if (prefix.host && attributes.path !== "/") {
      return { demandedBy, option: "path", required: "\"/\"" }
    }
    if (prefix.host && attributes.domain !== undefined) {
      return { demandedBy, option: "domain", required: "undefined" }
    }
  }
  if (!attributes.secure) {
    if (attributes.sameSite === "None") {
      return { demandedBy: "SameSite=None", option: "secure", required: "true" }
    }
    if (attributes.partitioned) {
      return { demandedBy: "Partitioned", option: "secure", required: "true" }
    }
  }
  return undefined
}
