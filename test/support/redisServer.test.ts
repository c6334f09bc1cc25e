import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import { RedisServer, redisServer } from "./redisServer.js"
import { freePort } from "./serverProcess.js"

const connect = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url, { lazyConnect: true, retryStrategy: null }).on("error", () => {})),
    (client) => Effect.sync(() => client.disconnect())
  )

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe("redisServer", () => {
  it.scopedLive("answers as soon as it is there, and is gone with its scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const server = yield* Scope.extend(redisServer(), scope)
      const client = yield* connect(server.url)
      assert.strictEqual(yield* Effect.promise(() => client.ping()), "PONG")
      assert.isTrue(isAlive(server.pid))
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(isAlive(server.pid))
    }))

  it.scopedLive("keeps nothing on disk", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const client = yield* connect(server.url)
      assert.deepStrictEqual(yield* Effect.promise(() => client.config("GET", "save")), ["save", ""])
      assert.deepStrictEqual(yield* Effect.promise(() => client.config("GET", "appendonly")), ["appendonly", "no"])
    }))

  it.scopedLive("takes the arguments that a test adds", () =>
    Effect.gen(function*() {
      const server = yield* redisServer({ args: ["--requirepass", "x", "--maxmemory", "1mb"] })
      const stranger = yield* connect(server.url)
      const refusal = yield* Effect.flip(Effect.tryPromise({ try: () => stranger.ping(), catch: String }))
      assert.include(refusal, "NOAUTH")
      const client = yield* connect(`redis://:x@127.0.0.1:${server.port}`)
      const reply = yield* Effect.promise(() => client.config("GET", "maxmemory"))
      assert.deepStrictEqual(reply, ["maxmemory", "1048576"])
    }))

  it.scopedLive("runs as a cluster's node, whose bus needs a second port", () =>
    Effect.gen(function*() {
      const server = yield* redisServer({ args: ["--cluster-enabled", "yes"] })
      const client = yield* connect(server.url)
      assert.include(yield* Effect.promise(() => client.cluster("INFO")), "cluster_state:")
    }))

  it.scopedLive("comes back on its port, empty and as another process, after kill9", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const before = yield* connect(server.url)
      yield* Effect.promise(() => before.set("key", "value"))
      const first = server.pid
      yield* server.kill9()
      assert.isFalse(isAlive(first))
      yield* server.restart()
      assert.notStrictEqual(server.pid, first)
      const after = yield* connect(server.url)
      assert.isNull(yield* Effect.promise(() => after.get("key")))
    }))

  it.scopedLive("stops even while it is held up", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      yield* server.signal("SIGSTOP")
      yield* server.stop()
      assert.isFalse(isAlive(server.pid))
      yield* server.stop()
    }))

  it.scopedLive("dies with the server's own words when the arguments are wrong", () =>
    Effect.gen(function*() {
      const cause = yield* Effect.flip(Effect.sandbox(redisServer({ args: ["--no-such-option", "1"] })))
      assert.include(Cause.pretty(cause), "no-such-option")
    }))

  it.layer(RedisServer.layer())("as a layer", (it) => {
    it.scoped("gives the tests one server", () =>
      Effect.gen(function*() {
        const server = yield* RedisServer
        const client = yield* connect(server.url)
        assert.strictEqual(yield* Effect.promise(() => client.ping()), "PONG")
      }))
  })

  it.live("a free port is free for a cluster's bus as well", () =>
    Effect.gen(function*() {
      assert.isBelow((yield* freePort) + 10_000, 65_536)
    }))
})
