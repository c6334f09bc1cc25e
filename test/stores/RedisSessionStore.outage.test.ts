import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import type * as SessionRecord from "effect-session/SessionRecord"
import type * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import type { AddressInfo, Socket } from "node:net"
import { createConnection, createServer } from "node:net"
import { inspect } from "node:util"
import { afterAll, beforeAll } from "vitest"
import { livingFor } from "../support/lifetimes.js"
import { freePort, redisServer } from "../support/redisServer.js"

const minute = 60_000
const lifetime: SessionRecord.Lifetime = { ttl: minute, maxLifetime: undefined }
const state = new Map([["a", "1"]])
const change: SessionRecord.SessionChange = { set: new Map([["b", "2"]]), unset: new Set(), expect: new Map() }

/** Far more than anything here takes: whoever runs into it hangs. */
const hang = "20 seconds"

const hangs = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | Cause.TimeoutException, R> =>
  Effect.timeout(effect, hang)

const verbsOf = (store: SessionStore.SessionStore, key: SessionKey.SessionKey) =>
  [
    store.load(key),
    store.save(state, lifetime),
    store.update(key, change, livingFor(minute)),
    store.updateTtl(key, livingFor(minute)),
    store.renew(key, change, livingFor(minute)),
    store.delete(key)
  ] as ReadonlyArray<Effect.Effect<unknown, SessionStore.SessionStoreError>>

/** Every verb fails, as Unavailable, and in time even where it cannot be interrupted. */
const allUnavailable = (store: SessionStore.SessionStore, key = SessionKey.mint()) =>
  Effect.forEach(verbsOf(store, key), (verb) =>
    Effect.map(
      hangs(Effect.flip(Effect.uninterruptible(verb))),
      (error) => assert.strictEqual((error as SessionStore.SessionStoreError).reason, "Unavailable")
    ), { concurrency: "unbounded", discard: true })

const recovered = <A, E>(call: Effect.Effect<A, E>) => hangs(Effect.retry(call, Schedule.spaced("20 millis")))

const allAvailable = (store: SessionStore.SessionStore) =>
  Effect.gen(function*() {
    const { key } = yield* recovered(store.save(state, lifetime))
    assert.strictEqual((yield* store.load(key))._tag, "Live")
    assert.strictEqual((yield* store.update(key, change, livingFor(minute)))._tag, "Saved")
    yield* store.delete(key)
    assert.strictEqual((yield* store.load(key))._tag, "Absent")
  })

/** The lines that a store logs while it is built and while it runs. */
const logging = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ cause, logLevel, message }) => {
    lines.push(`${logLevel.label} ${inspect(message)} ${Cause.pretty(cause)}`)
  })
  return { lines, layer: Logger.replace(Logger.defaultLogger, logger) }
}

/** A store whose log lines do not matter. */
const makeStore = (options: RedisSessionStore.Options) =>
  Effect.provide(RedisSessionStore.make(options), logging().layer)

const levels = (lines: ReadonlyArray<string>) => lines.map((line) => line.slice(0, line.indexOf(" ")))

const adminOf = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url)),
    (client) => Effect.sync(() => client.disconnect())
  )

/**
 * A port that leads each new connection to the port that `route` says; where it says none, the connection gets stuck: it
 * is accepted, and nothing comes back.
 */
