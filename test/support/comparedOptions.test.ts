import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"

describe("assertions", () => {
  it("tell an option that is none from one that is some, wherever they stand", () => {
    assert.throws(() => assert.deepStrictEqual(Option.none(), Option.some(1)))
    assert.throws(() => assert.deepStrictEqual({ a: [Option.some(1)] }, { a: [Option.none()] }))
    assert.throws(() => assert.deepEqual(Option.none(), Option.some(1)))
  })

  it("find equal ones equal", () => {
    assert.deepStrictEqual(Option.none(), Option.none())
    assert.deepStrictEqual(Option.some({ a: 1 }), Option.some({ a: 1 }))
    assert.throws(() => assert.deepStrictEqual(Option.some(1), Option.some(2)))
  })
})
