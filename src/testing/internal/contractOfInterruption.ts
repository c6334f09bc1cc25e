/**
 * Cases about calls that are interrupted, as by a time limit or a client that went away: the record is as before or as
 * after, and whole.
 *
 * A backend may carry out what was sent to it after the caller has stopped listening, so that a case never says which of
 * the two it is.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as SessionKey from "../../SessionKey.js"
import type { SessionState } from "../../SessionRecord.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import type { Entries } from "./contractWords.js"
import {
  changeOf,
  expectLoad,
  expectState,
  expectSuperseded,
  hourly,
  load,
  loadRecord,
  save,
  savedBy
} from "./contractWords.js"
import { withDraws } from "./forcedDraws.js"

const turnOfEventLoop = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

// A store in this process is somewhere else with every yield, one behind a socket with every turn of the event loop.
const moments: ReadonlyArray<Effect.Effect<void>> = [
  ...Array.from({ length: 24 }, (_, yields) => Effect.repeatN(Effect.yieldNow(), yields)),
  ...[1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128].map((turns) => Effect.repeatN(turnOfEventLoop, turns - 1))
]

/** Begins the call, interrupts it at the moment, and lets no other failure pass than the interruption. */
const interruptAt = <A, E>(moment: Effect.Effect<void>, call: Effect.Effect<A, E>): Effect.Effect<void, E> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(Effect.interruptible(call))
    yield* moment
    const exit = yield* Fiber.interrupt(fiber)
    if (Exit.isFailure(exit) && !Cause.isInterruptedOnly(exit.cause)) {
      yield* Effect.failCause(exit.cause)
    }
  })

const parts = Array.from({ length: 20 }, (_, i) => `part ${i}`)

/** A state whose values all say the same number, with a key that comes and goes. */
const whole = (n: number): Entries => [
  ...parts.map((part) => [part, String(n)] as const),
  ...(n % 2 === 0 ? [["even", String(n)] as const] : [])
]

const toWhole = (n: number) => changeOf(whole(n), { unset: ["even"] })

const expectWhole = (state: SessionState): number => {
  const n = Number(state.get(parts[0]!))
  assert.deepStrictEqual(new Map(state), new Map(whole(n)), "a state that was written in part")
  return n
}

/** @internal */
export const contractOfInterruption: ReadonlyArray<ContractCase> = [
  contractCase("save: the session is there whole, or not at all", (store) =>
    Effect.gen(function*() {
      for (const moment of moments) {
        const key = SessionKey.mint()
        const call = withDraws({ ids: [key.id], secrets: [key] }, store.save(new Map(whole(2)), hourly))
        yield* interruptAt(moment, call)
        const result = yield* load(store, key)
        if (result._tag === "Live") {
          assert.strictEqual(expectWhole(result.record.state), 2)
        } else {
          assert.strictEqual(result._tag, "Absent")
        }
      }
      yield* expectState(store, (yield* save(store, [["a", "1"]])).key, [["a", "1"]])
    }), { for: "Stores", clock: "Live" }),
  contractCase("update: the state is as before or as after", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, whole(0))
      for (const [n, moment] of moments.entries()) {
        yield* interruptAt(moment, store.update(key, toWhole(n + 1), hourly))
        assert.isAtMost(expectWhole((yield* loadRecord(store, key)).state), n + 1)
      }
      savedBy(yield* store.updateTtl(key, hourly))
    }), { for: "Stores", clock: "Live" }),
  contractCase("renew: the session is as before, or its old key is superseded", (store) =>
    Effect.gen(function*() {
      for (const moment of moments) {
        const { key } = yield* save(store, whole(0))
        yield* interruptAt(moment, store.renew(key, toWhole(1), hourly))
        const result = yield* load(store, key)
        if (result._tag === "Live") {
          assert.strictEqual(expectWhole(result.record.state), 0, "the state while the old key is current")
        } else {
          assert.strictEqual(result._tag, "Superseded")
          yield* expectSuperseded(store, key, "update", "once the renewal was carried out")
        }
        // The new key was lost with the call, and the one its owner has still ends the session.
        yield* store.delete(key)
        yield* expectLoad(store, key, "Absent", "after the delete")
      }
    }), { for: "Stores", clock: "Live" }),
  contractCase("updateTtl: no value is touched, and the key stays current", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, whole(0))
      for (const moment of moments) {
        yield* interruptAt(moment, store.updateTtl(key, hourly))
        assert.strictEqual(expectWhole((yield* loadRecord(store, key)).state), 0)
      }
    }), { for: "Stores", clock: "Live" }),
  contractCase("delete: the session is there whole, or not at all", (store) =>
    Effect.gen(function*() {
      for (const moment of moments) {
        const { key } = yield* save(store, whole(0))
        yield* interruptAt(moment, store.delete(key))
        const result = yield* load(store, key)
        if (result._tag === "Live") {
          assert.strictEqual(expectWhole(result.record.state), 0)
        } else {
          assert.strictEqual(result._tag, "Absent")
        }
        yield* store.delete(key)
        yield* expectLoad(store, key, "Absent", "after the second delete")
      }
    }), { for: "Stores", clock: "Live" }),
  contractCase("load: a reader that goes away leaves the session to others", (store) =>
    Effect.gen(function*() {
      const { key } = yield* save(store, whole(0))
      for (const moment of moments) {
        yield* interruptAt(moment, load(store, key))
      }
      assert.strictEqual(expectWhole((yield* loadRecord(store, key)).state), 0)
    }), { for: "Stores", clock: "Live" })
]
