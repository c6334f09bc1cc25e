/**
 * Cases about who may do what: a wrong secret nothing, a secret that a renewal has replaced end the session and nothing
 * else, and nobody anything once the session has ended.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import * as SessionKey from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import type { ClockedVerbs } from "../../SessionStore.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import {
  changeOf,
  comparable,
  ended,
  expectGone,
  expectLoad,
  expectState,
  expectSuperseded,
  hourly,
  livingFor,
  loadRecord,
  renewed,
  save,
  savedBy,
  verbsThatWrite
} from "./contractWords.js"

const window = SessionRecord.supersededWindow
const { millis: retention, renewals } = SessionRecord.supersededRetention

/** A session that has been renewed once: the key it had, and the one it has. */
const supersededSession = (store: ClockedVerbs) =>
  Effect.gen(function*() {
    const { key: old } = yield* save(store, [["a", "1"]])
    return { old, current: yield* renewed(store, old) }
  })

const expectForeign = (store: ClockedVerbs, key: SessionKey.SessionKey, when: string) =>
  Effect.gen(function*() {
    yield* expectLoad(store, key, "Absent", when)
    for (const verb of verbsThatWrite) {
      yield* expectGone(store, key, verb, when)
    }
    assert.isFalse(yield* store.delete(key), `the answer of delete, ${when}`)
  })

/** What a superseded key may not do: nothing of the session changes by it, its expiry included. */
const expectOnlyToEnd = (
  store: ClockedVerbs,
  old: SessionKey.SessionKey,
  current: SessionKey.SessionKey,
  when: string
) =>
  Effect.gen(function*() {
    const before = comparable(yield* loadRecord(store, current))
    yield* TestClock.adjust(1)
    for (const verb of verbsThatWrite) {
      yield* expectSuperseded(store, old, verb, when)
    }
    const unmet = changeOf([["written", "1"]], { expect: [["a", "another"]] })
    for (const verb of ["update", "renew"] as const) {
      assert.strictEqual((yield* store[verb](old, unmet, hourly))._tag, "Superseded", `${verb} that conflicts, ${when}`)
    }
    assert.deepStrictEqual(comparable(yield* loadRecord(store, current)), before, `the record, ${when}`)
  })

/** A key that was right a moment ago is a late one inside the window, and like any other from its end on. */
const expectLate = (store: ClockedVerbs, key: SessionKey.SessionKey, tag: "Superseded" | "Replaced") =>
  Effect.gen(function*() {
    yield* expectLoad(store, key, tag, "at once")
    yield* TestClock.adjust(window - 1)
    yield* expectLoad(store, key, tag, "a millisecond before the end of the window")
    yield* TestClock.adjust(1)
    yield* expectLoad(store, key, "Absent", "at the end of the window")
  })

/** A session that has been renewed once and gave way to another: the two keys it had, and that of the other. */
const replacedSession = (store: ClockedVerbs) =>
  Effect.gen(function*() {
    const { current, old } = yield* supersededSession(store)
    const { key: successor } = yield* save(store, [["b", "2"]], livingFor(3 * retention))
    assert.isTrue(yield* store.delete(current, successor), "the answer of the delete that names a successor")
    return { old, current, successor, answer: ended(SessionKey.fromDigest(successor.id, SessionKey.digest(successor))) }
  })