const proxy = (route: () => number | undefined) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() =>
        new Promise<{ readonly port: number; readonly stop: () => void }>((resolve) => {
          const sockets: Array<Socket> = []
          const server = createServer((socket) => {
            sockets.push(socket.on("error", () => {}))
            const port = route()
            if (port !== undefined) {
              const redis = createConnection({ port, host: "127.0.0.1" }).on("error", () => {})
              socket.pipe(redis).pipe(socket)
            }
          })
          server.listen(0, "127.0.0.1", () =>
            resolve({
              port: (server.address() as AddressInfo).port,
              stop: () => {
                server.close()
                sockets.forEach((socket) => socket.destroy())
              }
            }))
        })
      ),
      ({ stop }) => Effect.sync(stop)
    ),
    ({ port }) => port
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
      const { layer, lines } = logging()
      const store = yield* hangs(
        RedisSessionStore.make({ url: `redis://:planted@127.0.0.1:${server.port}`, timeout: "300 millis" }).pipe(
          Effect.provide(layer)
        )
      )
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
      const { layer, lines } = logging()
      const server = yield* redisServer()
      const store = yield* RedisSessionStore.make({ url: server.url }).pipe(Effect.provide(layer))
      yield* allAvailable(store)
      yield* server.kill9()
      yield* allUnavailable(store)
      yield* server.restart()
      yield* allAvailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN", "INFO"])
    }))

  it.scopedLive("a Redis killed amid calls fails them, and none of them hangs", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const store = yield* makeStore({ url: server.url })
      const { key } = yield* store.save(state, lifetime)
      yield* server.signal("SIGSTOP")
      yield* Effect.all([
        allUnavailable(store, key),
        Effect.zipRight(Effect.sleep("50 millis"), server.kill9())
      ], { concurrency: "unbounded" })
      yield* server.restart()
      yield* allAvailable(store)
    }))

  it.scopedLive("a Redis that hangs makes calls Unavailable, and is used again when it goes on", () =>
    Effect.gen(function*() {
      const { layer, lines } = logging()
      const server = yield* redisServer()
      const store = yield* RedisSessionStore.make({ url: server.url, timeout: "300 millis" }).pipe(
        Effect.provide(layer)
      )
      yield* allAvailable(store)
      yield* server.signal("SIGSTOP")
      yield* allUnavailable(store)
      // Long enough for new connections to be tried, and given up, on a server that accepts them and hangs.
      yield* Effect.sleep("1 seconds")
      yield* allUnavailable(store)
      yield* server.signal("SIGCONT")
      yield* allAvailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN", "INFO"])
      assert.include(lines[0], "no answer within 300ms")
    }))

  it.scopedLive("a Redis that pauses its clients makes calls Unavailable, and is used again afterwards", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const admin = yield* adminOf(server.url)
      const store = yield* makeStore({ url: server.url, timeout: "200 millis" })
      const { key } = yield* store.save(state, lifetime)
      yield* Effect.promise(() => admin.client("PAUSE", 1_500))
      yield* allUnavailable(store, key)
      yield* allAvailable(store)
    }))

  it.scopedLive("a write that was given up before it was sent is never sent", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const store = yield* makeStore({ url: server.url, timeout: "300 millis" })
      const { key } = yield* store.save(state, lifetime)
      yield* server.signal("SIGSTOP")
      yield* Effect.flip(store.load(key))
      yield* Effect.flip(store.delete(key))
      yield* Effect.flip(store.update(key, change, livingFor(minute)))
      yield* server.signal("SIGCONT")
      const result = yield* recovered(store.load(key))
      assert(result._tag === "Live")
      assert.deepStrictEqual(result.record.state, state)
    }))

  it.scopedLive("a connection that gets stuck before Redis says its first word is given up for another", () =>
    Effect.gen(function*() {
      const { layer, lines } = logging()
      const redis = yield* redisServer()
      let connections = 0
      const port = yield* proxy(() => ++connections > 2 ? redis.port : undefined)
      const store = yield* hangs(
        Effect.provide(RedisSessionStore.make({ url: `redis://127.0.0.1:${port}`, timeout: "200 millis" }), layer)
      )
      yield* allUnavailable(store)
      yield* allAvailable(store)
      assert.deepStrictEqual(levels(lines), ["WARN", "INFO"])
      assert.include(lines[0], "no answer within 200ms")
    }))

  it.scopedLive("an answer that this process had no time to read in time counts", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const store = yield* makeStore({ url: server.url, timeout: "200 millis" })
      const { key } = yield* store.save(state, lifetime)
      yield* server.signal("SIGSTOP")
      const fiber = yield* Effect.fork(store.load(key))
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(() => setImmediate(resolve))))
      // The call is on its way. It is answered while this loop keeps the process from looking.
      yield* server.signal("SIGCONT")
      const until = performance.now() + 400
      while (performance.now() < until);
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
      const port = yield* proxy(() => primary)
      const store = yield* makeStore({ url: `redis://127.0.0.1:${port}` })
      const { key } = yield* store.save(state, lifetime)
      yield* Effect.promise(() => admin.call("REPLICAOF", "127.0.0.1", String(next.port)))
      primary = next.port
      assert.strictEqual((yield* Effect.flip(store.update(key, change, livingFor(minute)))).reason, "Unavailable")
      yield* allAvailable(store)
    }))

  it.scopedLive("a wrong password is Unavailable, and no log line or error has it", () =>
    Effect.gen(function*() {
      const { layer, lines } = logging()
      const { port } = yield* redisServer({ args: ["--requirepass", "right"] })
      for (const url of [`redis://:planted@127.0.0.1:${port}`, `redis://user:planted@127.0.0.1:${port}`]) {
        const store = yield* hangs(
          Effect.provide(RedisSessionStore.make({ url, timeout: "300 millis" }), layer)
        )
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
      const { layer, lines } = logging()
      const { url } = yield* redisServer({ args: ["--requirepass", "right"] })
      const store = yield* hangs(Effect.provide(RedisSessionStore.make({ url, timeout: "300 millis" }), layer))
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
      const store = yield* RedisSessionStore.make({
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
        "on >secret ~session:* +hgetall +evalsha +eval +exists +hmget +hget +hexists +hset +hdel +pexpire +del " +
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
      const { layer, lines } = logging()
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const store = yield* hangs(
        Effect.provide(RedisSessionStore.make({ url: `${url}/99`, timeout: "500 millis" }), layer)
      )
      for (let i = 0; i < 20; i++) {
        yield* allUnavailable(store)
        yield* Effect.sleep("10 millis")
      }
      assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 0)
      assert.strictEqual(levels(lines)[0], "WARN")
      assert.include(lines[0], "DB index is out of range")
    }))

  it.scopedLive("options that ioredis cannot connect with fail the layer", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const error = yield* hangs(Effect.flip(
        makeStore({ url: `rediss://:planted@127.0.0.1:${port}`, redis: { tls: { cert: "no certificate" } } })
      ))
      assert(error._tag === "SessionStoreConfigError")
      assert.strictEqual(error.option, "redis")
      assert.notInclude(error.message, "planted")
    }))
})

