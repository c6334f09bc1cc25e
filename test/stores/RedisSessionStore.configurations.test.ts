/**
 * Ways in which an app's Redis and its client may be set up: each works, or the Layer is not built and says what to do.
 * (A Redis that evicts sessions is in test/faults/servers.test.ts.)
 */
import { assert, describe, it } from "@effect/vitest"
import type * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import type { ClusterOptions, RedisOptions } from "ioredis"
import { Cluster, Redis } from "ioredis"
import { createClient } from "redis"
import { adapt } from "../../examples/nodeRedis.js"
import { handTimers, heldLimit } from "../support/handTimers.js"
import { logging } from "../support/loggingStore.js"
import type { ClusterNode } from "../support/redisCluster.js"
import { redisCluster } from "../support/redisCluster.js"
import { adminOf, followsPrimary } from "../support/redisSentinel.js"
import { redisServer } from "../support/redisServer.js"
import { routedPort } from "../support/routedPort.js"
import { freePort } from "../support/serverProcess.js"
import { settle, until } from "../support/settle.js"
import { generous } from "../support/timeLimits.js"

const lifetime: SessionRecord.Lifetime = { ttl: 3_600_000, maxLifetime: undefined }

const changeOf = (name: string): SessionRecord.SessionChange => ({
  set: new Map([[name, "1"]]),
  unset: new Set(),
  expect: new Map()
})

const connect = (options: RedisOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(options).on("error", () => {})),
    (client) => Effect.sync(() => client.disconnect())
  )

const storeOn = (client: RedisSessionStore.RedisClient, options?: RedisSessionStore.ClientOptions) =>
  Effect.map(RedisSessionStore.fromClient(client, { timeout: generous, ...options }), SessionStore.withClock)

/** Goes through every verb but `delete`, and leaves one session. */
const everyVerb = (store: SessionStore.ClockedVerbs) =>
  Effect.gen(function*() {
    const { key } = yield* store.save(new Map([["a", "1"]]), lifetime)
    assert.strictEqual((yield* store.update(key, changeOf("b"), lifetime))._tag, "Saved")
    const renewed = yield* store.renew(key, changeOf("c"), lifetime)
    assert(renewed._tag === "Saved")
    assert.strictEqual((yield* store.updateTtl(renewed.key, lifetime))._tag, "Saved")
    const loaded = yield* store.load(renewed.key)
    assert(loaded._tag === "Live")
    assert.deepStrictEqual([...loaded.record.state.keys()].sort(), ["a", "b", "c"])
    return renewed.key
  })

describe("a client with a keyPrefix", () => {
  it.scopedLive("puts it before the store's own, in all commands, with rights on these keys alone", () =>
    Effect.gen(function*() {
      const { port, url } = yield* redisServer()
      const admin = yield* adminOf(url)
      yield* Effect.promise(() => admin.acl("SETUSER", "app", "on", ">secret", "~app:session:*", "+@all"))
      const user = { username: "app", password: "secret" }
      const stores = [
        SessionStore.withClock(
          yield* RedisSessionStore.make({
            url: `redis://app:secret@127.0.0.1:${port}`,
            timeout: generous,
            redis: { keyPrefix: "app:" }
          })
        ),
        yield* storeOn(yield* connect({ port, ...user, keyPrefix: "app:" })),
        yield* storeOn(yield* connect({ port, ...user, keyPrefix: "app:", enableAutoPipelining: true })),
        yield* storeOn(yield* connect({ port, ...user }), { prefix: "app:session:" })
      ]
      for (const store of stores) {
        const key = yield* everyVerb(store)
        assert.deepStrictEqual(yield* Effect.promise(() => admin.keys("*")), [`app:session:${key.id}`])
        for (const other of stores) {
          assert.strictEqual((yield* other.load(key))._tag, "Live")
        }
        assert.isTrue(yield* store.delete(key))
        assert.strictEqual(yield* Effect.promise(() => admin.dbsize()), 0)
      }
    }))
})

