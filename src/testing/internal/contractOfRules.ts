/**
 * The case that looks where nobody thought of looking: random calls in a random order, each answered as the pure rules of
 * `SessionRecord` answer it.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Runtime from "effect/Runtime"
import * as TestClock from "effect/TestClock"
import * as SessionKey from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import * as SessionStore from "../../SessionStore.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import { comparable, ended, fromCookie, hour, minute, now } from "./contractWords.js"

const names = FastCheck.constantFrom("", "a", "b", "c", "digest", "__proto__", "\uD800", "\uDFFF")
const values = FastCheck.constantFrom("1", "2", "\"é\"")
const states = FastCheck.array(FastCheck.tuple(names, values), { maxLength: 4 }).map((entries) => new Map(entries))
const ttls = FastCheck.constantFrom(minute, 2 * minute, hour, 3 * hour)
const lifetimes = FastCheck.record({
  ttl: ttls,
  maxLifetime: FastCheck.option(FastCheck.oneof(ttls, FastCheck.constantFrom(minute + 0.5, hour + 0.25)), {
    nil: undefined
  })
})
const expectations = FastCheck.array(FastCheck.tuple(names, FastCheck.option(values, { nil: undefined })), {
  maxLength: 2
}).map((entries) => new Map(entries))

const changes = FastCheck.record({
  set: states,
  unset: FastCheck.array(names, { maxLength: 3 }).map((keys) => new Set(keys)),
  // What is really there, as a caller who has read it expects it, or a guess.
  expect: FastCheck.oneof(
    { arbitrary: FastCheck.constant("Nothing" as const), weight: 3 },
    { arbitrary: FastCheck.constant("Truth" as const), weight: 2 },
    { arbitrary: expectations, weight: 2 }
  )
})

const rotations = FastCheck.record({
  every: FastCheck.constantFrom(1_000, minute, hour),
  grace: FastCheck.constantFrom(1, 1_000, minute),
  extend: FastCheck.boolean(),
  mint: FastCheck.boolean()
})

// 0 is the newest key.
const age = FastCheck.oneof(
  { arbitrary: FastCheck.constant(0), weight: 3 },
  { arbitrary: FastCheck.nat({ max: 5 }), weight: 2 }
)

const steps = FastCheck.array(
  FastCheck.oneof(
    {
      arbitrary: FastCheck.record({
        verb: FastCheck.constant("save" as const),
        state: states,
        lifetime: lifetimes
      }),
      weight: 2
    },
    { arbitrary: FastCheck.record({ verb: FastCheck.constant("load" as const), age }), weight: 3 },
    {
      arbitrary: FastCheck.record({
        verb: FastCheck.constantFrom("update" as const, "renew" as const, "rotate" as const),
        age,
        change: changes,
        lifetime: lifetimes,
        rotation: rotations
      }),
      weight: 10
    },
    {
      arbitrary: FastCheck.record({ verb: FastCheck.constant("updateTtl" as const), age, lifetime: lifetimes }),
      weight: 2
    },
    {
      arbitrary: FastCheck.record({ verb: FastCheck.constant("delete" as const), age, givesWay: FastCheck.boolean() }),
      weight: 2
    },
    { arbitrary: FastCheck.record({ verb: FastCheck.constant("forge" as const), age }), weight: 1 },
    {
      arbitrary: FastCheck.record({
        verb: FastCheck.constant("wait" as const),
        millis: FastCheck.constantFrom(1, 1_000, 9_999, 10_000, minute, hour)
      }),
      weight: 2
    }
  ),
  { minLength: 4, maxLength: 30, size: "max" }
)

type Step = typeof steps extends FastCheck.Arbitrary<Array<infer A>> ? A : never

/** What can be compared of an answer. */
const answerOf = (result: SessionStore.LoadResult | SessionStore.WriteResult): unknown =>
  "record" in result
    ? [result._tag, comparable(result.record), result.standing]
    : "key" in result
    ? [result._tag, result.expiresAt, result.hasNewer]
    : "since" in result
    ? [result._tag, result.since]
    : "found" in result
    ? [result._tag, new Map(result.found)]
    : [result._tag]

const ruleOf = (rewrite: SessionRecord.Rewrite, key: SessionKey.SessionKey, newKey?: SessionKey.SessionKey): unknown =>
  answerOf(rewrite._tag === "Replace" ? SessionStore.savedResult(rewrite.record, key, newKey) : rewrite)

