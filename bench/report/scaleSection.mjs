/**
 * The generated part on scale.
 */
import { summarize } from "../rounds.mjs"
import { count, figure, table } from "./markdown.mjs"
import { judgeScale } from "./targets.mjs"

const targetsTable = (judged) =>
  table(
    ["target", "measured", "met"],
    judged.map(({ measured, met, target }) => [target, measured, met ? "yes" : "no"])
  )

const range = ({ high, low, median }) => `${figure(median)} (${figure(low)} to ${figure(high)})`

const memoryTable = (memory) =>
  table(
    ["sessions in memory", "bytes a session", "plain Map", "load, µs", "update, µs"],
    memory.map(({ bytesPerSession, load, mapBytesPerSession, sessions, update }) => [
      count(sessions),
      figure(bytesPerSession),
      figure(mapBytesPerSession),
      range(load),
      range(update)
    ])
  )

const redisTable = (redis) =>
  table(
    [
      "sessions in Redis",
      "bytes a session",
      "as one JSON text",
      "load, µs here",
      "µs in Redis",
      "update, µs here",
      "µs in Redis"
    ],
    redis.map(({ bytesPerSession, load, sessions, textBytesPerSession, update }) => [
      count(sessions),
      figure(bytesPerSession),
      figure(textBytesPerSession),
      ...[load.own, load.redis, update.own, update.redis].map(range)
    ])
  )

const postgresTable = (postgres) =>
  table(
    [
      "sessions in PostgreSQL",
      "bytes a session",
      "load, µs here",
      "µs in PostgreSQL",
      "update, µs here",
      "µs in PostgreSQL"
    ],
    postgres.map(({ bytesPerSession, load, sessions, update }) => [
      count(sessions),
      figure(bytesPerSession),
      ...[load.own, load.postgres, update.own, update.postgres].map(range)
    ])
  )

const sweepTable = ({ quiet, sweeping }) =>
  table(
    ["a read of another session, in milliseconds", "half of them within", "99 % of them within", "the longest"],
    [["before the sweep", quiet], ["while it goes on", sweeping]].map(([title, { longest, p50, p99 }]) => [
      title,
      ...[p50, p99, longest].map(figure)
    ])
  )

// Results may be older than the SQL store.
const sqlSection = ({ postgres, sweep }) =>
  postgres === undefined ? "" : `
${postgresTable(postgres)}

### ${count(sweep.sessions)} rows that have expired

Removed in ${figure(sweep.seconds)} seconds.

${sweepTable(sweep)}
`

const expiryTable = ({ expiring, quiet }) =>
  table(
    [
      "in milliseconds",
      "longest delay of the event loop",
      "99 % of its delays below",
      "longest garbage collection"
    ],
    [["before they expire", quiet], ["while they expire", expiring]].map(([title, phase]) => [
      title,
      ...[phase.longestDelay, phase.p99Delay, phase.longestCollection].map(figure)
    ])
  )

const bareOf = { effect: "effect", hand: "effect", floor: "node" }

/** What sessions add to a request by the size of their state. */
export const addedBySize = (cells) =>
  cells.filter(({ error, variant }) => error === undefined && !Object.values(bareOf).includes(variant)).map((cell) => {
    const bare = cells.find(({ scenario, stateBytes, variant }) =>
      scenario === cell.scenario && stateBytes === cell.stateBytes && variant === bareOf[cell.variant.split("-")[0]]
    )
    return {
      variant: cell.variant,
      scenario: cell.scenario,
      stateBytes: cell.stateBytes,
      micros: summarize(cell.micros.map((value, round) => value - bare.micros[round]))
    }
  })

const sizeTable = (added, titles) => {
  const sizes = Array.from(new Set(added.map(({ stateBytes }) => stateBytes)))
  const rows = Array.from(new Set(added.map(({ scenario, variant }) => `${variant} ${scenario}`)))
  return table(
    ["added µs by bytes of state, in process", ...sizes.map(count)],
    rows.map((row) => {
      const [variant, scenario] = row.split(" ")
      return [
        `${titles.get(variant)}, ${scenario}`,
        ...sizes.map((size) => {
          const found = added.find((each) =>
            each.variant === variant && each.scenario === scenario && each.stateBytes === size
          )
          return found === undefined ? "–" : figure(found.micros.median)
        })
      ]
    })
  )
}

/** @param {import("./write.mjs").Results} results @param {Map<string, string>} titles */
export const scaleSection = ({ bySize, scale }, charts, titles) => `
### Targets

${targetsTable(judgeScale(scale))}

### By the number of sessions

![${charts.scale.alt}](${charts.scale.file})

${memoryTable(scale.memory)}

${redisTable(scale.redis)}
${sqlSection(scale)}
### ${count(scale.expiry.sessions)} sessions that expire at once

${expiryTable(scale.expiry)}

### By the size of the state

![${charts.stateSize.alt}](${charts.stateSize.file})

${sizeTable(addedBySize(bySize), titles)}
`
