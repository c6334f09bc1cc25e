/**
 * A file of SQLite that somebody else has locked, that may not be written to, or that may not grow: a user is recognised, or told to
 * come back.
 */
import * as SqliteClient from "@effect/sql-sqlite-node/SqliteClient"
import * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import { join } from "node:path"
import { serverFolder } from "../support/serverProcess.js"
import { handle } from "../support/webApp.js"
import type { FaultyApp } from "./faultyApp.js"
import { isUnavailable, makeFaultyApp, nothingUnhandled, whoAmI } from "./faultyApp.js"
import type { Outage } from "./outage.js"
import { goThrough } from "./outage.js"

interface FaultySqlite extends FaultyApp {
  /** Runs a statement on the connection of the app. */
  readonly run: (statement: string) => Effect.Effect<ReadonlyArray<Readonly<Record<string, unknown>>>>
  /** Takes the lock that every write needs, in another connection, until it is let go of. */
  readonly lock: Effect.Effect<void>
  readonly letGo: Effect.Effect<void>
}

const connectTo = (filename: string) =>
  Effect.map(Layer.build(SqliteClient.layer({ filename })), (context) => Context.get(context, SqlClient.SqlClient))

const makeFaultySqlite: Effect.Effect<FaultySqlite, never, Scope.Scope> = Effect.gen(function*() {
  const filename = join(yield* serverFolder("sqlite"), "app.db")
  const sql = yield* Effect.orDie(connectTo(filename))
  const run: FaultySqlite["run"] = (statement) => Effect.orDie(sql.unsafe<Record<string, unknown>>(statement))
  // The driver waits for a lock with the whole process, for five seconds if nobody says otherwise.
  yield* run("PRAGMA busy_timeout = 20")
  const store = Layer.provide(SqlSessionStore.layer({ createTable: true }), Layer.succeed(SqlClient.SqlClient, sql))
  const faulty = yield* makeFaultyApp({ store })
  let held = yield* Scope.make()
  const letGo = Effect.suspend(() => Scope.close(held, Exit.void))
  yield* Effect.addFinalizer(() => letGo)
  return {
    ...faulty,
    run,
    lock: Effect.gen(function*() {
      held = yield* Scope.make()
      const other = yield* Scope.extend(Effect.orDie(connectTo(filename)), held)
      yield* Effect.orDie(other.unsafe("BEGIN EXCLUSIVE"))
    }),
    letGo
  }
})

const outages: Readonly<Record<string, Outage<FaultySqlite>>> = {
  "somebody else has locked": {
    begin: ({ lock }) => lock,
    end: ({ letGo }) => letGo,
    reads: "Answered",
    writes: "Unavailable"
  },
  "may not be written to": {
    begin: ({ run }) => run("PRAGMA query_only = ON"),
    end: ({ run }) => run("PRAGMA query_only = OFF"),
    reads: "Answered",
    writes: "Unavailable"
  }
}

const Bulk = Session.entry("bulk", Schema.String)
const grow = handle((session) => session.insert(Bulk, "x".repeat(100_000)))

describe("a file of SQLite that", () => {
  nothingUnhandled()

  for (const [title, outage] of Object.entries(outages)) {
    it.scopedLive(`${title} lets nobody in or out by mistake`, () =>
      Effect.flatMap(makeFaultySqlite, (faulty) => goThrough(`SQLite that ${title}`, faulty, outage)))
  }

  it.scopedLive("may not grow refuses what is too much, and keeps what is there", () =>
    Effect.gen(function*() {
      const faulty = yield* makeFaultySqlite
      const alice = yield* faulty.signedIn("alice")
      const [pages] = yield* faulty.run("PRAGMA page_count")
      yield* faulty.run(`PRAGMA max_page_count = ${String(pages?.["page_count"])}`)
      for (const cookie of [alice.cookie(), undefined]) {
        assert.isTrue(isUnavailable(yield* faulty.request(grow, cookie)))
      }
      assert.strictEqual((yield* faulty.request(whoAmI, alice.cookie())).body, "alice")
      yield* faulty.run("PRAGMA max_page_count = 1000000")
      assert.strictEqual((yield* faulty.request(grow, alice.cookie())).status, 200)
      assert.strictEqual((yield* faulty.request(whoAmI, alice.cookie())).body, "alice")
    }))
})
