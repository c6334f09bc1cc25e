/**
 * A primary that dies, hangs or is demoted, watched by real Sentinels: nobody is taken for somebody or for nobody, what was lost
 * is counted, and the server that is no primary any more is left.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { Redis, type RedisOptions } from "ioredis"
import type { LoadedApp } from "../faults/failOverLoad.js"
import { loadedApp } from "../faults/failOverLoad.js"
import { nothingUnhandled } from "../faults/faultyApp.js"
import { report } from "../support/figures.js"
import { handTimers, heldLimit } from "../support/handTimers.js"
import type { SentinelGroup } from "../support/redisSentinel.js"
import { groupName, redisSentinel } from "../support/redisSentinel.js"
import { settle, until } from "../support/settle.js"
import { generous } from "../support/timeLimits.js"

const clientOf = (options: RedisOptions): Effect.Effect<Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(options).on("error", () => {})),
    (client) => Effect.sync(() => client.disconnect())
  )

/** What docs/stores/redis.md advises for a client that asks Sentinels. */
const advised: RedisOptions = {
  enableAutoPipelining: true,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (times) => Math.min(times * 50, 250),
  sentinelCommandTimeout: 1_000,
  socketTimeout: 2_000
}

const ownStore = ({ sentinels }: SentinelGroup, timeout: Duration.DurationInput = "1 second") =>
  RedisSessionStore.layer({ url: `redis://${groupName}`, redis: { sentinels: [...sentinels] }, timeout })

const storeOn = ({ sentinels }: SentinelGroup, options: RedisOptions, timeout: Duration.DurationInput = "1 second") =>
  Effect.map(
    clientOf({ sentinels: [...sentinels], name: groupName, ...options }),
    (client) => RedisSessionStore.layerFromClient(client, { timeout })
  )

const lifetime = { ttl: 3_600_000, maxLifetime: undefined }

/** How many scripts a server was asked to run. */
const scriptCalls = (admin: Redis) =>
  Effect.map(
    Effect.promise(() => admin.info("commandstats")),
    (stats) => Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
  )

type Stores = Readonly<Record<string, Layer.Layer<SessionStore.SessionStore, unknown>>>

/** Lets visitors loose on apps with these stores, does what it does to the primary, and takes stock when all have recovered. */
const underLoad = (
  group: SentinelGroup,
  stores: Stores,
  fault: Effect.Effect<void>,
  afterwards: Effect.Effect<void> = Effect.void
) =>
  Effect.gen(function*() {
    const keys = Config.generateKey()
    const apps = yield* Effect.forEach(Object.entries(stores), ([name, store]) => loadedApp(name, store, keys))
    yield* group.replicated
    const goesOn = (app: LoadedApp, visits: number) =>
      Effect.suspend(() => {
        const goal = app.visits() + visits
        return until(Effect.sync(() => app.visits() >= goal))
      })
    const epoch = yield* group.epoch
    const story = Effect.gen(function*() {
      yield* Effect.forEach(apps, (app) => goesOn(app, 100), { discard: true })
      yield* fault
      apps.forEach((app) => app.begin())
      yield* Effect.forEach(apps, (app) => until(Effect.sync(() => app.recoveryMillis() !== undefined)))
      yield* afterwards
      yield* Effect.forEach(apps, (app) => goesOn(app, 100), { discard: true })
      apps.forEach((app) => app.end())
    })
    yield* Effect.all([story, ...apps.map(({ load }) => load)], { concurrency: "unbounded", discard: true })
    const stocks: Array<readonly [name: string, millis: number, stock: Effect.Effect.Success<LoadedApp["takeStock"]>]> =
      []
    for (const app of apps) {
      stocks.push([app.name, app.recoveryMillis()!, yield* app.takeStock])
    }
    // On a machine that is very slow the Sentinels may have taken the new primary for dead as well.
    const isOneFailOver = (yield* group.epoch) === epoch + 1
    return { stocks, isOneFailOver }
  })

