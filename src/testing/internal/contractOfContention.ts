/**
 * Cases about calls that contend: no write is lost, and a delete is the last word.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { SessionKey } from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import type { ClockedVerbs } from "../../SessionStore.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import {
  changeOf,
  expectGone,
  expectLoad,
  expectState,
  hourly,
  loadRecord,
  save,
  savedBy,
  verbsThatWrite,
  writes
} from "./contractWords.js"

const all = { concurrency: "unbounded" } as const

const numbers = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

// Of n contenders the last may need n rounds; a store that lets nobody through would never come to an end.
const maxRounds = 1_000

/** Adds one to a number in the session, as often as it takes to find the number that it was computed from. */
const increment = (store: ClockedVerbs, key: SessionKey, name: string) =>
  Effect.gen(function*() {
    let text = (yield* loadRecord(store, key)).state.get(name)
    for (let round = 0; round < maxRounds; round++) {
      const next = String(Number(text ?? "0") + 1)
      const result = yield* store.update(key, changeOf([[name, next]], { expect: [[name, text]] }), hourly)
      if (result._tag !== "Conflict") {
        assert.strictEqual(result._tag, "Saved")
        return
      }
      text = result.found.get(name)
    }
    assert.fail(`an update met a Conflict ${maxRounds} times in a row`)
  })

