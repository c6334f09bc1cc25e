/**
 * What the table knows of accounts: their rows, and an epoch for each account whose sessions were all ended lately. That is a row
 * as well, under an id that no session has, so that whatever may be done with sessions may be done with it: it expires and is swept.
 *
 * @internal
 */
import type { Row } from "@effect/sql/SqlConnection"
import * as Effect from "effect/Effect"
import type { SessionId } from "../../SessionKey.js"
import type { AccountDigest } from "../../SessionSignIn.js"
import type { SqlCalls } from "./sqlCalls.js"
import type { SqlFailure } from "./sqlFailure.js"
import type { SqlRow, SqlRows } from "./sqlRows.js"
import type { SqlStatements } from "./sqlStatements.js"
import { textOf } from "./sqlText.js"

/** @internal */
export interface SqlAccounts {
  readonly rowsOf: (
    account: AccountDigest,
    after: string | undefined,
    limit: number
  ) => Effect.Effect<ReadonlyArray<SqlRow & { readonly id: SessionId }>, SqlFailure>
  readonly stateOf: (
    account: AccountDigest
  ) => Effect.Effect<{ readonly epoch: string | undefined; readonly count: number }, SqlFailure>
  readonly moveEpoch: (
    account: AccountDigest,
    from: string | undefined,
    to: string,
    keepUntil: number
  ) => Effect.Effect<boolean, SqlFailure>
}

/** @internal */
export const makeAccounts = ({ rows }: SqlCalls, { put }: SqlRows, statements: SqlStatements): SqlAccounts => ({
  rowsOf: (account, after = "", limit) =>
    Effect.map(rows(statements.ofAccount, [account, after, limit]), (found) => found.map(rowOf)),
  stateOf: (account) =>
    Effect.map(rows(statements.accountState, [epochId(account), account]), ([row]) => ({
      epoch: textOf(row?.["epoch"]) || undefined,
      // Postgres has more numbers than JavaScript, and answers a count as text.
      count: Number(row?.["sessions"])
    })),
  moveEpoch: (account, from, to, keepUntil) =>
    put({ id: epochId(account), from, to, account: undefined, expiresAt: keepUntil, data: "" })
})

const rowOf = (row: Row): SqlRow & { readonly id: SessionId } => ({
  id: textOf(row["id"]) as SessionId,
  text: textOf(row["data"]),
  version: textOf(row["version"])
})

// No id of a session has a colon.
const epochId = (account: AccountDigest): string => `epoch:${account}`
