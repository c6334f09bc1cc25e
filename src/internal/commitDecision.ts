/**
 * The commit as a table: from what the request presented and what the handler did to what has to be done. No effect, no
 * HTTP, no store; the middleware carries the plan out.
 *
 * @internal
 */
import type { SessionStatus } from "./sessionStatus.js"

/**
 * What came with the request. `Refused`: a cookie that opens no session, whatever the reason. `Superseded`: a key that a
 * renewal replaced a moment ago; the browser holds a newer cookie, or is about to. `Ambiguous`: keys of several live
 * sessions, none of which is chosen. `Valid`: a key of a live session, or, where nothing asked the store yet, a key that
 * we sealed.
 *
 * @internal
 */
export type Presented = "None" | "Refused" | "Superseded" | "Ambiguous" | "Valid"

/** @internal */
export interface CommitFacts {
  readonly presented: Presented
  readonly status: SessionStatus
  /** Whether the request wrote anything that still stands. */
  readonly hasWrites: boolean
  /** Whether a session made of these writes alone would hold a value. An empty session is never created. */
  readonly hasValues: boolean
  readonly refreshesAlways: boolean
}

/**
 * What has to be done.
 *
 * - `RemoveCookie`: take a cookie away that opens nothing.
 * - `Save`: store a new session under a new key.
 * - `UpdateTtl`: move the expiry on.
 * - `Update`: merge the changes into the record, if it is still there.
 * - `Renew`: merge the changes and replace the secret.
 * - `Delete`: end the session and take the cookie away.
 * - `DeleteThenSave`: end the session, and store a new one in its place.
 *
 * @internal
 */
export type CommitPlan =
  | "Nothing"
  | "RemoveCookie"
  | "Save"
  | "UpdateTtl"
  | "Update"
  | "Renew"
  | "Delete"
  | "DeleteThenSave"

/** @internal */
export const decideCommit = (facts: CommitFacts): CommitPlan => {
  switch (facts.presented) {
    case "Superseded":
      return "Nothing"
    case "None":
      return facts.hasValues ? "Save" : "Nothing"
    case "Refused":
      return facts.hasValues ? "Save" : facts.status === "Purged" ? "RemoveCookie" : "Nothing"
    // Whoever logs out ends every session that the browser showed, so that none of them is left behind.
    case "Ambiguous":
      return facts.status === "Purged" ? decideForLiveSession(facts) : facts.hasValues ? "Save" : "Nothing"
    case "Valid":
      return decideForLiveSession(facts)
  }
}

const decideForLiveSession = (facts: CommitFacts): CommitPlan => {
  switch (facts.status) {
    case "Purged":
      return facts.hasValues ? "DeleteThenSave" : "Delete"
    case "Renewed":
      return "Renew"
    case "Changed":
    case "Unchanged":
      return facts.hasWrites ? "Update" : facts.refreshesAlways ? "UpdateTtl" : "Nothing"
  }
}

/**
 * What is left of a plan where the response can carry no cookie: what would change or mint a key is left undone, since
 * nobody would ever hold the new one.
 *
 * @internal
 */
export const withoutCookie = (plan: CommitPlan, hasWrites: boolean): CommitPlan => {
  switch (plan) {
    case "Save":
    case "RemoveCookie":
      return "Nothing"
    case "Renew":
      return hasWrites ? "Update" : "Nothing"
    case "DeleteThenSave":
      return "Delete"
    default:
      return plan
  }
}

/**
 * Whether the plan is `Nothing` whatever the request presented, so that its cookie need not be opened.
 *
 * @internal
 */
export const isIdle = (facts: Omit<CommitFacts, "presented" | "hasValues">): boolean =>
  !facts.hasWrites && !facts.refreshesAlways && (facts.status === "Unchanged" || facts.status === "Changed")
