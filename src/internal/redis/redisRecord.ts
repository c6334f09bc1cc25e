/**
 * A session record as one Redis hash, and back. Each value of the state has a field of its own, so that parallel changes
 * of different values merge.
 *
 * The layout is written down in `docs/stores/redis.md`.
 *
 * @internal
 */
import * as Either from "effect/Either"
import type { SecretDigest, SessionId } from "../../SessionKey.js"
import type { SessionState, StoredRecord, Successor, SupersededSecret } from "../../SessionRecord.js"

/**
 * The layout that this version writes and reads. A record in another layout is malformed to it.
 *
 * @internal
 */
export const layoutVersion = "1"

/**
 * The fields that are not values of the state. None of them starts as the field of a value does.
 *
 * @internal
 */
export const fields = {
  version: "v",
  digest: "digest",
  superseded: "superseded",
  successor: "successor",
  createdAt: "createdAt",
  extendedAt: "extendedAt",
  expiresAt: "expiresAt",
  listed: "listed"
} as const

/**
 * Stands in the place of a grace's end that has no time yet.
 *
 * @internal
 */
export const openGrace = "open"

// What records of before may hold, and nothing goes by any more.
const formerDeadline = "deadline"

const plainMark = "="
const escapedMark = "~"

// Matches a surrogate without its partner. UTF-8 has no form for it: all of them would become the same three bytes.
const loneSurrogate = /\p{Surrogate}/u

/**
 * The field that holds the value of a key: `=` and the key, or `~` and the key as JSON text where it is not well-formed
 * Unicode. No two keys share a field.
 *
 * @internal
 */
export const fieldOf = (key: string): string =>
  loneSurrogate.test(key) ? escapedMark + JSON.stringify(key) : plainMark + key

const keyOf = (field: string): string | undefined => {
  if (field.startsWith(plainMark)) {
    return field.slice(1)
  }
  if (field.startsWith(escapedMark)) {
    try {
      const key: unknown = JSON.parse(field.slice(1))
      // The one spelling that `fieldOf` writes, or two fields could stand for one key.
      return typeof key === "string" && fieldOf(key) === field ? key : undefined
    } catch {
      return undefined
    }
  }
  return undefined
}

/**
 * A time in milliseconds as text that reads back as the same number.
 *
 * @internal
 */
export const timeText = (millis: number): string => String(millis)

/**
 * Reads what `timeText` has written, and nothing else.
 *
 * @internal
 */
export const readTime = (text: string | undefined): number | undefined => {
  if (text === undefined) {
    return undefined
  }
  const millis = Number(text)
  return !Number.isNaN(millis) && timeText(millis) === text ? millis : undefined
}

/**
 * Fields and values of a new record, by turns.
 *
 * @internal
 */
export const encodeRecord = (record: StoredRecord): Array<string> => {
  const hash = [
    fields.version,
    layoutVersion,
    fields.digest,
    record.digest,
    fields.createdAt,
    timeText(record.createdAt),
    fields.extendedAt,
    timeText(record.extendedAt),
    fields.expiresAt,
    timeText(record.expiresAt)
  ]
  for (const [key, value] of record.state) {
    hash.push(fieldOf(key), value)
  }
  return hash
}

const idPattern = /^[A-Za-z0-9_-]{22}$/
const digestPattern = /^[A-Za-z0-9_-]{43}$/

const readDigest = (text: string | undefined): SecretDigest | undefined =>
  text !== undefined && digestPattern.test(text) ? text as SecretDigest : undefined

const readSuperseded = (text: string | undefined): ReadonlyArray<SupersededSecret> | undefined => {
  if (text === undefined) {
    return []
  }
  const superseded: Array<SupersededSecret> = []
  for (const entry of text.split(",")) {
    const [digestText, atText, grace, ...more] = entry.split(":")
    const digest = readDigest(digestText)
    const at = readTime(atText)
    const graceEndsAt = grace === openGrace ? "Open" : readTime(grace)
    if (
      digest === undefined || at === undefined || (grace !== undefined && graceEndsAt === undefined) || more.length > 0
    ) {
      return undefined
    }
    superseded.push(graceEndsAt === undefined ? { digest, at } : { digest, at, graceEndsAt })
  }
  return superseded
}

/**
 * The session that took the place of one that ended, as text.
 *
 * @internal
 */
export const successorText = ({ digest, id }: Successor): string => `${id}:${digest}`

/**
 * Reads what `successorText` has written, and nothing else.
 *
 * @internal
 */
export const readSuccessor = (text: string): Successor | undefined => {
  const [id, digestText, ...more] = text.split(":")
  const digest = readDigest(digestText)
  return id !== undefined && idPattern.test(id) && digest !== undefined && more.length === 0
    ? { id: id as SessionId, digest }
    : undefined
}

/**
 * Reads the fields and values of a hash. A hash without fields is no record at all (`undefined`), which is how Redis
 * answers for a key that is not there; `left` names what keeps the hash from being a session record, and never a value.
 *
 * @internal
 */
export const decodeRecord = (
  id: SessionId,
  hash: Iterable<readonly [field: string, value: string]>
): Either.Either<StoredRecord | undefined, string> => {
  const state = new Map<string, string>()
  const meta = new Map<string, string>()
  for (const [field, value] of hash) {
    const key = keyOf(field)
    if (key === undefined) {
      meta.set(field, value)
    } else {
      state.set(key, value)
    }
  }
  if (meta.size === 0 && state.size === 0) {
    return absent
  }
  if (meta.get(fields.version) !== layoutVersion) {
    return Either.left(wrongField(fields.version))
  }
  const digest = readDigest(meta.get(fields.digest))
  if (digest === undefined) {
    return Either.left(wrongField(fields.digest))
  }
  const createdAt = readTime(meta.get(fields.createdAt))
  if (createdAt === undefined) {
    return Either.left(wrongField(fields.createdAt))
  }
  const expiresAt = readTime(meta.get(fields.expiresAt))
  if (expiresAt === undefined) {
    return Either.left(wrongField(fields.expiresAt))
  }
  // A record of before does not say when it was extended. Its expiry limits it until it is written again.
  const extendedAt = meta.has(fields.extendedAt) ? readTime(meta.get(fields.extendedAt)) : expiresAt
  if (extendedAt === undefined) {
    return Either.left(wrongField(fields.extendedAt))
  }
  const superseded = readSuperseded(meta.get(fields.superseded))
  if (superseded === undefined) {
    return Either.left(wrongField(fields.superseded))
  }
  const successorFound = meta.get(fields.successor)
  const successor = successorFound === undefined ? undefined : readSuccessor(successorFound)
  if (successorFound !== undefined && successor === undefined) {
    return Either.left(wrongField(fields.successor))
  }
  for (const field of meta.keys()) {
    if (!knownFields.has(field)) {
      return Either.left("there is a field that no session record has")
    }
  }
  return Either.right({
    id,
    digest,
    superseded,
    state: state as SessionState,
    createdAt,
    extendedAt,
    expiresAt,
    ...(successor === undefined ? {} : { successor })
  })
}

const absent = Either.right(undefined)

const knownFields: ReadonlySet<string> = new Set([...Object.values(fields), formerDeadline])

/**
 * Says which of the fields is wrong.
 *
 * @internal
 */
export const wrongField = (field: string): string => `the field "${field}" is missing or wrong`
