/**
 * A Postgres of the test's own, on a free loopback port, with its files in a folder that goes away with the scope.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { findProgram, postgres, postgresInit } from "../../scripts/systemPrograms.mjs"
import type { RunningServer } from "./serverProcess.js"
import { serverFolder, serverOnFreePort, serverUser, spawnServer } from "./serverProcess.js"

export interface PostgresServerOptions {
  /** Settings of the server, such as `{ max_connections: "5" }`. They win over those that this file gives. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Whether what was acknowledged is on the disk. Left out, it is not, which is faster. */
  readonly isDurable?: boolean | undefined
}

/** A restart finds what was there, as far as it was written. */
export interface RunningPostgres extends RunningServer {
  /** `postgres://postgres@127.0.0.1:<port>/postgres`, which needs no password. */
  readonly url: string
}

export const postgresServer = (
  { isDurable = false, settings }: PostgresServerOptions = {}
): Effect.Effect<RunningPostgres, never, Scope.Scope> =>
  Effect.gen(function*() {
    const program = findProgram(postgres)
    const init = findProgram(postgresInit)
    if (program === undefined || init === undefined) {
      return yield* Effect.dieMessage("There is no Postgres on this machine: run scripts/ensureSystem.mjs")
    }
    const user = serverUser()
    const folder = yield* serverFolder("postgres", user)
    const data = join(folder, "data")
    yield* Effect.promise(() =>
      promisify(execFile)(
        init,
        [...["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], "--no-locale", "--no-sync"],
        { cwd: folder, ...user }
      )
    )
    const all = {
      listen_addresses: "127.0.0.1",
      unix_socket_directories: folder,
      shared_buffers: "16MB",
      ...isDurable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" },
      ...settings
    }
    const server = yield* serverOnFreePort(
      async (port) => {
        const { child } = await spawnServer({
          program,
          args: [
            ...["-D", data, "-p", String(port)],
            ...Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`])
          ],
          user,
          cwd: folder,
          ready: /database system is ready to accept connections/
        })
        return child
      },
      "SIGINT"
    )
    return Object.assign(server, { url: `postgres://postgres@127.0.0.1:${server.port}/postgres` })
  })
