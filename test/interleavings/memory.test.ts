import { assert, describe, it } from "@effect/vitest"
import { memory } from "../model/backends.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { drawnTriples, everyOrderOf, everyPair, makeStage, quiet, talkative, Tally } from "./suite.js"

describe("requests of one session in memory", () => {
  const { store } = memory()
  const stages = [makeStage(store, quiet), makeStage(store, talkative)]

  it("end as if one came after the other, whatever their steps' order: every order of every two", async () => {
    const tally = new Tally()
    for (const stage of stages) {
      await everyPair(stage, tally)
    }
    tally.expectNoFault()
    assert.isAbove(tally.interleavings, 8000)
    report("interleavings: memory, every order of two", tally.figures())
  })

  it("end as if one came after the other, whatever their steps' order: drawn orders of three", async () => {
    const tally = new Tally()
    await drawnTriples(stages, tally, { runs: scaled(1500, 150_000), limit: scaled(60_000, 120_000) })
    tally.expectNoFault()
    report("interleavings: memory, three at a time", tally.figures())
  })

  it("leave one live key when two of them renew it at the same time: that of the one that came last", async () => {
    const tally = new Tally()
    for (const stage of stages) {
      await everyOrderOf(stage, tally, "renew", "renew")
      await everyOrderOf(stage, tally, "login", "renew")
      await everyOrderOf(stage, tally, "login", "login")
    }
    tally.expectNoFault()
    assert.isAbove(tally.interleavings, 200)
  })
})
