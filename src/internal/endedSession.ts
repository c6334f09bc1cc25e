/**
 * The end of sessions, and the way from one that has ended to the one that took its place.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as SessionEvent from "../SessionEvent.js"
import type { SessionId, SessionKey } from "../SessionKey.js"
import type * as SessionStore from "../SessionStore.js"
import type { PresentedKey } from "./openedCookie.js"
import type { SessionServices } from "./presentedSession.js"

/**
 * Ends sessions, for good or for one that takes their place, and answers how many of them it was that ended by this. Where
 * one had given way to another before, a logout ends the other.
 *
 * @internal
 */
export const endSessions = (
  services: SessionServices,
  sessions: ReadonlyArray<PresentedKey>,
  successor?: SessionKey
): Effect.Effect<number, SessionStore.DeleteError> =>
  Effect.reduce(
    sessions,
    0,
    (count, { key }) => Effect.map(endSession(services, key, successor), (isEnded) => isEnded ? count + 1 : count)
  )

const endSession = (
  services: SessionServices,
  key: SessionKey,
  successor: SessionKey | undefined,
  before: ReadonlyArray<SessionId> = []
): Effect.Effect<boolean, SessionStore.DeleteError> =>
  Effect.flatMap(
    services.store.delete(key, successor),
    (answer) =>
      answer === true
        ? Effect.as(services.publish(SessionEvent.Purged({ id: key.id })), true)
        : answer === false || successor !== undefined || isCircle(answer, key, before)
        ? Effect.succeed(false)
        : endSession(services, answer, undefined, [...before, key.id])
  )

/**
 * Whether the session is there, for a key that opens it or that a renewal has replaced. The former refreshes it.
 *
 * @internal
 */
export const isThere = (
  { config: { lifecycle }, store }: SessionServices,
  key: SessionKey
): Effect.Effect<boolean, SessionStore.UpdateError> => {
  const { maxLifetimeMillis, rememberMeMillis = 0, ttlMillis } = lifecycle
  const lifetime = { ttl: Math.max(ttlMillis, rememberMeMillis), maxLifetime: maxLifetimeMillis }
  return Effect.map(store.updateTtl(key, lifetime), ({ _tag }) => _tag !== "Gone")
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
  successor: SessionKey,
  before: ReadonlyArray<SessionId> = []
): Effect.Effect<boolean, SessionStore.DeleteError | SessionStore.UpdateError> =>
  Effect.flatMap(
    services.store.delete(key, successor),
    (answer) =>
      typeof answer === "boolean" || isCircle(answer, key, before)
        ? Effect.succeed(false)
        : Effect.flatMap(
          isThere(services, answer),
          (isThere) => isThere ? Effect.succeed(true) : isFollowed(services, answer, successor, [...before, key.id])
        )
  )

// Nobody follows a store that leads in circles for ever.
const isCircle = (next: SessionKey, key: SessionKey, before: ReadonlyArray<SessionId>): boolean =>
  next.id === key.id || before.includes(next.id)
