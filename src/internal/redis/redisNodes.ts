/**
 * Looks, before the first visitor comes, whether the nodes of a Cluster can be reached under the addresses that they give
 * themselves. Behind a NAT, or in a container, they often cannot: a seed answers, and all else leads nowhere.
 *
 * @internal
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import { acceptsConnections } from "./redisConnection.js"

/**
 * What is wrong with the addresses of the nodes. What may be an outage is no more than `Doubtful`.
 *
 * @internal
 */
export interface NodesProblem {
  readonly _tag: "Wrong" | "Doubtful"
  readonly message: string
}

/** What is read from a `Cluster` of ioredis. */
interface ClusterClient {
  /** Addresses in the form `host:port`, as they came out of the `natMap`, of the nodes of each slot, the primary first. */
  readonly slots: ReadonlyArray<ReadonlyArray<string> | undefined>
  readonly startupNodes: ReadonlyArray<unknown>
  readonly options: { readonly natMap?: unknown }
}

/** @internal */
export const problemOfNodes = (
  client: unknown,
  limit: Duration.Duration
): Effect.Effect<NodesProblem | undefined> =>
  Effect.gen(function*() {
    if (!isCluster(client)) {
      return undefined
    }
    const accepting = (addresses: ReadonlyArray<string>) =>
      Effect.filter(addresses, (address) => acceptsAt(address, limit), { concurrency: "unbounded" })
    const { natMap } = client.options
    // For a moment after a node has gone, ioredis shows it as it calls itself.
    const led = (address: string): string =>
      Predicate.isRecord(natMap) && address in natMap ? addressOf(natMap[address]) : address
    const primaries = Array.from(new Set(client.slots.flatMap((nodes) => nodes?.slice(0, 1).map(led) ?? [])))
    const reached = yield* accepting(primaries)
    const missed = primaries.filter((address) => !reached.includes(address))
    if (missed.length === 0) {
      return undefined
    }
    if (Predicate.isFunction(natMap)) {
      return doubtful(missed)
    }
    const mapped = Predicate.isRecord(natMap) ? Object.values(natMap).map(addressOf) : []
    const unmapped = missed.filter((address) => !mapped.includes(address))
    if (unmapped.length === 0) {
      return doubtful(missed)
    }
    // A seed that answers says that the cluster is there, and that it is its addresses that lead nowhere.
    const isNat = mapped.length > 0 ||
      reached.length === 0 && (yield* accepting(client.startupNodes.map(addressOf))).length > 0
    return isNat ? wrong(unmapped) : doubtful(missed)
  })

const wrong = (addresses: ReadonlyArray<string>): NodesProblem => ({
  _tag: "Wrong",
  message:
    `client cannot reach nodes of the cluster under the addresses that they give themselves: ${
      addresses.join(", ")
    }. Give Cluster the option natMap with an entry for each of them, such as ` +
    `natMap: { "${
      addresses[0]
    }": { host: "redis.example", port: 7000 } }, or let the nodes announce addresses that lead to ` +
    "them (cluster-announce-ip, cluster-announce-port)"
})

const doubtful = (addresses: ReadonlyArray<string>): NodesProblem => ({
  _tag: "Doubtful",
  message:
    `Nodes of the Redis Cluster accept no connection: ${
      addresses.join(", ")
    }. Sessions on them are unavailable until ` +
    "they do. If they are not down, the cluster's own addresses, or natMap, lead elsewhere"
})

const isCluster = (client: unknown): client is ClusterClient =>
  Predicate.hasProperty(client, "isCluster") && client.isCluster === true && Predicate.hasProperty(client, "slots") &&
  Array.isArray(client.slots) && Predicate.hasProperty(client, "startupNodes") &&
  Array.isArray(client.startupNodes) && Predicate.hasProperty(client, "options") && Predicate.isObject(client.options)

/** A node as ioredis takes it: a port, a URL, or an object with what differs from the defaults. */
const addressOf = (node: unknown): string => {
  if (typeof node === "string" && /^[a-z]+:\/\//i.test(node) && URL.canParse(node)) {
    return addressOf(new URL(node))
  }
  const { host, hostname, port } = Predicate.isRecord(node) || node instanceof URL
    ? node as { readonly host?: unknown; readonly hostname?: unknown; readonly port?: unknown }
    : { host: undefined, hostname: undefined, port: node }
  return `${String(hostname ?? host ?? "127.0.0.1")}:${String(port ?? "") || "6379"}`
}

const acceptsAt = (address: string, limit: Duration.Duration): Effect.Effect<boolean> => {
  const colon = address.lastIndexOf(":")
  return acceptsConnections(address.slice(0, colon), Number(address.slice(colon + 1)), limit)
}
