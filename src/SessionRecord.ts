/**
 * What a store keeps of a session, and every rule about it, as pure functions from data to data.
 *
 * A store that can replace a record in one atomic step needs no rule of its own: it hands the record it found to one of
 * these functions and carries out the answer. `MemorySessionStore` does just that; `RedisSessionStore` says the same
 * in Lua.
 *
 * @example
 * ```ts
 * import * as SessionKey from "effect-session/SessionKey"
 * import * as SessionRecord from "effect-session/SessionRecord"
 *
 * const key = SessionKey.mint()
 * const record = SessionRecord.create(key, new Map([["counter", "1"]]), { ttl: 60_000, maxLifetime: undefined }, 0)
 *
 * SessionRecord.verify(record, key, 59_999) // "Current"
 * SessionRecord.verify(record, key, 60_000) // "Foreign": expired at exactly its limit
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as SessionKey from "./SessionKey.js"

/**
 * A value of the session state as JSON text. Text is immutable, compares byte by byte inside any backend, and keeps keys
 * such as `__proto__` ordinary.
 *
 * @since 0.1.0
 * @category models
 */
export type JsonText = string

/**
 * The values of a session, by key.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionState = ReadonlyMap<string, JsonText>

/**
 * How long a record may live, in milliseconds: `ttl` counts from each write that refreshes it, `maxLifetime` from the
 * session's creation and is not extended by anything. Each call says it anew, so that what a deployment shortens holds for
 * the sessions that are there already.
 *
 * @since 0.1.0
 * @category models
 */
export interface Lifetime {
  readonly ttl: number
  readonly maxLifetime: number | undefined
}

/**
 * A session as a store hands it out. Times are milliseconds since the epoch; a record lives while the time is before
 * `expiresAt`. `extendedAt` is when its expiry was last moved on: at its creation, a write or a refresh.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionRecord {
  readonly id: SessionKey.SessionId
  readonly state: SessionState
  readonly createdAt: number
  readonly extendedAt: number
  readonly expiresAt: number
}

/**
 * A secret that another has replaced, and when.
 *
 * @since 0.1.0
 * @category models
 */
export interface SupersededSecret {
  readonly digest: SessionKey.SecretDigest
  readonly at: number
  /**
   * Where it was a rotation that replaced it: until when it opens the session as the newest one does. `Open` for as long as
   * nobody has used a newer one. Left out where it was a renewal, which leaves no grace to anybody.
   */
  readonly graceEndsAt?: number | "Open" | undefined
}

/**
 * When a secret is replaced by itself, in milliseconds: at the first write once it is older than `every`. The secret before goes on
 * for as long as nobody has used the new one, which may have been lost on its way, and for `grace` from then on.
 *
 * @since 0.1.0
 * @category models
 */
export interface Rotation {
  readonly every: number
  readonly grace: number
}

/**
 * What a call lets a rotation do.
 *
 * @since 0.1.0
 * @category models
 */
export interface RotationTerms {
  /** Whether the expiry is refreshed as well. */
  readonly extend: boolean
  /** Whether there may be a new secret. `false` where nobody could be told of it. */
  readonly mint: boolean
}

/**
 * How the secret that somebody came with stands among those of its session.
 *
 * @since 0.1.0
 * @category models
 */
export interface SecretStanding {
  /** The digest of the newest one, where it is not that itself. */
  readonly newer: SessionKey.SecretDigest | undefined
  /** When the newest one was made, in milliseconds since the epoch. */
  readonly newestSince: number
  /** Whether nobody has used a newer one. */
  readonly isOpen: boolean
  /** Whether older ones still wait for somebody to use this one, or a newer one. */
  readonly isAwaited: boolean
}

/**
 * The session that began in the place of one that ended, by what ends it too and opens nothing.
 *
 * @since 0.1.0
 * @category models
 */
export interface Successor {
  readonly id: SessionKey.SessionId
  readonly digest: SessionKey.SecretDigest
}

/**
 * A session as a store keeps it: the record and what proves ownership. `superseded` is newest first. With a `successor` it is
 * the trace of a session that has ended (see `end`).
 *
 * @since 0.1.0
 * @category models
 */
export interface StoredRecord extends SessionRecord {
  readonly digest: SessionKey.SecretDigest
  readonly superseded: ReadonlyArray<SupersededSecret>
  readonly successor?: Successor | undefined
}

