/**
 * Who is signed in. One declaration says what the id of an account is, what a sign-in keeps besides, and how long ago is fresh; it is
 * the tag of the account that is signed in, and all that belongs to it.
 *
 * A sign-in renews the session's key and stores account and time in the same step, so that nobody who planted a key is signed in with
 * it (session fixation, ASVS 7.2.4). A session comes to one account and stays with it: who signs in to another gets another session.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as SessionAccount from "effect-session/SessionAccount"
 * import * as SessionAccounts from "effect-session/SessionAccounts"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * class Account extends SessionAccount.Tag<Account>()("Account", {
 *   id: Schema.NonEmptyString,
 *   facts: Schema.Struct({ label: Schema.String }),
 *   freshFor: "10 minutes"
 * }) {}
 *
 * // Once the password was checked.
 * const signIn = (user: string) =>
 *   Effect.as(Account.signIn(user, { label: "Firefox on Linux" }), HttpServerResponse.empty())
 *
 * const devices = Effect.gen(function*() {
 *   const { id } = yield* Account
 *   return HttpServerResponse.unsafeJson(yield* SessionAccounts.list(Account, id))
 * })
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.post("/sign-in", signIn("ada")),
 *   HttpRouter.post("/sign-out", Effect.as(Account.signOut, HttpServerResponse.empty())),
 *   HttpRouter.get("/devices", Account.required(devices)),
 *   SessionMiddleware.session
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { nowOn } from "./internal/effect/clockOf.js"
import { respondable, respondWith } from "./internal/http/errorResponse.js"
import { sessionsOfAccount } from "./internal/request/accountSessions.js"
import { RequestSession } from "./internal/request/requestSession.js"
import * as json from "./internal/session/json.js"
import type { SessionBase } from "./internal/session/sessionBase.js"
import * as Session from "./Session.js"
import * as SessionAccounts from "./SessionAccounts.js"
import * as SessionEvent from "./SessionEvent.js"
import type { SessionId } from "./SessionKey.js"
import type { Lifetime } from "./SessionRecord.js"
import type { SignIn } from "./SessionSignIn.js"
import * as SessionSignIn from "./SessionSignIn.js"
import type * as SessionStore from "./SessionStore.js"

/**
 * There is no account to go on with. `NotSignedIn`: the session belongs to none. `NotFresh`: it does, and its visitor has to prove once
 * more who he is. Unhandled, it becomes a 401 with an empty body.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccountRequired extends Schema.TaggedError<AccountRequired>("effect-session/AccountRequired")(
  "AccountRequired",
  { reason: Schema.Literal("NotSignedIn", "NotFresh") }
) {
  /**
   * 401 with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(401)
  }
}

/**
 * A sign-in was refused: its account has `max` sessions, and may have no more. Unhandled, it becomes a 409 with an empty body.
 *
 * @since 0.1.0
 * @category errors
 */
export class AccountLimitError extends Schema.TaggedError<AccountLimitError>("effect-session/AccountLimitError")(
  "AccountLimitError",
  { max: Schema.Number, message: Schema.String }
) {
  /**
   * 409 with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(409)
  }
}

/**
 * The account that is signed in. `facts` are those of the sign-in: `none` where none were given, or the Schema is another one by now.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignedIn<out Id, out Facts = never> {
  readonly id: Id
  readonly facts: Option.Option<Facts>
  /** When the session came to the account. */
  readonly signedInAt: DateTime.Utc
  /** When its visitor last proved who he is, by `signIn` or `reauthenticate`. */
  readonly authenticatedAt: DateTime.Utc
}

