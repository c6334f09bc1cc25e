/**
 * What every store goes through.
 */
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import type { Store } from "./promises.js"
import type { Stage } from "./visit.js"
import { drawnTriples, everyOrderOf, type Pair, Tally } from "./visits.js"

export const twoAtATime = async (
  name: string,
  stage: Stage,
  store: Store,
  pairs: ReadonlyArray<Pair>
): Promise<void> => {
  const tally = new Tally(store)
  await everyOrderOf(stage, tally, pairs)
  report(`promises: ${name}, every order of two`, tally.figures())
  tally.expectNothingBroken()
}

export const threeAtATime = async (name: string, stage: Stage, store: Store, runs: number): Promise<void> => {
  const tally = new Tally(store)
  await drawnTriples(stage, tally, { runs: scaled(runs, runs * 50), limit: 120_000 })
  report(`promises: ${name}, three at a time`, tally.figures())
  tally.expectNothingBroken()
}
