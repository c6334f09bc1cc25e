import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { runExample, startExample } from "./exampleProcess.js"

describe("RPC example", () => {
  it.scopedLive("knows its client over HTTP and over a WebSocket, and keeps its cart", () =>
    Effect.gen(function*() {
      const server = yield* runExample("rpc/server.ts")
      const client = yield* startExample("rpc/client.ts", { API_URL: server.url })
      assert.strictEqual(yield* client.ended, 0, client.output().stderr)
      const lines = client.output().stdout.trim().split("\n")
      // The two that were put in at once come in either order.
      assert.deepStrictEqual([...lines.slice(0, 3), ...lines.slice(3, 5).sort(), ...lines.slice(5)], [
        "Nobody knows me",
        "I am ferris",
        "3 articles",
        "- rope",
        "- soap",
        "- lamp",
        "A sign-in over the socket: NeedsCookie",
        "Nobody knows me"
      ])
    }))
})
