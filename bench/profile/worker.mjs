/**
 * Samples the stack of one variant while it answers one kind of request, and says how many microseconds of a request each part of the
 * work takes by itself.
 *
 * Takes its task over IPC: `{ app, variant, scenario, seconds, redisUrl }`.
 */
import { Session } from "node:inspector/promises"
import { loadApp } from "../apps/contract.mjs"
import { requests, serve } from "../inProcess/requests.mjs"
import { partOf } from "./parts.mjs"

const lanes = 8
const each = 64
const warmupRequests = 2_000
const sampleMicros = 100

const sampled = async (work) => {
  const inspector = new Session()
  inspector.connect()
  await inspector.post("Profiler.enable")
  await inspector.post("Profiler.setSamplingInterval", { interval: sampleMicros })
  await inspector.post("Profiler.start")
  await work()
  const { profile } = await inspector.post("Profiler.stop")
  inspector.disconnect()
  return profile
}

// Shares, since the time between two samples is that of the clock, and others use the machine as well.
const sharesOf = ({ nodes, samples }) => {
  const frames = new Map(nodes.map(({ callFrame, id }) => [id, callFrame]))
  const shares = {}
  for (const id of samples) {
    const part = partOf(frames.get(id))
    shares[part] = (shares[part] ?? 0) + 1 / samples.length
  }
  return shares
}

const cpuMicros = () => {
  const { system, user } = process.cpuUsage()
  return system + user
}

process.once("message", async ({ app: appName, redisUrl, scenario, seconds, variant: id }) => {
  const app = await loadApp(appName)
  const isBare = app.variants.find((variant) => variant.id === id).store === "none"
  const { handler } = await app.open(id, { redisUrl })
  const { newVisitor } = serve(handler)
  const visitors = await Promise.all(Array.from({ length: lanes }, newVisitor))
  await requests(visitors, scenario, isBare, warmupRequests)
  let count = 0
  const before = cpuMicros()
  const profile = await sampled(async () => {
    for (const end = performance.now() + seconds * 1000; performance.now() < end; count += lanes * each) {
      await requests(visitors, scenario, isBare, each)
    }
  })
  const micros = (cpuMicros() - before) / count
  const parts = Object.entries(sharesOf(profile)).map(([part, share]) => [part, share * micros])
  process.send(Object.fromEntries(parts), () => process.exit(0))
})
