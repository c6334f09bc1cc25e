import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import type * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import { execFileSync } from "node:child_process"
import { inspect } from "node:util"
import { afterAll, beforeAll } from "vitest"
import { handTimers, heldLimit } from "../support/handTimers.js"
import { livingFor } from "../support/lifetimes.js"
import { logging, makeStore, makeWithout } from "../support/loggingStore.js"
import { redisServer } from "../support/redisServer.js"
import { routedPort } from "../support/routedPort.js"
import { freePort } from "../support/serverProcess.js"
import { settle, until } from "../support/settle.js"

const minute = 60_000
const hour = 60 * minute
const lifetime: SessionRecord.Lifetime = { ttl: minute, maxLifetime: undefined }
const state = new Map([["a", "1"]])
const change: SessionRecord.SessionChange = { set: new Map([["b", "2"]]), unset: new Set(), expect: new Map() }

const verbsOf = (store: SessionStore.ClockedVerbs, key: SessionKey.SessionKey) =>
  [
    store.load(key),
    store.save(state, lifetime),
    store.update(key, change, livingFor(minute)),
    store.updateTtl(key, livingFor(minute)),
    store.renew(key, change, livingFor(minute)),
    store.delete(key)
  ] as ReadonlyArray<Effect.Effect<unknown, SessionStore.SessionStoreError>>

/** Every verb fails, as Unavailable, even where it cannot be interrupted. */
const allUnavailable = (store: SessionStore.ClockedVerbs, key = SessionKey.mint()) =>
  Effect.forEach(verbsOf(store, key), (verb) =>
    Effect.map(
      Effect.flip(Effect.uninterruptible(verb)),
      (error) => assert.strictEqual((error as SessionStore.SessionStoreError).reason, "Unavailable")
    ), { concurrency: "unbounded", discard: true })

const recovered = <A, E>(call: Effect.Effect<A, E>) => Effect.retry(call, Schedule.spaced("20 millis"))

const allAvailable = (store: SessionStore.ClockedVerbs) =>
  Effect.gen(function*() {
    const { key } = yield* recovered(store.save(state, lifetime))
    assert.strictEqual((yield* store.load(key))._tag, "Live")
    assert.strictEqual((yield* store.update(key, change, livingFor(minute)))._tag, "Saved")
    yield* store.delete(key)
    assert.strictEqual((yield* store.load(key))._tag, "Absent")
  })

/** A program that sends a PING and ends when it is answered. */
const pingOnce = `
  const socket = require("node:net").connect(Number(process.argv[1]), "127.0.0.1", () => socket.write("PING\\r\\n"))
  socket.once("data", () => socket.destroy())
`

const levels = (lines: ReadonlyArray<string>) => lines.map((line) => line.slice(0, line.indexOf(" ")))

const adminOf = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url).on("error", () => {})),
    (client) => Effect.sync(() => client.disconnect())
  )

