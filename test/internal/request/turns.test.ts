import { assert, describe, it } from "@effect/vitest"
import type { SessionId } from "effect-session/SessionKey"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { Turns } from "../../../src/internal/request/turns.js"

const [one, other] = ["one" as SessionId, "other" as SessionId]

/** Lets every fiber go as far as it can. */
const settle = Effect.yieldNow().pipe(Effect.repeatN(20))

describe("turns", () => {
  it.effect("one has its turn at a time, and who came first goes first", () =>
    Effect.gen(function*() {
      const turns = new Turns()
      const gate = yield* Deferred.make<void>()
      const steps: Array<string> = []
      const step = (name: string) =>
        turns.take(
          one,
          Effect.sync(() => steps.push(`${name} begins`)).pipe(
            Effect.zipRight(Deferred.await(gate)),
            Effect.zipRight(Effect.yieldNow()),
            Effect.zipRight(Effect.sync(() => steps.push(`${name} ends`)))
          )
        )
      const fibers = yield* Effect.forEach(["a", "b", "c"], (name) => Effect.fork(step(name)))
      yield* settle
      assert.deepStrictEqual(steps, ["a begins"])
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.joinAll(fibers)
      assert.deepStrictEqual(steps, ["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"])
    }))

  it.effect("sessions do not wait for each other", () =>
    Effect.gen(function*() {
      const turns = new Turns()
      const waiting = yield* Effect.fork(turns.take(one, Effect.never))
      yield* settle
      assert.strictEqual(yield* turns.take(other, Effect.succeed("its turn")), "its turn")
      yield* Fiber.interrupt(waiting)
    }))

  it.effect("are taken as long as somebody has one or waits for one, and forgotten afterwards", () =>
    Effect.gen(function*() {
      const turns = new Turns()
      assert.isFalse(turns.areTaken(one))
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.fork(turns.take(one, Deferred.await(gate)))
      const second = yield* Effect.fork(turns.take(one, Effect.never))
      yield* settle
      assert.isTrue(turns.areTaken(one))
      assert.isFalse(turns.areTaken(other))
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      assert.isTrue(turns.areTaken(one))
      yield* Fiber.interrupt(second)
      assert.isFalse(turns.areTaken(one))
    }))

  it.effect("go on after one that failed, died, or was interrupted while it waited or while it was on", () =>
    Effect.gen(function*() {
      const turns = new Turns()
      const failed = yield* Effect.exit(turns.take(one, Effect.fail("a reason")))
      assert.deepStrictEqual(failed, Exit.fail("a reason"))
      assert.isTrue(Exit.isFailure(yield* Effect.exit(turns.take(one, Effect.die("a defect")))))
      const on = yield* Effect.fork(turns.take(one, Effect.never))
      const waiting = yield* Effect.fork(turns.take(one, Effect.never))
      const last = yield* Effect.fork(turns.take(one, Effect.succeed("the last")))
      yield* settle
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(on)
      assert.strictEqual(yield* Fiber.join(last), "the last")
      assert.isFalse(turns.areTaken(one))
    }))
})
