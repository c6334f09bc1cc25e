/**
 * A session record as one JSON text, for where the whole record travels:
 *
 *     {"v":1,"c":createdAt,"u":extendedAt,"e":expiresAt,"s":{"key":value,…}}
 *
 * Values stand as the JSON they are, so nothing is encoded twice. A text without `u` is from before there was one, and may
 * hold a deadline as `d`, which the limits of today take the place of.
 *
 * @internal
 */
import * as Either from "effect/Either"
import type { SessionId } from "../../SessionKey.js"
import type { SessionRecord, SessionState } from "../../SessionRecord.js"

const version = 1

/** @internal */
export const encodeRecord = (record: SessionRecord): string => {
  const values = Array.from(record.state, ([key, value]) => `${JSON.stringify(key)}:${value}`)
  const times = `"c":${record.createdAt},"u":${record.extendedAt},"e":${record.expiresAt}`
  return `{"v":${version},${times},"s":{${values.join(",")}}}`
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const isTime = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0

/**
 * Reads a record back. `Left` says what is wrong with the text, and quotes nothing of it.
 *
 * @internal
 */
export const decodeRecord = (id: SessionId, text: string): Either.Either<SessionRecord, string> => {
  let record: unknown
  try {
    record = JSON.parse(text)
  } catch {
    return Either.left("it is not JSON")
  }
  if (!isObject(record) || !isObject(record["s"])) {
    return Either.left("it has no state")
  }
  const { c: createdAt, e: expiresAt, s: values, u: extendedAt = expiresAt, v } = record
  if (v !== version) {
    return Either.left(`its version is not ${version}`)
  }
  if (!isTime(createdAt) || !isTime(extendedAt) || !isTime(expiresAt)) {
    return Either.left("its times are not milliseconds since the epoch")
  }
  const state = readState(values)
  return state === undefined
    ? Either.left("its values are nested too deeply")
    : Either.right({ id, state, createdAt, extendedAt, expiresAt })
}

// JSON.parse goes deeper than JSON.stringify can follow.
const readState = (values: Record<string, unknown>): SessionState | undefined => {
  try {
    return new Map(Object.keys(values).map((key) => [key, JSON.stringify(values[key])]))
  } catch {
    return undefined
  }
}
