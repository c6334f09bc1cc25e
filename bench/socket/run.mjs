/**
 * The runs over sockets: each server in a process of its own, the load in another. What counts is the CPU time that the
 * server's process says it used, before and after.
 */
import { appNames, loadApp } from "../apps/contract.mjs"
import { startChild } from "../childProcess.mjs"
import { scenarios } from "../plan.mjs"
import { rotated } from "../rounds.mjs"

/** @returns {Promise<{ variant: import("../apps/contract.mjs").Variant, url: string, ask: Function, stop: Function }>} */
export const startServer = async (app, variant, databases) => {
  const server = startChild(new URL("server.mjs", import.meta.url), {
    args: [app, variant.id, JSON.stringify(databases)]
  })
  const { port } = await server.next()
  return { variant, url: `http://127.0.0.1:${port}`, ...server }
}

const check = (reply) => {
  if (reply.error !== undefined) {
    throw new Error(reply.error)
  }
  return reply
}

const runLoad = async (load, server, scenario, amount) =>
  check(await load.ask({ type: "load", id: server.variant.id, scenario, amount }))

/** Loads for so long, and for so many requests unless they take three times as long; says how many fill a round. */
const calibrate = async (load, server, scenario, { connections, millis }, forMillis, forRequests = 0) => {
  let amount = connections
  let done = 0
  for (const begin = performance.now();;) {
    const run = await runLoad(load, server, scenario, amount)
    const wanted = Math.max(connections, Math.round(amount / run.millis * millis / connections) * connections)
    done += amount
    const passed = performance.now() - begin
    if (passed > forMillis && (done >= forRequests || passed > 3 * forMillis)) {
      return wanted
    }
    amount = Math.min(amount * 8, wanted)
  }
}

// All scenarios before the first is measured: what one of them makes the compiler think would else harm the next.
const warmUp = async (load, servers, plan) => {
  for (const scenario of scenarios) {
    for (const server of servers) {
      // Whoever errs here errs again where it is reported.
      await calibrate(load, server, scenario, plan, plan.warmupMillis, plan.warmupRequests).catch(() => {})
    }
  }
}

const measure = async (load, server, scenario, amount) => {
  const before = await server.ask("cpu")
  const { millis } = await runLoad(load, server, scenario, amount)
  const after = await server.ask("cpu")
  return { micros: (after.cpuMicros - before.cpuMicros) / amount, perSecond: amount * 1000 / millis }
}

const runScenario = async (load, servers, scenario, plan) => {
  const results = new Map()
  for (const server of servers) {
    try {
      results.set(server, {
        amount: await calibrate(load, server, scenario, plan, plan.millis),
        micros: [],
        perSecond: []
      })
    } catch (error) {
      results.set(server, { error: String(error) })
    }
  }
  for (let round = 0; round < plan.rounds; round++) {
    for (const server of rotated(servers, round)) {
      const result = results.get(server)
      if (result.error === undefined) {
        try {
          const { micros, perSecond } = await measure(load, server, scenario, result.amount)
          result.micros.push(micros)
          result.perSecond.push(perSecond)
        } catch (error) {
          result.error = String(error)
        }
      }
    }
  }
  return Array.from(results, ([server, { error, micros, perSecond }]) => ({
    variant: server.variant.id,
    scenario: scenario.id,
    ...(error === undefined ? { micros, perSecond } : { error })
  }))
}

const runApp = async (name, load, plan, databases) => {
  const { variants } = await loadApp(name)
  const cells = []
  const servers = []
  try {
    let cookies
    // Those with sessions first: the server without any gets their cookies, so that it reads the same bytes.
    for (
      const variant of variants.toSorted((left, right) =>
        Number(left.store === "none") - Number(right.store === "none")
      )
    ) {
      try {
        const isBare = variant.store === "none"
        const server = await startServer(name, variant, databases)
        servers.push(server)
        const seed = { type: "seed", id: variant.id, url: server.url, isBare, connections: plan.connections }
        const seeded = check(await load.ask(isBare ? { ...seed, cookies } : seed))
        cookies ??= seeded.cookies
      } catch (error) {
        cells.push(
          ...scenarios.map((scenario) => ({ variant: variant.id, scenario: scenario.id, error: String(error) }))
        )
      }
    }
    await warmUp(load, servers, plan)
    for (const scenario of scenarios) {
      cells.push(...await runScenario(load, servers, scenario, plan))
    }
  } finally {
    await Promise.all(servers.map((server) => server.stop()))
  }
  return cells
}

/** Every scenario of every variant. */
export const runSockets = async (plan, databases, log, apps = appNames) => {
  const load = startChild(new URL("load.mjs", import.meta.url))
  try {
    const cells = []
    for (const app of apps) {
      log(`sockets: ${app}`)
      cells.push(...await runApp(app, load, plan.socket, databases))
    }
    return cells
  } finally {
    await load.stop()
  }
}