/** @internal */
export const contractOfOwnership: ReadonlyArray<ContractCase> = [
  contractCase("a wrong secret opens nothing, writes nothing and ends nothing", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      const other = yield* save(store, [["b", "2"]])
      const before = comparable(yield* loadRecord(store, key))
      yield* TestClock.adjust(1_000)
      yield* expectForeign(store, SessionKey.mintSecret(key.id), "with a random secret")
      yield* expectForeign(
        store,
        SessionKey.make(key.id, Redacted.value(other.key.secret)),
        "with the secret of another session"
      )
      yield* expectForeign(store, SessionKey.make(key.id, SessionKey.digest(key)), "with the digest for a secret")
      assert.deepStrictEqual(comparable(yield* loadRecord(store, key)), before)
    }), { for: "Stores" }),
  contractCase("a wrong secret is as wrong after a renewal", (store) =>
    Effect.gen(function*() {
      const { current, old } = yield* supersededSession(store)
      const before = comparable(yield* loadRecord(store, current))
      yield* TestClock.adjust(1_000)
      yield* expectForeign(store, SessionKey.mintSecret(current.id), "with a random secret")
      yield* expectForeign(store, SessionKey.make(old.id, SessionKey.digest(old)), "with the digest of the old secret")
      assert.deepStrictEqual(comparable(yield* loadRecord(store, current)), before)
    }), { for: "Stores" }),
  contractCase("a deleted session stays deleted, whatever is written to it", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      yield* store.delete(key)
      for (let i = 0; i < 2; i++) {
        yield* expectForeign(store, key, "after the delete")
      }
    }), { for: "Stores" }),
  contractCase("delete may be repeated, and is no error where nothing is left", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      assert.isTrue(yield* store.delete(key), "the answer of the delete that ended the session")
      yield* store.delete(key)
    })),
  contractCase("delete ends one session and no other", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      const { key: other } = yield* save(store, [["b", "2"]])
      yield* store.delete(key)
      yield* expectState(store, other, [["b", "2"]])
    })),
  contractCase(
    "a renewal keeps the id, writes its change in the same step, and its key opens the session",
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"], ["b", "1"]])
        const result = savedBy(yield* store.renew(key, changeOf([["a", "2"], ["c", "3"]], { unset: ["b"] }), hourly))
        assert.strictEqual(result.key.id, key.id)
        yield* expectState(store, result.key, [["a", "2"], ["c", "3"]])
      })
  ),
  contractCase("a renewal draws a new secret each time", (store) =>
    Effect.gen(function*() {
      const { current, old } = yield* supersededSession(store)
      const third = yield* renewed(store, current)
      assert.strictEqual(new Set([old, current, third].map(({ secret }) => Redacted.value(secret))).size, 3)
    }), { for: "Stores" }),
  contractCase("an update leaves the key as it is, and the key opens what it wrote", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      const result = savedBy(yield* store.update(key, changeOf([["b", "2"]]), hourly))
      assert.strictEqual(SessionKey.toText(result.key), SessionKey.toText(key))
      yield* expectState(store, key, [["a", "1"], ["b", "2"]])
    }), { for: "Stores" }),
  contractCase(
    "load: a superseded key is Superseded inside the window, and Absent from its end on",
    (store) =>
      Effect.gen(function*() {
        const { current, old } = yield* supersededSession(store)
        yield* expectLate(store, old, "Superseded")
        yield* expectState(store, current, [["a", "1"]])
      }),
    { for: "Stores" }
  ),
  contractCase("load: the window of each superseded key is its own", (store) =>
    Effect.gen(function*() {
      const { current, old } = yield* supersededSession(store)
      yield* TestClock.adjust(window / 2)
      yield* renewed(store, current)
      yield* TestClock.adjust(window / 2)
      yield* expectLoad(store, old, "Absent", "a window after the first renewal")
      yield* expectLoad(store, current, "Superseded", "half a window after the second one")
    }), { for: "Stores" }),
  contractCase(
    "a superseded key writes, renews and refreshes nothing, inside the window and after it",
    (store) =>
      Effect.gen(function*() {
        const { current, old } = yield* supersededSession(store)
        yield* expectOnlyToEnd(store, old, current, "inside the window")
        yield* TestClock.adjust(window)
        yield* expectOnlyToEnd(store, old, current, "after the window")
        yield* expectState(store, savedBy(yield* store.update(current, changeOf([["b", "2"]]), hourly)).key, [
          ["a", "1"],
          ["b", "2"]
        ])
      }),
    { for: "Stores" }
  ),
  contractCase(
    "delete: a superseded key ends the session, for the current key, too",
    (store) =>
      Effect.gen(function*() {
        const { current, old } = yield* supersededSession(store)
        yield* TestClock.adjust(window)
        assert.isTrue(yield* store.delete(old), "the answer of a delete with a superseded key")
        yield* expectForeign(store, current, "after the delete with a superseded key")
        yield* expectForeign(store, old, "after its own delete")
      }),
    { for: "Stores" }
  ),
  contractCase(
    `a key is remembered for ${renewals} renewals and forgotten with the next`,
    (store) =>
      Effect.gen(function*() {
        const { current, old } = yield* supersededSession(store)
        let key = current
        for (let i = 1; i < renewals; i++) {
          key = yield* renewed(store, key)
        }
        yield* expectOnlyToEnd(store, old, key, "after as many renewals as are remembered")
        key = yield* renewed(store, key)
        yield* expectForeign(store, old, "after one renewal more than are remembered")
        yield* expectOnlyToEnd(store, current, key, "for the second key")
        yield* expectState(store, key, [["a", "1"]])
      }),
    { for: "Stores" }
  ),
  contractCase(
    "a superseded key is remembered for an hour, and forgotten at its end",
    (store) =>
      Effect.gen(function*() {
        const lifetime = livingFor(3 * retention)
        const { key: old } = yield* save(store, [["a", "1"]], lifetime)
        const second = yield* renewed(store, old, lifetime)
        yield* TestClock.adjust(retention - 2)
        const third = yield* renewed(store, second, lifetime)
        yield* expectOnlyToEnd(store, old, third, "a millisecond before an hour is over")
        yield* TestClock.adjust(1)
        yield* expectForeign(store, old, "an hour after it was superseded")
        yield* expectOnlyToEnd(store, second, third, "for the second key")
        yield* expectState(store, third, [["a", "1"]])
      }),
    { for: "Stores" }
  ),
  contractCase(
    "load: the key of a session that gave way to another is Replaced inside the window, and Absent from its end on",
    (store) =>
      Effect.gen(function*() {
        const { current, old, successor } = yield* replacedSession(store)
        yield* expectLoad(store, old, "Replaced", "for its earlier key")
        yield* expectLoad(store, SessionKey.mintSecret(current.id), "Absent", "with a wrong secret")
        yield* expectLate(store, current, "Replaced")
        yield* expectState(store, successor, [["b", "2"]])
      }),
    { for: "Stores" }
  ),
  contractCase("a session that gave way to another is Gone to whoever writes", (store) =>
    Effect.gen(function*() {
      const { current, old, successor } = yield* replacedSession(store)
      for (const key of [current, old, SessionKey.mintSecret(current.id)]) {
        for (const verb of verbsThatWrite) {
          yield* expectGone(store, key, verb, "after the session gave way")
        }
      }
      yield* expectLoad(store, current, "Replaced", "after the writes")
      yield* expectState(store, successor, [["b", "2"]])
    }), { for: "Stores" }),
  contractCase(
    "delete: who comes to end a session that gave way to another is told what ends the other",
    (store) =>
      Effect.gen(function*() {
        const { answer, current, old, successor } = yield* replacedSession(store)
        assert.isFalse(yield* store.delete(SessionKey.mintSecret(current.id)), "the answer to a wrong secret")
        for (const key of [current, old]) {
          assert.deepStrictEqual(ended(yield* store.delete(key)), answer, "the answer of a later delete")
        }
        const latest = yield* renewed(store, successor)
        const told = yield* store.delete(current, SessionKey.mint())
        assert.deepStrictEqual(ended(told), answer, "the answer of a later delete with a successor of its own")
        assert(typeof told !== "boolean")
        assert.isTrue(yield* store.delete(told), "the answer of the delete with what was told")
        yield* expectForeign(store, latest, "after its session has ended")
      }),
    { for: "Stores" }
  ),
  contractCase(
    "what a session gave way to is remembered for an hour, and forgotten at its end",
    (store) =>
      Effect.gen(function*() {
        const { answer, current } = yield* replacedSession(store)
        yield* TestClock.adjust(retention - 1)
        assert.deepStrictEqual(ended(yield* store.delete(current)), answer, "a millisecond before an hour is over")
        yield* TestClock.adjust(1)
        yield* expectForeign(store, current, "an hour after it gave way")
      }),
    { for: "Stores" }
  ),
  contractCase("delete: a wrong secret puts no session in the place of another", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      const { key: other } = yield* save(store, [["b", "2"]])
      assert.isFalse(yield* store.delete(SessionKey.mintSecret(key.id), other))
      yield* expectState(store, key, [["a", "1"]])
      const unknown = SessionKey.mint()
      assert.isFalse(yield* store.delete(unknown, other), "the answer for a session that nobody had")
      yield* expectForeign(store, unknown, "after a delete that names a successor")
    }), { for: "Stores" })
]
