/**
 * What the configuration of today says of one session.
 *
 * @internal
 */
import type { ResolvedLifecycle, SessionConfig } from "../../Config.js"
import type * as SessionRecord from "../../SessionRecord.js"

/**
 * How long a session lives by the limits that hold now.
 *
 * @internal
 */
export const lifetimeOf = (
  { maxLifetimeMillis, rememberMeMillis, ttlMillis }: ResolvedLifecycle,
  isRemembered: boolean
): SessionRecord.Lifetime => ({
  ttl: isRemembered && rememberMeMillis !== undefined ? rememberMeMillis : ttlMillis,
  maxLifetime: maxLifetimeMillis
})

/**
 * Whether the cookie outlives the browser.
 *
 * @internal
 */
export const isPersistent = ({ _tag, rememberMeMillis }: ResolvedLifecycle, isRemembered: boolean): boolean =>
  _tag === "PersistentSession" || (isRemembered && rememberMeMillis !== undefined)

/**
 * Whether a cookie of this very name may be one that a browser got before the cookie's scope was changed.
 *
 * @internal
 */
export const hasChangedScope = ({ name, retired }: SessionConfig["cookie"]): boolean =>
  retired.some((cookie) => cookie.name === name)
