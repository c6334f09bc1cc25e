import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { connect } from "../support/webSocketClient.js"
import { visitor } from "./cookieJar.js"
import { runExample } from "./exampleProcess.js"

/** The first events of a stream that does not end. */
const firstEvents = (url: string, cookie: string, count: number) =>
  Effect.promise(async () => {
    const abort = new AbortController()
    const response = await fetch(url, { headers: { cookie }, signal: abort.signal })
    const decoder = new TextDecoder()
    let text = ""
    const reader = response.body!.getReader()
    while (text.split("\n\n").length <= count) {
      const { value } = await reader.read()
      text += decoder.decode(value, { stream: true })
    }
    abort.abort()
    return { type: response.headers.get("content-type"), events: text.split("\n\n").slice(0, count) }
  })

describe("streams and sockets example", () => {
  it.scopedLive("streams the time that the session has left, event by event", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("streamsAndSockets.ts")
      const ferris = visitor(url)
      yield* ferris.send("POST /login/ferris")
      const { events, type } = yield* firstEvents(`${url}/time-left`, ferris.cookie(), 2)
      assert.include(type, "text/event-stream")
      assert.lengthOf(events, 2)
      for (const event of events) {
        assert.match(event, /^data: (1d$|23h )/)
      }
      assert.deepStrictEqual((yield* firstEvents(`${url}/time-left`, "", 1)).events, ["data: none"])
    }))

  it.scopedLive("says back what it is told, and keeps the count when the socket ends", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("streamsAndSockets.ts")
      const { host, port } = new URL(url)
      const ferris = visitor(url)
      yield* ferris.send("POST /login/ferris")
      const socket = yield* Effect.promise(() =>
        connect(Number(port), "/chat", ferris.cookie(), { host, origin: `http://${host}` })
      )
      socket.send("hello")
      assert.strictEqual(yield* Effect.promise(socket.next), "ferris: hello")
      socket.send("again")
      assert.strictEqual(yield* Effect.promise(socket.next), "ferris: again")
      socket.close(1000)
      assert.isUndefined(yield* Effect.promise(socket.next))
      // The server stores it a moment after the client has seen the socket end.
      yield* ferris.send("GET /messages").pipe(
        Effect.filterOrFail((reply) => reply.text === "2\n", (reply) => `counted ${reply.text}`),
        Effect.retry(Schedule.spaced("50 millis"))
      )
    }))

  it.scopedLive("refuses a socket without a session, and one from another origin", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("streamsAndSockets.ts")
      const { host, port } = new URL(url)
      const ferris = visitor(url)
      yield* ferris.send("POST /login/ferris")
      const anonymous = yield* Effect.promise(() =>
        connect(Number(port), "/chat", undefined, { host, origin: `http://${host}` })
      )
      const foreign = yield* Effect.promise(() =>
        connect(Number(port), "/chat", ferris.cookie(), { host, origin: "http://elsewhere.example" })
      )
      assert.deepStrictEqual([anonymous.status, foreign.status], [403, 403])
    }))
})
