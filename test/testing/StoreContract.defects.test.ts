/**
 * The contract suite is worth what it finds: stores that are wrong in one way each, and the case that finds it.
 */
import * as StoreContract from "effect-session/testing/StoreContract"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { afterAll, assert, describe, it } from "vitest"
import { report } from "../support/figures.js"
import { defects, soundStore } from "./defectiveStores.js"

// The random case finds a defect with some luck, which a proof may not depend on: this one draws it.
FastCheck.configureGlobal({ seed: 20_260 })

const cases = StoreContract.cases({ canInvalidate: true, hasEndings: true, hasAccounts: true })

const passes = (one: StoreContract.Case, store: typeof soundStore): Promise<boolean> =>
  Effect.runPromise(Effect.map(Effect.exit(one.check(store)), (exit) => exit._tag === "Success"))

describe("StoreContract", () => {
  it("has no two cases of one title in a group", () => {
    const titles = cases.map(({ group, title }) => `${group}: ${title}`)
    assert.deepStrictEqual(titles.filter((title, i) => titles.indexOf(title) !== i), [])
  })

  it("passes a sound store", async () => {
    const failed: Array<string> = []
    for (const one of cases) {
      if (!(await passes(one, soundStore))) {
        failed.push(one.title)
      }
    }
    assert.deepStrictEqual(failed, [])
  })

  for (const { defect, foundBy, store } of defects) {
    it(`finds a store that ${defect}`, async () => {
      const named = cases.filter(({ title }) => title.startsWith(foundBy))
      assert.strictEqual(named.length, 1, `cases that begin with "${foundBy}"`)
      assert.isFalse(await passes(named[0]!, store), `the case "${named[0]!.title}" finds nothing`)
    })
  }

  it("has for each case a defect that it finds", async () => {
    const useless: Array<string> = []
    for (const one of cases) {
      const own = defects.filter(({ foundBy }) => one.title.startsWith(foundBy))
      const others = defects.filter(({ foundBy }) => !one.title.startsWith(foundBy))
      let isUseful = own.length > 0
      for (const { store } of isUseful ? [] : others) {
        if (!(await passes(one, store))) {
          isUseful = true
          break
        }
      }
      if (!isUseful) {
        useless.push(one.title)
      }
    }
    assert.deepStrictEqual(useless, [])
  })

  afterAll(() =>
    report("Store contract", {
      cases: cases.length,
      "cases for cookie stores": StoreContract.cases({ canInvalidate: false }).length,
      "defective stores": defects.length
    })
  )
})
