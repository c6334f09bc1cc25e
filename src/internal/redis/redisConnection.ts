/**
 * The store's own connection: made anew for as long as the store is there, watched, and closed with its scope.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import { Redis, type RedisOptions } from "ioredis"
import { describeError, type RedisConnection } from "./redisCommand.js"
import type { RedisSubscriber } from "./redisEndings.js"
import type { RedisAddress } from "./redisUrl.js"

// How long a connection that is given up has for its goodbyes.
const disconnectMillis = 50

const maxRetryMillis = 250

// A connection that is made anew takes milliseconds. One that takes longer than this is an outage, whatever calls may take.
const maxPatienceMillis = 5_000

/**
 * Connects, and closes with the scope. Waits for the connection for at most the limit, and goes on without it. Fails with what
 * is wrong where ioredis cannot connect with these options ever.
 *
 * @internal
 */
export const connect = (
  address: RedisAddress,
  limit: Duration.Duration,
  options: RedisOptions | undefined
): Effect.Effect<RedisConnection, string, Scope.Scope> =>
  Effect.gen(function*() {
    const runtime = yield* Effect.runtime<never>()
    const fork = (effect: Effect.Effect<void>) => {
      Runtime.runFork(runtime)(effect)
    }
    const own = yield* Effect.acquireRelease(
      Effect.try({
        try: () => openConnection(address, limit, options, fork),
        catch: (error) => `ioredis refuses it: ${describeError(error)}`
      }),
      (own) => own.close
    )
    yield* own.awaitReady
    return own
  })

/**
 * Whether anybody accepts connections there, within the limit. Nothing is sent.
 *
 * @internal
 */
export const acceptsConnections = (host: string, port: number, limit: Duration.Duration): Effect.Effect<boolean> =>
  Effect.async((resume) => {
    const client = new Redis({
      ...{ host, port, lazyConnect: true, retryStrategy: () => null, enableReadyCheck: false, disableClientInfo: true },
      connectTimeout: 0,
      disconnectTimeout: disconnectMillis
    })
    const settle = (accepts: boolean) => {
      clearTimeout(timer)
      client.disconnect()
      resume(Effect.succeed(accepts))
    }
    // Where it was this process that had no time, the connection is told before the next immediate.
    const timer = setTimeout(() => setImmediate(() => settle(false)), Duration.toMillis(limit))
    client.once("connect", () => settle(true))
    client.once("end", () => settle(false))
    client.on("error", () => {})
    client.connect().catch(() => {})
    return Effect.sync(() => settle(false))
  })

interface OwnConnection extends RedisConnection {
  readonly awaitReady: Effect.Effect<void, string>
  readonly close: Effect.Effect<void>
}

const clientOptions = (
  address: RedisAddress,
  limit: Duration.Duration,
  options: RedisOptions | undefined
): RedisOptions => {
  const millis = Duration.toMillis(limit)
  const { isTls, ...server } = address
  const retryStrategy = (times: number) => Math.min(10 + (times - 1) * 50, maxRetryMillis)
  return {
    connectTimeout: millis,
    disconnectTimeout: disconnectMillis,
    enableAutoPipelining: true,
    maxLoadingRetryTime: maxRetryMillis,
    retryStrategy,
    ...(sentinelsOf(options).length === 0 ? {} : {
      name: groupOf(address, options),
      enableTLSForSentinelMode: isTls,
      // Whoever is still connected to a primary that was cut off hears of the new one.
      failoverDetector: true,
      // A Sentinel may hang as well.
      sentinelCommandTimeout: millis,
      sentinelRetryStrategy: retryStrategy
    }),
    ...options,
    ...(isTls ? { tls: options?.tls ?? {} } : {}),
    ...server,
    role: "master",
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    reconnectOnError: null
  }
}

const sentinelsOf = (options: RedisOptions | undefined) => options?.sentinels ?? []

const groupOf = ({ host }: RedisAddress, options: RedisOptions | undefined): string => options?.name ?? host

/**
 * What a client is told besides that only listens, and is thrown away with its connection.
 *
 * @internal
 */
export const subscriberOptions = {
  lazyConnect: true,
  enableOfflineQueue: false,
  autoResubscribe: false,
  retryStrategy: () => null,
  maxRetriesPerRequest: 0
} satisfies RedisOptions

/**
 * Makes a client to listen with, which is not connected yet.
 *
 * @internal
 */
export const openSubscriber = (
  address: RedisAddress,
  limit: Duration.Duration,
  options: RedisOptions | undefined
): RedisSubscriber => new Redis({ ...clientOptions(address, limit, options), ...subscriberOptions })

