/**
 * The targets of this project and whether the figures of a run meet them. A target that looks at CPU time has to be met
 * in both kinds of runs.
 */
import { scenarios } from "../plan.mjs"
import { classesOf, find, leastOf, NotMeasured, peersOf } from "./addedCost.mjs"

const micros = (value) => `${value.toFixed(1)} µs`
const percent = (value) => `${(value * 100).toFixed(1)} %`
const times = (value) => `${value.toFixed(2)} ×`

const memory = { name: "Memory", own: "effect-memory" }
const encrypted = { name: "Cookie, Private", own: "effect-private" }
const signed = { name: "Cookie, Signed", own: "effect-signed" }
const redis = { name: "Redis", own: "effect-redis" }
const postgres = { name: "PostgreSQL", own: "effect-postgres" }
const sqlite = { name: "SQLite", own: "effect-sqlite" }

const everyStore = [memory, encrypted, signed, redis].map(({ own }) => own)

const shareRange = (shares) =>
  shares.length === 1
    ? percent(shares[0])
    : `${percent(Math.min(...shares))} to ${percent(Math.max(...shares))} over all stores`

/** Where nobody looks at the session. */
const addsShareAtMost = (name, variants, scenario, share) => ({
  target: `${name}: adds at most ${share * 100} % to the server's CPU time`,
  measure: (added) => {
    const shares = variants.map((variant) => find(added, variant, scenario).share)
    return { measured: shareRange(shares), met: Math.max(...shares) <= share }
  }
})

const readAndWrite = scenarios.filter(({ id }) => id === "read" || id === "write")
const [read, write] = readAndWrite

/** A target for each of the scenarios: at most so many times what the least of the others adds. */
const addsAtMost = ({ name, own }, than, factor, others, within = readAndWrite) =>
  within.map(({ id, title }) => ({
    target: `${name}, ${title}: ${than}`,
    measure: (added) => {
      const mine = find(added, own, id).micros.median
      const theirs = leastOf(others.map((other) => find(added, other, id))).micros.median
      const ratio = theirs > 0 ? `, ${times(mine / theirs)}` : ""
      return { measured: `${micros(mine)} to ${micros(theirs)}${ratio}`, met: mine <= theirs * factor }
    }
  }))

const anyConnectRedis = ["connect-redis-10", "connect-redis-8"]

const cpuTargets = [
  addsShareAtMost("No cookie", everyStore, "none", 0.08),
  addsShareAtMost("Valid cookie, untouched", everyStore, "untouched", 0.08),
  addsShareAtMost("Memory, valid cookie, untouched", [memory.own], "untouched", 0.08),
  ...addsAtMost(memory, "at most what @fastify/session adds", 1, ["fastify-session-memory"]),
  ...addsAtMost(memory, "at most a third of express-session", 1 / 3, ["express-session-memory"]),
  ...addsAtMost(memory, "at most 1.5 times the floor on Effect", 1.5, ["hand-memory"]),
  ...addsAtMost(encrypted, "less than cookie-session", 1, ["cookie-session"], [write]),
  ...addsAtMost(encrypted, "at most a tenth of iron-session 9", 0.1, ["iron-session-9"], [write]),
  ...addsAtMost(encrypted, "at most a tenth of iron-session 8", 0.1, ["iron-session-8"], [write]),
  ...addsAtMost(encrypted, "at most 2 times the floor", 2, ["floor-private"], [read]),
  ...addsAtMost(encrypted, "at most 2.5 times the floor", 2.5, ["floor-private"], [write]),
  ...addsAtMost(signed, "less than koa-session", 1, ["koa-session-cookie"]),
  ...addsAtMost(redis, "at most 1.2 times @fastify/session", 1.2, ["fastify-session-redis"]),
  ...addsAtMost(redis, "less than express-session with any connect-redis", 1, anyConnectRedis),
  ...addsAtMost(redis, "at most 1.5 times the floor on Effect", 1.5, ["hand-redis"]),
  ...addsAtMost(postgres, "less than express-session with connect-pg-simple", 1, ["connect-pg-simple"]),
  ...addsAtMost(postgres, "at most 1.5 times the floor on Effect", 1.5, ["hand-postgres"]),
  ...addsAtMost(sqlite, "less than express-session-better-sqlite3", 1, ["express-session-better-sqlite3"]),
  ...addsAtMost(sqlite, "at most 1.5 times the floor on Effect", 1.5, ["hand-sqlite"])
]

