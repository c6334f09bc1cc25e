import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { makeSendCommand } from "../../src/internal/redisCommand.js"

const limit = Duration.millis(50)

/** A way to send what never reaches a server: these tests are about time. */
const makeSend = () => {
  const client = { hgetall: () => never, evalsha: () => never, eval: () => never }
  const seen = { drops: 0 }
  return { seen, send: makeSendCommand({ client, dropIfReady: () => seen.drops++ }, limit) }
}

const never = new Promise<never>(() => {})

const replyError = (message: string) => Object.assign(new Error(message), { name: "ReplyError" })

describe("redisCommand", () => {
  it.effect("a call that is not answered ends in time, also where it cannot be interrupted, and costs the connection", () =>
    Effect.gen(function*() {
      const { seen, send } = makeSend()
      const failure = yield* Effect.flip(Effect.uninterruptible(send("load", () => never)))
      assert.strictEqual(failure.reason, "Unavailable")
      assert.strictEqual(failure.message, "Redis did not answer \"load\" within 50ms")
      assert.strictEqual(seen.drops, 1)
    }))

  it.effect("a call that runs out of time while others are answered does not cost the connection", () =>
    Effect.gen(function*() {
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
        assert.strictEqual((yield* slow.await)._tag, "Success")
        assert.strictEqual(seen.drops, 0)
      }
    }))

  it.effect("a failed connection is no answer", () =>
    Effect.gen(function*() {
      const { seen, send } = makeSend()
      const slow = yield* Effect.fork(Effect.flip(send("load", () => never)))
      yield* Effect.yieldNow()
      yield* Effect.flip(send("load", () => Promise.reject(new Error("Connection is closed."))))
      yield* slow.await
      assert.strictEqual(seen.drops, 1)
    }))

  it.live("a call that was interrupted does nothing later", () =>
    Effect.gen(function*() {
      const { seen, send } = makeSend()
      const fiber = yield* Effect.fork(send("load", () => never))
      yield* Effect.yieldNow()
      yield* fiber.interruptAsFork(fiber.id())
      assert.strictEqual((yield* fiber.await)._tag, "Failure")
      yield* Effect.sleep(Duration.times(limit, 2))
      assert.strictEqual(seen.drops, 0)
    }))
})
