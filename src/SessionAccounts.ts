/**
 * The sessions of an account: for a page that shows a visitor's devices, for "sign out everywhere", and for jobs that run without a
 * request. Which account a session belongs to, `SessionAccount` says.
 *
 * Once `endAll` has answered, no session of the account lives that was signed in before, nor does one whose sign-in had begun: it is
 * answered 409 and leaves nothing behind.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as SessionAccount from "effect-session/SessionAccount"
 * import * as SessionAccounts from "effect-session/SessionAccounts"
 * import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
 *
 * class Account extends SessionAccount.Tag<Account>()("Account", { id: Schema.NonEmptyString }) {}
 *
 * const suspend = (user: string) =>
 *   Effect.flatMap(SessionAccounts.endAll(Account, user), (ended) => Effect.log(`${ended} sessions ended`))
 *
 * const Accounts = SessionAccounts.layer({ maxPerAccount: 5 }).pipe(Layer.provide(MemorySessionStore.layer()))
 *
 * Effect.runPromise(suspend("ada").pipe(Effect.provide(Accounts)))
 * ```
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { nowOn } from "./internal/effect/clockOf.js"
import { countEvent } from "./internal/events/countEvent.js"
import { EventHub } from "./internal/events/eventHub.js"
import { sessionsOfAccount } from "./internal/request/accountSessions.js"
import { SessionBase } from "./internal/session/sessionBase.js"
import * as Session from "./Session.js"
import * as SessionEvent from "./SessionEvent.js"
import * as SessionGuard from "./SessionGuard.js"
import * as SessionKey from "./SessionKey.js"
import type { SessionRecord } from "./SessionRecord.js"
import type { AccountLimit, AccountText } from "./SessionSignIn.js"
import { signInOf } from "./SessionSignIn.js"
import * as SessionStore from "./SessionStore.js"

/**
 * Marks the objects that know the sessions of accounts.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId = "~effect-session/SessionAccounts"

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What the layer can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How many sessions an account may have at a time: an integer from 1 on. Left out: any number. */
  readonly maxPerAccount?: number | undefined
  /**
   * What becomes of a sign-in that would be one too many. `EndOldest`, the default: the oldest sign-ins end for it. `Refuse`: it fails
   * with an `AccountLimitError`; of several at the same moment, each that finds the account full is answered 409.
   */
  readonly onLimit?: AccountLimit["onLimit"] | undefined
}

/**
 * What accounts need: what the store does for them, and the policy. `Self` says for which kind of session: `Session`, or a class made
 * with `SessionMiddleware.Tag`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionAccounts<in out Self = Session.Session> {
  readonly [TypeId]: TypeId
  readonly session: Context.Tag<Self, Session.Session>
  readonly verbs: SessionStore.AccountVerbs
  readonly limit: AccountLimit | undefined
  /** Tells those who listen, and counts (`SessionMetrics.events`). Never waits and never fails. */
  readonly tell: (event: SessionEvent.Happening) => void
  /**
   * The sessions that are ended here from now on, as `Ended`. Those of sign-ins are among the events of `SessionMiddleware`.
   */
  readonly events: Stream.Stream<SessionEvent.SessionEvent>
}

/**
 * What has to be known of an account: which session belongs to it, the text of its id (`none`: no account has that id), whether a text
 * is one of its own, and its facts (`none` where the text is not theirs). A class made with `SessionAccount.Tag` is that.
 *
 * @since 0.1.0
 * @category models
 */
export interface Declaration<in Id, out Facts, in out Self = Session.Session> {
  readonly session: Context.Tag<Self, Session.Session>
  readonly textOf: (id: Id) => Option.Option<AccountText>
  readonly owns: (text: AccountText) => boolean
  readonly factsOf: (text: string) => Option.Option<Facts>
}

/**
 * A session as its account shows it. `id` names it, and proves nothing. `isCurrent`: it is the one of the request that asks.
 * `facts` are those of its sign-in: `none` where none were given, or the Schema is another one by now.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountSession<Facts> {
  readonly id: SessionKey.SessionId
  readonly isCurrent: boolean
  readonly createdAt: DateTime.Utc
  /** When it was last used, as far as that extends it. */
  readonly extendedAt: DateTime.Utc
  /** When it expires if nobody uses it. */
  readonly expiresAt: DateTime.Utc
  readonly signedInAt: DateTime.Utc
  readonly authenticatedAt: DateTime.Utc
  readonly facts: Option.Option<Facts>
}

/**
 * The tag of the service for the given kind of session.
 *
 * @since 0.1.0
 * @category tags
 */
export const forSession = <Self>(
  session: Context.Tag<Self, Session.Session>
): Context.Tag<SessionAccounts<Self>, SessionAccounts<Self>> =>
  Context.GenericTag<SessionAccounts<Self>>(`effect-session/SessionAccounts/${session.key}`)

/**
 * The service for the default session, as `layer` provides it.
 *
 * @since 0.1.0
 * @category tags
 */
export const SessionAccounts: Context.Tag<SessionAccounts, SessionAccounts> = forSession(Session.Session)

