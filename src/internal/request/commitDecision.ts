/**
 * The commit as a table: from what the request presented and what the handler did to what has to be done. No effect, no
 * HTTP, no store; the middleware carries the plan out.
 *
 * @internal
 */
import type { SessionStatus } from "../../Session.js"

/**
 * What came with the request. `Refused`: a cookie that opens no session, whatever the reason. `Superseded`: a key that a
 * renewal replaced a moment ago; somebody holds a newer one, or is about to. `Replaced`: a key of a session that ended a moment
 * ago, in whose place another began. `Ambiguous`: keys of several live
 * sessions, none of which is chosen. `Valid`: a key of a live session, or, where nothing asked the store yet, a key that
 * we sealed.
 *
 * @internal
 */
export type Presented = "None" | "Refused" | "Superseded" | "Replaced" | "Ambiguous" | "Valid"

/**
 * Whether somebody else's answer may have a newer cookie than the one that the request came with.
 *
 * @internal
 */
export const isLate = (presented: Presented | undefined): boolean =>
  presented === "Superseded" || presented === "Replaced"

/** @internal */
export interface CommitFacts {
  readonly presented: Presented
  readonly status: SessionStatus
  /** Whether the handler asked for a write, be it one that changed nothing of what it saw. */
  readonly asksForWrites: boolean
  /** Whether the request wrote anything that still stands. */
  readonly hasWrites: boolean
  /** Whether a session made of these writes alone would hold a value. An empty session is never created. */
  readonly hasValues: boolean
  /** Whether the expiry is moved on also where nothing else is to be done. */
  readonly refreshes: boolean
  /** Whether the key that the request came with has to give way to another, or has come for the first time after one has. */
  readonly rotates: boolean
}

/**
 * What has to be done.
 *
 * - `RemoveCookie`: take a cookie away that opens nothing.
 * - `Save`: store a new session under a new key.
 * - `SaveBeside`: the same, if the session is still there whose key a renewal has replaced, or the one in its place.
 * - `UpdateTtl`: move the expiry on.
 * - `Update`: merge the changes into the record, if it is still there.
 * - `Rotate`: merge the changes, and see to the secrets as `renewEvery` says.
 * - `Renew`: merge the changes and replace the secret.
 * - `Delete`: end the session and take the cookie away.
 * - `Replace`: end the session and, if it was this request that ended it, let a new one take its place.
 * - `Drop`: keep nothing of what the request wrote, and say so.
 *
 * @internal
 */
export type CommitPlan =
  | "Nothing"
  | "RemoveCookie"
  | "Save"
  | "SaveBeside"
  | "UpdateTtl"
  | "Update"
  | "Rotate"
  | "Renew"
  | "Delete"
  | "Replace"
  | "Drop"

/** @internal */
export const decideCommit = (facts: CommitFacts): CommitPlan => {
  switch (facts.presented) {
    case "None":
      return facts.hasValues ? "Save" : "Nothing"
    case "Refused":
      return facts.hasValues ? "Save" : facts.status === "Purged" ? "RemoveCookie" : "Nothing"
    case "Superseded":
    case "Replaced":
      return decideForLateKey(facts)
    case "Ambiguous":
      return decideForSeveral(facts)
    case "Valid":
      return decideForLiveSession(facts)
  }
}

// Who holds a late key may be the visitor, whose browser threw the newer one away or has not got it yet, or somebody whom a
// renewal was to lock out. Either may log out, or in; neither writes into a session that the key does not open.
const decideForLateKey = (facts: CommitFacts): CommitPlan => {
  switch (facts.status) {
    case "Purged":
      // Of two requests that each let a session begin in the place of the same one, neither ends the other's.
      return facts.presented === "Replaced" && facts.hasValues ? "SaveBeside" : endSession(facts)
    case "Renewed":
      return facts.hasValues ? "SaveBeside" : facts.asksForWrites ? "Drop" : "Nothing"
    case "Changed":
    case "Unchanged":
      return facts.asksForWrites ? "Drop" : "Nothing"
  }
}

// Whoever logs in or out ends every session that the browser showed, so that none of them is left beside the new one.
const decideForSeveral = (facts: CommitFacts): CommitPlan => {
  switch (facts.status) {
    case "Purged":
    case "Renewed":
      return endSession(facts)
    case "Changed":
    case "Unchanged":
      return facts.hasValues ? "Save" : "Nothing"
  }
}

const decideForLiveSession = (facts: CommitFacts): CommitPlan => {
  switch (facts.status) {
    case "Purged":
      return endSession(facts)
    case "Renewed":
      return "Renew"
    case "Changed":
    case "Unchanged":
      return facts.rotates
        ? "Rotate"
        : facts.hasWrites
        ? "Update"
        : facts.refreshes
        ? "UpdateTtl"
        : "Nothing"
  }
}

const endSession = ({ hasValues }: CommitFacts): CommitPlan => hasValues ? "Replace" : "Delete"

/**
 * What is left of a plan where the response can carry no cookie: what would change or mint a key is left undone, since
 * nobody would ever hold the new one.
 *
 * @internal
 */
export const withoutCookie = (plan: CommitPlan, hasWrites: boolean): CommitPlan => {
  switch (plan) {
    case "Save":
    case "SaveBeside":
    case "RemoveCookie":
      return "Nothing"
    case "Renew":
      return hasWrites ? "Update" : "Nothing"
    case "Replace":
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
export const isIdle = (
  facts: Pick<CommitFacts, "status" | "asksForWrites" | "hasWrites" | "refreshes" | "rotates">
): boolean =>
  !facts.hasWrites && !facts.asksForWrites && !facts.refreshes && !facts.rotates &&
  (facts.status === "Unchanged" || facts.status === "Changed")
