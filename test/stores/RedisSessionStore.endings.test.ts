import { assert, describe, it } from "@effect/vitest"
import type { SessionId, SessionKey } from "effect-session/SessionKey"
import * as SessionSignIn from "effect-session/SessionSignIn"
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import { Cluster, Redis } from "ioredis"
import { livingFor } from "../support/lifetimes.js"
import { redisCluster } from "../support/redisCluster.js"
import { adminOf } from "../support/redisSentinel.js"
import { redisServer } from "../support/redisServer.js"
import { settle, until } from "../support/settle.js"
import { generous } from "../support/timeLimits.js"

const begin = (store: SessionStore.SessionStore) =>
  Effect.map(SessionStore.withClock(store).save(new Map([["a", "1"]]), livingFor(600_000)), ({ key }) => key)

const end = (store: SessionStore.SessionStore, key: SessionKey) => SessionStore.withClock(store).delete(key)

/** Listens to the end of a session for as long as the scope is open, and says how often it was told. */
const listening = (store: SessionStore.SessionStore, id: SessionId) =>
  Effect.gen(function*() {
    let times = 0
    yield* store.endings!.listen!(id, () => times++)
    return { times: () => times }
  })

const askedSeldom = (store: SessionStore.SessionStore) =>
  until(Effect.sync(() => store.endings!.pollEvery() === 30_000))

const askedOften = (store: SessionStore.SessionStore) => Effect.sync(() => store.endings!.pollEvery() === 5_000)

/** The connections of these servers that listen. */
const subscribers = (...admins: ReadonlyArray<Redis>) =>
  Effect.promise(async () => {
    const lists = await Promise.all(admins.map((admin) => admin.call("CLIENT", "LIST", "TYPE", "pubsub")))
    return lists.flatMap((list, i) =>
      String(list).split("\n").filter((line) => line !== "").map((line) => `${i} ${line.split(" ")[0]}`)
    )
  })

/** Cuts the connection that listens, does something meanwhile, and waits until there is another. */
const cut = (store: SessionStore.SessionStore, meanwhile: Effect.Effect<unknown, unknown>, ...admins: Array<Redis>) =>
  Effect.gen(function*() {
    const before = yield* subscribers(...admins)
    yield* Effect.promise(() => Promise.all(admins.map((admin) => admin.call("CLIENT", "KILL", "TYPE", "pubsub"))))
    yield* meanwhile
    yield* until(Effect.map(subscribers(...admins), ([one]) => one !== undefined && one !== before[0]))
    yield* askedSeldom(store)
  })

const storeOf = (layer: Layer.Layer<SessionStore.SessionStore, unknown>) =>
  Effect.map(Layer.build(layer), Context.get(SessionStore.SessionStore))

const clientOf = <A extends Redis | Cluster>(open: () => A) =>
  Effect.acquireRelease(Effect.sync(open), (client) => Effect.sync(() => client.disconnect()))

