/**
 * The Redis store with a given number of sessions around it, in a database of its own. It fills the database, counts the
 * bytes, and then measures operations whenever it is asked: its own CPU time and that of Redis.
 *
 *     node redisWorker.mjs <redis url> <database> <sessions>
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import * as SessionStore from "../../dist/SessionStore.js"
import * as RedisSessionStore from "../../dist/stores/RedisSessionStore.js"
import { changeOf, lifetime, textOf, valuesOf } from "./state.mjs"

const [redisUrl, database, count] = process.argv.slice(2)
const sessions = Number(count)
const url = `${redisUrl}/${database}`
const prefix = RedisSessionStore.defaults.prefix

const maxSampled = 2_000
const concurrency = 16

const client = new Redis(url)
const scope = Effect.runSync(Scope.make())
const store = SessionStore.withClock(await Effect.runPromise(Scope.extend(RedisSessionStore.make({ url }), scope)))

const field = async (section, name) => {
  const text = await client.info(section)
  return Number(new RegExp(`^${name}:(.*)$`, "m").exec(text)[1])
}
const usedMemory = () => field("memory", "used_memory")
const redisCpuMicros = async () => 1e6 * (await field("cpu", "used_cpu_user") + await field("cpu", "used_cpu_sys"))
const ownCpuMicros = () => {
  const { system, user } = process.cpuUsage()
  return system + user
}

const forEach = (count, operation) =>
  Effect.runPromise(
    Effect.forEach(Array.from({ length: count }, (_, n) => n), operation, { concurrency, discard: true })
  )

// What the store has written once, Redis copies: the same bytes under other ids, in seconds rather than minutes.
const copies = `for n = ARGV[2], ARGV[3] do
  redis.call("COPY", KEYS[1], ARGV[1] .. string.format("%022d", n))
end`
const copyTo = async (source, target, from, to) => {
  const step = 20_000
  for (let n = from; n < to; n += step) {
    await client.eval(copies, 1, source, target, n, Math.min(to, n + step) - 1)
  }
}

const fill = async () => {
  const keys = []
  const before = await usedMemory()
  await forEach(
    Math.min(sessions, maxSampled),
    (n) => Effect.map(store.save(valuesOf(n), lifetime), ({ key }) => keys.push(key))
  )
  await copyTo(prefix + keys[0].id, prefix, keys.length, sessions)
  return { keys, bytesPerSession: (await usedMemory() - before) / sessions }
}

/** The same sessions as one JSON text each, as most stores keep them. */
const bytesOfTexts = async () => {
  const before = await usedMemory()
  await client.set("text:0", textOf(0), "EX", 86_400)
  await copyTo("text:0", "text:", 1, sessions)
  const bytes = (await usedMemory() - before) / sessions
  for (let n = 1; n < sessions; n += 5_000) {
    const length = Math.min(5_000, sessions - n)
    await client.unlink(Array.from({ length }, (_, i) => `text:${String(n + i).padStart(22, "0")}`))
  }
  return bytes
}

const perOperation = async (operations, operation) => {
  const own = ownCpuMicros()
  const redis = await redisCpuMicros()
  await forEach(operations, operation)
  return {
    own: (ownCpuMicros() - own) / operations,
    redis: (await redisCpuMicros() - redis) / operations
  }
}

const textBytesPerSession = await bytesOfTexts()
const { bytesPerSession, keys } = await fill()

process.on("message", async ({ operations }) => {
  process.send({
    load: await perOperation(operations, (n) => store.load(keys[n * 7919 % keys.length])),
    update: await perOperation(
      operations,
      (n) => store.update(keys[n * 7919 % keys.length], changeOf(n), lifetime)
    )
  })
})
process.on("disconnect", async () => {
  await Effect.runPromise(Scope.close(scope, Exit.void))
  process.exit(0)
})
process.send({ bytesPerSession, textBytesPerSession })
