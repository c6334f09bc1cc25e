/**
 * One memory store of a given size in a process of its own, for its bytes or for the cost of its operations, or a plain
 * Map of the same sessions to hold it against.
 *
 *     node --expose-gc memoryWorker.mjs bytes|operations|map <sessions>
 */
import * as Effect from "effect/Effect"
import { randomBytes } from "node:crypto"
import * as MemorySessionStore from "../../dist/stores/MemorySessionStore.js"
import { changeOf, lifetime, textOf, valuesOf } from "./state.mjs"

const [kind, count] = process.argv.slice(2)
const sessions = Number(count)

const heapBytes = () => {
  globalThis.gc()
  globalThis.gc()
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const maxSampled = 20_000

/** @param {number} sampled how many keys are kept; none where bytes are counted, since the keys are not the store's */
const fillStore = (sampled) => {
  const store = Effect.runSync(MemorySessionStore.make({ capacity: sessions }))
  const every = Math.ceil(sessions / sampled)
  const keys = []
  for (let n = 0; n < sessions; n++) {
    const { key } = Effect.runSync(store.save(valuesOf(n), lifetime))
    if (n % every === 0) {
      keys.push(key)
    }
  }
  return { store, keys }
}

// `JSON.stringify` leaves a tree of pieces, twice as large as its text, which the first to read it makes one piece of.
const flat = (text) => Buffer.from(text).toString()

const fillMap = () => {
  const map = new Map()
  for (let n = 0; n < sessions; n++) {
    map.set(randomBytes(16).toString("base64url"), flat(textOf(n)))
  }
  return map
}

const shuffle = (list) => {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    ;[list[i], list[j]] = [list[j], list[i]]
  }
}

const cpuMicros = () => {
  const { system, user } = process.cpuUsage()
  return system + user
}

const perOperation = (operations, operation) => {
  const begin = cpuMicros()
  for (let n = 0; n < operations; n++) {
    operation(n)
  }
  return (cpuMicros() - begin) / operations
}

const before = heapBytes()
const filled = kind === "map" ? fillMap() : fillStore(kind === "operations" ? maxSampled : 0)
const after = heapBytes()

process.on("message", ({ operations }) => {
  const { keys, store } = filled
  shuffle(keys)
  const load = perOperation(operations, (n) => Effect.runSync(store.load(keys[n % keys.length])))
  const update = perOperation(
    operations,
    (n) => Effect.runSync(store.update(keys[n % keys.length], changeOf(n), lifetime.ttl))
  )
  process.send({ load, update })
})
process.on("disconnect", () => process.exit(0))
process.send({ bytesPerSession: (after - before) / sessions })
// What is counted has to be there until it was.
globalThis.filled = filled
