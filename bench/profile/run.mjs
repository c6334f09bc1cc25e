/**
 * Where the time of a request goes that sessions add: a CPU profile of the server without them and of those with them, by parts of the
 * work.
 *
 *     npm run bench:profile                  memory, the cookie and Redis, as a table
 *     npm run bench:profile -- --no-build    with dist as it is
 */
import process from "node:process"
import { startChild } from "../childProcess.mjs"
import { scenarios } from "../plan.mjs"
import { prepare } from "../prepare.mjs"
import { startRedis } from "../redisServer.mjs"
import { table } from "../report/markdown.mjs"
import { parts } from "./parts.mjs"

const rows = [
  { variant: "effect-memory", title: "memory", scenario: "untouched" },
  { variant: "effect-memory", title: "memory", scenario: "read" },
  { variant: "effect-memory", title: "memory", scenario: "write" },
  { variant: "effect-private", title: "cookie, Private", scenario: "write" },
  { variant: "effect-redis", title: "Redis", scenario: "write" }
]

prepare(process.argv.includes("--no-build"))
const redis = await startRedis()

const profileOf = async (variant, id) => {
  const worker = startChild(new URL("worker.mjs", import.meta.url))
  const scenario = scenarios.find((scenario) => scenario.id === id)
  const micros = await worker.ask({ app: "effect", variant, scenario, seconds: 8, redisUrl: redis.url })
  await worker.stop()
  return micros
}

const columns = [{ title: "no sessions", micros: await profileOf("effect", "untouched") }]
for (const { scenario, title, variant } of rows) {
  columns.push({ title: `${title}, ${scenario}`, micros: await profileOf(variant, scenario) })
}
await redis.stop()

const sum = (micros) => Object.values(micros).reduce((sum, value) => sum + value, 0)
const lines = Object.entries(parts)
  .filter(([part]) => part !== "other")
  .map(([part, title]) => [title, ...columns.map(({ micros }) => (micros[part] ?? 0).toFixed(1))])
const total = ["all", ...columns.map(({ micros }) => (sum(micros) - (micros.other ?? 0)).toFixed(1))]
console.log(table(["µs a request", ...columns.map(({ title }) => title)], [...lines, total]))
