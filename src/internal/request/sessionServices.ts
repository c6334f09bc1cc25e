/**
 * What the session of a request works with.
 *
 * @internal
 */
import type * as SessionEvent from "../../SessionEvent.js"
import type * as SessionStore from "../../SessionStore.js"
import type { CookieReaders } from "./openedCookie.js"

/** @internal */
export interface SessionServices extends CookieReaders {
  readonly store: SessionStore.SessionStore
  /** Tells those who listen. Never waits and never fails. */
  readonly tell: (event: SessionEvent.Happening) => void
}
