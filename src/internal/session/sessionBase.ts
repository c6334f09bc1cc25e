/**
 * A session over whatever loads its record: every operation that a handler has, without the request around it.
 *
 * @internal
 */
import type * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Hash from "effect/Hash"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"
import {
  type ClearSiteData,
  type CompiledEntry,
  entry,
  type Json,
  type Session,
  type SessionEntry,
  SessionGetError,
  SessionInsertError,
  type SessionStatus,
  TypeId
} from "../../Session.js"
import type { SessionId } from "../../SessionKey.js"
import * as SessionKey from "../../SessionKey.js"
import type { JsonText, Lifetime, SessionRecord } from "../../SessionRecord.js"
import type { AccountLimit, AccountText, SignIn, Ticket } from "../../SessionSignIn.js"
import * as SessionSignIn from "../../SessionSignIn.js"
import { attempt, chain, chainMatch } from "../effect/chain.js"
import { nowOn } from "../effect/clockOf.js"
import * as json from "./json.js"
import { appKeyOf, stateKeyOf } from "./reservedKeys.js"
import { type PendingSignIn, SessionLog } from "./sessionLog.js"
import { untilExpired } from "./untilExpired.js"

type LoadedRecord = Exit.Exit<SessionRecord | undefined, SessionGetError>

/**
 * What an operation is about to do to a session.
 *
 * @internal
 */
export type Change = "Write" | "Remove" | "Remember" | "Purge" | "Renew"

/**
 * What a sign-in gets from the store before it is written.
 *
 * @internal
 */
export interface Admission {
  readonly ticket: Ticket
  readonly limit: AccountLimit | undefined
}

/** What is to go on when the record is there. */
type Waiting = Array<(loaded: Exit.Exit<void, SessionGetError>) => void>

/**
 * One object a request, without closures, since every request pays for it.
 *
 * @internal
 */
export abstract class SessionBase implements Session, Equal.Equal {
  readonly [TypeId]: TypeId = TypeId
  // No printer, copier or serializer gets at a private field, whatever it is told to ignore or to show. It may call the getters
  // of a class, and calls no method.
  readonly #log: SessionLog<SessionGetError | SessionInsertError> = new SessionLog()
  #loading: Effect.Effect<SessionRecord | undefined, SessionGetError> | undefined = undefined
  #outcome: Exit.Exit<void, SessionGetError> | undefined = undefined
  #waiting: Waiting | undefined = undefined

  protected log(): SessionLog<SessionGetError | SessionInsertError> {
    return this.#log
  }

  protected outcome(): Exit.Exit<void, SessionGetError> | undefined {
    return this.#outcome
  }

  // Whenever a fiber's context is set, Effect hashes all that it holds; what has no hash of its own is entered into a table first.
  [Hash.symbol](): number {
    return 0
  }

  [Equal.symbol](that: unknown): boolean {
    return this === that
  }

  // A session that is logged or printed says what was done to it, and nothing of its cookie or its values.
  toJSON(): unknown {
    return { _id: "effect-session/Session", status: this.#log.status }
  }

  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }

  /** Asks for the record as of now. It is called at most once, and only when an operation needs the state. */
  protected abstract load(now: number): Effect.Effect<SessionRecord | undefined, SessionGetError>

  /** Waits for the end of the session that was loaded. Where nobody tells of another, it is when that record expires. */
  protected untilEnded(record: SessionRecord): Effect.Effect<void> {
    return untilExpired(record)
  }

  /** Whether there is a policy for remembered sessions. */
  protected get canRemember(): boolean {
    return true
  }

  /** Why such a change cannot be made in this place, where it cannot. It is asked when the record is loaded, or none needed. */
  protected refusalOf(_change: Change): SessionInsertError | undefined {
    return undefined
  }

  /** How many bytes keys and values may have together. */
  protected get maxStateBytes(): number {
    return Infinity
  }

