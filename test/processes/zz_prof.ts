import { readFileSync } from "node:fs"
import { check } from "./linearizability.js"
const hs = readFileSync("/tmp/hist.jsonl", "utf8").trim().split("\n").map((l) =>
  JSON.parse(l, (k, v) => k === "returned" && v === null ? Infinity : v)
)
let total = 0
const t0 = performance.now()
const rows = hs.map((h) => {
  const t = performance.now()
  const v = check(h.operations, h.initial)
  const ms = performance.now() - t
  total += ms
  return [h.operations.length, v._tag, (v as any).configurations, ms] as const
})
rows.sort((a, b) => b[3] - a[3])
console.log(hs.length, total, rows.slice(0, 12).join("\n"))
console.log("sum configs", rows.reduce((s, r) => s + (r[2] ?? 0), 0))
