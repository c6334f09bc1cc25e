import { assert, describe, it } from "@effect/vitest"
import { withReplacements } from "./copies.js"
import { library } from "./library.js"
import { circumstantialMutants, mutants } from "./mutants.js"
import * as stages from "./stages.js"
import { findsBroken } from "./visits.js"

describe("the promises are seen to be broken where", () => {
  for (const mutant of mutants) {
    it(mutant.name, async () => {
      const copy = await withReplacements(mutant.name, [mutant])
      const isBroken = (of: typeof library) =>
        findsBroken(stages[mutant.stage](of), { isRevocable: true }, mutant.pair, mutant.breaks)
      assert.isTrue(await isBroken(copy))
      assert.isFalse(await isBroken(library))
    })
  }

  for (const mutant of circumstantialMutants) {
    it(mutant.name, async () => {
      const copy = await withReplacements(mutant.name, [mutant])
      assert.isString(await mutant.circumstance(copy))
      assert.isUndefined(await mutant.circumstance(library))
    })
  }
})
