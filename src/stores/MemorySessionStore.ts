/**
 * Sessions in the memory of this process: for development, for tests, and for apps that run as one process and may lose
 * their sessions when it ends.
 *
 * The number of sessions is bounded; the one that nobody used for the longest time goes first. Expired sessions go by
 * themselves, a few with each call, so that no timer runs and no call waits for a sweep.
 *
 * @example
 * ```ts
 * import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
 *
 * const Store = MemorySessionStore.layer({ capacity: 10_000 })
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { LRUCache } from "lru-cache"
import { ExpiryBuckets } from "../internal/expiryBuckets.js"
import * as SessionKey from "../SessionKey.js"
import * as SessionRecord from "../SessionRecord.js"
import * as SessionStore from "../SessionStore.js"

/**
 * What the store can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface MemorySessionStoreOptions {
  /** How many sessions are kept at most: 1 to 16 777 216. Default 100 000. Room for all of them is taken at once. */
  readonly capacity?: number | undefined
}

const defaultCapacity = 100_000

// What a `Map` can hold.
const maxCapacity = 2 ** 24

// Each call removes more expired records than it can add, and never so many that anybody waits for it.
const sweptPerCall = 16

interface Kept {
  record: SessionRecord.StoredRecord
  bucket: number
}

/**
 * Makes a store of its own memory. Fails when `capacity` is not an integer from 1 to 16 777 216.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options?: MemorySessionStoreOptions
): Effect.Effect<SessionStore.SessionStore, SessionStore.SessionStoreConfigError> =>
  Effect.suspend(() => {
    const capacity = options?.capacity ?? defaultCapacity
    if (!Number.isSafeInteger(capacity) || capacity <= 0 || capacity > maxCapacity) {
      return Effect.fail(
        new SessionStore.SessionStoreConfigError({
          option: "capacity",
          message: `capacity must be the number of sessions that memory may hold, an integer from 1 to ${maxCapacity}`
        })
      )
    }
    return Effect.succeed(makeStore(capacity))
  })

// What a caller does to the map that it was given stays with the caller.
const handOut = (record: SessionRecord.StoredRecord): SessionRecord.StoredRecord => ({
  ...record,
  state: new Map(record.state)
})

const makeStore = (capacity: number): SessionStore.SessionStore => {
  const expiry = new ExpiryBuckets()
  const sessions = new LRUCache<string, Kept>({
    max: capacity,
    noDisposeOnSet: true,
    dispose: (kept, id) => expiry.remove(id, kept.bucket)
  })

  const put = (record: SessionRecord.StoredRecord): void => {
    const kept = sessions.peek(record.id)
    if (kept === undefined) {
      sessions.set(record.id, { record, bucket: expiry.add(record.id, record.expiresAt) })
      return
    }
    // A later expiry is noticed when the earlier one falls due, which spares every write the filing.
    if (record.expiresAt < kept.record.expiresAt) {
      expiry.remove(record.id, kept.bucket)
      kept.bucket = expiry.add(record.id, record.expiresAt)
    }
    kept.record = record
  }

  const sweep = (now: number): void => {
    for (const id of expiry.take(now, sweptPerCall)) {
      const kept = sessions.peek(id)
      if (kept === undefined) {
        continue
      }
      if (SessionRecord.isExpired(kept.record, now)) {
        sessions.delete(id)
      } else {
        kept.bucket = expiry.add(id, kept.record.expiresAt)
      }
    }
  }

  // The whole verb is one synchronous step, which nothing can come between.
  const atomically = <A>(verb: (now: number) => A): Effect.Effect<A> =>
    Effect.clockWith((clock) => {
      const now = clock.unsafeCurrentTimeMillis()
      sweep(now)
      return Effect.succeed(verb(now))
    })

  const find = (key: SessionKey.SessionKey): SessionRecord.StoredRecord | undefined => sessions.get(key.id)?.record

  const write = (rewrite: SessionRecord.Rewrite, key: SessionKey.SessionKey): SessionStore.WriteResult => {
    switch (rewrite._tag) {
      case "Replace":
        put(rewrite.record)
        return SessionStore.WriteResult.Saved({
          key,
          expiresAt: rewrite.record.expiresAt,
          isCurrent: rewrite.isCurrent
        })
      case "Conflict":
        return SessionStore.WriteResult.Conflict({ record: handOut(rewrite.record) })
      case "Gone":
        return SessionStore.WriteResult.Gone()
    }
  }

  return SessionStore.make({
    readKey: SessionKey.fromText,
    load: (key) =>
      atomically((now) => {
        const record = find(key)
        return SessionStore.loadResult(record === undefined ? undefined : handOut(record), key, now)
      }),
    save: (state, lifetime) =>
      atomically((now) => {
        let key = SessionKey.mint()
        while (sessions.has(key.id)) {
          key = SessionKey.mint()
        }
        const record = SessionRecord.create(key, new Map(state), lifetime, now)
        put(record)
        return { key, expiresAt: record.expiresAt, isCurrent: true }
      }),
    update: (key, change, ttl) =>
      atomically((now) => write(SessionRecord.update(find(key), key, change, ttl, now), key)),
    updateTtl: (key, ttl) => atomically((now) => write(SessionRecord.refresh(find(key), key, ttl, now), key)),
    renew: (key, change, ttl) =>
      atomically((now) => {
        const newKey = SessionKey.mintSecret(key.id)
        return write(SessionRecord.renew(find(key), key, newKey, change, ttl, now), newKey)
      }),
    delete: (key) =>
      atomically((now) => {
        const record = find(key)
        if (record !== undefined && SessionRecord.mayDelete(record, key, now)) {
          sessions.delete(key.id)
        }
      })
  }, { timeout: "none" })
}

/**
 * The store as a Layer, with a memory of its own for each time it is built. See `make`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options?: MemorySessionStoreOptions
): Layer.Layer<SessionStore.SessionStore, SessionStore.SessionStoreConfigError> =>
  Layer.effect(SessionStore.SessionStore, make(options))
