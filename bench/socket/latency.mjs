/**
 * How long an answer takes at 70 % of what the server can do: reading and writing a session in Redis, beside the same
 * server without sessions.
 */
import { loadApp } from "../apps/contract.mjs"
import { startChild } from "../childProcess.mjs"
import { median, rotated } from "../rounds.mjs"
import { startServer } from "./run.mjs"

const compared = [
  ["effect", "effect"],
  ["effect", "effect-redis"],
  ["effect", "hand-redis"],
  ["express", "connect-redis-10"],
  ["fastify", "fastify-session-redis"]
]

const share = 0.7

const cookieOf = async (url) => {
  const response = await fetch(`${url}/seed`)
  await response.text()
  return response.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")
}

const check = (reply) => {
  if (reply.error !== undefined) {
    throw new Error(reply.error)
  }
  return reply
}

const start = async ([appName, id], databases, { connections }) => {
  const { variants } = await loadApp(appName)
  const server = await startServer(appName, variants.find((variant) => variant.id === id), databases)
  const cookies = []
  for (let i = 0; i < connections; i++) {
    cookies.push(await cookieOf(server.url))
  }
  return { id, server, target: { port: Number(new URL(server.url).port), path: "/count", cookies } }
}

/** Medians of the rounds, in milliseconds. */
export const runLatency = async ({ latency: plan }, databases, log) => {
  log("sockets: latency at 70 % of the peak")
  const load = startChild(new URL("pacedLoad.mjs", import.meta.url))
  const running = []
  try {
    for (const each of compared) {
      running.push(await start(each, databases, plan))
    }
    // A server that has not warmed up has a peak of its own.
    for (const { target } of running) {
      check(await load.ask({ ...target, millis: plan.warmupMillis }))
    }
    const results = new Map(running.map((server) => [server, { peaks: [], p50: [], p99: [] }]))
    for (let round = 0; round < plan.rounds; round++) {
      for (const server of rotated(running, round)) {
        const result = results.get(server)
        // The peak of this very moment: on a shared machine an older one may be out of reach.
        const peak = check(await load.ask({ ...server.target, millis: plan.peakMillis }))
        const paced = check(
          await load.ask({ ...server.target, millis: plan.millis, perSecond: peak.perSecond * share })
        )
        result.peaks.push(peak.perSecond)
        result.p50.push(paced.p50)
        result.p99.push(paced.p99)
      }
    }
    return Array.from(results, ([{ id }, { p50, p99, peaks }]) => ({
      variant: id,
      peakPerSecond: median(peaks),
      p50: median(p50),
      p99: median(p99),
      rounds: { p50, p99, peaks }
    }))
  } finally {
    await Promise.all([load, ...running.map(({ server }) => server)].map((child) => child.stop()))
  }
}