describe("RedisSessionStore without its Redis", () => {
  const unhandled: Array<unknown> = []
  const collect = (reason: unknown) => unhandled.push(reason)
  beforeAll(() => {
    process.on("unhandledRejection", collect)
  })
  afterAll(() => {
    process.off("unhandledRejection", collect)
    assert.deepStrictEqual(unhandled, [])
  })

  it.scopedLive("an app boots before its Redis, is unavailable at once, and works when Redis is there", () =>
    Effect.gen(function*() {
      const server = yield* redisServer({ args: ["--requirepass", "planted"] })
      yield* server.stop()
      const log = logging()
      const { lines } = log
      const store = yield* makeWithout(yield* handTimers, { url: `redis://:planted@127.0.0.1:${server.port}` }, log)
      yield* allUnavailable(store)
      yield* allUnavailable(store)
      yield* server.restart()
      yield* allAvailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN", "INFO"])
      assert.include(lines[0], `127.0.0.1:${server.port}`)
      assert.include(lines[0], "ECONNREFUSED")
      assert.notInclude(lines.join(), "planted")
    }))

  it.scopedLive("a Redis that was killed and came back is used again, and the outage is logged once", () =>
    Effect.gen(function*() {
      const log = logging()
      const { lines } = log
      const { elapsing } = yield* handTimers
      const server = yield* redisServer()
      const store = yield* makeStore({ url: server.url }, log)
      yield* allAvailable(store)
      yield* server.kill9()
      yield* elapsing(allUnavailable(store))
      // Whoever comes when the connection has been away for as long as a call may take waits no more.
      yield* allUnavailable(store)
      yield* server.restart()
      yield* allAvailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN", "INFO"])
    }))

  it.scopedLive("a connection that was closed while it was idle costs no call, and what was sent is not sent again", () =>
    Effect.gen(function*() {
      const log = logging()
      const server = yield* redisServer()
      const admin = yield* adminOf(server.url)
      let closed = 0
      const retryStrategy = () => {
        closed++
        return 10
      }
      const store = yield* makeStore({ url: server.url, redis: { retryStrategy } }, log)
      const { key } = yield* store.save(state, lifetime)
      for (let round = 1; round <= 10; round++) {
        yield* Effect.promise(() => admin.client("KILL", "TYPE", "normal", "SKIPME", "yes"))
        yield* until(Effect.sync(() => closed === round))
        const calls = Effect.replicateEffect(store.load(key), 50)
        const results = yield* Effect.all([calls, calls, calls], { concurrency: "unbounded" })
        assert.isTrue(results.flat().every(({ _tag }) => _tag === "Live"))
      }
      // Nobody has to hear of it.
      assert.deepStrictEqual(log.lines, [])
      yield* Effect.promise(() => admin.call("CONFIG", "RESETSTAT"))
      yield* store.updateTtl(key, livingFor(minute))
      const stats = yield* Effect.promise(() => admin.info("commandstats"))
      assert.match(stats, /cmdstat_evalsha:calls=1,/)
    }))

  it.scopedLive("a call that waits for the connection can be interrupted, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const timers = yield* handTimers
      const store = yield* makeStore({ url: server.url })
      const { key } = yield* store.save(state, lifetime)
      yield* server.kill9()
      const waiting = yield* Effect.forEach(
        Array.from({ length: 1_000 }),
        () => Effect.fork(store.update(key, change, livingFor(minute)))
      )
      yield* settle
      yield* Fiber.interruptAll(waiting)
      yield* server.restart()
      yield* allAvailable(store)
      yield* timers.idle
      assert.strictEqual((yield* store.load(key))._tag, "Absent")
    }))

  it.scopedLive("a Redis killed amid calls fails them, and none of them hangs", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const store = yield* makeStore({ url: server.url })
      const { key } = yield* store.save(state, lifetime)
      yield* server.signal("SIGSTOP")
      const calls = yield* Effect.fork(allUnavailable(store, key))
      yield* settle
      yield* server.kill9()
      yield* Fiber.join(calls)
      yield* server.restart()
      yield* allAvailable(store)
    }))

  it.scopedLive("a Redis that hangs makes calls Unavailable, and is used again when it goes on", () =>
    Effect.gen(function*() {
      const log = logging()
      const { lines } = log
      const { elapseOnce, elapsing } = yield* handTimers
      const server = yield* redisServer()
      const store = yield* makeStore({ url: server.url }, log)
      yield* allAvailable(store)
      yield* server.signal("SIGSTOP")
      yield* elapsing(allUnavailable(store))
      // New connections are tried, and given up, on a server that accepts them and hangs.
      yield* Effect.repeatN(elapseOnce, 2)
      yield* allUnavailable(store)
      yield* server.signal("SIGCONT")
      yield* allAvailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN", "INFO"])
      assert.include(lines[0], "no answer within 1h")
    }))

  it.scopedLive("a Redis that pauses its clients makes calls Unavailable, and is used again afterwards", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const admin = yield* adminOf(server.url)
      const { elapsing } = yield* handTimers
      const store = yield* makeStore({ url: server.url })
      const { key } = yield* store.save(state, lifetime)
      yield* Effect.promise(() => admin.client("PAUSE", hour, "WRITE"))
      const write = store.update(key, change, livingFor(minute))
      assert.strictEqual((yield* elapsing(Effect.flip(write))).reason, "Unavailable")
      yield* Effect.promise(() => admin.client("UNPAUSE"))
      yield* allAvailable(store)
      // Nobody ends this pause, not even an operator, other than by another server.
      yield* Effect.promise(() => admin.client("PAUSE", hour, "ALL"))
      yield* elapsing(allUnavailable(store, key))
      yield* server.kill9()
      yield* server.restart()
      yield* allAvailable(store)
    }))

  it.scopedLive("a write that was given up before it was sent is never sent", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const { elapsing } = yield* handTimers
      const store = yield* makeStore({ url: server.url })
      const { key } = yield* store.save(state, lifetime)
      yield* server.signal("SIGSTOP")
      yield* elapsing(Effect.flip(store.load(key)))
      yield* elapsing(Effect.flip(store.delete(key)))
      yield* elapsing(Effect.flip(store.update(key, change, livingFor(minute))))
      yield* server.signal("SIGCONT")
      const result = yield* recovered(store.load(key))
      assert(result._tag === "Live")
      assert.deepStrictEqual(result.record.state, state)
    }))

  it.scopedLive("a connection that gets stuck before Redis says its first word is given up for another", () =>
    Effect.gen(function*() {
      const log = logging()
      const { lines } = log
      const { elapsing } = yield* handTimers
      const redis = yield* redisServer()
      let connections = 0
      const port = yield* routedPort(() => ++connections > 2 ? redis.port : undefined)
      const store = yield* elapsing(makeStore({ url: `redis://127.0.0.1:${port}` }, log))
      yield* allUnavailable(store)
      yield* elapsing(until(Effect.sync(() => connections > 2)))
      yield* allAvailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN", "INFO"])
      assert.include(lines[0], "no answer within 1h")
    }))

  it.scopedLive("an answer that this process had no time to read in time counts", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const { elapse } = yield* handTimers
      const store = yield* makeStore({ url: server.url })
      const { key } = yield* store.save(state, lifetime)
      yield* server.signal("SIGSTOP")
      const fiber = yield* Effect.fork(store.load(key))
      yield* settle
      // The call is on its way. It is answered before the later one of another process, for which this one blocks, and its
      // time is up before this process has looked: in the phase of the event loop in which Node's timers fire.
      yield* Effect.async<void>((resume) => {
        setTimeout(() => {
          Effect.runSync(server.signal("SIGCONT"))
          execFileSync(process.execPath, ["-e", pingOnce, String(server.port)])
          elapse()
          resume(Effect.void)
        }, 0)
      })
      assert.strictEqual((yield* fiber)._tag, "Live")
    }))

  it.scopedLive("a primary that became a replica refuses writes, and is used again as a primary", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const admin = yield* adminOf(server.url)
      const nobody = yield* freePort
      const store = yield* makeStore({ url: server.url })
      const { key } = yield* store.save(state, lifetime)
      yield* Effect.promise(() => admin.call("REPLICAOF", "127.0.0.1", String(nobody)))
      const error = yield* Effect.flip(store.update(key, change, livingFor(minute)))
      assert.strictEqual(error.reason, "Unavailable")
      yield* Effect.promise(() => admin.call("REPLICAOF", "NO", "ONE"))
      assert.strictEqual((yield* recovered(store.load(key)))._tag, "Live")
      yield* allAvailable(store)
    }))

  it.scopedLive("a name that leads to another primary is followed when the old one refuses to write", () =>
    Effect.gen(function*() {
      const old = yield* redisServer()
      const next = yield* redisServer()
      const admin = yield* adminOf(old.url)
      let primary = old.port
      const port = yield* routedPort(() => primary)
      const store = yield* makeStore({ url: `redis://127.0.0.1:${port}` })
      const { key } = yield* store.save(state, lifetime)
      yield* Effect.promise(() => admin.call("REPLICAOF", "127.0.0.1", String(next.port)))
      primary = next.port
      assert.strictEqual((yield* Effect.flip(store.update(key, change, livingFor(minute)))).reason, "Unavailable")
      yield* allAvailable(store)
    }))

  it.scopedLive("a wrong password is Unavailable, and no log line or error has it", () =>
    Effect.gen(function*() {
      const log = logging()
      const { lines } = log
      const timers = yield* handTimers
      const { port } = yield* redisServer({ args: ["--requirepass", "right"] })
      for (const url of [`redis://:planted@127.0.0.1:${port}`, `redis://user:planted@127.0.0.1:${port}`]) {
        const store = yield* makeWithout(timers, { url }, log)
        yield* allUnavailable(store)
        const error = yield* Effect.flip(store.load(SessionKey.mint()))
        assert.notInclude(inspect(error, { depth: 10 }), "planted")
      }
      assert.deepStrictEqual(levels(lines), ["WARN", "WARN"])
      assert.include(lines[0], "WRONGPASS")
      assert.notInclude(lines.join(), "planted")
    }))

  it.scopedLive("a missing password is Unavailable and logged", () =>
    Effect.gen(function*() {
      const log = logging()
      const { lines } = log
      const { url } = yield* redisServer({ args: ["--requirepass", "right"] })
      const store = yield* makeWithout(yield* handTimers, { url }, log)
      yield* allUnavailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN"])
      assert.include(lines[0], "NOAUTH")
    }))

  it.scopedLive("user, password and database of the url are used as they were meant", () =>
    Effect.gen(function*() {
      const { port, url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const password = "p@ss/w:o#r?d%20é"
      yield* Effect.promise(() => admin.acl("SETUSER", "us%er", "on", `>${password}`, "~session:*", "+@all"))
      const store = yield* makeStore({
        url: `redis://us%25er:${encodeURIComponent(password)}@127.0.0.1:${port}/3?family=4`
      })
      yield* store.save(state, lifetime)
      assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 0)
      yield* Effect.promise(() => admin.select(3))
      assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 1)
    }))

  it.scopedLive("the rights that docs/stores/redis.md names suffice", () =>
    Effect.gen(function*() {
      const { port, url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const rights =
        "on >secret ~session:* +hgetall +evalsha +eval +exists +hmget +hget +hexists +hkeys +hlen +hstrlen +hset +hdel +hscan +pexpire +pttl +del " +
        "+info +select +quit"
      yield* Effect.promise(() => admin.acl("SETUSER", "sessions", ...rights.split(" ")))
      const store = yield* makeStore({ url: `redis://sessions:secret@127.0.0.1:${port}` })
      yield* allAvailable(store)
      const { key } = yield* store.save(state, lifetime)
      assert.strictEqual((yield* store.updateTtl(key, livingFor(minute)))._tag, "Saved")
      const unset = { set: new Map(), unset: new Set(["a"]), expect: new Map([["a", "1"], ["c", undefined]]) }
      assert.strictEqual((yield* store.renew(key, unset, livingFor(minute)))._tag, "Saved")
    }))

  it.scopedLive("a database that does not exist is Unavailable, and database 0 stays as it is", () =>
    Effect.gen(function*() {
      const log = logging()
      const { lines } = log
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const connections = Effect.map(
        Effect.promise(() => admin.info("stats")),
        (stats) => Number(/total_connections_received:(\d+)/.exec(stats)![1])
      )
      const timers = yield* handTimers
      const store = yield* makeWithout(timers, { url: `${url}/99` }, log)
      const before = yield* connections
      yield* timers.elapsing(until(
        Effect.zipRight(allUnavailable(store), Effect.map(connections, (connections) => connections > before + 3))
      ))
      assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 0)
      assert.strictEqual(levels(lines)[0], "WARN")
      assert.include(lines[0], "DB index is out of range")
    }))

  it.scopedLive("options that ioredis cannot connect with fail the layer", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const error = yield* Effect.flip(
        makeStore({ url: `rediss://:planted@127.0.0.1:${port}`, redis: { tls: { cert: "no certificate" } } })
      )
      assert(error._tag === "SessionStoreConfigError")
      assert.strictEqual(error.option, "redis")
      assert.notInclude(error.message, "planted")
    }))
})

