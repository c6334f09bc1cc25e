/**
 * Stores with the defects that session libraries have had, to see whether a suite notices. Each is a thin coat around a
 * store that works.
 */
import * as SessionKey from "effect-session/SessionKey"
import type * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

export type Breakage = (store: SessionStore.SessionStore) => SessionStore.SessionStore

const { Absent, Live } = SessionStore.LoadResult
const { Conflict, Gone, Saved } = SessionStore.WriteResult

/** An update of a session that is gone writes it all the same, under its old key. */
export const upserts: Breakage = (store) => {
  const inner = SessionStore.withClock(store)
  const revived = new Map<string, SessionRecord.SessionRecord>()
  return {
    ...store,
    load: (key) =>
      Effect.map(inner.load(key), (result) => {
        const record = revived.get(SessionKey.toText(key))
        return result._tag === "Absent" && record !== undefined ? Live({ record }) : result
      }),
    update: (key, change, lifetime) =>
      Effect.flatMap(inner.update(key, change, lifetime), (result) =>
        result._tag === "Gone"
          ? Effect.map(Clock.currentTimeMillis, (now) => {
            const expiresAt = now + lifetime.ttl
            revived.set(SessionKey.toText(key), {
              id: key.id,
              state: change.set,
              createdAt: now,
              extendedAt: now,
              expiresAt
            })
            return Saved({ key, expiresAt })
          })
          : Effect.succeed(result))
  }
}

/** An update of a session that is gone saves the changes as a new session and hands out its key. */
export const savesWhatIsGone: Breakage = (store) => {
  const inner = SessionStore.withClock(store)
  return {
    ...store,
    update: (key, change, lifetime) =>
      Effect.flatMap(inner.update(key, change, lifetime), (result) =>
        result._tag === "Gone"
          ? Effect.map(Effect.orDie(inner.save(change.set, lifetime)), Saved)
          : Effect.succeed(result))
  }
}

/** Sessions live for as long as somebody uses them. */
export const ignoresTheDeadline: Breakage = (store) => ({
  ...store,
  save: (state, { ttl }, now) => store.save(state, { ttl, maxLifetime: undefined }, now),
  update: (key, change, { ttl }, now) => store.update(key, change, { ttl, maxLifetime: undefined }, now),
  updateTtl: (key, { ttl }, now) => store.updateTtl(key, { ttl, maxLifetime: undefined }, now),
  renew: (key, change, { ttl }, now) => store.renew(key, change, { ttl, maxLifetime: undefined }, now)
})

/** A logout takes the cookie away and leaves the record. */
export const neverDeletes: Breakage = (store) => ({ ...store, delete: () => Effect.succeed(true) })

/** A key that was replaced opens the session as before. */
export const keepsOldKeys: Breakage = (store) => {
  const { newest, renew } = followsRenewals(store)
  return { ...store, renew, load: (key, now) => store.load(newest(key), now) }
}

const followsRenewals = (store: SessionStore.SessionStore) => {
  const inner = SessionStore.withClock(store)
  const successors = new Map<string, SessionKey.SessionKey>()
  const newest = (key: SessionKey.SessionKey): SessionKey.SessionKey => {
    const successor = successors.get(SessionKey.toText(key))
    return successor === undefined ? key : newest(successor)
  }
  const renew: SessionStore.SessionStore["renew"] = (key, change, lifetime) =>
    Effect.tap(inner.renew(key, change, lifetime), (result) => {
      if (result._tag === "Saved") {
        successors.set(SessionKey.toText(key), result.key)
      }
    })
  return { newest, renew }
}

/** A cache in front of the store that hears of writes, and of logouts nothing. */
export const cachesEndedSessions: Breakage = (store) => {
  const inner = SessionStore.withClock(store)
  const cache = new Map<string, SessionStore.LoadResult>()
  return {
    ...store,
    load: (key) =>
      Effect.map(inner.load(key), (result) => {
        const text = SessionKey.toText(key)
        const answer = result._tag === "Absent" ? cache.get(text) ?? result : result
        cache.set(text, answer)
        return answer
      })
  }
}

/** A cache whose one slot belongs to everybody. */
export const mixesUpSessions: Breakage = (store) => {
  const inner = SessionStore.withClock(store)
  let last: SessionStore.LoadResult = Absent()
  return {
    ...store,
    load: (key) =>
      Effect.map(inner.load(key), (result) => {
        const mixed = last._tag === "Live" && result._tag === "Live"
          ? Live({ record: { ...result.record, state: last.record.state } })
          : result
        last = result
        return mixed
      })
  }
}

/** A record is alive for one millisecond more than it should be. */
export const expiresLate: Breakage = (store) => ({ ...store, load: (key, now) => store.load(key, now - 1) })

/** A refresh does not move the expiry. */
export const neverRefreshes: Breakage = (store) => ({
  ...store,
  updateTtl: (key, _lifetime, now) =>
    Effect.map(
      Effect.orDie(store.load(key, now)),
      (result) => result._tag === "Live" ? Saved({ key, expiresAt: result.record.expiresAt }) : Gone()
    )
})

/** A change that was computed from an older value than the store holds overwrites it. */
export const forgetsExpectations: Breakage = (store) => ({
  ...store,
  update: (key, change, ttl, now) => store.update(key, { ...change, expect: new Map() }, ttl, now)
})

/** A request whose key was replaced meanwhile writes all the same, and sends that key to the browser again. */
export const takesEveryKeyForTheCurrent: Breakage = (store) => {
  const inner = SessionStore.withClock(store)
  const { newest, renew } = followsRenewals(store)
  return {
    ...store,
    renew,
    update: (key, change, lifetime) =>
      Effect.map(
        inner.update(newest(key), change, lifetime),
        (result) => result._tag === "Saved" ? Saved({ ...result, key }) : result
      )
  }
}

/**
 * Reads the record, and later puts it back as a whole with the changes in it. `pause` is the time in between, in which
 * other requests have their turn.
 */
export const readsThenWrites = (pause: Effect.Effect<void>): Breakage => (store) => {
  const inner = SessionStore.withClock(store)
  const current = (key: SessionKey.SessionKey) =>
    Effect.map(Effect.orDie(inner.load(key)), (result) => result._tag === "Live" ? result.record : undefined)
  return {
    ...store,
    update: (key, change, ttl) =>
      Effect.gen(function*() {
        const found = yield* current(key)
        if (found === undefined) {
          return Gone()
        }
        for (const [name, value] of change.expect) {
          if (found.state.get(name) !== value) {
            return Conflict({ found: found.state })
          }
        }
        const state = new Map(found.state)
        change.unset.forEach((name) => state.delete(name))
        change.set.forEach((value, name) => state.set(name, value))
        yield* pause
        const { state: replaced } = (yield* current(key)) ?? found
        const unset = new Set(Array.from(replaced.keys()).filter((name) => !state.has(name)))
        return yield* inner.update(key, { set: state, unset, expect: new Map() }, ttl)
      })
  }
}
