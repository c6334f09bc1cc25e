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

export const redisCluster: Effect.Effect<ReadonlyArray<ClusterNode>, never, Scope.Scope> = Effect.gen(function*() {
  const nodes = yield* Effect.replicateEffect(
    Effect.gen(function*() {
      const { kill9, port, url } = yield* redisServer({ args: ["--cluster-enabled", "yes"] })
      return { port, kill9, admin: yield* adminOf(url) }
    }),
    3
  )
  const share = Math.ceil(slots / nodes.length)
  for (const [i, { admin, port }] of nodes.entries()) {
    yield* call(admin, "ADDSLOTSRANGE", i * share, Math.min((i + 1) * share, slots) - 1)
    yield* call(nodes[0]!.admin, "MEET", "127.0.0.1", port)
  }
  for (const { admin } of nodes) {
    yield* until(Effect.map(
      call(admin, "INFO"),
      (info) =>
        String(info).includes("cluster_state:ok") && String(info).includes(`cluster_known_nodes:${nodes.length}`)
    ))
  }
  return nodes
})

/** Lets the nodes tell others ports of their own choice for theirs, in their order, and waits until they all know them. */
export const announcePorts = (
  nodes: ReadonlyArray<ClusterNode>,
  ports: ReadonlyArray<number>
): Effect.Effect<void> =>
  Effect.gen(function*() {
    for (const [i, { admin }] of nodes.entries()) {
      yield* Effect.promise(() => admin.config("SET", "cluster-announce-port", String(ports[i])))
    }
    for (const { admin } of nodes) {
      yield* until(
        Effect.map(call(admin, "NODES"), (text) => ports.every((port) => String(text).includes(`:${port}@`)))
      )
    }
  })
