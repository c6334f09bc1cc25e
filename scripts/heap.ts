/**
 * Whether an app that runs on and on needs more and more memory: sends it requests whose sessions are made, renewed,
 * ended, forgotten and expired, and compares the heap after a while with the heap at the end.
 *
 *     npm run test:heap              200000 requests
 *     npm run test:heap -- 20000     as many as you say
 *
 * Fails when the heap has grown by more than a bound that a leak of 200 bytes a request goes past in the shortest run.
 */
import * as Config from "effect-session/Config"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import process from "node:process"
import type { Handler } from "../test/model/operations.js"
import { count, handlerOf, insert, purge, read, renew } from "../test/model/operations.js"
import { cookieHeaderOf, makeMiddleware, makeSessionApp } from "../test/model/sessionApp.js"
import { makeRandom } from "../test/processes/random.js"

const maxGrowthBytes = 2.5 * 1024 * 1024

const requests = Number(process.argv[2] ?? 200_000)

/** By then the code is compiled and the number of live sessions has settled. */
const warmUp = Math.max(5_000, requests / 10)

/** How many browsers there are, and how far the time moves on with each request: some come back in time, some too late. */
const browsers = 300
const stepMillis = 10
const ttl = "2 seconds"

const handlers: ReadonlyArray<Handler> = [
  handlerOf([count("n")]),
  handlerOf([read]),
  handlerOf([]),
  handlerOf([insert("user", 1), renew]),
  handlerOf([count("n")]),
  handlerOf([read]),
  handlerOf([count("n")], "Fails"),
  handlerOf([purge]),
  handlerOf([count("n")], "IsInterrupted"),
  handlerOf([renew])
]

const collectGarbage = async (): Promise<number> => {
  if (globalThis.gc === undefined) {
    throw new Error("Run this with node --expose-gc, as npm run test:heap does")
  }
  for (let round = 0; round < 5; round++) {
    globalThis.gc()
    // Finalizers and what waits for its turn come between.
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return process.memoryUsage().heapUsed
}

const inMegabytes = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(2)} MB`

const main = async (): Promise<void> => {
  const app = makeSessionApp(Date.UTC(2026, 0, 1))
  const store = await app.run(Effect.provide(SessionStore.SessionStore, MemorySessionStore.layer()))
  const middleware = makeMiddleware(store, {
    keys: [Config.generateKey(), Config.generateKey()],
    lifecycle: Config.PersistentSession({ ttl, ttlExtension: "OnEveryRequest", maxLifetime: "10 seconds" })
  })
  // One who listens, and one who does not keep up.
  let events = 0
  Effect.runFork(Stream.runForEach(middleware.events, () => Effect.sync(() => events++)))
  Effect.runFork(Stream.runForEach(middleware.events, () => Effect.never))

  const random = makeRandom(1)
  const jars = new Map<number, string>()
  let sent = 0
  const send = async (upTo: number): Promise<void> => {
    for (; sent < upTo; sent++) {
      app.now += stepMillis
      const browser = random.whole(browsers)
      const handler = handlers[random.whole(handlers.length)]!
      const value = sent % 50 === 0 ? "forged" : jars.get(browser)
      const { news } = await app.request(middleware, handler, cookieHeaderOf(value === undefined ? [] : [value]))
      if (news._tag === "Removal" || sent % 90 === 0) {
        jars.delete(browser)
      } else if (news._tag === "Value") {
        jars.set(browser, news.value)
      }
    }
  }

  await send(warmUp)
  const before = await collectGarbage()
  await send(requests)
  const after = await collectGarbage()
  const growth = after - before
  process.stdout.write(`${JSON.stringify({ requests, events, before, after, growth })}\n`)
  process.stdout.write(
    `The heap had ${inMegabytes(before)} after ${warmUp} requests and ${inMegabytes(after)} after ` +
      `${requests}: ${inMegabytes(growth)} more, of ${inMegabytes(maxGrowthBytes)} that are allowed\n`
  )
  process.exit(growth > maxGrowthBytes ? 1 : 0)
}

await main()
