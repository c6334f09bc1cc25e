/**
 * What happens to sessions, as data for a log, a counter or an alarm (ASVS 16.3). An event names a session by its public
 * id and never carries a key or a value.
 *
 * `SessionMiddleware.events` is the stream of them.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import * as SessionEvent from "effect-session/SessionEvent"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * const watch = SessionMiddleware.events.pipe(
 *   Stream.filter(SessionEvent.$is("KeyRefused")),
 *   Stream.runForEach((event) => Effect.logWarning("Refused session cookies", event.count, event.reason))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type { SessionId } from "./SessionKey.js"

/**
 * Why a cookie, or a bearer, was not even asked for at the store, or not accepted after all.
 *
 * - `BrokenSeal`: not sealed with a key of the ring, for this name and policy, or altered since.
 * - `MalformedKey`: sealed by us, but not a key of this store.
 * - `TooManyCookies`: more cookies of the name than are tried.
 * - `Ambiguous`: cookies of several live sessions at once.
 * - `MalformedRecord`: the store holds something else than a session record.
 * - `MalformedBearer`: an `Authorization` of the scheme Bearer that is not one token, too long, or beside another one.
 * - `CookieAndBearer`: a session cookie and a bearer in one request, which was answered 400.
 *
 * @since 0.1.0
 * @category models
 */
export type RefusalReason =
  | "BrokenSeal"
  | "MalformedKey"
  | "TooManyCookies"
  | "Ambiguous"
  | "MalformedRecord"
  | "MalformedBearer"
  | "CookieAndBearer"

/**
 * Something that happened to a session.
 *
 * - `Created`, `Renewed`, `Purged`: stored so.
 * - `Rotated`: the session has a new key because the one before was in use for so long (`renewEvery`).
 * - `KeyExpired`: a genuine key whose session the store does not know: expired, ended, evicted, or with another secret.
 * - `KeySuperseded`: a genuine key that a renewal replaced a moment ago, or whose session gave way to another then.
 * - `KeyReused`: a genuine key that `renewEvery` replaced, after its grace. Either it was stolen, or who has the newer one is the
 *   thief. Raise an alarm.
 * - `KeyRefused`: see `RefusalReason`. Refusals of one reason (and id) that a listener had no time for yet are one event,
 *   with their `count`.
 * - `SignedIn`: the session came to an account, or its visitor signed in once more.
 * - `SignedOut`: a session that belonged to an account was ended by a request of its own, which is a `Purged` as well.
 * - `Ended`: a session was ended through its account; `by` says how: one of them (`One`), all of them (`All`), all others (`Others`), or
 *   because a new sign-in took its place (`Limit`).
 * - `LimitRefused`: a sign-in was refused, since its account has as many sessions as it may have.
 * - `Gone`: the session ended while a request was working on it.
 * - `WritesLost`: what a request wrote was not kept: its session had ended meanwhile (`Ended`), or its key had been replaced
 *   by a renewal (`Superseded`).
 * - `Conflict`: a parallel request changed a value first, and this one computes its own anew.
 * - `StoreUnavailable`: the store could not answer; `during` says what for. A `refresh` that fails leaves its answer as it
 *   is: the session only ends sooner.
 * - `Missed`: the listener fell behind, and so many events of that kind are lost, which would have stood here.
 *
 * Whoever has a cookie or a bearer of any kind can cause `KeyRefused`, `KeyExpired` and `KeySuperseded` in masses; a visitor with a session
 * any of the others. For each listener 1024 events of each kind are kept while it is busy, so that none of them displaces what
 * is of another kind.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionEvent = Data.TaggedEnum<{
  readonly Created: { readonly id: SessionId }
  readonly Renewed: { readonly id: SessionId }
  readonly Rotated: { readonly id: SessionId }
  readonly Purged: { readonly id: SessionId }
  readonly KeyExpired: { readonly id: SessionId }
  readonly KeySuperseded: { readonly id: SessionId }
  readonly KeyReused: { readonly id: SessionId }
  readonly KeyRefused: { readonly reason: RefusalReason; readonly id: SessionId | undefined; readonly count: number }
  readonly SignedIn: { readonly id: SessionId }
  readonly SignedOut: { readonly id: SessionId }
  readonly Ended: { readonly id: SessionId; readonly by: "One" | "All" | "Others" | "Limit" }
  readonly LimitRefused: { readonly id: SessionId }
  readonly Gone: { readonly id: SessionId }
  readonly WritesLost: { readonly id: SessionId; readonly reason: "Ended" | "Superseded" }
  readonly Conflict: { readonly id: SessionId }
  readonly StoreUnavailable: { readonly during: "load" | "refresh" | "commit" }
  readonly Missed: { readonly kind: EventKind; readonly count: number }
}>

/**
 * The kinds of events that happen to sessions: all but `Missed`, which happens to a listener.
 *
 * @since 0.1.0
 * @category models
 */
