/**
 * A Redis of the benchmark's own: a real server process on a free loopback port, with its files in a temporary folder.
 */
import { spawn } from "node:child_process"
import { rmSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { createConnection, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { findProgram, redis } from "../scripts/systemPrograms.mjs"

export const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer().once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** Whether somebody answers on the socket, and the server has loaded. @param {string} socket */
const answers = (socket) =>
  new Promise((resolve) => {
    const connection = createConnection(socket)
    connection.once("connect", () => connection.write("PING\r\n"))
    connection.once("data", (reply) => {
      connection.destroy()
      resolve(reply.toString().startsWith("+PONG"))
    })
    connection.once("error", () => resolve(false))
    connection.once("close", () => resolve(false))
  })

/** @returns {Promise<{ url: string, stop: () => Promise<void> }>} */
export const startRedis = async () => {
  const program = findProgram(redis)
  if (program === undefined) {
    throw new Error(`There is no ${redis.names.join(" or ")} on the PATH: install ${redis.debianPackage}`)
  }
  const folder = await mkdtemp(join(tmpdir(), "effect-session-bench-redis-"))
  const port = await freePort()
  const socket = join(folder, "redis.sock")
  const child = spawn(
    program,
    [
      ...["--port", String(port), "--bind", "127.0.0.1", "--unixsocket", socket, "--dir", folder],
      ...["--save", "", "--appendonly", "no", "--daemonize", "no"]
    ],
    { stdio: "ignore" }
  )
  const gone = new Promise((resolve) => child.once("close", resolve))
  const endWithProcess = () => {
    child.kill("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
  }
  process.once("exit", endWithProcess)
  while (!(await answers(socket))) {
    if (child.exitCode !== null) {
      throw new Error("Redis ended at once")
    }
    await sleep(20)
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      process.off("exit", endWithProcess)
      child.kill("SIGTERM")
      await gone
      await rm(folder, { recursive: true, force: true })
    }
  }
}
