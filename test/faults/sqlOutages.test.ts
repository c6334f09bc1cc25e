/**
 * Whatever happens to Postgres or MariaDB, or to the way there: a user is recognised or told to come back (503), and never taken
 * for somebody else or for nobody. Each scenario is gone through as those of Redis are.
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import type { RunningServer } from "../support/serverProcess.js"
import { serverUser } from "../support/serverProcess.js"
import { limits, nothingUnhandled } from "./faultyApp.js"
import type { FaultySql, FaultySqlOptions } from "./faultySql.js"
import { faultyMariadb, faultyPostgres } from "./faultySql.js"
import type { Outage } from "./outage.js"
import { goThrough } from "./outage.js"
import { overProxy } from "./overProxy.js"
import { keep, pass, silence } from "./tcpProxy.js"

interface Scenario extends Outage<FaultySql>, FaultySqlOptions {}

type Scenarios = Readonly<Record<string, Scenario>>

/** The server and the processes that are its own. */
const processesOf = ({ pid }: RunningServer): ReadonlyArray<string> => [
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean),
  String(pid)
]

/** What can happen to any of them. One that does not answer cannot be left: the pool of mysql2 waits for its connections. */
const anywhere: Scenarios = {
  ...overProxy,
  // The drivers go on with connections that have fallen silent, until somebody breaks them: at last the kernel.
  "is silent until its connections break": {
    limitMillis: limits.short,
    begin: ({ proxy }) => proxy.behave(silence),
    end: ({ proxy }) => Effect.all([proxy.refuse, proxy.behave(pass), proxy.accept]),
    reads: "Unavailable",
    writes: "Unavailable",
    canBeLeft: false
  },
  "answers too late": {
    limitMillis: limits.short,
    begin: ({ proxy }) => proxy.behave(keep),
    afterRound: ({ proxy }) => proxy.release,
    // What waited for a connection has asked since, and its reply is kept as well.
    end: ({ proxy }) => Effect.zipRight(proxy.behave(pass), proxy.release),
    reads: "Unavailable",
    writes: "Unavailable",
    canBeLeft: false
  },
  // What was acknowledged is there afterwards: each increment that was answered 200 is counted.
  "is killed and started again": {
    isDurable: true,
    begin: ({ server }) => server.kill9(),
    end: ({ server }) => server.restart(),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "is stopped like a process that hangs": {
    limitMillis: limits.short,
    begin: ({ server }) => server.signal("SIGSTOP"),
    end: ({ server }) => server.signal("SIGCONT"),
    reads: "Unavailable",
    writes: "Unavailable",
    canBeLeft: false
  },
  // The kernel lets it write to no place of any file: the server gives up at its first write, and stays away until there is room.
  "has no room left on its disk": {
    isDurable: true,
    limitMillis: limits.short,
    begin: ({ server }) =>
      Effect.sync(() =>
        processesOf(server).forEach((pid) => execFileSync("prlimit", ["--pid", pid, "--fsize=0"], serverUser()))
      ),
    end: ({ server }) => server.restart(),
    reads: "Either",
    writes: "Unavailable"
  }
}

// It waits until they are gone.
const disconnect = "SELECT pg_terminate_backend(pid, 600000) FROM pg_stat_activity WHERE usename = 'visitor'"

const postgresAlone: Scenarios = {
  "takes no more connections": {
    begin: ({ operate }) => Effect.zipRight(operate("ALTER ROLE visitor CONNECTION LIMIT 0"), operate(disconnect)),
    end: ({ operate }) => operate("ALTER ROLE visitor CONNECTION LIMIT -1"),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "cancels what takes too long, as a look at a locked table does": {
    before: ["ALTER ROLE visitor SET statement_timeout = '100ms'"],
    begin: ({ hold }) => hold("BEGIN", "LOCK TABLE sessions IN ACCESS EXCLUSIVE MODE"),
    end: ({ letGo }) => letGo,
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "has a table that nobody may write to": {
    before: ["ALTER ROLE visitor SET lock_timeout = '100ms'"],
    begin: ({ hold }) => hold("BEGIN", "LOCK TABLE sessions IN SHARE MODE"),
    end: ({ letGo }) => letGo,
    reads: "Answered",
    writes: "Unavailable"
  },
  "is read-only": {
    begin: ({ operate }) =>
      Effect.zipRight(operate("ALTER ROLE visitor SET default_transaction_read_only = on"), operate(disconnect)),
    end: ({ operate }) =>
      Effect.zipRight(operate("ALTER ROLE visitor RESET default_transaction_read_only"), operate(disconnect)),
    // The connections of before are closed, which the first requests notice.
    reads: "Either",
    writes: "Unavailable"
  }
}

const mariadbAlone: Scenarios = {
  "takes no more connections": {
    begin: ({ operate }) =>
      Effect.zipRight(
        operate("ALTER USER visitor@'127.0.0.1' ACCOUNT LOCK"),
        operate("KILL HARD CONNECTION USER visitor@'127.0.0.1'")
      ),
    end: ({ operate }) => operate("ALTER USER visitor@'127.0.0.1' ACCOUNT UNLOCK"),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "cancels what takes too long, as a look at a locked table does": {
    settings: { lock_wait_timeout: "1" },
    begin: ({ hold }) => hold("LOCK TABLES app.sessions WRITE"),
    end: ({ letGo }) => letGo,
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "is read-only": {
    begin: ({ operate }) => operate("SET GLOBAL read_only = ON"),
    end: ({ operate }) => operate("SET GLOBAL read_only = OFF"),
    reads: "Answered",
    writes: "Unavailable"
  }
}

const databases: ReadonlyArray<
  readonly [
    title: string,
    make: (options: FaultySqlOptions) => Effect.Effect<FaultySql, never, Scope.Scope>,
    scenarios: Scenarios
  ]
> = [
  ["Postgres", faultyPostgres, { ...anywhere, ...postgresAlone }],
  ["MariaDB", faultyMariadb, { ...anywhere, ...mariadbAlone }]
]

for (const [database, make, scenarios] of databases) {
  describe(`a ${database} that`, () => {
    nothingUnhandled()

    for (const [title, scenario] of Object.entries(scenarios)) {
      it.scopedLive(`${title} lets nobody in or out by mistake`, () =>
        Effect.flatMap(make(scenario), (faulty) => goThrough(`${database} ${title}`, faulty, scenario)))
    }
  })
}