describe("closing the scope of a RedisSessionStore", () => {
  const closing = (
    options: RedisSessionStore.Options,
    before: (store: SessionStore.ClockedVerbs) => Effect.Effect<unknown>,
    build: typeof makeWithout = (_, options, log) => makeStore(options, log)
  ) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const timers = yield* handTimers
      const log = logging()
      const store = yield* Scope.extend(build(timers, options, log), scope)
      yield* before(store)
      const linesBefore = log.lines.length
      yield* timers.elapsing(Scope.close(scope, Exit.void))
      yield* allUnavailable(store)
      yield* timers.idle
      yield* settle
      assert.strictEqual(log.lines.length, linesBefore)
    })

  it.scopedLive("closes the connection, after which calls are Unavailable", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const count = Effect.map(
        Effect.promise(() => admin.client("LIST") as Promise<string>),
        (list) => list.trim().split("\n").length
      )
      yield* closing({ url }, () => Effect.map(count, (count) => assert.strictEqual(count, 2)))
      yield* until(Effect.map(count, (count) => count === 1))
    }))

  it.scopedLive("neither fails nor hangs where Redis never was", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      yield* closing({ url: `redis://127.0.0.1:${port}` }, () => Effect.void, makeWithout)
    }))

  it.scopedLive("neither fails nor hangs where Redis is gone", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      yield* closing({ url: server.url }, () => server.kill9())
    }))

  it.scopedLive("neither fails nor hangs where Redis hangs", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      yield* closing({ url: server.url }, () => server.signal("SIGSTOP"))
    }))

  it.scopedLive("neither fails nor hangs amid calls to a Redis that hangs", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      let calls: Fiber.Fiber<void, unknown> | undefined
      yield* closing({ url: server.url }, (store) =>
        Effect.gen(function*() {
          yield* server.signal("SIGSTOP")
          calls = yield* Effect.forkDaemon(allUnavailable(store))
          yield* settle
        }))
      yield* Fiber.join(calls!)
    }))
})

