/**
 * The tokens of one request against cross-site request forgery. A secret stands in a cookie beside the session cookie, sealed
 * together with the session keys that it belongs to; a token is that secret under a mask. So a token needs no store, is void as
 * soon as the session has another key, and works for visitors without a session, whose secret belongs to no key.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { randomBytes, timingSafeEqual } from "node:crypto"
import type { SessionConfig } from "../../Config.js"
import * as CookieCrypto from "../../CookieCrypto.js"
import * as SessionKey from "../../SessionKey.js"
import { decodeCanonical } from "../cookie/canonicalBase64.js"
import { readCookieValues } from "../cookie/cookieHeader.js"
import type { CookieAttributes } from "../cookie/cookieRules.js"
import { maskSecret, secretBytes, unmaskSecret } from "../cookie/maskedToken.js"
import { maxCookieAgeSeconds, type SetCookie, setCookie } from "../cookie/setCookie.js"
import { holdsState } from "./contentSecurity.js"
import { isPersistent } from "./sessionPolicy.js"
import type { SessionServices } from "./sessionServices.js"

/**
 * The name of the cookie, prefix included: it is set under the same rules as the session cookie.
 *
 * @internal
 */
export const csrfCookieName = ({ name }: SessionConfig["cookie"]): string => `${name}-csrf`

// The name is bound into each seal, so that no session cookie is such a cookie. The Signed form of CookieRs binds none.
const makeCrypto = ({ cookie, cookieFormat, keys }: SessionConfig): CookieCrypto.CookieCrypto =>
  CookieCrypto.make({
    name: csrfCookieName(cookie),
    keys,
    format: cookieFormat,
    contentSecurity: cookieFormat === "CookieRs" ? "Private" : "Signed"
  })

const prepared = new WeakMap<SessionConfig, CookieCrypto.CookieCrypto>()

const cryptoOf = (config: SessionConfig): CookieCrypto.CookieCrypto => {
  let crypto = prepared.get(config)
  if (crypto === undefined) {
    prepared.set(config, crypto = makeCrypto(config))
  }
  return crypto
}

/**
 * What the request brought.
 *
 * @internal
 */
export interface CsrfRequest {
  /** The header `Cookie`. */
  readonly header: string | undefined
  /** The session keys in it. Which of them opens a session is the store's to say, and it is not asked. */
  readonly keys: () => ReadonlyArray<SessionKey.SessionKey>
}

interface HandedOut {
  readonly secret: Uint8Array
  /** Whether it is for the session that comes after a renewal or a purge. */
  readonly isOfNext: boolean
}

/** @internal */
export class CsrfTokens {
  private handedOut: HandedOut | undefined = undefined
  private sentSecret: Uint8Array | null | undefined = undefined
  private boundTo: string | undefined = undefined

  constructor(private readonly services: SessionServices, private readonly request: CsrfRequest) {}

  /** Whether the response has to set the cookie, whatever becomes of the session. */
  get needsCookie(): boolean {
    return this.handedOut !== undefined && this.handedOut.secret !== this.sent
  }

  /** Whether the token is one of those that were handed out for what the request brought. */
  accepts(token: string): boolean {
    const { sent } = this
    const secret = unmaskSecret(token)
    return sent !== undefined && secret !== undefined && timingSafeEqual(sent, secret)
  }

  /** A token for the session that the response leaves the browser with: the same one, or the one after a renewal or a purge. */
  handOut(isOfNext: boolean): string {
    const known = this.known(isOfNext)
    this.handedOut = known ?? { secret: randomBytes(secretBytes), isOfNext }
    return maskSecret(this.handedOut.secret)
  }

  /** The same where no cookie can be set any more; `undefined` where it would need one. */
  handOutAgain(isOfNext: boolean): string | undefined {
    const known = this.known(isOfNext)
    return known === undefined ? undefined : maskSecret(known.secret)
  }

  /** The cookie that the response needs, for a browser that is left with these session keys; without them, with its own. */
  cookieFor(
    left: ReadonlyArray<SessionKey.SessionKey> | undefined,
    isOfNext: boolean,
    attributes: CookieAttributes
  ): SetCookie | undefined {
    const secret = this.known(isOfNext)?.secret
    if (secret === undefined) {
      return undefined
    }
    const binding = left === undefined ? this.binding : this.bindingOf(left)
    if (secret === this.sent && binding === this.binding) {
      return undefined
    }
    const { config } = this.services
    const text = `${Buffer.from(secret).toString("base64url")}.${binding}`
    return setCookie(
      csrfCookieName(config.cookie),
      cryptoOf(config).seal(text),
      { ...attributes, httpOnly: true },
      // Without its session it is worth nothing, so it may well outlive it.
      isPersistent(config.lifecycle, true) ? maxCookieAgeSeconds : undefined
    )
  }

  private known(isOfNext: boolean): HandedOut | undefined {
    return this.handedOut?.isOfNext === isOfNext
      ? this.handedOut
      : isOfNext || this.sent === undefined
      ? undefined
      : { secret: this.sent, isOfNext }
  }

  /** The secret that came, where it belongs to the session keys that came. */
  private get sent(): Uint8Array | undefined {
    if (this.sentSecret === undefined) {
      this.sentSecret = this.readSent() ?? null
    }
    return this.sentSecret ?? undefined
  }

  // Of two that would do, one is somebody else's.
  private readSent(): Uint8Array | undefined {
    const { header } = this.request
    const { config } = this.services
    const values = header === undefined ? [] : readCookieValues(header, csrfCookieName(config.cookie))
    const found = new Set<string>()
    for (const value of new Set(values)) {
      const opened = cryptoOf(config).open(value)
      if (opened._tag === "Some") {
        const [secret = "", ...binding] = opened.value.plaintext.split(".")
        if (binding.join(".") === this.binding) {
          found.add(secret)
        }
      }
    }
    const [only] = found
    return found.size === 1 ? decodeCanonical(only!, "base64url") : undefined
  }

  private get binding(): string {
    return this.boundTo ??= this.bindingOf(this.request.keys())
  }

  // Where several keys came, nobody knows which one's token it is: it has to be that of all of them. What is kept in the cookie
  // itself has no secret that a write does not change.
  private bindingOf(keys: ReadonlyArray<SessionKey.SessionKey>): string {
    const isState = holdsState(this.services.store)
    return keys.map((key) => isState ? key.id : SessionKey.digest(key)).sort().join(".")
  }
}
