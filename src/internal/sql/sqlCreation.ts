/**
 * Whether the table is there, and how it is made by a server that starts.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { SqlCalls } from "./sqlCalls.js"
import type { SqlFailure } from "./sqlFailure.js"
import type { SqlTable } from "./sqlTable.js"

/**
 * Fails where the table is not there, or is not one of this store. `probe` is a statement that does.
 *
 * @internal
 */
export const findTable = ({ rows }: SqlCalls, probe: string): Effect.Effect<void, SqlFailure> =>
  Effect.asVoid(rows(probe, []))

/**
 * Makes the table where it is not there. A server that ends in between leaves all of it or nothing, or what the next one completes.
 *
 * @internal
 */
export const ensureTable = (calls: SqlCalls, probe: string, table: SqlTable): Effect.Effect<void, SqlFailure> =>
  table.dialect === "sqlite"
    // Each by itself, and always: a transaction would keep the file locked for others while this process does something else.
    ? Effect.zipRight(
      Effect.forEach(table.creation, (statement) => calls.rows(statement, []), { discard: true }),
      findTable(calls, probe)
    )
    // Only where it is missing: Postgres would lock the table against writers before it finds an index there.
    : Effect.catchIf(findTable(calls, probe), ({ fault }) => fault === "MissingTable", () => create(calls, table))

// Of servers that make the same table at once, Postgres lets one win and fails the others, who find it when they look again.
const create = ({ together }: SqlCalls, { creation }: SqlTable): Effect.Effect<void, SqlFailure> =>
  Effect.retry(together(creation), { times: 5 })
