/**
 * Which commands a request sends to Redis, as Redis itself tells (MONITOR). What a script runs inside Redis is no round
 * trip and does not count.
 */
import { Redis } from "ioredis"
import { setTimeout as sleep } from "node:timers/promises"
import { appNames, loadApp } from "../apps/contract.mjs"
import { request, serve } from "../inProcess/requests.mjs"
import { scenarios } from "../plan.mjs"

const repeats = 20

// Redis tells its monitors after it has answered.
const settle = () => sleep(50)

const countFor = async (app, variant, redisUrl, heard) => {
  const { close, handler } = await app.open(variant.id, { redisUrl })
  try {
    const visitor = await serve(handler).newVisitor()
    const counts = {}
    for (const scenario of scenarios) {
      // The first one may have to load a script.
      await request(visitor, scenario, false)
      await settle()
      heard.length = 0
      for (let i = 0; i < repeats; i++) {
        await request(visitor, scenario, false)
      }
      await settle()
      counts[scenario.id] = { perRequest: heard.length / repeats, commands: Array.from(new Set(heard)) }
    }
    return { variant: variant.id, counts }
  } finally {
    await close()
  }
}

/** For every variant that keeps its sessions in Redis: the commands of each scenario. */
export const countRedisCommands = async (redisUrl, log) => {
  log("Redis commands per request")
  // Its ready check would ask on the connection that only listens from then on.
  const client = new Redis(redisUrl, { enableReadyCheck: false })
  const monitor = await client.monitor()
  const heard = []
  monitor.on("monitor", (_time, args, source) => {
    if (source !== "lua") {
      heard.push(args[0].toUpperCase())
    }
  })
  try {
    const counted = []
    for (const name of appNames) {
      const app = await loadApp(name)
      for (const variant of app.variants.filter(({ store }) => store === "redis")) {
        counted.push(await countFor(app, variant, redisUrl, heard))
      }
    }
    return counted
  } finally {
    monitor.disconnect()
    client.disconnect()
  }
}
