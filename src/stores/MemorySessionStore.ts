/**
 * Sessions in the memory of this process: for development, for tests, and for apps that run as one process and may lose
 * their sessions when it ends.
 *
 * The number of sessions is bounded. Beyond it the oldest goes of those that no second request came back to; four fifths of
 * the capacity are kept for the others, of which the least recently used goes first. So requests without a cookie put
 * nobody out who came back, however many there are. What that does not stop: a client that keeps its cookies and comes
 * back with each of them takes part like many visitors, and a new session that waits for its second request shares the
 * last fifth with all that begin meanwhile. Limit how many sessions one address may begin.
 *
 * What a session leaves that ended by a `purge` and an `insert` (see `SessionRecord.end`) takes its room for an hour, a tenth of
 * the capacity at most: then the oldest goes, and a logout that was under way since does not find the session in its place.
 *
 * Expired sessions go by themselves, a few with each call, so that no timer runs and no call waits for a sweep.
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
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { EndMarks } from "../internal/memory/endMarks.js"
import { RecordTable } from "../internal/memory/recordTable.js"
import * as SessionKey from "../SessionKey.js"
import * as SessionRecord from "../SessionRecord.js"
import * as SessionSignIn from "../SessionSignIn.js"
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

// Each verb is one synchronous step, which nothing can come between.
const makeStore = (capacity: number): SessionStore.SessionStore => {
  const listeners = SessionStore.makeEndListeners()
  const records = new RecordTable(capacity, listeners.tell)

  const find = ({ id }: Pick<SessionKey.SessionKey, "id">, now: number): SessionRecord.StoredRecord | undefined => {
    records.sweep(now, sweptPerCall)
    return records.find(id)
  }

  const rewrite = (
    found: SessionRecord.StoredRecord | undefined,
    key: SessionKey.SessionKey,
    result: SessionRecord.Rewrite,
    newKey?: SessionKey.SessionKey
  ): Exit.Exit<SessionStore.WriteResult> => {
    if (result._tag !== "Replace") {
      return Exit.succeed(result)
    }
    records.replace(found!, result.record)
    return Exit.succeed(SessionStore.savedResult(result.record, key, newKey))
  }

  return SessionStore.make({
    readKey: SessionKey.fromText,
    load: (key, now) => Exit.succeed(SessionStore.loadResult(find(key, now), key, now)),
    save: (state, lifetime, now, drawn) => {
      records.sweep(now, sweptPerCall)
      let key = drawn ?? SessionKey.mint()
      while (records.has(key.id)) {
        key = SessionKey.mint()
      }
      const record = SessionRecord.create(key, state, lifetime, now)
      records.insert(record)
      return Exit.succeed({ key, expiresAt: record.expiresAt })
    },
    update: (key, change, lifetime, now) => {
      const found = find(key, now)
      return rewrite(found, key, SessionRecord.update(found, key, change, lifetime, now))
    },
    updateTtl: (key, lifetime, now) => {
      const found = find(key, now)
      return rewrite(found, key, SessionRecord.refresh(found, key, lifetime, now))
    },
    renew: (key, change, lifetime, now) => {
      const found = find(key, now)
      const newKey = SessionKey.mintSecret(key.id)
      return rewrite(found, key, SessionRecord.renew(found, key, newKey, change, lifetime, now), newKey)
    },
    rotate: (key, change, lifetime, rotation, now) => {
      const found = find(key, now)
      const newKey = SessionKey.mintSecret(key.id)
      const result = SessionRecord.rotate(found, key, newKey, change, lifetime, rotation, now)
      return rewrite(found, key, result, newKey)
    },
    delete: (key, now, successor) => {
      const found = find(key, now)
      const [answer, trace] = SessionRecord.end(found, key, successor, now)
      if (trace === undefined) {
        records.delete(key.id)
      } else if (trace !== found) {
        records.replace(found!, trace)
      }
      return Exit.succeed(answer)
    },
    endings: {
      find: (id, now) => Exit.succeed(SessionStore.foundRecord(find({ id }, now), now)),
      listen: listeners.listen,
      pollEvery: () => Infinity
    },
    accounts: accountsOf(records)
  }, { timeout: "none" })
}

// How many sessions of an account are listed in one call.
const listedPerCall = 128

// The table knows the accounts of its records, so that there is no index of its own to keep. Nobody comes between a record and what is
// known of it.
const accountsOf = (records: RecordTable): SessionStore.AccountVerbs => {
  const marks = new EndMarks()

  const live = (account: SessionSignIn.AccountText, now: number): ReadonlyArray<SessionRecord.StoredRecord> =>
    records.recordsOf(account).filter((record) => SessionSignIn.isSignedInTo(record, account, now))

  const isLive = (account: SessionSignIn.AccountText, id: SessionKey.SessionId, now: number): boolean =>
    SessionSignIn.isSignedInTo(records.peek(id), account, now)

  return {
    begin: (account, now) => Exit.succeed({ epoch: marks.epochOf(account), at: now }),
    enlist: (account, id, _lifetime, now) =>
      Exit.succeed({
        ticket: { epoch: marks.epochOf(account), at: now },
        count: records.countOf(account) + (isLive(account, id, now) ? 0 : 1)
      }),
    confirm: (account, id, ticket, _lifetime, now) =>
      Exit.succeed(
        SessionSignIn.isVoid(ticket, marks.epochOf(account), now) || !isLive(account, id, now)
          ? SessionStore.Confirmation.Void()
          : SessionStore.Confirmation.Confirmed({ count: records.countOf(account) })
      ),
    list: (account, now, next = "") => {
      const rest = live(account, now).filter(({ id }) => id > next).sort((a, b) => a.id < b.id ? -1 : 1)
      const page = rest.slice(0, listedPerCall)
      return Exit.succeed({ records: page, next: rest.length > page.length ? page.at(-1)!.id : undefined })
    },
    end: (account, id, now) => {
      const isEnded = isLive(account, id, now)
      if (isEnded) {
        records.delete(id)
      }
      return Exit.succeed(isEnded)
    },
    endAll: (account, now, spared) => {
      const before = marks.epochOf(account)
      const epoch = marks.move(account, now)
      const ended = live(account, now).flatMap(({ id }) => id === spared?.id ? [] : [id])
      for (const id of ended) {
        records.delete(id)
      }
      return Exit.succeed({
        ended,
        ticket: spared?.ticket && SessionSignIn.movedTicket(spared.ticket, before, epoch, now)
      })
    }
  }
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