/**
 * What a request changed. Changes of different keys commute, so that those of parallel requests merge in the store.
 * `expect` holds, for each key that was written from its earlier value, that value (`undefined`: it was absent); a store
 * that finds another one answers `Conflict`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionChange {
  readonly set: SessionState
  readonly unset: ReadonlySet<string>
  readonly expect: ReadonlyMap<string, JsonText | undefined>
}

/**
 * The change that changes nothing.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noChange: SessionChange = { set: new Map(), unset: new Set(), expect: new Map() }

/**
 * How a key stands to a record: its secret is the current one, or in its grace after a rotation; one that a renewal replaced; one
 * whose grace is over (`Reused`); or none of these (or the record has expired). `Replaced`: it was one of the first three until
 * the session ended and another began in its place.
 *
 * @since 0.1.0
 * @category models
 */
export type Ownership = "Current" | "Superseded" | "Reused" | "Replaced" | "Foreign"

/**
 * For how long after a renewal, or after another session began in the place of one, a request with the old key is recognised
 * as a late one, in milliseconds. Such a request is anonymous: it reads and writes nothing of the session, and can only end
 * it. After the window the old key is a key like any other unknown one.
 *
 * @since 0.1.0
 * @category constants
 */
export const supersededWindow = 10_000

/**
 * For how long, in milliseconds, and for how many renewals a replaced secret is told from a wrong one, so that a request
 * which had loaded the record before learns that a renewal went by, and that its purge still ends the session. What a rotation
 * has replaced is remembered for as many renewals, and however long that is: who comes with it later is a thief, or was robbed.
 *
 * @since 0.1.0
 * @category constants
 */
export const supersededRetention = { millis: 3_600_000, renewals: 128 } as const

/**
 * How many secrets of rotations are remembered that were replaced before anybody used them: of those that got lost on their way, one
 * after the other, the latest.
 *
 * @since 0.1.0
 * @category constants
 */
export const unusedRetention = 8

/**
 * When a session that was created at `createdAt` ends whatever its requests do, cut to a whole millisecond. A time that is too
 * far away to be counted exactly is no limit.
 *
 * @since 0.1.0
 * @category combinators
 */
export const deadline = (createdAt: number, { maxLifetime = Infinity }: Lifetime): number => {
  const millis = Math.floor(createdAt + maxLifetime)
  return millis <= Number.MAX_SAFE_INTEGER ? millis : Infinity
}

/**
 * When a record that is written now expires.
 *
 * @since 0.1.0
 * @category combinators
 */
export const expiresAt = (now: number, createdAt: number, lifetime: Lifetime): number =>
  Math.min(now + lifetime.ttl, deadline(createdAt, lifetime))

/**
 * When the record ends by the limits that hold now, which may be shorter than those that it was written with.
 *
 * @since 0.1.0
 * @category combinators
 */
export const endsAt = (record: SessionRecord, lifetime: Lifetime): number =>
  Math.min(record.expiresAt, expiresAt(record.extendedAt, record.createdAt, lifetime))

/**
 * Whether the record has expired: at exactly `expiresAt` it has.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isExpired = (record: SessionRecord, now: number): boolean => now >= record.expiresAt

/**
 * Whether the expiry of a record that is only looked at has to be moved on, for a session that is in use never to have less left
 * than its `ttl` but for `every` milliseconds: once that much of the `ttl` has passed since the expiry was last moved on, and at once
 * where the `ttl` was shorter then. A record that ends by its `maxLifetime` has nothing to gain.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isExtensionDue = (record: SessionRecord, lifetime: Lifetime, every: number, now: number): boolean =>
  record.expiresAt - now <= lifetime.ttl - every && record.expiresAt < expiresAt(now, record.createdAt, lifetime)

/**
 * Whether the session of the record has ended: it has expired, or another began in its place.
 *
 * @since 0.1.0
 * @category predicates
 */
export const hasEnded = (record: StoredRecord, now: number): boolean =>
  isExpired(record, now) || record.successor !== undefined

/**
 * The record of a new session.
 *
 * @since 0.1.0
 * @category constructors
 */
export const create = (
  key: SessionKey.SessionKey,
  state: SessionState,
  lifetime: Lifetime,
  now: number
): StoredRecord => ({
  id: key.id,
  digest: SessionKey.digest(key),
  superseded: [],
  state,
  createdAt: now,
  extendedAt: now,
  expiresAt: expiresAt(now, now, lifetime)
})

/**
 * How `key` stands to the record at the time `now`.
 *
 * @since 0.1.0
 * @category predicates
 */
