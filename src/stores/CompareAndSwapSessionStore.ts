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
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SessionKey from "../SessionKey.js"
import * as SessionRecord from "../SessionRecord.js"
import type { AccountDigest, AccountText } from "../SessionSignIn.js"
import * as SessionSignIn from "../SessionSignIn.js"
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
 * early. Nothing else depends on it. `account` is what the row is to be found by where the backend has `accounts`, `undefined`: nothing;
 * without, it may be left out of account.
 *
 * @since 0.1.0
 * @category models
 */
export interface Backend<in out Version> {
  /** The row of the id, as the last write that was answered has left it; `undefined`: none. */
  readonly get: (id: SessionKey.SessionId) => Effect.Effect<Row<Version> | undefined, unknown>
  /** Puts a text where there is none. */
  readonly insert: (
    id: SessionKey.SessionId,
    text: string,
    expiresAt: number,
    account: AccountDigest | undefined
  ) => Effect.Effect<boolean, unknown>
  /** Puts a text in the place of the row with that version. */
  readonly replace: (
    id: SessionKey.SessionId,
    version: Version,
    text: string,
    expiresAt: number,
    account: AccountDigest | undefined
  ) => Effect.Effect<boolean, unknown>
  /** Takes the row with that version away. */
  readonly remove: (id: SessionKey.SessionId, version: Version) => Effect.Effect<boolean, unknown>
  /** Finds rows by their accounts. A backend without it makes a store that serves no `SessionAccounts`. */
  readonly accounts?: BackendAccounts<Version> | undefined
}

/**
 * What a backend does that finds rows by their accounts. Its answers show all that was answered before, of rows and of epochs alike: an
 * index that follows the rows after a while is none.
 *
 * An epoch is a text that stands beside the rows, one for an account, and need not be kept for longer than it says.
 *
 * @since 0.1.0
 * @category models
 */
export interface BackendAccounts<out Version> {
  /** Rows of the account by their ids, those after `after` (`undefined`: from the first one on), at most `limit`. */
  readonly rowsOf: (
    account: AccountDigest,
    after: string | undefined,
    limit: number
  ) => Effect.Effect<ReadonlyArray<AccountRow<Version>>, unknown>
  /** How many rows the account has, and its epoch; `undefined`: none, or it is past its time. */
  readonly stateOf: (account: AccountDigest) => Effect.Effect<AccountState, unknown>
  /**
   * Puts an epoch in the place of that one (`undefined`: where there is none, or it is past its time), and keeps it until `keepUntil` at
   * least, in milliseconds since the epoch of time. One atomic step, which answers whether it was carried out.
   */
  readonly moveEpoch: (
    account: AccountDigest,
    from: string | undefined,
    to: string,
    keepUntil: number
  ) => Effect.Effect<boolean, unknown>
}

