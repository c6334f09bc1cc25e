import type * as SqlClient from "@effect/sql/SqlClient"
import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import { settle } from "../../support/settle.js"
import { makeDatabase } from "../../support/sqlDatabases.js"
import {
  beginSession,
  changeOf,
  countRows,
  freshTable,
  type Group,
  hourly,
  namesIn,
  openClient,
  openStore,
  openWorld
} from "./world.js"

const makeOrders = (sql: SqlClient.SqlClient) => {
  const orders = `orders_${freshTable()}`
  return Effect.as(sql`CREATE TABLE ${sql(orders)} (n integer)`, {
    orders,
    order: sql`INSERT INTO ${sql(orders)} (n) VALUES (1)`
  })
}

const onPool: Group = (name, database) => {
  it.scopedLive("of the app neither take back what was done to a session, nor are waited for", () =>
    Effect.gen(function*() {
      const { clocked, sql, table } = yield* openWorld(database)
      const { order, orders } = yield* makeOrders(sql)
      const other = SessionStore.withClock(yield* openStore(yield* openClient(database), { table }))
      const key = yield* beginSession(clocked)
      const ended = yield* beginSession(clocked)
      const exit = yield* Effect.exit(sql.withTransaction(sql.withTransaction(Effect.gen(function*() {
        yield* order
        assert.strictEqual((yield* clocked.update(key, changeOf("b"), hourly))._tag, "Saved")
        assert.isTrue(yield* clocked.delete(ended))
        const begun = yield* beginSession(clocked)
        // Another server knows already.
        assert.deepStrictEqual(yield* namesIn(other, key), ["a", "b"])
        assert.strictEqual(yield* namesIn(other, ended), "Absent")
        assert.deepStrictEqual(yield* namesIn(other, begun), ["a"])
        return yield* Effect.fail("no order after all")
      }))))
      assert.deepStrictEqual(exit, Exit.fail("no order after all"))
      assert.strictEqual(yield* countRows(sql, orders), 0)
      assert.deepStrictEqual(yield* namesIn(clocked, key), ["a", "b"])
      assert.strictEqual(yield* namesIn(clocked, ended), "Absent")
    }))

  it.scopedLive("do not show a session as it was when they began", () =>
    Effect.gen(function*() {
      const { clocked, sql, table } = yield* openWorld(database)
      const other = SessionStore.withClock(yield* openStore(yield* openClient(database), { table }))
      const key = yield* beginSession(clocked)
      yield* sql.withTransaction(Effect.gen(function*() {
        if (name === "postgres") {
          yield* sql`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ`
        }
        assert.strictEqual(yield* countRows(sql, table), 1)
        yield* other.delete(key)
        // What MySQL repeats by itself.
        assert.strictEqual(yield* countRows(sql, table), 1)
        assert.strictEqual(yield* namesIn(clocked, key), "Absent")
      }))
    }))

  it.scoped("that have every connection are not waited for longer than the time limit, and cost none of them", () =>
    Effect.gen(function*() {
      const sql = yield* openClient(database, { maxConnections: 1 })
      const clocked = SessionStore.withClock(yield* openStore(sql, { table: freshTable(), timeout: "1 second" }))
      const key = yield* beginSession(clocked)
      for (let i = 0; i < 3; i++) {
        const error = yield* sql.withTransaction(Effect.gen(function*() {
          const loading = yield* Effect.fork(Effect.flip(clocked.load(key)))
          yield* settle
          yield* TestClock.adjust("1 second")
          return yield* Fiber.join(loading)
        }))
        assert.strictEqual(error.reason, "Unavailable")
        assert.deepStrictEqual(yield* namesIn(clocked, key), ["a"])
      }
    }))
}

const onSqlite: Group = (_, database) => {
  it.scopedLive("of the app have the one connection: a session in them is refused at once, with the mend", () =>
    Effect.gen(function*() {
      const { clocked, sql } = yield* openWorld(database)
      const { order, orders } = yield* makeOrders(sql)
      const key = yield* beginSession(clocked)
      yield* sql.withTransaction(Effect.gen(function*() {
        yield* order
        const errors = [
          yield* Effect.flip(clocked.load(key)),
          yield* Effect.flip(clocked.update(key, changeOf("b"), hourly)),
          yield* Effect.flip(clocked.delete(key)),
          yield* Effect.flip(beginSession(clocked))
        ]
        for (const error of errors) {
          assert.strictEqual(error.reason, "Unavailable")
          assert.include(error.message, "a file of their own")
        }
      }))
      assert.strictEqual(yield* countRows(sql, orders), 1)
      assert.deepStrictEqual(yield* namesIn(clocked, key), ["a"])
    }))

  it.scopedLive("of other fibers are waited for, and a session's write is no part of them", () =>
    Effect.gen(function*() {
      const { clocked, sql } = yield* openWorld(database)
      const { order, orders } = yield* makeOrders(sql)
      const key = yield* beginSession(clocked)
      const began = yield* Deferred.make<void>()
      const mayEnd = yield* Deferred.make<void>()
      const ordering = yield* Effect.fork(Effect.exit(sql.withTransaction(Effect.gen(function*() {
        yield* order
        yield* Deferred.succeed(began, undefined)
        yield* Deferred.await(mayEnd)
        return yield* Effect.fail("no order after all")
      }))))
      yield* Deferred.await(began)
      const writing = yield* Effect.fork(clocked.update(key, changeOf("b"), hourly))
      yield* settle
      assert.isNull(writing.unsafePoll())
      yield* Deferred.succeed(mayEnd, undefined)
      assert.isTrue(Exit.isFailure(yield* Fiber.join(ordering)))
      assert.strictEqual((yield* Fiber.join(writing))._tag, "Saved")
      assert.strictEqual(yield* countRows(sql, orders), 0)
      assert.deepStrictEqual(yield* namesIn(clocked, key), ["a", "b"])
    }))
}

export const transactions: Group = (name, database) => {
  describe("transactions", () => {
    ;(name === "sqlite" ? onSqlite : onPool)(name, database)

    it.scopedLive("of another client are nothing to a session", () =>
      Effect.gen(function*() {
        const { clocked } = yield* openWorld(database)
        const another = yield* openClient(name === "sqlite" ? makeDatabase(name) : database)
        const { order, orders } = yield* makeOrders(another)
        const key = yield* beginSession(clocked)
        yield* Effect.exit(another.withTransaction(Effect.gen(function*() {
          yield* order
          yield* clocked.load(key)
          yield* clocked.update(key, changeOf("b"), hourly)
          return yield* Effect.fail("no order after all")
        })))
        assert.strictEqual(yield* countRows(another, orders), 0)
        assert.deepStrictEqual(yield* namesIn(clocked, key), ["a", "b"])
      }))
  })
}
