import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as FastCheck from "effect/FastCheck"
import { packTexts, unpackTexts } from "../../src/internal/packedTexts.js"
import { RecordTable } from "../../src/internal/recordTable.js"

const recordOf = (id: string, over: Partial<SessionRecord.StoredRecord> = {}): SessionRecord.StoredRecord => ({
  ...SessionRecord.create(
    SessionKey.make(id as SessionKey.SessionId, "secret"),
    new Map([["a", "1"]]),
    { ttl: 1_000, maxLifetime: undefined },
    0
  ),
  ...over
})

const find = (table: RecordTable, id: string) => table.find(id as SessionKey.SessionId)

describe("packedTexts", () => {
  const text = FastCheck.oneof(
    FastCheck.string(),
    FastCheck.string({ unit: "grapheme" }),
    FastCheck.constant("\ud800"),
    FastCheck.nat(20_000).map((length) => "x".repeat(length))
  )

  it.prop("what was packed comes out as it went in", [FastCheck.array(text)], ([texts]) => {
    assert.deepStrictEqual(unpackTexts(packTexts(texts)), texts)
  })

  it("small texts become one, large ones are not copied", () => {
    assert.strictEqual(packTexts(["ab", "", "c"]), "\x02ab\x00\x01c")
    const large = ["x".repeat(100_000)]
    assert.strictEqual(packTexts(large), large)
  })
})

describe("RecordTable", () => {
  // A minus zero is no time, and a number that was written out has lost it.
  const number = FastCheck.double({ noNaN: true }).map((value) => value + 0)
  const digest = FastCheck.base64String({ minLength: 1 }).map((text) => text as SessionKey.SecretDigest)

  it.prop("a record is found as it was put", [
    FastCheck.record({
      digest,
      superseded: FastCheck.array(FastCheck.record({ digest, at: number })),
      state: FastCheck.array(FastCheck.tuple(FastCheck.string(), FastCheck.string())).map((entries) =>
        new Map(entries)
      ),
      createdAt: number,
      extendedAt: number,
      expiresAt: number
    })
  ], ([fields]) => {
    const record = recordOf("a", fields)
    const inserted = new RecordTable(1)
    inserted.insert(record)
    assert.deepEqual(find(inserted, "a"), record)

    const replaced = new RecordTable(1)
    replaced.insert(recordOf("a", { createdAt: record.createdAt }))
    replaced.replace(find(replaced, "a")!, record)
    assert.deepEqual(find(replaced, "a"), record)
  })

  // The plainest thing that could do it: a `Map`, whose keys stand in the order in which they were put.
  it.prop("holds what a Map that forgets its least recently used key would hold", [
    FastCheck.integer({ min: 1, max: 5 }),
    FastCheck.array(
      FastCheck.tuple(FastCheck.constantFrom("put", "find", "delete"), FastCheck.constantFrom(..."abcdefgh")),
      { maxLength: 100 }
    )
  ], ([capacity, steps]) => {
    const table = new RecordTable(capacity)
    const model = new Map<string, SessionRecord.StoredRecord>()
    for (const [verb, id] of steps) {
      const expected = model.get(id)
      model.delete(id)
      if (verb === "delete") {
        table.delete(id as SessionKey.SessionId)
        continue
      }
      assert.deepEqual(find(table, id), expected)
      if (verb === "put" && expected === undefined) {
        const record = recordOf(id)
        table.insert(record)
        if (model.size === capacity) {
          model.delete([...model.keys()][0]!)
        }
        model.set(id, record)
      } else if (expected !== undefined) {
        model.set(id, expected)
      }
    }
    const held = [..."abcdefgh"].filter((id) => table.has(id as SessionKey.SessionId))
    assert.deepStrictEqual(held, [...model.keys()].sort())
  })

  it("sweeps what has expired, and nothing that was prolonged", () => {
    const table = new RecordTable(4)
    for (const id of ["gone", "prolonged", "shortened", "later"]) {
      table.insert(recordOf(id, { expiresAt: id === "gone" || id === "prolonged" ? 1_000 : 60_000 }))
    }
    for (const [id, expiresAt] of [["prolonged", 30_000], ["shortened", 2_000]] as const) {
      const found = find(table, id)!
      table.replace(found, { ...found, expiresAt })
    }
    const left = (now: number) => {
      table.sweep(now, 16)
      return ["gone", "prolonged", "shortened", "later"].filter((id) => table.has(id as SessionKey.SessionId))
    }
    assert.deepStrictEqual(left(999), ["gone", "prolonged", "shortened", "later"])
    assert.deepStrictEqual(left(1_000), ["prolonged", "shortened", "later"])
    assert.deepStrictEqual(left(2_000), ["prolonged", "later"])
    assert.deepStrictEqual(left(29_999), ["prolonged", "later"])
    assert.deepStrictEqual(left(30_000), ["later"])
    assert.deepStrictEqual(left(60_000), [])
  })
})
