/**
 * A server of the test's own: a real process on a free loopback port, with its files in a folder that goes away with the scope.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { ChildProcess } from "node:child_process"
import { execFileSync, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { chown, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

export interface RunningServer {
  readonly port: number
  /** The process that runs now: another one after a restart. */
  readonly pid: number
  /** Ends the server as an operator would and waits until it is gone. Done already: nothing happens. */
  readonly stop: () => Effect.Effect<void>
  /** Ends the server and every process of its own without a last word to its clients (SIGKILL) and waits until they are gone. */
  readonly kill9: () => Effect.Effect<void>
  /** Starts the server again on the same port and the same files; one that still runs is stopped first. */
  readonly restart: () => Effect.Effect<void>
  /** `SIGSTOP` makes a server that accepts connections and never answers, `SIGCONT` wakes it. */
  readonly signal: (name: "SIGSTOP" | "SIGCONT") => Effect.Effect<void>
}

/** Who may run servers that refuse to be root's: the user itself where it is not root. */
export interface ServerUser {
  readonly uid?: number | undefined
  readonly gid?: number | undefined
}

const idOf = (flag: "-u" | "-g"): number => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }))

export const serverUser = (): ServerUser => process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {}

/** A folder that goes away with the scope. */
export const serverFolder = (name: string, { gid, uid }: ServerUser = {}): Effect.Effect<string, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const folder = await mkdtemp(join(tmpdir(), `${name}-`))
      if (uid !== undefined && gid !== undefined) {
        await chown(folder, uid, gid)
      }
      return folder
    }),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }))
  )

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

/**
 * A server on a free port, which is gone with the scope. `start` answers with its process once it is ready. `stopSignal` is how
 * it is asked to end.
 */
export const serverOnFreePort = (
  start: (port: number) => Promise<ChildProcess>,
  stopSignal: NodeJS.Signals = "SIGTERM"
): Effect.Effect<RunningServer, never, Scope.Scope> =>
  Effect.acquireRelease(
    freePort.pipe(
      Effect.flatMap((port) =>
        Effect.map(
          Effect.tryPromise({ try: () => start(port), catch: (error) => error }),
          (first) => handleOf(port, first, () => start(port), stopSignal)
        )
      ),
      // Another process may take the free port before the server does: then it is the next port's turn.
      Effect.retry({ times: 4, while: (error) => String(error).includes("Address already in use") }),
      Effect.orDie
    ),
    (server) => server.kill9()
  )

const handleOf = (
  port: number,
  first: ChildProcess,
  start: () => Promise<ChildProcess>,
  stopSignal: NodeJS.Signals
): RunningServer => {
  let child = first
  const end = (signal: NodeJS.Signals) =>
    Effect.promise(async () => {
      const family = childrenOf(child)
      const gone = exitOf(child)
      if (signal === "SIGKILL") {
        family.forEach((pid) => send(pid, signal))
      }
      child.kill(signal)
      // A stopped process hears a signal only once it goes on.
      child.kill("SIGCONT")
      family.forEach((pid) => send(pid, "SIGCONT"))
      await gone
      // They have no parent any more that would tell when they end.
      while (family.some((pid) => send(pid, 0))) {
        await sleep(5)
      }
    })
  const stop = () => end(stopSignal)
  return {
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
          child = await start()
        })
      ),
    signal: (name) =>
      Effect.sync(() => {
        // The parent last: one that goes on sees its children stop, and may end them.
        const family = childrenOf(child)
        if (name === "SIGSTOP") {
          child.kill(name)
        }
        family.forEach((pid) => send(pid, name))
        child.kill(name)
      })
  }
}

/** Whether the signal reached somebody; 0 only asks. */
const send = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

const childrenOf = ({ pid }: ChildProcess): ReadonlyArray<number> => {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, "utf8").split(" ").filter(Boolean).map(Number) : []
}

export const hasExited = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

const exitOf = (child: ChildProcess): Promise<void> =>
  hasExited(child) ? Promise.resolve() : new Promise((resolve) => child.once("exit", () => resolve()))

export interface ServerCommand {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly user?: ServerUser | undefined
  readonly cwd?: string | undefined
  /** The line of its log that says that it answers. Left out, `spawnServer` does not wait. */
  readonly ready?: RegExp | undefined
}

/** Starts the process, and waits until its log says that it is ready. Rejects with its last words where it ends before. */
export const spawnServer = async ({ args, cwd, program, ready, user }: ServerCommand): Promise<SpawnedServer> => {
  const child = spawn(program, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], LC_ALL: "C" },
    ...user,
    ...(cwd === undefined ? {} : { cwd })
  })
  let log = ""
  let isReady = () => {}
  const whenReady = new Promise<void>((resolve) => isReady = resolve)
  const remember = (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000)
    if (ready?.test(log) === true) {
      isReady()
    }
  }
  child.stdout.on("data", remember)
  child.stderr.on("data", remember)
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()))
  // A worker that ends without closing its scopes must not leave a server behind.
  const endWithWorker = () => {
    childrenOf(child).forEach((pid) => send(pid, "SIGKILL"))
    child.kill("SIGKILL")
  }
  process.once("exit", endWithWorker)
  void closed.then(() => process.off("exit", endWithWorker))
  const failIfEnded = async () => {
    if (hasExited(child)) {
      await closed
      throw new Error(`${program} ended at once:\n${log}`)
    }
  }
  if (ready !== undefined) {
    await Promise.race([whenReady, closed])
    await failIfEnded()
  }
  return { child, failIfEnded }
}

export interface SpawnedServer {
  readonly child: ChildProcess
  /** Rejects with the server's last words once it has ended. */
  readonly failIfEnded: () => Promise<void>
}
