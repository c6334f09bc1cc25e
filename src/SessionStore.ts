/**
 * The port that a backend implements: load and five kinds of write, each conditional on the record being there.
 *
 * Absence is an answer, not an error: errors are for a backend that cannot answer. No write ever creates what a logout
 * has removed, because only `save` creates and it mints a new key.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
 * import * as SessionStore from "effect-session/SessionStore"
 *
 * const program = Effect.gen(function*() {
 *   const store = SessionStore.withClock(yield* SessionStore.SessionStore)
 *   const { key } = yield* store.save(new Map([["counter", "1"]]), { ttl: 60_000, maxLifetime: undefined })
 *   return yield* store.load(key)
 * })
 *
 * Effect.runPromise(program.pipe(Effect.provide(MemorySessionStore.layer())))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { nowOn } from "./internal/effect/clockOf.js"
import { respondable, respondWith } from "./internal/http/errorResponse.js"
import { callWithin } from "./internal/port/boundedCall.js"
import * as listeners from "./internal/port/endListeners.js"
import { observeCalls } from "./internal/port/observedCall.js"
import type { SessionId, SessionKey } from "./SessionKey.js"
import type {
  JsonText,
  Lifetime,
  Rotation,
  RotationTerms,
  SecretStanding,
  SessionChange,
  SessionRecord as Record,
  SessionState,
  StoredRecord
} from "./SessionRecord.js"
import * as SessionRecord from "./SessionRecord.js"
import type { AccountText, Ticket } from "./SessionSignIn.js"

/**
 * Marks the objects that are session stores.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId = "~effect-session/SessionStore"

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * The answer of `load`. `Superseded`: the key was right until a renewal a moment ago; its request is anonymous, and all that
 * it can do to the session is end it. `Replaced`: likewise, but its session ended, and another began in its place. `Reused`: a
 * rotation replaced the key, and its grace is over (`since` then); all that it can do is end the session. `Absent`: unknown, expired, or not
 * the right secret; the three cannot be told apart.
 *
 * `standing` is how the key stands to rotations. It may be left out for a session that has had but one secret.
 *
 * @since 0.1.0
 * @category models
 */
export type LoadResult = Data.TaggedEnum<{
  readonly Live: { readonly record: Record; readonly standing?: SecretStanding | undefined }
  readonly Superseded: {}
  readonly Replaced: {}
  readonly Reused: { readonly since: number }
  readonly Absent: {}
}>

/**
 * Makes the answers of `load`, and matches them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const LoadResult = Data.taggedEnum<LoadResult>()

/**
 * What a write left behind: the key that opens the session from now on, and when the record expires (milliseconds since the
 * epoch).
 *
 * @since 0.1.0
 * @category models
 */
export interface Saved {
  readonly key: SessionKey
  readonly expiresAt: number
  /** Whether there is a newer key, and this one is in its grace: no browser must get it in the place of the newer one. */
  readonly hasNewer?: boolean | undefined
}

/**
 * The answer of a conditional write. Nothing was written but for `Saved`. `Conflict`: a value was not the expected one, and
 * here is what stands under each key that something was expected of (`undefined`: nothing). `Superseded`: the session is
 * there, and a renewal has replaced the secret that the caller came with. `Gone`: there is no such session any more, or the
 * key is not its key.
 *
 * @since 0.1.0
 * @category models
 */
export type WriteResult = Data.TaggedEnum<{
  readonly Saved: Saved
  readonly Conflict: { readonly found: ReadonlyMap<string, JsonText | undefined> }
  readonly Superseded: {}
  readonly Gone: {}
}>

/**
 * Makes the answers of conditional writes, and matches them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const WriteResult = Data.taggedEnum<WriteResult>()

/**
 * The answer of `enlist`: what the sign-in is confirmed by, and how many sessions the account may have with it. The count may be too
 * high, by sessions that have ended, and never too low.
 *
 * @since 0.1.0
 * @category models
 */
export interface Enlisted {
  readonly ticket: Ticket
  readonly count: number
}

/**
 * The answer of `confirm`. `Confirmed`: the account knows of the session, and `count` is as in `Enlisted`. `Void`: all sessions of
 * the account were ended since the ticket was given, or it is too old, and the session must not live. A store may say so as well of a
 * session that has ended meanwhile.
 *
 * @since 0.1.0
 * @category models
 */