/**
 * What an account is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Id, IdEncoded extends string | number, Facts, FactsEncoded, SessionSelf> {
  /** The id of an account, encoded as a text or a number: with the name of the declaration at most 512 bytes of JSON. */
  readonly id: Schema.Schema<Id, IdEncoded>
  /** What a sign-in keeps besides, for a list of devices: a label, say. It is encoded as JSON, and part of the session's state. */
  readonly facts?: Schema.Schema<Facts, FactsEncoded> | undefined
  /** How long ago somebody may have proved who he is for it to be fresh. Default 15 minutes. A bare number is milliseconds. */
  readonly freshFor?: Duration.DurationInput | undefined
  /**
   * The app's own value that said who is signed in before accounts were there. A session that has it and no account belongs to that
   * account, which learns of it with the next request that asks, and ends none before; nothing of it is fresh until then. The entry stays the app's: write it
   * no more, and leave this out once all sessions of before are over.
   */
  readonly before?: Session.SessionEntry<Id, any> | undefined
  /**
   * The session that belongs to the account, where it is not the default one. Several kinds of account may share one, as long as a
   * visitor is signed in to one of them at a time.
   */
  readonly session?: Context.Tag<SessionSelf, Session.Session> | undefined
}

/**
 * What a guard asks for besides an account: that its visitor has proved who he is within that time (`true`: the `freshFor` of the
 * account). A bare number is milliseconds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Demand {
  readonly fresh?: boolean | Duration.DurationInput | undefined
}

/**
 * The tag of the account that is signed in, and what guards need to know of it.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountTag<Self, Id, Facts, SessionSelf> =
  & Context.Tag<Self, SignedIn<Id, Facts>>
  & {
    readonly session: Context.Tag<SessionSelf, Session.Session>
    readonly demand: (
      demand?: Demand
    ) => Effect.Effect<SignedIn<Id, Facts>, AccountRequired | Session.SessionGetError, SessionSelf>
  }

/**
 * What `Tag` makes: the tag of the account that is signed in as a class, together with what belongs to it.
 *
 * @since 0.1.0
 * @category models
 */
export type TagClass<Self, Name extends string, Id, Facts, SessionSelf> =
  & Context.TagClass<Self, Name, SignedIn<Id, Facts>>
  & SessionAccounts.Declaration<Id, Facts, SessionSelf>
  & Operations<Self, Id, Facts, SessionSelf>

/**
 * What can be done with an account.
 *
 * @since 0.1.0
 * @category models
 */
export interface Operations<Self, Id, Facts, SessionSelf> {
  /**
   * Signs in: the session of this request belongs to the account from its answer on, under a new key. Check who it is before, or
   * with `signInWith`.
   *
   * An anonymous session keeps its values. One of another account ends, and another session takes its place, with nothing of that one.
   * One of the same account stays, with a new `authenticatedAt`, and with its facts where none are given.
   *
   * Where all sessions of the account are ended before the answer, this one ends as well, and the answer is a 409. Fails with
   * `AccountLimitError` where the account may have no more sessions, and dies where `SessionAccounts` has another store than the
   * session.
   */
  readonly signIn: (
    id: Id,
    facts?: Facts | undefined
  ) => Effect.Effect<void, SignInError, SessionAccounts.SessionAccounts<SessionSelf> | SessionSelf>

  /**
   * Signs in if the check succeeds, and answers what it did: for a check that takes its time, as that of a password does. The sign-in
   * begins before it, so that where all sessions of the account are ended meanwhile, by whoever changed the password, it comes to
   * nothing: 409. What the check fails with is what this fails with. It costs a call of the store more than `signIn`.
   */
  readonly signInWith: <A, E, R>(
    id: Id,
    check: Effect.Effect<A, E, R>,
    facts?: Facts | undefined
  ) => Effect.Effect<A, E | SignInError, R | SessionAccounts.SessionAccounts<SessionSelf> | SessionSelf>

  /**
   * The account that the session of this request belongs to, `none`: to no one.
   */
  readonly current: Effect.Effect<Option.Option<SignedIn<Id, Facts>>, Session.SessionGetError, SessionSelf>

