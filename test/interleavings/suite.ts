/**
 * The interleavings that every store goes through, and what is counted on the way.
 */
import * as Config from "effect-session/Config"
import type * as SessionStore from "effect-session/SessionStore"
import * as FastCheck from "effect/FastCheck"
import { setImmediate } from "node:timers/promises"
import { clear, count, insert, type Program, purge, read, remove, renew } from "../model/operations.js"
import { makeMiddleware, makeSessionApp } from "../model/sessionApp.js"
import { drawnFrom } from "../support/soak.js"
import { describeHistory, type History, interleave, type Situation } from "./interleave.js"
import { type Choose, drawnOrder, everyOrder } from "./orders.js"
import { type Fault, judge, type Verdict } from "./serializability.js"

/** What a request does. `mark` is a value that no other request writes. */
export const programs: Readonly<Record<string, (mark: number) => Program>> = {
  "untouched": () => [],
  "read": () => [read],
  "insert a": (mark) => [insert("a", mark)],
  "insert b": (mark) => [insert("b", mark)],
  "update n": () => [count("n")],
  "remove a": () => [remove("a")],
  "clear": () => [clear],
  "renew": () => [renew],
  "login": (mark) => [insert("user", mark), renew],
  "purge": () => [purge],
  "purge then write": (mark) => [purge, insert("b", mark)]
}

export interface Lifecycle {
  readonly _tag: Config.SessionLifecycle["_tag"]
  readonly ttlExtension: Config.TtlExtension
}

/** No cookie but where a key is new, and no call but where a request needs one. */
export const quiet: Lifecycle = { _tag: "BrowserSession", ttlExtension: "OnStateChanges" }

/** Every request refreshes its session and sends the cookie again. */
export const talkative: Lifecycle = { _tag: "PersistentSession", ttlExtension: "OnEveryRequest" }

export type Stage = Pick<Situation, "app" | "middleware">

const now = 1_800_000_000_000

export const makeStage = (store: SessionStore.SessionStore, { _tag, ...options }: Lifecycle): Stage => ({
  app: makeSessionApp(now),
  middleware: makeMiddleware(store, { keys: Config.generateKey(), lifecycle: Config[_tag](options) })
})

/** What the interleavings so far have come to. */
export class Tally {
  interleavings = 0
  overtakenJars = 0
  readonly faults = new Map<Fault, number>()
  /** The last interleaving that went wrong, told so that one can follow it: where it was shrunk, the shortest. */
  failure: string | undefined = undefined

  constructor(
    private readonly options: Pick<Situation, "breakage" | "startsWithCall"> = {},
    private readonly judgement: (history: History) => Verdict | Promise<Verdict> = judge
  ) {}

  /** Interleaves the requests, judges what came of it, and answers whether that was well. */
  async add(
    stage: Stage,
    state: Readonly<Record<string, number>>,
    programs: ReadonlyArray<Program>,
    choose: Choose
  ): Promise<boolean> {
    // Stores without sockets would never let timers, messages and the garbage collector have their turn.
    await setImmediate()
    const history = await interleave({ ...stage, ...this.options, state, programs }, choose)
    const { findings, isJarOvertaken } = await this.judgement(history)
    this.interleavings++
    this.overtakenJars += isJarOvertaken ? 1 : 0
    for (const { fault } of findings) {
      this.faults.set(fault, (this.faults.get(fault) ?? 0) + 1)
    }
    if (findings.length === 0) {
      return true
    }
    this.failure = findings.map(({ detail, fault }) => `${fault}: ${detail}`).concat(describeHistory(history)).join(
      "\n"
    )
    return false
  }

  /** Throws with the interleaving that went wrong, if there is one. */
  expectNoFault(): void {
    if (this.failure !== undefined) {
      throw new Error(this.failure)
    }
  }

  figures(): Record<string, number> {
    return {
      interleavings: this.interleavings,
      resurrections: this.faults.get("resurrection") ?? 0,
      "lost writes": this.faults.get("lost write") ?? 0,
      "cookies overtaken on their way": this.overtakenJars
    }
  }
}

/** Every order of every pair of requests, until one goes wrong. */
export const everyPair = async (stage: Stage, tally: Tally): Promise<void> => {
  const names = Object.keys(programs)
  for (const [index, one] of names.entries()) {
    for (const other of names.slice(index)) {
      if (tally.failure === undefined) {
        await everyOrderOf(stage, tally, one, other)
      }
    }
  }
}

export const everyOrderOf = (stage: Stage, tally: Tally, ...names: ReadonlyArray<string>): Promise<number> =>
  everyOrder((choose) => tally.add(stage, initialState, programsOf(names), choose))

const initialState = { a: 7, n: 1 }

const programsOf = (names: ReadonlyArray<string>): ReadonlyArray<Program> =>
  names.map((name, index) => programs[name]!(1000 * (index + 1)))

const { array, asyncProperty, check, constantFrom, nat, tuple } = FastCheck

/** Three requests in drawn orders, until one goes wrong, which is shrunk to the shortest order that does. */
export const drawnTriples = async (
  stages: ReadonlyArray<Stage>,
  tally: Tally,
  options: { readonly runs: number; readonly limit: number }
): Promise<void> => {
  const anyName = constantFrom(...Object.keys(programs))
  const property = asyncProperty(
    constantFrom(...stages.keys()),
    constantFrom<Array<Readonly<Record<string, number>>>>(initialState, { b: 5 }),
    tuple(anyName, anyName, anyName),
    array(nat(5), { maxLength: 20, size: "max" }),
    (stage, state, names, order) => tally.add(stages[stage]!, state, programsOf(names), drawnOrder(order))
  )
  await check(property, { seed: drawnFrom(), numRuns: options.runs, interruptAfterTimeLimit: options.limit })
}