export type Confirmation = Data.TaggedEnum<{
  readonly Confirmed: { readonly count: number }
  readonly Void: {}
}>

/**
 * Makes the answers of `confirm`, and matches them.
 *
 * @since 0.1.0
 * @category constructors
 */
export const Confirmation = Data.taggedEnum<Confirmation>()

/**
 * Some of the sessions of an account, in any order, and where the next ones begin (`undefined`: there are no more).
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountPage {
  readonly records: ReadonlyArray<Record>
  readonly next: string | undefined
}

/**
 * The session that `endAll` leaves alone, with the ticket of its sign-in where that is not committed yet.
 *
 * @since 0.1.0
 * @category models
 */
export interface Spared {
  readonly id: SessionId
  readonly ticket?: Ticket | undefined
}

/**
 * The answer of `endAll`: the sessions that this call has ended, and the ticket that takes the place of the spared one's. Where
 * somebody else had ended all sessions since that one was given, it is the same, and still void.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndedAll {
  readonly ended: ReadonlyArray<SessionId>
  readonly ticket: Ticket | undefined
}

/**
 * What a store does that knows which sessions an account has.
 *
 * A sign-in calls `enlist` before its record names the account, and `confirm` after. Whatever index a store keeps proves nothing:
 * the record decides, by `SessionSignIn.isSignedInTo`. So nothing has to be written to two places in one step, and the promise
 * holds all the same: once `endAll` was answered, each session of the account whose ticket was given before it was called has ended, or
 * its `confirm` answers `Void`. Each verb may be called again after a crash at any step.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountVerbs {
  /**
   * A ticket for a sign-in that begins before it is known whether it comes to anything, so that no session is noted yet. `enlist` follows
   * where it does, and `confirm` gets this ticket.
   */
  readonly begin: (account: AccountText, now: number) => Effect.Effect<Ticket, UpdateError>

  /** Notes that the session is about to belong to the account. There need not be such a session yet. */
  readonly enlist: (
    account: AccountText,
    id: SessionId,
    lifetime: Lifetime,
    now: number
  ) => Effect.Effect<Enlisted, UpdateError>

  /** Says whether the session may live, now that its record names the account. */
  readonly confirm: (
    account: AccountText,
    id: SessionId,
    ticket: Ticket,
    lifetime: Lifetime,
    now: number
  ) => Effect.Effect<Confirmation, UpdateError>

  /**
   * Live sessions of the account, a bounded number at a time: the first ones, or those from `next` of an earlier answer on. All pages
   * together have each session that is there from the first call to the last, and may have one twice.
   */
  readonly list: (
    account: AccountText,
    now: number,
    next?: string | undefined
  ) => Effect.Effect<AccountPage, LoadError>

  /** Ends the session if it is a live one of the account, and says whether it was. */
  readonly end: (account: AccountText, id: SessionId, now: number) => Effect.Effect<boolean, DeleteError>

  /** Ends all sessions of the account, but for the spared one, and makes the tickets of all other sign-ins void. */
  readonly endAll: (
    account: AccountText,
    now: number,
    spared?: Spared | undefined
  ) => Effect.Effect<EndedAll, DeleteError>
}

/**
 * The backend could not say whether there is a session. `Unavailable`: it did not answer in time, or with an error.
 * `Malformed`: it answered with something that is not a session record.
 *
 * @since 0.1.0
 * @category errors
 */
