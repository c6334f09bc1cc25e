/**
 * Sessions in any backend that can insert a row if there is none and replace one if nobody else has: a table of an SQL database,
 * DynamoDB, MongoDB, Deno KV, etcd, Consul, NATS, a bucket that honours `If-Match`. The backend is four functions; what a session
 * store promises is kept here, by the rules of `SessionRecord`.
 *
 * A load is one call of the backend. A write is one where the row that its request has loaded is still the one that is there, and
 * two otherwise, for each time that somebody else was faster.
 *
 * @example
 * ```ts
 * import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
 * import * as Effect from "effect/Effect"
 *
 * const rows = new Map<string, CompareAndSwapSessionStore.Row<number>>()
 *
 * const store = CompareAndSwapSessionStore.make<number>({
 *   get: (id) => Effect.sync(() => rows.get(id)),
 *   insert: (id, text) => Effect.sync(() => !rows.has(id) && Boolean(rows.set(id, { text, version: 1 }))),
 *   replace: (id, version, text) =>
 *     Effect.sync(() => rows.get(id)?.version === version && Boolean(rows.set(id, { text, version: version + 1 }))),
 *   remove: (id, version) => Effect.sync(() => rows.get(id)?.version === version && rows.delete(id))
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SessionKey from "../SessionKey.js"
import * as SessionRecord from "../SessionRecord.js"
import * as SessionStore from "../SessionStore.js"

/**
 * What the backend keeps under an id: a text, and what tells this row from each that stands there before or after it. That may be a
 * version number, a revision, an ETag, or the text itself.
 *
 * @since 0.1.0
 * @category models
 */
export interface Row<out Version> {
  readonly text: string
  readonly version: Version
}

/**
 * What the backend does. Each write is one atomic step, conditional as it says, and answers whether it was carried out: `false`
 * is for a condition that did not hold and nothing else. A call that fails says why with a `BackendError`; whatever else it fails
 * with becomes the `cause` of an error that ends up in logs, so it should not quote the text.
 *
 * `expiresAt` (milliseconds since the epoch) is for the backend's own removal of what has expired, which may come late and not
 * early. Nothing else depends on it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend<in out Version> {
  /** The row of the id, as the last write that was answered has left it; `undefined`: none. */
  readonly get: (id: SessionKey.SessionId) => Effect.Effect<Row<Version> | undefined, unknown>
  /** Puts a text where there is none. */
  readonly insert: (id: SessionKey.SessionId, text: string, expiresAt: number) => Effect.Effect<boolean, unknown>
  /** Puts a text in the place of the row with that version. */
  readonly replace: (
    id: SessionKey.SessionId,
    version: Version,
    text: string,
    expiresAt: number
  ) => Effect.Effect<boolean, unknown>
  /** Takes the row with that version away. */
  readonly remove: (id: SessionKey.SessionId, version: Version) => Effect.Effect<boolean, unknown>
}

/**
 * What went wrong in the backend, in words that the store's error takes over. `TooLarge`, of `insert` and `replace`: the backend
 * takes no text of that length.
 *
 * @since 0.1.0
 * @category errors
 */
export class BackendError extends Schema.TaggedError<BackendError>("effect-session/BackendError")("BackendError", {
  reason: Schema.Literal("Unavailable", "TooLarge"),
  message: Schema.String,
  cause: Schema.optional(Schema.Defect)
}) {}

/**
 * What the store can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface CompareAndSwapOptions {
  /** How long a call of the store may take, the backend's calls in it together: then it is `Unavailable`. Default 5 seconds. */
  readonly timeout?: Duration.DurationInput | "none" | undefined
}

const Id = Schema.String.pipe(Schema.brand("SessionId"))
const Digest = Schema.String.pipe(Schema.brand("SecretDigest"))

const RecordText = Schema.parseJson(Schema.Struct({
  id: Id,
  digest: Digest,
  superseded: Schema.Array(Schema.Struct({
    digest: Digest,
    at: Schema.Number,
    graceEndsAt: Schema.optional(Schema.Union(Schema.Number, Schema.Literal("Open")))
  })),
  state: Schema.ReadonlyMap({ key: Schema.String, value: Schema.String }),
  createdAt: Schema.Number,
  extendedAt: Schema.Number,
  expiresAt: Schema.Number,
  successor: Schema.optional(Schema.Struct({ id: Id, digest: Digest }))
}))

const encode = Schema.encodeSync(RecordText)
const decode = Schema.decodeOption(RecordText)

interface Failure<Reason extends string = "Unavailable" | "TooLarge" | "Malformed"> {
  readonly reason: Reason
  readonly message: string
  readonly cause?: unknown
}

const refused = (error: unknown): Failure<"Unavailable" | "TooLarge"> =>
  error instanceof BackendError
    ? { reason: error.reason, message: error.message, ...(error.cause === undefined ? {} : { cause: error.cause }) }
    : {
      reason: "Unavailable",
      message: "The backend of the session store did not carry out the call",
      cause: error
    }

// Only what is written can be too large.
const unavailable = (error: unknown): Failure<"Unavailable"> => ({ ...refused(error), reason: "Unavailable" })

// Without a cause: what a parser complains about, it quotes, and these are the values of a session.
const malformed = (id: SessionKey.SessionId): Failure<"Malformed"> => ({
  reason: "Malformed",
  message: `What the backend holds for session ${id} is no session record`
})

