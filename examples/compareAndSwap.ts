/**
 * A store over a backend behind a socket that can compare and swap: a table with conditional updates, a key-value service
 * with versions, a bucket that honours If-Match. The backend is two functions, everything else is here.
 */
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

type Row = SessionRecord.StoredRecord | undefined

/** What the backend keeps under an id is one text, and `undefined` stands for none. */
export interface Backend {
  readonly get: (id: SessionKey.SessionId) => Effect.Effect<string | undefined, unknown>
  /**
   * In one atomic step: puts `to` in the place of `from`, or answers `false` where `from` is not what is there. The text may
   * go by itself from `expiresAt` on (milliseconds since the epoch), and not before.
   */
  readonly swap: (
    id: SessionKey.SessionId,
    from: string | undefined,
    to: string | undefined,
    expiresAt: number
  ) => Effect.Effect<boolean, unknown>
}

const Id = Schema.String.pipe(Schema.brand("SessionId"))
const Digest = Schema.String.pipe(Schema.brand("SecretDigest"))

const RecordText = Schema.parseJson(Schema.Struct({
  id: Id,
  digest: Digest,
  superseded: Schema.Array(Schema.Struct({ digest: Digest, at: Schema.Number })),
  state: Schema.ReadonlyMap({ key: Schema.String, value: Schema.String }),
  createdAt: Schema.Number,
  extendedAt: Schema.Number,
  expiresAt: Schema.Number,
  successor: Schema.optional(Schema.Struct({ id: Id, digest: Digest }))
}))

const encode = Schema.encodeSync(RecordText)
const decode = Schema.decodeOption(RecordText)

const unavailable = (cause: unknown) => ({
  reason: "Unavailable" as const,
  message: "The backend of the session store did not carry out the call",
  cause
})

// Without a cause: what a parser complains about, it quotes, and these are the values of a session.
const malformed = (id: SessionKey.SessionId) => () => ({
  reason: "Malformed" as const,
  message: `What the backend holds for session ${id} is no session record`
})

/** Makes a store of the backend. A call that takes longer than `timeout` (default 5 seconds) fails as `Unavailable`. */
export const make = (
  backend: Backend,
  options?: { readonly timeout?: Duration.DurationInput | undefined }
): SessionStore.SessionStore => {
  const swap = (id: SessionKey.SessionId, from: string | undefined, to: Row, expiresAt: number) =>
    Effect.mapError(backend.swap(id, from, to === undefined ? undefined : encode(to), expiresAt), unavailable)

  // Once more with what is there now, for as long as somebody else is faster; the time limit ends it.
  const apply = <A>(
    id: SessionKey.SessionId,
    now: number,
    rule: (record: Row) => readonly [answer: A, next: Row]
  ) =>
    Effect.gen(function*() {
      while (true) {
        const text = yield* Effect.mapError(backend.get(id), unavailable)
        const record = text === undefined ? undefined : yield* Effect.mapError(decode(text), malformed(id))
        const [answer, next] = rule(record)
        if (next === record || (yield* swap(id, text, next, next?.expiresAt ?? now))) {
          return answer
        }
      }
    })

  const write = (key: SessionKey.SessionKey, now: number, rule: (record: Row) => SessionRecord.Rewrite) =>
    apply<SessionStore.WriteResult>(key.id, now, (record) => {
      const result = rule(record)
      if (result._tag !== "Replace") {
        return [result, record]
      }
      return [SessionStore.WriteResult.Saved({ key, expiresAt: result.record.expiresAt }), result.record]
    }).pipe(Effect.mapError((failure) => new SessionStore.UpdateError(failure)))

  return SessionStore.make({
    readKey: SessionKey.fromText,
    load: (key, now) =>
      apply(key.id, now, (record) => [SessionStore.loadResult(record, key, now), record]).pipe(
        Effect.mapError((failure) => new SessionStore.LoadError(failure))
      ),
    save: (state, lifetime, now) =>
      Effect.gen(function*() {
        while (true) {
          const key = SessionKey.mint()
          const record = SessionRecord.create(key, state, lifetime, now)
          if (yield* swap(key.id, undefined, record, record.expiresAt)) {
            return { key, expiresAt: record.expiresAt }
          }
        }
      }).pipe(Effect.mapError((failure) => new SessionStore.SaveError(failure))),
    update: (key, change, lifetime, now) =>
      write(key, now, (record) => SessionRecord.update(record, key, change, lifetime, now)),
    updateTtl: (key, lifetime, now) => write(key, now, (record) => SessionRecord.refresh(record, key, lifetime, now)),
    renew: (key, change, lifetime, now) => {
      const newKey = SessionKey.mintSecret(key.id)
      return write(newKey, now, (record) => SessionRecord.renew(record, key, newKey, change, lifetime, now))
    },
    delete: (key, now, successor) =>
      apply(key.id, now, (record) => SessionRecord.end(record, key, successor, now)).pipe(
        Effect.mapError((failure) => new SessionStore.DeleteError({ ...failure, reason: "Unavailable" }))
      )
  }, options)
}
