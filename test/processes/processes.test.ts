/**
 * Four app processes on one Redis, or on one Postgres, worked on by clients that know nothing of each other. Whatever they were told about a
 * session has to have one order that explains it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type { RunningExample } from "../examples/exampleProcess.js"
import { runExample } from "../examples/exampleProcess.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { generous } from "../support/timeLimits.js"
import type { SessionHistory } from "./clients.js"
import { runClients } from "./clients.js"
import { check } from "./linearizability.js"
import { separateNodes, sharedStores } from "./sharedStores.js"

const processes = 4
const clientsPerNode = 8

const operationsPerClient = 20

/** No further history is begun after so long. */
const budgetMillis = 480_000

/** In each of so many histories, a process is killed in the middle. */
const killEvery = 4

const describeOperation = (operation: SessionHistory["operations"][number]): string => JSON.stringify(operation)

interface Totals {
  histories: number
  operations: number
  sessions: number
  kills: number
  lost: number
  undecided: number
  configurations: number
}

const examine = (history: ReadonlyArray<SessionHistory>, totals: Totals, seed: number) => {
  for (const { initial, operations } of history) {
    const verdict = check(operations, initial)
    totals.sessions++
    totals.operations += operations.length
    totals.lost += operations.filter(({ answer }) => answer === undefined).length
    // A session on which a great many operations fell together has more orders than the checker is given time for.
    if (verdict._tag === "Undecided") {
      totals.undecided++
      continue
    }
    if (verdict._tag === "Violation") {
      assert.fail(
        `seed ${seed}: ${verdict._tag} ${JSON.stringify(verdict, null, 1)}\n` +
          `begun with ${JSON.stringify(initial)}\n${operations.map(describeOperation).join("\n")}`
      )
    }
    totals.configurations += verdict.configurations
  }
}

const histories = { Redis: scaled(10, 200), Postgres: scaled(4, 100) }

describe("several processes", () => {
  it.scopedLive("that each have a store of their own are found out", () =>
    Effect.gen(function*() {
      const nodes = yield* separateNodes
      const history = yield* Effect.promise(() =>
        runClients({ nodes, clientsPerNode: 4, operationsPerClient: 25, sessions: 2, seed: 1 })
      )
      const verdicts = history.map(({ initial, operations }) => check(operations, initial)._tag)
      assert.include(verdicts, "Violation")
    }))

  for (const { name, server } of sharedStores) {
    it.scopedLive(`on one ${name} keep each session linearizable, also when one of them is killed in the middle`, () =>
      Effect.gen(function*() {
        const start = runExample("workbench.ts", {
          ...yield* server,
          SESSION_KEYS: Redacted.value(Config.generateKey()),
          SESSION_STORE_TIMEOUT: generous
        })
        const nodes: Array<RunningExample> = yield* Effect.all(Array.from({ length: processes }, () => start), {
          concurrency: 2
        })
        const totals: Totals = {
          histories: 0,
          operations: 0,
          sessions: 0,
          kills: 0,
          lost: 0,
          undecided: 0,
          configurations: 0
        }
        const began = performance.now()
        for (let index = 0; index < histories[name] && performance.now() - began < budgetMillis; index++) {
          const seed = Date.now() % 1_000_000 + index
          const victim = index % killEvery === killEvery - 1 ? nodes[index % processes] : undefined
          const half = processes * clientsPerNode * operationsPerClient / 2
          const history = yield* Effect.promise(() =>
            runClients({
              nodes,
              clientsPerNode,
              operationsPerClient,
              sessions: 4,
              seed,
              onOperation: (count) => {
                if (count === half) {
                  victim?.signal("SIGKILL")
                }
              }
            })
          )
          examine(history, totals, seed)
          totals.histories++
          if (victim !== undefined) {
            totals.kills++
            assert.isNull(yield* victim.ended)
            if (index < histories[name] - 1) {
              nodes[nodes.indexOf(victim)] = yield* start
            }
          }
        }
        report(`Linearizability on ${name}`, {
          processes,
          "clients": processes * clientsPerNode,
          ...totals,
          "violations": 0,
          "seconds": Math.round((performance.now() - began) / 1000)
        })
        assert.isAtMost(totals.undecided, Math.max(2, totals.sessions / 20), "sessions that the checker gave up on")
        assert.isAbove(totals.operations, totals.histories * processes * clientsPerNode * operationsPerClient * 0.9)
      }))
  }
})
