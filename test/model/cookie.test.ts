import { assert, describe, it } from "@effect/vitest"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { cookie } from "./backends.js"
import { runModel } from "./runModel.js"

describe("sessions in the cookie", () => {
  it("do what the model says, which is all but to end before their time", async () => {
    const { failure, totals } = await runModel(cookie, { runs: scaled(300, 15_000), limit: scaled(60_000, 150_000) })
    assert.isUndefined(failure, failure)
    report("model: cookie", { ...totals })
  }, scaled(120_000, 300_000))
})
