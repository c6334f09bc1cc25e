/** The rooms that an operator looks into: events, metrics, and the pure rules of records and keys. */
import * as Session from "effect-session/Session"
import * as SessionEvent from "effect-session/SessionEvent"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMetrics from "effect-session/SessionMetrics"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"

const describe = SessionEvent.$match({
  Created: ({ id }) => `created ${id}`,
  Renewed: ({ id }) => `renewed ${id}`,
  Rotated: ({ id }) => `rotated ${id}`,
  Purged: ({ id }) => `purged ${id}`,
  KeyExpired: ({ id }) => `expired ${id}`,
  KeySuperseded: ({ id }) => `superseded ${id}`,
  KeyReused: ({ id }) => `reused ${id}`,
  KeyRefused: ({ count, id, reason }) => `refused ${id ?? `${count} keys`}: ${reason}`,
  Missed: ({ count, kind }) => `missed ${count} of ${kind}`,
  SignedIn: ({ id }) => `${id} signed in`,
  SignedOut: ({ id }) => `${id} signed out`,
  Ended: ({ by, id }) => `${id} was ended (${by})`,
  LimitRefused: ({ id }) => `${id} may not sign in`,
  Gone: ({ id }) => `gone ${id}`,
  WritesLost: ({ id, reason }) => `lost writes of ${id}: ${reason}`,
  Conflict: ({ id }) => `conflict ${id}`,
  StoreUnavailable: ({ during }) => `away during ${during}`
})

export const watch: Effect.Effect<void, never, SessionMiddleware.SessionMiddleware> = SessionMiddleware.events.pipe(
  Stream.filter((event: SessionEvent.SessionEvent) => !SessionEvent.$is("Conflict")(event)),
  Stream.runForEach((event) => Effect.logInfo(describe(event)))
)

export const refusals = Metric.value(Metric.tagged(SessionMetrics.events, "event", "KeyRefused"))

const key = SessionKey.mint()
const record = SessionRecord.create(key, new Map(), { ttl: 1, maxLifetime: undefined }, 0)

export const answer: SessionStore.LoadResult = SessionStore.loadResult(record, key, 0)

export const ids: ReadonlyArray<string> = [Session.TypeId, SessionStore.TypeId, SessionMiddleware.TypeId]
