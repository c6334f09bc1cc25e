/**
 * What a database says when it does not carry out a statement, without a word of what was sent: Postgres quotes the row that it
 * refuses, MySQL the value, and their drivers hang the whole statement on the error. These are the values of a session.
 *
 * @internal
 */
import type { SqlError } from "@effect/sql/SqlError"

/**
 * Why a statement was not carried out. `MissingTable`: there is no table of that name. `ForeignTable`: there is one, without a
 * column of this store. `Refused`: the user may not, or the database knows no such statement: it will not mend itself.
 * `Duplicate`: a row with that id is there. `Repeatable`: nothing was done, and it can be tried again at once. `TooLarge`: the
 * database takes no statement of that length.
 *
 * @internal
 */
export type SqlFault =
  | "MissingTable"
  | "ForeignTable"
  | "Refused"
  | "Duplicate"
  | "Repeatable"
  | "TooLarge"
  | "Unavailable"

/** @internal */
export interface SqlFailure {
  readonly fault: SqlFault
  readonly description: string
}

/** @internal */
export const failureOf = (error: SqlError): SqlFailure => {
  const { cause } = error
  return cause instanceof Error
    ? { fault: faultOf(cause), description: describe(cause) }
    : { fault: "Unavailable", description: "an unknown error" }
}

/** What drivers hang on their errors. */
interface DriverError extends Error {
  readonly code?: unknown
  readonly errno?: unknown
  readonly severity?: unknown
  readonly sqlState?: unknown
}

/** The SQLSTATE: a class of two characters, and three more. Node's own errors have a `code` as well. */
const stateOf = ({ code, severity, sqlState }: DriverError): string | undefined =>
  typeof sqlState === "string" ? sqlState : typeof code === "string" && severity !== undefined ? code : undefined

const faults: ReadonlyArray<readonly [fault: SqlFault, holds: (error: DriverError) => boolean]> = [
  [
    "MissingTable",
    (error) =>
      ["42P01", "3F000", "42S02"].includes(stateOf(error) ?? "") ||
      /no such table|unknown database/i.test(error.message)
  ],
  [
    "ForeignTable",
    (error) => ["42703", "42S22"].includes(stateOf(error) ?? "") || /no such column/i.test(error.message)
  ],
  // MySQL counts a deadlock among the serialization failures.
  ["Repeatable", (error) => ["40001", "40P01"].includes(stateOf(error) ?? "")],
  ["Duplicate", ({ errno }) => errno === 1062],
  ["TooLarge", (error) => error.errno === 1153 || error.code === "SQLITE_TOOBIG" || stateOf(error) === "54000"],
  ["Refused", (error) => stateOf(error)?.startsWith("42") ?? false]
]

const faultOf = (error: DriverError): SqlFault => faults.find(([, holds]) => holds(error))?.[0] ?? "Unavailable"

// Classes of SQLSTATE whose messages name connections, users, tables and limits, and no value.
const namelessClasses = ["08", "25", "28", "3D", "3F", "40", "42", "53", "54", "55", "57", "58"]

const quotesNoValue = (error: DriverError): boolean => {
  const state = stateOf(error)
  return state === undefined
    ? !String(error.code).startsWith("SQLITE_CONSTRAINT")
    : namelessClasses.includes(state.slice(0, 2))
}

const describe = (error: DriverError): string => {
  const name = typeof error.code === "string" ? error.code : stateOf(error) ?? error.name
  // Node's error for a name with several addresses has a code and no message.
  return quotesNoValue(error) && error.message !== "" ? error.message : name
}

/**
 * A failure as a sentence, with the mend where the app has one.
 *
 * @internal
 */
export const sentenceOf = (what: string, { description, fault }: SqlFailure, table: string): string =>
  `The database could not ${what}: ${description}${mendOf(fault, table)}`

const mendOf = (fault: SqlFault, table: string): string => {
  switch (fault) {
    case "MissingTable":
      return `. Sessions need the table ${table}: run SqlSessionStore.migration, or build the store with createTable: true`
    case "ForeignTable":
      return `. The table ${table} was made for something else: give sessions one of their own, by the option table`
    default:
      return ""
  }
}
