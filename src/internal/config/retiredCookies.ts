/**
 * What a cookie was before, as one writes it into an environment variable: as in `Set-Cookie`, but without a value, and with
 * commas between. What does not tell one cookie from another may be there and does not count.
 *
 * @internal
 */
import * as Either from "effect/Either"
import { isCookieDomain, isCookieName, isCookiePath } from "../cookie/cookieRules.js"
import type { Checked } from "./optionChecks.js"

interface RetiredCookie {
  readonly name: string
  readonly domain?: string
  readonly path?: string
  readonly secure: boolean
  readonly partitioned: boolean
}

/** @internal */
export const readRetiredCookies = (text: string): Checked<ReadonlyArray<RetiredCookie>> =>
  Either.all(
    text.split(",").map((item, index) =>
      Either.fromNullable(
        readCookie(item),
        () =>
          `is no list of cookies: number ${
            index + 1
          } does not read like id; Domain=example.com; Path=/app; Secure; Partitioned`
      )
    )
  )

const known = new Set(["domain", "path", "secure", "httponly", "samesite", "partitioned"])

const readCookie = (text: string): RetiredCookie | undefined => {
  const [name = "", ...parts] = text.split(";").map((part) => part.trim())
  const attributes = new Map(parts.map((part) => {
    const [key = "", ...value] = part.split("=")
    return [key.trim().toLowerCase(), value.join("=").trim()]
  }))
  const domain = attributes.get("domain")
  const path = attributes.get("path")
  const isReadable = isCookieName(name) && Array.from(attributes.keys()).every((key) => known.has(key)) &&
    (domain === undefined || isCookieDomain(domain)) && (path === undefined || isCookiePath(path))
  return isReadable
    ? {
      name,
      ...(domain === undefined ? {} : { domain }),
      ...(path === undefined ? {} : { path }),
      secure: attributes.has("secure"),
      partitioned: attributes.has("partitioned")
    }
    : undefined
}
