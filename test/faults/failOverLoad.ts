/**
 * What visitors ask of a session app while its Redis fails over, and a ledger of what they were told: who was promised what, and
 * what of it holds afterwards.
 */
import { assert } from "@effect/vitest"
import type { Config } from "effect-session"
import type * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import type * as Scope from "effect/Scope"
import { nap } from "../support/settle.js"
import type { Answer, Handler } from "../support/webApp.js"
import { makeWebApp } from "../support/webApp.js"
import { count, increment, isUnavailable, purge, signIn, whoAmI } from "./faultyApp.js"

interface Visitor {
  readonly name: string
  readonly cookie: string
}

/** A promise of the app's, made to a visitor in an answer of 200. */
interface Promised extends Visitor {
  /** Whether the request began after the app had written to the new primary. */
  readonly isLate: boolean
}

export interface LoadedApp {
  readonly name: string
  /** Visits by many, until it is told that it is over. Dies at the first answer that nobody may get. */
  readonly load: Effect.Effect<void>
  /** From now on the primary is gone. */
  readonly begin: () => void
  /** How many milliseconds after that the first write succeeded. */
  readonly recoveryMillis: () => number | undefined
  readonly visits: () => number
  readonly end: () => void
  /** What became of what was promised. Every session that was there before the fault has to be as it was. */
  readonly takeStock: Effect.Effect<Stock>
}

export interface Stock {
  readonly requests: number
  readonly unavailable: number
  /** Sign-ins that were answered 200, and those of them that are gone. */
  readonly signIns: number
  readonly lostSignIns: number
  /** Sign-outs that were answered 200, and those of them that were undone. */
  readonly signOuts: number
  readonly undoneSignOuts: number
  /** Increments that were answered 200, and by how many the counters are below them. */
  readonly increments: number
  readonly lostIncrements: number
  /** By how many the counters are above what was asked for. */
  readonly countedTwice: number
  /** Of the losses above, those of what was promised after the recovery. */
  readonly lateLosses: number
}

const settledVisitors = 8
const workers = 4

