/**
 * The end of sessions, and the way from one that has ended to the one that took its place.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as SessionEvent from "../../SessionEvent.js"
import type { SessionId, SessionKey } from "../../SessionKey.js"
import type * as SessionStore from "../../SessionStore.js"
import { chain } from "../effect/chain.js"
import type { PresentedKey } from "./openedCookie.js"
import type { SessionServices } from "./sessionServices.js"

/**
 * Ends sessions, for good or for one that takes their place, and answers how many of them it was that ended by this. Where
 * one had given way to another before, a logout ends the other.
 *
 * @internal
 */
export const endSessions = (
  services: SessionServices,
  sessions: ReadonlyArray<PresentedKey>,
  now: number,
  successor?: SessionKey
): Effect.Effect<number, SessionStore.DeleteError> => {
  let ended = 0
  const next = (i: number): Effect.Effect<number, SessionStore.DeleteError> =>
    i === sessions.length
      ? Effect.succeed(ended)
      : chain(endSession(services, sessions[i]!.key, now, successor), (isEnded) => {
        ended += isEnded ? 1 : 0
        return next(i + 1)
      })
  return next(0)
}

const endSession = (
  services: SessionServices,
  key: SessionKey,
  now: number,
  successor: SessionKey | undefined,
  before: Set<SessionId> = new Set()
): Effect.Effect<boolean, SessionStore.DeleteError> =>
  chain(services.store.delete(key, now, successor), (answer) => {
    if (answer === true) {
      services.tell(SessionEvent.Purged({ id: key.id }))
      return Effect.succeed(true)
    }
    return answer === false || successor !== undefined || isCircle(answer, before.add(key.id))
      ? Effect.succeed(false)
      : Effect.suspend(() => endSession(services, answer, now, undefined, before))
  })

/**
 * Whether the session is there, for a key that opens it or that a renewal has replaced. The former refreshes it.
 *
 * @internal
 */
export const isThere = (
  { config: { lifecycle }, store }: SessionServices,
  key: SessionKey,
  now: number
): Effect.Effect<boolean, SessionStore.UpdateError> => {
  const { maxLifetimeMillis, rememberMeMillis = 0, ttlMillis } = lifecycle
  const lifetime = { ttl: Math.max(ttlMillis, rememberMeMillis), maxLifetime: maxLifetimeMillis }
  return Effect.map(store.updateTtl(key, lifetime, now), ({ _tag }) => _tag !== "Gone")
}

/**
 * Whether the session that took the place of an ended one is there, or one that took the place of that one. What has ended
 * gives way but once, so that naming `successor` here only asks.
 *
 * @internal
 */
export const isFollowed = (
  services: SessionServices,
  key: SessionKey,
  now: number,
  successor: SessionKey,
  before: Set<SessionId> = new Set()
): Effect.Effect<boolean, SessionStore.DeleteError | SessionStore.UpdateError> =>
  Effect.flatMap(
    services.store.delete(key, now, successor),
    (answer) =>
      typeof answer === "boolean" || isCircle(answer, before.add(key.id))
        ? Effect.succeed(false)
        : Effect.flatMap(
          isThere(services, answer, now),
          (isThere) => isThere ? Effect.succeed(true) : isFollowed(services, answer, now, successor, before)
        )
  )

// Nobody follows a store that leads in circles for ever. A long way costs a step of the fiber for each session on it, so that
// others have their turn.
const isCircle = (next: SessionKey, before: ReadonlySet<SessionId>): boolean => before.has(next.id)
