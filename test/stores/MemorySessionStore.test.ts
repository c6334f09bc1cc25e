import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import { ExpiryBuckets } from "../../src/internal/memory/expiryBuckets.js"
import { livingFor } from "../support/lifetimes.js"

const minute = { ttl: 60_000, maxLifetime: undefined }
const state = new Map([["a", "1"]])

const makeStore = (options?: MemorySessionStore.MemorySessionStoreOptions) =>
  Effect.map(MemorySessionStore.make(options), SessionStore.withClock)

describe("MemorySessionStore", () => {
  it.effect("keeps no more than its capacity, and lets the oldest session go that nobody came back to", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity: 3 })
      const [first, second, third] = yield* Effect.all([1, 2, 3].map(() => store.save(state, minute)))
      yield* store.load(first!.key)
      const fourth = yield* store.save(state, minute)
      const found = yield* Effect.forEach([first!, second!, third!, fourth], ({ key }) => store.load(key))
      assert.deepStrictEqual(found.map((result) => result._tag), ["Live", "Absent", "Live", "Live"])
    }))

  it.effect("expired sessions make room before a live one has to go", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity: 2 })
      const long = yield* store.save(state, { ttl: 600_000, maxLifetime: undefined })
      yield* store.save(state, minute)
      yield* TestClock.adjust("2 minutes")
      yield* store.save(state, minute)
      assert.strictEqual((yield* store.load(long.key))._tag, "Live")
    }))

  it.effect("a session that is refreshed outlives the time it was first filed under", () =>
    Effect.gen(function*() {
      const store = yield* makeStore()
      const { key } = yield* store.save(state, minute)
      for (let i = 0; i < 5; i++) {
        yield* TestClock.adjust("50 seconds")
        assert.strictEqual((yield* store.updateTtl(key, livingFor(60_000)))._tag, "Saved")
      }
      yield* TestClock.adjust("59999 millis")
      assert.strictEqual((yield* store.load(key))._tag, "Live")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* store.load(key))._tag, "Absent")
    }))

  it.effect("what a caller does to its own map does not reach the stored state", () =>
    Effect.gen(function*() {
      const store = yield* makeStore()
      const mine = new Map([["a", "1"]])
      const { key } = yield* store.save(mine, minute)
      mine.set("a", "2")
      const result = yield* store.load(key)
      assert(result._tag === "Live")
      assert.strictEqual(result.record.state.get("a"), "1")
    }))

  it.effect("a capacity that is no positive integer is refused when the store is made", () =>
    Effect.gen(function*() {
      for (const capacity of [0, -1, 1.5, NaN, Infinity]) {
        const error = yield* Effect.flip(MemorySessionStore.make({ capacity }))
        assert.strictEqual(error._tag, "SessionStoreConfigError")
        assert.strictEqual(error.option, "capacity")
      }
    }))
})

describe("beyond the capacity", () => {
  const capacity = 1_000
  const isLive = (store: SessionStore.ClockedVerbs) => (saved: SessionStore.Saved) =>
    Effect.map(store.load(saved.key), ({ _tag }) => _tag === "Live")
  const begin = (store: SessionStore.ClockedVerbs, count: number) =>
    Effect.forEach(Array.from({ length: count }), () => store.save(state, minute))

  it.effect("sessions that nobody comes back to, in any number, put nobody out who came back", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity })
      const visitors = yield* begin(store, 800)
      yield* Effect.forEach(visitors, isLive(store))
      yield* begin(store, 20 * capacity)
      assert.strictEqual((yield* Effect.filter(visitors, isLive(store))).length, 800)
    }))

  it.effect("a new session lives until a fifth of the capacity has begun after it", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity })
      yield* Effect.forEach(yield* begin(store, 800), isLive(store))
      yield* begin(store, 10 * capacity)
      const saved = yield* store.save(state, minute)
      yield* begin(store, 199)
      assert.isTrue(yield* isLive(store)(saved))
    }))

  it.effect("a visitor who begins one session in the place of another, in any number, puts nobody out", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity })
      const visitors = yield* begin(store, 790)
      yield* Effect.forEach(visitors, isLive(store))
      let current = yield* store.save(state, minute)
      for (let round = 0; round < 5 * capacity; round++) {
        assert.isTrue(yield* isLive(store)(current))
        const next = yield* store.save(state, minute)
        assert.isTrue(yield* store.delete(current.key, next.key))
        current = next
      }
      assert.strictEqual((yield* Effect.filter(visitors, isLive(store))).length, 790)
    }))

  it.effect("what a session gave way to is remembered until a tenth of the capacity has given way after it", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity })
      const giveWay = Effect.gen(function*() {
        const [old, next] = [yield* store.save(state, minute), yield* store.save(state, minute)]
        yield* store.delete(old.key, next.key)
        return { old, next }
      })
      const { next, old } = yield* giveWay
      yield* Effect.replicateEffect(giveWay, 99)
      const told = yield* store.delete(old.key)
      assert(typeof told !== "boolean")
      assert.strictEqual(told.id, next.key.id)
      yield* giveWay
      assert.isFalse(yield* store.delete(old.key))
    }))

  it.effect("a store with room for one session keeps one, also of those that take each other's place", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity: 1 })
      const first = yield* store.save(state, minute)
      yield* store.delete(first.key, SessionKey.mint())
      const second = yield* store.save(state, minute)
      assert.isTrue(yield* isLive(store)(second))
      assert.isFalse(yield* isLive(store)(first))
    }))

  it.effect("where more came back than there is room for, those go first who were away the longest", () =>
    Effect.gen(function*() {
      const store = yield* makeStore({ capacity })
      const visitors = yield* begin(store, capacity)
      yield* Effect.forEach(visitors, isLive(store))
      yield* begin(store, 200)
      const live = yield* Effect.forEach(visitors, isLive(store))
      assert.deepStrictEqual(live, visitors.map((_, index) => index >= 200))
    }))
})

