/**
 * How a cookie is sealed where nobody said so: by what it holds.
 *
 * @internal
 */
import * as Option from "effect/Option"
import type { ContentSecurity, CookieFormat } from "../../CookieCrypto.js"
import type { SessionKey } from "../../SessionKey.js"

/**
 * What a store says of the texts that it puts into the cookie.
 *
 * @internal
 */
export interface CookieContent {
  readonly cookieHolds?: "Key" | "State" | undefined
  readonly readKey: (text: string) => Option.Option<SessionKey>
}

/** @internal */
export interface ResolvedContentSecurity {
  readonly contentSecurity: ContentSecurity
  /** What such cookies were sealed as before, and open as, too. */
  readonly formerContentSecurity: ContentSecurity | undefined
}

/**
 * A choice is a choice. Without one, a state is encrypted, and a key is signed: who has it has the session, sealed or not, and
 * all that encryption would hide is the public id. Keys that were encrypted by default before go on opening. The signed form of
 * `CookieRs` does not bind the cookie's name, which its encrypted form does, so that nobody gets it without asking for it.
 *
 * @internal
 */
export const resolveContentSecurity = (
  chosen: ContentSecurity | undefined,
  format: CookieFormat,
  content: CookieContent
): ResolvedContentSecurity =>
  chosen !== undefined
    ? { contentSecurity: chosen, formerContentSecurity: undefined }
    : format === "CookieRs" || holdsState(content)
    ? { contentSecurity: "Private", formerContentSecurity: undefined }
    : { contentSecurity: "Signed", formerContentSecurity: "Private" }

// No session key, but an id with something else behind it.
const noKey = `${"A".repeat(22)}.{}`

/**
 * Whether the cookie holds the state. A store that does not say is taken at its reader's word, so that nothing is readable
 * because somebody forgot to say it.
 *
 * @internal
 */
export const holdsState = ({ cookieHolds, readKey }: CookieContent): boolean =>
  cookieHolds === undefined ? Option.isSome(readKey(noKey)) : cookieHolds === "State"
