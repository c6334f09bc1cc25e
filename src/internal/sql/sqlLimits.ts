/**
 * How much a database takes.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { SqlCalls } from "./sqlCalls.js"
import type { SqlDialect } from "./sqlDialect.js"
import type { SqlFailure } from "./sqlFailure.js"

// For the statement and what it is given beside the text.
const besideText = 1_024

/**
 * How long the text of a record may be. MySQL drops the connection of who sends more than its packet holds, so it is asked for
 * that; the others take more than a session can have.
 *
 * @internal
 */
export const maxTextLength = ({ rows }: SqlCalls, dialect: SqlDialect): Effect.Effect<number, SqlFailure> =>
  dialect === "mysql"
    ? Effect.map(rows("SELECT @@max_allowed_packet AS bytes", []), ([row]) => Number(row?.["bytes"]) - besideText)
    : Effect.succeed(Number.POSITIVE_INFINITY)
