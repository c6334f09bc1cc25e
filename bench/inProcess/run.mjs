/**
 * The runs without sockets, one process a framework.
 */
import { appNames } from "../apps/contract.mjs"
import { startChild } from "../childProcess.mjs"
import { scenarios } from "../plan.mjs"

const runWorker = async (task) => {
  const worker = startChild(new URL("worker.mjs", import.meta.url))
  try {
    return await worker.ask(task)
  } finally {
    await worker.stop()
  }
}

/** Every scenario of every variant. */
export const runInProcess = async (plan, databases, log, apps = appNames) => {
  const cells = []
  for (const app of apps) {
    log(`in process: ${app}`)
    cells.push(...await runWorker({ ...plan.inProcess, app, ...databases, scenarios }))
  }
  return cells
}

const bySize = [
  {
    app: "effect",
    variants: [
      ...["effect", "effect-memory", "effect-private", "effect-redis"],
      ...["hand-memory", "hand-private", "hand-redis"]
    ]
  },
  { app: "nodeHttp", variants: ["node", "floor-memory", "floor-private", "floor-redis"] }
]

/** The bytes of the session's state as JSON, from small to what a store should not be asked to keep. */
export const stateSizes = [100, 1_000, 4_000, 16_000, 64_000]

// A cookie holds 4096 bytes with everything around it.
const fitsCookie = 1_000

/** What the size of the state does to a request that reads, and to one that writes. */
export const runByStateSize = async (plan, databases, log) => {
  const cells = []
  for (const stateBytes of stateSizes) {
    log(`in process: state of ${stateBytes} bytes`)
    for (const { app, variants } of bySize) {
      const fitting = variants.filter((id) => stateBytes <= fitsCookie || !id.endsWith("-private"))
      const task = { ...plan.bySize, app, ...databases, stateBytes, variants: fitting }
      const found = await runWorker({
        ...task,
        scenarios: scenarios.filter(({ id }) => id === "read" || id === "write")
      })
      cells.push(...found.map((cell) => ({ ...cell, stateBytes })))
    }
  }
  return cells
}
