import * as StoreContract from "effect-session/testing/StoreContract"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { it } from "vitest"
import { defects, soundStore } from "./defectiveStores.js"
const cases = StoreContract.cases({ canInvalidate: true })
it("probe", async () => {
  for (const one of cases) {
    const exit = await Effect.runPromiseExit(one.check(soundStore))
    if (exit._tag === "Failure") console.log("SOUND FAILS", one.title, Cause.pretty(exit.cause).slice(0, 800))
  }
  for (const one of cases) {
    const by: string[] = []
    for (const { defect, store } of defects) {
      const exit = await Effect.runPromiseExit(one.check(store))
      if (exit._tag === "Failure") by.push(defect)
    }
    console.log(by.length, one.title, by.length < 4 ? by : "")
  }
}, 300000)
