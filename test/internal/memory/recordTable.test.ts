import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as FastCheck from "effect/FastCheck"
import { packTexts, unpackTexts } from "../../../src/internal/memory/packedTexts.js"
import { RecordTable } from "../../../src/internal/memory/recordTable.js"

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

  // The plainest thing that could do it: two lists, each with its longest waiting first.
  it.prop(
    "makes room as two lists would, one of those that nobody has come back to, one of those that were used again",
    [
      FastCheck.integer({ min: 1, max: 7 }),
      FastCheck.array(
        FastCheck.tuple(FastCheck.constantFrom("put", "find", "delete"), FastCheck.constantFrom(..."abcdefghij")),
        { maxLength: 200, size: "max" }
      )
    ],
    ([capacity, steps]) => {
      const table = new RecordTable(capacity)
      const records = new Map<string, SessionRecord.StoredRecord>()
      let waiting: ReadonlyArray<string> = []
      let returned: ReadonlyArray<string> = []
      for (const [verb, id] of steps) {
        const isHeld = waiting.includes(id) || returned.includes(id)
        if (verb === "delete" || isHeld) {
          waiting = waiting.filter((other) => other !== id)
          returned = returned.filter((other) => other !== id)
        }
        if (verb === "delete") {
          table.delete(id as SessionKey.SessionId)
          continue
        }
        assert.deepEqual(find(table, id), isHeld ? records.get(id) : undefined)
        if (isHeld) {
          returned = [...returned, id]
          if (returned.length > Math.floor(0.8 * capacity)) {
            waiting = [...waiting, returned[0]!]
            returned = returned.slice(1)
          }
        } else if (verb === "put") {
          const record = recordOf(id)
          table.insert(record)
          records.set(id, record)
          if (waiting.length + returned.length === capacity) {
            waiting = waiting.slice(1)
          }
          waiting = [...waiting, id]
        }
      }
      const held = [..."abcdefghij"].filter((id) => table.has(id as SessionKey.SessionId))
      assert.deepStrictEqual(held, [...waiting, ...returned].sort())
    }
  )

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
