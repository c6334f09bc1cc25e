/**
 * What the request's cookies hold, before the store is asked: the keys that we sealed ourselves, each once.
 *
 * @internal
 */
import * as Option from "effect/Option"
import type { SessionConfig } from "../../Config.js"
import type { CookieCrypto } from "../../CookieCrypto.js"
import type { RefusalReason } from "../../SessionEvent.js"
import type { SessionKey } from "../../SessionKey.js"
import { readCookieValues, tooManyCandidates } from "../cookie/cookieHeader.js"

/**
 * A key that came in a session cookie, sealed by us.
 *
 * @internal
 */
export interface PresentedKey {
  readonly key: SessionKey
  /** Whether the cookie is as one would be set now: under the name of today, sealed with the newest key. */
  readonly isUpToDate: boolean
}

/** @internal */
export interface OpenedCookie {
  readonly keys: ReadonlyArray<PresentedKey>
  readonly refusals: ReadonlyArray<RefusalReason>
}

/** @internal */
export interface CookieReaders {
  readonly config: SessionConfig
  readonly crypto: CookieCrypto
  /** What opens the cookies of the names that the cookie had before. */
  readonly retiredCrypto: ReadonlyMap<string, CookieCrypto>
  readonly store: KeyReader
}

interface KeyReader {
  readonly readKey: (text: string) => Option.Option<SessionKey>
}

/**
 * The names under which the cookie may come, that of today first.
 *
 * @internal
 */
export const namesOf = ({ name, retired }: SessionConfig["cookie"]): ReadonlyArray<string> =>
  retired.length === 0 ? [name] : Array.from(new Set([name, ...retired.map(({ name }) => name)]))

const noCookie: OpenedCookie = { keys: [], refusals: [] }

/**
 * Opens the cookies of the configured name and, where none came at all, those of the names that it had before.
 *
 * @internal
 */
export const openCookie = (header: string | undefined, readers: CookieReaders): OpenedCookie => {
  if (header === undefined) {
    return noCookie
  }
  const { config, crypto, retiredCrypto, store } = readers
  const opened = openAll(header, [[config.cookie.name, crypto]], store, true)
  return opened === noCookie && retiredCrypto.size > 0 ? openAll(header, retiredCrypto, store, false) : opened
}

/**
 * What came under the names that the cookie had before, whatever came under that of today.
 *
 * @internal
 */
export const openFormerCookies = (
  header: string | undefined,
  { retiredCrypto, store }: CookieReaders
): ReadonlyArray<PresentedKey> =>
  header === undefined || retiredCrypto.size === 0 ? noCookie.keys : openAll(header, retiredCrypto, store, false).keys

const openAll = (
  header: string,
  cryptoByName: Iterable<readonly [name: string, crypto: CookieCrypto]>,
  store: KeyReader,
  isOfToday: boolean
): OpenedCookie => {
  const keys = new Map<string, PresentedKey>()
  const refusals: Array<RefusalReason> = []
  for (const [name, crypto] of cryptoByName) {
    const values = readCookieValues(header, name)
    if (values === tooManyCandidates) {
      refusals.push("TooManyCookies")
    }
    for (const value of values) {
      const opened = crypto.open(value)
      const key = Option.flatMap(opened, ({ plaintext }) => store.readKey(plaintext))
      if (Option.isNone(opened)) {
        refusals.push("BrokenSeal")
      } else if (Option.isNone(key)) {
        refusals.push("MalformedKey")
      } else {
        const { plaintext, sealedByNewest } = opened.value
        // One key may come in two seals. The older one has to go, whichever stands first.
        const isUpToDate = isOfToday && sealedByNewest && keys.get(plaintext)?.isUpToDate !== false
        keys.set(plaintext, { key: key.value, isUpToDate })
      }
    }
  }
  return keys.size === 0 && refusals.length === 0 ? noCookie : { keys: Array.from(keys.values()), refusals }
}
