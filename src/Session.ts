/**
 * What a handler yields: the session of the current request, with values typed by Schema.
 *
 * Nothing is read, opened or stored until an operation needs it; the first one that needs the state loads it once.
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
import * as Context from "effect/Context"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { respondable, respondWith } from "./internal/http/errorResponse.js"
import type { SessionId } from "./SessionKey.js"

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
export type SessionStatus = "Unchanged" | "Changed" | "Renewed" | "Purged"

/**
 * A value as the session state keeps it, Schema-encoded.
 *
 * @since 0.1.0
 * @category models
 */
export type Json = null | boolean | number | string | ReadonlyArray<Json> | { readonly [key: string]: Json }

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
 * no `rememberMe`. `TooLarge`: the session would outgrow `maxStateBytes`.
 *
 * Two more come where an answer has no status of its own to say it, as a message of a WebSocket. `NeedsCookie`: the change needs a
 * cookie, and none can be set any more. `WritesLost`: the session has ended meanwhile, or a renewal has replaced its key.
 *
 * Messages name the key and the type, never a value.
 *
 * @since 0.1.0
 * @category errors
 */
export class SessionInsertError extends Schema.TaggedError<SessionInsertError>("effect-session/SessionInsertError")(
  "SessionInsertError",
  {
    reason: Schema.Literal(
      "EncodeFailed",
      "NotJson",
      "StoreUnavailable",
      "ResponseSent",
      "NotConfigured",
      "TooLarge",
      "NeedsCookie",
      "WritesLost"
    ),
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

/**
 * An entry with its Schema compiled.
 *
 * @internal
 */
export interface CompiledEntry<A, R> extends SessionEntry<A, unknown, R> {
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
export type ClearSiteData = "cache" | "cookies" | "storage" | "executionContexts" | "*"

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
   * All values by key, as JSON. What this library keeps beside them is left out.
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
   * Completes when the session of this request has ended: by a `purge` in whichever request, or because it expired or was
   * removed. At once where there is none (any more, or yet: one that this request began counts from the next request on). It can
   * be awaited by several fibers, also in a streamed body or behind a WebSocket, and is interrupted at any time:
   *
   *     Stream.interruptWhen(events, session.ended)
   *
   * A renewal is no end; another session that began in the place of this one is. A store that cannot be reached ends
   * nothing: it is asked again until it says. How soon it is known depends on the store: at once in memory, and in Redis by a
   * message; others are asked every few seconds. A session that is kept in its cookie has no record that could be asked for,
   * and ends for this request when that cookie expires.
   */
  readonly ended: Effect.Effect<void, SessionGetError>

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
