/**
 * The transport of session keys in headers, for clients that keep no cookies. To the rest of a request it is a cookie that has no
 * attributes and was never another; what differs is where it is read from and where it is written.
 *
 * @internal
 */
import type { SessionConfig } from "../../Config.js"
import * as CookieCrypto from "../../CookieCrypto.js"
import { bearerScheme } from "../http/bearerHeader.js"
import type { ResolvedContentSecurity } from "./contentSecurity.js"
import { namesOf } from "./openedCookie.js"

/** @internal */
export interface BearerTransport {
  /** The response header, in lower case. */
  readonly header: string
  readonly config: SessionConfig
  readonly crypto: CookieCrypto.CookieCrypto
  readonly retiredCrypto: ReadonlyMap<string, CookieCrypto.CookieCrypto>
}

/**
 * Prepares the transport; `undefined` where it is off.
 *
 * @internal
 */
export const makeBearerTransport = (
  config: SessionConfig,
  contentSecurity: ResolvedContentSecurity
): BearerTransport | undefined => {
  if (config.bearer === undefined) {
    return undefined
  }
  const { header } = config.bearer
  const { cookie, keys, lifecycle } = config
  const cryptoOf = (name: string) => CookieCrypto.makeBearer({ ...contentSecurity, name, keys })
  const [, ...former] = namesOf(cookie)
  return {
    header,
    config: {
      ...config,
      cookie: { ...cookie, name: header, secureFromRequest: undefined, retired: [] },
      // There is no Max-Age that a response could put off.
      lifecycle: { ...lifecycle, _tag: "BrowserSession" }
    },
    crypto: cryptoOf(cookie.name),
    retiredCrypto: new Map(former.map((name) => [name, cryptoOf(name)]))
  }
}

/**
 * What the response header says: what the client is to send as its `Authorization` from now on. The scheme alone where there is
 * no key any more.
 *
 * @internal
 */
export const credentialsOf = (value: string): string => value === "" ? bearerScheme : `${bearerScheme} ${value}`
