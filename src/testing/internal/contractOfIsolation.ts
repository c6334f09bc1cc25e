/**
 * Cases about whose a map is: what a caller does to one before or after a call changes nothing in the store.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import { changeOf, conflictOf, expectState, hourly, loadRecord, save, savedBy, sorted, unmet } from "./contractWords.js"

/** Does what the type forbids, as code without types may. */
const spoil = (values: ReadonlyMap<string, string | undefined>): void => {
  const map = values as Map<string, string>
  map.set("a", "\"spoilt\"")
  map.set("spoilt", "1")
  map.delete("b")
}

/** @internal */
export const contractOfIsolation: ReadonlyArray<ContractCase> = [
  contractCase("the map that was saved stays its caller's", (store) =>
    Effect.gen(function*() {
      const mine = new Map([["a", "1"], ["b", "2"]])
      const { key } = yield* store.save(mine, hourly)
      spoil(mine)
      yield* expectState(store, key, [["a", "1"], ["b", "2"]])
    })),
  contractCase(
    "the change that was written stays its caller's, and is not written to",
    (store) =>
      Effect.gen(function*() {
        let { key } = yield* save(store, [["a", "1"], ["b", "2"]])
        for (const verb of ["update", "renew"] as const) {
          const change = {
            set: new Map([["a", "1"], ["c", "3"]]),
            unset: new Set(["d"]),
            expect: new Map([["b", "2"]])
          }
          key = savedBy(yield* store[verb](key, change, hourly)).key
          assert.deepStrictEqual([[...change.set], [...change.unset], [...change.expect]], [
            [["a", "1"], ["c", "3"]],
            ["d"],
            [["b", "2"]]
          ])
          spoil(change.set)
          spoil(change.expect)
          change.unset.add("a")
          yield* expectState(store, key, [["a", "1"], ["b", "2"], ["c", "3"]])
        }
      })
  ),
  contractCase("the map that a load or a Conflict hands out is its caller's", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"], ["b", "2"]])
      spoil((yield* loadRecord(store, key)).state)
      yield* expectState(store, key, [["a", "1"], ["b", "2"]])
      spoil(conflictOf(yield* store.update(key, unmet, hourly)))
      yield* expectState(store, key, [["a", "1"], ["b", "2"]])
    })),
  contractCase("a record that was loaded does not follow later writes", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"], ["b", "2"]])
      const record = yield* loadRecord(store, key)
      yield* store.update(key, changeOf([["a", "9"], ["c", "9"]], { unset: ["b"] }), hourly)
      assert.deepStrictEqual(sorted(record.state), [["a", "1"], ["b", "2"]])
      yield* store.delete(key)
      assert.deepStrictEqual(sorted(record.state), [["a", "1"], ["b", "2"]])
    }))
]
