/**
 * Cases about the verb that creates: a session that is stored under a new key, and never over another one.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/TestClock"
import { inspect } from "node:util"
import * as SessionKey from "../../SessionKey.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import {
  comparable,
  expectGone,
  expectLoad,
  expectState,
  hour,
  hourly,
  load,
  loadRecord,
  minute,
  now,
  save,
  verbsThatWrite
} from "./contractWords.js"
import { withDraws } from "./forcedDraws.js"

/** @internal */
export const contractOfCreation: ReadonlyArray<ContractCase> = [
  contractCase("what is saved is loaded: id, values and times", (store) =>
    Effect.gen(function*() {
      const start = yield* now
      const entries = [["a", "1"], ["b", "{\"c\":[true,null,\"two\"]}"]] as const
      const { expiresAt, key } = yield* save(store, entries, { ttl: minute, maxLifetime: hour })
      assert.strictEqual(expiresAt, start + minute, "expiresAt of the new session")
      yield* TestClock.adjust(1_000)
      assert.deepStrictEqual(comparable(yield* loadRecord(store, key)), {
        id: key.id,
        createdAt: start,
        extendedAt: start,
        expiresAt: start + minute,
        state: entries
      })
    })),
  contractCase(
    "a session without values is a session",
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [])
        assert.strictEqual((yield* loadRecord(store, key)).state.size, 0)
      })
  ),
  contractCase(
    "a state that is saved twice is two sessions",
    (store) =>
      Effect.gen(function*() {
        const state = new Map([["a", "1"]])
        const first = yield* store.save(state, hourly)
        const second = yield* store.save(state, hourly)
        assert.notStrictEqual(first.key.id, second.key.id)
      })
  ),
  contractCase(
    "an id that is taken is drawn again, and what is there stays as it was",
    (store) =>
      Effect.gen(function*() {
        const first = yield* save(store, [["first", "1"]])
        const before = comparable(yield* loadRecord(store, first.key))
        for (const taken of [1, 2]) {
          const ids = Array.from({ length: taken }, () => first.key.id)
          const second = yield* withDraws({ ids }, save(store, [["second", "2"]]))
          assert.notStrictEqual(second.key.id, first.key.id, "the id that was taken")
          yield* expectState(store, second.key, [["second", "2"]])
          assert.deepStrictEqual(comparable(yield* loadRecord(store, first.key)), before)
        }
      }),
    { for: "Stores" }
  ),
  contractCase("an unknown key is Absent, and no verb creates a session for it", (store) =>
    Effect.gen(function*() {
      const key = SessionKey.mint()
      yield* expectLoad(store, key, "Absent", "for an unknown key")
      for (const verb of verbsThatWrite) {
        yield* expectGone(store, key, verb, "for an unknown key")
        yield* expectLoad(store, key, "Absent", `after ${verb} for an unknown key`)
      }
      yield* store.delete(key)
      yield* expectLoad(store, key, "Absent", "after delete for an unknown key")
    }), { for: "Stores" }),
  contractCase("what a load hands out does not hold the secret", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]])
      const shown = inspect(yield* load(store, key), { depth: Infinity, showHidden: true })
      assert.notInclude(shown, Redacted.value(key.secret))
    }), { for: "Stores" })
]
