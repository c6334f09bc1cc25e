/**
 * What a bearer holds, before the store is asked: the key that we sealed for this purpose ourselves, or why there is none.
 *
 * @internal
 */
import * as Option from "effect/Option"
import type { CookieCrypto } from "../../CookieCrypto.js"
import type { RefusalReason } from "../../SessionEvent.js"
import type { Bearer } from "../http/bearerHeader.js"
import type { CookieReaders, OpenedCookie } from "./openedCookie.js"

const nothing: OpenedCookie = { keys: [], refusals: [] }

const refuse = (reason: RefusalReason): OpenedCookie => ({ keys: [], refusals: [reason] })

/**
 * Opens a bearer as what one is sealed for now and, where it is none, as what bearers were sealed for under the names that the
 * cookie had before.
 *
 * @internal
 */
export const openBearer = (
  bearer: Bearer,
  { crypto, retiredCrypto, store }: Pick<CookieReaders, "crypto" | "retiredCrypto" | "store">
): OpenedCookie => {
  if (bearer._tag !== "Token") {
    return bearer._tag === "Empty" ? nothing : refuse("MalformedBearer")
  }
  for (const candidate of [crypto, ...retiredCrypto.values()] satisfies ReadonlyArray<CookieCrypto>) {
    const opened = candidate.open(bearer.token)
    if (Option.isSome(opened)) {
      const { plaintext, sealedByNewest } = opened.value
      const key = store.readKey(plaintext)
      return Option.isNone(key)
        ? refuse("MalformedKey")
        : { keys: [{ key: key.value, isUpToDate: sealedByNewest && candidate === crypto }], refusals: [] }
    }
  }
  return refuse("BrokenSeal")
}
