/**
 * What a session knows of the account that it belongs to, and every rule about it, as pure functions from data to data.
 *
 * It stands among the values of the session, under two keys that no app can reach: every store keeps it, and every rule about
 * values holds for it. `SessionAccount` is what handlers use; who writes a store needs `isSignedInTo` and `isVoid`.
 *
 * @example
 * ```ts
 * import * as SessionSignIn from "effect-session/SessionSignIn"
 *
 * const state = new Map(SessionSignIn.toEntries({ account: "[\"Account\",\"ada\"]", signedInAt: 0, authenticatedAt: 0 }))
 *
 * SessionSignIn.accountOf(state) // "[\"Account\",\"ada\"]"
 * SessionSignIn.accountOf(new Map()) // undefined
 * ```
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import { Buffer } from "node:buffer"
import type { SessionId } from "./SessionKey.js"
import * as SessionKey from "./SessionKey.js"
import type { JsonText, SessionRecord, SessionState, StoredRecord } from "./SessionRecord.js"
import { isExpired } from "./SessionRecord.js"

/**
 * An account as text: as JSON the name of its declaration and its id, at most 512 bytes. Two texts are one account if they are equal.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountText = JsonText

/**
 * What a store names an account by in keys and columns: the SHA-256 digest of its text, 43 characters of base64url.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountDigest = string & Brand.Brand<"AccountDigest">

/**
 * The sign-in of a session. Times are milliseconds since the epoch: `signedInAt` is when the session came to its account,
 * `authenticatedAt` when its visitor last proved who he is. `facts` is what the app keeps of the sign-in, as JSON text.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignIn {
  readonly account: AccountText
  readonly signedInAt: number
  readonly authenticatedAt: number
  readonly facts?: JsonText | undefined
}

/**
 * Where the account stood with "end all" when a sign-in began: the mark of the last one (`undefined`: none is remembered), and when
 * it was read, in milliseconds since the epoch. By it a sign-in learns afterwards whether one has come meanwhile.
 *
 * @since 0.1.0
 * @category models
 */
export interface Ticket {
  readonly epoch: string | undefined
  readonly at: number
}

/**
 * How many sessions an account may have at a time, and what becomes of one more: the oldest sign-ins end, or it is refused.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountLimit {
  readonly max: number
  readonly onLimit: "EndOldest" | "Refuse"
}

/**
 * How many bytes the text of an account may have.
 *
 * @since 0.1.0
 * @category constants
 */
export const maxAccountBytes = 512

/**
 * For how long, in milliseconds, a ticket is good. A handler that takes longer from its sign-in to its answer has to be asked again.
 *
 * @since 0.1.0
 * @category constants
 */
export const ticketValidity = 3_600_000

/**
 * For how long, in milliseconds, a store remembers that all sessions of an account were ended: longer than any ticket from before
 * is good, whatever the clocks of several servers say.
 *
 * @since 0.1.0
 * @category constants
 */
export const epochRetention = 2 * ticketValidity

/**
 * The key of the state that holds the account. No key of an app's is ever kept under it.
 *
 * @since 0.1.0
 * @category constants
 */
export const accountKey = "~effect-session/account"

/**
 * The key of the state that holds the times and the facts.
 *
 * @since 0.1.0
 * @category constants
 */
export const signInKey = "~effect-session/sign-in"

/**
 * Whether an account has a text that is short enough.
 *
 * @since 0.1.0
 * @category guards
 */
export const isAccountText = (text: string): text is AccountText => Buffer.byteLength(text) <= maxAccountBytes

/**
 * The digest of an account, which keys and columns hold in the place of its text.
 *
 * @since 0.1.0
 * @category conversions
 */
export const digest = (account: AccountText): AccountDigest => SessionKey.sha256(account) as AccountDigest

/**
 * The account that a state belongs to, `undefined`: none.
 *
 * @since 0.1.0
 * @category accessors
 */
export const accountOf = (state: SessionState): AccountText | undefined => state.get(accountKey)

/**
 * The sign-in of a state, `undefined` where it belongs to no account. Times that cannot be read are zero, so that nothing is fresh
 * by them.
 *
 * @since 0.1.0
 * @category accessors
 */
export const signInOf = (state: SessionState): SignIn | undefined => {
  const account = accountOf(state)
  return account === undefined ? undefined : { account, ...factsOf(state.get(signInKey)) }
}

const factsOf = (text: JsonText | undefined): Omit<SignIn, "account"> => {
  const { authenticatedAt, facts, signedInAt } = readObject(text)
  const times = { signedInAt: timeOf(signedInAt), authenticatedAt: timeOf(authenticatedAt) }
  return facts === undefined ? times : { ...times, facts: JSON.stringify(facts) }
}

const readObject = (text: JsonText | undefined): { readonly [key: string]: unknown } => {
  try {
    return Object(JSON.parse(text ?? "{}")) as { readonly [key: string]: unknown }
  } catch {
    return {}
  }
}

const timeOf = (value: unknown): number => typeof value === "number" && Number.isFinite(value) ? value : 0

/**
 * The sign-in as values of the state.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toEntries = (
  { account, authenticatedAt, facts, signedInAt }: SignIn
): ReadonlyArray<readonly [key: string, value: JsonText]> => [
  [accountKey, account],
  [
    signInKey,
    `{"signedInAt":${signedInAt},"authenticatedAt":${authenticatedAt}${facts === undefined ? "" : `,"facts":${facts}`}}`
  ]
]

/**
 * Whether what is stored is a session of that account, and lives: the one thing that decides, whatever an index of the store says.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isSignedInTo = (record: StoredRecord | undefined, account: AccountText, now: number): boolean =>
  record !== undefined && record.successor === undefined && !isExpired(record, now) &&
  accountOf(record.state) === account

/**
 * Whether a ticket is good no more: all sessions of the account were ended since (`epoch` is the mark that is remembered now), or
 * it is too old to tell.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isVoid = (ticket: Ticket, epoch: string | undefined, now: number): boolean =>
  now - ticket.at >= ticketValidity || (epoch !== undefined && epoch !== ticket.epoch)

/**
 * The ticket of a sign-in that is spared when all other sessions of its account are ended, which moves the mark from `before` to
 * `epoch`. Where it was void by then it stays so.
 *
 * @since 0.1.0
 * @category combinators
 */
export const movedTicket = (ticket: Ticket, before: string | undefined, epoch: string, now: number): Ticket =>
  isVoid(ticket, before, now) ? ticket : { ...ticket, epoch }

/**
 * Sorts sessions by their sign-in, the oldest first.
 *
 * @since 0.1.0
 * @category combinators
 */
export const oldestFirst = <A extends Pick<SessionRecord, "id" | "state">>(sessions: ReadonlyArray<A>): Array<A> =>
  sessions
    .map((session) => ({ session, at: signInOf(session.state)?.signedInAt ?? 0 }))
    .sort((left, right) => left.at - right.at || compareIds(left.session.id, right.session.id))
    .map(({ session }) => session)

const compareIds = (left: SessionId, right: SessionId): number => left < right ? -1 : left > right ? 1 : 0
