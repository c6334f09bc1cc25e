/**
 * A MariaDB of the test's own, on a free loopback port, with its files in a folder that goes away with the scope.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { findProgram, mariadb, mariadbInit } from "../../scripts/systemPrograms.mjs"
import type { RunningServer } from "./serverProcess.js"
import { serverFolder, serverOnFreePort, serverUser, spawnServer } from "./serverProcess.js"

export interface MariadbServerOptions {
  /** Settings of the server, such as `{ max_allowed_packet: "1M" }`. They win over those that this file gives. */
  readonly settings?: Readonly<Record<string, string>> | undefined
  /** Whether what was acknowledged is on the disk. Left out, it is not, which is faster. */
  readonly isDurable?: boolean | undefined
}

/** A restart finds what was there, as far as it was written. */
export interface RunningMariadb extends RunningServer {
  /** `mysql://app@127.0.0.1:<port>/app`, which needs no password. */
  readonly url: string
}

export const mariadbServer = (
  { isDurable = false, settings }: MariadbServerOptions = {}
): Effect.Effect<RunningMariadb, never, Scope.Scope> =>
  Effect.gen(function*() {
    const program = findProgram(mariadb)
    const init = findProgram(mariadbInit)
    if (program === undefined || init === undefined) {
      return yield* Effect.dieMessage("There is no MariaDB on this machine: run scripts/ensureSystem.mjs")
    }
    const user = serverUser()
    const folder = yield* serverFolder("mariadb", user)
    const data = join(folder, "data")
    const users = join(folder, "users.sql")
    yield* Effect.promise(async () => {
      await writeFile(
        users,
        "CREATE DATABASE IF NOT EXISTS app;\nCREATE USER IF NOT EXISTS app@'127.0.0.1';\nGRANT ALL ON *.* TO app@'127.0.0.1' WITH GRANT OPTION;\n",
        { mode: 0o644 }
      )
      await promisify(execFile)(
        init,
        [
          ...["--no-defaults", `--datadir=${data}`, "--auth-root-authentication-method=normal", "--skip-test-db"],
          ...["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-log-file-size=8M"]
        ],
        { cwd: folder, ...user }
      )
    })
    const all = {
      bind_address: "127.0.0.1",
      socket: join(folder, "mariadb.sock"),
      pid_file: join(folder, "mariadb.pid"),
      init_file: users,
      skip_name_resolve: "ON",
      performance_schema: "OFF",
      innodb_buffer_pool_size: "32M",
      innodb_log_file_size: "8M",
      ...isDurable ? {} : { innodb_flush_log_at_trx_commit: "0", innodb_doublewrite: "OFF" },
      ...settings
    }
    const server = yield* serverOnFreePort(async (port) => {
      const { child } = await spawnServer({
        program,
        args: [
          ...["--no-defaults", `--datadir=${data}`, `--port=${port}`],
          ...Object.entries(all).map(([name, value]) => `--${name}=${value}`)
        ],
        user,
        cwd: folder,
        ready: /ready for connections/
      })
      return child
    })
    return Object.assign(server, { url: `mysql://app@127.0.0.1:${server.port}/app` })
  })
