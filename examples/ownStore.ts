/** A complete store: docs/guides/writing-a-store.md goes through it. */
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"

type Row = SessionRecord.StoredRecord

type Rule = (record: Row | undefined, newKey: SessionKey.SessionKey) => SessionRecord.Rewrite

const make = (rows: Map<string, Row>): SessionStore.SessionStore => {
  // One atomic step: puts `to` in the place of `from`, or says that somebody else was faster.
  const compareAndSwap = (id: string, from: Row | undefined, to: Row | undefined) =>
    Effect.sync(() => rows.get(id) === from && Boolean(to ? rows.set(id, to) : rows.delete(id)))

  const apply = <A>(id: string, rule: (record: Row | undefined) => readonly [A, next: Row | undefined]) =>
    Effect.gen(function*() {
      while (true) {
        const row = yield* Effect.sync(() => rows.get(id))
        const record = structuredClone(row)
        const [answer, next] = rule(record)
        if (next === record || (yield* compareAndSwap(id, row, structuredClone(next)))) {
          return answer
        }
      }
    })

  // A rule that takes a new key finds one at hand.
  const write = (key: SessionKey.SessionKey, rule: Rule) => {
    const newKey = SessionKey.mintSecret(key.id)
    return apply<SessionStore.WriteResult>(key.id, (record) => {
      const result = rule(record, newKey)
      return result._tag === "Replace"
        ? [SessionStore.savedResult(result.record, key, newKey), result.record]
        : [result, record]
    })
  }

  return SessionStore.make({
    readKey: SessionKey.fromText,
    load: (key, now) => apply(key.id, (record) => [SessionStore.loadResult(record, key, now), record]),
    save: (state, lifetime, now) =>
      Effect.gen(function*() {
        while (true) {
          const key = SessionKey.mint()
          const record = SessionRecord.create(key, state, lifetime, now)
          if (yield* compareAndSwap(key.id, undefined, structuredClone(record))) {
            return { key, expiresAt: record.expiresAt }
          }
        }
      }),
    update: (key, change, lifetime, now) =>
      write(key, (record) => SessionRecord.update(record, key, change, lifetime, now)),
    updateTtl: (key, lifetime, now) => write(key, (record) => SessionRecord.refresh(record, key, lifetime, now)),
    renew: (key, change, lifetime, now) =>
      write(key, (record, newKey) => SessionRecord.renew(record, key, newKey, change, lifetime, now)),
    rotate: (key, change, lifetime, rotation, now) =>
      write(key, (record, newKey) => SessionRecord.rotate(record, key, newKey, change, lifetime, rotation, now)),
    delete: (key, now, successor) => apply(key.id, (record) => SessionRecord.end(record, key, successor, now))
  })
}

export const layer = Layer.scoped(
  SessionStore.SessionStore,
  Effect.gen(function*() {
    const rows = new Map<string, Row>()
    const sweep = Effect.map(Clock.currentTimeMillis, (now) => {
      rows.forEach((row, id) => SessionRecord.isExpired(row, now) && rows.delete(id))
    })
    yield* Effect.forkScoped(Effect.repeat(sweep, Schedule.spaced("1 minute")))
    return make(rows)
  })
)
