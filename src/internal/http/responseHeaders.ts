/**
 * What a session does to the caching headers of a response, as text to text.
 *
 * @internal
 */
const tokens = (header: string): ReadonlyArray<string> => header.split(",").map((token) => token.trim().toLowerCase())

// The `Cache-Control` of a response that sets the session cookie. A shared cache that kept it would hand one visitor's
// session to the next (CVE-2023-30861, CVE-2024-26144). What the app chose stays only if it forbids storing as well.
const cacheControlWithCookie = (header: string | undefined): string =>
  header !== undefined && tokens(header).includes("no-store") ? header : "no-store"

// What the header says where a cache listens to it before `Cache-Control`, and what it has to say then:
//
// - `Surrogate-Control`: it takes the place of `Cache-Control` for a surrogate, and has `no-store` (W3C Edge Architecture
//   Specification 1.0, §2.2.2: https://www.w3.org/TR/edge-arch/).
// - `Edge-Control`: Akamai's own, which overrides `Cache-Control` at the edge and has `no-store`
//   (https://techdocs.akamai.com/property-mgr/docs/caching-2).
// - `X-Accel-Expires`: nginx reads it before `Cache-Control` and `Expires`; `0` disables caching
//   (https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_cache_valid).
// - `Expires`: all that a cache of HTTP/1.0 knows; `0` is in the past by definition (RFC 9111 §5.3).
const otherCacheHeaders: Readonly<Record<string, string>> = {
  "surrogate-control": "no-store",
  "edge-control": "no-store",
  "x-accel-expires": "0",
  "expires": "0"
}

// Targeted cache control (RFC 9213 §2.2, §3.1): a cache that knows such a header ignores `Cache-Control` where it is there, and
// the directives are the same. `CDN-Cache-Control` is the one for every CDN; Cloudflare's, Vercel's and Netlify's stand before
// it (https://developers.cloudflare.com/cache/concepts/cdn-cache-control/, https://vercel.com/docs/headers/cache-control-headers,
// https://docs.netlify.com/platform/caching/), and so will those of others.
const isTargeted = (name: string): boolean => name.endsWith("-cache-control")

/**
 * The caching headers of a response that no cache may keep: the `Cache-Control` that it must have, and one for each header that
 * some cache listens to in its place. A header that the app did not send is not there.
 *
 * @internal
 */
export const headersAgainstCaching = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const changed: Record<string, string> = { "cache-control": cacheControlWithCookie(headers["cache-control"]) }
  for (const name of Object.keys(headers)) {
    if (isTargeted(name)) {
      changed[name] = cacheControlWithCookie(headers[name])
    } else if (Object.hasOwn(otherCacheHeaders, name)) {
      changed[name] = otherCacheHeaders[name]!
    }
  }
  return changed
}

/**
 * The `Vary` of a response whose handler looked at the session: with the request headers that a session may come in, whichever it
 * was this time, behind those that the app named itself.
 *
 * @internal
 */
export const varyBy = (sources: ReadonlyArray<string>, header: string | undefined): string => {
  if (header === undefined || header.trim() === "") {
    return sources.join(", ")
  }
  const names = tokens(header)
  return names.includes("*")
    ? header
    : [header, ...sources.filter((source) => !names.includes(source.toLowerCase()))].join(", ")
}

/**
 * The `Clear-Site-Data` of a response: quoted words, which is what tells them from other tokens in that header, behind
 * those that the app asked for itself.
 *
 * @internal
 */
export const clearSiteDataHeader = (directives: ReadonlyArray<string>, header: string | undefined): string => {
  const asked = header === undefined || header.trim() === "" ? [] : [header]
  const there = asked.flatMap((header) => header.split(",").map((word) => word.trim()))
  const added = new Set(directives.map((directive) => `"${directive}"`))
  return [...asked, ...Array.from(added).filter((word) => !there.includes(word))].join(", ")
}
