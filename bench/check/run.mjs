/**
 * The regression gate: every figure against its bound in `bounds.json`. Generous bounds, since it is to find what somebody
 * broke, not what drifted. Ends with code 1 and a line for each figure that is over its bound.
 */
import { readFileSync } from "node:fs"
import process from "node:process"
import { prepare } from "../prepare.mjs"
import { startRedis } from "../redisServer.mjs"
import { problemsOf, rounded } from "./judge.mjs"

prepare(process.argv.includes("--no-build"))

// It needs the packages that were just installed.
const { collectFigures } = await import("./figures.mjs")

const bounds = new Map(Object.entries(JSON.parse(readFileSync(new URL("../bounds.json", import.meta.url), "utf8"))))

const redis = await startRedis()
const figures = new Map(await collectFigures(redis.url))
await redis.stop()

for (const [figure, value] of figures) {
  console.log(
    `${String(rounded(value)).padStart(8)}  bound ${String(bounds.get(figure) ?? "none").padStart(8)}  ${figure}`
  )
}

const problems = problemsOf(figures, bounds)
for (const problem of problems) {
  console.error(`FAILED ${problem}`)
}
process.exit(problems.length === 0 ? 0 : 1)
