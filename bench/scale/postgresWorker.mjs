/**
 * The SQL store with a given number of sessions around it, in a table of its own in Postgres. It fills the table, counts the bytes,
 * and then measures operations whenever it is asked: its own CPU time and that of Postgres.
 *
 *     node postgresWorker.mjs <postgres url> <its process> <sessions>
 */
import { readFileSync } from "node:fs"
import { copyRows, forEach, openStore, writeSessions } from "./sqlTable.mjs"
import { changeOf, lifetime } from "./state.mjs"

const [postgresUrl, pid, count] = process.argv.slice(2)
const sessions = Number(count)
const table = `scale_${sessions}`

const maxSampled = 2_000

const childrenOf = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean)

// The kernel counts in hundredths of a second: those of its own, and of children that have ended.
const ticksOf = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1).split(" ")
  return fields.slice(11, 15).map(Number)
}
const postgresCpuMicros = () => {
  const own = ticksOf(pid).reduce((sum, ticks) => sum + ticks, 0)
  const living = childrenOf(pid).map((child) => ticksOf(child)[0] + ticksOf(child)[1])
  return 10_000 * living.reduce((sum, ticks) => sum + ticks, own)
}
const ownCpuMicros = () => {
  const { system, user } = process.cpuUsage()
  return system + user
}

const perOperation = async (operations, operation) => {
  const own = ownCpuMicros()
  const postgres = postgresCpuMicros()
  await forEach(operations, operation)
  return {
    own: (ownCpuMicros() - own) / operations,
    postgres: (postgresCpuMicros() - postgres) / operations
  }
}

const { close, store } = await openStore(postgresUrl, table)
const keys = await writeSessions({ store, written: Math.min(sessions, maxSampled) })
const { bytes } = await copyRows(postgresUrl, table, { from: keys.length, to: sessions })

process.on("message", async ({ operations }) => {
  process.send({
    load: await perOperation(operations, (n) => store.load(keys[n * 7919 % keys.length])),
    update: await perOperation(operations, (n) => store.update(keys[n * 7919 % keys.length], changeOf(n), lifetime))
  })
})
process.on("disconnect", async () => {
  await close()
  process.exit(0)
})
process.send({ bytesPerSession: bytes / sessions })
