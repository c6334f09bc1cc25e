/**
 * Cases about secrets that are replaced by themselves: when it is time for a new one, who may go on with the one before and for how
 * long, and that a renewal leaves nobody a grace.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as SessionKey from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import { type ClockedVerbs, LoadResult, type Saved } from "../../SessionStore.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import {
  changeOf,
  comparable,
  conflictOf,
  ended,
  expectGone,
  expectLoad,
  expectState,
  expectSuperseded,
  fromCookie,
  hour,
  livingFor,
  load,
  loadRecord,
  minute,
  now,
  renewed,
  save,
  savedBy,
  verbsThatWrite,
  writes
} from "./contractWords.js"

const rotation = { every: 10 * minute, grace: minute, extend: true, mint: true }

/** Long enough for all that these cases let go by. */
const lasting = livingFor(12 * hour)

const rotate = (
  store: ClockedVerbs,
  key: SessionKey.SessionKey,
  options: {
    readonly change?: SessionRecord.SessionChange
    readonly lifetime?: SessionRecord.Lifetime
    readonly extend?: boolean
    readonly mint?: boolean
  } = {}
) => {
  assert(store.rotate !== undefined, "the store has no verb rotate: tell the suite `canRotate: false`")
  const { change = SessionRecord.noChange, extend = true, lifetime = lasting, mint = true } = options
  return store.rotate(key, change, lifetime, { ...rotation, extend, mint })
}

const rotated = (store: ClockedVerbs, key: SessionKey.SessionKey) => Effect.map(rotate(store, key), savedBy)

/** A session whose secret was replaced by itself: the key it had, and the one it has, which nobody has used yet. */
const rotatedSession = (store: ClockedVerbs) =>
  Effect.gen(function*() {
    const { key: old } = yield* save(store, [["a", "1"]], lasting)
    yield* TestClock.adjust(rotation.every)
    const { key } = yield* rotated(store, old)
    assert.notStrictEqual(SessionKey.toText(key), SessionKey.toText(old), "the key when a new one is due")
    return { old, current: fromCookie(store, key) }
  })

const expectOpen = (store: ClockedVerbs, key: SessionKey.SessionKey, when: string) =>
  Effect.gen(function*() {
    yield* expectLoad(store, key, "Live", when)
    for (const verb of ["update", "updateTtl"] as const) {
      savedBy(yield* writes[verb](store, key, lasting))
    }
  })

const expectReused = (store: ClockedVerbs, key: SessionKey.SessionKey, when: string) =>
  Effect.gen(function*() {
    yield* expectLoad(store, key, "Reused", when)
    for (const verb of verbsThatWrite) {
      yield* expectSuperseded(store, key, verb, when, lasting)
    }
    assert.strictEqual((yield* rotate(store, key))._tag, "Superseded", `rotate, ${when}`)
  })

const isSameKey = (store: ClockedVerbs, { key }: Pick<Saved, "key">, as: SessionKey.SessionKey): boolean =>
  SessionKey.toText(fromCookie(store, key)) === SessionKey.toText(as)

