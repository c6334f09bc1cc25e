/**
 * What the configuration of today says of one session.
 *
 * @internal
 */
import type { ResolvedLifecycle, SessionConfig } from "../../Config.js"
import * as SessionRecord from "../../SessionRecord.js"

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
 * Whether a request extends its session though it changes nothing. Where the TTL starts anew once in a while, only the record says
 * when it last did, and nobody loads that who had no use for the session.
 *
 * @internal
 */
export const refreshes = (
  lifecycle: ResolvedLifecycle,
  session: { readonly record: SessionRecord.SessionRecord | undefined; readonly isRemembered: boolean },
  now: number
): boolean => {
  const { ttlExtension } = lifecycle
  if (typeof ttlExtension === "string") {
    return ttlExtension === "OnEveryRequest"
  }
  const { record } = session
  return record !== undefined &&
    SessionRecord.isExtensionDue(record, lifetimeOf(lifecycle, session.isRemembered), ttlExtension.everyMillis, now)
}

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
