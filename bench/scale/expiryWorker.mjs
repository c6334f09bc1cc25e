/**
 * Many sessions that fall due in the same moment, while requests go on: how long the event loop stands still before that
 * moment and after it. The longest pause of the garbage collector is told beside it: it comes with the heap, expiry or
 * not.
 *
 *     node --expose-gc expiryWorker.mjs <sessions>
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { monitorEventLoopDelay, PerformanceObserver } from "node:perf_hooks"
import { setTimeout as sleep } from "node:timers/promises"
import * as SessionStore from "../../dist/SessionStore.js"
import * as MemorySessionStore from "../../dist/stores/MemorySessionStore.js"
import { lifetime, valuesOf } from "./state.mjs"

const sessions = Number(process.argv[2])
// As one process serves them: some calls in each turn of the event loop, and turns enough to see all of them go.
const callsPerTurn = 32
const calls = Array.from({ length: callsPerTurn })
const turns = Math.ceil(sessions / 16 / callsPerTurn * 1.2)

let collections = []
new PerformanceObserver((list) => {
  collections.push(...list.getEntries())
}).observe({ entryTypes: ["gc"] })

// The store's clock stands still until all sessions are there, and then goes on to the moment when they fall due.
let now = Date.now()
const clock = Object.assign(Object.create(Clock.make()), {
  unsafeCurrentTimeMillis: () => now,
  currentTimeMillis: Effect.sync(() => now)
})
const run = (effect) => Effect.runSync(Effect.withClock(effect, clock))

const heapBytes = () => {
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

const emptyBytes = heapBytes()
const store = SessionStore.withClock(Effect.runSync(MemorySessionStore.make({ capacity: sessions + 1_000 })))
const living = []
for (let n = 0; n < 1_000; n++) {
  living.push(run(store.save(valuesOf(n), { ...lifetime, ttl: 10 * lifetime.ttl })).key)
}
const dying = Array.from({ length: sessions - living.length }, (_, n) => n)
run(Effect.forEach(dying, (n) => store.save(valuesOf(n), lifetime), { discard: true }))
dying.length = 0
globalThis.gc()
await sleep(50)

const observe = async () => {
  collections = []
  const begin = performance.now()
  const delays = monitorEventLoopDelay({ resolution: 1 })
  let n = 0
  delays.enable()
  for (let turn = 0; turn < turns; turn++) {
    run(Effect.forEach(calls, () => store.load(living[n++ % living.length]), { discard: true }))
    await sleep(1)
  }
  delays.disable()
  await sleep(20)
  return {
    longestDelay: delays.max / 1e6,
    p99Delay: delays.percentile(99) / 1e6,
    // The observer hears late, also of what was collected before.
    longestCollection: Math.max(
      0,
      ...collections.filter(({ startTime }) => startTime >= begin).map(({ duration }) => duration)
    )
  }
}

const quiet = await observe()
const filledBytes = heapBytes()
now += lifetime.ttl + 5_000
const expiring = await observe()
const freedShare = (filledBytes - heapBytes()) / (filledBytes - emptyBytes)
if (freedShare < 0.5) {
  throw new Error("the sessions fell due and hardly any of them went")
}
process.send({ quiet, expiring, freedShare }, () => process.exit(0))
