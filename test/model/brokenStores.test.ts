import { assert, describe, it } from "@effect/vitest"
import { memory } from "./backends.js"
import * as brokenStores from "./brokenStores.js"
import { runModel } from "./runModel.js"

describe("the model notices a store that", () => {
  for (
    const [defect, breakage] of [
      ["upserts", brokenStores.upserts],
      ["saves anew what is gone", brokenStores.savesWhatIsGone],
      ["ignores the absolute limit", brokenStores.ignoresTheDeadline],
      ["does not delete", brokenStores.neverDeletes],
      ["keeps replaced keys alive", brokenStores.keepsOldKeys],
      ["has a cache that logouts do not reach", brokenStores.cachesEndedSessions],
      ["shows one session's values under another's cookie", brokenStores.mixesUpSessions],
      ["lets records live a millisecond too long", brokenStores.expiresLate],
      ["does not refresh", brokenStores.neverRefreshes],
      ["forgets expectations", brokenStores.forgetsExpectations],
      ["takes every key for the current one", brokenStores.takesEveryKeyForTheCurrent]
    ] as const
  ) {
    it(defect, async () => {
      const { failure, totals } = await runModel(() => {
        const backend = memory()
        return { ...backend, store: breakage(backend.store) }
      }, { runs: 20_000, limit: 800_000, shrink: false })
      assert.isDefined(failure, `${totals.runs} runs found nothing wrong`)
    })
  }
})