export const verify = (record: StoredRecord, key: SessionKey.SessionKey, now: number): Ownership => {
  if (isExpired(record, now)) {
    return "Foreign"
  }
  const digest = SessionKey.digest(key)
  if (SessionKey.digestsEqual(record.digest, digest)) {
    return record.successor === undefined ? "Current" : "Replaced"
  }
  const secret = findSuperseded(record, digest)
  if (secret === undefined || !isRemembered(secret, now)) {
    return "Foreign"
  }
  if (record.successor !== undefined) {
    return "Replaced"
  }
  return secret.graceEndsAt === undefined ? "Superseded" : isInGrace(secret, now) ? "Current" : "Reused"
}

/**
 * Whether `key` was superseded, or its session replaced, so lately that its request is a late one (see `supersededWindow`).
 *
 * @since 0.1.0
 * @category predicates
 */
export const isLate = (record: StoredRecord, key: SessionKey.SessionKey, now: number): boolean => {
  const digest = SessionKey.digest(key)
  const replacedAt = SessionKey.digestsEqual(record.digest, digest)
    ? endedAt(record)
    : findSuperseded(record, digest)?.at
  return replacedAt !== undefined && now - replacedAt < supersededWindow
}

const endedAt = ({ extendedAt, successor }: StoredRecord): number | undefined =>
  successor === undefined ? undefined : extendedAt

const isRemembered = ({ at, graceEndsAt }: SupersededSecret, now: number): boolean =>
  graceEndsAt !== undefined || now - at < supersededRetention.millis

/**
 * When the grace of a key ended, or will, that a rotation has replaced; `undefined`: it has no such end.
 *
 * @since 0.1.0
 * @category combinators
 */
export const graceEndOf = (record: StoredRecord, key: SessionKey.SessionKey): number | undefined => {
  const end = findSuperseded(record, SessionKey.digest(key))?.graceEndsAt
  return end === "Open" ? undefined : end
}

const isInGrace = ({ graceEndsAt }: SupersededSecret, now: number): boolean =>
  graceEndsAt === "Open" || (graceEndsAt !== undefined && now < graceEndsAt)

// From then on, and no sooner, it opens nothing any more: who had loaded the session with it may still come to end it.
const withoutGrace = (superseded: ReadonlyArray<SupersededSecret>, now: number): ReadonlyArray<SupersededSecret> =>
  superseded.map(({ at, digest, graceEndsAt }) => ({
    digest,
    at: graceEndsAt === undefined ? at : graceEndsAt === "Open" ? now : Math.min(graceEndsAt, now)
  }))

const findSuperseded = (record: StoredRecord, digest: SessionKey.SecretDigest): SupersededSecret | undefined =>
  record.superseded.find((secret) => SessionKey.digestsEqual(secret.digest, digest))

/**
 * Whether every value that the change was computed from is still there.
 *
 * @since 0.1.0
 * @category predicates
 */
export const meetsExpectations = (state: SessionState, change: SessionChange): boolean => {
  for (const [key, value] of change.expect) {
    if (state.get(key) !== value) {
      return false
    }
  }
  return true
}

/**
 * The state after the change.
 *
 * @since 0.1.0
 * @category combinators
 */
export const applyChange = (state: SessionState, change: SessionChange): SessionState => {
  if (change.set.size === 0 && change.unset.size === 0) {
    return state
  }
  const next = new Map(state)
  for (const key of change.unset) {
    next.delete(key)
  }
  for (const [key, value] of change.set) {
    next.set(key, value)
  }
  return next
}

/**
 * The values that stand under the keys that the change expects something of (`undefined`: none).
 *
 * @since 0.1.0
 * @category combinators
 */
export const foundInstead = (
  state: SessionState,
  { expect }: SessionChange
): ReadonlyMap<string, JsonText | undefined> => new Map(Array.from(expect.keys(), (key) => [key, state.get(key)]))

/**
 * What comes of a write to a record: the record to put in its place; a value that is not the one expected, with what
 * stands there instead; a secret that a renewal has replaced meanwhile; or nothing to write to.
 *
 * @since 0.1.0
 * @category models
 */
export type Rewrite = Data.TaggedEnum<{
  readonly Replace: { readonly record: StoredRecord }
  readonly Conflict: { readonly found: ReadonlyMap<string, JsonText | undefined> }
  readonly Superseded: {}
  readonly Gone: {}
}>