/**
 * Makes the service for the given kind of session, on the store that its middleware has. Fails with a `SessionStoreConfigError` that
 * names the option and the mend where the store knows no accounts.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <Self>(
  session: Context.Tag<Self, Session.Session>,
  options?: Options
): Effect.Effect<SessionAccounts<Self>, SessionStore.SessionStoreConfigError, SessionStore.SessionStore> =>
  Effect.gen(function*() {
    const { accounts } = yield* SessionStore.SessionStore
    if (accounts === undefined) {
      return yield* noAccounts
    }
    const limit = yield* limitOf(options)
    const hub = new EventHub()
    return {
      [TypeId]: TypeId,
      session,
      verbs: accounts,
      limit,
      tell: (event) => {
        countEvent(event._tag)
        hub.publish(event)
      },
      events: hub.events
    }
  })

const noAccounts = new SessionStore.SessionStoreConfigError({
  option: "store",
  message:
    "The session store does not know which sessions an account has: a store in the cookie keeps no record of any, and one of "
    + "your own needs the verbs accounts. Use a store on the server (memory, Redis, SQL) or write those verbs"
})

const limitOf = (
  { maxPerAccount, onLimit = "EndOldest" }: Options = {}
): Effect.Effect<AccountLimit | undefined, SessionStore.SessionStoreConfigError> =>
  maxPerAccount !== undefined && (!Number.isSafeInteger(maxPerAccount) || maxPerAccount < 1)
    ? wrongOption("maxPerAccount", "must be how many sessions an account may have, an integer from 1 on, or left out")
    : onLimit !== "EndOldest" && onLimit !== "Refuse"
    ? wrongOption("onLimit", "must be \"EndOldest\" or \"Refuse\"")
    : Effect.succeed(maxPerAccount === undefined ? undefined : { max: maxPerAccount, onLimit })

const wrongOption = (option: string, problem: string) =>
  Effect.fail(new SessionStore.SessionStoreConfigError({ option, message: `The option ${option} ${problem}` }))

/**
 * The service as a Layer, on the store that the middleware has: provide one and the same store to both.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options?: Options
): Layer.Layer<SessionAccounts, SessionStore.SessionStoreConfigError, SessionStore.SessionStore> =>
  layerFor(Session.Session, options)

/**
 * The same for a session of one's own.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFor = <Self>(
  session: Context.Tag<Self, Session.Session>,
  options?: Options
): Layer.Layer<SessionAccounts<Self>, SessionStore.SessionStoreConfigError, SessionStore.SessionStore> =>
  Layer.effect(forSession(session), make(session, options))

/**
 * The live sessions of an account, the oldest sign-in first.
 *
 * @since 0.1.0
 * @category operations
 */
export const list = <Id, Facts, Self>(
  account: Declaration<Id, Facts, Self>,
  id: Id
): Effect.Effect<ReadonlyArray<AccountSession<Facts>>, SessionStore.LoadError, SessionAccounts<Self>> =>
  ofAccount(account, id, [], (accounts, text, now) =>
    Effect.zipWith(
      sessionsOfAccount(accounts.verbs, text, now),
      currentId(account),
      (records, current) => records.map((record) => shown(account, record, current))
    ))

/**
 * The same one page after the other, for accounts with very many sessions, in no order. One that is renewed meanwhile may be there
 * twice.
 *
 * @since 0.1.0
 * @category operations
 */
export const stream = <Id, Facts, Self>(
  account: Declaration<Id, Facts, Self>,
  id: Id
): Stream.Stream<AccountSession<Facts>, SessionStore.LoadError, SessionAccounts<Self>> =>
  Stream.unwrap(
    ofAccount(account, id, Stream.empty, (accounts, text) =>
      Effect.map(currentId(account), (current) =>
        Stream.flattenIterables(Stream.paginateEffect(undefined as string | undefined, (next) =>
          Effect.map(
            atNow((now) =>
              accounts.verbs.list(text, now, next)
            ),
            (page) =>
              [
                page.records.map((record) =>
                  shown(account, record, current)
                ),
                Option.map(Option.fromNullable(page.next), (next): string | undefined => next)
              ] as const
          )))))
  )

/**
 * How many live sessions an account has.
 *
 * @since 0.1.0
 * @category operations
 */
export const count = <Id, Facts, Self>(
  account: Declaration<Id, Facts, Self>,
  id: Id
): Effect.Effect<number, SessionStore.LoadError, SessionAccounts<Self>> =>
  ofAccount(
    account,
    id,
    0,
    (accounts, text, now) => Effect.map(sessionsOfAccount(accounts.verbs, text, now), (records) => records.length)
  )

/**
 * Ends one session of an account, and says whether it was there. One of another account, or of none, is not.
 *
 * @since 0.1.0
 * @category operations
 */
