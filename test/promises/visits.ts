/**
 * Which visits there are, every order of two requests and drawn orders of three, and what is counted on the way.
 */
import * as FastCheck from "effect/FastCheck"
import { type Choose, drawnOrder, everyOrder } from "../interleavings/orders.js"
import { drawnFrom, scaled } from "../support/soak.js"
import { type Broken, judge, type PromiseName, type Store } from "./promises.js"
import { type Cut, type ProgramName, programs, type Request } from "./requests.js"
import { describeVisit, type Stage, type Visit } from "./visit.js"

export type Pair = readonly [Request, Request]

const names = Object.keys(programs) as Array<ProgramName>
const cuts: ReadonlyArray<Cut> = ["the client hangs up", "a time limit inside", "a time limit outside"]

const pairsOf = (
  ones: ReadonlyArray<ProgramName>,
  others: ReadonlyArray<ProgramName>,
  make: (one: ProgramName, other: ProgramName) => Pair
): ReadonlyArray<Pair> => ones.flatMap((one) => others.map((other) => make(one, other)))

const browser = (program: ProgramName): Request => ({ by: "browser", program })
const stranger = (program: ProgramName): Request => ({ by: "stranger", program })

/** Two requests of one browser. */
export const together: ReadonlyArray<Pair> = names.flatMap((one, index) =>
  names.slice(index).map((other): Pair => [browser(one), browser(other)])
)

/** Who signs in with a cookie that a stranger has planted, and holds. */
export const planted: ReadonlyArray<Pair> = pairsOf(
  ["sign in", "sign in anew", "regenerate", "read, wait, sign in"],
  names,
  (one, other) => [browser(one), stranger(other)]
)

/** The first answer never arrives, and the browser asks again. */
export const lost: ReadonlyArray<Pair> = pairsOf(
  ["sign in", "regenerate", "log out"],
  ["sign in", "regenerate", "log out", "insert b"],
  (one, other) => [{ by: "browser", program: one, isLost: true }, browser(other)]
)

/** A request that is cut short wherever it waits, beside one that is not. */
export const cutShort: ReadonlyArray<Pair> = cuts.flatMap((cut) =>
  pairsOf(
    ["log out", "log out, wait", "read, wait, log out", "regenerate", "sign in", "insert b"],
    ["read", "insert b", "sign in", "log out"],
    (one, other) => [{ by: "browser", program: one, cut }, browser(other)]
  )
)

const everyKind: ReadonlyArray<Pair> = [...together, ...planted, ...lost, ...cutShort]

/** Every `of`-th of the pairs, from the given place on; all of them where the suite soaks. */
export const pairsFrom = (place: number, of: number): ReadonlyArray<Pair> =>
  everyKind.filter((_, index) => scaled(index % of, place) === place)

export class Tally {
  visits = 0
  readonly broken = new Map<PromiseName, number>()
  /** For each pair of requests that broke a promise the first order in which it did, or the shrunk one. */
  readonly failures = new Map<string, string>()

  constructor(private readonly store: Store) {}

  async add(stage: Stage, requests: ReadonlyArray<Request>, choose: Choose): Promise<boolean> {
    const visit = await stage.visit(requests, choose)
    const broken = judge(visit, this.store)
    this.visits++
    for (const { promise } of broken) {
      this.broken.set(promise, (this.broken.get(promise) ?? 0) + 1)
    }
    if (broken.length > 0) {
      this.failures.set(JSON.stringify(requests), tell(broken, visit))
    }
    return broken.length === 0
  }

  expectNothingBroken(): void {
    if (this.failures.size > 0) {
      throw new Error(Array.from(this.failures.values()).join("\n\n"))
    }
  }

  figures(): Record<string, number> {
    return { visits: this.visits, broken: this.failures.size }
  }
}

const tell = (broken: ReadonlyArray<Broken>, visit: Visit): string =>
  [...broken.map(({ detail, promise }) => `${promise}: ${detail}`), describeVisit(visit)].join("\n")

/** Every order of the pair until one breaks the given promise; answers whether one does. */
export const findsBroken = async (stage: Stage, store: Store, pair: Pair, promise: PromiseName): Promise<boolean> => {
  const tally = new Tally(store)
  await everyOrder(async (choose) => {
    await tally.add(stage, pair, choose)
    return !tally.broken.has(promise)
  })
  return tally.broken.has(promise)
}

/** Every order of every pair; of a pair that breaks a promise only until it does. */
export const everyOrderOf = async (stage: Stage, tally: Tally, pairs: ReadonlyArray<Pair>): Promise<void> => {
  for (const pair of pairs) {
    await everyOrder((choose) => tally.add(stage, pair, choose))
  }
}

const { array, asyncProperty, boolean, check, constantFrom, nat, option, record, tuple } = FastCheck

const anyRequest: FastCheck.Arbitrary<Request> = record({
  program: constantFrom(...names),
  by: constantFrom("browser", "browser", "browser", "stranger"),
  cut: option(constantFrom(...cuts), { freq: 4, nil: undefined }),
  isLost: option(boolean(), { freq: 4, nil: undefined })
})

/** Three requests in drawn orders until one breaks a promise, which is shrunk. */
export const drawnTriples = async (
  stage: Stage,
  tally: Tally,
  options: { readonly runs: number; readonly limit: number }
): Promise<void> => {
  const property = asyncProperty(
    tuple(anyRequest, anyRequest, anyRequest),
    array(nat(11), { maxLength: 30, size: "max" }),
    (requests, order) => tally.add(stage, requests, drawnOrder(order))
  )
  const { counterexample, errorInstance } = await check(property, {
    seed: drawnFrom(),
    numRuns: options.runs,
    interruptAfterTimeLimit: options.limit
  })
  if (errorInstance instanceof Error && tally.failures.size === 0) {
    throw errorInstance
  }
  // The shrunk one is the last that broke a promise.
  const shrunk = counterexample === null ? undefined : tally.failures.get(JSON.stringify(counterexample[0]))
  if (shrunk !== undefined) {
    tally.failures.clear()
    tally.failures.set("shrunk", shrunk)
  }
}
