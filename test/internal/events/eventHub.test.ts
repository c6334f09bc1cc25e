import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { Backlog, EventHub } from "../../../src/internal/events/eventHub.js"
import * as SessionEvent from "../../../src/SessionEvent.js"
import * as SessionKey from "../../../src/SessionKey.js"
import { settle } from "../../support/settle.js"

const ids = Array.from({ length: 4 }, () => SessionKey.mintId())
const id = ids[0]!

const refused = (reason: SessionEvent.RefusalReason, of?: SessionKey.SessionId) =>
  SessionEvent.KeyRefused({ reason, id: of, count: 1 })

const taken = (kept: number, events: ReadonlyArray<SessionEvent.Happening>) => {
  const backlog = new Backlog(kept)
  events.forEach((event) => backlog.add(event))
  return Chunk.toReadonlyArray(backlog.takeAll())
}

const anyEvent: FastCheck.Arbitrary<SessionEvent.Happening> = FastCheck.oneof(
  FastCheck.constantFrom(...ids).chain((id) =>
    FastCheck.constantFrom<SessionEvent.Happening>(
      SessionEvent.Created({ id }),
      SessionEvent.Renewed({ id }),
      SessionEvent.Purged({ id }),
      SessionEvent.KeyExpired({ id }),
      refused("MalformedRecord", id)
    )
  ),
  FastCheck.constantFrom(refused("BrokenSeal"), refused("MalformedKey"), refused("TooManyCookies"))
)

const weightOf = (event: SessionEvent.SessionEvent): number =>
  event._tag === "KeyRefused" || event._tag === "Missed" ? event.count : 1

const kindOf = (event: SessionEvent.SessionEvent): string => event._tag === "Missed" ? event.kind : event._tag

const weights = (events: ReadonlyArray<SessionEvent.SessionEvent>) => {
  const sums: Record<string, number> = {}
  for (const event of events) {
    sums[kindOf(event)] = (sums[kindOf(event)] ?? 0) + weightOf(event)
  }
  return sums
}

describe("what waits for a listener", () => {
  it("comes in the order in which it happened, and once", () => {
    const backlog = new Backlog(8)
    const events = [SessionEvent.Created({ id }), SessionEvent.Renewed({ id }), SessionEvent.Created({ id: ids[1]! })]
    events.forEach((event) => backlog.add(event))
    assert.isFalse(backlog.isEmpty)
    assert.deepStrictEqual(Chunk.toReadonlyArray(backlog.takeAll()), events)
    assert.isTrue(backlog.isEmpty)
    assert.deepStrictEqual(Chunk.toReadonlyArray(backlog.takeAll()), [])
  })

  it("is counted together where it is a refusal of one reason, where the first of them stood", () => {
    assert.deepStrictEqual(
      taken(8, [
        refused("BrokenSeal"),
        SessionEvent.Created({ id }),
        refused("BrokenSeal"),
        refused("MalformedKey"),
        refused("MalformedRecord", ids[1]),
        refused("BrokenSeal"),
        refused("MalformedRecord", ids[2])
      ]),
      [
        SessionEvent.KeyRefused({ reason: "BrokenSeal", id: undefined, count: 3 }),
        SessionEvent.Created({ id }),
        refused("MalformedKey"),
        refused("MalformedRecord", ids[1]),
        refused("MalformedRecord", ids[2])
      ]
    )
  })

  it("is bounded for each kind: the oldest of that kind goes, and is told of in its place", () => {
    const flood = Array.from({ length: 100 }, (_, index) => SessionEvent.KeyExpired({ id: ids[index % 4]! }))
    assert.deepStrictEqual(
      taken(2, [SessionEvent.Created({ id }), ...flood, SessionEvent.Purged({ id })]),
      [
        SessionEvent.Created({ id }),
        SessionEvent.Missed({ kind: "KeyExpired", count: 98 }),
        SessionEvent.KeyExpired({ id: ids[2]! }),
        SessionEvent.KeyExpired({ id: ids[3]! }),
        SessionEvent.Purged({ id })
      ]
    )
  })

  it("a refusal that was lost is begun to be counted anew", () => {
    assert.deepStrictEqual(
      taken(2, [
        refused("BrokenSeal"),
        refused("BrokenSeal"),
        refused("MalformedKey"),
        refused("TooManyCookies"),
        refused("BrokenSeal")
      ]),
      [
        SessionEvent.Missed({ kind: "KeyRefused", count: 3 }),
        refused("TooManyCookies"),
        refused("BrokenSeal")
      ]
    )
  })

  it("of any events in any order, each is handed out or counted, within bounds, and the rest is in order", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(anyEvent, { maxLength: 200 }),
        FastCheck.integer({ min: 1, max: 20 }),
        (events, kept) => {
          const all = taken(kept, events)
          assert.deepStrictEqual(weights(all), weights(events))
          const told = all.filter((event) => event._tag !== "Missed")
          const counts = weights(told.map((event) => event._tag === "KeyRefused" ? { ...event, count: 1 } : event))
          assert.isTrue(Object.values(counts).every((count) => count <= kept))
          const unrefused = told.filter((event) => event._tag !== "KeyRefused")
          const happened = events.filter((event) => event._tag !== "KeyRefused")
          let from = 0
          for (const event of unrefused) {
            from = happened.indexOf(event, from) + 1
            assert.isAbove(from, 0)
          }
        }
      )
    )
  })
})

describe("the hub", () => {
  it.effect("wakes each listener, lets go of one that has left, and keeps nothing for nobody", () =>
    Effect.gen(function*() {
      const hub = new EventHub()
      hub.publish(SessionEvent.Created({ id }))
      const two = yield* Effect.fork(Stream.runCollect(Stream.take(hub.events, 2)))
      const one = yield* Effect.fork(Stream.runCollect(Stream.take(hub.events, 1)))
      const left = yield* Effect.fork(Stream.runDrain(hub.events))
      yield* settle
      yield* Fiber.interrupt(left)
      hub.publish(SessionEvent.Renewed({ id }))
      yield* settle
      hub.publish(SessionEvent.Purged({ id }))
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(two)), [
        SessionEvent.Renewed({ id }),
        SessionEvent.Purged({ id })
      ])
      assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(one)), [SessionEvent.Renewed({ id })])
      yield* settle
      assert.strictEqual(hub.listening, 0)
    }))
})
