/**
 * What a handler yields: the session of the current request, with values typed by Schema.
 *
 * Nothing is read, decrypted or stored until an operation needs it; the first one that needs the state loads it once.
 * What the operations changed is stored when the handler is done, before the response is sent.
 *
 * @example
 * ```ts
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 *
 * const Counter = Session.entry("counter", Schema.NonNegativeInt)
 *
 * const index = Effect.gen(function*() {
 *   const session = yield* Session.Session
 *   const count = yield* session.updateOr(Counter, 1, (n) => n + 1)
 *   return HttpServerResponse.text(`Visit number ${count}`)
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { respondable, respondWith } from "./internal/errorResponse.js"
import * as json from "./internal/json.js"
import { SessionLog } from "./internal/sessionLog.js"
import type * as sessionStatus from "./internal/sessionStatus.js"
import type { SessionId } from "./SessionKey.js"
import type { JsonText, SessionRecord } from "./SessionRecord.js"

/**
 * Marks the objects that are sessions.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId = "~effect-session/Session"

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * What the current request did to its session so far. `Renewed` outlives later changes, `Purged` outlives everything.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionStatus = sessionStatus.SessionStatus

/**
 * A value as the session state keeps it, Schema-encoded.
 *
 * @since 0.1.0
 * @category models
 */
export type Json = json.Json

/**
 * A session could not be read. `DecodeFailed`: the stored value is not what the Schema says. `StoreUnavailable`: the store
 * could not say whether there is a session, which is not the same as having none.
 *
 * Messages name the key and the type, never a value.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionGetError extends Schema.TaggedError<SessionGetError>("effect-session/SessionGetError")(
  "SessionGetError",
  {
    reason: Schema.Literal("DecodeFailed", "StoreUnavailable"),
    key: Schema.optional(Schema.String),
    message: Schema.String,
    cause: Schema.optional(Schema.Defect)
  }
) {
  /**
   * 503 for `StoreUnavailable`, 500 for the others, with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(this.reason === "StoreUnavailable" ? 503 : 500)
  }
}

/**
 * A session could not be changed, and was not. `EncodeFailed`: the value is not what the Schema says. `NotJson`: what
 * the Schema made of the value is not JSON. `StoreUnavailable` as for `SessionGetError`. `ResponseSent`: the session was
 * committed already, as in a streamed body or in a fiber that outlived its handler. `NotConfigured`: the lifecycle knows
 * no `rememberMe`.
 *
 * Messages name the key and the type, never a value.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionInsertError extends Schema.TaggedError<SessionInsertError>("effect-session/SessionInsertError")(
  "SessionInsertError",
  {
    reason: Schema.Literal("EncodeFailed", "NotJson", "StoreUnavailable", "ResponseSent", "NotConfigured"),
    key: Schema.optional(Schema.String),
    message: Schema.String,
    cause: Schema.optional(Schema.Defect)
  }
) {
  /**
   * 503 for `StoreUnavailable`, 500 for the others, with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(this.reason === "StoreUnavailable" ? 503 : 500)
  }
}

/**
 * Marks the objects that are session entries.
 *
 * @since 0.1.0
 * @category type ids
 */
export const EntryTypeId = "~effect-session/Session/Entry"

/**
 * The type of `EntryTypeId`.
 *
 * @since 0.1.0
 * @category type ids
 */
export type EntryTypeId = typeof EntryTypeId

/**
 * A key of the session state together with the Schema of its value. Declare it once, beside the code that owns the value.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionEntry<in out A, in out I = A, out R = never> {
  readonly [EntryTypeId]: EntryTypeId
  readonly key: string
  readonly schema: Schema.Schema<A, I, R>
}

interface CompiledEntry<A, R> extends SessionEntry<A, unknown, R> {
  readonly decode: (encoded: unknown) => Effect.Effect<A, ParseResult.ParseError, R>
  readonly encode: (value: A) => Effect.Effect<unknown, ParseResult.ParseError, R>
}

/**
 * Declares a session entry: any string is a key, any Schema whose encoded side is JSON describes a value.
 *
 * @since 0.1.0
 * @category constructors
 */
