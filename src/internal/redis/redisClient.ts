/**
 * What this store knows of a client that the app brings: what is wrong with it, how long a command has to wait for its
 * connection, and how it leaves a server. Of ioredis' clients that is read from what they say of themselves; one of another
 * package has no more than its three commands, and `reconnect` where it likes.
 *
 * @internal
 */
import * as Predicate from "effect/Predicate"
import { randomInt } from "node:crypto"
import type { RedisClient, RedisConnection } from "./redisCommand.js"
import { subscriberOptions } from "./redisConnection.js"
import type { RedisSubscriber } from "./redisEndings.js"

const commands: ReadonlyArray<keyof RedisClient> = ["hgetall", "evalsha", "eval"]

/**
 * What keeps a client from serving, with the mend, or `undefined`. From JavaScript a client of any package may come, and none at
 * all.
 *
 * @internal
 */
export const problemOfClient = (client: unknown): string | undefined => {
  if (!commands.every((command) => isFunctionOf(client, command))) {
    return `client must have the methods ${
      commands.join(", ")
    } as ioredis has them: pass a Redis or a Cluster of ioredis, ` +
      "or an object with these three methods that calls the client of another package"
  }
  const status = statusOf(client)
  if (status === "wait" && optionOf(client, "enableOfflineQueue") === false) {
    return "client is not connected, and its enableOfflineQueue is off, so that no command of this store would connect it: " +
      "call client.connect() before the layer is built, or leave lazyConnect out"
  }
  if (status === "end") {
    return "client has been closed for good: pass one that is open, and close it after the layers that use it"
  }
  if (optionOf(client, "role") === "slave") {
    return "client asks the Sentinels for a replica (role: \"slave\"), which takes no writes and may still show a session " +
      "that has ended: leave role out, so that it is led to the primary"
  }
  if (![undefined, "master"].includes(optionOf(client, "scaleReads") as string | undefined)) {
    return "client reads from replicas (scaleReads), which may still show a session that has ended: leave scaleReads out, or " +
      "set it to \"master\""
  }
  return undefined
}

/**
 * A connection over a client of the app's. A command that was given up while the client had no connection is not left in its
 * offline queue: it would be sent when nobody waits for it any more.
 *
 * @internal
 */
export const connectionOfClient = (client: RedisClient): RedisConnection => ({
  client,
  dropIfReady: () => {},
  leaveReplica: () => leave(client),
  ...(isWatched(client) ? { whenReady: waitForReady(client) } : {})
})

/**
 * The clients of all servers that hold records.
 *
 * @internal
 */
export const primariesOf = (client: RedisClient): ReadonlyArray<RedisClient> =>
  isFunctionOf(client, "primaries")
    ? client.primaries!()
    : isCluster(client)
    ? client.nodes("master")
    : [client]

interface ClusterClient {
  readonly nodes: (role: "all" | "master") => ReadonlyArray<RedisClient>
}

const isCluster = (client: unknown): client is ClusterClient =>
  Predicate.hasProperty(client, "isCluster") && client.isCluster === true && isFunctionOf(client, "nodes")

const leave = (client: RedisClient): void => {
  if (isFunctionOf(client, "reconnect")) {
    client.reconnect!()
  } else if (
    // A node of a Cluster that is no primary says where the primary is. A client without a retryStrategy would be closed for good.
    isSingle(client) && client.status === "ready" && Predicate.isFunction(optionOf(client, "retryStrategy"))
  ) {
    client.disconnect(true)
  }
}

/**
 * Makes a client of the same server to listen with, not connected yet; `undefined` where that cannot be had. A message reaches
 * every node of a Cluster.
 *
 * @internal
 */
export const subscriberOfClient = (client: unknown): RedisSubscriber | undefined => {
  const one = isCluster(client) ? anyOf(client.nodes("all")) : client
  return isDuplicable(one) ? one.duplicate(subscriberOptions) : undefined
}

const anyOf = (nodes: ReadonlyArray<unknown>): unknown =>
  nodes.length === 0 ? undefined : nodes[randomInt(nodes.length)]

interface DuplicableClient {
  readonly duplicate: (override: typeof subscriberOptions) => RedisSubscriber
}

const isDuplicable = (client: unknown): client is DuplicableClient =>
  statusOf(client) !== undefined && isFunctionOf(client, "duplicate") && isFunctionOf(client, "subscribe")

interface WatchedClient {
  readonly status: string
  readonly stream?: { readonly writable: boolean }
  readonly on: (event: "ready" | "end", listener: () => void) => unknown
  readonly off: (event: "ready" | "end", listener: () => void) => unknown
}

const isWatched = (client: unknown): client is WatchedClient =>
  statusOf(client) !== undefined && optionOf(client, "enableOfflineQueue") === true && isFunctionOf(client, "on") &&
  isFunctionOf(client, "off")

interface SingleClient {
  readonly status: string
  readonly disconnect: (reconnect: boolean) => void
}

const isSingle = (client: unknown): client is SingleClient =>
  statusOf(client) !== undefined && isFunctionOf(client, "disconnect") && !isCluster(client)

const waitForReady = (client: WatchedClient): NonNullable<RedisConnection["whenReady"]> => {
  const waiting = new Set<(isReady: boolean) => void>()
  const forget = () => {
    client.off("ready", wake)
    client.off("end", wake)
  }
  const wake = () => {
    // An event is told a moment after what it tells of.
    if (isBetweenConnections(client)) {
      return
    }
    forget()
    const all = Array.from(waiting)
    waiting.clear()
    for (const go of all) {
      go(true)
    }
  }
  return (go, isLost) => {
    if (!isLost && !isBetweenConnections(client)) {
      go(true)
      return () => {}
    }
    if (waiting.size === 0) {
      client.on("ready", wake)
      client.on("end", wake)
    }
    waiting.add(go)
    return () => {
      if (waiting.delete(go) && waiting.size === 0) {
        forget()
      }
    }
  }
}

// One that waits for its first command is connected by it, and one that has ended says so.
const isBetweenConnections = ({ status, stream }: WatchedClient): boolean =>
  status === "ready" ? stream?.writable === false : status !== "wait" && status !== "end"

const isFunctionOf = (client: unknown, method: string): boolean =>
  Predicate.hasProperty(client, method) && Predicate.isFunction(client[method])

const statusOf = (client: unknown): string | undefined =>
  Predicate.hasProperty(client, "status") && typeof client.status === "string" ? client.status : undefined

// What ioredis says of itself; a client of another package is not asked.
const optionOf = (client: unknown, name: string): unknown =>
  Predicate.hasProperty(client, "options") && Predicate.hasProperty(client.options, name)
    ? client.options[name]
    : undefined
