import { describe, it } from "@effect/vitest"
import { scaled } from "../support/soak.js"
import { memory } from "./backends.js"
import { expectModel } from "./runModel.js"

describe("sessions in memory", () => {
  it(
    "do what the model says, whatever happens to them in whatever order",
    () => expectModel("memory", memory, { runs: scaled(1000, 50_000), limit: scaled(90_000, 240_000) }),
    300_000
  )
})
