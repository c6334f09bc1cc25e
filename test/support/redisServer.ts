/**
 * A Redis of the test's own: a real server process on a free loopback port, with its files in a folder that goes away
 * with the scope.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { createConnection, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { findProgram, redis } from "../../scripts/systemPrograms.mjs"

/** A port of the loopback that nobody listened on a moment ago. Low enough for Redis Cluster's bus, 10000 above it. */
export const freePort: Effect.Effect<number> = Effect.promise(async () => {
  for (;;) {
    const port = await new Promise<number>((resolve, reject) => {
      const server = createServer().once("error", reject)
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
      })
    })
    if (port + 10_000 < 65_536) {
      return port
    }
  }
})

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

export interface RunningRedis {
  /** `redis://127.0.0.1:<port>`, without a password. */
  readonly url: string
  readonly port: number
  /** The process that runs now: another one after a restart. */
  readonly pid: number
  /** Ends the server as an operator would (SIGTERM) and waits until it is gone. Done already: nothing happens. */
  readonly stop: () => Effect.Effect<void>
  /** Ends the server without a last word to its clients (SIGKILL) and waits until it is gone. */
  readonly kill9: () => Effect.Effect<void>
  /** Starts the server again on the same port, empty; one that still runs is stopped first. */
  readonly restart: () => Effect.Effect<void>
  /** `SIGSTOP` makes a server that accepts connections and never answers, `SIGCONT` wakes it. */
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => Effect.Effect<void>
}

export class RedisServer extends Context.Tag("test/RedisServer")<RedisServer, RunningRedis>() {
  static readonly layer = (options?: RedisServerOptions): Layer.Layer<RedisServer> =>
    Layer.scoped(RedisServer, redisServer(options))
}

export const redisServer = (options: RedisServerOptions = {}): Effect.Effect<RunningRedis, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* Effect.acquireRelease(
      Effect.promise(() => mkdtemp(join(tmpdir(), "redis-"))),
      (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
    )
    return yield* Effect.acquireRelease(
      startOnFreePort(folder, options),
      (server) => server.kill9()
    )
  })

// Another process may take the free port before Redis does: then it is the next port's turn.
const startOnFreePort = (folder: string, options: RedisServerOptions): Effect.Effect<RunningRedis> =>
  freePort.pipe(
    Effect.flatMap((port) =>
      Effect.map(
        Effect.tryPromise({ try: () => start(folder, port, options), catch: (error) => error }),
        (first) => handleOf(folder, port, options, first)
      )
    ),
    Effect.retry({ times: 4, while: (error) => String(error).includes("Address already in use") }),
    Effect.orDie
  )

const handleOf = (
  folder: string,
  port: number,
  options: RedisServerOptions,
  first: ChildProcess
): RunningRedis => {
  let child = first
  const end = (signal: NodeJS.Signals) =>
    Effect.promise(async () => {
      const gone = exitOf(child)
      child.kill(signal)
      // A stopped process hears SIGTERM only once it goes on.
      child.kill("SIGCONT")
      await gone
    })
  const stop = () => end("SIGTERM")
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    get pid() {
      return child.pid ?? 0
    },
    stop,
    kill9: () => end("SIGKILL"),
    restart: () =>
      Effect.zipRight(
        stop(),
        Effect.promise(async () => {
          child = await start(folder, port, options)
        })
      ),
    signal: (name) => Effect.sync(() => child.kill(name))
  }
}

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
  const child = spawn(
    program,
    [
      ...options.file === undefined ? [] : [file],
      ...["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", folder],
      ...["--save", "", "--appendonly", "no", "--daemonize", "no", ...options.args ?? []]
    ],
    { stdio: ["ignore", "pipe", "pipe"] }
  )
  let log = ""
  const remember = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000)
  }
  child.stdout.on("data", remember)
  child.stderr.on("data", remember)
  const closed = new Promise((resolve) => child.once("close", resolve))
  // A worker that ends without closing its scopes must not leave a server behind.
  const endWithWorker = () => child.kill("SIGKILL")
  process.once("exit", endWithWorker)
  void closed.then(() => process.off("exit", endWithWorker))

  while (!(await answers(socket))) {
    if (hasExited(child)) {
      await closed
      throw new Error(`${program} ended at once:\n${log}`)
    }
    await sleep(10)
  }
  return child
}

const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const exitOf = (child: ChildProcess): Promise<void> =>
  hasExited(child) ? Promise.resolve() : new Promise((resolve) => child.once("exit", () => resolve()))

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
