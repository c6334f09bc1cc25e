/**
 * From the keys in a request's cookies to the one session that it presents, or to why there is none.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as SessionEvent from "../../SessionEvent.js"
import * as SessionKey from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import type * as SessionStore from "../../SessionStore.js"
import { chain, chainMatch } from "../effect/chain.js"
import { SessionLog } from "../session/sessionLog.js"
import { endSessions } from "./endedSession.js"
import type { OpenedCookie, PresentedKey } from "./openedCookie.js"
import { hasChangedScope, lifetimeOf } from "./sessionPolicy.js"
import type { SessionServices } from "./sessionServices.js"

/**
 * What the request presented.
 *
 * @internal
 */
export type Presented = { readonly _tag: "None" | "Refused" } | PresentedSessions | PresentedSession

interface PresentedSessions extends LateOnes {
  readonly _tag: "Superseded" | "Replaced" | "Ambiguous"
  readonly sessions: ReadonlyArray<PresentedKey>
}

interface PresentedSession extends LateOnes {
  readonly _tag: "Valid"
  readonly sessions: readonly [PresentedKey]
  /** None where the store was not asked. */
  readonly record: SessionRecord.SessionRecord | undefined
  /** What stands for the newer key of the same session, in whose grace this one is. */
  readonly newer: SessionKey.SessionKey | undefined
  readonly rotation: RotationOfKey
}

/**
 * What `renewEvery` asks of the commit.
 *
 * - `Due`: it is time for a new key, or this is the first use of one.
 * - `FirstUse`: this is the first use of a key, which is noted also where the response can bring no other.
 * - `Near`: the key will have to give way within the grace, so that it is not sent again.
 *
 * @internal
 */
export type RotationOfKey = "None" | "Near" | "FirstUse" | "Due"

/** A key that was replaced so long ago that nobody should have it any more. */
interface ReusedKey {
  readonly _tag: "Reused"
  readonly sessions: readonly [PresentedKey]
}

type Asked = Presented | ReusedKey

interface LateOnes {
  /** The late keys of other sessions that came beside, which nothing goes by but a logout. */
  readonly late: ReadonlyArray<PresentedKey>
}

/** @internal */
export const noSessions: ReadonlyArray<PresentedKey> = []

const none: Presented = { _tag: "None" }
const refused: Presented = { _tag: "Refused" }

/**
 * Whether the commit has to see to the session's keys. The first use of a key is noted whatever the response can bring.
 *
 * @internal
 */
export const rotates = (presented: Presented | undefined, canMint: boolean): boolean =>
  presented?._tag === "Valid" &&
  (presented.rotation === "FirstUse" || (canMint && presented.rotation === "Due"))

/**
 * What a key that we sealed presents before anybody asked the store.
 *
 * @internal
 */
export const unasked = (key: PresentedKey): Presented => ({
  _tag: "Valid",
  record: undefined,
  sessions: [key],
  late: noSessions,
  newer: undefined,
  rotation: "None"
})

/**
 * Asks the store about what the cookie holds. `arrivedAt` is when the request came, which may be long ago by the time that anybody
 * asks: a socket is open for hours, and an upload takes its time.
 *
 * @internal
 */
export const present = (
  services: SessionServices,
  { keys, refusals }: OpenedCookie,
  now: number,
  arrivedAt: number
): Effect.Effect<Presented, SessionStore.LoadError> => {
  for (const reason of refusals) {
    services.tell(refusal(reason))
  }
  return keys.length === 0
    ? Effect.succeed(refusals.length === 0 ? none : refused)
    : keys.length === 1
    ? chain(
      ask(services, keys[0]!, now, arrivedAt),
      (asked) => asked._tag === "Reused" ? reused(services, asked, now) : Effect.succeed(asked)
    )
    : Effect.flatMap(
      Effect.forEach(keys, (key) => ask(services, key, now, arrivedAt)),
      (all) => theOnlyLiveOne(services, all, now)
    )
}