describe("RedisSessionStore, where somebody waits for the end of a session", () => {
  it.scopedLive("tells who listens of a session that another process has ended, and of no other", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const client = yield* clientOf(() => new Redis(url, { keyPrefix: "app:" }))
      for (
        const layer of [
          RedisSessionStore.layer({ url, timeout: generous }),
          RedisSessionStore.layerFromClient(client, { timeout: generous, prefix: "other:" })
        ]
      ) {
        const [here, there] = [yield* storeOf(layer), yield* storeOf(Layer.fresh(layer))]
        const [key, other] = [yield* begin(here), yield* begin(here)]
        const [heard, heardOfOther] = [yield* listening(here, key.id), yield* listening(here, other.id)]
        assert.isTrue(yield* askedOften(here), "nobody has heard that it listens")
        yield* askedSeldom(here)
        const [before, beforeOfOther] = [heard.times(), heardOfOther.times()]
        yield* end(there, key)
        yield* until(Effect.sync(() => heard.times() > before))
        assert.strictEqual(heardOfOther.times(), beforeOfOther)
        const account = "\"ada\""
        const now = Date.now()
        const { key: ofAccount } = yield* SessionStore.withClock(here).save(
          new Map(SessionSignIn.toEntries({ account, signedInAt: now, authenticatedAt: now })),
          livingFor(600_000)
        )
        const heardOfAccount = yield* listening(here, ofAccount.id)
        assert.isTrue(yield* there.accounts!.end(account, ofAccount.id, now))
        yield* until(Effect.sync(() => heardOfAccount.times() > 0))
        assert.isTrue(Option.isNone(yield* here.endings!.find(key.id, Date.now())))
        assert.isTrue(Option.isSome(yield* here.endings!.find(other.id, Date.now())))
      }
    }))

  it.scopedLive("has a connection for it once somebody does, one for all, and none after the layer", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const client = yield* clientOf(() => new Redis(url))
      for (
        const layer of [
          RedisSessionStore.layer({ url, timeout: generous }),
          RedisSessionStore.layerFromClient(client, { timeout: generous })
        ]
      ) {
        yield* Effect.scoped(Effect.gen(function*() {
          const store = yield* storeOf(layer)
          const keys = yield* Effect.replicateEffect(begin(store), 5)
          yield* Effect.forEach(keys, (key) => Effect.zipRight(end(store, key), begin(store)))
          assert.lengthOf(yield* subscribers(admin), 0)
          for (const key of keys) {
            yield* listening(store, key.id)
          }
          yield* askedSeldom(store)
          assert.lengthOf(yield* subscribers(admin), 1)
        }))
        yield* until(Effect.map(subscribers(admin), ({ length }) => length === 0))
      }
      assert.strictEqual(client.status, "ready")
    }))

  it.scopedLive("listens again when its connection is lost, and has everybody look then", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const store = yield* storeOf(RedisSessionStore.layer({ url, timeout: generous }))
      const [key, other] = [yield* begin(store), yield* begin(store)]
      const [heard, heardOfOther] = [yield* listening(store, key.id), yield* listening(store, other.id)]
      yield* askedSeldom(store)
      const before = heardOfOther.times()
      yield* cut(store, end(store, key), admin)
      assert.strictEqual(heardOfOther.times(), before + 1, "times that somebody was told to look")
      const again = heard.times()
      yield* end(store, other)
      yield* until(Effect.sync(() => heardOfOther.times() > before + 1))
      assert.strictEqual(heard.times(), again)
    }))

  it.scopedLive("goes on trying for as long as the server is away", () =>
    Effect.gen(function*() {
      const server = yield* redisServer()
      const store = yield* storeOf(RedisSessionStore.layer({ url: server.url, timeout: "5 seconds" }))
      const key = yield* begin(store)
      const heard = yield* listening(store, key.id)
      yield* askedSeldom(store)
      yield* server.kill9()
      yield* until(askedOften(store))
      const before = heard.times()
      yield* server.restart()
      yield* askedSeldom(store)
      assert.isAbove(heard.times(), before)
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))

  it.scopedLive("tells over every node of a Cluster, also when the one it listens to goes", () =>
    Effect.gen(function*() {
      const nodes = yield* redisCluster()
      const client = yield* clientOf(() => new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port }))))
      const store = yield* storeOf(RedisSessionStore.layerFromClient(client, { timeout: generous }))
      const keys = yield* Effect.replicateEffect(begin(store), 12)
      const heard = yield* Effect.forEach(keys, (key) => listening(store, key.id))
      const endAll = (some: ReadonlyArray<SessionKey>) =>
        Effect.gen(function*() {
          const before = heard.map(({ times }) => times())
          yield* Effect.forEach(some, (key) => end(store, key))
          yield* until(
            Effect.sync(() => some.every((key) => heard[keys.indexOf(key)]!.times() > before[keys.indexOf(key)]!))
          )
        })
      yield* askedSeldom(store)
      yield* endAll(keys.slice(0, 6))
      const admins = nodes.map(({ admin }) => admin)
      yield* cut(store, Effect.void, ...admins)
      yield* endAll(keys.slice(6))
      assert.lengthOf(yield* subscribers(...admins), 1)
    }))

  it.scopedLive("ends sessions and is asked where its user may not tell or hear, and says so once", () =>
    Effect.gen(function*() {
      const { port, url } = yield* redisServer()
      const admin = yield* adminOf(url)
      const rights = ["on", ">secret", "~session:*", "+@all"]
      yield* Effect.promise(() => admin.call("ACL", "SETUSER", "deaf", ...rights, "resetchannels"))
      yield* Effect.promise(() => admin.call("ACL", "SETUSER", "mute", ...rights, "allchannels", "-publish"))
      yield* Effect.promise(() => admin.call("ACL", "SETUSER", "heard", ...rights, "resetchannels", "&session:~ended"))
      for (const user of ["deaf", "mute", "heard"]) {
        const lines: Array<string> = []
        const logger = Logger.make(({ message }) => lines.push(String(message)))
        yield* Effect.gen(function*() {
          const store = yield* storeOf(
            RedisSessionStore.layer({ url: `redis://${user}:secret@127.0.0.1:${port}`, timeout: generous })
          )
          const [key, other] = [yield* begin(store), yield* begin(store)]
          for (const { id } of [key, other]) {
            yield* listening(store, id)
          }
          if (user === "heard") {
            yield* askedSeldom(store)
            yield* settle
            assert.deepStrictEqual(lines, [])
          } else {
            yield* until(Effect.sync(() => lines.length > 0))
            assert.match(lines.join(), /Redis refuses what tells of sessions that end.*&session:~ended/)
            assert.isTrue(yield* askedOften(store))
          }
          yield* end(store, key)
          assert.isTrue(Option.isNone(yield* store.endings!.find(key.id, Date.now())))
          assert.lengthOf(lines, user === "heard" ? 0 : 1)
        }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)), Effect.scoped)
      }
    }))

  it.scopedLive("is asked where the client is of another package, which knows no other connection", () =>
    Effect.gen(function*() {
      const { url } = yield* redisServer()
      const client = yield* clientOf(() => new Redis(url))
      const store = yield* storeOf(RedisSessionStore.layerFromClient({
        hgetall: (key) => client.hgetall(key),
        evalsha: (sha, count, ...args) => client.evalsha(sha, count, ...args),
        eval: (script, count, ...args) => client.eval(script, count, ...args)
      }, { timeout: generous }))
      const key = yield* begin(store)
      yield* listening(store, key.id)
      yield* settle
      assert.isTrue(yield* askedOften(store))
      yield* end(store, key)
      assert.isTrue(Option.isNone(yield* store.endings!.find(key.id, Date.now())))
    }))
})
