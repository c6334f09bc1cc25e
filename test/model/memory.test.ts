import { assert, describe, it } from "@effect/vitest"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { memory } from "./backends.js"
import { runModel } from "./runModel.js"

describe("sessions in memory", () => {
  it("do what the model says, whatever happens to them in whatever order", async () => {
    const { failure, totals } = await runModel(memory, { runs: scaled(1000, 50_000), limit: scaled(90_000, 300_000) })
    assert.isUndefined(failure, failure)
    report("model: memory", { ...totals })
  }, scaled(120_000, 450_000))
})
