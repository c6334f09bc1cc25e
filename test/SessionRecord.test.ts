import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { livingFor } from "./support/lifetimes.js"

const lifetime: SessionRecord.Lifetime = { ttl: 1_000, maxLifetime: undefined }

const change = (
  set: Record<string, string>,
  unset: ReadonlyArray<string> = [],
  expect: Record<string, string | undefined> = {}
): SessionRecord.SessionChange => ({
  set: new Map(Object.entries(set)),
  unset: new Set(unset),
  expect: new Map(Object.entries(expect))
})

const replaced = (rewrite: SessionRecord.Rewrite): SessionRecord.StoredRecord => {
  assert(rewrite._tag === "Replace")
  return rewrite.record
}

describe("SessionRecord", () => {
  const key = SessionKey.mint()
  const record = SessionRecord.create(key, new Map([["a", "1"]]), lifetime, 0)

  it("a record keeps the digest of the secret and not the secret", () => {
    assert.notInclude(JSON.stringify({ ...record, state: [...record.state] }), SessionKey.toText(key).split(".")[1]!)
  })

  it("a record lives until its expiry and not at it", () => {
    assert.strictEqual(SessionRecord.verify(record, key, 999), "Current")
    assert.strictEqual(SessionRecord.verify(record, key, 1_000), "Foreign")
  })

  it("another secret for the same id is foreign to every operation", () => {
    const stranger = SessionKey.mintSecret(key.id)
    assert.strictEqual(SessionRecord.verify(record, stranger, 0), "Foreign")
    assert.strictEqual(SessionRecord.update(record, stranger, change({ a: "2" }), livingFor(1_000), 0)._tag, "Gone")
    assert.strictEqual(SessionRecord.refresh(record, stranger, livingFor(1_000), 0)._tag, "Gone")
    assert.strictEqual(
      SessionRecord.renew(record, stranger, SessionKey.mintSecret(key.id), change({}), livingFor(1_000), 0)._tag,
      "Gone"
    )
    assert.deepStrictEqual(SessionRecord.end(record, stranger, undefined, 0), [false, record])
    assert.deepStrictEqual(SessionRecord.end(record, stranger, SessionKey.mint(), 0), [false, record])
  })

  it("no write creates a record", () => {
    assert.strictEqual(SessionRecord.update(undefined, key, change({ a: "2" }), livingFor(1_000), 0)._tag, "Gone")
    assert.strictEqual(SessionRecord.refresh(undefined, key, livingFor(1_000), 0)._tag, "Gone")
    assert.strictEqual(
      SessionRecord.renew(undefined, key, SessionKey.mint(), change({}), livingFor(1_000), 0)._tag,
      "Gone"
    )
  })

  it("a write merges, refreshes the expiry, and leaves the old record as it was", () => {
    const next = replaced(SessionRecord.update(record, key, change({ b: "2" }, ["a"]), livingFor(1_000), 500))
    assert.deepStrictEqual([...next.state], [["b", "2"]])
    assert.strictEqual(next.expiresAt, 1_500)
    assert.deepStrictEqual([...record.state], [["a", "1"]])
    assert.strictEqual(record.expiresAt, 1_000)
  })

  it("a value that is not the expected one is a conflict, absence included", () => {
    assert.strictEqual(
      SessionRecord.update(record, key, change({ a: "3" }, [], { a: "2" }), livingFor(1), 0)._tag,
      "Conflict"
    )
    assert.strictEqual(
      SessionRecord.update(record, key, change({ a: "3" }, [], { a: undefined }), livingFor(1), 0)._tag,
      "Conflict"
    )
    assert.strictEqual(
      SessionRecord.update(record, key, change({ b: "3" }, [], { b: undefined }), livingFor(1), 0)._tag,
      "Replace"
    )
  })

  describe("the limits of now", () => {
    const newKey = SessionKey.mintSecret(key.id)
    const writesAt = (record: SessionRecord.StoredRecord, lifetime: SessionRecord.Lifetime, now: number) => [
      SessionRecord.update(record, key, change({}), lifetime, now),
      SessionRecord.refresh(record, key, lifetime, now),
      SessionRecord.renew(record, key, newKey, change({}), lifetime, now)
    ]

    it("nothing extends a session past its maxLifetime", () => {
      const lifetime = { ttl: 1_000, maxLifetime: 1_500 }
      const limited = SessionRecord.create(key, new Map(), lifetime, 0)
      for (const rewrite of writesAt(limited, lifetime, 900)) {
        assert.strictEqual(replaced(rewrite).expiresAt, 1_500)
      }
    })

    it("a maxLifetime that comes later ends what is older, and a longer one lets it live on", () => {
      const old = SessionRecord.create(key, new Map(), livingFor(1_000), 0)
      for (const rewrite of writesAt(old, { ttl: 1_000, maxLifetime: 900 }, 900)) {
        assert.strictEqual(rewrite._tag, "Gone")
      }
      for (const rewrite of writesAt(old, { ttl: 1_000, maxLifetime: 901.5 }, 900)) {
        assert.strictEqual(replaced(rewrite).expiresAt, 901)
      }
      assert.strictEqual(SessionRecord.endsAt(old, { ttl: 1_000, maxLifetime: 900 }), 900)
      assert.strictEqual(SessionRecord.endsAt(old, { ttl: 400, maxLifetime: undefined }), 400)
      assert.strictEqual(SessionRecord.endsAt(old, { ttl: 4_000, maxLifetime: undefined }), 1_000)
    })

    it("a maxLifetime beyond what can be counted exactly is none", () => {
      const ends = (maxLifetime: number) => SessionRecord.deadline(1_000, { ttl: 60_000, maxLifetime })
      assert.strictEqual(ends(Number.MAX_SAFE_INTEGER - 1_000), Number.MAX_SAFE_INTEGER)
      for (const maxLifetime of [Number.MAX_SAFE_INTEGER, 2 ** 60, 1e21, Infinity]) {
        assert.strictEqual(ends(maxLifetime), Infinity)
      }
    })

    it("a refresh goes by a shorter ttl, counted from the last write", () => {
      const old = SessionRecord.create(key, new Map(), livingFor(1_000), 0)
      assert.strictEqual(SessionRecord.refresh(old, key, livingFor(400), 400)._tag, "Gone")
      const refreshed = replaced(SessionRecord.refresh(old, key, livingFor(400), 399))
      assert.strictEqual(refreshed.extendedAt, 399)
      assert.strictEqual(refreshed.expiresAt, 799)
    })
  })

  describe("an expiry that is moved on once in a while", () => {
    const limits = FastCheck.tuple(
      FastCheck.integer({ min: 2, max: 1_000 }),
      FastCheck.integer({ min: 1, max: 999 }),
      FastCheck.option(FastCheck.integer({ min: 1, max: 5_000 }), { nil: undefined })
    ).filter(([ttl, every]) => every < ttl).map(([ttl, every, maxLifetime]) => ({
      every,
      lifetime: { ttl, maxLifetime }
    }))
    const pauses = FastCheck.array(FastCheck.integer({ min: 0, max: 1_200 }), { maxLength: 40 })

    it("leaves whoever comes back in time all of the ttl but for every, and is written once in that time", () => {
      FastCheck.assert(FastCheck.property(limits, pauses, ({ every, lifetime }, pauses) => {
        let record = SessionRecord.create(key, new Map(), lifetime, 0)
        let now = 0
        for (const pause of pauses) {
          const { expiresAt, extendedAt } = record
          now += pause
          if (SessionRecord.isExpired(record, now)) {
            assert.isTrue(pause > lifetime.ttl - every || now >= SessionRecord.deadline(0, lifetime))
            return
          }
          if (SessionRecord.isExtensionDue(record, lifetime, every, now)) {
            record = replaced(SessionRecord.refresh(record, key, lifetime, now))
            assert.isAtLeast(now - extendedAt, every)
            assert.isAbove(record.expiresAt, expiresAt)
          } else {
            assert.isTrue(now - extendedAt < every || expiresAt === SessionRecord.deadline(0, lifetime))
          }
          const left = record.expiresAt - now
          assert.isTrue(left > lifetime.ttl - every || record.expiresAt === SessionRecord.deadline(0, lifetime))
        }
      }))
    })

    it("is moved on at once where a deployment brings a longer ttl, and in time where it brings a shorter one", () => {
      const isDue = (ttl: number, now: number) =>
        SessionRecord.isExtensionDue(
          { ...record, expiresAt: SessionRecord.endsAt(record, livingFor(ttl)) },
          livingFor(ttl),
          200,
          now
        )
      assert.isTrue(isDue(1_300, 0))
      assert.isFalse(isDue(1_000, 199))
      assert.isTrue(isDue(1_000, 200))
      assert.isFalse(isDue(400, 199))
      assert.isTrue(isDue(400, 200))
    })
  })

  describe("after a renewal", () => {
    const newKey = SessionKey.mintSecret(key.id)
    const renewed = replaced(SessionRecord.renew(record, key, newKey, change({ b: "2" }), livingFor(100_000), 500))

    it("the new key opens the same record, changes included", () => {
      assert.strictEqual(SessionRecord.verify(renewed, newKey, 500), "Current")
      assert.deepStrictEqual([...renewed.state], [["a", "1"], ["b", "2"]])
      assert.strictEqual(renewed.id, record.id)
      assert.strictEqual(renewed.createdAt, record.createdAt)
    })

    it("the old key is late inside the window and unknown after it", () => {
      assert.strictEqual(SessionRecord.verify(renewed, key, 500), "Superseded")
      assert.isTrue(SessionRecord.isLate(renewed, key, 500 + SessionRecord.supersededWindow - 1))
      assert.isFalse(SessionRecord.isLate(renewed, key, 500 + SessionRecord.supersededWindow))
    })

    it("a request that had loaded the record before writes nothing to it, and learns that its key is old", () => {
      const third = SessionKey.mintSecret(key.id)
      for (
        const rewrite of [
          SessionRecord.update(renewed, key, change({ c: "3" }), livingFor(100_000), 501),
          SessionRecord.update(renewed, key, change({ c: "3" }, [], { a: "9" }), livingFor(100_000), 501),
          SessionRecord.renew(renewed, key, third, change({ c: "3" }), livingFor(100_000), 501),
          SessionRecord.refresh(renewed, key, livingFor(100_000), 501)
        ]
      ) {
        assert.strictEqual(rewrite._tag, "Superseded")
      }
    })

    it("the old key is forgotten in time, without another renewal", () => {
      const { millis } = SessionRecord.supersededRetention
      const lasting = replaced(SessionRecord.update(renewed, newKey, change({}), livingFor(2 * millis), 501))
      assert.strictEqual(SessionRecord.verify(lasting, key, 500 + millis - 1), "Superseded")
      assert.strictEqual(SessionRecord.verify(lasting, key, 500 + millis), "Foreign")
      assert.deepStrictEqual(SessionRecord.end(lasting, key, undefined, 500 + millis), [false, lasting])
    })

    it("the old key may still end the session, and cannot prolong it", () => {
      assert.deepStrictEqual(SessionRecord.end(renewed, key, undefined, 501), [true, undefined])
      assert.strictEqual(SessionRecord.refresh(renewed, key, livingFor(1_000), 501)._tag, "Superseded")
    })

    it("the earlier key is known after a second renewal, and a renewal that old is forgotten", () => {
      const third = SessionKey.mintSecret(key.id)
      const twice = replaced(SessionRecord.renew(renewed, newKey, third, change({}), livingFor(100_000), 600))
      assert.strictEqual(SessionRecord.verify(twice, key, 601), "Superseded")
      const muchLater = 600 + SessionRecord.supersededRetention.millis
      const refreshed = replaced(SessionRecord.refresh(twice, third, livingFor(muchLater), 601))
      const thrice = replaced(
        SessionRecord.renew(refreshed, third, SessionKey.mintSecret(key.id), change({}), livingFor(1_000), muchLater)
      )
      assert.strictEqual(SessionRecord.verify(thrice, key, muchLater), "Foreign")
    })

    it("the list of old secrets stays bounded, however often a session is renewed", () => {
      let current = { key, record }
      for (let i = 0; i < SessionRecord.supersededRetention.renewals + 10; i++) {
        const next = SessionKey.mintSecret(key.id)
        current = {
          key: next,
          record: replaced(SessionRecord.renew(current.record, current.key, next, change({}), livingFor(100_000), i))
        }
      }
      assert.strictEqual(current.record.superseded.length, SessionRecord.supersededRetention.renewals)
    })
  })

  it("changes of different keys commute", () => {
    const value = FastCheck.option(FastCheck.constantFrom("1", "2"), { nil: undefined })
    const half = (names: ReadonlyArray<string>) =>
      FastCheck.array(FastCheck.tuple(FastCheck.constantFrom(...names), value), { maxLength: 4 }).map((writes) => {
        const last = new Map(writes)
        const set = new Map([...last].filter((write): write is [string, string] => write[1] !== undefined))
        return { set, unset: new Set([...last.keys()].filter((name) => !set.has(name))), expect: new Map() }
      })
    FastCheck.assert(FastCheck.property(half(["a", "b"]), half(["c", "__proto__"]), (left, right) => {
      const start = new Map([["a", "0"], ["c", "0"]])
      const sorted = (state: SessionRecord.SessionState) => [...state].sort(([x], [y]) => x < y ? -1 : 1)
      assert.deepStrictEqual(
        sorted(SessionRecord.applyChange(SessionRecord.applyChange(start, left), right)),
        sorted(SessionRecord.applyChange(SessionRecord.applyChange(start, right), left))
      )
    }))
  })

  describe("the end of a session", () => {
    const successor = SessionKey.mint()
    const newKey = SessionKey.mintSecret(key.id)
    const renewed = replaced(SessionRecord.renew(record, key, newKey, change({}), livingFor(1_000), 400))

    it("leaves nothing of it where nothing takes its place", () => {
      for (const one of [key, newKey]) {
        assert.deepStrictEqual(SessionRecord.end(renewed, one, undefined, 500), [true, undefined])
      }
      assert.deepStrictEqual(SessionRecord.end(undefined, key, successor, 500), [false, undefined])
    })

    it("leaves a trace without values for an hour where another session takes its place", () => {
      const [isEnded, trace] = SessionRecord.end(renewed, newKey, successor, 500)
      assert.isTrue(isEnded)
      assert.deepStrictEqual(trace, {
        ...renewed,
        state: new Map(),
        extendedAt: 500,
        expiresAt: 500 + SessionRecord.supersededRetention.millis,
        successor: { id: successor.id, digest: SessionKey.digest(successor) }
      })
      for (const one of [key, newKey]) {
        assert.strictEqual(SessionRecord.verify(trace!, one, 501), "Replaced")
        const [answer, next] = SessionRecord.end(trace, one, SessionKey.mint(), 501)
        assert(typeof answer !== "boolean")
        assert.deepStrictEqual([answer.id, SessionKey.digest(answer)], [successor.id, SessionKey.digest(successor)])
        assert.strictEqual(next, trace)
        assert.strictEqual(SessionRecord.update(trace, one, change({ a: "2" }), livingFor(1_000), 501)._tag, "Gone")
        assert.strictEqual(SessionRecord.refresh(trace, one, livingFor(1_000), 501)._tag, "Gone")
      }
      assert.strictEqual(SessionRecord.verify(trace!, SessionKey.mintSecret(key.id), 501), "Foreign")
      assert.strictEqual(SessionRecord.verify(trace!, newKey, trace!.expiresAt), "Foreign")
    })

    it("what ends the other session is no text that anybody could bring", () => {
      const told = SessionKey.fromDigest(successor.id, SessionKey.digest(successor))
      assert.isTrue(Option.isNone(SessionKey.fromText(SessionKey.toText(told))))
    })
  })
})
