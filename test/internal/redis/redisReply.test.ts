import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { assert, describe, it } from "vitest"
import { readHash, readSaveReply, readScriptReply } from "../../../src/internal/redis/redisReply.js"

/** What stands between an app and its Redis answers instead. */
const foreign: ReadonlyArray<unknown> = [
  "QUEUED",
  "OK",
  null,
  undefined,
  true,
  2,
  -1,
  1.5,
  "",
  [],
  [[]],
  [null],
  ["OK"],
  ["gone"],
  [Buffer.from("Gone")],
  { 0: "Gone", length: 1 }
]

describe("a reply of Redis", () => {
  for (const verb of ["update", "renew", "updateTtl", "delete"]) {
    it(`to ${verb} is the script's, to the letter, or none`, () => {
      for (const reply of [...foreign, 0, 1]) {
        assert.deepStrictEqual(readScriptReply(verb, reply, 2), Either.left(noAnswer(verb)))
      }
      for (
        const reply of [
          ["Gone", ""],
          ["Superseded", null],
          ["Saved"],
          ["Saved", 1_000],
          ["Saved", "1e3"],
          ["Saved", "soon"],
          ["Saved", "1000", 1],
          ["Conflict"],
          ["Conflict", "1"],
          ["Conflict", "1", "2", "3"],
          ["Conflict", "1", 2],
          ["Replaced"],
          ["Replaced", null],
          ["Replaced", "somebody"],
          ["Malformed"],
          ["Malformed", 1]
        ]
      ) {
        assert.isTrue(Either.isLeft(readScriptReply(verb, reply, 2)), JSON.stringify(reply))
      }
    })
  }

  it("is read where it is one", () => {
    assert.deepStrictEqual(
      readScriptReply("update", ["Saved", "1000.5"], 0),
      Either.right({ _tag: "Saved", expiresAt: 1000.5, word: undefined, account: undefined })
    )
    for (
      const [verb, word] of [["update", "older"], ["updateTtl", "older"], ["rotate", "older"], [
        "rotate",
        "new"
      ]] as const
    ) {
      assert.deepStrictEqual(
        readScriptReply(verb, ["Saved", "1", word], 0),
        Either.right({ _tag: "Saved", expiresAt: 1, word, account: undefined })
      )
    }
    for (const [said, word] of [["", undefined], ["older", "older"]] as const) {
      assert.deepStrictEqual(
        readScriptReply("update", ["Saved", "1", said, "\"ada\""], 0),
        Either.right({ _tag: "Saved", expiresAt: 1, word, account: "\"ada\"" })
      )
    }
    assert.deepStrictEqual(
      readScriptReply("renew", ["Conflict", "1", null], 2),
      Either.right({ _tag: "Conflict", values: ["1", undefined] })
    )
    assert.deepStrictEqual(readScriptReply("updateTtl", ["Superseded"], 0), Either.right({ _tag: "Superseded" }))
    assert.deepStrictEqual(readScriptReply("delete", ["Deleted"], 0), Either.right({ _tag: "Deleted" }))
    assert.deepStrictEqual(readScriptReply("delete", ["Gone"], 0), Either.right({ _tag: "Gone" }))
    assert.deepStrictEqual(
      readScriptReply("delete", ["Malformed", "v"], 0),
      Either.left({ reason: "Malformed", message: "the field \"v\" is missing or wrong" })
    )
    const [id, digest] = ["A".repeat(22), "b".repeat(43)]
    assert.deepStrictEqual(
      readScriptReply("delete", ["Replaced", `${id}:${digest}`], 0),
      Either.right({ _tag: "Replaced", successor: { id, digest } as never })
    )
    for (const text of ["", id, `${id}:`, `${id}:${digest}:`, `${id}${digest}`, `:${digest}`, `${id}.${digest}`]) {
      assert.deepStrictEqual(
        readScriptReply("delete", ["Replaced", text], 0),
        Either.left({ reason: "Malformed", message: "the field \"successor\" is missing or wrong" })
      )
    }
  })

  it("to one verb is none to another", () => {
    assert.isTrue(Either.isLeft(readScriptReply("update", ["Deleted"], 0)))
    assert.isTrue(Either.isLeft(readScriptReply("renew", ["Replaced", `${"A".repeat(22)}:${"b".repeat(43)}`], 0)))
    assert.isTrue(Either.isLeft(readScriptReply("delete", ["Saved", "1"], 0)))
    assert.isTrue(Either.isLeft(readScriptReply("delete", ["Superseded"], 0)))
    assert.isTrue(Either.isLeft(readScriptReply("updateTtl", ["Conflict"], 0)))
  })

  it("to a save says that it was stored, or that the id is taken", () => {
    assert.deepStrictEqual([1, "1", 0, "0"].map((reply) => Either.getOrNull(readSaveReply(reply))), [
      "Saved",
      "Saved",
      "Taken",
      "Taken"
    ])
    for (const reply of foreign) {
      assert.isTrue(Either.isLeft(readSaveReply(reply)), String(reply))
    }
  })

  it("to a load is fields with texts", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.dictionary(FastCheck.string(), FastCheck.string()), (hash) => {
        assert.deepStrictEqual(Either.getOrNull(readHash(hash)), Object.entries(hash))
      })
    )
    for (const reply of ["QUEUED", "OK", null, undefined, 1, [], ["v", "1"], { v: 1 }, { v: Buffer.from("1") }]) {
      assert.isTrue(Either.isLeft(readHash(reply)), String(reply))
    }
  })
})

const noAnswer = (verb: string) => ({
  reason: "Unavailable" as const,
  message:
    `Redis answered "${verb}" with something that it does not answer. Is its client in a MULTI, or does a proxy or a ` +
    "transformer change its replies?"
})
