/**
 * What a request did to its session, and how each kind of operation moves it on. A renewal outlives later changes (a
 * change after `renew` must not cancel the renewal), a purge outlives everything.
 *
 * @internal
 */
import type { SessionStatus } from "../../Session.js"

/** @internal */
export const afterWrite = (status: SessionStatus): SessionStatus => status === "Unchanged" ? "Changed" : status

/** @internal */
export const afterRenew = (status: SessionStatus): SessionStatus => status === "Purged" ? "Purged" : "Renewed"
