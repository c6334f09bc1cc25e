/**
 * Whatever happens to Redis or to the way there: a user is recognised or told to come back (503), and never taken for
 * somebody else or for nobody. Each scenario is gone through in the same way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { limits, nothingUnhandled, storm } from "./faultyApp.js"
import type { FaultyRedis } from "./faultyRedis.js"
import { assertNothingSentTwice, makeFaultyRedis } from "./faultyRedis.js"
import type { Outage } from "./outage.js"
import { goThrough, noSpare, noStorm, rounds } from "./outage.js"
import { overProxy } from "./overProxy.js"
import { keep, pass, silence } from "./tcpProxy.js"

interface Scenario extends Outage<FaultyRedis> {
  readonly args?: ReadonlyArray<string>
  readonly password?: string
  readonly limitMillis?: number
  /** A Redis that comes back without its scripts is sent them again. */
  readonly losesScripts?: boolean
}

const durable = ["--appendonly", "yes", "--appendfsync", "always"]

const scenarios: Readonly<Record<string, Scenario>> = {
  ...overProxy,
  "is silent for ever": {
    limitMillis: limits.short,
    begin: ({ proxy }) => proxy.behave(silence),
    end: ({ proxy }) => proxy.behave(pass),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "answers too late": {
    limitMillis: limits.short,
    begin: ({ proxy }) => proxy.behave(keep),
    afterRound: ({ proxy }) => proxy.release,
    end: ({ proxy }) => proxy.behave(pass),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "is killed and started again": {
    args: durable,
    begin: ({ redis }) => redis.kill9(),
    end: ({ redis }) => redis.restart(),
    reads: "Unavailable",
    writes: "Unavailable",
    losesScripts: true
  },
  "is stopped like a process that hangs": {
    limitMillis: limits.short,
    begin: ({ redis }) => redis.signal("SIGSTOP"),
    end: ({ redis }) => redis.signal("SIGCONT"),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "pauses all clients": {
    limitMillis: limits.short,
    // No command ends this pause, not even that of an operator: it ends by itself.
    begin: ({ admin }) => Effect.promise(() => admin.client("PAUSE", rounds * 1_000, "ALL")),
    end: () => Effect.void,
    reads: "Either",
    writes: "Either"
  },
  "pauses writes": {
    limitMillis: limits.short,
    begin: ({ admin }) => Effect.promise(() => admin.client("PAUSE", 86_400_000, "WRITE")),
    end: ({ admin }) => Effect.promise(() => admin.client("UNPAUSE")),
    reads: "Either",
    writes: "Unavailable"
  },
  "is out of memory": {
    args: ["--maxmemory-policy", "noeviction"],
    begin: ({ admin }) => Effect.promise(() => admin.config("SET", "maxmemory", "1")),
    end: ({ admin }) => Effect.promise(() => admin.config("SET", "maxmemory", "0")),
    reads: "Answered",
    writes: "Unavailable",
    // A logout needs no memory.
    purges: "Answered"
  },
  "became a replica": {
    begin: ({ admin }) => Effect.promise(() => admin.call("REPLICAOF", "127.0.0.1", "1") as Promise<unknown>),
    end: ({ admin }) => Effect.promise(() => admin.call("REPLICAOF", "NO", "ONE") as Promise<unknown>),
    // The connection is made anew at each refused write.
    reads: "Either",
    writes: "Unavailable"
  },
  "does not take the password any more": {
    args: ["--requirepass", "right"],
    password: "right",
    begin: ({ admin }) =>
      Effect.promise(async () => {
        await admin.config("SET", "requirepass", "another")
        await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes")
      }),
    end: ({ admin }) => Effect.promise(() => admin.config("SET", "requirepass", "right")),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "forgets its scripts": {
    begin: ({ admin }) => Effect.promise(() => admin.script("FLUSH") as Promise<unknown>),
    end: () => Effect.void,
    reads: "Answered",
    writes: "Answered",
    losesScripts: true
  }
}

describe("a Redis that", () => {
  nothingUnhandled()

  it.scopedLive("is taken for an empty one by a broken store is found out by these tests", () =>
    Effect.gen(function*() {
      const faulty = yield* makeFaultyRedis({
        wrap: (store) => ({
          ...store,
          load: (key, now) =>
            Effect.catchAll(store.load(key, now), () => Effect.succeed(SessionStore.LoadResult.Absent()))
        })
      })
      const alice = yield* faulty.signedIn("alice")
      yield* faulty.proxy.refuse
      const outcome = yield* Effect.exit(
        storm(faulty, alice, { reads: "Either", writes: "Either", purges: "Either" }, noStorm(), noSpare)
      )
      assert.isTrue(Exit.isFailure(outcome))
    }))

  for (const [title, scenario] of Object.entries(scenarios)) {
    it.scopedLive(`${title} lets nobody in or out by mistake`, () =>
      Effect.gen(function*() {
        const faulty = yield* makeFaultyRedis(scenario)
        yield* goThrough(
          `Redis ${title}`,
          faulty,
          scenario,
          () => assertNothingSentTwice(faulty, scenario.losesScripts)
        )
      }))
  }
})
