/**
 * Platform's collection of a response's cookies, for more than one cookie of a name.
 *
 * @internal
 */
import * as Cookies from "@effect/platform/Cookies"
import * as Duration from "effect/Duration"
import type { SetCookie } from "../cookie/setCookie.js"

/**
 * The cookies of these `Set-Cookie` lines. Two of one name, for two paths or domains, are two cookies: the first stands under
 * its name, where platform looks for it, and each other one under its place. Platform's own reading keeps the last.
 *
 * @internal
 */
export const cookiesOf = (lines: ReadonlyArray<string>): Cookies.Cookies =>
  inPlace(lines.flatMap((line) => Object.values(Cookies.fromSetCookie(line).cookies)))

/**
 * The cookies that are to be set, each in its place as above. They are not written out and read again, which costs as much as
 * a cipher.
 *
 * @internal
 */
export const cookiesToSet = (cookies: ReadonlyArray<SetCookie>): Cookies.Cookies => inPlace(cookies.map(cookieToSet))

const inPlace = (list: ReadonlyArray<Cookies.Cookie>): Cookies.Cookies => {
  const cookies: Record<string, Cookies.Cookie> = {}
  for (const cookie of list) {
    cookies[Object.hasOwn(cookies, cookie.name) ? placeOf(cookie) : cookie.name] = cookie
  }
  return Cookies.fromReadonlyRecord(cookies)
}

// No name has a semicolon.
const placeOf = ({ name, options }: Cookies.Cookie): string =>
  [name, options?.domain, options?.path, options?.partitioned === true].join(";")

const longAgo = new Date(0)

const sameSites = { Lax: "lax", Strict: "strict", None: "none" } as const

const cookieToSet = ({ attributes, isRemoval, maxAgeSeconds, name, value }: SetCookie): Cookies.Cookie =>
  // Platform would escape the value, which is sealed as it has to stand.
  Object.assign(
    Cookies.unsafeMakeCookie(name, "", {
      ...(maxAgeSeconds === undefined ? {} : { maxAge: Duration.seconds(maxAgeSeconds) }),
      ...(attributes.domain === undefined ? {} : { domain: attributes.domain }),
      path: attributes.path,
      ...(isRemoval ? { expires: longAgo } : {}),
      httpOnly: attributes.httpOnly,
      secure: attributes.secure,
      partitioned: attributes.partitioned,
      sameSite: sameSites[attributes.sameSite]
    }),
    { value: unescaped(value), valueEncoded: value }
  )

// As platform reads a cookie.
const unescaped = (value: string): string => {
  try {
    return value.includes("%") ? decodeURIComponent(value) : value
  } catch {
    return value
  }
}