export type EventKind =
  | "Created"
  | "Renewed"
  | "Rotated"
  | "Purged"
  | "KeyExpired"
  | "KeySuperseded"
  | "KeyReused"
  | "KeyRefused"
  | "SignedIn"
  | "SignedOut"
  | "Ended"
  | "LimitRefused"
  | "Gone"
  | "WritesLost"
  | "Conflict"
  | "StoreUnavailable"

/**
 * An event that happens to sessions, as the middleware publishes it.
 *
 * @since 0.1.0
 * @category models
 */
export type Happening = Exclude<SessionEvent, { readonly _tag: "Missed" }>

const constructors = Data.taggedEnum<SessionEvent>()

/**
 * A session was stored for the first time.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Created = constructors.Created

/**
 * A session has a new secret, and its old cookie is void.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Renewed = constructors.Renewed

/**
 * A session has a new secret because the one before was in use for so long, which goes on for its grace.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Rotated = constructors.Rotated

/**
 * A session has ended.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Purged = constructors.Purged

/**
 * A genuine key opened no session.
 *
 * @since 0.1.0
 * @category constructors
 */
export const KeyExpired = constructors.KeyExpired

/**
 * A genuine key came late: a renewal had replaced it a moment before.
 *
 * @since 0.1.0
 * @category constructors
 */
export const KeySuperseded = constructors.KeySuperseded

/**
 * A genuine key came after its grace: it, or the one that replaced it, was stolen.
 *
 * @since 0.1.0
 * @category constructors
 */
export const KeyReused = constructors.KeyReused

/**
 * A cookie was not accepted. See `RefusalReason`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const KeyRefused = constructors.KeyRefused

/**
 * A session came to an account.
 *
 * @since 0.1.0
 * @category constructors
 */
export const SignedIn = constructors.SignedIn

/**
 * A session that belonged to an account was ended by a request of its own.
 *
 * @since 0.1.0
 * @category constructors
 */
export const SignedOut = constructors.SignedOut

/**
 * A session was ended through its account.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Ended = constructors.Ended

/**
 * A sign-in was refused: its account has as many sessions as it may have.
 *
 * @since 0.1.0
 * @category constructors
 */
export const LimitRefused = constructors.LimitRefused

/**
 * A session ended while a request was working on it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Gone = constructors.Gone

/**
 * What a request wrote was not kept, and its response says so with a 409, unless `lostWrites` in the options says
 * otherwise.
 *
 * @since 0.1.0
 * @category constructors
 */
export const WritesLost = constructors.WritesLost

/**
 * A parallel request changed a value first.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Conflict = constructors.Conflict

/**
 * The store could not answer.
 *
 * @since 0.1.0
 * @category constructors
 */
export const StoreUnavailable = constructors.StoreUnavailable

/**
 * A listener fell behind, and has lost events.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Missed = constructors.Missed

/**
 * Whether an event is of that kind: a predicate for `Stream.filter`.
 *
 * @since 0.1.0
 * @category guards
 */
export const $is = constructors.$is

/**
 * Takes an event apart, with one function for each kind.
 *
 * @since 0.1.0
 * @category pattern matching
 */
export const $match = constructors.$match
