import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { createConnection, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

export interface RedisServer {
  readonly port: number
  readonly url: string
  readonly signal: (signal: NodeJS.Signals) => void
  /** Resolves when the process is gone. */
  readonly kill: Effect.Effect<void>
}

export const freePort: Effect.Effect<number> = Effect.promise(() =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
)

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: "127.0.0.1" })
    socket.on("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.on("error", () => resolve(false))
  })

const start = async (port: number, listen: ReadonlyArray<string>, extra: ReadonlyArray<string>) => {
  const dir = await mkdtemp(join(tmpdir(), "redis-"))
  const child: ChildProcess = spawn(
    "redis-server",
    [...listen, "--bind", "127.0.0.1", "--save", "", "--dir", dir, "--daemonize", "no", ...extra],
    { stdio: "ignore" }
  )
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()))
  while (!(await accepts(port))) {
    if (child.exitCode !== null) {
      throw new Error("redis-server ended at once")
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return {
    child,
    stop: async () => {
      child.kill("SIGKILL")
      await exited
      await rm(dir, { recursive: true, force: true })
    }
  }
}

export const redisServer = (options: {
  readonly port?: number
  readonly listen?: (port: number) => ReadonlyArray<string>
  readonly args?: ReadonlyArray<string>
} = {}): Effect.Effect<RedisServer, never, Scope.Scope> =>
  Effect.gen(function*() {
    const port = options.port ?? (yield* freePort)
    const listen = options.listen?.(port) ?? ["--port", String(port)]
    const { child, stop } = yield* Effect.acquireRelease(
      Effect.promise(() => start(port, listen, options.args ?? [])),
      ({ stop }) => Effect.promise(stop)
    )
    return {
      port,
      url: `redis://127.0.0.1:${port}`,
      signal: (signal: NodeJS.Signals) => {
        child.kill(signal)
      },
      kill: Effect.promise(stop)
    }
  })
