/**
 * The generated part on cost.
 */
import { appNames, loadApp } from "../apps/contract.mjs"
import { scenarios } from "../plan.mjs"
import { classesOf, floorOf, leastOf, peersOf, ratioOf } from "./addedCost.mjs"
import { count, figure, table } from "./markdown.mjs"
import { judgeCost, peersAhead } from "./targets.mjs"

const environmentText = (environment) => {
  const { cores, cpu, date, memoryGigabytes, node, packages, postgres, redis } = environment
  const databases = [`Redis ${redis}`, ...(postgres === undefined ? [] : [`PostgreSQL ${postgres}`])].join(", ")
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return `Taken on ${date}: ${cpu}, ${cores} cores, ${memoryGigabytes} GB, Node ${node}, ${databases}. ${
    versions.join(", ")
  }.`
}

const verdict = (met) => met === undefined ? "–" : met ? "yes" : "no"

const targetsTable = (judged) =>
  table(
    ["target", "measured, over sockets", "measured, in process", "met"],
    judged.map(({ inProcess = "", met, sockets, target }) => [target, sockets, inProcess, verdict(met)])
  )

const cell = (row) =>
  row === undefined
    ? "–"
    : row.error === undefined
    ? `${figure(row.micros.median)} (${figure(row.micros.low)} to ${figure(row.micros.high)})`
    : "errs"

const nameOf = ({ id, title }) => id.startsWith("effect-") ? `**${title}**` : title

const compared = scenarios.filter(({ path }) => path !== "/plain")

const rowOf = (added, variant, scenario) => added.find((row) => row.variant === variant && row.scenario === scenario)

const ratioTable = (added, { includes, title }, variants) => {
  const divisors = compared.flatMap((scenario) =>
    [
      floorOf(added, includes, scenario, "effect"),
      floorOf(added, includes, scenario, "nodeHttp"),
      leastOf(peersOf(added, includes, scenario))
    ].map((other) => ({ scenario, other }))
  )
  return table(
    [
      `${title}, as ratios`,
      ...compared.flatMap(({ id }) => [`${id} ÷ floor on Effect`, `${id} ÷ floor`, `${id} ÷ best peer`])
    ],
    variants.map((variant) => [
      nameOf(variant),
      ...divisors.map(({ other, scenario }) => {
        const ratio = ratioOf(rowOf(added, variant, scenario.id), other)
        return ratio === undefined ? "–" : figure(ratio)
      })
    ])
  )
}

const addedTables = (added) =>
  classesOf(added).map((each) => {
    const variants = Array.from(new Set(added.map(({ variant }) => variant).filter(each.includes)))
    const write = (variant) => rowOf(added, variant, "write")?.micros?.median ?? Infinity
    const sorted = variants.toSorted((left, right) => write(left) - write(right))
    const costs = table(
      [each.title, ...scenarios.map(({ title }) => title)],
      sorted.map((variant) => [nameOf(variant), ...scenarios.map(({ id }) => cell(rowOf(added, variant, id)))])
    )
    return `${costs}\n\n${ratioTable(added, each, sorted)}`
  }).join("\n\n")

const notes = async () => {
  const apps = await Promise.all(appNames.map(loadApp))
  return apps.flatMap(({ variants }) => variants)
    .filter(({ note }) => note !== undefined)
    .map(({ note, title }) => `- ${title}: ${note}.`)
    .join("\n")
}

const bareTable = (sockets, inProcess) => {
  const of = (added, name) =>
    added.find(({ error, scenario, variant }) => error === undefined && scenario === "write" && variant.id === name)
  const frameworks = [
    ["Effect", "effect-memory"],
    ["node:http", "floor-memory"],
    ["express", "express-session-memory"],
    ["fastify", "fastify-session-memory"],
    ["koa", "koa-session-cookie"],
    ["hono", "hono-sessions-memory"],
    ["h3", "h3-session"]
  ]
  const bare = (row) => row === undefined ? "–" : figure(row.bare)
  return table(
    ["server without sessions", "over sockets", "in process"],
    frameworks.map(([title, id]) => [title, bare(of(sockets, id)), bare(of(inProcess, id))])
  )
}

const errorsList = (sockets, inProcess) => {
  const errors = [...sockets, ...inProcess].filter(({ error }) => error !== undefined)
  const lines = new Set(errors.map(({ error, scenario, variant }) => `- ${variant.title}, ${scenario}: ${error}`))
  return lines.size === 0 ? "Nobody erred: every answer was the right one." : Array.from(lines).join("\n")
}

const aheadTable = (ahead) =>
  ahead.length === 0
    ? "In no scenario does a peer with the same store and protection add less in both kinds of runs."
    : table(
      ["who adds less", "scenario", "theirs, over sockets", "ours", "theirs, in process", "ours"],
      ahead.map(({ mine, mineInProcess, scenario, theirs, theirsInProcess }) => [
        theirs.variant.title,
        scenario,
        ...[theirs, mine, theirsInProcess, mineInProcess].map(({ micros }) => figure(micros.median))
      ])
    )

const latencyTable = (latency, titles) =>
  table(
    ["read and write, at 70 % of the peak", "peak, requests a second", "p50, ms", "p99, ms"],
    latency.map(({ p50, p99, peakPerSecond, variant }) => [
      titles.get(variant),
      count(Math.round(peakPerSecond)),
      p50.toFixed(2),
      p99.toFixed(2)
    ])
  )

const callsTable = (what, commands, titles) =>
  table(
    [`${what} per request`, ...scenarios.map(({ title }) => title)],
    commands.map(({ counts, variant }) => [
      titles.get(variant),
      ...scenarios.map(({ id }) => {
        const { commands, perRequest } = counts[id]
        return commands.length === 0 ? "0" : `${perRequest} (${commands.join(", ")})`
      })
    ])
  )

const microTable = (micro) =>
  table(
    ["one step", "ns", "its floor", "ns", "ratio"],
    micro.map(({ floorNanos, floorTitle, nanos, ratio, title }) => [
      title,
      figure(nanos),
      floorTitle,
      figure(floorNanos),
      ratio.toFixed(2)
    ])
  )

/** @param {import("./write.mjs").Results} results */
export const resultsSection = async (results, charts) => {
  const { commands, environment, inProcess, latency, micro, sockets, statements = [] } = results
  const apps = await Promise.all(appNames.map(loadApp))
  const titles = new Map(apps.flatMap(({ variants }) => variants.map(({ id, title }) => [id, title])))
  return `
${environmentText(environment)}

### Targets

${targetsTable(judgeCost(results))}

### What sessions add, in microseconds of CPU a request, over sockets

![${charts.addedCost.alt}](${charts.addedCost.file})

Medians of the rounds, and the middle half of them in brackets. The ratios compare what is added, each over the bare server
of its own platform; there is none where the middle half of either reaches zero.

${addedTables(sockets)}

### The same, in process

${addedTables(inProcess)}

What to know about some of them:

${await notes()}

${errorsList(sockets, inProcess)}

### Where a peer adds less

${aheadTable(peersAhead(sockets, inProcess))}

### Microseconds of CPU a request without sessions

${bareTable(sockets, inProcess)}

### Redis

${callsTable("commands to Redis", commands, titles)}

${latencyTable(latency, titles)}

### PostgreSQL

${callsTable("statements to PostgreSQL", statements, titles)}

### Single steps

${microTable(micro)}
`
}