describe("RedisSessionStore on a client of the app", () => {
  it.scopedLive("bounds its calls, also where the client would wait for ever", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const client = yield* Effect.acquireRelease(
        Effect.sync(() => new Redis({ port, maxRetriesPerRequest: null }).on("error", () => {})),
        (client) => Effect.sync(() => client.disconnect())
      )
      const { elapsing } = yield* handTimers
      const store = yield* elapsing(RedisSessionStore.fromClient(client, { timeout: heldLimit }))
      yield* elapsing(allUnavailable(SessionStore.withClock(store)))
    }))

  it.effect("refuses a limit that is none", () =>
    Effect.gen(function*() {
      const client: RedisSessionStore.RedisClient = new Redis({ lazyConnect: true })
      const error = yield* Effect.flip(RedisSessionStore.fromClient(client, { timeout: Infinity }))
      assert.strictEqual(error.option, "timeout")
    }))

  it.scopedLive("a client that throws is Unavailable", () =>
    Effect.gen(function*() {
      const broken: RedisSessionStore.RedisClient = {
        hgetall: () => {
          throw new Error("broken")
        },
        evalsha: () => {
          throw new Error("broken")
        },
        eval: () => {
          throw new Error("broken")
        }
      }
      yield* allUnavailable(SessionStore.withClock(yield* RedisSessionStore.fromClient(broken)))
    }))
})
