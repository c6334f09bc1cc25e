import { assert, describe, it } from "@effect/vitest"
import { memory } from "../model/backends.js"
import * as brokenStores from "../model/brokenStores.js"
import { drawnTriples, everyOrderOf, makeStage, quiet, talkative, Tally } from "./suite.js"

describe("interleavings find a store that", () => {
  for (
    const [defect, breakage, pair, fault] of [
      ["upserts", () => brokenStores.upserts, ["insert b", "purge"], "resurrection"],
      ["saves anew what is gone", () => brokenStores.savesWhatIsGone, ["insert b", "purge"], "foreign state"],
      ["reads first and writes later", brokenStores.readsThenWrites, ["insert a", "insert b"], "lost write"],
      ["forgets expectations", () => brokenStores.forgetsExpectations, ["update n", "update n"], "lost write"],
      ["does not delete", () => brokenStores.neverDeletes, ["read", "purge"], "resurrection"],
      ["keeps replaced keys alive", () => brokenStores.keepsOldKeys, ["read", "renew"], "wrong keys"],
      ["takes every key for the current one", () => brokenStores.takesEveryKeyForTheCurrent, [
        "insert b",
        "renew"
      ], "old key over a new one"]
    ] as const
  ) {
    // Where nothing but renewals sends a cookie, no old key is sent.
    const makeStageOf = () => makeStage(memory().store, fault === "old key over a new one" ? talkative : quiet)

    it(`${defect}, in some order of ${pair.join(" and ")}`, async () => {
      const tally = new Tally({ breakage })
      await everyOrderOf(makeStageOf(), tally, ...pair)
      assert.include(tally.failure, `${fault}: `)
    })

    it(`${defect}, in some drawn order of three requests`, async () => {
      const tally = new Tally({ breakage })
      await drawnTriples([makeStageOf()], tally, { runs: 3000, limit: 800_000 })
      assert.isDefined(tally.failure)
    })
  }
})