export const end = <Id, Facts, Self>(
  account: Declaration<Id, Facts, Self>,
  id: Id,
  session: string
): Effect.Effect<boolean, SessionStore.DeleteError, SessionAccounts<Self>> =>
  ofAccount(account, id, false, (accounts, text, now) =>
    SessionKey.isSessionId(session)
      ? Effect.tap(accounts.verbs.end(text, session, now), (isEnded) =>
        Effect.sync(() => {
          if (isEnded) {
            accounts.tell(SessionEvent.Ended({ id: session, by: "One" }))
          }
        }))
      : Effect.succeed(false))

/**
 * Ends all sessions of an account, the one of this request included, and says how many there were. Once it has answered, none of them
 * lives, and no sign-in that had begun before comes to anything.
 *
 * @since 0.1.0
 * @category operations
 */
export const endAll = <Id, Facts, Self>(
  account: Declaration<Id, Facts, Self>,
  id: Id
): Effect.Effect<number, SessionStore.DeleteError, SessionAccounts<Self>> =>
  ofAccount(
    account,
    id,
    0,
    (accounts, text, now) => Effect.map(accounts.verbs.endAll(text, now), ({ ended }) => told(accounts, ended, "All"))
  )

/**
 * Ends all sessions of the account that is signed in here, but for the one of this request, and says how many there were: what a
 * visitor wants who has changed his password. Promises what `endAll` does. The key of this session stays: `reauthenticate` renews it. Fails
 * with `Unauthorized` where nobody is signed in.
 *
 * @since 0.1.0
 * @category operations
 */
export const endOthers = <Id, Facts, Self>(
  account: Declaration<Id, Facts, Self> & { readonly current: Effect.Effect<unknown, Session.SessionGetError, Self> }
): Effect.Effect<
  number,
  SessionStore.DeleteError | Session.SessionGetError | SessionGuard.Unauthorized,
  SessionAccounts<Self> | Self
> =>
  Effect.gen(function*() {
    const accounts = yield* forSession(account.session)
    const session = baseOf(yield* account.session)
    yield* account.current
    const signIn = yield* session.signIn()
    const pending = session.pendingSignIn()
    const id = pending?.id ?? Option.getOrUndefined(yield* session.id)
    if (signIn === undefined || id === undefined || !account.owns(signIn.account)) {
      return yield* new SessionGuard.Unauthorized()
    }
    const { ended, ticket } = yield* atNow((now) =>
      accounts.verbs.endAll(signIn.account, now, { id, ticket: pending?.ticket })
    )
    if (ticket !== undefined) {
      session.replaceTicket(ticket)
    }
    return told(accounts, ended, "Others")
  })

// -- what the operations have in common

const ofAccount = <Id, Facts, Self, A, E, R>(
  account: Declaration<Id, Facts, Self>,
  id: Id,
  orElse: A,
  operation: (accounts: SessionAccounts<Self>, text: AccountText, now: number) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | SessionAccounts<Self>> =>
  Effect.flatMap(forSession(account.session), (accounts) =>
    Option.match(account.textOf(id), {
      onNone: () => Effect.succeed(orElse),
      onSome: (text) => atNow((now) => operation(accounts, text, now))
    }))

const atNow = <A, E, R>(f: (now: number) => Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.withFiberRuntime((fiber) => f(nowOn(fiber)))

const told = (
  { tell }: SessionAccounts<any>,
  ended: ReadonlyArray<SessionKey.SessionId>,
  by: "All" | "Others"
): number => {
  for (const id of ended) {
    tell(SessionEvent.Ended({ id, by }))
  }
  return ended.length
}

const shown = <Facts>(
  { factsOf }: Pick<Declaration<never, Facts, any>, "factsOf">,
  { createdAt, expiresAt, extendedAt, id, state }: SessionRecord,
  current: SessionKey.SessionId | undefined
): AccountSession<Facts> => {
  const signIn = signInOf(state)
  return {
    id,
    isCurrent: id === current,
    createdAt: dateOf(createdAt),
    extendedAt: dateOf(extendedAt),
    expiresAt: dateOf(expiresAt),
    signedInAt: dateOf(signIn?.signedInAt),
    authenticatedAt: dateOf(signIn?.authenticatedAt),
    facts: Option.flatMap(Option.fromNullable(signIn?.facts), factsOf)
  }
}

/**
 * A record from elsewhere may hold a time that no date can express.
 *
 * @internal
 */
export const dateOf = (millis = 0): DateTime.Utc =>
  Option.getOrElse(DateTime.make(millis), () => DateTime.unsafeMake(0))

// Who asks without a request has no session. What it is called is no reason to fail.
const currentId = <Self>(
  { session }: { readonly session: Context.Tag<Self, Session.Session> }
): Effect.Effect<SessionKey.SessionId | undefined> =>
  Effect.flatMap(
    Effect.serviceOption(session),
    Option.match({
      onNone: () => Effect.succeed(undefined),
      onSome: (session) => Effect.map(Effect.option(session.id), (id) => Option.getOrUndefined(Option.flatten(id)))
    })
  )

/** @internal */
export const baseOf = (session: Session.Session): SessionBase => {
  if (session instanceof SessionBase) {
    return session
  }
  throw new TypeError("An account belongs to a session that this package has made, and this one is another")
}
