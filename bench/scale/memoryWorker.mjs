/**
 * One memory store of a given size in a process of its own, for its bytes or for the cost of its operations, or a plain
 * Map of the same sessions to hold it against.
 *
 *     node --expose-gc memoryWorker.mjs bytes|operations|map <sessions>
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { randomBytes } from "node:crypto"
import * as SessionKey from "../../dist/SessionKey.js"
import * as SessionStore from "../../dist/SessionStore.js"
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
  const store = SessionStore.withClock(Effect.runSync(MemorySessionStore.make({ capacity: sessions })))
  const every = Math.ceil(sessions / sampled)
  const keys = []
  for (let n = 0; n < sessions; n++) {
    const { key } = Effect.runSync(store.save(valuesOf(n), lifetime))
    if (n % every === 0) {
      keys.push(SessionKey.toText(key))
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

// In one fiber, as the calls of a request are: a fiber of its own for each would cost more than the call.
const perOperation = (operations, operation) => {
  const begin = cpuMicros()
  Effect.runSync(Effect.forEach(operations, operation, { discard: true }))
  return (cpuMicros() - begin) / operations.length
}

const before = heapBytes()
const filled = kind === "map" ? fillMap() : fillStore(kind === "operations" ? maxSampled : 0)
const after = heapBytes()

process.on("message", ({ operations }) => {
  const { keys, store } = filled
  shuffle(keys)
  // A request reads its key out of its cookie, so it lies in no far corner of the memory when the store gets it.
  const texts = Buffer.from(keys.join(""))
  const size = texts.length / keys.length
  const keyOf = (n) => {
    const start = n % keys.length * size
    return Option.getOrThrow(store.readKey(texts.latin1Slice(start, start + size)))
  }
  const all = Array.from({ length: operations }, (_, n) => n)
  const load = perOperation(all, (n) => store.load(keyOf(n)))
  const update = perOperation(all, (n) => store.update(keyOf(n), changeOf(n), lifetime))
  process.send({ load, update })
})
process.on("disconnect", () => process.exit(0))
process.send({ bytesPerSession: (after - before) / sessions })
// What is counted has to be there until it was.
globalThis.filled = filled
