/**
 * The statements of the store: one text for each, so that a database prepares it once.
 *
 * @internal
 */
import { placeholder } from "./sqlDialect.js"
import type { SqlTable } from "./sqlTable.js"

/** @internal */
export interface SqlStatements {
  /** Fails where the table, or a column of it, is not there, and reads no row. */
  readonly probe: string
  /** Of `id`: `data` and `version`. */
  readonly read: string
  /** Takes `id`, `version`, `account`, `expires_at`, `data`. */
  readonly insert: string
  /** Takes `version`, `account`, `expires_at`, `data`; then the `id` and the `version` that have to be there. */
  readonly replace: string
  /** Takes the `id` and the `version` that have to be there. */
  readonly remove: string
  /** Takes the time up to which rows have expired, as often as `sweepTimes` says. */
  readonly sweep: string
  readonly sweepTimes: number
}

/** @internal */
export const makeStatements = ({ dialect, name }: SqlTable, batch: number): SqlStatements => {
  // A write says what it has changed: the rows themselves where it can, the database's own count where it cannot.
  const answer = dialect === "mysql" ? "" : " RETURNING 1"
  const at = (position: number) => placeholder(dialect, position)
  return {
    probe: `SELECT id, version, account, expires_at, data FROM ${name} WHERE 1 = 0`,
    read: `SELECT data, version FROM ${name} WHERE id = ${at(1)}`,
    insert: `INSERT INTO ${name} (id, version, account, expires_at, data) VALUES (${
      [1, 2, 3, 4, 5].map(at).join(", ")
    })${dialect === "mysql" ? "" : ` ON CONFLICT (id) DO NOTHING${answer}`}`,
    replace: `UPDATE ${name} SET version = ${at(1)}, account = ${at(2)}, expires_at = ${at(3)}, data = ${
      at(4)
    } WHERE id = ${at(5)} AND version = ${at(6)}${answer}`,
    remove: `DELETE FROM ${name} WHERE id = ${at(1)} AND version = ${at(2)}${answer}`,
    ...sweepOf(dialect, name, batch)
  }
}

// What was extended between the look and the removal stays, and no server waits for what another one removes.
const sweepOf = (
  dialect: SqlTable["dialect"],
  name: string,
  batch: number
): Pick<SqlStatements, "sweep" | "sweepTimes"> => {
  switch (dialect) {
    case "pg":
      return {
        sweep:
          `DELETE FROM ${name} WHERE id = ANY(ARRAY(SELECT id FROM ${name} WHERE expires_at <= $1 ORDER BY expires_at
  LIMIT ${batch} FOR UPDATE SKIP LOCKED)) AND expires_at <= $1 RETURNING 1`,
        sweepTimes: 1
      }
    case "mysql":
      return { sweep: `DELETE FROM ${name} WHERE expires_at <= ? ORDER BY expires_at LIMIT ${batch}`, sweepTimes: 1 }
    case "sqlite":
      return {
        sweep: `DELETE FROM ${name} WHERE id IN (SELECT id FROM ${name} WHERE expires_at <= ? LIMIT ${batch})
  AND expires_at <= ? RETURNING 1`,
        sweepTimes: 2
      }
  }
}
