import { assert, describe, it } from "@effect/vitest"
import { cookie } from "../model/backends.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { judgeEachAlone } from "./eachAlone.js"
import { drawnTriples, everyPair, makeStage, quiet, talkative, Tally } from "./suite.js"

describe("requests of one session in the cookie", () => {
  const { store } = cookie()
  const stages = [makeStage(store, quiet), makeStage(store, talkative)]

  it("each do what they would do alone, whatever their steps' order", async () => {
    const tally = new Tally({ startsWithCall: scaled(1, 0) === 1 }, judgeEachAlone)
    for (const stage of stages.slice(0, scaled(1, 2))) {
      await everyPair(stage, tally)
    }
    tally.expectNoFault()
    await drawnTriples(stages, tally, { runs: scaled(200, 10_000), limit: scaled(60_000, 60_000) })
    tally.expectNoFault()
    report("interleavings: cookie, which cannot revoke", { interleavings: tally.interleavings })
  }, 600_000)

  it("and a store that loses a change of theirs is found", async () => {
    const tally = new Tally({
      breakage: () => (store) => ({
        ...store,
        update: (key, change, ttl, now) => store.update(key, { ...change, set: new Map() }, ttl, now)
      })
    }, judgeEachAlone)
    await everyPair(stages[0]!, tally)
    assert.include(tally.failure, "lost write: ")
  })
})
