import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { makeSendCommand } from "../../../src/internal/redis/redisCommand.js"
import { handTimers, heldLimit } from "../../support/handTimers.js"

/** A way to send what never reaches a server: these tests are about time. */
const makeSend = () => {
  const client = { hgetall: () => never, evalsha: () => never, eval: () => never }
  const seen = { drops: 0 }
  const connection = { client, dropIfReady: () => seen.drops++, leaveReplica: () => {} }
  const send = makeSendCommand(connection, Duration.decode(heldLimit))
  return { seen, send }
}

const never = new Promise<never>(() => {})

const replyError = (message: string) => Object.assign(new Error(message), { name: "ReplyError" })

describe("redisCommand", () => {
  it.scoped("a call that is not answered ends with its limit, also where it cannot be interrupted, and costs the connection", () =>
    Effect.gen(function*() {
      const { elapsing } = yield* handTimers
      const { seen, send } = makeSend()
      const failure = yield* elapsing(Effect.flip(Effect.uninterruptible(send("load", () => never))))
      assert.strictEqual(failure.reason, "Unavailable")
      assert.strictEqual(failure.message, "Redis did not answer \"load\" within 1h")
      assert.strictEqual(seen.drops, 1)
    }))

  it.scoped("a call that runs out of time while others are answered does not cost the connection", () =>
    Effect.gen(function*() {
      const { elapse } = yield* handTimers
      for (
        const answer of [
          () => Promise.resolve("answer"),
          () => Promise.reject(replyError("ERR an answer as well"))
        ]
      ) {
        const { seen, send } = makeSend()
        const slow = yield* Effect.fork(Effect.flip(send("load", () => never)))
        yield* Effect.yieldNow()
        yield* Effect.ignore(send("load", answer))
        elapse()
        assert.strictEqual((yield* slow.await)._tag, "Success")
        assert.strictEqual(seen.drops, 0)
      }
    }))

  it.scoped("a failed connection is no answer", () =>
    Effect.gen(function*() {
      const { elapse } = yield* handTimers
      const { seen, send } = makeSend()
      const slow = yield* Effect.fork(Effect.flip(send("load", () => never)))
      yield* Effect.yieldNow()
      yield* Effect.flip(send("load", () => Promise.reject(new Error("Connection is closed."))))
      elapse()
      yield* slow.await
      assert.strictEqual(seen.drops, 1)
    }))

  it.scoped("a call that was interrupted does nothing later", () =>
    Effect.gen(function*() {
      const { elapse, idle } = yield* handTimers
      for (const before of [Effect.void, Effect.sync(elapse)]) {
        const { seen, send } = makeSend()
        const fiber = yield* Effect.fork(send("load", () => never))
        yield* Effect.yieldNow()
        yield* before
        yield* fiber.interruptAsFork(fiber.id())
        assert.strictEqual((yield* fiber.await)._tag, "Failure")
        elapse()
        yield* idle
        assert.strictEqual(seen.drops, 0)
      }
    }))
})