type Stored = SessionRecord.StoredRecord | undefined

/** From what is stored to the answer, and to what is to be stored then: the same, if nothing is to change. */
type Rule<A> = (record: Stored) => readonly [answer: A, next: Stored]

/**
 * Makes a store of the backend.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <Version>(
  backend: Backend<Version>,
  options?: CompareAndSwapOptions
): SessionStore.SessionStore => {
  // What a request has loaded stays with its key until it writes, which spares the write a read.
  const loaded = new WeakMap<SessionKey.SessionKey, Row<Version>>()

  const read = (
    { id }: SessionKey.SessionKey,
    row: Row<Version> | undefined
  ): Effect.Effect<Stored, Failure<"Malformed">> =>
    row === undefined
      ? Effect.succeed(undefined)
      : Effect.mapError(Option.filter(decode(row.text), (record) => record.id === id), () => malformed(id))

  const get = (key: SessionKey.SessionKey) => Effect.mapError(backend.get(key.id), unavailable)

  const swap = (id: SessionKey.SessionId, { version }: Row<Version>, next: Stored) =>
    Effect.mapError(
      next === undefined
        ? backend.remove(id, version)
        : backend.replace(id, version, encode(next), next.expiresAt),
      refused
    )

  // What was loaded may not be there any more, which only a swap tells: no answer goes by it alone.
  const applyTo = <A>(
    row: Row<Version> | undefined,
    isOfNow: boolean,
    key: SessionKey.SessionKey,
    rule: Rule<A>
  ): Effect.Effect<A, Failure> =>
    Effect.flatMap(read(key, row), (record) => {
      const [answer, next] = rule(record)
      return row !== undefined && next !== record
        ? Effect.flatMap(swap(key.id, row, next), (isDone) => isDone ? Effect.succeed(answer) : applyAnew(key, rule))
        : isOfNow
        ? Effect.succeed(answer)
        : applyAnew(key, rule)
    })

  // Once more with what is there now, for as long as somebody else is faster; the time limit ends it.
  const applyAnew = <A>(key: SessionKey.SessionKey, rule: Rule<A>): Effect.Effect<A, Failure> =>
    Effect.flatMap(get(key), (row) => applyTo(row, true, key, rule))

  const apply = <A>(key: SessionKey.SessionKey, rule: Rule<A>): Effect.Effect<A, Failure> => {
    const row = loaded.get(key)
    loaded.delete(key)
    return row === undefined ? applyAnew(key, rule) : applyTo(row, false, key, rule)
  }

  const write = (
    key: SessionKey.SessionKey,
    rule: (record: Stored) => SessionRecord.Rewrite,
    newKey?: SessionKey.SessionKey
  ): Effect.Effect<SessionStore.WriteResult, SessionStore.UpdateError> =>
    Effect.mapError(
      apply<SessionStore.WriteResult>(key, (record) => {
        const result = rule(record)
        return result._tag === "Replace"
          ? [SessionStore.savedResult(result.record, key, newKey), result.record]
          : [result, record]
      }),
      (failure) => new SessionStore.UpdateError(failure)
    )

  const load: SessionStore.SessionStore["load"] = (key, now) =>
    Effect.flatMap(get(key), (row) =>
      Effect.map(read(key, row), (record) => {
        if (row !== undefined) {
          loaded.set(key, row)
        }
        return SessionStore.loadResult(record, key, now)
      })).pipe(Effect.mapError((failure) => new SessionStore.LoadError(failure)))

  const save: SessionStore.SessionStore["save"] = (state, lifetime, now) => {
    const key = SessionKey.mint()
    const record = SessionRecord.create(key, state, lifetime, now)
    return Effect.matchEffect(backend.insert(key.id, encode(record), record.expiresAt), {
      onFailure: (error) => Effect.fail(new SessionStore.SaveError(refused(error))),
      onSuccess: (isDone) => isDone ? Effect.succeed({ key, expiresAt: record.expiresAt }) : save(state, lifetime, now)
    })
  }

  return SessionStore.make({
    readKey: SessionKey.fromText,
    load,
    save,
    update: (key, change, lifetime, now) =>
      write(key, (record) => SessionRecord.update(record, key, change, lifetime, now)),
    updateTtl: (key, lifetime, now) => write(key, (record) => SessionRecord.refresh(record, key, lifetime, now)),
    renew: (key, change, lifetime, now) => {
      const newKey = SessionKey.mintSecret(key.id)
      return write(key, (record) => SessionRecord.renew(record, key, newKey, change, lifetime, now), newKey)
    },
    rotate: (key, change, lifetime, rotation, now) => {
      const newKey = SessionKey.mintSecret(key.id)
      return write(
        key,
        (record) => SessionRecord.rotate(record, key, newKey, change, lifetime, rotation, now),
        newKey
      )
    },
    delete: (key, now, successor) =>
      Effect.mapError(
        apply(key, (record) => SessionRecord.end(record, key, successor, now)),
        (failure) => new SessionStore.DeleteError({ ...failure, reason: "Unavailable" })
      )
  }, options)
}

/**
 * The store as a Layer, over a backend that is made with it. See `make`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <Version, E, R>(
  backend: Effect.Effect<Backend<Version>, E, R>,
  options?: CompareAndSwapOptions
): Layer.Layer<SessionStore.SessionStore, E, R> =>
  Layer.effect(SessionStore.SessionStore, Effect.map(backend, (backend) => make(backend, options)))
