/**
 * What each option of the store may be. Options come from JavaScript, too: types alone do not keep a wrong value out.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { SessionStoreConfigError } from "../../SessionStore.js"
import type { SqlSweep } from "./sqlSweep.js"
import { isTableName, tableNameMend } from "./sqlTable.js"

/** @internal */
export interface SqlSettings {
  readonly table: string
  readonly createTable: boolean
  /** `undefined`: none. */
  readonly sweep: SqlSweep | undefined
  readonly timeout: Duration.Duration
  readonly pollEvery: Duration.Duration
}

/** @internal */
export const sqlDefaults = {
  table: "sessions",
  createTable: false,
  sweep: { every: "10 minutes", batch: 500 },
  timeout: "5 seconds",
  pollEvery: "5 seconds"
} as const

/** As options may come: nothing about them is known. */
interface Given {
  readonly table?: unknown
  readonly createTable?: unknown
  readonly sweep?: unknown
  readonly timeout?: unknown
  readonly pollEvery?: unknown
}

type Decoded<A> = Either.Either<A, SessionStoreConfigError>

/** @internal */
export const decodeSettings = (options: Given | undefined): Decoded<SqlSettings> =>
  Either.all({
    table: decodeTable(options),
    createTable: decodeCreateTable(options),
    sweep: decodeSweep(options),
    timeout: decodeDuration("timeout", options?.timeout ?? sqlDefaults.timeout, maxTimerMillis, "24 days"),
    pollEvery: decodeDuration("pollEvery", options?.pollEvery ?? sqlDefaults.pollEvery, maxTimerMillis, "24 days")
  })

/** @internal */
export const decodeTable = (options: Given | undefined): Decoded<string> => {
  const table = options?.table ?? sqlDefaults.table
  return isTableName(table) ? Either.right(table) : refuse("table", `is not the name of a table: ${tableNameMend}`)
}

const decodeCreateTable = (options: Given | undefined): Decoded<boolean> => {
  const createTable = options?.createTable ?? sqlDefaults.createTable
  return typeof createTable === "boolean"
    ? Either.right(createTable)
    : refuse("createTable", "is not a boolean: use true or false")
}

const largestBatch = 10_000

const decodeSweep = (options: Given | undefined): Decoded<SqlSweep | undefined> => {
  const sweep = options?.sweep ?? {}
  if (sweep === false) {
    return Either.right(undefined)
  }
  if (typeof sweep !== "object") {
    return refuse("sweep", "is neither false nor a record: use one like { every: \"10 minutes\" }")
  }
  const { batch = undefined, every = undefined }: { readonly every?: unknown; readonly batch?: unknown } = sweep
  return Either.all({
    every: decodeDuration("sweep.every", every ?? sqlDefaults.sweep.every, maxSweepMillis, "16 days"),
    batch: decodeBatch(batch ?? sqlDefaults.sweep.batch)
  })
}

const decodeBatch = (batch: unknown): Decoded<number> =>
  typeof batch === "number" && Number.isSafeInteger(batch) && batch >= 1 && batch <= largestBatch
    ? Either.right(batch)
    : refuse("sweep.batch", `is not a number of rows: use an integer from 1 to ${largestBatch}`)

// What a timer of Node can count: more overflows, and would fire at once. A sweep may wait for half as long again.
const maxTimerMillis = 2_147_483_647
const maxSweepMillis = maxTimerMillis / 1.5

const decodeDuration = (option: string, value: unknown, maxMillis: number, most: string): Decoded<Duration.Duration> =>
  Duration.decodeUnknown(value).pipe(
    Option.filter((duration) => Duration.toMillis(duration) > 0 && Duration.toMillis(duration) <= maxMillis),
    Option.match({
      onNone: () =>
        refuse(option, `is not a duration of more than zero and at most ${most}: use one like "10 seconds"`),
      onSome: Either.right
    })
  )

const refuse = (option: string, problem: string): Either.Either<never, SessionStoreConfigError> =>
  Either.left(new SessionStoreConfigError({ option, message: `The option ${option} ${problem}` }))
