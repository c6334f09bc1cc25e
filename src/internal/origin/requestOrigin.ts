/**
 * Whether another site made the browser send a request: what a browser says of it in `Sec-Fetch-Site` (Fetch Metadata), and
 * where it does not say that in `Origin` (RFC 6454). No script of any page can set either.
 *
 * @internal
 */
import { readBearer } from "../http/bearerHeader.js"
import { isSafeMethod } from "../http/safeMethods.js"
import { isTrusted, type TrustedProxies } from "../http/trustedProxies.js"

/**
 * What is refused and what is not.
 *
 * @internal
 */
export interface OriginRules {
  /** As browsers write them: `https://app.example.com`. */
  readonly trustedOrigins: ReadonlySet<string>
  readonly trustedProxies: TrustedProxies
  readonly exceptPaths: ReadonlySet<string>
  /** Each with the `/` that it ends with. */
  readonly exceptFolders: ReadonlyArray<string>
  readonly refusesUnmarked: boolean
  /** Whether what has a bearer and no cookie may come from anywhere. */
  readonly allowsBearer: boolean
}

/**
 * What is known of a request. Names of headers are in lower case.
 *
 * @internal
 */
export interface RequestFacts {
  /** The target of the request, as it was sent. */
  readonly target: string
  readonly headers: Readonly<Record<string, string | undefined>>
  /** Who says that the request was for this host, where there is no header `Host`. */
  readonly host: string | undefined
  readonly isHttps: boolean
  readonly remoteAddress: string | undefined
}

/**
 * Whether it matters where a request comes from: where it may change something, and where it opens a socket, which speaks for
 * the visitor as long as it is open.
 *
 * @internal
 */
export const mayDoHarm = (method: string, { upgrade }: RequestFacts["headers"]): boolean =>
  !isSafeMethod(method) ||
  (upgrade !== undefined && upgrade.toLowerCase().split(",").some((protocol) => protocol.trim() === "websocket"))

/**
 * Whether a request that may do harm is refused.
 *
 * @internal
 */
export const isRefused = (request: RequestFacts, rules: OriginRules): boolean => {
  const { origin, "sec-fetch-site": site } = request.headers
  const isFromElsewhere = site !== undefined
    ? site !== "same-origin" && site !== "none"
    : origin !== undefined
    ? !isOwn(origin, request, rules)
    : rules.refusesUnmarked
  return isFromElsewhere && !(rules.allowsBearer && isOfBearerAlone(request)) &&
    !(origin !== undefined && rules.trustedOrigins.has(origin)) && !isExcepted(request, rules)
}

// A browser adds cookies to what a page sends, and never this header.
const isOfBearerAlone = ({ headers }: RequestFacts): boolean =>
  headers["cookie"] === undefined && readBearer(headers["authorization"]) !== undefined

const isOwn = (text: string, request: RequestFacts, { trustedProxies }: OriginRules): boolean => {
  const origin = readOrigin(text)
  const host = hostOf(request, trustedProxies)
  if (origin === undefined || host === undefined || !/^https?:$/.test(origin.protocol)) {
    return false
  }
  // Whoever can answer for the plain connection to this host is not who answers for the encrypted one.
  return (!request.isHttps || origin.protocol === "https:") && sameHost(origin, host)
}

const hostOf = ({ headers, host, remoteAddress }: RequestFacts, proxies: TrustedProxies): string | undefined => {
  const forwarded = headers["x-forwarded-host"]
  return forwarded !== undefined && isTrusted(proxies, remoteAddress)
    ? forwarded.split(",").pop()!.trim()
    : headers["host"] ?? headers[":authority"] ?? host
}

const sameHost = (origin: URL, host: string): boolean => {
  const url = `${origin.protocol}//${host}`
  return /^[^\s/?#@\\,]+$/.test(host) && URL.canParse(url) && new URL(url).host === origin.host
}

/**
 * An origin as a browser writes it, and nothing that is only read as one: no path, no user, no port that goes without
 * saying, and not `null`.
 *
 * @internal
 */
export const readOrigin = (text: string): URL | undefined => {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\,]+$/.test(text) && URL.canParse(text) ? new URL(text) : undefined
  return origin !== undefined && (origin.origin === text || (origin.origin === "null" && origin.href === text))
    ? origin
    : undefined
}

// A path that says the same in another way is none of the exceptions.
const isExcepted = ({ target }: RequestFacts, { exceptFolders, exceptPaths }: OriginRules): boolean => {
  const [path = ""] = target.split("?")
  return !/%|\\|\/\/|\/\.{1,2}(\/|$)/.test(path) &&
    (exceptPaths.has(path) || exceptFolders.some((folder) => path.startsWith(folder)))
}
