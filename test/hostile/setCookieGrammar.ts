/**
 * `Set-Cookie` as RFC 6265bis §4.1.1 lets a server write it, and what user agents demand of a cookie beyond that: a
 * reader that takes nothing else, written from the grammar.
 */

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const cookieValue = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/
const label = /^[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?$/
const pathValue = /^\/[\x20-\x3a\x3c-\x7e]*$/
const httpDate =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} GMT$/

const attributeRules: { readonly [name: string]: (value: string | undefined) => boolean } = {
  "Max-Age": (value) => value !== undefined && /^(?:0|[1-9]\d*)$/.test(value) && Number(value) <= 34_560_000,
  Expires: (value) => value !== undefined && httpDate.test(value),
  Domain: (value) => value !== undefined && value.length <= 253 && value.split(".").every((part) => label.test(part)),
  Path: (value) => value !== undefined && value.length <= 1024 && pathValue.test(value) && !value.endsWith(" "),
  SameSite: (value) => value !== undefined && ["Strict", "Lax", "None"].includes(value),
  Secure: (value) => value === undefined,
  HttpOnly: (value) => value === undefined,
  Partitioned: (value) => value === undefined
}

export interface ParsedCookie {
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string | undefined>
}

/** The cookie of a line, or what is wrong with the line. */
export const parseSetCookie = (line: string): ParsedCookie | string => {
  const [pair = "", ...rest] = line.split("; ")
  const equals = pair.indexOf("=")
  const [name, value] = [pair.slice(0, equals), pair.slice(equals + 1)]
  if (equals === -1 || !token.test(name)) {
    return "the name is no token"
  }
  if (!cookieValue.test(value)) {
    return "the value has a byte that no cookie-value has"
  }
  if (name.length + value.length > 4096) {
    return "name and value have more than 4096 bytes"
  }
  const attributes = new Map<string, string | undefined>()
  for (const attribute of rest) {
    const at = attribute.indexOf("=")
    const key = at === -1 ? attribute : attribute.slice(0, at)
    const text = at === -1 ? undefined : attribute.slice(at + 1)
    const isRight = Object.hasOwn(attributeRules, key) ? attributeRules[key] : undefined
    if (isRight === undefined) {
      return `there is no attribute ${JSON.stringify(key)}`
    }
    if (attributes.has(key)) {
      return `${key} stands there twice`
    }
    if (!isRight(text)) {
      return `${key} cannot be ${JSON.stringify(text)}`
    }
    attributes.set(key, text)
  }
  return breachOfAgents(name, attributes) ?? { name, value, attributes }
}

/** Why a user agent would drop the cookie. */
const breachOfAgents = (name: string, attributes: ReadonlyMap<string, string | undefined>): string | undefined => {
  const prefix = name.toLowerCase()
  const isHost = prefix.startsWith("__host-")
  const isHttp = prefix.startsWith("__http-") || prefix.startsWith("__host-http-")
  const wantsSecure = isHost || isHttp || prefix.startsWith("__secure-") || attributes.has("Partitioned") ||
    attributes.get("SameSite") === "None"
  if (wantsSecure && !attributes.has("Secure")) {
    return "it is not Secure"
  }
  if (isHttp && !attributes.has("HttpOnly")) {
    return "it is not HttpOnly"
  }
  if (isHost && (attributes.get("Path") !== "/" || attributes.has("Domain"))) {
    return "its prefix allows Path=/ and no Domain"
  }
  return attributes.has("SameSite") ? undefined : "it leaves SameSite to the user agent"
}
