import { assert, describe, it } from "@effect/vitest"
import { memory } from "../model/backends.js"
import * as brokenStores from "../model/brokenStores.js"
import { drawnTriples, everyPair, makeStage, quiet, talkative, Tally } from "./suite.js"

const defects = [
  ["upserts", () => brokenStores.upserts, "resurrection"],
  ["saves anew what is gone", () => brokenStores.savesWhatIsGone, "foreign state"],
  ["reads first and writes later", brokenStores.readsThenWrites, "lost write"],
  ["overwrites what a parallel update has counted", () => brokenStores.forgetsExpectations, "lost write"],
  ["does not delete", () => brokenStores.neverDeletes, "resurrection"],
  ["keeps replaced keys alive", () => brokenStores.keepsOldKeys, "wrong keys"],
  [
    "lets a late request send its old key again",
    () => brokenStores.takesEveryKeyForTheCurrent,
    "old key over a new one"
  ]
] as const

describe("interleavings find a store that", () => {
  for (const [defect, breakage, fault] of defects) {
    // A late write sends a cookie only where the lifecycle makes every answer send one.
    const lifecycle = fault === "old key over a new one" ? talkative : quiet

    it(`${defect}, in some order of two requests`, async () => {
      const tally = new Tally(breakage)
      await everyPair(makeStage(memory().store, lifecycle), tally)
      assert.include(tally.failure, `${fault}: `)
    })

    it(`${defect}, in some drawn order of three requests`, async () => {
      const tally = new Tally(breakage)
      await drawnTriples([makeStage(memory().store, lifecycle)], tally, { runs: 3000, limit: 60_000 })
      assert.isDefined(tally.failure)
    })
  }
})