  get<A, R>(...args: EntryArgs<A, R>): Effect.Effect<Option.Option<A>, SessionGetError, R> {
    const entry = toEntry(args)
    return this.whenLoaded(() => decodeValue(entry, this.#log.read(stateKeyOf(entry.key))))
  }

  insert<A, R>(...args: EntryArgs<A, R, [value: A]>): Effect.Effect<void, SessionInsertError, R> {
    const entry = toEntry(args)
    return Effect.withFiberRuntime((fiber) =>
      chain(
        encodeValue(entry, args[args.length - 1] as A),
        (text) =>
          chain(
            this.writable(fiber),
            () => this.setNow(entry.key, text, (stateKey) => this.#log.assign(stateKey, text))
          )
      )
    )
  }

  update<A, R>(
    ...args: EntryArgs<A, R, [f: (value: A) => A]>
  ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R> {
    return this.derive(toEntry(args), Option.map(args[args.length - 1] as (value: A) => A), identity)
  }

  updateOr<A, R>(
    ...args: EntryArgs<A, R, [orElse: A, f: (value: A) => A]>
  ): Effect.Effect<A, SessionGetError | SessionInsertError, R> {
    const orElse = args[args.length - 2] as A
    const f = args[args.length - 1] as (value: A) => A
    return this.derive(
      toEntry(args),
      (value) => Option.some(Option.match(value, { onNone: () => orElse, onSome: f })),
      Option.getOrElse(() => orElse)
    )
  }

  remove(
    key: string | { readonly key: string }
  ): Effect.Effect<Option.Option<Json>, SessionGetError | SessionInsertError> {
    return this.take(
      keyOf(key),
      (text) => text === undefined ? Effect.succeedNone : Exit.map(parseValue(keyOf(key), text), Option.some)
    )
  }

  removeAs<A, R>(
    ...args: EntryArgs<A, R>
  ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R> {
    const entry = toEntry(args)
    return this.take(entry.key, (text) => decodeValue(entry, text))
  }

  contains(key: string | { readonly key: string }): Effect.Effect<boolean, SessionGetError> {
    return this.whenLoaded(() => Effect.succeed(this.#log.read(stateKeyOf(keyOf(key))) !== undefined))
  }

  get entries(): Effect.Effect<ReadonlyMap<string, Json>, SessionGetError> {
    return this.whenLoaded(() =>
      Effect.gen(this, function*() {
        const entries = new Map<string, Json>()
        for (const [stateKey, text] of this.#log.values()) {
          const key = appKeyOf(stateKey)
          entries.set(key, yield* parseValue(key, text))
        }
        return entries
      })
    )
  }

  get status(): Effect.Effect<SessionStatus> {
    return Effect.sync(() => {
      this.#log.isTouched = true
      return this.#log.status
    })
  }

  get id(): Effect.Effect<Option.Option<SessionId>, SessionGetError> {
    return this.fact((record) => Option.some(record.id))
  }

  get createdAt(): Effect.Effect<Option.Option<DateTime.Utc>, SessionGetError> {
    return this.fact((record) => DateTime.make(record.createdAt))
  }

  get expiresAt(): Effect.Effect<Option.Option<DateTime.Utc>, SessionGetError> {
    return this.fact((record) => DateTime.make(record.expiresAt))
  }

  get timeLeft(): Effect.Effect<Option.Option<Duration.Duration>, SessionGetError> {
    return this.fact((record, now) => Option.some(Duration.millis(Math.max(0, record.expiresAt - now))))
  }

  get ended(): Effect.Effect<void, SessionGetError> {
    return this.whenLoaded(() => {
      const { record } = this.#log
      return record === undefined ? Effect.void : this.untilEnded(record)
    })
  }

  get isRemembered(): Effect.Effect<boolean, SessionGetError> {
    return this.whenLoaded(() => Effect.succeed(this.canRemember && this.#log.isRemembered))
  }

  remember(isOn = true): Effect.Effect<void, SessionInsertError> {
    return Effect.withFiberRuntime((fiber) =>
      this.canRemember
        ? chain(this.writable(fiber), () => this.markNow("Remember", () => this.#log.remember(isOn)))
        : Effect.fail(
          new SessionInsertError({
            reason: "NotConfigured",
            message: "The session cannot be remembered: give the lifecycle a rememberMe, such as " +
              "Config.BrowserSession({ rememberMe: \"30 days\" })"
          })
        )
    )
  }

  get clear(): Effect.Effect<void, SessionInsertError> {
    return Effect.withFiberRuntime((fiber) =>
      chain(this.writable(fiber), () => this.markNow("Remove", () => this.#log.clear()))
    )
  }

  get purge(): Effect.Effect<void, SessionInsertError> {
    return this.mark("Purge", () => this.#log.purge())
  }

  purgeWith(
    options: { readonly clearSiteData: ReadonlyArray<ClearSiteData> }
  ): Effect.Effect<void, SessionInsertError> {
    return this.mark("Purge", () => this.#log.purge(options.clearSiteData))
  }

  get renew(): Effect.Effect<void, SessionInsertError> {
    return this.mark("Renew", () => this.#log.renew())
  }

  /** The account that the session belongs to, and since when. */
  signIn(): Effect.Effect<SignIn | undefined, SessionGetError> {
    return this.whenLoaded(() => Effect.succeed(this.#log.signIn))
  }

  /**
   * Lets the session come to an account once it is admitted. One that belongs to another account ends, and a new one takes its place.
   * A sign-in to the same account keeps since when the session belongs to it, and the facts where none are given.
   */
  enter<E, R>(
    account: AccountText,
    facts: JsonText | undefined,
    admit: (id: SessionId, lifetime: Lifetime, now: number) => Effect.Effect<Admission, E, R>
  ): Effect.Effect<void, E | SessionInsertError, R> {
    return Effect.withFiberRuntime((fiber) =>
      chain(
        this.writable(fiber),
        () =>
          chain(this.markNow("Renew", () => this.sessionFor(account)), (session) =>
            Effect.flatMap(admit(session.id, this.lifetime(), nowOn(fiber)), ({ limit, ticket }) =>
              this.enterNow(facts, nowOn(fiber), { account, ...session, limit, ticket })))
      )
    )
  }

  /**
   * Lets the session come to an account that it belonged to before this library knew of accounts. When its visitor proved who he is
   * nobody knows. Where it is too late for that, the next request does it.
   */
  adopt(account: AccountText): SignIn {
    const { isTooLate, record, signIn } = this.#log
    const adopted = { account, signedInAt: record?.createdAt ?? 0, authenticatedAt: 0 }
    if (record !== undefined && signIn === undefined && !isTooLate) {
      this.#log.adopt(adopted, record.id)
    }
    return adopted
  }

  /** Notes that the visitor has proved once more who he is, or does nothing where the session belongs to no account of that kind. */
  proveAgain(isOwn: (account: AccountText) => boolean): Effect.Effect<SignIn | undefined, SessionInsertError> {
    return Effect.withFiberRuntime((fiber) =>
      chain(this.writable(fiber), () => {
        const { signIn } = this.#log
        const again = signIn && isOwn(signIn.account) ? { ...signIn, authenticatedAt: nowOn(fiber) } : undefined
        return again === undefined ? Effect.succeed(undefined) : this.keepNow(again, () => this.#log.keepSignIn(again))
      })
    )
  }

  /** The sign-in of this request that is not committed yet. */
  pendingSignIn(): PendingSignIn | undefined {
    return this.#log.pendingSignIn
  }

  /** Gives it another ticket. */
  replaceTicket(ticket: Ticket): void {
    const { pendingSignIn } = this.#log
    this.#log.pendingSignIn = pendingSignIn && { ...pendingSignIn, ticket, isSpared: true }
  }

  /** How long the session may live by the limits that hold now. */
  protected lifetime(): Lifetime {
    return { ttl: Infinity, maxLifetime: undefined }
  }

  // It is one to come where this request has none, and where it has one of another account.
  private sessionFor(account: AccountText): Pick<PendingSignIn, "id" | "key"> {
    const { pendingSignIn, record, signIn } = this.#log
    const isOfOther = signIn !== undefined && signIn.account !== account
    const drawn = isOfOther ? undefined : pendingSignIn?.key
    if (drawn === undefined && record !== undefined && !isOfOther) {
      return { id: record.id, key: undefined }
    }
    const key = drawn ?? SessionKey.mint()
    return { id: key.id, key }
  }

  // The store may have taken its time, in which another fiber of this request may have done something else.
  private enterNow(
    facts: JsonText | undefined,
    now: number,
    pending: PendingSignIn
  ): Effect.Effect<void, SessionInsertError> {
    const { account } = pending
    const found = this.#log.signIn
    const before = found?.account === account ? found : undefined
    const kept = facts ?? before?.facts
    const signIn = {
      account,
      signedInAt: before?.signedInAt ?? now,
      authenticatedAt: now,
      ...(kept === undefined ? {} : { facts: kept })
    }
    return Effect.asVoid(this.keepNow(signIn, () => {
      if (before !== found) {
        this.#log.purge()
      }
      // Of two sign-ins of one request, what came between counts for both.
      const { pendingSignIn } = this.#log
      this.#log.enter(
        signIn,
        pendingSignIn?.id === pending.id
          ? { ...pending, ticket: pendingSignIn.ticket ?? pending.ticket }
          : pending
      )
    }))
  }

  private keepNow(signIn: SignIn, keep: () => void): Effect.Effect<SignIn, SessionInsertError> {
    const isTooLarge = SessionSignIn.toEntries(signIn).some(([key, text]) =>
      this.#log.outgrows(key, text, this.maxStateBytes)
    )
    return isTooLarge
      ? Effect.fail(tooLarge(SessionSignIn.signInKey, this.maxStateBytes))
      : this.markNow("Renew", () => {
        keep()
        return signIn
      })
  }

  /** Goes on when the state may be read, in one step of the fiber where nothing has to be waited for. */
  private whenLoaded<A, E, R>(
    next: (fiber: Fiber.RuntimeFiber<unknown, unknown>) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | SessionGetError, R> {
    return Effect.withFiberRuntime((fiber) => chain(this.loaded(fiber), () => next(fiber)))
  }

  /** Loads the record on first use, and shares that one load. */
  private loaded(fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<void, SessionGetError> {
    this.#log.isTouched = true
    // A purge leaves nothing to load: what comes after it belongs to a new session.
    return this.#log.status === "Purged" ? Exit.void : this.#outcome ?? this.loadOnce(fiber)
  }

  // Whoever comes first asks for the record, and whoever then comes first waits for it: between the two a fiber may give way, and be
  // interrupted. The wait itself is not, because other fibers may share it. They are kept in a plain list, since few requests
  // have such fibers, and each would pay for a Deferred.
  private loadOnce(fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<void, SessionGetError> {
    const loading = this.#loading ??= attempt(() => this.load(nowOn(fiber)))
    if (Exit.isExit(loading)) {
      return this.loadEnded(loading as LoadedRecord)
    }
    return Effect.uninterruptibleMask((restore) => {
      if (this.#outcome !== undefined || this.#waiting !== undefined) {
        return this.#outcome ?? restore(this.wait())
      }
      this.#waiting = []
      return Effect.flatMap(Effect.exit(loading), (exit) => this.loadEnded(exit))
    })
  }

  private loadEnded(exit: LoadedRecord): Exit.Exit<void, SessionGetError> {
    if (Exit.isSuccess(exit)) {
      this.#log.loaded(exit.value)
    }
    const outcome = this.#outcome = Exit.asVoid(exit)
    for (const resume of this.#waiting ?? []) {
      resume(outcome)
    }
    return outcome
  }

  private wait(): Effect.Effect<void, SessionGetError> {
    return Effect.async((resume) => {
      if (this.#outcome === undefined) {
        this.#waiting?.push(resume)
      } else {
        resume(this.#outcome)
      }
    })
  }

  /** A change that needs no state. */
  private mark<A>(kind: Change, change: () => A): Effect.Effect<A, SessionInsertError> {
    return Effect.suspend(() => this.markNow(kind, change))
  }

  private markNow<A>(kind: Change, change: () => A): Effect.Effect<A, SessionInsertError> {
    this.#log.isTouched = true
    const refusal = this.#log.isTooLate ? tooLate() : this.refusalOf(kind)
    return refusal === undefined ? Effect.succeed(change()) : Effect.fail(refusal)
  }

  /** A change of one value, if the session may be as large as this makes it. */
  private setNow<A>(
    key: string,
    text: JsonText | undefined,
    change: (stateKey: string) => A
  ): Effect.Effect<A, SessionInsertError> {
    const stateKey = stateKeyOf(key)
    return this.#log.outgrows(stateKey, text, this.maxStateBytes)
      ? Effect.fail(tooLarge(key, this.maxStateBytes))
      : this.markNow(text === undefined ? "Remove" : "Write", () => change(stateKey))
  }

  /** What a change to the state has to wait for. */
  private writable(fiber: Fiber.RuntimeFiber<unknown, unknown>): Effect.Effect<void, SessionInsertError> {
    return this.#log.isTooLate ? Effect.fail(tooLate()) : chainMatch(this.loaded(fiber), {
      onSuccess: () => Exit.void,
      onFailure: (error) => Effect.fail(toInsertError(error))
    })
  }

  /** Takes a value away, and goes on with it. */
  private take<A, E, R>(
    key: string,
    next: (text: JsonText | undefined) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | SessionInsertError, R> {
    const stateKey = stateKeyOf(key)
    const taken = () => {
      const text = this.#log.read(stateKey)
      this.#log.assign(stateKey, undefined)
      return text
    }
    return Effect.withFiberRuntime((fiber) =>
      chain(chain(this.writable(fiber), () => this.markNow("Remove", taken)), next)
    )
  }

  private derive<A, R, B>(
    entry: CompiledEntry<A, R>,
    f: (value: Option.Option<A>) => Option.Option<A>,
    answer: (value: Option.Option<A>) => B
  ): Effect.Effect<B, SessionGetError | SessionInsertError, R> {
    const compute = (
      stored: JsonText | undefined
    ): Effect.Effect<Derived<A>, SessionGetError | SessionInsertError, R> =>
      chain(decodeValue(entry, stored), (found): Effect.Effect<Derived<A>, SessionInsertError, R> => {
        const value = f(found)
        return Option.isNone(value)
          ? Effect.succeed({ value, text: undefined })
          : chain(encodeValue(entry, value.value), (text) => Effect.succeed({ value, text }))
      })
    const deriveWith = (context: Context.Context<R>): Effect.Effect<B, SessionGetError | SessionInsertError, R> => {
      const again = (stored: JsonText | undefined) =>
        Effect.provide(Effect.map(Effect.suspend(() => compute(stored)), ({ text }) => text), context)
      const stored = this.#log.read(stateKeyOf(entry.key))
      return chain(compute(stored), ({ text, value }) =>
        // A Schema may wait, and another fiber of this request write the same key meanwhile.
        this.#log.read(stateKeyOf(entry.key)) === stored
          ? chain(
            this.setNow(entry.key, text, (stateKey) => this.#log.derive(stateKey, text, again)),
            () => Effect.succeed(answer(value))
          )
          : deriveWith(context))
    }
    return this.whenLoaded((fiber) => deriveWith(fiber.currentContext as Context.Context<R>))
  }

  // A record from elsewhere may hold a time that no date can express, which is then none.
  private fact<A>(
    f: (record: SessionRecord, now: number) => Option.Option<A>
  ): Effect.Effect<Option.Option<A>, SessionGetError> {
    return this.whenLoaded((fiber) =>
      Effect.succeed(Option.flatMap(Option.fromNullable(this.#log.record), (record) => f(record, nowOn(fiber))))
    )
  }
}

interface Derived<A> {
  readonly value: Option.Option<A>
  readonly text: JsonText | undefined
}

type EntryArgs<A, R, Rest extends ReadonlyArray<unknown> = []> =
  | [entry: SessionEntry<A, any, R>, ...rest: Rest]
  | [key: string, schema: Schema.Schema<A, any, R>, ...rest: Rest]

const toEntry = <A, R>(args: EntryArgs<A, R, any>): CompiledEntry<A, R> =>
  typeof args[0] === "string"
    ? entry(args[0], args[1] as Schema.Schema<A, unknown, R>) as CompiledEntry<A, R>
    : args[0] as CompiledEntry<A, R>

const keyOf = (key: string | { readonly key: string }): string => typeof key === "string" ? key : key.key

/**
 * What whoever writes after the commit is told.
 *
 * @internal
 */
export const tooLate = (): SessionInsertError =>
  new SessionInsertError({
    reason: "ResponseSent",
    message: "The session cannot be changed any more: it was committed before the response was sent. " +
      "Change it in the handler, not in a streamed body or in a fiber that outlives the handler."
  })

const tooLarge = (key: string, maxStateBytes: number): SessionInsertError =>
  new SessionInsertError({
    reason: "TooLarge",
    key,
    message:
      `The value for the session key ${JSON.stringify(key)} would make the session larger than ${maxStateBytes} ` +
      "bytes. Keep what is large elsewhere and its name in the session, or raise maxStateBytes."
  })

const toInsertError = (error: SessionGetError | SessionInsertError): SessionInsertError =>
  error._tag === "SessionInsertError"
    ? error
    : new SessionInsertError({ reason: "StoreUnavailable", message: error.message, cause: error.cause })

const parseValue = (key: string, text: JsonText): Exit.Exit<Json, SessionGetError> => {
  try {
    return Exit.succeed(JSON.parse(text) as Json)
  } catch {
    return Exit.fail(
      new SessionGetError({
        reason: "DecodeFailed",
        key,
        message: `The store holds something else than JSON under the session key ${JSON.stringify(key)}`
      })
    )
  }
}

// What most Schemas answer is an Either already, which needs no fiber to look into it.
const matchParsed = <A, R, A2, E2>(
  parsed: Effect.Effect<A, ParseResult.ParseError, R>,
  options: {
    readonly onSuccess: (value: A) => Effect.Effect<A2, E2>
    readonly onFailure: () => Effect.Effect<A2, E2>
  }
): Effect.Effect<A2, E2, R> =>
  Either.isEither(parsed)
    ? Either.match(parsed as Either.Either<A, ParseResult.ParseError>, {
      onLeft: options.onFailure,
      onRight: options.onSuccess
    })
    : Effect.matchEffect(parsed, options)

const decodeValue = <A, R>(
  entry: CompiledEntry<A, R>,
  text: JsonText | undefined
): Effect.Effect<Option.Option<A>, SessionGetError, R> =>
  text === undefined ? Effect.succeedNone : chain(
    parseValue(entry.key, text),
    (value) =>
      matchParsed(entry.decode(value), {
        onSuccess: Effect.succeedSome,
        // The parse error itself quotes the value, so it goes no further.
        onFailure: () =>
          Effect.fail(
            new SessionGetError({
              reason: "DecodeFailed",
              key: entry.key,
              message: `The session value ${JSON.stringify(entry.key)} does not decode as ${typeName(entry)}: ` +
                "it was written with another Schema. Give the Schema a default for it, or remove the value."
            })
          )
      })
  )

const encodeValue = <A, R>(entry: CompiledEntry<A, R>, value: A): Effect.Effect<JsonText, SessionInsertError, R> =>
  matchParsed(entry.encode(value), {
    onFailure: () =>
      Effect.fail(
        new SessionInsertError({
          reason: "EncodeFailed",
          key: entry.key,
          message: `The value for the session key ${JSON.stringify(entry.key)} does not encode as ${typeName(entry)}`
        })
      ),
    onSuccess: (encoded) => {
      const text = json.toJsonText(encoded)
      return text === undefined
        ? Effect.fail(
          new SessionInsertError({
            reason: "NotJson",
            key: entry.key,
            message:
              `The value for the session key ${JSON.stringify(entry.key)} is not JSON after ${typeName(entry)} ` +
              "encoded it. Use a Schema whose encoded side is JSON, such as Schema.Date for a date."
          })
        )
        : Effect.succeed(text)
    }
  })

const maxTypeName = 200

const typeName = (entry: SessionEntry<any, any, any>): string => {
  const name = String(entry.schema.ast)
  return name.length > maxTypeName ? `${name.slice(0, maxTypeName)}…` : name
}
