/**
 * The figures that the gate looks at. None of them depends on how fast the machine is: bytes per request, and ratios of
 * times that were taken by turns.
 */
import { startChild } from "../childProcess.mjs"
import { planOf, scenarios } from "../plan.mjs"
import { median } from "../rounds.mjs"

const variants = ["effect-memory", "effect-private", "effect-signed", "effect-redis"]

const bytesOf = async (redisUrl) => {
  const worker = startChild(new URL("allocationWorker.mjs", import.meta.url), {
    execArgv: ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"]
  })
  const cells = await worker.ask({ app: "effect", redisUrl, variants: [...variants, "effect"] })
  await worker.stop()
  const bytes = (variant, scenario) =>
    cells.find((cell) => cell.variant === variant && cell.scenario === scenario).bytes
  return variants.flatMap((variant) =>
    scenarios.map(({ id }) => [
      `bytes that ${variant} adds to a request: ${id}`,
      Math.round(bytes(variant, id) - bytes("effect", id))
    ])
  )
}

const cpuOf = async (redisUrl) => {
  const worker = startChild(new URL("../inProcess/worker.mjs", import.meta.url))
  const task = { ...planOf(false).inProcess, app: "effect", redisUrl, scenarios, variants: [...variants, "effect"] }
  const cells = await worker.ask(task)
  await worker.stop()
  const micros = (variant, scenario) => {
    const cell = cells.find((cell) => cell.variant === variant && cell.scenario === scenario)
    if (cell.error !== undefined) {
      throw new Error(`${variant}, ${scenario}: ${cell.error}`)
    }
    return cell.micros
  }
  return variants.flatMap((variant) =>
    scenarios.map(({ id }) => {
      const bare = micros("effect", id)
      return [
        `CPU of ${variant} / of the same app without sessions: ${id}`,
        median(micros(variant, id).map((value, i) => value / bare[i]))
      ]
    })
  )
}

const microOf = async () => {
  const worker = startChild(new URL("../micro/worker.mjs", import.meta.url))
  const results = await worker.ask({ rounds: 3, millis: 40 })
  await worker.stop()
  return results.map(({ ratio, title }) => [`${title} / its floor`, ratio])
}

/** @param {string} redisUrl @returns {Promise<ReadonlyArray<[figure: string, value: number]>>} */
export const collectFigures = async (redisUrl) => [
  ...await bytesOf(redisUrl),
  ...await cpuOf(redisUrl),
  ...await microOf()
]
