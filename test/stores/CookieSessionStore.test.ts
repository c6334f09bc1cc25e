import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { decodeRecord, encodeRecord } from "../../src/internal/cookie/recordText.js"
import { livingFor } from "../support/lifetimes.js"

const store = SessionStore.withClock(CookieSessionStore.store)
const minute = { ttl: 60_000, maxLifetime: undefined }
const change = (set: Record<string, string>): SessionRecord.SessionChange => ({
  ...SessionRecord.noChange,
  set: new Map(Object.entries(set))
})

describe("CookieSessionStore", () => {
  it.effect("the key carries the state, and survives the way through its text", () =>
    Effect.gen(function*() {
      const state = new Map([["a", "1"], ["__proto__", "{\"x\":[true,null]}"]])
      const { key } = yield* store.save(state, minute)
      const back = Option.getOrThrow(store.readKey(SessionKey.toText(key)))
      const result = yield* store.load(back)
      assert(result._tag === "Live")
      assert.deepStrictEqual(result.record.state, state)
      assert.strictEqual(result.record.id, key.id)
    }))

  it.effect("a key is parsed once, however often the store is asked about it", () =>
    Effect.gen(function*() {
      const { key } = yield* store.save(new Map([["a", "1"]]), minute)
      const { parse } = JSON
      let parsed = 0
      JSON.parse = (...args) => (parsed++, parse(...args))
      try {
        yield* store.load(key)
        yield* store.load(key)
        yield* store.update(key, change({ b: "2" }), minute)
      } finally {
        JSON.parse = parse
      }
      assert.strictEqual(parsed, 1)
    }))

  it.effect("expiry is inside: an old copy stops working, whatever the browser does", () =>
    Effect.gen(function*() {
      const { key } = yield* store.save(new Map(), minute)
      yield* TestClock.adjust("59999 millis")
      assert.strictEqual((yield* store.load(key))._tag, "Live")
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* store.load(key))._tag, "Absent")
      assert.strictEqual((yield* store.update(key, change({ a: "1" }), livingFor(60_000)))._tag, "Gone")
      assert.strictEqual((yield* store.updateTtl(key, livingFor(60_000)))._tag, "Gone")
    }))

  it.effect("no update reaches past maxLifetime", () =>
    Effect.gen(function*() {
      const limited = { ttl: 60_000, maxLifetime: 90_000 }
      let { key } = yield* store.save(new Map(), limited)
      yield* TestClock.adjust("50 seconds")
      const result = yield* store.update(key, change({ a: "1" }), limited)
      assert(result._tag === "Saved")
      assert.strictEqual(result.expiresAt, 90_000)
      key = result.key
      yield* TestClock.adjust("40 seconds")
      assert.strictEqual((yield* store.load(key))._tag, "Absent")
    }))

  it.effect("an update answers a new key under the same id", () =>
    Effect.gen(function*() {
      const { key } = yield* store.save(new Map([["a", "1"]]), minute)
      const result = yield* store.update(key, change({ b: "2" }), livingFor(60_000))
      assert(result._tag === "Saved")
      assert.strictEqual(result.key.id, key.id)
      const loaded = yield* store.load(result.key)
      assert(loaded._tag === "Live")
      assert.deepStrictEqual([...loaded.record.state], [["a", "1"], ["b", "2"]])
    }))

  const id = SessionKey.mintId()
  const malformed: Record<string, string> = {
    "a random text": "x".repeat(64),
    "no object": "[]",
    "another version": "{\"v\":2,\"c\":0,\"e\":9,\"s\":{}}",
    "a version as text": "{\"v\":\"1\",\"c\":0,\"e\":9,\"s\":{}}",
    "no version": "{\"c\":0,\"e\":9,\"s\":{}}",
    "an expiry that is no number": "{\"v\":1,\"c\":0,\"e\":\"9\",\"s\":{}}",
    "an expiry that is no time": "{\"v\":1,\"c\":0,\"e\":1e400,\"s\":{}}",
    "a time of extension of null": "{\"v\":1,\"c\":0,\"u\":null,\"e\":9,\"s\":{}}",
    "a state that is a list": "{\"v\":1,\"c\":0,\"e\":9,\"s\":[]}",
    "no state": "{\"v\":1,\"c\":0,\"e\":9}"
  }
  for (const [what, text] of Object.entries(malformed)) {
    it.effect(`a record with ${what} is malformed, and the message quotes nothing of it`, () =>
      Effect.gen(function*() {
        const key = Option.getOrThrow(store.readKey(`${id}.${text}`))
        const error = yield* Effect.flip(store.load(key))
        assert.strictEqual(error.reason, "Malformed")
        assert.include(error.message, id)
        assert.notInclude(error.message, text)
        assert.strictEqual((yield* Effect.flip(store.update(key, change({}), livingFor(1)))).reason, "Malformed")
      }))
  }

  it("a text of before, with a deadline and without a time of extension, is read", () => {
    const back = decodeRecord(id, "{\"v\":1,\"c\":1,\"e\":5,\"d\":9,\"s\":{\"a\":1}}")
    assert(back._tag === "Right")
    assert.deepStrictEqual(back.right, { id, state: new Map([["a", "1"]]), createdAt: 1, extendedAt: 5, expiresAt: 5 })
  })

  it("every record reads back as it was written", () => {
    const time = FastCheck.nat()
    FastCheck.assert(FastCheck.property(
      FastCheck.array(
        FastCheck.tuple(FastCheck.string(), FastCheck.json().map((text) => JSON.stringify(JSON.parse(text))))
      ),
      time,
      time,
      time,
      (entries, createdAt, extendedAt, expiresAt) => {
        const record = { id, state: new Map(entries), createdAt, extendedAt, expiresAt }
        const back = decodeRecord(id, encodeRecord(record))
        assert(back._tag === "Right")
        assert.deepStrictEqual(new Map([...back.right.state].sort()), new Map([...record.state].sort()))
        assert.deepStrictEqual({ ...back.right, state: null }, { ...record, state: null })
      }
    ))
  })
})
