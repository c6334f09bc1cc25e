/**
 * A Redis Cluster of the test's own: three primaries that share the slots among them.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Redis } from "ioredis"
import { adminOf } from "./redisSentinel.js"
import type { RunningRedis } from "./redisServer.js"
import { redisServer } from "./redisServer.js"
import { until } from "./settle.js"

const slots = 16_384

export interface ClusterNode extends Pick<RunningRedis, "port" | "kill9"> {
  readonly admin: Redis
}

const call = (admin: Redis, ...args: ReadonlyArray<string | number>) =>
  Effect.promise(() => admin.call("CLUSTER", args.map(String)))

/** With `announced` the nodes say of themselves that they are at those ports, in their order, wherever they are. */
export const redisCluster = (
  announced: ReadonlyArray<number> = []
): Effect.Effect<ReadonlyArray<ClusterNode>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const nodes = yield* Effect.forEach([0, 1, 2], (i) =>
      Effect.gen(function*() {
        const announce = announced[i] === undefined ? [] : ["--cluster-announce-port", String(announced[i])]
        const { kill9, port, url } = yield* redisServer({ args: ["--cluster-enabled", "yes", ...announce] })
        return { port, kill9, admin: yield* adminOf(url) }
      }))
    const share = Math.ceil(slots / nodes.length)
    for (const [i, { admin, port }] of nodes.entries()) {
      yield* call(admin, "ADDSLOTSRANGE", i * share, Math.min((i + 1) * share, slots) - 1)
      yield* call(nodes[0]!.admin, "MEET", "127.0.0.1", port)
    }
    for (const { admin } of nodes) {
      yield* until(Effect.gen(function*() {
        const info = String(yield* call(admin, "INFO"))
        const known = String(yield* call(admin, "NODES"))
        return info.includes("cluster_state:ok") && info.includes(`cluster_known_nodes:${nodes.length}`) &&
          announced.every((port) => known.includes(`:${port}@`))
      }))
    }
    return nodes
  })