describe("RedisSessionStore and Redis Sentinel", () => {
  nothingUnhandled()

  it.scopedLive("the primary is killed under load: nobody is signed in or out by mistake", () =>
    Effect.gen(function*() {
      const group = yield* redisSentinel({ replicas: 2, sentinels: 3 })
      const { isOneFailOver, stocks } = yield* underLoad(
        group,
        {
          "own connection": ownStore(group),
          "client as advised": yield* storeOn(group, advised),
          "client with ioredis' defaults": yield* storeOn(group, {})
        },
        group.first.kill9()
      )
      assert.notStrictEqual(yield* group.primaryPort, group.first.port)
      for (const [name, millis, stock] of stocks) {
        report(`Primary killed, ${name}`, { "recovery ms": millis, ...stock })
        if (name !== "client with ioredis' defaults") {
          assert.strictEqual(stock.countedTwice, 0, name)
        }
        if (isOneFailOver) {
          assert.strictEqual(stock.lateLosses, 0, name)
        }
      }
    }))

  it.scopedLive("the primary hangs, a Sentinel too, and both come back: the old primary is left for good", () =>
    Effect.gen(function*() {
      const group = yield* redisSentinel({ replicas: 2, sentinels: 3 })
      const [sentinel] = group.sentinelServers
      const { isOneFailOver, stocks } = yield* underLoad(
        group,
        { "own connection": ownStore(group), "client as advised": yield* storeOn(group, advised) },
        Effect.zipRight(sentinel!.signal("SIGSTOP"), group.first.signal("SIGSTOP")),
        Effect.zipRight(group.first.signal("SIGCONT"), sentinel!.signal("SIGCONT"))
      )
      for (const [name, millis, stock] of stocks) {
        report(`Primary and a Sentinel hang, ${name}`, { "recovery ms": millis, ...stock })
        assert.strictEqual(stock.countedTwice, 0, name)
        if (isOneFailOver) {
          assert.strictEqual(stock.lateLosses, 0, name)
        }
      }
    }))

  it.scopedLive("news of a fail-over that come while another Sentinel hangs do not end the connection for good", () =>
    Effect.gen(function*() {
      const group = yield* redisSentinel({ replicas: 1, sentinels: 3 })
      const { elapseOnce } = yield* handTimers
      const context = yield* Layer.build(ownStore(group, heldLimit))
      const store = SessionStore.withClock(Context.get(context, SessionStore.SessionStore))
      yield* store.save(new Map(), lifetime)
      const others = group.sentinels.slice(1)
      let news = 0
      for (const sentinel of others) {
        const subscriber = yield* clientOf(sentinel)
        subscriber.on("message", () => news++)
        yield* Effect.promise(() => subscriber.subscribe("+switch-master"))
      }
      // It asks the first one, which does not answer, and meanwhile hears the news from the others.
      yield* group.sentinelServers[0]!.signal("SIGSTOP")
      yield* group.first.kill9()
      yield* until(Effect.sync(() => news === others.length))
      yield* settle
      yield* elapseOnce
      assert.isDefined(yield* Effect.retry(store.save(new Map(), lifetime), Schedule.spaced("5 millis")))
    }))

  it.scopedLive("a demoted primary is left within one failed command, whoever's client it is", () =>
    Effect.gen(function*() {
      const group = yield* redisSentinel({ replicas: 1, sentinels: 1 })
      const [old, next] = group.admins as [Redis, Redis]
      const clients: Readonly<Record<string, RedisOptions>> = {
        "as advised": advised,
        "with ioredis' defaults": {},
        "that connects anew by itself": { reconnectOnError: (error) => error.message.includes("READONLY") },
        "that connects anew and sends it again": {
          reconnectOnError: (error) => error.message.includes("READONLY") && 2
        }
      }
      const stores = yield* Effect.forEach(
        [
          ownStore(group, generous),
          ...yield* Effect.forEach(Object.values(clients), (options) => storeOn(group, options, generous))
        ],
        (layer) =>
          Effect.map(
            Layer.build(layer),
            (context) => SessionStore.withClock(Context.get(context, SessionStore.SessionStore))
          )
      )
      const { key } = yield* stores[0]!.save(new Map([["a", "1"]]), lifetime)
      const write = (store: SessionStore.ClockedVerbs) => store.updateTtl(key, lifetime)
      yield* Effect.forEach(stores, write)
      yield* group.replicated
      // By hand and behind the Sentinels' back, since they would close the connections of a primary that they demote.
      yield* Effect.promise(async () => {
        await group.watchers[0]!.call("SENTINEL", "REMOVE", groupName)
        await next.call("REPLICAOF", "NO", "ONE")
        await old.call("REPLICAOF", "127.0.0.1", String(next.options.port))
        await group.watchers[0]!.call("SENTINEL", "MONITOR", groupName, "127.0.0.1", String(next.options.port), "1")
        await old.config("RESETSTAT")
        await next.config("RESETSTAT")
      })
      const others = stores.slice(0, -1)
      const again = stores.at(-1)
      for (const store of others) {
        const error = yield* Effect.flip(write(store))
        assert.strictEqual(error.reason, "Unavailable")
        assert.include(error.message, "READONLY")
      }
      assert.strictEqual((yield* write(again!))._tag, "Saved")
      // One that keeps no queue fails at once for as long as it connects.
      for (const store of stores) {
        assert.strictEqual((yield* Effect.retry(write(store), Schedule.spaced("5 millis")))._tag, "Saved")
      }
      assert.deepStrictEqual(yield* Effect.forEach([old, next], scriptCalls), [stores.length, stores.length + 1])
    }))
})
