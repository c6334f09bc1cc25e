import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { visitor } from "./cookieJar.js"
import { runExample } from "./exampleProcess.js"

describe("counter example", () => {
  it.scopedLive("counts the visits of each visitor, on the port that it is told", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("counter.ts")
      const one = visitor(url)
      const other = visitor(url)
      assert.strictEqual((yield* one.send("GET /")).text, "Visit number 1\n")
      assert.strictEqual((yield* one.send("GET /")).text, "Visit number 2\n")
      assert.strictEqual((yield* other.send("GET /")).text, "Visit number 1\n")
    }))

  it.scopedLive("ends on SIGTERM", () =>
    Effect.gen(function*() {
      const counter = yield* runExample("counter.ts")
      yield* visitor(counter.url).send("GET /")
      counter.signal("SIGTERM")
      yield* counter.ended
    }))
})
