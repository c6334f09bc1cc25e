/**
 * Many rows that have expired, in a Postgres whose other sessions are read all the while: how long a read takes before the sweep
 * begins, and while it goes on.
 *
 *     node sweepWorker.mjs <postgres url> <table> <sessions>
 */
import * as Effect from "effect/Effect"
import { setTimeout as sleep } from "node:timers/promises"
import pg from "pg"
import { quantile } from "../rounds.mjs"
import { copyRows, openStore, writeSessions } from "./sqlTable.mjs"

const [postgresUrl, table, count] = process.argv.slice(2)
const sessions = Number(count)
const living = 1_000

const longAgo = Date.now() - 3_600_000

const { close, store } = await openStore(postgresUrl, table)
const keys = await writeSessions({ store, written: living })
await copyRows(postgresUrl, table, { from: living, to: sessions, expiresAt: longAgo })

const watcher = new pg.Client({ connectionString: postgresUrl })
await watcher.connect()
const isSwept = async () => {
  const { rowCount } = await watcher.query(`SELECT 1 FROM ${table} WHERE expires_at <= ${longAgo} LIMIT 1`)
  return rowCount === 0
}

/** Reads, one after the other with a breath between, until it is over. */
const read = async (isOver) => {
  const millis = []
  for (let n = 0; !isOver(); n++) {
    const begin = performance.now()
    const { _tag } = await Effect.runPromise(store.load(keys[n * 7919 % keys.length]))
    millis.push(performance.now() - begin)
    if (_tag !== "Live") {
      throw new Error("a session that lives was swept")
    }
    await sleep(1)
  }
  return { reads: millis.length, longest: Math.max(...millis), p99: quantile(millis, 0.99), p50: quantile(millis, 0.5) }
}

const quietUntil = performance.now() + 3_000
const quiet = await read(() => performance.now() > quietUntil)

const begin = performance.now()
const sweeper = await openStore(postgresUrl, table, { sweep: { every: "100 millis" } })
let isOver = false
const sweeping = read(() => isOver)
while (!(await isSwept())) {
  await sleep(100)
}
isOver = true
const result = { sessions, quiet, sweeping: await sweeping, seconds: (performance.now() - begin) / 1000 }

await sweeper.close()
await watcher.query(`DROP TABLE ${table}`)
await watcher.end()
await close()
process.send(result, () => process.exit(0))