const { Conflict, Gone, Replace, Superseded } = Data.taggedEnum<Rewrite>()

// Only the current secret writes. Whoever came with one that a renewal has replaced may be the one whom it was to lock
// out, and a session that was signed in meanwhile takes nothing from him.
const forOwner = (
  record: StoredRecord | undefined,
  key: SessionKey.SessionKey,
  limit: (record: StoredRecord) => number,
  now: number,
  rewrite: (record: StoredRecord) => Rewrite
): Rewrite => {
  if (record === undefined || now >= limit(record)) {
    return Gone()
  }
  switch (verify(record, key, now)) {
    case "Current":
      return rewrite(record)
    case "Superseded":
    case "Reused":
      return Superseded()
    case "Replaced":
    case "Foreign":
      return Gone()
  }
}

/**
 * Merges a change into the record and refreshes its expiry. A record past its `maxLifetime` is gone; its `ttl` is for the
 * caller to judge, who has seen the record and knows by which one it was written.
 *
 * @since 0.1.0
 * @category combinators
 */
export const update = (
  record: StoredRecord | undefined,
  key: SessionKey.SessionKey,
  change: SessionChange,
  lifetime: Lifetime,
  now: number
): Rewrite =>
  forOwner(
    record,
    key,
    ({ createdAt }) => deadline(createdAt, lifetime),
    now,
    (record) =>
      meetsExpectations(record.state, change)
        ? Replace({ record: { ...extend(record, lifetime, now), state: applyChange(record.state, change) } })
        : Conflict({ found: foundInstead(record.state, change) })
  )

const extend = (record: StoredRecord, lifetime: Lifetime, now: number): StoredRecord => ({
  ...record,
  extendedAt: now,
  expiresAt: expiresAt(now, record.createdAt, lifetime)
})

/**
 * Merges a change into the record and puts the secret of `newKey` in the place of the old one: one step, in which no
 * moment knows two live keys or none.
 *
 * @since 0.1.0
 * @category combinators
 */
export const renew = (
  record: StoredRecord | undefined,
  key: SessionKey.SessionKey,
  newKey: SessionKey.SessionKey,
  change: SessionChange,
  lifetime: Lifetime,
  now: number
): Rewrite => {
  const rewrite = update(record, key, change, lifetime, now)
  if (rewrite._tag !== "Replace") {
    return rewrite
  }
  const superseded = withoutGrace(rewrite.record.superseded, now)
  return Replace({ record: replaceSecret(rewrite.record, newKey, { at: now }, superseded) })
}

const replaceSecret = (
  record: StoredRecord,
  newKey: SessionKey.SessionKey,
  replaced: Omit<SupersededSecret, "digest">,
  before: ReadonlyArray<SupersededSecret>
): StoredRecord => ({
  ...record,
  digest: SessionKey.digest(newKey),
  superseded: [{ digest: record.digest, ...replaced }, ...before.filter((secret) => isRemembered(secret, replaced.at))]
    .slice(0, supersededRetention.renewals)
})

/**
 * Whether the key has the newest secret of the session.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isNewest = (record: StoredRecord, key: SessionKey.SessionKey): boolean =>
  SessionKey.digestsEqual(record.digest, SessionKey.digest(key))

/**
 * How a key that opens the record stands among those that do.
 *
 * @since 0.1.0
 * @category combinators
 */
export const standingOf = (record: StoredRecord, key: SessionKey.SessionKey): SecretStanding => {
  const { createdAt, superseded } = record
  const position = isNewest(record, key) ? -1 : superseded.indexOf(findSuperseded(record, SessionKey.digest(key))!)
  return {
    newer: position === -1 ? undefined : record.digest,
    newestSince: superseded[0]?.at ?? createdAt,
    isOpen: position === -1 || superseded[position]!.graceEndsAt === "Open",
    isAwaited: superseded.some(({ graceEndsAt }, i) => i > position && graceEndsAt === "Open")
  }
}

/**
 * Whether `rotate` does more than `update`: because it is time for a new secret, or because this is the first use of one.
 *
 * A secret that nobody has used although its grace has passed was lost on its way, so that who still comes with the one before
 * gets another. Once a newer one is in use, the one before gets none: only one of the two can be the visitor.
 *
 * @since 0.1.0
 * @category predicates
 */
export const isRotationDue = (standing: SecretStanding, rotation: Rotation, now: number): boolean =>
  standing.isAwaited || isNewSecretDue(standing, rotation, now)

