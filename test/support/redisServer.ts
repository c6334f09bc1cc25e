/**
 * A Redis of the test's own: a real server process on a free loopback port, with its files in a folder that goes away
 * with the scope.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ChildProcess } from "node:child_process"
import { rm, writeFile } from "node:fs/promises"
import { createConnection } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { findProgram, redis } from "../../scripts/systemPrograms.mjs"
import type { RunningServer } from "./serverProcess.js"
import { serverFolder, serverOnFreePort, spawnServer } from "./serverProcess.js"

export interface RedisServerOptions {
  /**
   * More of the server's arguments, each word on its own: `["--requirepass", "x"]`, `["--maxmemory", "1mb"]`. They come
   * last, so they win over those that this file gives.
   */
  readonly args?: ReadonlyArray<string> | undefined
  /**
   * Lines of a configuration file of the server's own, for what has to stand in one: Sentinel keeps in it what it knows.
   */
  readonly file?: ReadonlyArray<string> | undefined
  /** The executable, where it is not the Redis server that this machine has. */
  readonly program?: string | undefined
}

/** A restart leaves it empty. */
export interface RunningRedis extends RunningServer {
  /** `redis://127.0.0.1:<port>`, without a password. */
  readonly url: string
}

export class RedisServer extends Context.Tag("test/RedisServer")<RedisServer, RunningRedis>() {
  static readonly layer = (options?: RedisServerOptions): Layer.Layer<RedisServer> =>
    Layer.scoped(RedisServer, redisServer(options))
}

export const redisServer = (options: RedisServerOptions = {}): Effect.Effect<RunningRedis, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* serverFolder("redis")
    const server = yield* serverOnFreePort((port) => start(folder, port, options))
    return Object.assign(server, { url: `redis://127.0.0.1:${server.port}` })
  })

const start = async (folder: string, port: number, options: RedisServerOptions): Promise<ChildProcess> => {
  const program = options.program ?? findProgram(redis)
  if (program === undefined) {
    throw new Error(`None of ${redis.names.join(", ")} is on the PATH: run scripts/ensureSystem.mjs`)
  }
  // Only this server listens on this socket, so its answer is not that of a stranger who took the port.
  const socket = join(folder, "redis.sock")
  await rm(socket, { force: true })
  const file = join(folder, "redis.conf")
  if (options.file !== undefined) {
    await writeFile(file, `${options.file.join("\n")}\n`)
  }
  const { child, failIfEnded } = await spawnServer({
    program,
    args: [
      ...options.file === undefined ? [] : [file],
      ...["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", folder],
      ...["--save", "", "--appendonly", "no", "--daemonize", "no", ...options.args ?? []]
    ]
  })
  while (!(await answers(socket))) {
    await failIfEnded()
    await sleep(10)
  }
  return child
}

/** Any reply will do, an error that asks for a password too; a server that is still loading is not there yet. */
const answers = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = createConnection(socket)
    connection.once("connect", () => connection.write("PING\r\n"))
    connection.once("data", (reply) => {
      connection.destroy()
      resolve(!reply.toString().startsWith("-LOADING"))
    })
    connection.once("error", () => resolve(false))
    connection.once("close", () => resolve(false))
  })