/** @internal */
export const contractOfContention: ReadonlyArray<ContractCase> = [
  contractCase("of 50 parallel updates that set different keys, all are kept", (store) =>
    Effect.gen(function*() {
      const writers = numbers(50)
      const { key } = yield* save(store, [["kept", "1"]])
      yield* Effect.forEach(writers, (n) =>
        Effect.map(store.update(key, changeOf([[`key ${n}`, String(n)]]), hourly), savedBy), all)
      yield* expectState(store, key, [
        ["kept", "1"],
        ...writers.map((n) =>
          [`key ${n}`, String(n)] as const
        )
      ])
    }), { for: "Stores", clock: "Live" }),
  contractCase("parallel updates that set and remove different keys commute", (store) =>
    Effect.gen(function*() {
      const writers = numbers(20)
      const { key } = yield* save(store, writers.map((n) => [`old ${n}`, "1"] as const))
      yield* Effect.forEach(writers, (n) =>
        Effect.map(store.update(key, changeOf([[`new ${n}`, "2"]], { unset: [`old ${n}`] }), hourly), savedBy), all)
      yield* expectState(
        store,
        key,
        writers.map((n) =>
          [`new ${n}`, "2"] as const
        )
      )
    }), { for: "Stores", clock: "Live" }),
  contractCase("parallel loops of compare and set count exactly", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [])
      yield* Effect.forEach(numbers(16), () =>
        Effect.forEach(numbers(4), () => increment(store, key, "n"), { discard: true }), all)
      yield* expectState(store, key, [["n", "64"]])
    }), { for: "Stores", clock: "Live" }),
  contractCase("of parallel updates that expect a key to be absent, one writes it", (store) =>
    Effect.gen(function*() {
      for (let round = 0; round < 5; round++) {
        const { key } = yield* save(store, [])
        const results = yield* Effect.forEach(numbers(16), (n) =>
          store.update(key, changeOf([["winner", String(n)]], { expect: [["winner", undefined]] }), hourly), all)
        const winners = numbers(16).filter((n) =>
          results[n]!._tag === "Saved"
        )
        assert.strictEqual(winners.length, 1, "how many were let through")
        yield* expectState(store, key, [["winner", String(winners[0])]])
      }
    }), { for: "Stores", clock: "Live" }),
  ...[...verbsThatWrite, "any of them"].map((kind) =>
    contractCase(
      `a delete is the last word beside parallel calls of ${kind}, wherever it comes in between`,
      (store) =>
        Effect.gen(function*() {
          for (let position = 0; position <= 8; position++) {
            const { key } = yield* save(store, [["a", "1"]])
            const writers = numbers(8).map((n) => {
              const verb = verbsThatWrite.find((verb) => verb === kind) ?? verbsThatWrite[n % 3]!
              return writes[verb](store, key)
            })
            const end = Effect.as(store.delete(key), undefined)
            const results = yield* Effect.all([...writers.slice(0, position), end, ...writers.slice(position)], all)
            for (const result of results.filter((result) => result !== undefined)) {
              assert.include(["Saved", "Superseded", "Gone"], result._tag)
              if (result._tag === "Saved") {
                yield* expectLoad(store, result.key, "Absent", "after the delete, with a key that a write gave")
              }
            }
            yield* expectLoad(store, key, "Absent", "after the delete")
            yield* expectGone(store, key, "update", "after the delete")
          }
        }),
      { for: "Stores", clock: "Live" }
    )
  ),
  contractCase(
    "of parallel deletes one ends the session, and the others say that it was not them",
    (store) =>
      Effect.gen(function*() {
        const { key: old } = yield* save(store, [["a", "1"]])
        const current = savedBy(yield* store.renew(old, SessionRecord.noChange, hourly)).key
        const ended = yield* Effect.forEach(numbers(16), (n) => store.delete(n % 2 === 0 ? old : current), all)
        assert.strictEqual(ended.filter((isEnded) => isEnded).length, 1, "how many ended the session")
        yield* expectLoad(store, current, "Absent", "after the deletes")
      }),
    { for: "Stores", clock: "Live" }
  ),
  contractCase(
    "of parallel renewals one is carried out, and the others are superseded and write nothing",
    (store) =>
      Effect.gen(function*() {
        const writers = numbers(16)
        const { key } = yield* save(store, [["kept", "1"]])
        const results = yield* Effect.forEach(
          writers,
          (n) => store.renew(key, changeOf([[`key ${n}`, "1"]]), hourly),
          all
        )
        const winners = writers.filter((n) => results[n]!._tag === "Saved")
        assert.strictEqual(winners.length, 1, "how many renewals were carried out")
        assert.strictEqual(results.filter(({ _tag }) => _tag === "Superseded").length, 15, "how many were superseded")
        const current = savedBy(results[winners[0]!]!).key
        yield* expectState(store, current, [["kept", "1"], [`key ${winners[0]}`, "1"]])
        yield* expectLoad(store, key, "Superseded", "for the key that they all had")
      }),
    { for: "Stores", clock: "Live" }
  ),
  contractCase("an update beside a renewal is kept, or superseded and not there", (store) =>
    Effect.gen(function*() {
      const writers = numbers(20)
      const { key } = yield* save(store, [])
      const update = (n: number) => store.update(key, changeOf([[`key ${n}`, "1"]]), hourly)
      const results = yield* Effect.all([
        ...writers.slice(0, 10).map(update),
        store.renew(key, SessionRecord.noChange, hourly),
        ...writers.slice(10).map(update)
      ], all)
      const [renewal] = results.splice(10, 1)
      for (const result of results) {
        assert.include(["Saved", "Superseded"], result._tag)
      }
      yield* expectState(
        store,
        savedBy(renewal!).key,
        writers.filter((n) => results[n]!._tag === "Saved").map((n) => [`key ${n}`, "1"] as const)
      )
    }), { for: "Stores", clock: "Live" }),
  contractCase("parallel writes to different sessions stay apart", (store) =>
    Effect.gen(function*() {
      const sessions = yield* Effect.forEach(numbers(10), (n) => save(store, [["n", String(n)]]), all)
      yield* Effect.forEach(sessions, ({ key }, n) =>
        Effect.forEach(numbers(5), (i) =>
          store.update(key, changeOf([[`key ${i}`, String(n)]]), hourly), all), all)
      yield* Effect.forEach(sessions, ({ key }, n) =>
        expectState(store, key, [
          ["n", String(n)],
          ...numbers(5).map((i) =>
            [`key ${i}`, String(n)] as const
          )
        ]))
    }), { for: "Stores", clock: "Live" })
]
