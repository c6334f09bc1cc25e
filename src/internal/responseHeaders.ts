/**
 * What a session does to the caching headers of a response, as text to text.
 *
 * @internal
 */
import type { ClearSiteData } from "./sessionStatus.js"

const tokens = (header: string): ReadonlyArray<string> => header.split(",").map((token) => token.trim().toLowerCase())

/**
 * The `Cache-Control` of a response that sets the session cookie. A shared cache that kept it would hand one visitor's
 * session to the next (CVE-2023-30861, CVE-2024-26144). What the app chose stays only if it forbids storing as well.
 *
 * @internal
 */
export const cacheControlWithCookie = (header: string | undefined): string =>
  header !== undefined && tokens(header).includes("no-store") ? header : "no-store"

/**
 * The `Vary` of a response whose handler looked at the session.
 *
 * @internal
 */
export const varyByCookie = (header: string | undefined): string => {
  if (header === undefined || header.trim() === "") {
    return "Cookie"
  }
  const names = tokens(header)
  return names.includes("*") || names.includes("cookie") ? header : `${header}, Cookie`
}

/**
 * The `Clear-Site-Data` of a response: quoted words, which is what tells them from other tokens in that header, behind
 * those that the app asked for itself.
 *
 * @internal
 */
export const clearSiteDataHeader = (directives: ReadonlyArray<ClearSiteData>, header: string | undefined): string => {
  const asked = header === undefined || header.trim() === "" ? [] : [header]
  return Array.from(new Set([...asked, ...directives.map((directive) => `"${directive}"`)])).join(", ")
}
