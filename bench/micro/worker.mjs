/**
 * The micro-benchmarks in a process of their own.
 */
import { runMicro } from "./run.mjs"

process.once("message", async (plan) => {
  const results = await runMicro(plan)
  process.send(results, () => process.exit(0))
})