const ask = (
  services: SessionServices,
  presented: PresentedKey,
  now: number,
  arrivedAt: number
): Effect.Effect<Asked, SessionStore.LoadError> =>
  chainMatch(services.store.load(presented.key, now), {
    onSuccess: (result) => Effect.succeed(answered(services, presented, result, now, arrivedAt)),
    // What is not a record opens no session today or ever, so the browser starts anew instead of failing for good.
    onFailure: (error) => {
      if (error.reason === "Malformed") {
        return Effect.as(malformed(services, presented, error), refused)
      }
      services.tell(SessionEvent.StoreUnavailable({ during: "load" }))
      return Effect.fail(error)
    }
  })

const answered = (
  services: SessionServices,
  presented: PresentedKey,
  result: SessionStore.LoadResult,
  now: number,
  arrivedAt: number
): Asked => {
  const { id } = presented.key
  switch (result._tag) {
    case "Live": {
      const record = withLimitsOfNow(services, result.record)
      return SessionRecord.isExpired(record, now)
        ? expired(services, id)
        : {
          _tag: "Valid",
          sessions: [presented],
          record,
          late: noSessions,
          newer: result.standing?.newer && SessionKey.fromDigest(id, result.standing.newer),
          rotation: rotationOf(services, result, now)
        }
    }
    case "Reused":
      return result.since > arrivedAt
        ? toldLate(services, "Superseded", presented)
        : { _tag: "Reused", sessions: [presented] }
    case "Superseded":
    case "Replaced":
      return toldLate(services, result._tag, presented)
    case "Absent":
      return expired(services, id)
  }
}

const late = (tag: "Superseded" | "Replaced", presented: PresentedKey): Presented => ({
  _tag: tag,
  sessions: [presented],
  late: noSessions
})

const toldLate = (
  { tell }: SessionServices,
  tag: "Superseded" | "Replaced",
  presented: PresentedKey
): Presented => {
  tell(SessionEvent.KeySuperseded({ id: presented.key.id }))
  return late(tag, presented)
}

const rotationOf = (
  { config: { lifecycle: { rotation } } }: SessionServices,
  result: Extract<SessionStore.LoadResult, { readonly _tag: "Live" }>,
  now: number
): RotationOfKey => {
  const standing = result.standing ?? onlySecretSince(result.record.createdAt)
  return rotation === undefined
    ? "None"
    : standing.isAwaited
    ? "FirstUse"
    : SessionRecord.isRotationDue(standing, rotation, now)
    ? "Due"
    : standing.newer === undefined && SessionRecord.isRotationDue(standing, rotation, now + rotation.grace)
    ? "Near"
    : "None"
}

const onlySecretSince = (createdAt: number): SessionRecord.SecretStanding => ({
  newestSince: createdAt,
  newer: undefined,
  isOpen: true,
  isAwaited: false
})

// Which of the two who have a key of this session is its visitor, nobody knows. Where the session goes on, because it is to or because
// it could not be ended, the key is a late one like others: its request puts no cookie over the newer one, and can log out.
const reused = (services: SessionServices, { sessions }: ReusedKey, now: number): Effect.Effect<Presented> => {
  const [presented] = sessions
  services.tell(SessionEvent.KeyReused({ id: presented.key.id }))
  const goesOn = late("Superseded", presented)
  return services.config.lifecycle.onKeyReuse === "Ignore"
    ? Effect.succeed(goesOn)
    : Effect.matchEffect(endSessions(services, sessions, now), {
      onSuccess: () => Effect.succeed(refused),
      onFailure: (error) =>
        Effect.as(Effect.logError("A session whose key was stolen could not be ended", error), goesOn)
    })
}

const expired = ({ tell }: SessionServices, id: SessionKey.SessionId): Presented => {
  tell(SessionEvent.KeyExpired({ id }))
  return refused
}

/**
 * The record by the limits that hold now. What the store goes by is what was configured when the record was written, perhaps by an
 * earlier version of the app.
 *
 * @internal
 */
export const withLimitsOfNow = (
  { config: { lifecycle } }: SessionServices,
  record: SessionRecord.SessionRecord
): SessionRecord.SessionRecord => {
  const lifetime = lifetimeOf(lifecycle, SessionLog.isRememberedIn(record.state))
  const expiresAt = SessionRecord.endsAt(record, lifetime)
  return expiresAt === record.expiresAt ? record : { ...record, expiresAt }
}