const isNewSecretDue = (
  { isOpen, newer, newestSince }: SecretStanding,
  { every, grace }: Rotation,
  now: number
): boolean => isOpen && now - newestSince >= (newer === undefined ? every : grace)

/**
 * Merges a change into the record as `update` does, and notes what that means for its secrets: from the first use of one on, the
 * grace of those before it counts; and where it is time, the secret of `newKey` takes the place of the newest one, which keeps its
 * grace.
 *
 * @since 0.1.0
 * @category combinators
 */
export const rotate = (
  record: StoredRecord | undefined,
  key: SessionKey.SessionKey,
  newKey: SessionKey.SessionKey,
  change: SessionChange,
  lifetime: Lifetime,
  rotation: Rotation & RotationTerms,
  now: number
): Rewrite => {
  const rewrite = update(record, key, change, lifetime, now)
  if (rewrite._tag !== "Replace") {
    return rewrite
  }
  const found = record!
  const { expiresAt, extendedAt } = rotation.extend ? rewrite.record : found
  const standing = standingOf(found, key)
  const superseded = standing.isAwaited ? withGraceFrom(found, key, now + rotation.grace) : found.superseded
  const next = { ...rewrite.record, expiresAt, extendedAt, superseded }
  return Replace({
    record: rotation.mint && isNewSecretDue(standing, rotation, now)
      ? replaceSecret(next, newKey, { at: now, graceEndsAt: "Open" }, withoutUnused(next, key))
      : next
  })
}

// Who comes with an open secret again and again, and never with those that it is given, pushes none out of the list.
const withoutUnused = ({ superseded }: StoredRecord, key: SessionKey.SessionKey): ReadonlyArray<SupersededSecret> => {
  const digest = SessionKey.digest(key)
  const own = superseded.findIndex((secret) => SessionKey.digestsEqual(secret.digest, digest))
  return superseded.filter((_, i) => i < unusedRetention - 1 || i >= own)
}

// Those before the key's own begin to end: the list is newest first.
const withGraceFrom = (
  record: StoredRecord,
  key: SessionKey.SessionKey,
  graceEndsAt: number
): ReadonlyArray<SupersededSecret> => {
  const digest = SessionKey.digest(key)
  let isBefore = isNewest(record, key)
  return record.superseded.map((secret) => {
    const ends = isBefore && secret.graceEndsAt === "Open"
    isBefore ||= SessionKey.digestsEqual(secret.digest, digest)
    return ends ? { ...secret, graceEndsAt } : secret
  })
}

/**
 * Refreshes the expiry of the record, unless it has ended by either limit of the lifetime.
 *
 * @since 0.1.0
 * @category combinators
 */
export const refresh = (
  record: StoredRecord | undefined,
  key: SessionKey.SessionKey,
  lifetime: Lifetime,
  now: number
): Rewrite =>
  forOwner(
    record,
    key,
    (record) => endsAt(record, lifetime),
    now,
    (record) => Replace({ record: extend(record, lifetime, now) })
  )

/**
 * Ends a session: what `delete` answers, and what takes the record's place. The current secret may end it, and one that a
 * renewal has replaced, which can do nothing else: whoever logs out wants to be out.
 *
 * With a `successor`, the key of a session that begins in the place of this one, a trace is left that leads there, so that who
 * comes to end this one learns what ends that one. Without, nothing is left.
 *
 * @since 0.1.0
 * @category combinators
 */
export const end = (
  record: StoredRecord | undefined,
  key: SessionKey.SessionKey,
  successor: SessionKey.SessionKey | undefined,
  now: number
): readonly [answer: boolean | SessionKey.SessionKey, next: StoredRecord | undefined] => {
  if (record === undefined) {
    return [false, record]
  }
  switch (verify(record, key, now)) {
    case "Current":
    case "Superseded":
    case "Reused":
      return [true, successor === undefined ? undefined : traceOf(record, successor, now)]
    case "Replaced": {
      const { digest, id } = record.successor!
      return [SessionKey.fromDigest(id, digest), record]
    }
    case "Foreign":
      return [false, record]
  }
}

// It is there for as long as a request may still come that had loaded the session.
const traceOf = (record: StoredRecord, successor: SessionKey.SessionKey, now: number): StoredRecord => ({
  ...record,
  superseded: withoutGrace(record.superseded, now),
  state: new Map(),
  extendedAt: now,
  expiresAt: now + supersededRetention.millis,
  successor: { id: successor.id, digest: SessionKey.digest(successor) }
})