/** An app whose visitors have signed in, and some of them out again. Whoever calls this has to see to it that all replicas know. */
export const loadedApp = (
  name: string,
  store: Layer.Layer<SessionStore.SessionStore, unknown>,
  keys: Config.SessionOptions["keys"]
): Effect.Effect<LoadedApp, never, Scope.Scope> =>
  Effect.gen(function*() {
    const app = yield* makeWebApp({ store, config: { keys } }).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, Logger.none))
    )
    let requests = 0
    let unavailable = 0
    let faultAt = Infinity
    let recoveredAt = Infinity
    let isOver = false

    const request = (handler: Handler, cookie?: string) =>
      Effect.map(app.request(handler, cookie), (answer) => {
        requests++
        unavailable += isUnavailable(answer) ? 1 : 0
        return answer
      })
    const patient = (handler: Handler, cookie?: string): Effect.Effect<Answer> =>
      Effect.flatMap(
        app.request(handler, cookie),
        (answer) => isUnavailable(answer) ? Effect.zipRight(nap, patient(handler, cookie)) : Effect.succeed(answer)
      )
    const told = (what: string, answer: Answer) =>
      `${name}, ${what}: ${answer.status} ${JSON.stringify(answer.body)} with ${JSON.stringify(answer.setCookies)}`
    const cookieOf = (answer: Answer) => answer.setCookies[0]!.split(";")[0]!

    const newcomer = (visitor: string) =>
      Effect.map(patient(signIn(visitor)), (answer): Visitor => ({ name: visitor, cookie: cookieOf(answer) }))
    const names = (kind: string, howMany: number) =>
      Array.from({ length: howMany }, (_, index) => `${kind} ${index} of ${name}`)
    const settled = yield* Effect.forEach(names("settled", settledVisitors), newcomer, { concurrency: 4 })
    const leaving = yield* Effect.forEach(names("leaving", 20), newcomer, { concurrency: 4 })
    const gone = yield* Effect.forEach(names("gone", settledVisitors), newcomer, { concurrency: 4 })
    yield* Effect.forEach(gone, ({ cookie }) => patient(purge, cookie), { discard: true })

    const signedIn: Array<Promised> = []
    const signedOut: Array<Promised> = []
    let tried = 0
    const counted = { early: 0, late: 0 }

    const isBare = (answer: Answer) => answer.status === 200 && answer.setCookies.length === 0
    const isLateFrom = (start: number) => start > recoveredAt

    /** One visit. Whatever is not 503 with an empty body and no cookie has to be the answer of a working app. */
    const visit = (turn: number): Effect.Effect<void> => {
      const someone = settled[turn % settled.length]!
      const start = performance.now()
      const isLate = isLateFrom(start)
      switch (turn % 5) {
        case 0:
          return Effect.map(request(whoAmI, someone.cookie), (answer) => {
            assert.isTrue(isUnavailable(answer) || isBare(answer) && answer.body === someone.name, told("read", answer))
          })
        case 1:
          tried++
          return Effect.map(request(increment, someone.cookie), (answer) => {
            assert.isTrue(isUnavailable(answer) || isBare(answer), told("increment", answer))
            if (answer.status === 200) {
              counted[isLate ? "late" : "early"]++
              if (start > faultAt) {
                recoveredAt = Math.min(recoveredAt, performance.now())
              }
            }
          })
        case 2: {
          const ended = gone[turn % gone.length]!
          return Effect.map(request(whoAmI, ended.cookie), (answer) => {
            assert.isTrue(isUnavailable(answer) || isBare(answer) && answer.body === null, told("ended", answer))
          })
        }
        case 3: {
          const visitor = `newcomer ${turn} of ${name}`
          return Effect.map(request(signIn(visitor)), (answer) => {
            assert.isTrue(
              isUnavailable(answer) || answer.status === 200 && answer.setCookies.length === 1,
              told("sign-in", answer)
            )
            if (answer.status === 200) {
              signedIn.push({ name: visitor, cookie: cookieOf(answer), isLate })
            }
          })
        }
        default: {
          // Those who were there from the beginning, and then every other one who came since.
          const visitor = leaving.shift() ?? (signedIn.length > signedOut.length ? signedIn.shift() : undefined)
          return visitor === undefined ? Effect.void : Effect.map(request(purge, visitor.cookie), (answer) => {
            assert.isTrue(
              isUnavailable(answer) || answer.status === 200 && /Max-Age=0/.test(answer.setCookies[0] ?? ""),
              told("sign-out", answer)
            )
            if (answer.status === 200) {
              signedOut.push({ ...visitor, isLate })
            }
          })
        }
      }
    }
    let turns = 0
    const worker: Effect.Effect<void> = Effect.suspend(() =>
      isOver ? Effect.void : Effect.zipRight(Effect.zipRight(visit(turns++), nap), worker)
    )

    const whoIs = ({ cookie }: Visitor) => Effect.map(patient(whoAmI, cookie), ({ body }) => body)
    const takeStock = Effect.gen(function*() {
      const whoAre = (visitors: ReadonlyArray<Visitor>) => Effect.forEach(visitors, whoIs, { concurrency: 4 })
      assert.deepStrictEqual(yield* whoAre(settled), settled.map(({ name }) => name))
      assert.deepStrictEqual(yield* whoAre(gone), gone.map(() => null))
      const insiders = yield* whoAre(signedIn)
      const lostSignIns = signedIn.filter(({ name }, index) => insiders[index] !== name)
      const outsiders = yield* whoAre(signedOut)
      const undoneSignOuts = signedOut.filter((_, index) => outsiders[index] !== null)
      const late = [...lostSignIns, ...undoneSignOuts].filter(({ isLate }) => isLate).length
      const counters = yield* Effect.forEach(settled, ({ cookie }) => patient(count, cookie))
      const sum = counters.reduce((sum, { body }) => sum + ((body as { readonly value?: number }).value ?? 0), 0)
      const increments = counted.early + counted.late
      return {
        requests,
        unavailable,
        signIns: signedIn.length,
        lostSignIns: lostSignIns.length,
        signOuts: signedOut.length,
        undoneSignOuts: undoneSignOuts.length,
        increments,
        lostIncrements: Math.max(0, increments - sum),
        countedTwice: Math.max(0, sum - tried),
        lateLosses: late + Math.max(0, counted.late - sum)
      }
    })

    return {
      name,
      load: Effect.all(Array.from({ length: workers }, () => worker), { concurrency: "unbounded", discard: true }),
      begin: () => {
        faultAt = performance.now()
      },
      recoveryMillis: () => recoveredAt === Infinity ? undefined : Math.round(recoveredAt - faultAt),
      visits: () => turns,
      end: () => {
        isOver = true
      },
      takeStock
    }
  })
