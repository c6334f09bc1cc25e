/**
 * How many bytes a request allocates, in a process whose young generation is so large that nothing is collected while it
 * counts. Bytes do not depend on the machine, nor on who else is using it.
 *
 *     node --expose-gc --min-semi-space-size=256 --max-semi-space-size=256 allocationWorker.mjs
 */
import { PerformanceObserver } from "node:perf_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import { loadApp } from "../apps/contract.mjs"
import { request, serve as serveHandler } from "../inProcess/requests.mjs"
import { scenarios } from "../plan.mjs"
import { median } from "../rounds.mjs"

const warmupRequests = 2_000
const countedRequests = 500
const rounds = 5

let lastCollection = 0
new PerformanceObserver((list) => {
  for (const { startTime } of list.getEntries()) {
    lastCollection = Math.max(lastCollection, startTime)
  }
}).observe({ entryTypes: ["gc"] })

// Its observer hears of a collection some turns later.
const hearsay = () => sleep(20)

const serve = async ({ isBare, visitor }, scenario, count) => {
  for (let i = 0; i < count; i++) {
    await request(visitor, scenario, isBare)
  }
}

const bytesPerRequest = async (running, scenario) => {
  await serve(running, scenario, warmupRequests)
  const counts = []
  for (let round = 0; round < rounds; round++) {
    globalThis.gc()
    const begin = performance.now()
    const before = process.memoryUsage().heapUsed
    await serve(running, scenario, countedRequests)
    const after = process.memoryUsage().heapUsed
    await hearsay()
    if (lastCollection >= begin) {
      throw new Error("the garbage collector ran while allocations were counted")
    }
    counts.push((after - before) / countedRequests)
  }
  return median(counts)
}

process.once("message", async ({ app: appName, redisUrl, variants }) => {
  const app = await loadApp(appName)
  const bytes = []
  let cookie
  // Those with sessions first: the one without any gets their cookie.
  for (const id of variants) {
    const { close, handler } = await app.open(id, { redisUrl })
    const isBare = app.variants.find((variant) => variant.id === id).store === "none"
    const running = { isBare, visitor: await serveHandler(handler).newVisitor() }
    cookie ??= running.visitor.cookie
    running.visitor.cookie ??= cookie
    for (const scenario of scenarios) {
      bytes.push({ variant: id, scenario: scenario.id, bytes: await bytesPerRequest(running, scenario) })
    }
    await close()
  }
  process.send(bytes, () => process.exit(0))
})