  /**
   * The account, or `AccountRequired` where there is none, or none that is as fresh as is asked.
   */
  readonly demand: (
    demand?: Demand
  ) => Effect.Effect<SignedIn<Id, Facts>, AccountRequired | Session.SessionGetError, SessionSelf>

  /**
   * Notes that the visitor has proved once more who he is, and renews the key of his session. Fails with `AccountRequired` where nobody
   * is signed in.
   */
  readonly reauthenticate: Effect.Effect<void, AccountRequired | Session.SessionInsertError, SessionSelf>

  /**
   * Signs out: the session ends, as by `purge`.
   */
  readonly signOut: Effect.Effect<void, Session.SessionInsertError, SessionSelf>

  /**
   * The guard for routes that need an account.
   */
  readonly required: <E, R>(
    app: HttpApp.Default<E, R>
  ) => HttpApp.Default<E | AccountRequired | Session.SessionGetError, Exclude<R, Self> | SessionSelf>

  /**
   * The guard for routes that need an account whose visitor has proved who he is within `freshFor`. The error says whether a password
   * would do (`NotFresh`).
   */
  readonly fresh: <E, R>(
    app: HttpApp.Default<E, R>
  ) => HttpApp.Default<E | AccountRequired | Session.SessionGetError, Exclude<R, Self> | SessionSelf>
}

/**
 * Why a sign-in came to nothing.
 *
 * @since 0.1.0
 * @category errors
 */
export type SignInError = AccountLimitError | Session.SessionInsertError

const defaultFreshness = Duration.minutes(15)

