/**
 * What the number of sessions does: bytes, cost of an operation, and the pause when many expire at once.
 */
import { startChild } from "../childProcess.mjs"
import { median, rotated, summarize } from "../rounds.mjs"

const heap = ["--expose-gc", "--max-old-space-size=8192"]

const memoryWorker = (kind, sessions) =>
  startChild(new URL("memoryWorker.mjs", import.meta.url), { args: [kind, String(sessions)], execArgv: heap })

const bytesPerSession = async (kind, sessions) => {
  const worker = memoryWorker(kind, sessions)
  const { bytesPerSession } = await worker.next()
  await worker.stop()
  return bytesPerSession
}

const warmupRounds = 3

/** Rounds by turns over workers that are all there at once, so that the machine's moods hit every size. */
const measureByTurns = async (workers, rounds, operations) => {
  const results = workers.map(() => [])
  for (let round = -warmupRounds; round < rounds; round++) {
    for (const index of rotated(workers.map((_, i) => i), round + warmupRounds)) {
      const result = await workers[index].ask({ operations })
      if (round >= 0) {
        results[index].push(result)
      }
    }
  }
  return results
}

const memoryScale = async ({ operations, rounds, sizes }, log) => {
  const results = []
  for (const sessions of sizes) {
    log(`scale: bytes of ${sessions} sessions in memory`)
    results.push({
      sessions,
      bytesPerSession: await bytesPerSession("bytes", sessions),
      mapBytesPerSession: await bytesPerSession("map", sessions)
    })
  }
  log("scale: operations of the memory store")
  const workers = sizes.map((sessions) => memoryWorker("operations", sessions))
  await Promise.all(workers.map((worker) => worker.next()))
  const measured = await measureByTurns(workers, rounds, operations)
  await Promise.all(workers.map((worker) => worker.stop()))
  return results.map((result, i) => ({
    ...result,
    load: summarize(measured[i].map(({ load }) => load)),
    update: summarize(measured[i].map(({ update }) => update))
  }))
}

const expiryRuns = 3

const expiryPauses = async ({ sizes }, log) => {
  const sessions = sizes.at(-1)
  log(`scale: ${sessions} sessions that expire at once`)
  const runs = []
  // A shared machine takes the processor away for longer than any of this lasts, though seldom from most of the runs.
  for (let run = 0; run < expiryRuns; run++) {
    const worker = startChild(new URL("expiryWorker.mjs", import.meta.url), {
      args: [String(sessions)],
      execArgv: heap
    })
    runs.push(await worker.next())
  }
  const medians = (phase) =>
    Object.fromEntries(Object.keys(phase(runs[0])).map((name) => [name, median(runs.map((run) => phase(run)[name]))]))
  return { sessions, quiet: medians(({ quiet }) => quiet), expiring: medians(({ expiring }) => expiring), runs }
}

const redisScale = async ({ redisOperations, rounds, sizes }, redisUrl, log) => {
  const results = []
  const workers = []
  for (const [database, sessions] of sizes.entries()) {
    log(`scale: ${sessions} sessions in Redis`)
    const args = [redisUrl, String(database + 1), String(sessions)]
    const worker = startChild(new URL("redisWorker.mjs", import.meta.url), { args })
    workers.push(worker)
    results.push({ sessions, ...await worker.next() })
  }
  log("scale: operations of the Redis store")
  const measured = await measureByTurns(workers, rounds, redisOperations)
  await Promise.all(workers.map((worker) => worker.stop()))
  const of = (rounds, verb, who) => summarize(rounds.map((round) => round[verb][who]))
  return results.map((result, i) => ({
    ...result,
    load: { own: of(measured[i], "load", "own"), redis: of(measured[i], "load", "redis") },
    update: { own: of(measured[i], "update", "own"), redis: of(measured[i], "update", "redis") }
  }))
}

const postgresScale = async ({ postgresOperations, rounds, sizes }, { pid, url }, log) => {
  const results = []
  const workers = []
  for (const sessions of sizes) {
    log(`scale: ${sessions} sessions in Postgres`)
    const args = [url, String(pid), String(sessions)]
    const worker = startChild(new URL("postgresWorker.mjs", import.meta.url), { args })
    workers.push(worker)
    results.push({ sessions, ...await worker.next() })
  }
  log("scale: operations of the SQL store")
  const measured = await measureByTurns(workers, rounds, postgresOperations)
  await Promise.all(workers.map((worker) => worker.stop()))
  const of = (rounds, verb, who) => summarize(rounds.map((round) => round[verb][who]))
  return results.map((result, i) => ({
    ...result,
    load: { own: of(measured[i], "load", "own"), postgres: of(measured[i], "load", "postgres") },
    update: { own: of(measured[i], "update", "own"), postgres: of(measured[i], "update", "postgres") }
  }))
}

const sweepRuns = 3

const sweepPauses = async ({ sizes }, { url }, log) => {
  const sessions = sizes.at(-1)
  log(`scale: ${sessions} sessions in Postgres that have expired`)
  const runs = []
  // As with the expiry in memory.
  for (let run = 0; run < sweepRuns; run++) {
    const worker = startChild(new URL("sweepWorker.mjs", import.meta.url), {
      args: [url, `sweep_${run}`, String(sessions)]
    })
    runs.push(await worker.next())
  }
  const medians = (phase) =>
    Object.fromEntries(Object.keys(phase(runs[0])).map((name) => [name, median(runs.map((run) => phase(run)[name]))]))
  return {
    sessions,
    quiet: medians(({ quiet }) => quiet),
    sweeping: medians(({ sweeping }) => sweeping),
    seconds: median(runs.map(({ seconds }) => seconds)),
    runs
  }
}

export const runScale = async ({ scale }, { postgres, redis }, log) => ({
  memory: await memoryScale(scale, log),
  expiry: await expiryPauses(scale, log),
  redis: await redisScale(scale, redis.url, log),
  postgres: await postgresScale(scale, postgres, log),
  sweep: await sweepPauses(scale, postgres, log)
})