export class LoadError extends Schema.TaggedError<LoadError>("effect-session/LoadError")("LoadError", {
  reason: Schema.Literal("Unavailable", "Malformed"),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  /**
   * 503 for `Unavailable`, 500 for `Malformed`, with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(this.reason === "Unavailable" ? 503 : 500)
  }
}

/**
 * A new session could not be stored. `TooLarge`: the state does not fit into the backend or, for a session kept in the
 * cookie, into 4096 bytes.
 *
 * @since 0.1.0
 * @category errors
 */
export class SaveError extends Schema.TaggedError<SaveError>("effect-session/SaveError")("SaveError", {
  reason: Schema.Literal("Unavailable", "TooLarge"),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  /**
   * 503 for `Unavailable`, 500 for `TooLarge`, with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(this.reason === "Unavailable" ? 503 : 500)
  }
}

/**
 * A change to a session could not be stored. Reasons as for `LoadError` and `SaveError`.
 *
 * @since 0.1.0
 * @category errors
 */
export class UpdateError extends Schema.TaggedError<UpdateError>("effect-session/UpdateError")("UpdateError", {
  reason: Schema.Literal("Unavailable", "TooLarge", "Malformed"),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  /**
   * 503 for `Unavailable`, 500 for the others, with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(this.reason === "Unavailable" ? 503 : 500)
  }
}

/**
 * The backend could not confirm that a session has ended.
 *
 * @since 0.1.0
 * @category errors
 */
export class DeleteError extends Schema.TaggedError<DeleteError>("effect-session/DeleteError")("DeleteError", {
  reason: Schema.Literal("Unavailable"),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {
  /**
   * 503 with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(503)
  }
}

/**
 * Whatever can go wrong in a store.
 *
 * @since 0.1.0
 * @category errors
 */
export type SessionStoreError = LoadError | SaveError | UpdateError | DeleteError

/**
 * A store cannot be made with the options it was given. The message names the option and the mend.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionStoreConfigError
  extends Schema.TaggedError<SessionStoreConfigError>("effect-session/SessionStoreConfigError")(
    "SessionStoreConfigError",
    {
      option: Schema.String,
      message: Schema.String
    }
  )
{}

/**
 * What a backend does. Every write is one atomic step that is conditional on the record being there; reading first and
 * writing after is a defect, since a logout can come between.
 *
 * `now` is the time of the call, in milliseconds since the epoch, and the only clock that a store goes by. A verb is called
 * when it is its turn, and what it answers is run once, at once: so a store that waits for nobody may do its work in the call
 * and answer with an `Exit`, with which the request goes on without a step of its fiber.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionStoreVerbs {
  /**
   * Reads the content of a cookie as a key of this store. Pure and strict: a malformed key ends here and costs no call.
   */
  readonly readKey: (text: string) => Option.Option<SessionKey>

  /**
   * What the cookie holds, which decides how it is sealed where the configuration does not say: a `Key` is signed, the `State`
   * itself is encrypted. Left out, it is a key if `readKey` takes nothing but session keys, as `SessionKey.fromText` does.
   */
  readonly cookieHolds?: "Key" | "State" | undefined

  /**
   * Finds the record of the key. An expired record is `Absent` at exactly its limit.
   */
  readonly load: (key: SessionKey, now: number) => Effect.Effect<LoadResult, LoadError>

  /**
   * Stores a new session under a new key. Insert only: an id that is taken is drawn again, never written over.
   *
   * A store with `accounts` takes the `key` that was drawn before, where one is given and its id is not taken.
   */
  readonly save: (
    state: SessionState,
    lifetime: Lifetime,
    now: number,
    key?: SessionKey | undefined
  ) => Effect.Effect<Saved, SaveError>

  /**
   * Merges a change into the record and refreshes its expiry to `ttl` from now, never past `maxLifetime` from its creation.
   * Never creates, and writes nothing for a key whose secret a renewal has replaced. A record that `maxLifetime` has ended is
   * `Gone`.
   */
  readonly update: (
    key: SessionKey,
    change: SessionChange,
    lifetime: Lifetime,
    now: number
  ) => Effect.Effect<WriteResult, UpdateError>

  /**
   * Refreshes the expiry alone. Never answers `Conflict`. A record that either limit has ended is `Gone`: also one whose
   * expiry was written by a longer `ttl`.
   */
  readonly updateTtl: (key: SessionKey, lifetime: Lifetime, now: number) => Effect.Effect<WriteResult, UpdateError>

  /**
   * Does what `update` does and puts a new secret in the place of the old one, in the same step. The id stays.
   */
  readonly renew: (
    key: SessionKey,
    change: SessionChange,
    lifetime: Lifetime,
    now: number
  ) => Effect.Effect<WriteResult, UpdateError>

  /**
   * Does what `update` does and `SessionRecord.rotate` beside it, in the same step: where it is time, the record has a new secret,
   * whose key is the answer's, and the one before goes on for its grace. A store without this verb serves no lifecycle with
   * `renewEvery`.
   */
  readonly rotate?:
    | ((
      key: SessionKey,
      change: SessionChange,
      lifetime: Lifetime,
      rotation: Rotation & RotationTerms,
      now: number
    ) => Effect.Effect<WriteResult, UpdateError>)
    | undefined

  /**
   * Ends the session, if the key is its current or a superseded one, and says whether it was this call that ended it.
   * Idempotent: no record is no error. A store that keeps no record cannot tell, and answers `true`.
   *
   * `successor` is the key of a session that begins in the place of this one. The store remembers it for as long as a
   * superseded secret (`SessionRecord.supersededRetention`), and answers every later `delete` of this session with what ends
   * that one: `SessionKey.fromDigest` of it, since the secret is not kept.
   */
  readonly delete: (
    key: SessionKey,
    now: number,
    successor?: SessionKey | undefined
  ) => Effect.Effect<boolean | SessionKey, DeleteError>

  /**
   * How those who wait for the end of a session (`Session.ended`) learn of it. Without, they ask every 5 seconds (`load`, and once
   * the key has been renewed a second call), and where the key they came with was renewed more than an hour ago they go by the
   * answer `Gone`, which says no more than that nobody remembers it.
   */
  readonly endings?: EndingVerbs | undefined

  /** What the store does for accounts. A store without it serves no `SessionAccounts`. */
  readonly accounts?: AccountVerbs | undefined
}

/**
 * How a store tells of sessions that end. What decides is `find`; the rest says when it is worth asking.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndingVerbs {
  /**
   * The record of the id as it is now, whichever of its keys somebody has: `none` where its session has ended, by whatever it
   * may be. An expired record is none at exactly its limit, and what is left of a session that gave way to another
   * (`SessionRecord.end`) is none. Changes nothing, the expiry included. `foundRecord` makes the answer of a stored record.
   */
  readonly find: (id: SessionId, now: number) => Effect.Effect<Option.Option<Record>, LoadError>

  /**
   * Calls `notify` whenever the session of the id may have ended, whatever process ended it, for as long as the scope is open. It
   * may be called too often, late or not at all: `find` is asked then, and as often as `pollEvery` says besides. `makeEndListeners`
   * keeps such functions. Left out where the backend tells nobody of anything.
   */
  readonly listen?: ((id: SessionId, notify: () => void) => Effect.Effect<void, never, Scope.Scope>) | undefined

  /**
   * For how long, in milliseconds, those who wait go without a `find` at most; `Infinity` where `listen` misses nothing. It is
   * called before each wait: a store that has lost the connection over which it hears may ask for more. When a record expires is
   * known, and needs no question before.
   */
  readonly pollEvery: () => number
}

/**
 * How often, in milliseconds, a store is asked whether a session is still there that tells nobody by itself.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaultPollEvery = 5_000

/**
 * Those who wait for the end of sessions in this process, for stores that hear of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface EndListeners {
  /** The verb `EndingVerbs.listen`. */
  readonly listen: NonNullable<EndingVerbs["listen"]>
  /** Notifies, at once, those who listen to the id. */
  readonly tell: (id: SessionId) => void
  /** Notifies all: messages may have been lost. */
  readonly tellAll: () => void
  /** How many listen. */
  readonly size: number
}

/**
 * Makes a list of listeners, with nobody on it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeEndListeners = (): EndListeners => new listeners.EndListeners()

/**
 * A store, as `make` makes it of its verbs.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionStore extends SessionStoreVerbs {
  readonly [TypeId]: TypeId
}

/**
 * How the middleware asks for the store, which a Layer provides.
 *
 * @since 0.1.0
 * @category tags
 */
export const SessionStore: Context.Tag<SessionStore, SessionStore> = Context.GenericTag<SessionStore>(
  "effect-session/SessionStore"
)

/**
 * Makes a store from its verbs.
 *
 * A call that has not ended after `timeout` (default 5 seconds) is interrupted and fails as `Unavailable`, and nobody waits
 * for it longer, also where it lets nothing interrupt it. Nothing else interrupts it where its caller cannot be
 * interrupted, as during a commit: not a client that hangs up either. A store that cannot wait, or that bounds its calls
 * itself, says `timeout: "none"` and saves the cost of the guard.
 *
 * The duration of each call that waits is measured (`SessionMetrics.storeLatency`), and where a tracer is provided it has a
 * span, `SessionStore.load` and so on, with the attribute `session.id`. What a verb answers at once, with an `Exit`, costs
 * neither, nor the guard.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  verbs: SessionStoreVerbs,
  options?: { readonly timeout?: Duration.DurationInput | "none" | undefined }
): SessionStore => {
  const timeout = options?.timeout ?? "5 seconds"
  const bounded = timeout === "none" ? verbs : boundVerbs(verbs, Duration.decode(timeout))
  return { [TypeId]: TypeId, ...observeVerbs(bounded) }
}

const boundVerbs = (verbs: SessionStoreVerbs, duration: Duration.Duration): SessionStoreVerbs => {
  const within = <A, E>(call: Effect.Effect<A, E>, onTimeout: () => E): Effect.Effect<A, E> =>
    Exit.isExit(call) ? call : callWithin(call, duration, onTimeout)
  const tooSlow = (verb: string) => ({
    reason: "Unavailable" as const,
    message: `The session store did not answer "${verb}" within ${Duration.format(duration)}`
  })
  const { accounts, endings, rotate } = verbs
  return {
    readKey: verbs.readKey,
    cookieHolds: verbs.cookieHolds,
    load: (key, now) => within(verbs.load(key, now), () => new LoadError(tooSlow("load"))),
    save: (state, lifetime, now, key) =>
      within(verbs.save(state, lifetime, now, key), () => new SaveError(tooSlow("save"))),
    update: (key, change, lifetime, now) =>
      within(verbs.update(key, change, lifetime, now), () => new UpdateError(tooSlow("update"))),
    updateTtl: (key, lifetime, now) =>
      within(verbs.updateTtl(key, lifetime, now), () => new UpdateError(tooSlow("updateTtl"))),
    renew: (key, change, lifetime, now) =>
      within(verbs.renew(key, change, lifetime, now), () => new UpdateError(tooSlow("renew"))),
    rotate: rotate &&
      ((key, change, lifetime, rotation, now) =>
        within(rotate(key, change, lifetime, rotation, now), () => new UpdateError(tooSlow("rotate")))),
    delete: (key, now, successor) =>
      within(verbs.delete(key, now, successor), () => new DeleteError(tooSlow("delete"))),
    endings: endings && {
      ...endings,
      find: (id, now) => within(endings.find(id, now), () => new LoadError(tooSlow("find")))
    },
    accounts: accounts && {
      begin: (account, now) => within(accounts.begin(account, now), () => new UpdateError(tooSlow("begin"))),
      enlist: (account, id, lifetime, now) =>
        within(accounts.enlist(account, id, lifetime, now), () => new UpdateError(tooSlow("enlist"))),
      confirm: (account, id, ticket, lifetime, now) =>
        within(accounts.confirm(account, id, ticket, lifetime, now), () => new UpdateError(tooSlow("confirm"))),
      list: (account, now, next) => within(accounts.list(account, now, next), () => new LoadError(tooSlow("list"))),
      end: (account, id, now) => within(accounts.end(account, id, now), () => new DeleteError(tooSlow("end"))),
      endAll: (account, now, spared) =>
        within(accounts.endAll(account, now, spared), () => new DeleteError(tooSlow("endAll")))
    }
  }
}

const observe = {
  load: observeCalls("load"),
  save: observeCalls("save"),
  update: observeCalls("update"),
  updateTtl: observeCalls("updateTtl"),
  renew: observeCalls("renew"),
  rotate: observeCalls("rotate"),
  delete: observeCalls("delete"),
  find: observeCalls("find"),
  begin: observeCalls("begin"),
  enlist: observeCalls("enlist"),
  confirm: observeCalls("confirm"),
  list: observeCalls("list"),
  end: observeCalls("end"),
  endAll: observeCalls("endAll")
}

const observeVerbs = ({ accounts, endings, rotate, ...verbs }: SessionStoreVerbs): SessionStoreVerbs => ({
  readKey: verbs.readKey,
  cookieHolds: verbs.cookieHolds,
  load: (key, now) => observe.load(verbs.load(key, now), key.id),
  save: (state, lifetime, now, key) => observe.save(verbs.save(state, lifetime, now, key)),
  update: (key, change, lifetime, now) => observe.update(verbs.update(key, change, lifetime, now), key.id),
  updateTtl: (key, lifetime, now) => observe.updateTtl(verbs.updateTtl(key, lifetime, now), key.id),
  renew: (key, change, lifetime, now) => observe.renew(verbs.renew(key, change, lifetime, now), key.id),
  rotate: rotate &&
    ((key, change, lifetime, rotation, now) => observe.rotate(rotate(key, change, lifetime, rotation, now), key.id)),
  delete: (key, now, successor) => observe.delete(verbs.delete(key, now, successor), key.id),
  endings: endings && { ...endings, find: (id, now) => observe.find(endings.find(id, now), id) },
  accounts: accounts && {
    begin: (account, now) => observe.begin(accounts.begin(account, now)),
    enlist: (account, id, lifetime, now) => observe.enlist(accounts.enlist(account, id, lifetime, now), id),
    confirm: (account, id, ticket, lifetime, now) =>
      observe.confirm(accounts.confirm(account, id, ticket, lifetime, now), id),
    list: (account, now, next) => observe.list(accounts.list(account, now, next)),
    end: (account, id, now) => observe.end(accounts.end(account, id, now), id),
    endAll: (account, now, spared) => observe.endAll(accounts.endAll(account, now, spared))
  }
})

/**
 * The verbs of a store without their time: as effects that take it from Effect's `Clock` whenever they are run.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClockedVerbs {
  /** As `SessionStoreVerbs.readKey`. */
  readonly readKey: (text: string) => Option.Option<SessionKey>
  /** As `SessionStoreVerbs.load`. */
  readonly load: (key: SessionKey) => Effect.Effect<LoadResult, LoadError>
  /** As `SessionStoreVerbs.save`. */
  readonly save: (
    state: SessionState,
    lifetime: Lifetime,
    key?: SessionKey | undefined
  ) => Effect.Effect<Saved, SaveError>
  /** As `SessionStoreVerbs.update`. */
  readonly update: (
    key: SessionKey,
    change: SessionChange,
    lifetime: Lifetime
  ) => Effect.Effect<WriteResult, UpdateError>
  /** As `SessionStoreVerbs.updateTtl`. */
  readonly updateTtl: (key: SessionKey, lifetime: Lifetime) => Effect.Effect<WriteResult, UpdateError>
  /** As `SessionStoreVerbs.renew`. */
  readonly renew: (
    key: SessionKey,
    change: SessionChange,
    lifetime: Lifetime
  ) => Effect.Effect<WriteResult, UpdateError>
  /** As `SessionStoreVerbs.rotate`. */
  readonly rotate?:
    | ((
      key: SessionKey,
      change: SessionChange,
      lifetime: Lifetime,
      rotation: Rotation & RotationTerms
    ) => Effect.Effect<WriteResult, UpdateError>)
    | undefined
  /** As `SessionStoreVerbs.delete`. */
  readonly delete: (
    key: SessionKey,
    successor?: SessionKey | undefined
  ) => Effect.Effect<boolean | SessionKey, DeleteError>
  /** As `SessionStoreVerbs.accounts`. */
  readonly accounts?: ClockedAccountVerbs | undefined
}

/**
 * The verbs for accounts without their time.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClockedAccountVerbs {
  /** As `AccountVerbs.begin`. */
  readonly begin: (account: AccountText) => Effect.Effect<Ticket, UpdateError>
  /** As `AccountVerbs.enlist`. */
  readonly enlist: (account: AccountText, id: SessionId, lifetime: Lifetime) => Effect.Effect<Enlisted, UpdateError>
  /** As `AccountVerbs.confirm`. */
  readonly confirm: (
    account: AccountText,
    id: SessionId,
    ticket: Ticket,
    lifetime: Lifetime
  ) => Effect.Effect<Confirmation, UpdateError>
  /** As `AccountVerbs.list`. */
  readonly list: (account: AccountText, next?: string | undefined) => Effect.Effect<AccountPage, LoadError>
  /** As `AccountVerbs.end`. */
  readonly end: (account: AccountText, id: SessionId) => Effect.Effect<boolean, DeleteError>
  /** As `AccountVerbs.endAll`. */
  readonly endAll: (account: AccountText, spared?: Spared | undefined) => Effect.Effect<EndedAll, DeleteError>
}

/**
 * A store for jobs and tests, which ask it outside of any request.
 *
 * @example
 * ```ts
 * import type { SessionKey } from "effect-session/SessionKey"
 * import * as SessionStore from "effect-session/SessionStore"
 * import * as Effect from "effect/Effect"
 *
 * const end = (key: SessionKey) =>
 *   Effect.flatMap(SessionStore.SessionStore, (store) => SessionStore.withClock(store).delete(key))
 * ```
 *
 * @since 0.1.0
 * @category combinators
 */
export const withClock = (verbs: SessionStoreVerbs): ClockedVerbs => {
  const atNow = <A, E>(call: (now: number) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.withFiberRuntime((fiber) => call(nowOn(fiber)))
  const { accounts, rotate } = verbs
  return {
    readKey: verbs.readKey,
    load: (key) => atNow((now) => verbs.load(key, now)),
    save: (state, lifetime, key) => atNow((now) => verbs.save(state, lifetime, now, key)),
    update: (key, change, lifetime) => atNow((now) => verbs.update(key, change, lifetime, now)),
    updateTtl: (key, lifetime) => atNow((now) => verbs.updateTtl(key, lifetime, now)),
    renew: (key, change, lifetime) => atNow((now) => verbs.renew(key, change, lifetime, now)),
    rotate: rotate &&
      ((key, change, lifetime, rotation) => atNow((now) => rotate(key, change, lifetime, rotation, now))),
    delete: (key, successor) => atNow((now) => verbs.delete(key, now, successor)),
    accounts: accounts && {
      begin: (account) => atNow((now) => accounts.begin(account, now)),
      enlist: (account, id, lifetime) => atNow((now) => accounts.enlist(account, id, lifetime, now)),
      confirm: (account, id, ticket, lifetime) => atNow((now) => accounts.confirm(account, id, ticket, lifetime, now)),
      list: (account, next) => atNow((now) => accounts.list(account, now, next)),
      end: (account, id) => atNow((now) => accounts.end(account, id, now)),
      endAll: (account, spared) => atNow((now) => accounts.endAll(account, now, spared))
    }
  }
}

/**
 * The answer of `load` for a record that the backend found under the key's id (`undefined`: none).
 *
 * @since 0.1.0
 * @category constructors
 */
export const loadResult = (record: StoredRecord | undefined, key: SessionKey, now: number): LoadResult => {
  if (record === undefined) {
    return absent
  }
  switch (SessionRecord.verify(record, key, now)) {
    case "Current":
      return record.superseded.length === 0
        ? LoadResult.Live({ record })
        : LoadResult.Live({ record, standing: SessionRecord.standingOf(record, key) })
    case "Reused":
      return LoadResult.Reused({ since: SessionRecord.graceEndOf(record, key) ?? now })
    case "Superseded":
      return SessionRecord.isLate(record, key, now) ? superseded : absent
    case "Replaced":
      return SessionRecord.isLate(record, key, now) ? replaced : absent
    case "Foreign":
      return absent
  }
}

/**
 * The answer of `find` for a record that the backend found under the id (`undefined`: none).
 *
 * @since 0.1.0
 * @category constructors
 */
export const foundRecord = (record: StoredRecord | undefined, now: number): Option.Option<Record> =>
  record === undefined || SessionRecord.hasEnded(record, now) ? Option.none() : Option.some(record)

/**
 * The answer of a write that has put `record` in the place of another, for the caller's key, or for the `newKey` that the write
 * had with it where the record took that.
 *
 * @since 0.1.0
 * @category constructors
 */
export const savedResult = (record: StoredRecord, key: SessionKey, newKey?: SessionKey): WriteResult => {
  const { expiresAt, superseded } = record
  if (superseded.length === 0) {
    return WriteResult.Saved({ key, expiresAt })
  }
  return newKey !== undefined && SessionRecord.isNewest(record, newKey)
    ? WriteResult.Saved({ key: newKey, expiresAt })
    : SessionRecord.isNewest(record, key)
    ? WriteResult.Saved({ key, expiresAt })
    : WriteResult.Saved({ key, expiresAt, hasNewer: true })
}

const absent = LoadResult.Absent()
const superseded = LoadResult.Superseded()
const replaced = LoadResult.Replaced()
