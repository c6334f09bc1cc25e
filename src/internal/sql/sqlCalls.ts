/**
 * Runs the statements of the store, each by itself: outside of whatever transaction the app is in, which could take a logout back
 * and shows what was true when it began.
 *
 * @internal
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection, Row } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import type { Statement } from "@effect/sql/Statement"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { SqlDialect } from "./sqlDialect.js"
import { failureOf, type SqlFailure } from "./sqlFailure.js"

/** @internal */
export interface SqlCalls {
  /** The rows that the statement answers with. */
  readonly rows: (statement: string, params: ReadonlyArray<unknown>) => Effect.Effect<ReadonlyArray<Row>, SqlFailure>
  /** How many rows the write has changed. Where the database can, it says so by a row for each. */
  readonly changed: (statement: string, params: ReadonlyArray<unknown>) => Effect.Effect<number, SqlFailure>
  /** All of the statements or none, where the database can do that. */
  readonly together: (statements: ReadonlyArray<string>) => Effect.Effect<void, SqlFailure>
}

/** @internal */
export const makeCalls = (sql: SqlClient.SqlClient, dialect: SqlDialect): SqlCalls => {
  const alone = dialect === "sqlite" ? onTheOneConnection(sql) : apart
  const call = <A>(statement: Effect.Effect<A, SqlError>): Effect.Effect<A, SqlFailure> => {
    const attempt: Effect.Effect<A, SqlFailure> = Effect.catchIf(
      alone(Effect.mapError(statement, failureOf)),
      ({ fault }) => fault === "Repeatable",
      () => attempt
    )
    return attempt
  }
  const rows: SqlCalls["rows"] = (text, params) => {
    const statement = sql.unsafe<Row>(text, params)
    return call(dialect === "sqlite" ? preparedAnew(statement) : statement.withoutTransform)
  }
  return {
    rows,
    changed: (statement, params) =>
      dialect === "mysql"
        ? Effect.map(call(sql.unsafe(statement, params).raw), affectedRows)
        : Effect.map(rows(statement, params), ({ length }) => length),
    together: (statements) =>
      apart(sql.withTransaction(
        Effect.forEach(statements, (statement) => sql.unsafe(statement).withoutTransform, { discard: true })
      )).pipe(Effect.mapError(failureOf))
  }
}

// The client of SQLite remembers for ten minutes which statements it could not prepare, whatever the reason was: a table that was
// not there yet, or a file that another process had locked.
const preparedAnew = (statement: Statement<Row>): Effect.Effect<ReadonlyArray<Row>, SqlError> =>
  Effect.catchIf(
    statement.withoutTransform,
    ({ message }) => message.startsWith("Failed to prepare"),
    () => Effect.catchAllDefect(statement.unprepared, (cause) => Effect.fail(new SqlError({ cause })))
  )

const affectedRows = (answer: unknown): number =>
  typeof answer === "object" && answer !== null && "affectedRows" in answer ? Number(answer.affectedRows) : 0

// The span is all that a statement of ours needs of its caller's context. Beside the transaction there may be settings in it
// of how the app wants its numbers.
const apart = <A, E>(statement: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.mapInputContext(
    statement,
    (context: Context.Context<never>): Context.Context<never> =>
      Option.match(Context.getOption(context, Tracer.ParentSpan), {
        onNone: () => Context.empty(),
        onSome: (span) => Context.make(Tracer.ParentSpan, span)
      })
  )

/**
 * A client of SQLite has one connection, for which transactions queue. A statement that is run without a place in that queue can
 * end up in the transaction of another fiber, which may begin while it is on its way: so it is given one. Whoever is in a
 * transaction has the connection already, and would wait for himself.
 */
const onTheOneConnection = (sql: SqlClient.SqlClient) => {
  let own: Connection | undefined
  return <A>(statement: Effect.Effect<A, SqlFailure>): Effect.Effect<A, SqlFailure> =>
    Effect.flatMap(
      Effect.serviceOption(SqlClient.TransactionConnection),
      (transaction) =>
        own !== undefined && Option.isSome(transaction) && transaction.value[0] === own
          ? Effect.fail(inTransaction)
          : apart(Effect.scoped(
            Effect.flatMap(Effect.mapError(sql.reserve, failureOf), (connection) => {
              own = connection
              return Effect.provideService(statement, SqlClient.TransactionConnection, [connection, 0])
            })
          ))
    )
}

const inTransaction: SqlFailure = {
  fault: "Unavailable",
  description:
    "the transaction that this runs in has the one connection to SQLite, and could take a logout back: use the session before it "
    + "begins and after it has ended, or give sessions a SqlClient with a file of their own"
}
