/**
 * A session app on a Redis that can be made to fail.
 */
import { assert } from "@effect/vitest"
import type * as Config from "effect-session/Config"
import type * as SessionStore from "effect-session/SessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import type { RunningRedis } from "../support/redisServer.js"
import { redisServer } from "../support/redisServer.js"
import type { FaultyApp } from "./faultyApp.js"
import { limits, makeFaultyApp } from "./faultyApp.js"
import type { TcpProxy } from "./tcpProxy.js"
import { tcpProxy } from "./tcpProxy.js"

export interface FaultyRedis extends FaultyApp {
  readonly redis: RunningRedis
  readonly proxy: TcpProxy
  /** A connection that does not lead through the proxy. */
  readonly admin: Redis
}

export const makeFaultyRedis = (options?: {
  readonly redis?: RunningRedis
  readonly args?: ReadonlyArray<string>
  readonly password?: string
  readonly limitMillis?: number
  readonly keys?: Config.SessionOptions["keys"]
  readonly wrap?: (store: SessionStore.SessionStore) => SessionStore.SessionStore
}): Effect.Effect<FaultyRedis, never, Scope.Scope> =>
  Effect.gen(function*() {
    const redis = options?.redis ?? (yield* redisServer({ args: options?.args ?? [] }))
    const proxy = yield* tcpProxy(redis.port)
    const password = options?.password
    const admin = yield* Effect.acquireRelease(
      Effect.sync(() => new Redis(redis.url, password === undefined ? {} : { password }).on("error", () => {})),
      (admin) => Effect.sync(() => admin.disconnect())
    )
    const user = password === undefined ? "" : `:${password}@`
    const timeout = options?.limitMillis ?? limits.long
    const store = RedisSessionStore.layer({ url: `redis://${user}127.0.0.1:${proxy.port}`, timeout })
    const faulty = yield* makeFaultyApp({ ...options, store })
    const forget = () => {
      faulty.forget()
      proxy.commands.length = 0
    }
    return { ...faulty, forget, redis, proxy, admin }
  })

/** Of each kind of command, no more were sent than there were calls for it. */
export const assertNothingSentTwice = (faulty: FaultyRedis, mayNotKnowScripts = false): void => {
  const sent = (name: string) => faulty.proxy.commands.filter(([command]) => command === name).length
  // The first load of a session in a process is a script as well.
  const calls = faulty.app.calls.length
  assert.isAtMost(sent("hgetall"), faulty.app.calls.filter((verb) => verb === "load").length)
  assert.isAtMost(sent("hgetall") + sent("evalsha"), calls)
  assert.isAtMost(sent("eval"), mayNotKnowScripts ? calls : 0)
}
