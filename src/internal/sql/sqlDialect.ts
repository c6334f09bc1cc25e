/**
 * The databases that the store speaks to, and what is theirs alone in a statement.
 *
 * @internal
 */
import type { SqlClient } from "@effect/sql/SqlClient"

/** @internal */
export type SqlDialect = "pg" | "mysql" | "sqlite"

/**
 * `undefined`: the client speaks to another database.
 *
 * @internal
 */
export const dialectOf = (sql: SqlClient): SqlDialect | undefined =>
  sql.onDialectOrElse({
    pg: () => "pg" as const,
    mysql: () => "mysql" as const,
    sqlite: () => "sqlite" as const,
    orElse: () => undefined
  })

/**
 * The place of the parameter with that number, from 1.
 *
 * @internal
 */
export const placeholder = (dialect: SqlDialect, position: number): string => dialect === "pg" ? `$${position}` : "?"