describe("a client with an offline queue", () => {
  it.scopedLive("sends nothing that was given up while there was no connection, and what still waits once", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const admin = yield* adminOf(server.url)
      const { elapsing } = yield* handTimers
      const client = yield* connect({ port: server.port, retryStrategy: () => 20, maxRetriesPerRequest: null })
      assert.isTrue(client.options.enableOfflineQueue)
      const store = yield* storeOn(client, { timeout: heldLimit })
      yield* server.stop()
      yield* until(Effect.sync(() => client.status !== "ready"))
      const givenUp = yield* Effect.all(
        Array.from({ length: 20 }, () => Effect.flip(store.save(new Map(), lifetime))),
        { concurrency: "unbounded" }
      ).pipe(elapsing)
      assert.deepStrictEqual(givenUp.map(({ reason }) => reason), givenUp.map(() => "Unavailable"))
      const waiting = yield* Effect.fork(store.save(new Map([["a", "1"]]), lifetime))
      yield* settle
      yield* server.restart()
      const { key } = yield* Fiber.join(waiting)
      // What the client still had to send would have come before this.
      assert.strictEqual((yield* store.load(key))._tag, "Live")
      assert.deepStrictEqual(yield* Effect.promise(() => admin.keys("*")), [`session:${key.id}`])
      assert.deepStrictEqual(client.listeners("end"), [])
    }))

  it.scopedLive("that gives up connecting ends the calls that wait for it", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      let gaveUp = false
      const client = yield* connect({
        port: server.port,
        retryStrategy: () => gaveUp ? null : 20,
        maxRetriesPerRequest: null
      })
      const store = yield* storeOn(client)
      yield* server.stop()
      yield* until(Effect.sync(() => client.status !== "ready"))
      const waiting = yield* Effect.fork(Effect.flip(store.save(new Map(), lifetime)))
      yield* settle
      gaveUp = true
      assert.strictEqual((yield* Fiber.join(waiting)).reason, "Unavailable")
    }))
})

