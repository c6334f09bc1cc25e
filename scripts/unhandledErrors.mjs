/**
 * A reporter of vitest's: the run fails for every error that no test caught, but for one that speaks of the machine alone.
 *
 * A worker of vitest 3 tells its progress to the process that prints it, and gives up after a fixed minute without an answer. On a
 * part of a core that minute passes; the tests go on and are counted none the less, and the count is what tells. Vitest 4 has done
 * away with the limit; this goes when `@effect/vitest` for Effect 3 takes it.
 *
 * It is the one to say so in the place of vitest, which has to be run with `--dangerouslyIgnoreUnhandledErrors`.
 */
import process from "node:process"

/** @typedef {import("vitest/reporters").Reporter} Reporter */

const lateProgress = "[vitest-worker]: Timeout calling \"onTaskUpdate\""

/** @implements {Reporter} */
export default class UnhandledErrors {
  /**
   * @param {ReadonlyArray<unknown>} _testModules
   * @param {ReadonlyArray<{ readonly message: string }>} errors
   */
  onTestRunEnd(_testModules, errors) {
    const grave = errors.filter(({ message }) => message !== lateProgress)
    if (grave.length > 0) {
      process.exitCode = 1
    }
    if (errors.length > 0) {
      console.log(`\nUnhandled errors: ${grave.length}, and late messages of progress: ${errors.length - grave.length}`)
    }
  }
}
