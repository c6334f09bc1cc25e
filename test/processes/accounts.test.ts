/**
 * Four app processes on one Redis, or on one Postgres, and clients of two accounts that sign in, ask, and end each other's sessions
 * through any of them. Once an end was answered, nobody is signed in who was so before it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { runExample } from "../examples/exampleProcess.js"
import { report } from "../support/figures.js"
import { drawnFrom, scaled } from "../support/soak.js"
import { generous } from "../support/timeLimits.js"
import { runAccountClients } from "./accountClients.js"
import type { Action, Answer, Call } from "./accountHistory.js"
import { judge } from "./accountHistory.js"
import { separateNodes, sharedStores } from "./sharedStores.js"

const processes = 4
const clients = 16
const callsPerClient = 30

/** In each of so many histories, a process is killed in the middle, and another one comes in its place for the next. */
const killEvery = 2

const count = (history: ReadonlyArray<Call>, action: Action["_tag"], answer: Answer["_tag"]): number =>
  history.filter((call) => call.action._tag === action && call.answer?._tag === answer).length

describe("accounts on several processes", () => {
  it.scopedLive("that each have a store of their own are found out", () =>
    Effect.gen(function*() {
      const nodes = yield* separateNodes
      const history = yield* Effect.promise(() =>
        runAccountClients({ nodes, accounts: ["ada", "bob"], clients: 8, callsPerClient: 25, seed: 1 })
      )
      const rules = judge(history).breaches.map(({ rule }) => rule)
      assert.includeMembers(rules, ["ended", "missing"])
    }))

  for (const { name, server } of sharedStores) {
    it.scopedLive(`on one ${name} leave nobody behind when all sessions end, also when one is killed in the middle`, () =>
      Effect.gen(function*() {
        const start = runExample("workbench.ts", {
          ...yield* server,
          SESSION_KEYS: Redacted.value(Config.generateKey()),
          SESSION_STORE_TIMEOUT: generous
        })
        const nodes = yield* Effect.all(Array.from({ length: processes }, () => start), { concurrency: 2 })
        const histories = scaled(4, 200)
        const totals = {
          histories,
          "calls": 0,
          "sign-ins": 0,
          "sign-ins refused": 0,
          "ends of all": 0,
          "ends of others": 0,
          "kills": 0,
          "without an answer": 0,
          "looks at ended sessions": 0,
          "looks at living sessions": 0
        }
        const began = performance.now()
        for (let index = 0; index < histories; index++) {
          const seed = drawnFrom() + index
          const victim = index % killEvery === 0 ? nodes[index % processes] : undefined
          const history = yield* Effect.promise(() =>
            runAccountClients({
              nodes,
              accounts: [`ada ${index}`, `bob ${index}`],
              clients,
              callsPerClient,
              seed,
              onCall: (count) => {
                if (count === clients * callsPerClient / 2) {
                  victim?.signal("SIGKILL")
                }
              }
            })
          )
          const { alive, breaches, ended } = judge(history)
          assert.deepStrictEqual(breaches, [], `seed ${seed}`)
          totals.calls += history.length
          totals["sign-ins"] += count(history, "SignIn", "SignedIn")
          totals["sign-ins refused"] += count(history, "SignIn", "Refused")
          totals["ends of all"] += count(history, "EndAll", "Ended")
          totals["ends of others"] += count(history, "EndOthers", "Ended")
          totals["without an answer"] += history.filter(({ answer }) => answer === undefined).length
          totals["looks at ended sessions"] += ended
          totals["looks at living sessions"] += alive
          if (victim !== undefined) {
            totals.kills++
            assert.isNull(yield* victim.ended)
            if (index < histories - 1) {
              nodes[nodes.indexOf(victim)] = yield* start
            }
          }
        }
        report(`Accounts on ${name}`, {
          processes,
          clients,
          ...totals,
          "breaches": 0,
          "seconds": Math.round((performance.now() - began) / 1000)
        })
        for (
          const seen of [
            "ends of all",
            "ends of others",
            "looks at ended sessions",
            "looks at living sessions"
          ] as const
        ) {
          assert.isAbove(totals[seen], histories, seen)
        }
      }))
  }
})