describe("a client whose server is demoted", () => {
  /** A client of another package, with what examples/nodeRedis.ts makes of it. */
  const nodeRedis = (port: number) =>
    Effect.map(
      Effect.acquireRelease(
        Effect.promise(() =>
          createClient({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true }).on("error", () => {}).connect()
        ),
        (client) => Effect.sync(() => client.destroy())
      ),
      adapt
    )

  const clients: Readonly<
    Record<string, (port: number) => Effect.Effect<RedisSessionStore.RedisClient, never, Scope.Scope>>
  > = {
    "ioredis": (port) => connect({ port }),
    "ioredis, without an offline queue": (port) =>
      Effect.tap(
        connect({ port, enableOfflineQueue: false }),
        (client) => until(Effect.sync(() => client.status === "ready"))
      ),
    "node-redis": nodeRedis
  }
  for (const [name, clientOn] of Object.entries(clients)) {
    it.scopedLive(`is led to the new primary by its name, after one failed command: ${name}`, () =>
      Effect.gen(function*() {
        const old = yield* redisServer({ args: ["--repl-diskless-sync-delay", "0"] })
        const next = yield* redisServer({ args: ["--replicaof", "127.0.0.1", String(old.port)] })
        const [oldAdmin, nextAdmin] = [yield* adminOf(old.url), yield* adminOf(next.url)]
        yield* followsPrimary(nextAdmin)
        let primary = old.port
        const store = yield* storeOn(yield* clientOn(yield* routedPort(() => primary)))
        const { key } = yield* store.save(new Map(), lifetime)
        yield* Effect.promise(() => oldAdmin.wait(1, 0))
        yield* Effect.promise(() => nextAdmin.call("REPLICAOF", "NO", "ONE"))
        yield* Effect.promise(() => oldAdmin.call("REPLICAOF", "127.0.0.1", String(next.port)))
        yield* Effect.promise(() => oldAdmin.config("RESETSTAT"))
        primary = next.port
        const error = yield* Effect.flip(store.updateTtl(key, lifetime))
        assert.strictEqual(error.reason, "Unavailable")
        assert.include(error.message, "READONLY")
        yield* Effect.retry(store.updateTtl(key, lifetime), {
          while: ({ reason }) => Effect.as(settle, reason === "Unavailable")
        })
        const stats = yield* Effect.promise(() => oldAdmin.info("commandstats"))
        assert.match(stats, /cmdstat_evalsha:calls=1,/)
      }))
  }

  it.scopedLive("a client that would not come back is not disconnected", () =>
    Effect.gen(function*() {
      const { port, url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const nobody = yield* freePort
      const client = yield* connect({ port, retryStrategy: null as never })
      const store = yield* storeOn(client)
      const { key } = yield* store.save(new Map(), lifetime)
      yield* Effect.promise(() => admin.call("REPLICAOF", "127.0.0.1", String(nobody)))
      assert.strictEqual((yield* Effect.flip(store.updateTtl(key, lifetime))).reason, "Unavailable")
      yield* settle
      assert.strictEqual(client.status, "ready")
    }))
})

describe("a client that is led to a replica", () => {
  it.effect("is refused when the store is made, with the mend", () =>
    Effect.gen(function*() {
      const sentinels = [{ host: "127.0.0.1", port: 1 }]
      const replica = new Redis({ sentinels, name: "sessions", role: "slave", lazyConnect: true })
      const error = yield* Effect.flip(RedisSessionStore.fromClient(replica))
      assert.strictEqual(error.option, "client")
      assert.match(error.message, /role: "slave".*leave role out/)
      for (const scaleReads of ["slave", "all"] as const) {
        const cluster = new Cluster(sentinels, { lazyConnect: true, scaleReads })
        assert.match((yield* Effect.flip(RedisSessionStore.fromClient(cluster))).message, /leave scaleReads out/)
      }
    }))
})

describe("a Cluster behind a NAT", () => {
  const connectCluster = (port: number, options: ClusterOptions) =>
    Effect.acquireRelease(
      Effect.sync(() => new Cluster([{ host: "127.0.0.1", port }], options).on("error", () => {})),
      (client) => Effect.sync(() => client.disconnect())
    )

  /** Nodes that take themselves to be at ports where nobody is, and the map from there to where they are. */
  const cluster = Effect.gen(function*() {
    const ports = yield* Effect.replicateEffect(freePort, 3)
    const nodes = yield* redisCluster(ports)
    const natMap = Object.fromEntries(
      ports.map((port, i) => [`127.0.0.1:${port}`, { host: "127.0.0.1", port: nodes[i]!.port }])
    )
    return { nodes, natMap, addresses: Object.keys(natMap) }
  })

  const storesOnAllNodes = (nodes: ReadonlyArray<ClusterNode>, store: SessionStore.ClockedVerbs) =>
    Effect.gen(function*() {
      const keys = yield* Effect.replicateEffect(everyVerb(store), 40, { concurrency: "unbounded" })
      for (const { admin } of nodes) {
        assert.isAbove(yield* Effect.promise(() => admin.dbsize()), 0)
      }
      yield* Effect.forEach(keys, (key) => store.delete(key), { concurrency: "unbounded", discard: true })
    })

  it.scopedLive("works with a natMap, an object or a function, and with a keyPrefix; without one that leads there, the mend is said", () =>
    Effect.gen(function*() {
      const { addresses, natMap, nodes } = yield* cluster
      const { port } = nodes[0]!
      for (const enableAutoPipelining of [false, true]) {
        for (const map of [natMap, (address: string) => natMap[address] ?? null]) {
          const client = yield* connectCluster(port, { natMap: map, keyPrefix: "app:", enableAutoPipelining })
          yield* storesOnAllNodes(nodes, yield* storeOn(client))
        }
      }

      const { elapsing } = yield* handTimers
      const refusal = (options: ClusterOptions) =>
        Effect.flatMap(
          connectCluster(port, options),
          (client) =>
            Effect.zipRight(
              // A seed has told the addresses before time is up.
              until(
                Effect.sync(() => (client as unknown as { readonly slots: ReadonlyArray<unknown> }).slots.length > 0)
              ),
              elapsing(Effect.flip(RedisSessionStore.fromClient(client, { timeout: heldLimit })))
            )
        ).pipe(Effect.provide(logging().layer))
      const none = yield* refusal({})
      assert.strictEqual(none.option, "client")
      for (const address of addresses) {
        assert.include(none.message, address)
      }
      assert.include(none.message, "the option natMap")
      const [forgotten, ...others] = addresses
      const one = yield* refusal({ natMap: Object.fromEntries(others.map((address) => [address, natMap[address]!])) })
      assert.match(one.message, new RegExp(`themselves: ${forgotten}\\. .*natMap: \\{ "${forgotten}"`))
    }))

  it.scopedLive("a node that is down refuses nothing: the layer is built, with a warning that names it", () =>
    Effect.gen(function*() {
      const { natMap, nodes } = yield* cluster
      const client = yield* connectCluster(nodes[0]!.port, { natMap })
      yield* until(Effect.sync(() => client.status === "ready"))
      yield* nodes[2]!.kill9()
      const log = logging()
      yield* RedisSessionStore.fromClient(client, { timeout: generous }).pipe(Effect.provide(log.layer))
      assert.match(log.lines.join("\n"), new RegExp(`accept no connection: 127\\.0\\.0\\.1:${nodes[2]!.port}\\.`))
    }))
})
