import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { callWithin } from "../../../src/internal/port/boundedCall.js"
import { handTimers, heldLimit } from "../../support/handTimers.js"
import { nap } from "../../support/settle.js"

const limit = Duration.seconds(5)

const within = <A, E>(call: Effect.Effect<A, E>) => callWithin<A, E | "too slow">(call, limit, () => "too slow")

describe("a call with a time limit", () => {
  it.effect("answers, fails and dies as the call does", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Effect.exit(within(Effect.succeed(1))), Exit.succeed(1))
      assert.deepStrictEqual(yield* Effect.exit(within(Effect.fail("a reason"))), Exit.fail("a reason"))
      assert.deepStrictEqual(yield* Effect.exit(within(Effect.die("a defect"))), Exit.die("a defect"))
    }))

  it.effect("runs with what its caller's fiber holds", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("outside")
      assert.strictEqual(yield* Effect.locally(within(FiberRef.get(ref)), ref, "inside"), "inside")
    }))

  for (const isInterruptible of [true, false]) {
    it.effect(
      `fails at the limit and stops the call, where the caller can${isInterruptible ? "" : "not"} be interrupted`,
      () =>
        Effect.gen(function*() {
          const stopped = yield* Deferred.make<void>()
          const call = within(Effect.onInterrupt(Effect.never, () => Deferred.succeed(stopped, undefined)))
          const caller = yield* Effect.fork(Effect.exit(isInterruptible ? call : Effect.uninterruptible(call)))
          yield* TestClock.adjust("4999 millis")
          assert.isNull(yield* Effect.map(Fiber.poll(caller), (exit) => exit._tag === "None" ? null : exit))
          yield* TestClock.adjust("1 millis")
          assert.deepStrictEqual(yield* Fiber.join(caller), Exit.fail("too slow" as const))
          yield* Deferred.await(stopped)
        })
    )
  }

  it.effect("waits no longer than the limit for a call that lets nothing interrupt it", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const call = Effect.uninterruptible(Deferred.await(gate))
      const caller = yield* Effect.fork(Effect.exit(within(call)))
      yield* TestClock.adjust(limit)
      assert.deepStrictEqual(yield* Fiber.join(caller), Exit.fail("too slow" as const))
      yield* Deferred.succeed(gate, undefined)
    }))

  it.effect("goes on to its end though its caller is interrupted, where that one cannot be", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const begun = yield* Deferred.make<void>()
      let answer: Exit.Exit<string, unknown> | undefined
      const call = Effect.as(Effect.zipRight(Deferred.succeed(begun, undefined), Deferred.await(gate)), "done")
      const caller = yield* Effect.fork(
        Effect.uninterruptible(Effect.map(Effect.exit(within(call)), (exit) => answer = exit))
      )
      yield* Deferred.await(begun)
      yield* Fiber.interruptFork(caller)
      yield* Effect.repeatN(Effect.yieldNow(), 20)
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.await(caller)
      assert.deepStrictEqual(answer, Exit.succeed("done"))
    }))

  it.effect("is stopped with its caller, where that one can be interrupted", () =>
    Effect.gen(function*() {
      const begun = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const caller = yield* Effect.fork(within(
        Effect.onInterrupt(
          Effect.zipRight(Deferred.succeed(begun, undefined), Effect.never),
          () => Deferred.succeed(stopped, undefined)
        )
      ))
      yield* Deferred.await(begun)
      yield* Fiber.interrupt(caller)
      yield* Deferred.await(stopped)
    }))

  it.scopedLive("goes by the clock of the system where nobody has another, and leaves no timer behind", () =>
    Effect.gen(function*() {
      const timers = yield* handTimers
      const held = <A>(call: Effect.Effect<A>) => callWithin(call, Duration.decode(heldLimit), () => "too slow")
      assert.deepStrictEqual(yield* timers.elapsing(Effect.exit(held(Effect.never))), Exit.fail("too slow"))
      assert.strictEqual(yield* held(Effect.as(Effect.yieldNow(), 1)), 1)
      const caller = yield* Effect.fork(held(Effect.never))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(caller)
      yield* timers.idle
    }))

  it.scopedLive("has all the time there is where its limit is longer than a timer can be", () =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      for (const limit of [Duration.infinity, Duration.days(25)]) {
        const caller = yield* Effect.fork(callWithin(Deferred.await(gate), limit, () => "too slow"))
        // A timer of that length would fire at once, and so before one that is set after it.
        yield* nap
        assert.isTrue(Option.isNone(yield* Fiber.poll(caller)))
        yield* Fiber.interrupt(caller)
      }
    }))
})
