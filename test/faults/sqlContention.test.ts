/**
 * A database in good health, in which the app, or an operator, is in the way of its sessions: connections that are all in use,
 * transactions that cannot be serialized, deadlocks.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { report } from "../support/figures.js"
import { until } from "../support/settle.js"
import { scaled } from "../support/soak.js"
import type { Answer } from "../support/webApp.js"
import { count, increment, isUnavailable, limits, nothingUnhandled, recovery, whoAmI } from "./faultyApp.js"
import { faultyMariadb, faultyPostgres, poolSize } from "./faultySql.js"

const countOf = ({ body }: Answer): number => (body as { readonly value: number }).value

const databases = [["Postgres", faultyPostgres], ["MariaDB", faultyMariadb]] as const

const serializable = {
  Postgres: ["ALTER ROLE visitor SET default_transaction_isolation = 'serializable'"],
  MariaDB: ["SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE"]
}

const sessionsTable = { Postgres: "sessions", MariaDB: "app.sessions" }
const otherTable = { Postgres: "other", MariaDB: "app.other" }

const other = {
  Postgres: ["CREATE TABLE other (n int)", "INSERT INTO other VALUES (0)", "GRANT ALL ON other TO visitor"],
  MariaDB: ["CREATE TABLE app.other (n int)", "INSERT INTO app.other VALUES (0)"]
}

const trigger = {
  Postgres: [
    "CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN UPDATE other SET n = n + 1; RETURN NULL; END'",
    "CREATE TRIGGER count_write AFTER UPDATE ON sessions FOR EACH ROW EXECUTE FUNCTION count_write()"
  ],
  MariaDB: [
    "CREATE TRIGGER app.count_write AFTER UPDATE ON app.sessions FOR EACH ROW UPDATE app.other SET n = n + 1"
  ]
}

// Whoever of the two looks first finds nothing yet, and so waits for the other one to look.
const quickDeadlocks = {
  Postgres: ["ALTER ROLE visitor SET deadlock_timeout = '10s'", "ALTER ROLE postgres SET deadlock_timeout = '10ms'"],
  MariaDB: []
}

const waiting = {
  Postgres: "SELECT count(*) AS n FROM pg_stat_activity WHERE usename = 'visitor' AND wait_event_type = 'Lock'",
  MariaDB: "SELECT count(*) AS n FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"
}

describe.each(databases)("on %s, sessions", (database, make) => {
  nothingUnhandled()

  it.scopedLive("wait for a connection of the app's own work within their limit, and go on when there is one", () =>
    Effect.gen(function*() {
      const faulty = yield* make({ limitMillis: limits.short })
      const alice = yield* faulty.signedIn("alice")
      const work = yield* Scope.make()
      yield* Effect.forEach(Array.from({ length: poolSize }), () => Scope.extend(faulty.sql().reserve, work), {
        concurrency: "unbounded"
      })
      for (const handler of [whoAmI, increment]) {
        assert.isTrue(isUnavailable(yield* faulty.request(handler, alice.cookie())))
      }
      yield* Scope.close(work, Exit.void)
      yield* recovery(faulty, alice)
    }))

  it.scopedLive("that many requests write to at once count each increment that was answered 200, and no other", () =>
    Effect.gen(function*() {
      const faulty = yield* make({ before: serializable[database], limitMillis: limits.long })
      const alice = yield* faulty.signedIn("alice")
      const requests = scaled(60, 1_000)
      const answers = yield* Effect.forEach(
        Array.from({ length: requests }),
        () => faulty.request(increment, alice.cookie()),
        { concurrency: 12 }
      )
      assert.isTrue(answers.every((answer) => answer.status === 200 || isUnavailable(answer)))
      const counted = answers.filter(({ status }) => status === 200).length
      const after = countOf(yield* faulty.patient(count, alice.cookie()))
      assert.strictEqual(after, counted)
      report(`${database}, serializable`, { requests, counted, "503": requests - counted })
    }))

  it.scopedLive("whose write meets another transaction in a deadlock are as they were, or as the write leaves them", () =>
    Effect.gen(function*() {
      const faulty = yield* make({ before: [...quickDeadlocks[database], ...other[database]] })
      const alice = yield* faulty.signedIn("alice")
      yield* faulty.patient(increment, alice.cookie())
      // Each write of a session touches another row as well, which an operator is at.
      yield* Effect.forEach(trigger[database], faulty.operate, { discard: true })
      const operator = yield* faulty.hold("BEGIN", `UPDATE ${otherTable[database]} SET n = n + 1`)
      const writing = yield* Effect.fork(faulty.request(increment, alice.cookie()))
      yield* until(Effect.map(faulty.operate(waiting[database]), ([row]) => Number(row?.["n"]) > 0))
      const outcome = yield* Effect.exit(operator(`UPDATE ${sessionsTable[database]} SET expires_at = expires_at`))
      yield* operator("ROLLBACK")
      const answer = yield* Fiber.join(writing)
      assert.isTrue(answer.status === 200 || isUnavailable(answer))
      assert.isTrue(outcome._tag === "Failure" || isUnavailable(answer), "one of the two has to give way")
      yield* faulty.letGo
      const after = countOf(yield* faulty.patient(count, alice.cookie()))
      assert.strictEqual(after, answer.status === 200 ? 2 : 1)
      assert.strictEqual((yield* faulty.patient(whoAmI, alice.cookie())).body, "alice")
    }))
})
