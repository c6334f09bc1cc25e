/**
 * Sessions as rows of a table, for a store over compare and swap.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import type { SessionId } from "../../SessionKey.js"
import type { SqlCalls } from "./sqlCalls.js"
import type { SqlFailure } from "./sqlFailure.js"
import type { SqlStatements } from "./sqlStatements.js"
import { asciiJson, textOf } from "./sqlText.js"

/** @internal */
export interface SqlRow {
  readonly text: string
  readonly version: string
}

/** @internal */
export interface SqlRows {
  readonly get: (id: SessionId) => Effect.Effect<SqlRow | undefined, SqlFailure>
  readonly insert: (id: SessionId, text: string, expiresAt: number) => Effect.Effect<boolean, SqlFailure>
  readonly replace: (
    id: SessionId,
    version: string,
    text: string,
    expiresAt: number
  ) => Effect.Effect<boolean, SqlFailure>
  readonly remove: (id: SessionId, version: string) => Effect.Effect<boolean, SqlFailure>
  /** Removes rows that have expired by then, a batch at most, and says how many. */
  readonly sweep: (time: number) => Effect.Effect<number, SqlFailure>
}

/**
 * `maxText` is how long the text of a record may be.
 *
 * @internal
 */
export const makeRows = ({ changed, rows }: SqlCalls, statements: SqlStatements, maxText: number): SqlRows => {
  const writeText = (text: string, write: (data: string) => Effect.Effect<number, SqlFailure>) => {
    const data = asciiJson(text)
    return data.length > maxText ? Effect.fail(tooLarge(maxText)) : Effect.map(write(data), isOne)
  }
  return {
    get: (id) =>
      Effect.map(
        rows(statements.read, [id]),
        ([row]) => row === undefined ? undefined : { text: textOf(row["data"]), version: textOf(row["version"]) }
      ),
    insert: (id, text, expiresAt) =>
      writeText(text, (data) =>
        Effect.catchIf(
          changed(statements.insert, [id, drawVersion(), null, columnTime(expiresAt), data]),
          ({ fault }) => fault === "Duplicate",
          () => Effect.succeed(0)
        )),
    replace: (id, version, text, expiresAt) =>
      writeText(
        text,
        (data) => changed(statements.replace, [drawVersion(), null, columnTime(expiresAt), data, id, version])
      ),
    remove: (id, version) => Effect.map(changed(statements.remove, [id, version]), isOne),
    sweep: (time) => changed(statements.sweep, Array.from({ length: statements.sweepTimes }, () => columnTime(time)))
  }
}

const tooLarge = (maxText: number): SqlFailure => ({
  fault: "TooLarge",
  description: `its record would have more than ${maxText} bytes, what fits into a packet (max_allowed_packet)`
})

const isOne = (count: number): boolean => count === 1

// Drawn and not counted. A fail-over may lose the last writes, and a counter would then give the number that a request has seen to
// what another one has written: it would be overwritten, a new secret after a login with it.
const drawVersion = (): string => randomBytes(12).toString("base64url")

// Later rather than earlier, and a number that each database has as an integer.
const columnTime = (millis: number): number => Math.min(Math.ceil(millis), Number.MAX_SAFE_INTEGER)