/** @internal */
export const contractOfRotation: ReadonlyArray<ContractCase> = [
  contractCase("rotate is an update where the secret is young", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]], lasting)
      yield* TestClock.adjust(rotation.every - 1)
      const saved = savedBy(yield* rotate(store, key, { change: changeOf([["b", "2"]], { unset: ["a"] }) }))
      assert.isTrue(isSameKey(store, saved, key), "the key of the answer")
      assert.isUndefined(saved.hasNewer)
      yield* expectState(store, key, [["b", "2"]])
      const { createdAt, expiresAt } = yield* loadRecord(store, key)
      assert.strictEqual(expiresAt, createdAt + rotation.every - 1 + lasting.ttl)
      assert.strictEqual(saved.expiresAt, expiresAt)
    }), { for: "Stores" }),
  contractCase(
    "rotate gives the session a new secret exactly when its secret is old, and keeps the id",
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"]], lasting)
        yield* TestClock.adjust(rotation.every)
        const saved = savedBy(yield* rotate(store, key, { change: changeOf([["b", "2"]]) }))
        assert.isFalse(isSameKey(store, saved, key), "the key of the answer")
        assert.strictEqual(saved.key.id, key.id)
        yield* expectState(store, saved.key, [["a", "1"], ["b", "2"]])
        yield* TestClock.adjust(rotation.every - 1)
        assert.isTrue(isSameKey(store, yield* rotated(store, saved.key), saved.key), "a moment before the next one")
        yield* TestClock.adjust(1)
        assert.isFalse(isSameKey(store, yield* rotated(store, saved.key), saved.key), "when the next one is due")
      }),
    { for: "Stores" }
  ),
  contractCase("a renewal makes a secret young as well", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [], lasting)
      yield* TestClock.adjust(rotation.every)
      const current = yield* renewed(store, key, lasting)
      yield* TestClock.adjust(rotation.every - 1)
      assert.isTrue(isSameKey(store, yield* rotated(store, current), current))
    }), { for: "Stores" }),
  contractCase(
    "the secret before opens the session for as long as nobody has used the new one",
    (store) =>
      Effect.gen(function*() {
        const { current, old } = yield* rotatedSession(store)
        yield* TestClock.adjust(2 * hour)
        yield* expectOpen(store, old, "long after the rotation")
        yield* expectOpen(store, current, "long after the rotation")
        savedBy(yield* rotate(store, old, { change: changeOf([["b", "2"]]) }))
        yield* expectState(store, current, [["a", "1"], ["b", "2"], ["written", "1"]])
      }),
    { for: "Stores" }
  ),
  contractCase("a write with the secret before tells that there is a newer one", (store) =>
    Effect.gen(function*() {
      const { current, old } = yield* rotatedSession(store)
      for (const verb of ["update", "updateTtl"] as const) {
        const saved = savedBy(yield* writes[verb](store, old, lasting))
        assert.isTrue(isSameKey(store, saved, old) && saved.hasNewer === true, verb)
        assert.isUndefined(savedBy(yield* writes[verb](store, current, lasting)).hasNewer, verb)
      }
      assert.isTrue((yield* rotated(store, old)).hasNewer)
    }), { for: "Stores" }),
  contractCase("load tells how the key stands to the others of its session", (store) =>
    Effect.gen(function*() {
      const standingOf = (key: SessionKey.SessionKey) =>
        Effect.map(store.load(key), (result) => result._tag === "Live" ? result.standing : result._tag)
      const { current, old } = yield* rotatedSession(store)
      const { createdAt } = yield* loadRecord(store, old)
      const since = { newestSince: createdAt + rotation.every }
      const newer = SessionKey.digest(current)
      assert.deepStrictEqual(yield* standingOf(old), { ...since, newer, isOpen: true, isAwaited: false })
      assert.deepStrictEqual(yield* standingOf(current), { ...since, newer: undefined, isOpen: true, isAwaited: true })
      yield* rotated(store, current)
      assert.deepStrictEqual(yield* standingOf(old), { ...since, newer, isOpen: false, isAwaited: false })
      assert.deepStrictEqual(yield* standingOf(current), { ...since, newer: undefined, isOpen: true, isAwaited: false })
    }), { for: "Stores" }),
  contractCase(
    "from the first use of the new secret on, the one before has its grace and no more",
    (store) =>
      Effect.gen(function*() {
        const { current, old } = yield* rotatedSession(store)
        yield* TestClock.adjust(5 * minute)
        assert.isTrue(isSameKey(store, yield* rotated(store, current), current))
        yield* TestClock.adjust(1_000)
        yield* rotated(store, current)
        yield* TestClock.adjust(rotation.grace - 1_001)
        yield* expectOpen(store, old, "a millisecond before the end of the grace")
        yield* TestClock.adjust(1)
        const before = comparable(yield* loadRecord(store, current))
        yield* expectReused(store, old, "at the end of the grace")
        const since = yield* now
        yield* TestClock.adjust(1)
        assert.deepStrictEqual(yield* load(store, old), LoadResult.Reused({ since }), "since when its grace is over")
        assert.deepStrictEqual(comparable(yield* loadRecord(store, current)), before, "the record")
        yield* TestClock.adjust(2 * hour)
        yield* expectReused(store, old, "hours after the grace")
        yield* expectLoad(store, current, "Live", "hours after the grace of the one before")
      }),
    { for: "Stores" }
  ),
  contractCase(
    "a new secret that was lost on its way is replaced, and waits for its first use as well",
    (store) =>
      Effect.gen(function*() {
        const { current: lost, old } = yield* rotatedSession(store)
        yield* TestClock.adjust(rotation.grace - 1)
        assert.isTrue(isSameKey(store, yield* rotated(store, old), old), "while it may be on its way")
        yield* TestClock.adjust(1)
        const { key: next } = yield* rotated(store, old)
        assert.isFalse(isSameKey(store, { key: next }, old), "once it is lost")
        for (const key of [old, lost, next]) {
          yield* expectLoad(store, key, "Live", "while nobody has used one of the new ones")
        }
        yield* rotated(store, lost)
        yield* TestClock.adjust(rotation.grace)
        yield* expectReused(store, old, "after the grace")
        yield* expectLoad(store, lost, "Live", "while nobody has used the newest one")
        yield* rotated(store, next)
        yield* TestClock.adjust(rotation.grace)
        yield* expectReused(store, lost, "after its own grace")
      }),
    { for: "Stores" }
  ),
  contractCase("the secret before gets no new one once the new one is in use", (store) =>
    Effect.gen(function*() {
      const { current, old } = yield* rotatedSession(store)
      yield* TestClock.adjust(rotation.every)
      const { key: next } = yield* rotated(store, current)
      yield* TestClock.adjust(rotation.grace - 1)
      const saved = yield* rotated(store, old)
      assert.isTrue(isSameKey(store, saved, old) && saved.hasNewer === true)
      yield* expectLoad(store, next, "Live", "after the old key was used in its grace")
    }), { for: "Stores" }),
  contractCase(
    "a renewal ends every grace at once, by whichever key it is asked for",
    (store) =>
      Effect.gen(function*() {
        for (const by of ["old", "current"] as const) {
          const session = yield* rotatedSession(store)
          const signedIn = yield* renewed(store, session[by], lasting)
          for (const key of [session.old, session.current]) {
            yield* expectLoad(store, key, "Superseded", `after a renewal by the ${by} key`)
            for (const verb of verbsThatWrite) {
              yield* expectSuperseded(store, key, verb, `after a renewal by the ${by} key`, lasting)
            }
            assert.strictEqual((yield* rotate(store, key))._tag, "Superseded")
          }
          yield* TestClock.adjust(SessionRecord.supersededWindow)
          yield* expectLoad(store, session.old, "Absent", "after the window")
          yield* expectLoad(store, signedIn, "Live", "after the window")
        }
      }),
    { for: "Stores" }
  ),
  contractCase("each key of a session ends it, in its grace and after it", (store) =>
    Effect.gen(function*() {
      for (const wait of [0, rotation.grace]) {
        const { current, old } = yield* rotatedSession(store)
        yield* rotated(store, current)
        yield* TestClock.adjust(wait)
        assert.isTrue(yield* store.delete(old), `the answer of delete after ${wait} ms`)
        for (const key of [old, current]) {
          yield* expectLoad(store, key, "Absent", "after the end")
          yield* expectGone(store, key, "update", "after the end", lasting)
          assert.strictEqual((yield* rotate(store, key))._tag, "Gone", "rotate after the end")
        }
      }
    }), { for: "Stores" }),
  contractCase(
    "a key whose grace has ended still ends what a renewal or another session has made of its own",
    (store) =>
      Effect.gen(function*() {
        for (const makes of ["a renewal", "a successor"] as const) {
          const { current, old } = yield* rotatedSession(store)
          yield* TestClock.adjust(3 * hour)
          yield* rotated(store, current)
          yield* TestClock.adjust(rotation.grace + 1_000)
          const { key: successor } = yield* save(store, [["b", "2"]], lasting)
          if (makes === "a renewal") {
            yield* renewed(store, current, lasting)
            assert.isTrue(
              yield* store.delete(old),
              "the answer of delete, by a key that opened the session a moment ago"
            )
          } else {
            assert.isTrue(yield* store.delete(current, successor))
            assert.deepStrictEqual(
              ended(yield* store.delete(old)),
              ended(SessionKey.fromDigest(successor.id, SessionKey.digest(successor)))
            )
          }
        }
      }),
    { for: "Stores" }
  ),
  contractCase(
    "rotate that may mint no secret notes the first use of one all the same",
    (store) =>
      Effect.gen(function*() {
        const { current, old } = yield* rotatedSession(store)
        yield* TestClock.adjust(rotation.every)
        const saved = savedBy(yield* rotate(store, current, { mint: false }))
        assert.isTrue(isSameKey(store, saved, current), "the key of the answer, though a new one is due")
        yield* TestClock.adjust(rotation.grace)
        yield* expectLoad(store, old, "Reused", "after the grace that begins with it")
      }),
    { for: "Stores" }
  ),
  contractCase(
    "who never comes with what it is given pushes no secret out of the list",
    (store) =>
      Effect.gen(function*() {
        const { old } = yield* rotatedSession(store)
        const given: Array<SessionKey.SessionKey> = []
        for (let n = 0; n < SessionRecord.supersededRetention.renewals + 2; n++) {
          yield* TestClock.adjust(rotation.grace)
          given.push((yield* rotated(store, old)).key)
        }
        yield* expectOpen(store, old, "after more renewals than are remembered")
        for (const key of given.slice(-SessionRecord.unusedRetention)) {
          yield* expectLoad(store, key, "Live", "for what was given last")
        }
        yield* rotated(store, given.at(-1)!)
        yield* TestClock.adjust(rotation.grace)
        yield* expectReused(store, old, "when what was given is used at last")
      }),
    { for: "Stores" }
  ),
  contractCase("a key in its grace is told when its session gives way to another", (store) =>
    Effect.gen(function*() {
      const { current, old } = yield* rotatedSession(store)
      yield* TestClock.adjust(5 * minute)
      const { key: successor } = yield* save(store, [["b", "2"]], lasting)
      assert.isTrue(yield* store.delete(current, successor))
      for (const key of [old, current]) {
        yield* expectLoad(store, key, "Replaced", "at once")
      }
      yield* TestClock.adjust(SessionRecord.supersededWindow)
      yield* expectLoad(store, old, "Absent", "after the window")
    }), { for: "Stores" }),
  contractCase("rotate leaves the expiry alone where it is told to", (store) =>
    Effect.gen(function*() {
      const { expiresAt, key } = yield* save(store, [["a", "1"]], lasting)
      yield* TestClock.adjust(rotation.every)
      const before = comparable(yield* loadRecord(store, key))
      const first = savedBy(yield* rotate(store, key, { extend: false }))
      assert.strictEqual(first.expiresAt, expiresAt)
      assert.isFalse(isSameKey(store, first, key))
      assert.strictEqual(savedBy(yield* rotate(store, first.key, { extend: false })).expiresAt, expiresAt)
      assert.deepStrictEqual(comparable(yield* loadRecord(store, first.key)), before)
      yield* TestClock.adjust(1)
      const last = savedBy(yield* rotate(store, first.key, { extend: true }))
      assert.strictEqual(last.expiresAt, expiresAt + rotation.every + 1)
    }), { for: "Stores" }),
  contractCase("rotate that conflicts, or comes past maxLifetime, does nothing", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]], lasting)
      yield* TestClock.adjust(rotation.every)
      const before = comparable(yield* loadRecord(store, key))
      const change = changeOf([["b", "2"]], { expect: [["a", "2"], ["c", "3"]] })
      assert.deepStrictEqual(conflictOf(yield* rotate(store, key, { change })), new Map([["a", "1"], ["c", undefined]]))
      const lifetime = { ttl: lasting.ttl, maxLifetime: rotation.every }
      assert.strictEqual((yield* rotate(store, key, { lifetime }))._tag, "Gone")
      assert.deepStrictEqual(comparable(yield* loadRecord(store, key)), before)
      assert.isFalse(isSameKey(store, yield* rotated(store, key), key), "the key of the next rotation")
    }), { for: "Stores" }),
  contractCase("parallel rotations mint one key, and none of their writes is lost", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [], lasting)
      yield* TestClock.adjust(rotation.every)
      const names = Array.from({ length: 20 }, (_, n) => `n${n}`)
      const results = yield* Effect.forEach(
        names,
        (name) => Effect.map(rotate(store, key, { change: changeOf([[name, "1"]]) }), savedBy),
        { concurrency: "unbounded" }
      )
      const minted = results.filter((saved) => !isSameKey(store, saved, key))
      assert.strictEqual(minted.length, 1, "new keys")
      assert.strictEqual(results.filter(({ hasNewer }) => hasNewer === true).length, names.length - 1, "told of it")
      yield* expectState(store, minted[0]!.key, names.map((name) => [name, "1"]))
    }), { for: "Stores" })
]