/**
 * A row and the id that it stands under.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountRow<out Version> extends Row<Version> {
  readonly id: SessionKey.SessionId
}

/**
 * What a backend knows of an account. The rows that are counted may have expired.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountState {
  readonly epoch: string | undefined
  readonly count: number
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
  /**
   * How often at most whoever waits for the end of a session (`Session.ended`) has the backend read: a `get` each time, for each
   * one who waits. So long may it take until the end is known. Default 5 seconds.
   */
  readonly pollEvery?: Duration.DurationInput | undefined
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
    id: SessionKey.SessionId,
    row: Row<Version> | undefined
  ): Effect.Effect<Stored, Failure<"Malformed">> =>
    row === undefined
      ? Effect.succeed(undefined)
      : Effect.mapError(Option.filter(decode(row.text), (record) => record.id === id), () => malformed(id))

  const get = (id: SessionKey.SessionId) => Effect.mapError(backend.get(id), unavailable)

  const swap = (id: SessionKey.SessionId, { version }: Row<Version>, next: Stored) =>
    Effect.mapError(
      next === undefined
        ? backend.remove(id, version)
        : backend.replace(id, version, encode(next), next.expiresAt, accountOf(next)),
      refused
    )

  // What was read before may not be there any more, which only a swap tells: no answer goes by it alone.
  const applyTo = <A>(
    row: Row<Version> | undefined,
    isOfNow: boolean,
    id: SessionKey.SessionId,
    rule: Rule<A>
  ): Effect.Effect<A, Failure> =>
    Effect.flatMap(read(id, row), (record) => {
      const [answer, next] = rule(record)
      return row !== undefined && next !== record
        ? Effect.flatMap(swap(id, row, next), (isDone) => isDone ? Effect.succeed(answer) : applyAnew(id, rule))
        : isOfNow
        ? Effect.succeed(answer)
        : applyAnew(id, rule)
    })

  // Once more with what is there now, for as long as somebody else is faster; the time limit ends it.
  const applyAnew = <A>(id: SessionKey.SessionId, rule: Rule<A>): Effect.Effect<A, Failure> =>
    Effect.flatMap(get(id), (row) => applyTo(row, true, id, rule))

  const apply = <A>(key: SessionKey.SessionKey, rule: Rule<A>): Effect.Effect<A, Failure> => {
    const row = loaded.get(key)
    loaded.delete(key)
    return row === undefined ? applyAnew(key.id, rule) : applyTo(row, false, key.id, rule)
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
    Effect.flatMap(get(key.id), (row) =>
      Effect.map(read(key.id, row), (record) => {
        if (row !== undefined) {
          loaded.set(key, row)
        }
        return SessionStore.loadResult(record, key, now)
      })).pipe(Effect.mapError((failure) => new SessionStore.LoadError(failure)))

  const save: SessionStore.SessionStore["save"] = (state, lifetime, now, key = SessionKey.mint()) => {
    const record = SessionRecord.create(key, state, lifetime, now)
    return Effect.matchEffect(backend.insert(key.id, encode(record), record.expiresAt, accountOf(record)), {
      onFailure: (error) => Effect.fail(new SessionStore.SaveError(refused(error))),
      onSuccess: (isDone) => isDone ? Effect.succeed({ key, expiresAt: record.expiresAt }) : save(state, lifetime, now)
    })
  }

  const find: SessionStore.EndingVerbs["find"] = (id, now) =>
    Effect.flatMap(get(id), (row) => read(id, row)).pipe(
      Effect.map((record) => SessionStore.foundRecord(record, now)),
      Effect.mapError((failure) => new SessionStore.LoadError(failure))
    )

  const pollMillis = Duration.toMillis(options?.pollEvery ?? SessionStore.defaultPollEvery)

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
        deleteFailed
      ),
    endings: { find, pollEvery: () => pollMillis },
    accounts: backend.accounts && accountsOver(backend.accounts, { read, applyTo, applyAnew })
  }, options)
}

/** What the store does with a record of the backend. */
interface Records<Version> {
  readonly read: (id: SessionKey.SessionId, row: Row<Version>) => Effect.Effect<Stored, Failure<"Malformed">>
  readonly applyTo: (
    row: Row<Version>,
    isOfNow: boolean,
    id: SessionKey.SessionId,
    rule: Rule<boolean>
  ) => Effect.Effect<boolean, Failure>
  readonly applyAnew: (id: SessionKey.SessionId, rule: Rule<boolean>) => Effect.Effect<boolean, Failure>
}

// How many sessions of an account are read in one call, and how many of them are ended side by side.
const rowsPerCall = 128
const endedAtOnce = 8