/** The records and keys that the rules know of, beside the store that is to agree with them. */
const follow = (store: SessionStore.ClockedVerbs, steps: ReadonlyArray<Step>) =>
  Effect.gen(function*() {
    const records = new Map<string, SessionRecord.StoredRecord>()
    const keys: Array<SessionKey.SessionKey> = [SessionKey.mint()]
    const keyOfAge = (age: number) => keys[keys.length - 1 - age % keys.length]!

    const rewrite = (
      step: Step,
      result: SessionStore.WriteResult,
      rule: SessionRecord.Rewrite,
      key: SessionKey.SessionKey,
      newKey?: SessionKey.SessionKey
    ) => {
      assert.deepStrictEqual(answerOf(result), ruleOf(rule, key, newKey), `the answer of ${step.verb}`)
      if (rule._tag === "Replace") {
        records.set(rule.record.id, rule.record)
      }
    }

    for (const step of steps) {
      const at = yield* now
      switch (step.verb) {
        case "save": {
          const saved = yield* store.save(step.state, step.lifetime)
          const record = SessionRecord.create(saved.key, step.state, step.lifetime, at)
          assert.strictEqual(saved.expiresAt, record.expiresAt)
          records.set(record.id, record)
          keys.push(fromCookie(store, saved.key))
          break
        }
        case "load": {
          const key = keyOfAge(step.age)
          const rule = SessionStore.loadResult(records.get(key.id), key, at)
          assert.deepStrictEqual(answerOf(yield* store.load(key)), answerOf(rule), "the answer of load")
          break
        }
        case "update":
        case "rotate":
        case "renew": {
          const key = keyOfAge(step.age)
          const record = records.get(key.id)
          const expect = step.change.expect === "Nothing"
            ? new Map<string, string | undefined>()
            : step.change.expect === "Truth"
            ? new Map(["a", "b", ...(record?.state.keys() ?? [])].map((name) => [name, record?.state.get(name)]))
            : step.change.expect
          const change = { ...step.change, expect }
          if (step.verb === "update") {
            const result = yield* store.update(key, change, step.lifetime)
            rewrite(step, result, SessionRecord.update(record, key, change, step.lifetime, at), key)
            break
          }
          const result = step.verb === "renew"
            ? yield* store.renew(key, change, step.lifetime)
            : yield* store.rotate?.(key, change, step.lifetime, step.rotation) ?? Effect.void
          if (result === undefined) {
            break
          }
          const newKey = result._tag === "Saved" ? fromCookie(store, result.key) : key
          const rule = step.verb === "renew"
            ? SessionRecord.renew(record, key, newKey, change, step.lifetime, at)
            : SessionRecord.rotate(record, key, newKey, change, step.lifetime, step.rotation, at)
          rewrite(step, result, rule, key, newKey)
          keys.push(newKey)
          break
        }
        case "updateTtl": {
          const key = keyOfAge(step.age)
          const result = yield* store.updateTtl(key, step.lifetime)
          rewrite(step, result, SessionRecord.refresh(records.get(key.id), key, step.lifetime, at), key)
          break
        }
        case "delete": {
          const key = keyOfAge(step.age)
          const successor = step.givesWay ? SessionKey.mint() : undefined
          const [answer, trace] = SessionRecord.end(records.get(key.id), key, successor, at)
          if (trace === undefined) {
            records.delete(key.id)
          } else {
            records.set(key.id, trace)
          }
          assert.deepStrictEqual(ended(yield* store.delete(key, successor)), ended(answer), "the answer of delete")
          break
        }
        case "forge":
          keys.push(SessionKey.mintSecret(keyOfAge(step.age).id))
          break
        case "wait":
          yield* TestClock.adjust(step.millis)
          break
      }
    }

    const at = yield* now
    for (const key of keys) {
      const rule = SessionStore.loadResult(records.get(key.id), key, at)
      assert.deepStrictEqual(answerOf(yield* store.load(key)), answerOf(rule), "the answer of load in the end")
    }
  })

/** @internal */
export const contractOfRules: ReadonlyArray<ContractCase> = [
  contractCase(
    "random calls in a random order are answered as the rules in SessionRecord say",
    (store) =>
      Effect.flatMap(Effect.runtime<never>(), (runtime) =>
        Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(steps, (steps) => Runtime.runPromise(runtime)(follow(store, steps))),
            { numRuns: 100 }
          )
        )),
    { for: "Stores" }
  )
]
