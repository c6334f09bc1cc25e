/**
 * The targets of this project and whether the figures of a run meet them. A target that looks at CPU time has to be met
 * in both kinds of runs.
 */
import { scenarios } from "../plan.mjs"
import { classes, find } from "./addedCost.mjs"

const micros = (value) => `${value.toFixed(1)} µs`
const percent = (value) => `${(value * 100).toFixed(1)} %`
const times = (value) => `${value.toFixed(2)} ×`

const ours = ["effect-memory", "effect-private", "effect-signed", "effect-redis"]

/** Adds at most 8 % where nobody looks at the session. */
const untouched = (scenario, title) => ({
  target: `${title}: adds at most 8 % to the server's CPU time`,
  measure: (added) => {
    const shares = ours.map((variant) => find(added, variant, scenario).share)
    return {
      measured: `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} over all stores`,
      met: Math.max(...shares) <= 0.08
    }
  }
})

const addsAtMost = (target, own, peer, factor) => ({
  target,
  measure: (added) => {
    const mine = find(added, own, "write").micros.median
    const theirs = find(added, peer, "write").micros.median
    return { measured: `${micros(mine)} to ${micros(theirs)}`, met: mine <= theirs * factor }
  }
})

const cpuTargets = [
  untouched("none", "No cookie"),
  untouched("untouched", "Valid cookie, untouched"),
  addsAtMost("Memory, read and write: less than @fastify/session", "effect-memory", "fastify-session-memory", 1),
  addsAtMost(
    "Memory, read and write: less than half of express-session",
    "effect-memory",
    "express-session-memory",
    0.5
  ),
  addsAtMost("Cookie, Private, read and write: less than cookie-session", "effect-private", "cookie-session", 1),
  addsAtMost("Cookie, Private: at most a tenth of iron-session 9", "effect-private", "iron-session-9", 0.1),
  addsAtMost("Cookie, Private: at most a tenth of iron-session 8", "effect-private", "iron-session-8", 0.1),
  addsAtMost("Cookie, Private: at most 2.5 times the floor", "effect-private", "floor-private", 2.5),
  addsAtMost("Redis, read and write: less than @fastify/session", "effect-redis", "fastify-session-redis", 1),
  addsAtMost("Redis, read and write: less than connect-redis 10", "effect-redis", "connect-redis-10", 1),
  addsAtMost("Redis, read and write: less than connect-redis 8", "effect-redis", "connect-redis-8", 1)
]

const attempt = (measure, added) => {
  try {
    return measure(added)
  } catch (error) {
    return { measured: error.message, met: false }
  }
}

/**
 * Every peer that adds less than effect-session in the same class and scenario, in both kinds of runs. Where nothing of a
 * peer runs there is nothing to compare.
 */
export const peersAhead = (sockets, inProcess) => {
  const ahead = []
  for (const { includes, title } of classes) {
    for (const scenario of scenarios) {
      const rows = sockets.filter(({ error, scenario: id, variant }) =>
        error === undefined && id === scenario.id && includes(variant) && variant.isFloor !== true
      )
      const mine = rows.find(({ variant }) => variant.id.startsWith("effect-"))
      if (mine === undefined) {
        continue
      }
      const peers = rows.filter((row) => row !== mine && !(row.variant.isExplicit && scenario.path === "/plain"))
      for (const theirs of peers) {
        const mineInProcess = inProcess.find(({ scenario: id, variant }) =>
          id === scenario.id && variant.id === mine.variant.id
        )
        const theirsInProcess = inProcess.find(({ scenario: id, variant }) =>
          id === scenario.id && variant.id === theirs.variant.id
        )
        const isAhead = theirs.micros.median < mine.micros.median &&
          theirsInProcess.micros?.median < mineInProcess.micros?.median
        if (isAhead) {
          ahead.push({ class: title, scenario: scenario.title, mine, theirs, mineInProcess, theirsInProcess })
        }
      }
    }
  }
  return ahead
}

