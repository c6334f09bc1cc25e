/**
 * Sessions in Redis over node-redis (the package `redis`), for an app that has it already. docs/stores/redis.md shows this.
 */
import * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createClient } from "redis"

/** What is needed of a client of node-redis, whichever modules and protocol it was made with. */
interface NodeRedis {
  hGetAll(key: string): Promise<Record<string, string>>
  evalSha(sha: string, options: { keys: Array<string>; arguments: Array<string> }): Promise<unknown>
  eval(script: string, options: { keys: Array<string>; arguments: Array<string> }): Promise<unknown>
  destroy(): void
  connect(): Promise<unknown>
}

// ioredis takes the keys and the arguments in one row, and flattens a list among them.
const parted = (numberOfKeys: number, all: ReadonlyArray<string>) => ({
  keys: all.slice(0, numberOfKeys),
  arguments: all.slice(numberOfKeys).flat()
})

/**
 * The three commands that the store sends, under the names and with the replies that ioredis gives them, and a way to leave a
 * server that has become a replica.
 */
export const adapt = (client: NodeRedis): RedisSessionStore.RedisClient => ({
  hgetall: (key) => client.hGetAll(key),
  evalsha: (sha, numberOfKeys, ...all) => client.evalSha(sha, parted(numberOfKeys, all)),
  eval: (script, numberOfKeys, ...all) => client.eval(script, parted(numberOfKeys, all)),
  reconnect: () => {
    client.destroy()
    client.connect().catch(() => {})
  }
})

const connect = (url: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      // Without its offline queue a command fails at once while Redis is away, instead of being sent when nobody waits for it.
      const client = createClient({ url, disableOfflineQueue: true })
      client.on("error", () => {})
      await client.connect()
      return client
    }),
    (client) => Effect.promise(() => client.close())
  )

export const layer = (url: string): Layer.Layer<SessionStore.SessionStore, SessionStore.SessionStoreConfigError> =>
  Layer.scoped(
    SessionStore.SessionStore,
    Effect.flatMap(connect(url), (client) => RedisSessionStore.fromClient(adapt(client)))
  )