// A parent domain's cookie of the same name can stand beside ours, in either order. A choice between two live sessions
// would be an attacker's choice, so there is none.
const theOnlyLiveOne = (
  services: SessionServices,
  all: ReadonlyArray<Asked>,
  now: number
): Effect.Effect<Presented> => {
  const known = all.filter((presented) => presented._tag !== "Reused")
  const good = known.flatMap((presented) => "sessions" in presented ? presented.sessions : [])
  // Who brings a newer key as well has stolen nothing: an older cookie of his stands beside it.
  const stolen = all.filter((presented) => presented._tag === "Reused")
    .filter(({ sessions }) => others(sessions, good).length > 0)
    .filter(({ sessions: [{ key }] }, i, those) =>
      those.findIndex(({ sessions: [one] }) => one.key.id === key.id) === i
    )
  return Effect.map(
    Effect.forEach(stolen, (one) => reused(services, one, now)),
    (left) => chosen(services, [...known, ...left])
  )
}

// All of them open the session, and the newest one is what the browser goes on with.
const withoutOlderKeys = (valid: ReadonlyArray<PresentedSession>): ReadonlyArray<PresentedSession> =>
  valid.filter((one, i) =>
    one.newer === undefined ||
    !valid.some((other, j) => isOfSameSession(one, other) && (other.newer === undefined || j < i))
  )

const isOfSameSession = (one: PresentedSession, other: PresentedSession): boolean =>
  one.sessions[0].key.id === other.sessions[0].key.id

const chosen = (services: SessionServices, all: ReadonlyArray<Presented>): Presented => {
  const valid = withoutOlderKeys(all.filter((presented) => presented._tag === "Valid"))
  const live = hasChangedScope(services.config.cookie) ? withoutEarlierStates(valid) : valid
  const superseded = sessionsOf(all, "Superseded")
  const replaced = sessionsOf(all, "Replaced")
  if (live.length > 1) {
    const sessions = live.flatMap(({ sessions }) => sessions)
    services.tell(refusal("Ambiguous"))
    return { _tag: "Ambiguous", sessions, late: others([...superseded, ...replaced], sessions) }
  }
  const [only] = live
  return only !== undefined
    ? { ...only, late: others([...superseded, ...replaced], only.sessions) }
    : superseded.length > 0
    ? { _tag: "Superseded", sessions: superseded, late: others(replaced, superseded) }
    : replaced.length > 0
    ? { _tag: "Replaced", sessions: replaced, late: noSessions }
    : refused
}

// Two earlier keys of one session are one session, which ends but once.
const sessionsOf = (
  all: ReadonlyArray<Presented>,
  tag: "Superseded" | "Replaced"
): ReadonlyArray<PresentedKey> =>
  Array.from(
    new Map(
      all.flatMap((presented) => presented._tag === tag ? presented.sessions : [])
        .map((session) => [session.key.id, session])
    ).values()
  )

/**
 * Those of other sessions than these.
 *
 * @internal
 */
export const others = (
  keys: ReadonlyArray<PresentedKey>,
  than: ReadonlyArray<PresentedKey>
): ReadonlyArray<PresentedKey> => keys.filter(({ key }) => !than.some((one) => one.key.id === key.id))

/**
 * Says that the store holds something else than a record under that key.
 *
 * @internal
 */
export const malformed = (
  { tell }: SessionServices,
  { key }: PresentedKey,
  error: SessionStore.LoadError | SessionStore.UpdateError
): Effect.Effect<void> => {
  tell(refusal("MalformedRecord", key.id))
  return Effect.logWarning("A session record is malformed and is ignored", error)
}

const refusal = (reason: SessionEvent.RefusalReason, id?: SessionKey.SessionId): SessionEvent.Happening =>
  SessionEvent.KeyRefused({ reason, id, count: 1 })

// A session that is kept in the cookie shows as it was and as it is where the cookie's scope has changed. What is sealed says
// which of them is the later one: no browser's order does, and no two sessions are compared.
const withoutEarlierStates = (sessions: ReadonlyArray<PresentedSession>): ReadonlyArray<PresentedSession> =>
  sessions.filter(({ record }) =>
    !sessions.some((other) => other.record?.id === record?.id && isLater(other.record, record))
  )

const isLater = (
  one: SessionRecord.SessionRecord | undefined,
  other: SessionRecord.SessionRecord | undefined
): boolean => one !== undefined && other !== undefined && one.extendedAt > other.extendedAt
