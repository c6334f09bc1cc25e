/**
 * Long loops of synchronous work, in a process that also has to answer whoever runs the tests.
 */
import * as Effect from "effect/Effect"

/** Lets timers and messages through. */
export const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** The same for a loop of effects, once in a hundred rounds. */
export const pause = (round: number): Effect.Effect<void> => round % 100 === 99 ? Effect.promise(breathe) : Effect.void

/** Does something for each number below `count`, and breathes now and then. */
export const repeat = async (count: number, body: (index: number) => void): Promise<void> => {
  for (let i = 0; i < count; i++) {
    body(i)
    if (i % 500 === 499) {
      await breathe()
    }
  }
}
