/**
 * A primary with its replicas, and the Sentinels that watch it: real processes on free loopback ports. Nothing here waits for a
 * time: what a Sentinel has noticed is asked of it.
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import type { RedisServerOptions, RunningRedis } from "./redisServer.js"
import { redisServer } from "./redisServer.js"
import { until } from "./settle.js"

/** What the Sentinels call the primary. */
export const groupName = "sessions"

/**
 * How long a primary has to be silent before a Sentinel takes it for dead, and how long a fail-over may take before another one
 * is tried. They are the servers' own: a machine that is too slow for them gets one fail-over more, and no test minds.
 */
const downAfterMillis = 2_000
const failoverMillis = 10_000

export interface SentinelGroup {
  /** For ioredis, with `name: groupName`. */
  readonly sentinels: ReadonlyArray<{ readonly host: string; readonly port: number }>
  readonly sentinelServers: ReadonlyArray<RunningRedis>
  /** A connection to each Sentinel. */
  readonly watchers: ReadonlyArray<Redis>
  /** The first primary. */
  readonly first: RunningRedis
  /** A connection to each server that keeps sessions, the first primary's first. */
  readonly admins: ReadonlyArray<Redis>
  /** The port of the primary, in the words of the last of the Sentinels. */
  readonly primaryPort: Effect.Effect<number>
  /** A number that is another one after each fail-over. */
  readonly epoch: Effect.Effect<number>
  /** Waits until every replica has all that has been written so far. */
  readonly replicated: Effect.Effect<void>
}

/** A connection that keeps trying, and ends with the scope. */
export const adminOf = (url: string): Effect.Effect<Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url).on("error", () => {})),
    (admin) => Effect.sync(() => admin.disconnect())
  )

/** Waits until a replica has all of its primary's data and follows it. */
export const followsPrimary = (admin: Redis): Effect.Effect<void> =>
  until(Effect.map(Effect.promise(() => admin.info("replication")), (info) => info.includes("master_link_status:up")))

const replicaOf = (primary: RunningRedis, options: RedisServerOptions) =>
  redisServer({ ...options, args: [...options.args ?? [], "--replicaof", "127.0.0.1", String(primary.port)] })

/** Sentinels that have found the primary, its replicas, and each other. */
export const redisSentinel = (
  options: RedisServerOptions & { readonly replicas: number; readonly sentinels: number }
): Effect.Effect<SentinelGroup, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { program } = options
    const server = { program, args: ["--repl-diskless-sync-delay", "0", ...options.args ?? []] }
    const first = yield* redisServer(server)
    const replicas = yield* Effect.replicateEffect(replicaOf(first, server), options.replicas, {
      concurrency: "unbounded"
    })
    const admins = yield* Effect.forEach([first, ...replicas], ({ url }) => adminOf(url))
    yield* Effect.forEach(admins.slice(1), followsPrimary, { discard: true })

    const quorum = Math.floor(options.sentinels / 2) + 1
    const file = [
      `sentinel monitor ${groupName} 127.0.0.1 ${first.port} ${quorum}`,
      `sentinel down-after-milliseconds ${groupName} ${downAfterMillis}`,
      `sentinel failover-timeout ${groupName} ${failoverMillis}`
    ]
    const sentinelServers = yield* Effect.replicateEffect(
      redisServer({ program, file, args: ["--sentinel"] }),
      options.sentinels,
      { concurrency: "unbounded" }
    )
    const watchers = yield* Effect.forEach(sentinelServers, ({ url }) => adminOf(url))
    const ask = (watcher: Redis, subcommand: string) =>
      Effect.promise(() => watcher.call("SENTINEL", subcommand, groupName) as Promise<Array<string>>)
    const facts = (watcher: Redis) =>
      Effect.map(
        ask(watcher, "master"),
        (reply) => new Map(Array.chunksOf(reply, 2).map(([name, value]) => [name, value] as const))
      )
    const hasFoundAll = (watcher: Redis) =>
      Effect.map(facts(watcher), (facts) =>
        facts.get("num-slaves") === String(options.replicas) && facts.get("flags") === "master" &&
        facts.get("num-other-sentinels") === String(options.sentinels - 1))
    yield* Effect.forEach(watchers, (watcher) =>
      until(hasFoundAll(watcher)), { discard: true })

    return {
      sentinels: sentinelServers.map(({ port }) => ({ host: "127.0.0.1", port })),
      sentinelServers,
      watchers,
      first,
      admins,
      primaryPort: Effect.map(ask(watchers.at(-1)!, "get-master-addr-by-name"), ([, port]) =>
        Number(port)),
      epoch: Effect.map(facts(watchers.at(-1)!), (facts) => Number(facts.get("config-epoch"))),
      // WAIT waits for all that had been written at its connection's last command.
      replicated: Effect.promise(() => admins[0]!.ping().then(() => admins[0]!.wait(options.replicas, 0)))
    }
  })
