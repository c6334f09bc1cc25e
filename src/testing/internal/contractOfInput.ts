/**
 * Cases about what a state may hold: every key is a key of its own and every value comes back as it was, however odd or
 * large.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import type { Entries } from "./contractWords.js"
import { changeOf, conflictOf, expectState, hourly, loadRecord, save, savedBy } from "./contractWords.js"

/**
 * Keys that some backend somewhere takes for something else, or for one another.
 *
 * @internal
 */
const oddKeys: ReadonlyArray<string> = [
  // Nothing, space, and what a padded comparison cannot tell apart.
  "",
  " ",
  "  ",
  "a",
  "a ",
  " a",
  "a\0",
  "\0",
  "a\0b",
  "\t",
  "\r\n",
  "\u00A0",
  "\uFEFF",
  // Letters that a collation folds, and spellings that a normal form unites.
  "A",
  "á",
  "a\u0301",
  "\u1E9E",
  "ss",
  "ß",
  "\u0131",
  "I",
  "i",
  "K",
  "\u212A",
  "\uFB01",
  "fi",
  "0",
  "00",
  "0.0",
  "1",
  "01",
  "-1",
  "1e0",
  // Properties of every object.
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "length",
  "then",
  // What a store calls its own.
  "id",
  "_id",
  "_tag",
  "v",
  "version",
  "state",
  "data",
  "digest",
  "secret",
  "superseded",
  "createdAt",
  "expiresAt",
  "deadline",
  "ttl",
  "created_at",
  "expires_at",
  "=",
  "=a",
  "~a",
  "s:a",
  "state.a",
  "state:a",
  "$set",
  "$a",
  // What a query, a path or a protocol reads as its own.
  "*",
  "%",
  "_",
  "?",
  "a.b",
  "a/b",
  "a\\b",
  "../a",
  "a:b",
  "a,b",
  "a=b",
  "a;b",
  "'",
  "\"",
  "`",
  "' OR ''='",
  "; DROP TABLE sessions",
  "{a}",
  "[0]",
  "${a}",
  "null",
  "undefined",
  "true",
  // Outside of the basic plane, beside it, and halves of pairs, which UTF-8 cannot write.
  "\u{1F600}",
  "\u{1F600}\uFE0F",
  "\uD83D",
  "\uDE00",
  "\uDE00\uD83D",
  "a\uD800",
  "\uD800a",
  "\uD800",
  "\uDBFF",
  "\uFFFD",
  "\uFFFF",
  "\"\\ud800\"",
  "\\ud800",
  // Long, and different in the last place alone.
  `${"long ".repeat(200)}1`,
  `${"long ".repeat(200)}2`
]

const oddValues: ReadonlyArray<unknown> = [
  null,
  true,
  false,
  0,
  -0.5,
  1e21,
  5e-324,
  Number.MAX_SAFE_INTEGER,
  "",
  " ",
  "0",
  "null",
  "\0",
  "a\0b",
  "\\",
  "\"",
  "\r\n\t",
  "\u2028\u2029",
  "\uD800",
  "\uDE00\uD83D",
  "\u{1F600}",
  "e\u0301 é",
  "__proto__",
  "' OR ''='",
  [],
  {},
  [[], [[]], {}],
  { "": "", a: { b: [null] } },
  JSON.parse("{\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":1}}")
]

const byKey: Entries = oddKeys.map((key, i) => [key, String(i)] as const)

const byValue: Entries = oddValues.map((value, i) => [`value ${i}`, JSON.stringify(value)] as const)

const expectCleanPrototype = () => {
  assert.notProperty({}, "polluted")
  assert.strictEqual(Object.getPrototypeOf({}), Object.prototype)
}

const megabyte = JSON.stringify("0123456789abcdé\n".repeat(65_536))

const many: Entries = Array.from({ length: 1_000 }, (_, i) => [`key ${i}`, String(i)] as const)

