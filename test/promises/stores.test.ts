import { describe, it } from "@effect/vitest"
import { library } from "./library.js"
import * as stages from "./stages.js"
import { threeAtATime, twoAtATime } from "./suite.js"
import { pairsFrom } from "./visits.js"

describe("the promises hold, whoever waits, wins or hangs up,", () => {
  for (
    const [name, makeStage, isRevocable, pairs, runs] of [
      ["in memory that answers at once", stages.prompt, true, pairsFrom(0, 1), 600],
      ["in memory", stages.memory, true, pairsFrom(0, 4), 600],
      ["in memory, with keys that are renewed by themselves", stages.rotating, true, pairsFrom(1, 4), 600],
      ["in a slow store", stages.slow, true, pairsFrom(1, 60), 200],
      ["in a store made with the defaults of SessionStore.make", stages.authored, true, pairsFrom(2, 60), 200],
      ["in the cookie, which cannot revoke", stages.cookie, false, pairsFrom(3, 12), 200]
    ] as const
  ) {
    const stage = makeStage(library)

    it(`${name}: every order of two requests`, () => twoAtATime(name, stage, { isRevocable }, pairs), 900_000)

    it(`${name}: drawn orders of three`, () => threeAtATime(name, stage, { isRevocable }, runs), 900_000)
  }
})
