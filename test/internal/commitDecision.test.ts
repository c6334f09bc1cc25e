import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type CommitFacts,
  type CommitPlan,
  decideCommit,
  isIdle,
  withoutCookie
} from "../../src/internal/commitDecision.js"

type Row = [
  presented: CommitFacts["presented"],
  status: CommitFacts["status"],
  changes: "none" | "some" | "removals only",
  extension: "on changes" | "always" | "any",
  plan: CommitPlan
]

// "removals only": writes of which no value is left, as after `insert` and `remove` of the same key.
const table: ReadonlyArray<Row> = [
  ["None", "Unchanged", "none", "any", "Nothing"],
  ["None", "Changed", "some", "any", "Save"],
  ["None", "Changed", "removals only", "any", "Nothing"],
  ["None", "Renewed", "none", "any", "Nothing"],
  ["None", "Renewed", "some", "any", "Save"],
  ["None", "Purged", "none", "any", "Nothing"],
  ["None", "Purged", "some", "any", "Save"],
  ["Refused", "Unchanged", "none", "any", "Nothing"],
  ["Refused", "Changed", "some", "any", "Save"],
  ["Refused", "Changed", "removals only", "any", "Nothing"],
  ["Refused", "Renewed", "none", "any", "Nothing"],
  ["Refused", "Renewed", "some", "any", "Save"],
  ["Refused", "Purged", "none", "any", "RemoveCookie"],
  ["Refused", "Purged", "some", "any", "Save"],
  ["Superseded", "Unchanged", "none", "any", "Nothing"],
  ["Superseded", "Changed", "some", "any", "Nothing"],
  ["Superseded", "Renewed", "some", "any", "Nothing"],
  ["Superseded", "Purged", "none", "any", "Nothing"],
  ["Superseded", "Purged", "some", "any", "Nothing"],
  ["Ambiguous", "Unchanged", "none", "any", "Nothing"],
  ["Ambiguous", "Changed", "some", "any", "Save"],
  ["Ambiguous", "Changed", "removals only", "any", "Nothing"],
  ["Ambiguous", "Renewed", "none", "any", "Nothing"],
  ["Ambiguous", "Renewed", "some", "any", "Save"],
  ["Ambiguous", "Purged", "none", "any", "Delete"],
  ["Ambiguous", "Purged", "some", "any", "DeleteThenSave"],
  ["Valid", "Unchanged", "none", "on changes", "Nothing"],
  ["Valid", "Unchanged", "none", "always", "UpdateTtl"],
  ["Valid", "Changed", "none", "on changes", "Nothing"],
  ["Valid", "Changed", "none", "always", "UpdateTtl"],
  ["Valid", "Changed", "some", "any", "Update"],
  ["Valid", "Changed", "removals only", "any", "Update"],
  ["Valid", "Renewed", "none", "any", "Renew"],
  ["Valid", "Renewed", "some", "any", "Renew"],
  ["Valid", "Purged", "none", "any", "Delete"],
  ["Valid", "Purged", "removals only", "any", "Delete"],
  ["Valid", "Purged", "some", "any", "DeleteThenSave"]
]

const facts = (
  presented: CommitFacts["presented"],
  status: CommitFacts["status"],
  changes: Row[2],
  refreshesAlways: boolean
): CommitFacts => ({ presented, status, hasWrites: changes !== "none", hasValues: changes === "some", refreshesAlways })

describe("the commit table", () => {
  for (const [presented, status, changes, extension, plan] of table) {
    for (const refreshesAlways of extension === "any" ? [true, false] : [extension === "always"]) {
      const policy = refreshesAlways ? "OnEveryRequest" : "OnStateChanges"
      it(`${presented} key, ${status}, ${changes} changed, ${policy}: ${plan}`, () => {
        assert.strictEqual(decideCommit(facts(presented, status, changes, refreshesAlways)), plan)
      })
    }
  }

  it("a request is idle only where every row of the table says that nothing is to be done", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.constantFrom<CommitFacts["presented"]>("None", "Refused", "Superseded", "Ambiguous", "Valid"),
      FastCheck.constantFrom<CommitFacts["status"]>("Unchanged", "Changed", "Renewed", "Purged"),
      FastCheck.constantFrom<Row[2]>("none", "some", "removals only"),
      FastCheck.boolean(),
      (presented, status, changes, refreshesAlways) => {
        const row = facts(presented, status, changes, refreshesAlways)
        assert.isTrue(!isIdle(row) || decideCommit(row) === "Nothing")
      }
    ))
  })
})

describe("what is left of a plan without a cookie", () => {
  const table: ReadonlyArray<readonly [plan: CommitPlan, hasWrites: boolean, left: CommitPlan]> = [
    ["Nothing", false, "Nothing"],
    ["RemoveCookie", false, "Nothing"],
    ["Save", true, "Nothing"],
    ["UpdateTtl", false, "UpdateTtl"],
    ["Update", true, "Update"],
    ["Renew", false, "Nothing"],
    ["Renew", true, "Update"],
    ["Delete", false, "Delete"],
    ["Delete", true, "Delete"],
    ["DeleteThenSave", true, "Delete"]
  ]
  for (const [plan, hasWrites, left] of table) {
    it(`${plan} ${hasWrites ? "with" : "without"} writes: ${left}`, () => {
      assert.strictEqual(withoutCookie(plan, hasWrites), left)
    })
  }

  it("mints no key, which nobody would get to know, and takes no second look to settle", () => {
    for (const [plan, hasWrites] of table) {
      const left = withoutCookie(plan, hasWrites)
      assert.notInclude(["Save", "Renew", "DeleteThenSave", "RemoveCookie"], left)
      assert.strictEqual(withoutCookie(left, hasWrites), left)
    }
  })
})
