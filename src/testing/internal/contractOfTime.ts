/**
 * Cases about time: a session lives until its limit and not at it, a write counts its time anew, nothing counts past
 * `maxLifetime`, and the limits are those that each call names.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as SessionKey from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import {
  changeOf,
  comparable,
  conflictOf,
  expectGone,
  expectLoad,
  expectState,
  fromCookie,
  hour,
  hourly,
  livingFor,
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

const forMinute = livingFor(minute)

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
  contractCase(
    "a call goes by the time that it is given, whatever a clock says",
    (store, verbs) =>
      Effect.gen(function*() {
        const then = (yield* now) + 2 * hour
        const state = new Map([["a", "1"]])
        const saved = yield* verbs.save(state, forMinute, then)
        assert.strictEqual(saved.expiresAt, then + minute)
        let key = fromCookie(store, saved.key)
        const tagAt = (time: number) => Effect.map(verbs.load(key, time), ({ _tag }) => _tag)
        assert.strictEqual(yield* tagAt(then + minute - 1), "Live")
        assert.strictEqual(yield* tagAt(then + minute), "Absent")
        const later = then + minute - 1
        const extended = [
          (time: number) => verbs.update(key, changeOf([["b", "2"]]), forMinute, time),
          (time: number) => verbs.renew(key, SessionRecord.noChange, forMinute, time),
          (time: number) => verbs.updateTtl(key, forMinute, time)
        ]
        for (const [i, write] of extended.entries()) {
          const result = savedBy(yield* write(later + i))
          assert.strictEqual(result.expiresAt, later + i + minute)
          key = fromCookie(store, result.key)
          assert.strictEqual(yield* tagAt(result.expiresAt - 1), "Live")
          assert.strictEqual(yield* tagAt(result.expiresAt), "Absent")
        }
      })
  ),
  contractCase(
    "what gave way leaves its trace from the time that its delete is given",
    (store, verbs) =>
      Effect.gen(function*() {
        const then = (yield* now) + 2 * hour
        const { key } = yield* verbs.save(new Map([["a", "1"]]), forMinute, then)
        yield* verbs.delete(key, then, SessionKey.mint())
        const tagAt = (time: number) => Effect.map(verbs.load(fromCookie(store, key), time), ({ _tag }) => _tag)
        const end = then + SessionRecord.supersededWindow
        assert.strictEqual(yield* tagAt(end - 1), "Replaced")
        assert.strictEqual(yield* tagAt(end), "Absent")
      }),
    { for: "Stores" }
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
          const { key: later } = savedBy(yield* store.update(other.key, SessionRecord.noChange, livingFor(ttl)))
          yield* expectLoad(store, later, "Absent", `after update with ${ttl}`)
        }
      })
  ),
  contractCase("a session of 400 days outlasts every timer", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]], livingFor(longest))
      const { key: refreshed } = savedBy(yield* store.updateTtl(key, livingFor(longest)))
      // A timer that takes a number too large for it as the least one fires before this one, which begins later.
      yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
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
        yield* TestClock.adjust(1_000)
        const shorter = savedBy(yield* writes[verb](store, longer.key, forMinute))
        assert.strictEqual(shorter.expiresAt, (yield* now) + minute)
        yield* TestClock.adjust(minute - 1)
        const record = yield* loadRecord(store, shorter.key)
        assert.strictEqual(record.expiresAt, shorter.expiresAt)
        assert.strictEqual(record.createdAt, createdAt, "createdAt never changes")
        assert.strictEqual(
          record.extendedAt,
          shorter.expiresAt - minute,
          "extendedAt is when the time was counted anew"
        )
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
        conflictOf(yield* store.update(key, unmet, hourly))
        conflictOf(yield* store.renew(key, unmet, hourly))
      }
      yield* TestClock.adjust(10_000)
      yield* expectLoad(store, key, "Absent", "at the limit")
    })),
  contractCase(
    "a maxLifetime shorter than the time to live is the limit from the beginning",
    (store) =>
      Effect.gen(function*() {
        const { expiresAt, key } = yield* save(store, [], { ttl: hour, maxLifetime: minute })
        assert.strictEqual(expiresAt, (yield* now) + minute)
        assert.strictEqual((yield* loadRecord(store, key)).expiresAt, expiresAt)
        yield* TestClock.adjust(minute)
        yield* expectLoad(store, key, "Absent", "at the end of maxLifetime")
      })
  ),
  ...verbsThatWrite.map((verb) =>
    contractCase(
      `${verb} does not go past maxLifetime, which counts from the beginning`,
      (store) =>
        Effect.gen(function*() {
          const lifetime = { ttl: hour, maxLifetime: 2 * hour }
          const deadline = (yield* now) + 2 * hour
          let { key } = yield* save(store, [["a", "1"]], lifetime)
          for (const expected of [deadline - hour / 2, deadline, deadline]) {
            yield* TestClock.adjust(hour / 2)
            const saved = savedBy(yield* writes[verb](store, key, lifetime))
            assert.strictEqual(saved.expiresAt, expected)
            key = saved.key
            assert.strictEqual((yield* loadRecord(store, key)).expiresAt, expected)
          }
          yield* TestClock.adjust(hour / 2)
          yield* expectLoad(store, key, "Absent", "at the end of maxLifetime")
          yield* expectGone(store, key, verb, "at the end of maxLifetime", lifetime)
        })
    )
  ),
  ...verbsThatWrite.map((verb) =>
    contractCase(
      `${verb} goes by the maxLifetime of today, not by that of the session's beginning`,
      (store) =>
        Effect.gen(function*() {
          const start = yield* now
          const { key } = yield* save(store, [["a", "1"]], { ttl: 4 * hour, maxLifetime: undefined })
          yield* TestClock.adjust(hour)
          const limited = savedBy(yield* writes[verb](store, key, { ttl: 4 * hour, maxLifetime: 2 * hour }))
          assert.strictEqual(limited.expiresAt, start + 2 * hour, "a limit that came later")
          const longer = savedBy(yield* writes[verb](store, limited.key, { ttl: 4 * hour, maxLifetime: 3 * hour }))
          assert.strictEqual(longer.expiresAt, start + 3 * hour, "a longer one")
          const before = comparable(yield* loadRecord(store, longer.key))
          for (const maxLifetime of [hour, minute]) {
            yield* expectGone(store, longer.key, verb, "past a shorter one", { ttl: 4 * hour, maxLifetime })
          }
          assert.deepStrictEqual(comparable(yield* loadRecord(store, longer.key)), before, "what Gone has written")
        })
    )
  ),
  contractCase("updateTtl goes by the ttl of today: what it has ended is Gone, though it was written to live longer", (
    store
  ) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      yield* TestClock.adjust(minute)
      yield* expectGone(store, key, "updateTtl", "a minute after the last write, with a ttl of a minute", forMinute)
      const { key: refreshed } = savedBy(yield* store.updateTtl(key, livingFor(minute + 1)))
      yield* expectState(store, refreshed, [["a", "1"]])
    })),
  contractCase("the time of maxLifetime is cut to a whole millisecond", (store) =>
    Effect.gen(function*() {
      const { expiresAt, key } = yield* save(store, [], { ttl: hour, maxLifetime: minute + 0.75 })
      assert.strictEqual(expiresAt, (yield* now) + minute)
      const saved = savedBy(yield* store.update(key, changeOf([["a", "1"]]), { ttl: hour, maxLifetime: minute + 0.25 }))
      assert.strictEqual(saved.expiresAt, expiresAt)
      yield* expectState(store, saved.key, [["a", "1"]])
    })),
  contractCase(
    "a key that was superseded just before the session's limit is Absent at it",
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"]])
        yield* renewed(store, key, livingFor(SessionRecord.supersededWindow - 2))
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