describe("ExpiryBuckets", () => {
  it("hands out every slot once, after its time and not before, in bounded portions", () => {
    const buckets = new ExpiryBuckets(100)
    for (let slot = 0; slot < 100; slot++) {
      buckets.add(slot, slot * 500)
    }
    assert.deepStrictEqual(buckets.take(0, 10), [0])
    const taken: Array<number> = []
    for (let now = 1_000; now <= 50_000; now += 1_000) {
      const portion = buckets.take(now, 10)
      assert.isAtMost(portion.length, 10)
      for (const slot of portion) {
        assert.isAtMost(slot * 500, now)
        taken.push(slot)
      }
    }
    assert.strictEqual(new Set(taken).size, 99)
    assert.strictEqual(taken.length, 99)
  })

  it("a removed slot is not handed out, wherever in its bucket it was", () => {
    for (const removed of [0, 1, 2]) {
      const buckets = new ExpiryBuckets(3)
      for (const slot of [0, 1, 2]) {
        buckets.add(slot, 500)
      }
      buckets.remove(removed)
      assert.deepStrictEqual(buckets.take(10_000, 10), [0, 1, 2].filter((slot) => slot !== removed))
    }
  })

  it("a portion that was not enough goes on with the next call", () => {
    const buckets = new ExpiryBuckets(25)
    for (let slot = 0; slot < 25; slot++) {
      buckets.add(slot, 1)
    }
    const sizes = [1, 2, 3, 4].map(() => buckets.take(1_000_000_000, 10).length)
    assert.deepStrictEqual(sizes, [10, 10, 5, 0])
  })

  // A laptop that slept: everything has expired in the meantime, in as many buckets as there are.
  it("after a long pause each call looks at what it takes, and not at all that has passed", () => {
    const count = 20_000
    const buckets = new ExpiryBuckets(count)
    for (let slot = 0; slot < count; slot++) {
      buckets.add(slot, 1_000 * slot)
    }
    const looked = bucketsLookedAt(() => assert.strictEqual(buckets.take(1_000 * 2 * count, 16).length, 16))
    // A heap of 20 000 has 15 levels.
    assert.isAtMost(looked, 16 * (15 + 5))
    let left = count - 16
    while (left > 0) {
      left -= buckets.take(1_000 * 2 * count, 16).length
    }
    assert.deepStrictEqual(buckets.take(1_000 * 2 * count, 16), [])
  })

  // The plainest thing that could do it: a list that is searched.
  it.prop("hands out what a list of slots in the order of their time would", [
    FastCheck.array(
      FastCheck.record({
        verb: FastCheck.constantFrom("add", "add", "remove", "take"),
        slot: FastCheck.nat(19),
        second: FastCheck.nat(15)
      }),
      { maxLength: 200, size: "max" }
    )
  ], ([steps]) => {
    const buckets = new ExpiryBuckets(20)
    const model = new Map<number, number>()
    for (const { second, slot, verb } of steps) {
      if (verb === "take") {
        const taken = buckets.take(1_000 * second, 3)
        const due = Array.from(model.values()).filter((at) => at <= second).sort((a, b) => a - b)
        assert.deepStrictEqual(taken.map((slot) => model.get(slot)), due.slice(0, 3))
        taken.forEach((slot) => model.delete(slot))
      } else if (model.has(slot)) {
        buckets.remove(slot)
        model.delete(slot)
      } else if (verb === "add") {
        buckets.add(slot, 1_000 * second)
        model.set(slot, second)
      }
    }
  })
})

/** How many entries of a `Map` are asked for, put, or walked through meanwhile. */
const bucketsLookedAt = (use: () => void): number => {
  let looked = 0
  const { delete: remove, get, has, keys, set } = Map.prototype
  Object.assign(Map.prototype, {
    get(this: Map<unknown, unknown>, key: unknown) {
      looked++
      return get.call(this, key)
    },
    has(this: Map<unknown, unknown>, key: unknown) {
      looked++
      return has.call(this, key)
    },
    set(this: Map<unknown, unknown>, key: unknown, value: unknown) {
      looked++
      return set.call(this, key, value)
    },
    delete(this: Map<unknown, unknown>, key: unknown) {
      looked++
      return remove.call(this, key)
    },
    keys(this: Map<unknown, unknown>) {
      looked += this.size
      return keys.call(this)
    }
  })
  try {
    use()
  } finally {
    Object.assign(Map.prototype, { delete: remove, get, has, keys, set })
  }
  return looked
}