describe("closing the scope of a RedisSessionStore", () => {
  const closing = (
    options: RedisSessionStore.Options,
    before: (store: SessionStore.SessionStore) => Effect.Effect<unknown>
  ) =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { layer, lines } = logging()
      const store = yield* RedisSessionStore.make(options).pipe(Effect.provide(layer), Scope.extend(scope))
      yield* before(store)
      const linesBefore = lines.length
      yield* hangs(Scope.close(scope, Exit.void))
      yield* allUnavailable(store)
      yield* Effect.sleep("400 millis")
      assert.strictEqual(lines.length, linesBefore)
      return store
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
      assert.strictEqual(yield* count, 1)
    }))

  it.scopedLive("neither fails nor hangs where Redis never was", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      yield* closing({ url: `redis://127.0.0.1:${port}`, timeout: "300 millis" }, () => Effect.void)
    }))

  it.scopedLive("neither fails nor hangs where Redis is gone", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      yield* closing({ url: server.url, timeout: "300 millis" }, () => server.kill9())
    }))

  it.scopedLive("neither fails nor hangs where Redis hangs", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      yield* closing({ url: server.url, timeout: "300 millis" }, () => server.signal("SIGSTOP"))
    }))

  it.scopedLive("neither fails nor hangs amid calls to a Redis that hangs", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      yield* closing({ url: server.url, timeout: "300 millis" }, (store) =>
        Effect.zipRight(
          server.signal("SIGSTOP"),
          Effect.zipLeft(Effect.forkDaemon(allUnavailable(store)), Effect.sleep("50 millis"))
        ))
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
      const store = yield* RedisSessionStore.fromClient(client, { timeout: Duration.millis(200) })
      yield* allUnavailable(store)
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
      yield* allUnavailable(yield* RedisSessionStore.fromClient(broken))
    }))
})
