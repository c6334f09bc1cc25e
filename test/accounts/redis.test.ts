import { afterAll } from "@effect/vitest"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { Cluster } from "ioredis"
import { redisCluster } from "../support/redisCluster.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import { accountSuite } from "./suite.js"

class Servers extends Context.Tag("test/Servers")<Servers, {
  readonly url: string
  readonly cluster: Cluster
}>() {}

// One server and one cluster for the file; each test has keys of its own.
const servers = ManagedRuntime.make(Layer.scoped(
  Servers,
  Effect.gen(function*() {
    const { url } = yield* redisServer()
    const nodes = yield* redisCluster()
    const cluster = yield* Effect.acquireRelease(
      Effect.sync(() => new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })))),
      (client) => Effect.sync(() => client.disconnect())
    )
    return { url, cluster }
  })
))

afterAll(() => servers.dispose())

let tests = 0

const storeOn = (
  make: (servers: Context.Tag.Service<typeof Servers>, prefix: string) => ReturnType<typeof RedisSessionStore.layer>
) =>
() =>
  Layer.unwrapEffect(
    Effect.map(Effect.promise(() => servers.runPromise(Servers)), (found) => make(found, `${++tests}:`))
  )

accountSuite(
  "RedisSessionStore",
  storeOn(({ url }, prefix) => RedisSessionStore.layer({ url, prefix, timeout: generous }))
)

accountSuite(
  "RedisSessionStore on a Cluster",
  storeOn(({ cluster }, prefix) => RedisSessionStore.layerFromClient(cluster, { prefix, timeout: generous }))
)
