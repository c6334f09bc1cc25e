/**
 * All variants of one framework in one process, in turn, for many short rounds: CPU time per request of each.
 *
 * Takes its task over IPC and answers with the rounds, in microseconds a request.
 */
import { loadApp } from "../apps/contract.mjs"
import { rotated } from "../rounds.mjs"
import { requests, serve } from "./requests.mjs"

const cpuMicros = () => {
  const { system, user } = process.cpuUsage()
  return system + user
}

const start = async (app, variant, task) => {
  const { close, handler } = await app.open(variant.id, task)
  const { newVisitor } = serve(handler)
  const visitors = []
  for (let i = 0; i < task.lanes; i++) {
    visitors.push(await newVisitor())
  }
  return { variant, isBare: variant.store === "none", visitors, close }
}

/** Serves for so long, and for so many requests unless they take three times as long; says how many fill a round. */
const calibrate = async ({ isBare, visitors }, scenario, roundMillis, forMillis, forRequests = 0) => {
  let each = 1
  let done = 0
  for (const begin = performance.now();;) {
    await requests(visitors, scenario, isBare, each)
    done += each
    each = Math.min(each * 2, 64)
    const passed = performance.now() - begin
    if (passed > forMillis && (done * visitors.length >= forRequests || passed > 3 * forMillis)) {
      return Math.max(2, Math.round(done * roundMillis / passed))
    }
  }
}

// All scenarios before the first is measured: what one of them makes the compiler think would else harm the next.
const warmUp = async (all, task) => {
  for (const scenario of task.scenarios) {
    for (const running of all) {
      // Whoever errs here errs again where it is reported.
      await calibrate(running, scenario, task.millis, task.warmupMillis, task.warmupRequests).catch(() => {})
    }
  }
}

const measure = async (running, scenario, each) => {
  const begin = cpuMicros()
  await requests(running.visitors, scenario, running.isBare, each)
  return (cpuMicros() - begin) / (each * running.visitors.length)
}

const runScenario = async (all, scenario, task) => {
  const results = new Map()
  for (const running of all) {
    try {
      results.set(running, { each: await calibrate(running, scenario, task.millis, task.millis), micros: [] })
    } catch (error) {
      results.set(running, { error: String(error) })
    }
  }
  for (let round = 0; round < task.rounds; round++) {
    for (const running of rotated(all, round)) {
      const result = results.get(running)
      if (result.error === undefined) {
        try {
          result.micros.push(await measure(running, scenario, result.each))
        } catch (error) {
          result.error = String(error)
        }
      }
    }
  }
  return Array.from(results, ([{ variant }, { error, micros }]) => ({
    variant: variant.id,
    scenario: scenario.id,
    ...(error === undefined ? { micros } : { error })
  }))
}

const run = async (task) => {
  const app = await loadApp(task.app)
  const variants = app.variants.filter((variant) => task.variants === undefined || task.variants.includes(variant.id))
  const cells = []
  const all = []
  for (const variant of variants) {
    try {
      all.push(await start(app, variant, task))
    } catch (error) {
      cells.push(...task.scenarios.map((scenario) => ({
        variant: variant.id,
        scenario: scenario.id,
        error: String(error)
      })))
    }
  }
  const withCookie = all.find(({ isBare }) => !isBare)
  for (const running of all) {
    if (running.isBare && withCookie !== undefined) {
      running.visitors.forEach((visitor, i) => visitor.cookie = withCookie.visitors[i].cookie)
    }
  }
  await warmUp(all, task)
  for (const scenario of task.scenarios) {
    cells.push(...await runScenario(all, scenario, task))
  }
  for (const { close } of all) {
    await close()
  }
  return cells
}

process.once("message", async (task) => {
  const cells = await run(task)
  process.send(cells, () => process.exit(0))
})