// What was never measured is neither met nor missed.
const attempt = (measure, added) => {
  try {
    return measure(added)
  } catch (error) {
    return { measured: error.message, met: error instanceof NotMeasured ? undefined : false }
  }
}

/** Whether all are met: `undefined` where none is missed, but one was not measured. */
const areMet = (results) =>
  results.some(({ met }) => met === false) ? false : results.every(({ met }) => met) || undefined

/** Every peer that adds less than effect-session in the same class and scenario, in both kinds of runs. */
export const peersAhead = (sockets, inProcess) => {
  const ahead = []
  for (const { includes, title } of classesOf(sockets)) {
    for (const scenario of scenarios) {
      const mine = sockets.find(({ error, scenario: id, variant }) =>
        error === undefined && id === scenario.id && includes(variant) && variant.id.startsWith("effect-")
      )
      if (mine === undefined) {
        continue
      }
      for (const theirs of peersOf(sockets, includes, scenario)) {
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

const statementTargets = (statements) => {
  if (statements === undefined) {
    return []
  }
  const { counts } = statements.find(({ variant }) => variant === "effect-postgres")
  const [none, untouched, read, write] = scenarios.map(({ id }) => counts[id])
  return [{
    target: "PostgreSQL: no statement where nobody looks at the session, one to read, one more to write",
    sockets: [none, untouched, read, write].map(({ perRequest }) => perRequest).join(", "),
    met: none.perRequest === 0 && untouched.perRequest === 0 && read.perRequest <= 1 && write.perRequest <= 2
  }]
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

/** @returns {ReadonlyArray<{ target: string, sockets: string, inProcess?: string, met: boolean | undefined }>} */
export const judgeCost = ({ commands, inProcess, latency, sockets, statements }) => {
  const ahead = peersAhead(sockets, inProcess)
  return [
    ...cpuTargets.map(({ measure, target }) => {
      const overSockets = attempt(measure, sockets)
      const within = attempt(measure, inProcess)
      return {
        target,
        sockets: overSockets.measured,
        inProcess: within.measured,
        met: areMet([overSockets, within])
      }
    }),
    ...commandTargets(commands),
    ...statementTargets(statements),
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
export const judgeScale = ({ expiry, memory, postgres, redis, sweep }) => {
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
      `Memory: load and update each within 1.3 times, ${range}`,
      memory,
      ({ load }) => load.median,
      ({ update }) => update.median
    ),
    {
      target: `Memory: no pause over 10 ms, with ${expiry.sessions.toLocaleString("en")} sessions`,
      measured: `the event loop stood still for ${expiry.quiet.longestDelay.toFixed(1)} ms at most, for ${
        expiry.expiring.longestDelay.toFixed(1)
      } ms while they expired`,
      met: Math.max(expiry.quiet.longestDelay, expiry.expiring.longestDelay) <= 10
    },
    flatTarget(
      `Redis: load and update each within 1.3 times, ${range}`,
      redis,
      ({ load }) => total(load),
      ({ update }) => total(update)
    ),
    ...(postgres === undefined ? [] : sqlScaleTargets(postgres, sweep, range))
  ]
}

const sqlScaleTargets = (postgres, sweep, range) => [
  flatTarget(
    `PostgreSQL: load and update each within 1.3 times, ${range}`,
    postgres,
    ({ load }) => load.own.median + load.postgres.median,
    ({ update }) => update.own.median + update.postgres.median
  ),
  {
    target: `PostgreSQL: no read waits for more than 50 ms while ${
      sweep.sessions.toLocaleString("en")
    } rows are removed`,
    measured: `${sweep.quiet.longest.toFixed(1)} ms at most before, ${
      sweep.sweeping.longest.toFixed(1)
    } ms while they went`,
    met: sweep.sweeping.longest <= 50
  }
]
