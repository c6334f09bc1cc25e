/**
 * Cases about changes: they merge with what is there, and a value that is not the expected one lets nothing through.
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
  changeOf,
  comparable,
  conflictOf,
  expectState,
  fromCookie,
  hour,
  hourly,
  livingFor,
  loadRecord,
  save,
  savedBy
} from "./contractWords.js"

const verbsWithChange = ["update", "renew"] as const

/** @internal */
export const contractOfChanges: ReadonlyArray<ContractCase> = verbsWithChange.flatMap((verb) => [
  contractCase(
    `${verb} sets and removes the values of its change, and leaves the others`,
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["kept", "1"], ["replaced", "1"], ["removed", "1"]])
        const change = changeOf([["replaced", "2"], ["added", "2"]], { unset: ["removed", "never there"] })
        const saved = savedBy(yield* store[verb](key, change, hourly))
        yield* expectState(store, saved.key, [["added", "2"], ["kept", "1"], ["replaced", "2"]])
      })
  ),
  contractCase(`${verb} with no change keeps every value`, (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"], ["b", "2"]])
      const saved = savedBy(yield* store[verb](key, SessionRecord.noChange, hourly))
      yield* expectState(store, saved.key, [["a", "1"], ["b", "2"]])
    })),
  contractCase(`${verb} sets a key that its change both removes and sets`, (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      const change = changeOf([["a", "2"], ["b", "2"]], { unset: ["b", "a"] })
      const saved = savedBy(yield* store[verb](key, change, hourly))
      yield* expectState(store, saved.key, [["a", "2"], ["b", "2"]])
    })),
  contractCase(`${verb} may remove the last value, and the session goes on`, (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      const emptied = savedBy(yield* store[verb](key, changeOf([], { unset: ["a"] }), hourly))
      yield* expectState(store, emptied.key, [])
      const filled = savedBy(yield* store[verb](emptied.key, changeOf([["b", "2"]]), hourly))
      yield* expectState(store, filled.key, [["b", "2"]])
    })),
  contractCase(
    `${verb} writes where every expected value is there, and every expected absence`,
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"], ["b", "\"\""]])
        const change = changeOf([["a", "2"], ["c", "2"]], {
          unset: ["b"],
          expect: [["a", "1"], ["b", "\"\""], ["c", undefined], ["d", undefined]]
        })
        const saved = savedBy(yield* store[verb](key, change, hourly))
        yield* expectState(store, saved.key, [["a", "2"], ["c", "2"]])
      })
  ),
  contractCase(
    `${verb} answers Conflict where a value is not the expected one, writes nothing, and shows what is there`,
    (
      store
    ) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"], ["b", "null"], ["c", "\"\""]])
        const before = comparable(yield* loadRecord(store, key))
        yield* TestClock.adjust(1_000)
        const unmet = [
          [["a", "2"]],
          [["a", "1.0"]],
          [["a", undefined]],
          [["b", undefined]],
          [["c", undefined]],
          [["absent", "null"]],
          [["absent", "\"\""]],
          [["absent", ""]],
          [["a", "1"], ["b", "null"], ["absent", "1"]],
          [["absent", undefined], ["c", "null"]]
        ] as const
        for (const expect of unmet) {
          const change = changeOf([["a", "9"], ["new", "9"]], { unset: ["b"], expect })
          const found = conflictOf(yield* store[verb](key, change, livingFor(2 * hour)))
          assert.deepStrictEqual(
            new Map(found),
            new Map(expect.map(([name]) => [name, new Map(before.state).get(name)])),
            `what the Conflict over ${JSON.stringify(expect)} shows`
          )
          assert.deepStrictEqual(comparable(yield* loadRecord(store, key)), before, "the record after the Conflict")
        }
        savedBy(yield* store.updateTtl(key, hourly))
      })
  ),
  contractCase(`${verb} tried again with what its Conflict shows goes through`, (store) =>
    Effect.gen(function*() {
      let { key } = yield* save(store, [["n", "1"]])
      key = fromCookie(store, savedBy(yield* store.update(key, changeOf([["n", "2"], ["other", "1"]]), hourly)).key)
      const found = conflictOf(yield* store[verb](key, changeOf([["n", "2"]], { expect: [["n", "1"]] }), hourly))
      const retried = changeOf([["n", "3"]], { expect: [["n", found.get("n")]] })
      const saved = savedBy(yield* store[verb](key, retried, hourly))
      yield* expectState(store, saved.key, [["n", "3"], ["other", "1"]])
    }))
])
