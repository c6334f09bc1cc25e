/**
 * What Redis comes to know, in its memory, on its disk and on the wire: session values, which it keeps in clear, and
 * nothing that opens a session.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/Config"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Redis } from "ioredis"
import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { tcpProxy } from "../faults/tcpProxy.js"
import { report } from "../support/figures.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import type { Handler } from "../support/webApp.js"
import { handle, makeWebApp, User } from "../support/webApp.js"
import { makeVault, unique } from "./vault.js"

/** Every key with what it holds, whatever that is. */
const dumpMemory = async (admin: Redis): Promise<string> => {
  const lines: Array<string> = []
  for (let cursor = "0", isFirst = true; isFirst || cursor !== "0"; isFirst = false) {
    const [next, keys] = await admin.scan(cursor, "COUNT", 100)
    cursor = next
    for (const key of keys) {
      const type = await admin.type(key)
      const content = type === "hash" ? await admin.hgetall(key) : await admin.dump(key)
      lines.push(`${key} ${type} ${JSON.stringify(content)}`)
    }
  }
  return lines.join("\n")
}

/** The bytes of all files that the server keeps. */
const dumpDisk = async (folder: string): Promise<string> => {
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const contents = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), "latin1"))
  )
  return contents.join("\n")
}

describe("a copy of Redis", () => {
  it.scopedLive("has the values of the sessions, and nothing that opens one", () =>
    Effect.gen(function*() {
      const server = yield* redisServer({
        args: [
          ...["--appendonly", "yes", "--rdbcompression", "no", "--aof-use-rdb-preamble", "no"],
          ...["--slowlog-log-slower-than", "0", "--slowlog-max-len", "10000"]
        ]
      })
      const proxy = yield* tcpProxy(server.port)
      const admin = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis(server.url)),
        (admin) => Effect.sync(() => admin.disconnect())
      )
      const monitored: Array<string> = []
      const monitor = yield* Effect.acquireRelease(
        Effect.promise(() => admin.monitor()),
        (monitor) => Effect.sync(() => monitor.disconnect())
      )
      monitor.on("monitor", (_time: string, words: ReadonlyArray<string>) => monitored.push(JSON.stringify(words)))

      const values = makeVault()
      const credentials = makeVault()
      const keys = ["the newest ring key", "an older ring key"].map((name) =>
        Redacted.make(credentials.plantKey(name, Redacted.value(SessionConfig.generateKey())))
      )
      const app = yield* makeWebApp({
        store: RedisSessionStore.layer({ url: `redis://127.0.0.1:${proxy.port}`, timeout: generous }),
        config: { keys }
      })
      const { config: { cookie }, crypto } = app.middleware
      let sessions = 0
      const value = () => values.plant("a value", unique("value"))
      const insert = () => handle((session) => session.insert(User, value()))
      const increment = handle((session) => session.updateOr(User, value(), () => value()))
      const renew = handle((session) => session.renew)
      const purge = handle((session) => session.purge)

      for (let index = 0; index < 20; index++) {
        const browser = app.browser()
        const handlers: Array<Handler> = [insert(), increment, renew, increment, renew]
        if (index % 4 === 0) {
          handlers.push(purge, insert())
        }
        for (const handler of handlers) {
          const answer = yield* browser.visit(handler)
          assert.strictEqual(answer.status, 200)
          const sealed = browser.jar.get(cookie.name)
          if (answer.setCookies.length > 0 && sealed !== undefined) {
            sessions++
            credentials.plant("a sealed cookie", sealed)
            const text = Option.getOrThrow(crypto.open(sealed)).plaintext
            credentials.plantKey("the secret half of a key", text.slice(text.indexOf(".") + 1))
          }
        }
      }

      yield* Effect.promise(() => admin.save())
      const [, folder] = (yield* Effect.promise(() => admin.config("GET", "dir"))) as [string, string]
      const places: Readonly<Record<string, string>> = {
        memory: yield* Effect.promise(() => dumpMemory(admin)),
        disk: yield* Effect.promise(() => dumpDisk(folder)),
        wire: proxy.sent().toString("latin1"),
        monitor: monitored.join("\n"),
        "slow log": JSON.stringify(yield* Effect.promise(() => admin.slowlog("GET", 10_000)))
      }
      assert.isAbove(sessions, 60)
      for (const [place, text] of Object.entries(places)) {
        assert.isNotEmpty(values.findIn(text), `${place} has none of the values: it was not read well`)
        assert.deepStrictEqual(credentials.findIn(text), [], place)
      }
      report("Credentials looked for in Redis", {
        "planted": credentials.size(),
        "bytes": Object.values(places).reduce((sum, text) => sum + text.length, 0),
        "found": 0
      })
    }))
})
