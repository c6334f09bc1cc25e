import { Session } from "node:inspector/promises"
import { loadApp } from "./bench/apps/contract.mjs"
import { requests, serve } from "./bench/inProcess/requests.mjs"
import { scenarios } from "./bench/plan.mjs"
const [, , appName, variant, scenarioId, nStr] = process.argv
const app = await loadApp(appName)
const { handler, close } = await app.open(variant, {})
const { newVisitor } = serve(handler)
const visitors = []
for (let i = 0; i < 8; i++) visitors.push(await newVisitor())
const scenario = scenarios.find((s) => s.id === scenarioId)
const bare = app.variants?.find?.((v) => v.id === variant)?.store === "none"
for (let i = 0; i < 40; i++) await requests(visitors, scenario, bare, 64)
const s = new Session()
s.connect()
await s.post("Profiler.enable")
await s.post("Profiler.setSamplingInterval", { interval: 200 })
await s.post("Profiler.start")
const t = process.cpuUsage()
const n = Number(nStr ?? 40)
for (let i = 0; i < n; i++) await requests(visitors, scenario, bare, 64)
const u = process.cpuUsage(t)
const { profile } = await s.post("Profiler.stop")
console.log(variant, scenarioId, ((u.user + u.system) / (n * 64 * 8)).toFixed(1), "µs")
const self = new Map()
const total = profile.timeDeltas.reduce((a, b) => a + b, 0)
const byId = new Map(profile.nodes.map((x) => [x.id, x]))
profile.samples.forEach((id, i) => {
  const f = byId.get(id).callFrame
  const k = `${f.functionName || "(anon)"} ${f.url.split("/").slice(-2).join("/")}:${f.lineNumber + 1}`
  self.set(k, (self.get(k) ?? 0) + profile.timeDeltas[i])
})
for (const [k, v] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 45)) {
  console.log((100 * v / total).toFixed(1).padStart(5), k)
}
await close?.()
process.exit(0)