const commandTargets = (commands) => {
  const { counts } = commands.find(({ variant }) => variant === "effect-redis")
  const silent = ["none", "untouched"].map((scenario) => counts[scenario].perRequest)
  return [
    {
      target: "No cookie, or untouched: no store call",
      sockets: `${Math.max(...silent)} commands to Redis`,
      met: Math.max(...silent) === 0
    },
    {
      target: "Redis: one round trip to read, at most one more to write",
      sockets: `${counts.read.perRequest} and ${counts.write.perRequest} (${counts.write.commands.join(", ")})`,
      met: counts.read.perRequest <= 1 && counts.write.perRequest <= 2
    }
  ]
}

const latencyTarget = (latency) => {
  const of = (id) => latency.find(({ variant }) => variant === id)
  const ratio = of("effect-redis").p99 / of("effect").p99
  return {
    target: "Redis, at 70 % of its own peak: p99 at most twice the server's without sessions",
    sockets: `${of("effect-redis").p99.toFixed(2)} ms to ${of("effect").p99.toFixed(2)} ms, ${times(ratio)}`,
    met: ratio <= 2
  }
}

/** @returns {ReadonlyArray<{ target: string, sockets: string, inProcess?: string, met: boolean }>} */
export const judgeCost = ({ commands, inProcess, latency, sockets }) => {
  const ahead = peersAhead(sockets, inProcess)
  return [
    ...cpuTargets.map(({ measure, target }) => {
      const overSockets = attempt(measure, sockets)
      const within = attempt(measure, inProcess)
      return {
        target,
        sockets: overSockets.measured,
        inProcess: within.measured,
        met: overSockets.met && within.met
      }
    }),
    ...commandTargets(commands),
    latencyTarget(latency),
    {
      target: "Nobody with the same store and protection adds less",
      sockets: ahead.length === 0 ? "nobody" : `${ahead.length} times somebody does, see below`,
      met: ahead.length === 0
    }
  ]
}

const flatness = (rows, cost) => {
  const costs = rows.map(cost)
  return Math.max(...costs) / Math.min(...costs)
}

const flatTarget = (target, rows, load, update) => {
  const ratios = [flatness(rows, load), flatness(rows, update)]
  return { target, measured: `load ${times(ratios[0])}, update ${times(ratios[1])}`, met: Math.max(...ratios) <= 1.3 }
}

/** @returns {ReadonlyArray<{ target: string, measured: string, met: boolean }>} */
export const judgeScale = ({ expiry, memory, redis }) => {
  const largest = memory.at(-1)
  const bytesRatio = largest.bytesPerSession / largest.mapBytesPerSession
  const range = `from ${memory[0].sessions.toLocaleString("en")} to ${largest.sessions.toLocaleString("en")} sessions`
  const total = (cost) => cost.own.median + cost.redis.median
  return [
    {
      target: "Memory: bytes per session at most 1.5 times a plain Map of the same JSON",
      measured: `${largest.bytesPerSession.toFixed(0)} to ${largest.mapBytesPerSession.toFixed(0)} bytes, ${
        times(bytesRatio)
      }`,
      met: bytesRatio <= 1.5
    },
    flatTarget(
      `Memory: cost of an operation within 1.3 times, ${range}`,
      memory,
      ({ load }) => load.median,
      ({ update }) => update.median
    ),
    {
      target: "Memory: no pause over 10 ms from expiry",
      measured: `the event loop stood still for ${
        expiry.expiring.longestDelay.toFixed(1)
      } ms at most, before they expired for ${expiry.quiet.longestDelay.toFixed(1)} ms`,
      met: expiry.expiring.longestDelay <= Math.max(10, expiry.quiet.longestDelay)
    },
    flatTarget(
      `Redis: cost of an operation within 1.3 times, ${range}`,
      redis,
      ({ load }) => total(load),
      ({ update }) => total(update)
    )
  ]
}
