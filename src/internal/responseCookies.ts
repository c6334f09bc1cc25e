/**
 * Platform's collection of a response's cookies, for more than one cookie of a name.
 *
 * @internal
 */
import * as Cookies from "@effect/platform/Cookies"

/**
 * The cookies of these `Set-Cookie` lines. Two of one name, for two paths or domains, are two cookies: the first stands under
 * its name, where platform looks for it, and each other one under its place. Platform's own reading keeps the last.
 *
 * @internal
 */
export const cookiesOf = (lines: ReadonlyArray<string>): Cookies.Cookies => {
  const cookies: Record<string, Cookies.Cookie> = {}
  for (const line of lines) {
    for (const cookie of Object.values(Cookies.fromSetCookie(line).cookies)) {
      cookies[Object.hasOwn(cookies, cookie.name) ? placeOf(cookie) : cookie.name] = cookie
    }
  }
  return Cookies.fromReadonlyRecord(cookies)
}

// No name has a semicolon.
const placeOf = ({ name, options }: Cookies.Cookie): string =>
  [name, options?.domain, options?.path, options?.partitioned].join(";")
