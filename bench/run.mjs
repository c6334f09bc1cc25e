/**
 * The whole comparison, from a clean clone to the page.
 *
 *     npm run bench              everything, under twenty minutes on two cores
 *     npm run bench -- --quick   a short pass into bench/.quick, for work on the benchmark itself
 *     npm run bench -- --report  only the page, from the results that are there
 *     npm run bench -- --no-build  with dist as it is
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { parseArgs } from "node:util"
import { prepare } from "./prepare.mjs"

const { values: options } = parseArgs({
  options: {
    "quick": { type: "boolean", default: false },
    "report": { type: "boolean", default: false },
    "no-build": { type: "boolean", default: false }
  }
})

const begin = performance.now()
/** @param {string} what */
const log = (what) => console.log(`${((performance.now() - begin) / 1000).toFixed(0).padStart(5)} s  ${what}`)

log("packages and build")
prepare(options["no-build"] || options.report)

// These need the packages that were just installed.
const { planOf } = await import("./plan.mjs")
const { placesOf, writePage, writeResults } = await import("./report/write.mjs")

if (!options.report) {
  const { startChild } = await import("./childProcess.mjs")
  const { runByStateSize, runInProcess } = await import("./inProcess/run.mjs")
  const { startPostgres } = await import("./postgresServer.mjs")
  const { startRedis } = await import("./redisServer.mjs")
  const { describeEnvironment } = await import("./report/environment.mjs")
  const { runScale } = await import("./scale/run.mjs")
  const { runLatency } = await import("./socket/latency.mjs")
  const { countRedisCommands } = await import("./socket/redisCommands.mjs")
  const { runSockets } = await import("./socket/run.mjs")
  const { countSqlStatements } = await import("./socket/sqlStatements.mjs")

  const plan = planOf(options.quick)
  const runMicro = async () => {
    log("single steps")
    const worker = startChild(new URL("micro/worker.mjs", import.meta.url))
    const results = await worker.ask(plan.micro)
    await worker.stop()
    return results
  }

  const redis = await startRedis()
  const postgres = await startPostgres()
  const folder = mkdtempSync(join(tmpdir(), "effect-session-bench-"))
  const databases = { redisUrl: redis.url, postgresUrl: postgres.url, folder }
  try {
    // Each is written when it is there, so that a later one that breaks takes nothing with it.
    const results = placesOf(options.quick).results
    writeResults(results, { environment: await describeEnvironment() })
    writeResults(results, { "redis-commands": await countRedisCommands(redis.url, log) })
    writeResults(results, { "sql-statements": await countSqlStatements(databases, log) })
    writeResults(results, { sockets: await runSockets(plan, databases, log) })
    writeResults(results, { latency: await runLatency(plan, databases, log) })
    writeResults(results, { "in-process": await runInProcess(plan, databases, log) })
    writeResults(results, { "state-size": await runByStateSize(plan, databases, log) })
    writeResults(results, { micro: await runMicro() })
    writeResults(results, { scale: await runScale(plan, { redis, postgres }, log) })
  } finally {
    await postgres.stop()
    await redis.stop()
    rmSync(folder, { recursive: true })
  }
}

await writePage(options.quick)
log("done")
process.exit(0)