export const entry = <A, I, R>(key: string, schema: Schema.Schema<A, I, R>): SessionEntry<A, I, R> => {
  const compiled: Omit<CompiledEntry<A, R>, "schema"> & SessionEntry<A, I, R> = {
    [EntryTypeId]: EntryTypeId,
    key,
    schema,
    decode: Schema.decodeUnknown(schema),
    encode: Schema.encode(schema)
  }
  return compiled
}

/**
 * What the browser is asked to forget besides the cookie, as in the header `Clear-Site-Data`.
 *
 * @see https://www.w3.org/TR/clear-site-data/
 * @since 0.1.0
 * @category models
 */
export type ClearSiteData = sessionStatus.ClearSiteData

/**
 * The session of the current request. Each typed operation takes an entry, or a key and a Schema.
 *
 * Once the response is on its way, as in a streamed body, the session can still be read; what would change it fails with
 * `ResponseSent`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Session {
  readonly [TypeId]: TypeId

  /**
   * The value of a key, `none` when it is absent.
   */
  readonly get: {
    <A, I, R>(entry: SessionEntry<A, I, R>): Effect.Effect<Option.Option<A>, SessionGetError, R>
    <A, I, R>(key: string, schema: Schema.Schema<A, I, R>): Effect.Effect<Option.Option<A>, SessionGetError, R>
  }

  /**
   * Sets a key. The value that is there already is no change; a failed insert changes nothing.
   */
  readonly insert: {
    <A, I, R>(entry: SessionEntry<A, I, R>, value: A): Effect.Effect<void, SessionInsertError, R>
    <A, I, R>(key: string, schema: Schema.Schema<A, I, R>, value: A): Effect.Effect<void, SessionInsertError, R>
  }

  /**
   * Replaces a value by what the pure `f` makes of it, and answers the new one; an absent key stays absent. When a
   * parallel request changed the same key meanwhile, `f` runs again on its value before this request is committed, so
   * that both count.
   */
  readonly update: {
    <A, I, R>(
      entry: SessionEntry<A, I, R>,
      f: (value: A) => A
    ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R>
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      f: (value: A) => A
    ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R>
  }

  /**
   * Does what `update` does, and inserts `orElse` as it is when the key is absent.
   */
  readonly updateOr: {
    <A, I, R>(
      entry: SessionEntry<A, I, R>,
      orElse: A,
      f: (value: A) => A
    ): Effect.Effect<A, SessionGetError | SessionInsertError, R>
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>,
      orElse: A,
      f: (value: A) => A
    ): Effect.Effect<A, SessionGetError | SessionInsertError, R>
  }

  /**
   * Removes a key and answers the JSON value that was there. An absent key is no change.
   */
  readonly remove: (
    key: string | { readonly key: string }
  ) => Effect.Effect<Option.Option<Json>, SessionGetError | SessionInsertError>

  /**
   * Removes a key and answers the value that was there. The key is removed also when its value does not decode.
   */
  readonly removeAs: {
    <A, I, R>(
      entry: SessionEntry<A, I, R>
    ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R>
    <A, I, R>(
      key: string,
      schema: Schema.Schema<A, I, R>
    ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R>
  }

  /**
   * Whether a key has a value.
   */
  readonly contains: (key: string | { readonly key: string }) => Effect.Effect<boolean, SessionGetError>

  /**
   * All values by key, as JSON. Keys that begin with `~effect-session/` belong to this library and are left out.
   */
  readonly entries: Effect.Effect<ReadonlyMap<string, Json>, SessionGetError>

  /**
   * What this request did to the session so far.
   */
  readonly status: Effect.Effect<SessionStatus>

  /**
   * The public id of the stored session, `none` when there is none (yet, or any more). It stays the same when the session is
   * renewed, proves nothing, and may be logged.
   */
  readonly id: Effect.Effect<Option.Option<SessionId>, SessionGetError>

  /**
   * When the stored session was created.
   */
  readonly createdAt: Effect.Effect<Option.Option<DateTime.Utc>, SessionGetError>

  /**
   * When the stored session expires, as this request found it.
   */
  readonly expiresAt: Effect.Effect<Option.Option<DateTime.Utc>, SessionGetError>

  /**
   * How long the stored session has yet to live, from what this request found, and never less than zero.
   */
  readonly timeLeft: Effect.Effect<Option.Option<Duration.Duration>, SessionGetError>

  /**
   * Whether the session is remembered, which is what `remember` says of it.
   */
  readonly isRemembered: Effect.Effect<boolean, SessionGetError>

  /**
   * Remembers the session ("stay signed in"): its cookie outlives the browser, and cookie and record live for the
   * lifecycle's `rememberMe` instead of its `ttl`. `remember(false)` goes back to the `ttl`. It holds until the session
   * ends, and makes no session where there is none. Fails with `NotConfigured` where the lifecycle has no `rememberMe`.
   */
  readonly remember: (isOn?: boolean) => Effect.Effect<void, SessionInsertError>

  /**
   * Removes every value that this request sees. The session itself stays.
   */
  readonly clear: Effect.Effect<void, SessionInsertError>

  /**
   * Ends the session: its record and its cookie go, whatever parallel requests do. A later insert in the same request
   * starts a new session.
   */
  readonly purge: Effect.Effect<void, SessionInsertError>

  /**
   * Does what `purge` does, and asks the browser to forget more than the cookie: the response has `Clear-Site-Data`.
   * Browsers honour it over HTTPS only. Where the same request starts a new session, `cookies` is left out, which would
   * take the new cookie away.
   */
  readonly purgeWith: (options: {
    readonly clearSiteData: ReadonlyArray<ClearSiteData>
  }) => Effect.Effect<void, SessionInsertError>

  /**
   * Gives the session a new secret and the browser a new cookie; the old cookie is void. Do this whenever the user's
   * privileges change, above all at login (session fixation; ASVS 7.2.4).
   */
  readonly renew: Effect.Effect<void, SessionInsertError>
}

/**
 * How a handler asks for the session of its request: `yield* Session.Session`.
 *
 * @since 0.1.0
 * @category tags
 */
export const Session: Context.Tag<Session, Session> = Context.GenericTag<Session>("effect-session/Session")

/**
 * A session over whatever loads its record. One object a request, without closures, since every request pays for it.
 *
 * @internal
 */
export abstract class SessionBase implements Session {
  readonly [TypeId]: TypeId = TypeId
  protected readonly log: SessionLog<SessionGetError | SessionInsertError> = new SessionLog()
  protected outcome: Exit.Exit<void, SessionGetError> | undefined = undefined
  private waiting: Array<(loaded: Exit.Exit<void, SessionGetError>) => void> | undefined = undefined

  // A session that is logged or printed says what was done to it, and nothing of its cookie or its values.
  toJSON(): unknown {
    return { _id: "effect-session/Session", status: this.log.status }
  }

  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toJSON()
  }

  /** Asks for the record. It is called at most once, and only when an operation needs the state. */
  protected abstract load(): Effect.Effect<SessionRecord | undefined, SessionGetError>

  /** Whether there is a policy for remembered sessions. */
  protected get canRemember(): boolean {
    return true
  }

  get<A, R>(...args: EntryArgs<A, R>): Effect.Effect<Option.Option<A>, SessionGetError, R> {
    const entry = toEntry(args)
    return this.whenLoaded(() => decodeValue(entry, this.log.read(entry.key)))
  }

  insert<A, R>(...args: EntryArgs<A, R, [value: A]>): Effect.Effect<void, SessionInsertError, R> {
    const entry = toEntry(args)
    return Effect.flatMap(
      encodeValue(entry, args[args.length - 1] as A),
      (text) => this.write(() => this.log.assign(entry.key, text))
    )
  }

  update<A, R>(
    ...args: EntryArgs<A, R, [f: (value: A) => A]>
  ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R> {
    return this.derive(toEntry(args), Option.map(args[args.length - 1] as (value: A) => A))
  }

  updateOr<A, R>(
    ...args: EntryArgs<A, R, [orElse: A, f: (value: A) => A]>
  ): Effect.Effect<A, SessionGetError | SessionInsertError, R> {
    const orElse = args[args.length - 2] as A
    const f = args[args.length - 1] as (value: A) => A
    return Effect.map(
      this.derive(toEntry(args), (value) => Option.some(Option.match(value, { onNone: () => orElse, onSome: f }))),
      Option.getOrElse(() => orElse)
    )
  }

  remove(
    key: string | { readonly key: string }
  ): Effect.Effect<Option.Option<Json>, SessionGetError | SessionInsertError> {
    return Effect.flatMap(
      this.take(keyOf(key)),
      (text) => text === undefined ? Effect.succeedNone : Effect.asSome(parseValue(keyOf(key), text))
    )
  }

  removeAs<A, R>(
    ...args: EntryArgs<A, R>
  ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R> {
    const entry = toEntry(args)
    return Effect.flatMap(this.take(entry.key), (text) => decodeValue(entry, text))
  }

  contains(key: string | { readonly key: string }): Effect.Effect<boolean, SessionGetError> {
    return this.whenLoaded(() => Effect.succeed(this.log.read(keyOf(key)) !== undefined))
  }

  get entries(): Effect.Effect<ReadonlyMap<string, Json>, SessionGetError> {
    return this.whenLoaded(() =>
      Effect.gen(this, function*() {
        const entries = new Map<string, Json>()
        for (const [key, text] of this.log.values()) {
          entries.set(key, yield* parseValue(key, text))
        }
        return entries
      })
    )
  }

  get status(): Effect.Effect<SessionStatus> {
    return Effect.sync(() => {
      this.log.isTouched = true
      return this.log.status
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
    return Effect.zipWith(
      this.fact((record) => Option.some(record.expiresAt)),
      Clock.currentTimeMillis,
      (expiresAt, now) => Option.map(expiresAt, (at) => Duration.millis(Math.max(0, at - now)))
    )
  }

  get isRemembered(): Effect.Effect<boolean, SessionGetError> {
    return this.whenLoaded(() => Effect.succeed(this.canRemember && this.log.isRemembered))
  }

  remember(isOn = true): Effect.Effect<void, SessionInsertError> {
    return Effect.suspend(() =>
      this.canRemember
        ? this.write(() => this.log.remember(isOn))
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
    return this.write(() => this.log.clear())
  }

  get purge(): Effect.Effect<void, SessionInsertError> {
    return this.mark(() => this.log.purge())
  }

  purgeWith(
    options: { readonly clearSiteData: ReadonlyArray<ClearSiteData> }
  ): Effect.Effect<void, SessionInsertError> {
    return this.mark(() => this.log.purge(options.clearSiteData))
  }

  get renew(): Effect.Effect<void, SessionInsertError> {
    return this.mark(() => this.log.renew())
  }

  /** Goes on when the state may be read: loads the record on first use, and shares that one load. */
  private whenLoaded<A, E, R>(
    next: () => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | SessionGetError, R> {
    return Effect.suspend(() => {
      this.log.isTouched = true
      // A purge leaves nothing to load: what comes after it belongs to a new session.
      if (this.log.status === "Purged" || this.outcome?._tag === "Success") {
        return next()
      }
      const loaded = this.outcome ??
        (this.waiting === undefined ? this.loadOnce(this.waiting = []) : this.wait(this.waiting))
      return Effect.flatMap(loaded, next)
    })
  }

  // Uninterruptible, because other fibers may be waiting for the load that this one began. They are kept in a plain list,
  // since few requests have such fibers, and each would pay for a Deferred.
  private loadOnce(waiting: NonNullable<typeof this.waiting>): Effect.Effect<void, SessionGetError> {
    const finish = (exit: Exit.Exit<void, SessionGetError>) => {
      this.outcome = exit
      for (const resume of waiting) {
        resume(exit)
      }
      return exit
    }
    return Effect.uninterruptible(Effect.matchCauseEffect(this.load(), {
      onSuccess: (record) => {
        this.log.loaded(record)
        return finish(Exit.void)
      },
      onFailure: (cause) => finish(Exit.failCause(cause))
    }))
  }

  private wait(waiting: NonNullable<typeof this.waiting>): Effect.Effect<void, SessionGetError> {
    return Effect.async((resume) => {
      waiting.push(resume)
    })
  }

  /** A change that needs no state. */
  private mark<A>(change: () => A): Effect.Effect<A, SessionInsertError> {
    return Effect.suspend(() => {
      this.log.isTouched = true
      return this.log.isCommitted ? Effect.fail(tooLate()) : Effect.succeed(change())
    })
  }

  /** A change to the state. */
  private write<A>(change: () => A): Effect.Effect<A, SessionInsertError> {
    return Effect.suspend(() => {
      if (this.log.isCommitted) {
        return Effect.fail(tooLate())
      }
      return this.outcome?._tag === "Success"
        ? this.mark(change)
        : Effect.mapError(this.whenLoaded(() => this.mark(change)), toInsertError)
    })
  }

  private take(key: string): Effect.Effect<JsonText | undefined, SessionInsertError> {
    return this.write(() => {
      const text = this.log.read(key)
      this.log.assign(key, undefined)
      return text
    })
  }

  private derive<A, R>(
    entry: CompiledEntry<A, R>,
    f: (value: Option.Option<A>) => Option.Option<A>
  ): Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R> {
    return Effect.contextWithEffect((context: Context.Context<R>) => {
      const compute = (
        stored: JsonText | undefined
      ): Effect.Effect<Derived<A>, SessionGetError | SessionInsertError, R> =>
        Effect.flatMap(decodeValue(entry, stored), (found): Effect.Effect<Derived<A>, SessionInsertError, R> => {
          const value = f(found)
          return Option.isNone(value)
            ? Effect.succeed({ value, text: undefined })
            : Effect.map(encodeValue(entry, value.value), (text) => ({ value, text }))
        })
      const again = (stored: JsonText | undefined) =>
        Effect.provide(Effect.map(compute(stored), ({ text }) => text), context)
      const attempt: Effect.Effect<Option.Option<A>, SessionGetError | SessionInsertError, R> = Effect.suspend(() => {
        const stored = this.log.read(entry.key)
        return Effect.flatMap(compute(stored), ({ text, value }) =>
          // A Schema may wait, and another fiber of this request write the same key meanwhile.
          this.log.read(entry.key) === stored
            ? Effect.as(this.mark(() => this.log.derive(entry.key, text, again)), value)
            : attempt)
      })
      return this.whenLoaded(() => attempt)
    })
  }

  // A record from elsewhere may hold a time that no date can express, which is then none.
  private fact<A>(f: (record: SessionRecord) => Option.Option<A>): Effect.Effect<Option.Option<A>, SessionGetError> {
    return this.whenLoaded(() => Effect.succeed(Option.flatMap(Option.fromNullable(this.log.record), f)))
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

const tooLate = (): SessionInsertError =>
  new SessionInsertError({
    reason: "ResponseSent",
    message: "The session cannot be changed any more: it was committed before the response was sent. " +
      "Change it in the handler, not in a streamed body or in a fiber that outlives the handler."
  })

const toInsertError = (error: SessionGetError | SessionInsertError): SessionInsertError =>
  error._tag === "SessionInsertError"
    ? error
    : new SessionInsertError({ reason: "StoreUnavailable", message: error.message, cause: error.cause })

const parseValue = (key: string, text: JsonText): Effect.Effect<Json, SessionGetError> => {
  try {
    return Effect.succeed(JSON.parse(text) as Json)
  } catch {
    return Effect.fail(
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
  text === undefined ? Effect.succeedNone : Effect.flatMap(
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