const accountsOver = <Version>(
  { moveEpoch, rowsOf, stateOf }: BackendAccounts<Version>,
  { applyAnew, applyTo, read }: Records<Version>
): SessionStore.AccountVerbs => {
  const stateNow = (account: AccountText) =>
    Effect.mapError(
      stateOf(SessionSignIn.digest(account)),
      (cause) => new SessionStore.UpdateError(unavailable(cause))
    )

  const pageAfter = (account: AccountText, after: string | undefined) =>
    Effect.map(Effect.mapError(rowsOf(SessionSignIn.digest(account), after, rowsPerCall), unavailable), (rows) => ({
      rows,
      next: rows.length < rowsPerCall ? undefined : rows.at(-1)!.id
    }))

  const endIf = (account: AccountText, now: number): Rule<boolean> => (record) =>
    SessionSignIn.isSignedInTo(record, account, now) ? [true, undefined] : [false, record]

  // Whoever else moves it ends all sessions as well, so that it does not matter who is first.
  const moveNow = (
    account: AccountDigest,
    now: number
  ): Effect.Effect<{ readonly before: string | undefined; readonly epoch: string }, Failure> =>
    Effect.flatMap(Effect.mapError(stateOf(account), unavailable), ({ epoch: before }) => {
      const epoch = SessionKey.mintId()
      return Effect.flatMap(
        Effect.mapError(moveEpoch(account, before, epoch, now + SessionSignIn.epochRetention), unavailable),
        (isDone) => isDone ? Effect.succeed({ before, epoch }) : moveNow(account, now)
      )
    })

  const endRows = (
    account: AccountText,
    now: number,
    spared: SessionKey.SessionId | undefined,
    after: string | undefined,
    ended: Array<SessionKey.SessionId>
  ): Effect.Effect<Array<SessionKey.SessionId>, Failure> =>
    Effect.flatMap(pageAfter(account, after), ({ next, rows }) =>
      Effect.zipRight(
        Effect.forEach(rows, (row) =>
          row.id === spared ? Effect.void : Effect.map(
            ifMalformed(applyTo(row, false, row.id, endIf(account, now)), false),
            (isEnded) => isEnded && ended.push(row.id)
          ), { concurrency: endedAtOnce, discard: true }),
        next === undefined ? Effect.succeed(ended) : endRows(account, now, spared, next, ended)
      ))

  return {
    begin: (account, now) => Effect.map(stateNow(account), ({ epoch }) => ({ epoch, at: now })),
    enlist: (account, _id, _lifetime, now) =>
      Effect.map(stateNow(account), ({ count, epoch }) => ({ ticket: { epoch, at: now }, count: count + 1 })),
    confirm: (account, _id, ticket, _lifetime, now) =>
      Effect.map(stateNow(account), ({ count, epoch }) =>
        SessionSignIn.isVoid(ticket, epoch, now)
          ? SessionStore.Confirmation.Void()
          : SessionStore.Confirmation.Confirmed({ count })),
    list: (account, now, after) =>
      Effect.flatMap(pageAfter(account, after), ({ next, rows }) =>
        Effect.map(
          Effect.forEach(rows, (row) => Effect.orElseSucceed(read(row.id, row), () => undefined)),
          (records) => ({
            records: records.filter((record) => record !== undefined)
              .filter((record) => SessionSignIn.isSignedInTo(record, account, now)),
            next
          })
        )).pipe(
          Effect.mapError((failure) => new SessionStore.LoadError(failure))
        ),
    end: (account, id, now) => Effect.mapError(ifMalformed(applyAnew(id, endIf(account, now)), false), deleteFailed),
    // The epoch comes first: a sign-in that reads it after has its row among these, or finds that it has moved.
    endAll: (account, now, spared) =>
      Effect.flatMap(
        moveNow(SessionSignIn.digest(account), now),
        ({ before, epoch }) =>
          Effect.map(endRows(account, now, spared?.id, undefined, []), (ended) => ({
            ended,
            ticket: spared?.ticket && SessionSignIn.movedTicket(spared.ticket, before, epoch, now)
          }))
      ).pipe(Effect.mapError(deleteFailed))
  }
}

// What is no record is no session of anybody, and keeps nobody from the others.
const ifMalformed = <A, B>(self: Effect.Effect<A, Failure>, orElse: B): Effect.Effect<A | B, Failure> =>
  Effect.catchIf(self, ({ reason }) => reason === "Malformed", () => Effect.succeed(orElse))

const deleteFailed = (failure: Failure) => new SessionStore.DeleteError({ ...failure, reason: "Unavailable" })

const accountOf = ({ state }: SessionRecord.StoredRecord): AccountDigest | undefined => {
  const account = SessionSignIn.accountOf(state)
  return account === undefined ? undefined : SessionSignIn.digest(account)
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