const openConnection = (
  address: RedisAddress,
  limit: Duration.Duration,
  options: RedisOptions | undefined,
  fork: (effect: Effect.Effect<void>) => void
): OwnConnection => {
  const millis = Duration.toMillis(limit)
  const sentinels = sentinelsOf(options)
  const name = sentinels.length === 0
    ? `Redis at ${address.host}:${address.port}`
    : `The primary "${groupOf(address, options)}" of the Sentinels ${
      sentinels.map(({ host, port }) => `${host ?? "127.0.0.1"}:${port ?? 26379}`).join(", ")
    }`
  const client = new Redis(clientOptions(address, limit, options))

  let isClosing = false
  let isDown = false
  let isOver = false
  let lastError: string | undefined
  // Why the last connection that was ready was lost, whatever became of the next ones.
  let lostBy: string | undefined
  const reportDown = () => {
    if (!isDown && !isClosing) {
      isDown = true
      const reason = lostBy ?? lastError ?? "the connection was closed"
      fork(Effect.logWarning(`${name} is not reachable (${reason}). Sessions are unavailable until it is back`))
    }
  }
  const drop = () => client.disconnect(true)

  // For a while those that come wait for the connection, and nobody is told: servers close what is idle. After that they
  // would only pile up.
  const waiting = new Set<(isReady: boolean) => void>()
  let isLongGone = false
  let patience: NodeJS.Timeout | undefined
  const wake = (isReady: boolean) => {
    clearTimeout(patience)
    patience = undefined
    isLongGone = !isReady
    const all = Array.from(waiting)
    waiting.clear()
    for (const go of all) {
      go(isReady)
    }
  }
  const losePatience = () => {
    if (!isLongGone) {
      patience ??= setTimeout(() => {
        reportDown()
        wake(false)
      }, Math.min(millis, maxPatienceMillis))
    }
  }
  losePatience()

  let again: NodeJS.Timeout | undefined
  // A peer that accepts the connection and then says nothing has no command that could run out of time.
  let handshake: NodeJS.Timeout | undefined
  client.on("connect", () => {
    clearTimeout(handshake)
    handshake = setTimeout(() => {
      if (client.status === "connect") {
        lastError = `no answer within ${Duration.format(limit)}`
        drop()
      }
    }, millis)
  })
  client.on("error", (error: Error & { readonly command?: { readonly name: string } | undefined }) => {
    // The first one is the reason, whatever else breaks with it.
    lastError ??= describeError(error)
    // ioredis would go on with database 0, where another app may live.
    if (error.command?.name === "select") {
      drop()
    }
  })
  client.on("close", () => {
    clearTimeout(handshake)
    losePatience()
    lostBy ??= lastError
    lastError = undefined
  })
  client.on("end", () => {
    // What ioredis hears of a fail-over while it asks the Sentinels ends it for good.
    if (sentinels.length > 0 && !isClosing) {
      again = setTimeout(() => void client.connect().catch(() => {}), maxRetryMillis)
      return
    }
    isOver = true
    reportDown()
    wake(false)
  })
  client.on("sentinelError", (error: Error) => {
    lastError ??= describeError(error)
  })
  client.on("ready", () => {
    clearTimeout(handshake)
    lastError = undefined
    lostBy = undefined
    wake(true)
    if (isDown) {
      isDown = false
      fork(Effect.logInfo(`${name} is back`))
    }
  })
  client.connect().catch(() => {})

  return {
    client,
    dropIfReady: () => {
      if (client.status === "ready") {
        lastError = `no answer within ${Duration.format(limit)}`
        drop()
      }
    },
    leaveReplica: () => {
      if (client.status === "ready") {
        lastError = "it is a replica"
        drop()
      }
    },
    whenReady: (go, isLost) => {
      if (client.status === "ready" && !isLost) {
        go(true)
      } else if (isLongGone) {
        go(false)
      } else {
        waiting.add(go)
      }
      return () => waiting.delete(go)
    },
    awaitReady: Effect.async((resume) => {
      const goOn = () => {
        stopWaiting()
        if (client.status === "ready") {
          resume(Effect.void)
        } else if (isOver) {
          const message = `ioredis cannot connect with it: ${lastError ?? "the connection was closed for good"}`
          resume(Effect.fail(message))
        } else {
          lastError ??= `no answer within ${Duration.format(limit)}`
          reportDown()
          resume(Effect.void)
        }
      }
      const goOnIfOver = () => {
        if (isOver) {
          goOn()
        }
      }
      const stopWaiting = () => {
        clearTimeout(timer)
        client.off("ready", goOn)
        client.off("end", goOnIfOver)
      }
      const timer = setTimeout(goOn, millis)
      client.on("ready", goOn)
      client.on("end", goOnIfOver)
      return Effect.sync(stopWaiting)
    }),
    close: Effect.async((resume) => {
      isClosing = true
      clearTimeout(handshake)
      clearTimeout(again)
      wake(false)
      const disconnect = () => {
        clearTimeout(timer)
        client.disconnect()
        resume(Effect.void)
      }
      const timer = setTimeout(disconnect, millis)
      if (client.status === "ready") {
        client.quit().then(disconnect, disconnect)
      } else {
        disconnect()
      }
    })
  }
}
