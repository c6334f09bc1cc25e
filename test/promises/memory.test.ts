import { describe, it } from "@effect/vitest"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { library } from "./library.js"
import { memory } from "./stages.js"
import { drawnTriples, everyKind, everyOrderOf, Tally } from "./visits.js"

describe("the promises hold with sessions in memory", () => {
  const stage = memory(library)

  it("in every order of every two requests", async () => {
    const tally = new Tally({ isRevocable: true })
    await everyOrderOf(stage, tally, everyKind)
    report("promises: memory, every order of two", tally.figures())
    tally.expectNothingBroken()
  }, 600_000)

  it("in drawn orders of three requests", async () => {
    const tally = new Tally({ isRevocable: true })
    await drawnTriples(stage, tally, { runs: scaled(2000, 50_000), limit: scaled(20_000, 120_000) })
    report("promises: memory, three at a time", tally.figures())
    tally.expectNothingBroken()
  }, 600_000)
})
