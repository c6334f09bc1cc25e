/**
 * Measures the cases with mitata, each in turn with its floor, and prints or hands back nanoseconds a call.
 *
 *     npm run bench:micro            a table
 *     npm run bench:micro -- --json  the same as JSON
 */
import { do_not_optimize, measure } from "mitata"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { median } from "../rounds.mjs"
import { cases } from "./cases.mjs"

const nanosOf = async (run, millis) => {
  const { p50 } = await measure(() => do_not_optimize(run()), { min_cpu_time: millis * 1e6, min_samples: 20 })
  return p50
}

/** @param {{ rounds: number, millis: number }} plan */
export const runMicro = async ({ millis, rounds }) => {
  const results = []
  for (const { floor, floorTitle, id, run, title } of cases) {
    const nanos = []
    const floorNanos = []
    for (let round = 0; round < rounds; round++) {
      nanos.push(await nanosOf(run, millis))
      floorNanos.push(await nanosOf(floor, millis))
    }
    results.push({
      id,
      title,
      floorTitle,
      nanos: median(nanos),
      floorNanos: median(floorNanos),
      ratio: median(nanos.map((value, i) => value / floorNanos[i]))
    })
  }
  return results
}

const print = (results) => {
  for (const { floorNanos, floorTitle, nanos, ratio, title } of results) {
    const figures = `${nanos.toFixed(0).padStart(7)} ns ${floorNanos.toFixed(0).padStart(7)} ns ${
      ratio.toFixed(2).padStart(7)
    }`
    console.log(`${title.padEnd(38)}${figures}   ${floorTitle}`)
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const results = await runMicro({ rounds: 5, millis: 100 })
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify(results, null, 2))
  } else {
    print(results)
  }
}
