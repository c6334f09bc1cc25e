import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type CommitFacts,
  type CommitPlan,
  decideCommit,
  isIdle,
  withoutCookie
} from "../../../src/internal/request/commitDecision.js"

type Row = [
  presented: CommitFacts["presented"],
  status: CommitFacts["status"],
  changes: "none" | "some" | "removals only" | "asked only",
  refresh: "not due" | "due" | "any",
  plan: CommitPlan
]

// "removals only": writes of which no value is left, as after `insert` and `remove` of the same key. "asked only": the
// handler asked for a write that changed nothing of what it saw, as `clear` does where it saw nothing.
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
  ["None", "Unchanged", "asked only", "any", "Nothing"],
  ["Refused", "Unchanged", "asked only", "any", "Nothing"],
  ["Superseded", "Unchanged", "none", "any", "Nothing"],
  ["Superseded", "Unchanged", "asked only", "any", "Drop"],
  ["Superseded", "Changed", "none", "any", "Nothing"],
  ["Superseded", "Changed", "some", "any", "Drop"],
  ["Superseded", "Changed", "removals only", "any", "Drop"],
  ["Superseded", "Renewed", "none", "any", "Nothing"],
  ["Superseded", "Renewed", "some", "any", "SaveBeside"],
  ["Superseded", "Renewed", "removals only", "any", "Drop"],
  ["Superseded", "Renewed", "asked only", "any", "Drop"],
  ["Superseded", "Purged", "none", "any", "Delete"],
  ["Superseded", "Purged", "removals only", "any", "Delete"],
  ["Superseded", "Purged", "some", "any", "Replace"],
  ["Replaced", "Unchanged", "none", "any", "Nothing"],
  ["Replaced", "Unchanged", "asked only", "any", "Drop"],
  ["Replaced", "Changed", "none", "any", "Nothing"],
  ["Replaced", "Changed", "some", "any", "Drop"],
  ["Replaced", "Changed", "removals only", "any", "Drop"],
  ["Replaced", "Renewed", "none", "any", "Nothing"],
  ["Replaced", "Renewed", "some", "any", "SaveBeside"],
  ["Replaced", "Renewed", "removals only", "any", "Drop"],
  ["Replaced", "Renewed", "asked only", "any", "Drop"],
  ["Replaced", "Purged", "none", "any", "Delete"],
  ["Replaced", "Purged", "removals only", "any", "Delete"],
  ["Replaced", "Purged", "some", "any", "SaveBeside"],
  ["Ambiguous", "Unchanged", "none", "any", "Nothing"],
  ["Ambiguous", "Unchanged", "asked only", "any", "Nothing"],
  ["Ambiguous", "Changed", "some", "any", "Save"],
  ["Ambiguous", "Changed", "removals only", "any", "Nothing"],
  ["Ambiguous", "Renewed", "none", "any", "Delete"],
  ["Ambiguous", "Renewed", "removals only", "any", "Delete"],
  ["Ambiguous", "Renewed", "some", "any", "Replace"],
  ["Ambiguous", "Purged", "none", "any", "Delete"],
  ["Ambiguous", "Purged", "some", "any", "Replace"],
  ["Valid", "Unchanged", "none", "not due", "Nothing"],
  ["Valid", "Unchanged", "none", "due", "UpdateTtl"],
  ["Valid", "Unchanged", "asked only", "not due", "Nothing"],
  ["Valid", "Unchanged", "asked only", "due", "UpdateTtl"],
  ["Valid", "Changed", "none", "not due", "Nothing"],
  ["Valid", "Changed", "none", "due", "UpdateTtl"],
  ["Valid", "Changed", "some", "any", "Update"],
  ["Valid", "Changed", "removals only", "any", "Update"],
  ["Valid", "Renewed", "none", "any", "Renew"],
  ["Valid", "Renewed", "some", "any", "Renew"],
  ["Valid", "Purged", "none", "any", "Delete"],
  ["Valid", "Purged", "removals only", "any", "Delete"],
  ["Valid", "Purged", "some", "any", "Replace"]
]

const facts = (
  presented: CommitFacts["presented"],
  status: CommitFacts["status"],
  changes: Row[2],
  refreshes: boolean
): CommitFacts => ({
  presented,
  status,
  asksForWrites: changes !== "none",
  hasWrites: changes === "some" || changes === "removals only",
  hasValues: changes === "some",
  refreshes,
  rotates: false
})

describe("the commit table", () => {
  for (const [presented, status, changes, refresh, plan] of table) {
    for (const refreshes of refresh === "any" ? [true, false] : [refresh === "due"]) {
      it(`${presented} key, ${status}, ${changes} changed, a refresh ${refreshes ? "due" : "not due"}: ${plan}`, () => {
        assert.strictEqual(decideCommit(facts(presented, status, changes, refreshes)), plan)
      })
    }
  }

  for (const changes of ["none", "some", "removals only", "asked only"] as const) {
    for (const refreshes of [true, false]) {
      it(`a key that has to give way, ${changes} changed, a refresh ${refreshes ? "due" : "not due"}`, () => {
        const planOf = (presented: CommitFacts["presented"], status: CommitFacts["status"]) =>
          decideCommit({ ...facts(presented, status, changes, refreshes), rotates: true })
        assert.strictEqual(planOf("Valid", "Unchanged"), "Rotate")
        assert.strictEqual(planOf("Valid", "Changed"), "Rotate")
        assert.strictEqual(planOf("Valid", "Renewed"), "Renew", "which leaves no grace")
        assert.strictEqual(planOf("Valid", "Purged"), changes === "some" ? "Replace" : "Delete")
      })
    }
  }

  it("a request is idle only where every row of the table says that nothing is to be done", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.constantFrom<CommitFacts["presented"]>("None", "Refused", "Superseded", "Ambiguous", "Valid"),
      FastCheck.constantFrom<CommitFacts["status"]>("Unchanged", "Changed", "Renewed", "Purged"),
      FastCheck.constantFrom<Row[2]>("none", "some", "removals only", "asked only"),
      FastCheck.boolean(),
      FastCheck.boolean(),
      (presented, status, changes, refreshes, rotates) => {
        const row = { ...facts(presented, status, changes, refreshes), rotates }
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
    ["SaveBeside", true, "Nothing"],
    ["UpdateTtl", false, "UpdateTtl"],
    ["Update", true, "Update"],
    ["Renew", false, "Nothing"],
    ["Renew", true, "Update"],
    ["Delete", false, "Delete"],
    ["Delete", true, "Delete"],
    ["Replace", true, "Delete"],
    ["Drop", true, "Drop"],
    ["Drop", false, "Drop"]
  ]
  for (const [plan, hasWrites, left] of table) {
    it(`${plan} ${hasWrites ? "with" : "without"} writes: ${left}`, () => {
      assert.strictEqual(withoutCookie(plan, hasWrites), left)
    })
  }

  it("mints no key, which nobody would get to know, and takes no second look to settle", () => {
    for (const [plan, hasWrites] of table) {
      const left = withoutCookie(plan, hasWrites)
      assert.notInclude(["Save", "SaveBeside", "Renew", "Replace", "RemoveCookie"], left)
      assert.strictEqual(withoutCookie(left, hasWrites), left)
    }
  })
})