/**
 * Declares what an account is, as a class that is the tag of the account that is signed in. Its name is part of what is stored: the
 * accounts of two declarations are two, whatever their ids, and another name signs everybody out.
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <Self>() =>
<
  const Name extends string,
  Id,
  IdEncoded extends string | number,
  Facts = never,
  FactsEncoded = never,
  SessionSelf = Session.Session
>(
  name: Name,
  options: Options<Id, IdEncoded, Facts, FactsEncoded, SessionSelf>
): TagClass<Self, Name, Id, Facts, SessionSelf> => {
  const tag = Context.Tag(name)<Self, SignedIn<Id, Facts>>()
  const session: Context.Tag<SessionSelf, Session.Session> = options.session ??
    (Session.Session as Context.Tag<any, Session.Session>)
  const freshness = Duration.decode(options.freshFor ?? defaultFreshness)
  const encodeId = Schema.encodeOption(options.id)
  const decodeText = Schema.decodeOption(Schema.parseJson(Schema.Tuple(Schema.Literal(name), options.id)))
  const encodeFacts = options.facts === undefined ? Option.none : Schema.encodeOption(options.facts)
  const factsOf = options.facts === undefined
    ? () => Option.none<Facts>()
    : Schema.decodeOption(Schema.parseJson(options.facts))

  // Accounts of two declarations may have one id, and are two.
  const textStart = `[${JSON.stringify(name)},`

  const textOf = (id: Id): Option.Option<SessionSignIn.AccountText> =>
    encodeId(id).pipe(
      Option.flatMapNullable(json.toJsonText),
      Option.map((text) => `${textStart}${text}]`),
      Option.filter(SessionSignIn.isAccountText)
    )

  const owns = (account: SessionSignIn.AccountText): boolean => account.startsWith(textStart)

  const factsText = (facts: Facts) =>
    Option.match(Option.flatMapNullable(encodeFacts(facts), json.toJsonText), {
      onNone: () => noText(name, "facts"),
      onSome: Effect.succeed
    })

  const signedIn = (signIn: SignIn): Effect.Effect<SignedIn<Id, Facts>, Session.SessionGetError> =>
    Option.match(decodeText(signIn.account), {
      onNone: () => Effect.fail(wrongId(name)),
      onSome: ([, id]) =>
        Effect.succeed({
          id,
          facts: Option.flatMap(Option.fromNullable(signIn.facts), factsOf),
          signedInAt: SessionAccounts.dateOf(signIn.signedInAt),
          authenticatedAt: SessionAccounts.dateOf(signIn.authenticatedAt)
        })
    })

  const base = Effect.map(session, SessionAccounts.baseOf)

  const signInOf = (session: SessionBase): Effect.Effect<SignIn | undefined, Session.SessionGetError> =>
    Effect.flatMap(session.signIn(), (signIn) =>
      signIn !== undefined || options.before === undefined
        ? Effect.succeed(signIn)
        : Effect.map(session.get(options.before as Session.SessionEntry<Id, any>), (id) =>
          Option.getOrUndefined(Option.map(Option.flatMap(id, textOf), (account) => adopt(session, account)))))

  const current = Effect.flatMap(
    base,
    (session) =>
      Effect.flatMap(
        signInOf(session),
        (signIn) => signIn === undefined || !owns(signIn.account) ? Effect.succeedNone : Effect.asSome(signedIn(signIn))
      )
  )

  const demand = ({ fresh = false }: Demand = {}) =>
    Effect.flatMap(current, (account) => accepted(account, fresh === true ? freshness : fresh))

  const signInWith = <A, E, R>(id: Id, check: Effect.Effect<A, E, R> | undefined, facts: Facts | undefined) =>
    Effect.gen(function*() {
      const accounts = yield* SessionAccounts.forSession(session)
      const entered = yield* base
      const account = yield* Option.match(textOf(id), { onNone: () => noText(name, "id"), onSome: Effect.succeed })
      const kept = facts === undefined ? undefined : yield* factsText(facts)
      yield* sameStore(accounts, entered)
      const begun = check === undefined ? undefined : yield* begin(accounts, account)
      const answer = check === undefined ? undefined : yield* check
      yield* Effect.ignore(signInOf(entered))
      yield* entered.enter(
        account,
        kept,
        (id, lifetime, now) => admit(accounts, entered, account, id, lifetime, now, begun)
      )
      return answer as A
    })

  const operations: SessionAccounts.Declaration<Id, Facts, SessionSelf> & Operations<Self, Id, Facts, SessionSelf> = {
    session,
    textOf,
    owns,
    factsOf,
    signIn: (id, facts) => signInWith(id, undefined, facts),
    signInWith,
    current,
    demand,
    reauthenticate: Effect.flatMap(
      base,
      (session) =>
        Effect.flatMap(
          Effect.zipRight(Effect.ignore(signInOf(session)), session.proveAgain(owns)),
          (signIn) => signIn === undefined ? notSignedIn : Effect.void
        )
    ),
    signOut: Effect.flatMap(session, (session) => session.purge),
    required: guard(Object.assign(tag, { session, demand })),
    fresh: guard(Object.assign(tag, { session, demand }), { fresh: true })
  }
  return Object.assign(tag, operations)
}

/**
 * The guard for routes that need an account as it is demanded, which they then yield: a 401 without. It stands inside the middleware
 * that provides the session.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Schema from "effect/Schema"
 * import * as SessionAccount from "effect-session/SessionAccount"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * class Account extends SessionAccount.Tag<Account>()("Account", { id: Schema.NonEmptyString }) {}
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.post("/password", HttpServerResponse.text("Changed")),
 *   HttpRouter.use(SessionAccount.guard(Account, { fresh: "5 minutes" })),
 *   HttpRouter.catchTag("AccountRequired", () => HttpServerResponse.redirect("/login", { status: 303 })),
 *   SessionMiddleware.session
 * )
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const guard = <Self, Id, Facts, SessionSelf>(
  account: AccountTag<Self, Id, Facts, SessionSelf>,
  demand?: Demand
): <E, R>(
  app: HttpApp.Default<E, R>
) => HttpApp.Default<E | AccountRequired | Session.SessionGetError, Exclude<R, Self> | SessionSelf> => {
  const demanded = account.demand(demand)
  return (app) => Effect.flatMap(demanded, (signedIn) => Effect.provideService(app, account, signedIn))
}

// A store that knows no accounts is told of none.
const adopt = (session: SessionBase, account: SessionSignIn.AccountText): SignIn =>
  session instanceof RequestSession && session.accountVerbs() === undefined
    ? { account, signedInAt: 0, authenticatedAt: 0 }
    : session.adopt(account)

const notSignedIn = new AccountRequired({ reason: "NotSignedIn" })
const notFresh = new AccountRequired({ reason: "NotFresh" })

const accepted = <Id, Facts>(
  account: Option.Option<SignedIn<Id, Facts>>,
  fresh: false | Duration.DurationInput
): Effect.Effect<SignedIn<Id, Facts>, AccountRequired> =>
  Effect.withFiberRuntime((fiber) =>
    Option.isNone(account)
      ? notSignedIn
      : fresh === false ||
          nowOn(fiber) - DateTime.toEpochMillis(account.value.authenticatedAt) < Duration.toMillis(fresh)
      ? Effect.succeed(account.value)
      : notFresh
  )

const noText = (name: string, what: "id" | "facts") =>
  Effect.fail(
    new Session.SessionInsertError({
      reason: "EncodeFailed",
      message: what === "id"
        ? `The id of ${name} does not encode by its Schema as a text or a number of at most ${SessionSignIn.maxAccountBytes} bytes`
        : `The facts of ${name} do not encode as JSON by their Schema`
    })
  )

const wrongId = (name: string) =>
  new Session.SessionGetError({
    reason: "DecodeFailed",
    message: `The id of ${name} in the session does not decode by its Schema: it was written with another one`
  })

const sameStore = (
  { session: { key }, verbs }: SessionAccounts.SessionAccounts<any>,
  session: SessionBase
): Effect.Effect<void> =>
  session instanceof RequestSession && session.accountVerbs() !== verbs
    ? Effect.dieMessage(
      `SessionAccounts of ${key} has another store than the middleware of that session, and would end nothing. ` +
        "Provide one store layer to both, kept in a constant"
    )
    : Effect.void

const begin = ({ verbs }: SessionAccounts.SessionAccounts<any>, account: SessionSignIn.AccountText) =>
  Effect.withFiberRuntime<SessionSignIn.Ticket, Session.SessionInsertError>((fiber) =>
    Effect.mapError(verbs.begin(account, nowOn(fiber)), storeFailed)
  )

// Who may sign in is asked before anything of the session changes.
const admit = (
  { limit, verbs }: SessionAccounts.SessionAccounts<any>,
  session: SessionBase,
  account: SessionSignIn.AccountText,
  id: SessionId,
  lifetime: Lifetime,
  now: number,
  begun: SessionSignIn.Ticket | undefined
) => {
  return Effect.flatMap(Effect.mapError(verbs.enlist(account, id, lifetime, now), storeFailed), ({ count, ticket }) => {
    const admitted = Effect.succeed({ limit, ticket: begun ?? ticket })
    return limit?.onLimit !== "Refuse" || count <= limit.max
      ? admitted
      : Effect.flatMap(
        Effect.mapError(sessionsOfAccount(verbs, account, now), storeFailed),
        (sessions) =>
          sessions.filter((session) => session.id !== id).length < limit.max ? admitted : Effect.suspend(() => {
            if (session instanceof RequestSession) {
              session.tell(SessionEvent.LimitRefused({ id }))
            }
            return Effect.fail(
              new AccountLimitError({
                max: limit.max,
                message: `The account has ${limit.max} sessions already, and may have no more (maxPerAccount)`
              })
            )
          })
      )
  })
}

const storeFailed = (cause: SessionStore.SessionStoreError) =>
  new Session.SessionInsertError({
    reason: "StoreUnavailable",
    message: `The session store could not take note of a sign-in: ${cause.message}`,
    cause
  })
