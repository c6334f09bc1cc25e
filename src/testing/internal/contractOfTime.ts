/**
 * Cases about time: a session lives until its limit and not at it, a write counts its time anew, and nothing counts past
 * the deadline.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as SessionRecord from "../../SessionRecord.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import {
  conflictOf,
  expectGone,
  expectLoad,
  expectState,
  hour,
  load,
  loadRecord,
  minute,
  now,
  renewed,
  save,
  savedBy,
  unmet,
  verbsThatWrite,
  writes
} from "./contractWords.js"

const day = 24 * hour

// The longest life that a configuration can ask for.
const longest = 400 * day

const forMinute = { ttl: minute, maxLifetime: undefined }

/** @internal */
export const contractOfTime: ReadonlyArray<ContractCase> = [
  contractCase("a session lives until a millisecond before its limit", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]], forMinute)
      yield* TestClock.adjust(minute - 1)
      yield* expectState(store, key, [["a", "1"]])
    })),
  contractCase(
    "a session is over at exactly its limit, for every verb, and none brings it back",
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"]], forMinute)
        yield* TestClock.adjust(minute)
        yield* expectLoad(store, key, "Absent", "at the limit")
        for (const verb of verbsThatWrite) {
          yield* expectGone(store, key, verb, "at the limit")
          yield* expectLoad(store, key, "Absent", `after ${verb} at the limit`)
        }
        yield* store.delete(key)
        yield* TestClock.adjust(minute)
        yield* expectLoad(store, key, "Absent", "after the limit")
      })
  ),
  contractCase("a time to live below a second counts to the millisecond", (store) =>
    Effect.gen(function*() {
      for (const ttl of [1, 400, 1_999]) {
        const before = performance.now()
        const start = yield* now
        const { expiresAt, key } = yield* save(store, [["a", "1"]], { ttl, maxLifetime: undefined })
        assert.strictEqual(expiresAt, start + ttl)
        yield* TestClock.adjust(ttl - 1)
        const { _tag } = yield* load(store, key)
        // A backend that removes records by its own clock may have done so when the machine was slow.
        if (performance.now() - before < ttl) {
          assert.strictEqual(_tag, "Live", `a millisecond before the limit of ${ttl}`)
        }
        yield* TestClock.adjust(1)
        yield* expectLoad(store, key, "Absent", `at the limit of ${ttl}`)
      }
    })),
  contractCase(
    "a time to live of zero or less is over when it begins, and no error",
    (store) =>
      Effect.gen(function*() {
        for (const ttl of [0, -1, -minute]) {
          const { expiresAt, key } = yield* save(store, [["a", "1"]], { ttl, maxLifetime: undefined })
          assert.strictEqual(expiresAt, (yield* now) + ttl)
          yield* expectLoad(store, key, "Absent", `with a ttl of ${ttl}`)
          const other = yield* save(store, [["a", "1"]])
          const { key: later } = savedBy(yield* store.updateTtl(other.key, ttl))
          yield* expectLoad(store, later, "Absent", `after updateTtl with ${ttl}`)
        }
      })
  ),
  contractCase("a session of 400 days outlasts every timer", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]], { ttl: longest, maxLifetime: undefined })
      const { key: refreshed } = savedBy(yield* store.updateTtl(key, longest))
      // Time for a timer that takes a number too large for it as zero.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 20)))
      yield* expectState(store, refreshed, [["a", "1"]])
      yield* TestClock.adjust(longest - 1)
      yield* expectState(store, refreshed, [["a", "1"]])
      yield* TestClock.adjust(1)
      yield* expectLoad(store, refreshed, "Absent", "after 400 days")
    })),
  ...verbsThatWrite.map((verb) =>
    contractCase(`${verb} counts the time to live anew, longer or shorter`, (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"]], forMinute)
        const { createdAt } = yield* loadRecord(store, key)
        yield* TestClock.adjust(minute - 1)
        const longer = savedBy(yield* writes[verb](store, key, hourly))
        assert.strictEqual(longer.expiresAt, (yield* now) + hour)
        assert.isTrue(longer.isCurrent)
        yield* TestClock.adjust(1_000)
        const shorter = savedBy(yield* writes[verb](store, longer.key, minute))
        assert.strictEqual(shorter.expiresAt, (yield* now) + minute)
        yield* TestClock.adjust(minute - 1)
        const record = yield* loadRecord(store, shorter.key)
        assert.strictEqual(record.expiresAt, shorter.expiresAt)
        assert.strictEqual(record.createdAt, createdAt, "createdAt never changes")
        yield* TestClock.adjust(1)
        yield* expectLoad(store, shorter.key, "Absent", `at the limit that ${verb} has set`)
      }))
  ),
  contractCase("updateTtl changes no value", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"], ["b", "2"]])
      const { key: refreshed } = savedBy(yield* store.updateTtl(key, hourly))
      yield* expectState(store, refreshed, [["a", "1"], ["b", "2"]])
    })),
  contractCase("neither a load nor a Conflict prolongs a session", (store) =>
    Effect.gen(function*() {
      const { expiresAt, key } = yield* save(store, [["a", "1"]], forMinute)
      for (let i = 1; i < 6; i++) {
        yield* TestClock.adjust(10_000)
        assert.strictEqual((yield* loadRecord(store, key)).expiresAt, expiresAt)
        assert.strictEqual(conflictOf(yield* store.update(key, unmet, hourly)).expiresAt, expiresAt)
        assert.strictEqual(conflictOf(yield* store.renew(key, unmet, hourly)).expiresAt, expiresAt)
      }
      yield* TestClock.adjust(10_000)
      yield* expectLoad(store, key, "Absent", "at the limit")
    })),
  contractCase("a deadline before the time to live is the limit from the beginning", (store) =>
    Effect.gen(function*() {
      const { expiresAt, key } = yield* save(store, [], { ttl: hour, maxLifetime: minute })
      assert.strictEqual(expiresAt, (yield* now) + minute)
      assert.strictEqual((yield* loadRecord(store, key)).expiresAt, expiresAt)
      yield* TestClock.adjust(minute)
      yield* expectLoad(store, key, "Absent", "at the deadline")
    })),
  ...verbsThatWrite.map((verb) =>
    contractCase(`${verb} does not go past the deadline, and does not move it`, (store) =>
      Effect.gen(function*() {
        const deadline = (yield* now) + 2 * hour
        let { key } = yield* save(store, [["a", "1"]], { ttl: hour, maxLifetime: 2 * hour })
        for (const expected of [deadline - hour / 2, deadline, deadline]) {
          yield* TestClock.adjust(hour / 2)
          const saved = savedBy(yield* writes[verb](store, key))
          assert.strictEqual(saved.expiresAt, expected)
          key = saved.key
          const record = yield* loadRecord(store, key)
          assert.strictEqual(record.deadline, deadline)
          assert.strictEqual(record.expiresAt, expected)
        }
        yield* TestClock.adjust(hour / 2)
        yield* expectLoad(store, key, "Absent", "at the deadline")
        yield* expectGone(store, key, verb, "at the deadline")
      }))
  ),
  contractCase(
    "a key that was superseded just before the session's limit is Absent at it",
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"]])
        yield* renewed(store, key, SessionRecord.supersededWindow - 2)
        yield* TestClock.adjust(SessionRecord.supersededWindow - 3)
        yield* expectLoad(store, key, "Superseded", "before the limit")
        yield* TestClock.adjust(1)
        yield* expectLoad(store, key, "Absent", "at the limit")
        for (const verb of verbsThatWrite) {
          yield* expectGone(store, key, verb, "at the limit, with a superseded key")
        }
      }),
    { for: "Stores" }
  )
]