/** @internal */
export const contractOfInput: ReadonlyArray<ContractCase> = [
  contractCase("save keeps every odd key apart from every other", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, byKey)
      yield* expectState(store, key, byKey)
      expectCleanPrototype()
    })),
  contractCase("update keeps every odd key apart from every other, set or removed", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [])
      const all = savedBy(yield* store.update(key, changeOf(byKey), hourly))
      yield* expectState(store, all.key, byKey)
      const odd = byKey.filter((_, i) => i % 2 === 1)
      const even = byKey.filter((_, i) => i % 2 === 0)
      const halved = savedBy(yield* store.update(all.key, changeOf([], { unset: odd.map(([key]) => key) }), hourly))
      yield* expectState(store, halved.key, even)
      const renewal = savedBy(
        yield* store.renew(halved.key, changeOf(odd, { unset: even.map(([key]) => key) }), hourly)
      )
      yield* expectState(store, renewal.key, odd)
      expectCleanPrototype()
    })),
  contractCase("expectations tell every odd key from every other", (store) =>
    Effect.gen(function*() {
      const odd = byKey.filter((_, i) => i % 2 === 1)
      const absent = byKey.filter((_, i) => i % 2 === 0).map(([key]) => [key, undefined] as const)
      const { key } = yield* save(store, odd)
      const saved = savedBy(yield* store.update(key, changeOf([], { expect: [...odd, ...absent] }), hourly))
      for (const [name, value] of absent) {
        const found = conflictOf(yield* store.update(saved.key, changeOf([], { expect: [[name, "1"]] }), hourly))
        assert.deepStrictEqual(new Map(found), new Map([[name, value]]))
      }
      for (const [name, value] of odd) {
        const found = conflictOf(yield* store.update(saved.key, changeOf([], { expect: [[name, undefined]] }), hourly))
        assert.deepStrictEqual(new Map(found), new Map([[name, value]]))
      }
    })),
  contractCase("every value comes back as the text that it was, saved or updated", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, byValue)
      yield* expectState(store, key, byValue)
      const reversed = byValue.map(([key], i) => [key, byValue.at(-1 - i)![1]] as const)
      const saved = savedBy(yield* store.update(key, changeOf(reversed, { expect: byValue }), hourly))
      yield* expectState(store, saved.key, reversed)
      expectCleanPrototype()
    })),
  contractCase(
    "a value of a megabyte is kept whole, or refused as TooLarge, and never cut",
    (store) =>
      Effect.gen(function*() {
        const created = yield* Effect.either(store.save(new Map([["a", megabyte]]), hourly))
        if (created._tag === "Right") {
          assert((yield* loadRecord(store, created.right.key)).state.get("a") === megabyte, "the value is another one")
        } else {
          assert.strictEqual(created.left.reason, "TooLarge")
        }
        const { key } = yield* save(store, [["a", "1"]])
        const updated = yield* Effect.either(store.update(key, changeOf([["a", megabyte]]), hourly))
        if (updated._tag === "Right") {
          const { state } = yield* loadRecord(store, savedBy(updated.right).key)
          assert(state.get("a") === megabyte, "the value is another one")
        } else {
          assert.strictEqual(updated.left.reason, "TooLarge")
          yield* expectState(store, key, [["a", "1"]])
        }
      })
  ),
  contractCase("a thousand keys are kept, saved, updated and removed at once", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, many)
      yield* expectState(store, key, many)
      const doubled = many.map(([key, value]) => [key, String(Number(value) * 2)] as const)
      const updated = savedBy(yield* store.update(key, changeOf(doubled, { expect: many }), hourly))
      yield* expectState(store, updated.key, doubled)
      const emptied = savedBy(
        yield* store.renew(updated.key, changeOf([], { unset: many.map(([key]) => key) }), hourly)
      )
      yield* expectState(store, emptied.key, [])
    }))
]
