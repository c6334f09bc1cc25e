/**
 * Cases about those who wait for the end of a session: what they find under its id, and that they are told.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as SessionKey from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import type { ClockedVerbs, EndingVerbs, SessionStore } from "../../SessionStore.js"
import { type ContractCase, contractCase } from "./contractCase.js"
import {
  changeOf,
  comparable,
  expectLoad,
  hour,
  hourly,
  livingFor,
  loadRecord,
  minute,
  now,
  renewed,
  save,
  savedBy
} from "./contractWords.js"

// Far longer than a message takes.
const toldWithin = "10 seconds"

const endingsOf = ({ endings }: SessionStore): EndingVerbs => {
  assert(endings !== undefined, "the store has no endings: tell the suite `hasEndings: false`")
  return endings
}

const find = (verbs: SessionStore, id: SessionKey.SessionId) =>
  Effect.flatMap(now, (now) => endingsOf(verbs).find(id, now))

const expectNone = (verbs: SessionStore, id: SessionKey.SessionId, when: string) =>
  Effect.map(find(verbs, id), (found) => assert(Option.isNone(found), `find shows a session, ${when}`))

/** What is found is what the current key opens. */
const expectFound = (
  store: ClockedVerbs,
  verbs: SessionStore,
  key: SessionKey.SessionKey,
  when: string
) =>
  Effect.gen(function*() {
    const found = yield* find(verbs, key.id)
    assert(Option.isSome(found), `find shows no session, ${when}`)
    assert.deepStrictEqual(
      comparable(found.value),
      comparable(yield* loadRecord(store, key)),
      `what find shows, ${when}`
    )
  })

const ends: {
  readonly [how: string]: (store: ClockedVerbs, key: SessionKey.SessionKey) => Effect.Effect<unknown, unknown>
} = {
  "it is deleted": (store, key) => store.delete(key),
  "it gives way to another": (store, key) =>
    Effect.flatMap(save(store, [["b", "2"]]), (successor) => store.delete(key, successor.key)),
  "it is deleted by a key that a renewal has replaced": (store, key) =>
    Effect.zipRight(renewed(store, key), store.delete(key))
}

/** @internal */
export const contractOfEndings: ReadonlyArray<ContractCase> = [
  contractCase("find shows a session as it is, and for as long as it lives", (store, verbs) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, [["a", "1"]], livingFor(hour))
      yield* expectNone(verbs, SessionKey.mintId(), "of an id that nobody has")
      yield* expectFound(store, verbs, key, "at once")
      yield* TestClock.adjust(minute)
      savedBy(yield* store.update(key, changeOf([["b", "2"]]), livingFor(hour)))
      yield* expectFound(store, verbs, key, "after a write")
      yield* TestClock.adjust(hour - 1)
      yield* expectFound(store, verbs, key, "a moment before it expires, which find has not put off")
      yield* TestClock.adjust(1)
      yield* expectNone(verbs, key.id, "at the moment it expires")
      yield* expectLoad(store, key, "Absent", "at the moment it expires")
    }), { for: "Stores" }),
  contractCase(
    "find shows a session whose keys are renewed, however long ago",
    (store, verbs) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "1"]], livingFor(12 * hour))
        let current = key
        for (let n = 0; n < 3; n++) {
          current = yield* renewed(store, current, livingFor(12 * hour))
          yield* TestClock.adjust(2 * SessionRecord.supersededRetention.millis)
          yield* expectFound(store, verbs, current, `after ${n + 1} renewals`)
        }
      }),
    { for: "Stores" }
  ),
  contractCase(
    "find shows no session that has ended, and not the one in its place either",
    (store, verbs) =>
      Effect.gen(function*() {
        for (const [how, end] of Object.entries(ends)) {
          const { key } = yield* save(store, [["a", "1"]])
          yield* end(store, key)
          yield* expectNone(verbs, key.id, `after ${how}`)
        }
      }),
    { for: "Stores" }
  ),
  contractCase(
    "who listens is told when the session ends, each of them, and nobody who has stopped",
    (store, verbs) =>
      Effect.gen(function*() {
        const { listen } = endingsOf(verbs)
        if (listen === undefined) {
          return
        }
        for (const [how, end] of Object.entries(ends)) {
          const { key } = yield* save(store, [["a", "1"]], hourly)
          let late = 0
          yield* Effect.scoped(listen(key.id, () => late++))
          const before = late
          const told = Effect.gen(function*() {
            const heard = yield* Deferred.make<void>()
            let hasEnded = false
            // What is told before is allowed, and no news.
            yield* listen(key.id, () => hasEnded && Deferred.unsafeDone(heard, Effect.void))
            return { begin: () => hasEnded = true, heard: Deferred.await(heard) }
          })
          yield* Effect.scoped(Effect.gen(function*() {
            const all = yield* Effect.replicateEffect(told, 3)
            all.forEach(({ begin }) => begin())
            yield* end(store, key)
            yield* Effect.forEach(all, ({ heard }) => heard).pipe(
              Effect.timeoutFail({
                duration: toldWithin,
                onTimeout: () => new Error(`somebody was not told that ${how}`)
              })
            )
          }))
          assert.strictEqual(late, before, "how often somebody was told who had stopped to listen")
        }
      }),
    { for: "Stores", clock: "Live" }
  )
]
