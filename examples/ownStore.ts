/** A store of your own, over any backend that can compare and swap: docs/guides/writing-a-store.md goes through it. */
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

type Stored = SessionRecord.StoredRecord | undefined

export interface Backend {
  readonly get: (id: string) => Effect.Effect<string | undefined, Error>
  /** In one atomic step: where `from` is there, puts `to` in its place. `undefined` stands for no row. */
  readonly swap: (id: string, from?: string, to?: string, expiresAt?: number) => Effect.Effect<boolean, Error>
}

const Digest = Schema.String.pipe(Schema.brand("SecretDigest"))
const RecordText = Schema.parseJson(Schema.Struct({
  id: Schema.String.pipe(Schema.brand("SessionId")),
  digest: Digest,
  superseded: Schema.Array(Schema.Struct({ digest: Digest, at: Schema.Number })),
  state: Schema.ReadonlyMap({ key: Schema.String, value: Schema.String }),
  createdAt: Schema.Number,
  expiresAt: Schema.Number,
  deadline: Schema.UndefinedOr(Schema.Number)
}))
const encode = Schema.encodeSync(RecordText)
const decode = Schema.decodeOption(RecordText)

const unavailable = (cause: Error) => ({ reason: "Unavailable" as const, message: "The backend did not answer", cause })
const malformed = () => ({ reason: "Malformed" as const, message: "The backend holds no session record" })

export const make = (backend: Backend): SessionStore.SessionStore => {
  // What a rule answers, and the record that it leaves behind.
  const apply = <A>(id: string, rule: (record: Stored, now: number) => readonly [answer: A, next: Stored]) =>
    Effect.gen(function*() {
      while (true) {
        const text = yield* Effect.mapError(backend.get(id), unavailable)
        const record = text === undefined ? undefined : yield* Effect.mapError(decode(text), malformed)
        const [answer, next] = rule(record, yield* Clock.currentTimeMillis)
        if (
          next === record ||
          (yield* Effect.mapError(backend.swap(id, text, next && encode(next), next?.expiresAt), unavailable))
        ) {
          return answer
        }
      }
    })

  const write = (key: SessionKey.SessionKey, rule: (record: Stored, now: number) => SessionRecord.Rewrite) =>
    Effect.mapError(
      apply(key.id, (record, now): readonly [SessionStore.WriteResult, Stored] => {
        const result = rule(record, now)
        return result._tag === "Replace"
          ? [
            SessionStore.WriteResult.Saved({ key, expiresAt: result.record.expiresAt, isCurrent: result.isCurrent }),
            result.record
          ]
          : [result, record]
      }),
      (failure) => new SessionStore.UpdateError(failure)
    )

  return SessionStore.make({
    readKey: SessionKey.fromText,
    load: (key) =>
      Effect.mapError(
        apply(key.id, (record, now) => [SessionStore.loadResult(record, key, now), record]),
        (failure) => new SessionStore.LoadError(failure)
      ),
    save: (state, lifetime) =>
      Effect.suspend(() => {
        const key = SessionKey.mint()
        return apply(key.id, (taken, now) => {
          const record = taken ?? SessionRecord.create(key, state, lifetime, now)
          return [{ key, expiresAt: record.expiresAt, isCurrent: taken === undefined }, record]
        })
      }).pipe(
        Effect.repeat({ until: ({ isCurrent }) => isCurrent }),
        Effect.mapError((failure) => new SessionStore.SaveError({ ...failure, reason: "Unavailable" }))
      ),
    update: (key, change, ttl) => write(key, (record, now) => SessionRecord.update(record, key, change, ttl, now)),
    updateTtl: (key, ttl) => write(key, (record, now) => SessionRecord.refresh(record, key, ttl, now)),
    renew: (key, change, ttl) =>
      Effect.suspend(() => {
        const newKey = SessionKey.mintSecret(key.id)
        return write(newKey, (record, now) => SessionRecord.renew(record, key, newKey, change, ttl, now))
      }),
    delete: (key) =>
      Effect.mapError(
        apply(key.id, (record, now) => [
          undefined,
          record === undefined || SessionRecord.mayDelete(record, key, now) ? undefined : record
        ]),
        (failure) => new SessionStore.DeleteError({ ...failure, reason: "Unavailable" })
      )
  })
}
