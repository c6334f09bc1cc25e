/**
 * A Postgres of the benchmark's own: a real server process on a free loopback port, with its files in a temporary folder.
 */
import { execFileSync, spawn } from "node:child_process"
import { chownSync, readFileSync, rmSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { findProgram, postgres, postgresInit } from "../scripts/systemPrograms.mjs"
import { freePort } from "./redisServer.mjs"

const idOf = (flag) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }))

/** It refuses to be root's. */
const serverUser = () => process.getuid?.() === 0 ? { uid: idOf("-u"), gid: idOf("-g") } : {}

// As with the Redis of the benchmark, what was acknowledged need not be on the disk: CPU time is measured, and no disk.
const defaultSettings = { synchronous_commit: "off", shared_buffers: "256MB", max_wal_size: "4GB" }

const childrenOf = (pid) =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number)

/**
 * @param {{ settings?: Record<string, string>, onLine?: (line: string) => void }} [options] `onLine` hears its log
 * @returns {Promise<{ url: string, pid: number, stop: () => Promise<void> }>}
 */
export const startPostgres = async ({ onLine = () => {}, settings = {} } = {}) => {
  const [program, init] = [postgres, postgresInit].map((wanted) => {
    const found = findProgram(wanted)
    if (found === undefined) {
      throw new Error(`There is no ${wanted.names.join(" or ")} on the PATH: install ${wanted.debianPackage}`)
    }
    return found
  })
  const user = serverUser()
  const folder = await mkdtemp(join(tmpdir(), "effect-session-bench-postgres-"))
  if (user.uid !== undefined) {
    chownSync(folder, user.uid, user.gid)
  }
  const data = join(folder, "data")
  execFileSync(init, ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"], {
    cwd: folder,
    stdio: "ignore",
    ...user
  })
  const port = await freePort()
  const all = { listen_addresses: "127.0.0.1", unix_socket_directories: folder, ...defaultSettings, ...settings }
  const child = spawn(
    program,
    ["-D", data, "-p", String(port), ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    { cwd: folder, stdio: ["ignore", "ignore", "pipe"], ...user }
  )
  const gone = new Promise((resolve) => child.once("close", resolve))
  const endWithProcess = () => {
    childrenOf(child.pid).forEach((pid) => process.kill(pid, "SIGKILL"))
    child.kill("SIGKILL")
    rmSync(folder, { recursive: true, force: true })
  }
  process.once("exit", endWithProcess)
  await new Promise((resolve, reject) => {
    let rest = ""
    child.stderr.setEncoding("utf8").on("data", (text) => {
      const lines = (rest + text).split("\n")
      rest = lines.pop()
      for (const line of lines) {
        onLine(line)
        if (line.includes("ready to accept connections")) {
          resolve(undefined)
        }
      }
    })
    void gone.then(() => reject(new Error("Postgres ended at once")))
  })
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    pid: child.pid,
    stop: async () => {
      process.off("exit", endWithProcess)
      child.kill("SIGINT")
      await gone
      await rm(folder, { recursive: true, force: true })
    }
  }
}
