/**
 * Sessions in the cookie itself: no server keeps anything, and the whole state travels with each request.
 *
 * What that costs: a session cannot be revoked. `purge` takes the cookie away from the browser, but a copy of it opens the
 * session until it expires; `renew` does not make older copies void; and parallel requests overwrite each other's
 * writes. Expiry and the absolute limit are sealed inside, so that they hold whatever a browser does. State and seal
 * have to fit into 4096 bytes together with the cookie's name.
 *
 * @example
 * ```ts
 * import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
 *
 * const Store = CookieSessionStore.layer
 * ```
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { decodeRecord, encodeRecord } from "../internal/cookie/recordText.js"
import * as SessionKey from "../SessionKey.js"
import * as SessionRecord from "../SessionRecord.js"
import * as SessionStore from "../SessionStore.js"

const keyOf = (record: SessionRecord.SessionRecord): SessionKey.SessionKey =>
  SessionKey.make(record.id, encodeRecord(record))

type ReadRecord = Either.Either<SessionRecord.SessionRecord, string>

// A request reads its cookie once: what stood there stays with the key, for as long as somebody has the key.
const records = new WeakMap<SessionKey.SessionKey, ReadRecord>()

const read = (key: SessionKey.SessionKey): ReadRecord => {
  let record = records.get(key)
  if (record === undefined) {
    records.set(key, record = decodeRecord(key.id, SessionKey.toText(key).slice(SessionKey.idLength + 1)))
  }
  return record
}

const saved = (record: SessionRecord.SessionRecord) => ({ key: keyOf(record), expiresAt: record.expiresAt })

const malformed = (key: SessionKey.SessionKey, problem: string) => ({
  reason: "Malformed" as const,
  message: `The cookie of session ${key.id} does not hold a session record: ${problem}`
})

// The record that the key carries, while it lives; there is no other.
const withRecord = (
  key: SessionKey.SessionKey,
  now: number,
  limit: (record: SessionRecord.SessionRecord) => number,
  rewrite: (record: SessionRecord.SessionRecord) => SessionStore.WriteResult
): Exit.Exit<SessionStore.WriteResult, SessionStore.UpdateError> =>
  Either.match(read(key), {
    onLeft: (problem) => Exit.fail(new SessionStore.UpdateError(malformed(key, problem))),
    onRight: (record) =>
      Exit.succeed(
        SessionRecord.isExpired(record, now) || now >= limit(record)
          ? SessionStore.WriteResult.Gone()
          : rewrite(record)
      )
  })

const rewritten = (
  record: SessionRecord.SessionRecord,
  state: SessionRecord.SessionState,
  lifetime: SessionRecord.Lifetime,
  extendedAt: number,
  now: number
): SessionStore.WriteResult => {
  const expiresAt = SessionRecord.expiresAt(now, record.createdAt, lifetime)
  return SessionStore.WriteResult.Saved(saved({ ...record, state, extendedAt, expiresAt }))
}

const update: SessionStore.SessionStore["update"] = (key, change, lifetime, now) =>
  withRecord(
    key,
    now,
    ({ createdAt }) => SessionRecord.deadline(createdAt, lifetime),
    (record) =>
      SessionRecord.meetsExpectations(record.state, change)
        // Each state of a session is later than the one that it came from, whatever the clock says.
        ? rewritten(
          record,
          SessionRecord.applyChange(record.state, change),
          lifetime,
          Math.max(now, record.extendedAt + 1),
          now
        )
        : SessionStore.WriteResult.Conflict({ found: SessionRecord.foundInstead(record.state, change) })
  )

/**
 * The store, which keeps nothing and so is the same for everybody.
 *
 * @since 0.1.0
 * @category constructors
 */
export const store: SessionStore.SessionStore = SessionStore.make({
  readKey: SessionKey.split,
  cookieHolds: "State",
  load: (key, now) =>
    Either.match(read(key), {
      onLeft: (problem) => Exit.fail(new SessionStore.LoadError(malformed(key, problem))),
      onRight: (record) =>
        Exit.succeed(
          SessionRecord.isExpired(record, now)
            ? SessionStore.LoadResult.Absent()
            // The map is its reader's.
            : SessionStore.LoadResult.Live({ record: { ...record, state: new Map(record.state) } })
        )
    }),
  save: (state, lifetime, now) => {
    const expiresAt = SessionRecord.expiresAt(now, now, lifetime)
    return Exit.succeed(saved({ id: SessionKey.mintId(), state, createdAt: now, extendedAt: now, expiresAt }))
  },
  update,
  updateTtl: (key, lifetime, now) =>
    withRecord(
      key,
      now,
      (record) => SessionRecord.endsAt(record, lifetime),
      (record) => rewritten(record, record.state, lifetime, Math.max(now, record.extendedAt), now)
    ),
  renew: update,
  delete: () => Exit.succeed(true)
}, { timeout: "none" })

/**
 * The store as a Layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<SessionStore.SessionStore> = Layer.succeed(SessionStore.SessionStore, store)
