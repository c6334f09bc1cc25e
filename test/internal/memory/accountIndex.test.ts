import { assert, describe, it } from "@effect/vitest"
import { AccountIndex } from "../../../src/internal/memory/accountIndex.js"
import { EndMarks } from "../../../src/internal/memory/endMarks.js"
import { epochRetention } from "../../../src/SessionSignIn.js"

describe("the index of accounts in memory", () => {
  it("has a slot for one account at a time, and nothing of what has left", () => {
    const index = new AccountIndex()
    index.assign(1, "ada")
    index.assign(2, "ada")
    index.assign(2, "ada")
    assert.deepStrictEqual([...index.slotsOf("ada")], [1, 2])
    index.assign(1, "bob")
    assert.deepStrictEqual([[...index.slotsOf("ada")], [...index.slotsOf("bob")]], [[2], [1]])
    index.assign(1, undefined)
    index.assign(2, undefined)
    index.assign(3, undefined)
    assert.strictEqual(index.slotsOf("ada").size + index.slotsOf("bob").size, 0)
    assert.deepStrictEqual(index, new AccountIndex())
  })
})

describe("the marks of ends in memory", () => {
  it("differ each time, and are forgotten when no ticket can ask for them", () => {
    const marks = new EndMarks()
    const first = marks.move("ada", 0)
    marks.move("bob", 1)
    const second = marks.move("ada", 2)
    assert.notStrictEqual(first, second)
    assert.strictEqual(marks.epochOf("ada"), second)
    marks.move("eve", epochRetention + 1)
    assert.isUndefined(marks.epochOf("bob"))
    assert.strictEqual(marks.epochOf("ada"), second)
    marks.move("eve", epochRetention + 2)
    assert.isUndefined(marks.epochOf("ada"))
  })
})
