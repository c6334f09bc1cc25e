/**
 * Runs random lists of commands against the app and the model side by side.
 */
import * as FastCheck from "effect/FastCheck"
import { setImmediate } from "node:timers/promises"
import { report } from "../support/figures.js"
import { drawnFrom } from "../support/soak.js"
import type { Backend } from "./backends.js"
import { abandonAll, anyCommands, finishAll, Run, signIn } from "./commands.js"
import { Model, type Settings } from "./model.js"
import { World } from "./world.js"

const { asyncModelRun, asyncProperty, boolean, check, constantFrom, record } = FastCheck

/** The policies that a run draws from. Limits are multiples of the coarsest grain. */
const anySettings: FastCheck.Arbitrary<Settings> = record({
  lifecycle: constantFrom("BrowserSession" as const, "PersistentSession" as const),
  extension: constantFrom("OnStateChanges" as const, "OnEveryRequest" as const, "once in a while" as const),
  // One is over before a replaced key has stopped to be a late one, one lasts until it is forgotten.
  ttl: constantFrom(60_000, 60_000, 6000, 7_200_000),
  hasMaxLifetime: boolean(),
  contentSecurity: constantFrom("Private" as const, "Signed" as const)
}).map(({ extension, hasMaxLifetime, ...settings }) => ({
  ...settings,
  ttlExtension: extension === "once in a while" ? { every: settings.ttl / 4 } : extension,
  maxLifetime: hasMaxLifetime ? settings.ttl * 1.5 : undefined
}))

const start = 1_800_000_000_000

export interface Totals {
  readonly runs: number
  readonly commands: number
  readonly requests: number
}

export interface Verdict {
  readonly totals: Totals
  /** Why a run failed: the settings, the shortest list of commands found, and what was not as it should be. */
  readonly failure: string | undefined
}

/**
 * `shrink: false` stops at the first run that fails, without looking for a shorter one. After `limit` milliseconds no
 * new run begins.
 */
export const runModel = async (
  makeBackend: () => Backend | Promise<Backend>,
  options: { readonly runs: number; readonly limit: number; readonly shrink?: boolean }
): Promise<Verdict> => {
  let runs = 0
  let commands = 0
  let requests = 0
  const property = asyncProperty(anySettings, boolean(), anyCommands(30), async (settings, isSignedIn, list) => {
    // Stores without sockets would never let timers, messages and the garbage collector have their turn.
    await setImmediate()
    const backend = await makeBackend()
    const model = new Model(settings, backend.isRevocable, start)
    const run = new Run(new World(backend, settings, model.ring, start))
    try {
      if (isSignedIn) {
        await signIn(model, run)
      }
      await asyncModelRun(() => ({ model, real: run }), list)
      await finishAll(run)
    } finally {
      abandonAll(run)
      runs++
      commands += run.commands
      requests += run.requests
    }
  })
  const details = await check(property, {
    seed: drawnFrom(),
    numRuns: options.runs,
    interruptAfterTimeLimit: options.limit,
    endOnFailure: options.shrink === false
  })
  return {
    totals: { runs, commands, requests },
    failure: details.failed ? await FastCheck.asyncDefaultReportMessage(details) : undefined
  }
}

/** Runs it for one store: fails with the shortest list of commands that goes wrong, or hands over the figures. */
export const expectModel = async (
  name: string,
  makeBackend: () => Backend | Promise<Backend>,
  options: { readonly runs: number; readonly limit: number }
): Promise<void> => {
  const { failure, totals } = await runModel(makeBackend, options)
  if (failure !== undefined) {
    throw new Error(failure)
  }
  // A rule that was broken would have ended the run.
  report(`model: ${name}`, { ...totals, resurrections: 0, "lost writes": 0 })
}
