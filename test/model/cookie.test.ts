import { describe, it } from "@effect/vitest"
import { scaled } from "../support/soak.js"
import { cookie } from "./backends.js"
import { expectModel } from "./runModel.js"

describe("sessions in the cookie", () => {
  it(
    "do what the model says, which is all but to end before their time",
    () =>
      expectModel("cookie, which cannot revoke", cookie, {
        runs: scaled(300, 15_000),
        limit: scaled(90_000, 120_000)
      }),
    300_000
  )
})
