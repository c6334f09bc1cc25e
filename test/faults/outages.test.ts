/**
 * Whatever happens to Redis or to the way there: a user is recognised or told to come back (503), and never taken for
 * somebody else or for nobody. Each scenario is gone through in the same way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import type { Answer, Browser } from "../support/webApp.js"
import type { Expected, FaultyApp, Storm } from "./faultyApp.js"
import {
  assertNothingSentTwice,
  count,
  forget,
  increment,
  limits,
  makeFaultyApp,
  nothingUnhandled,
  purge,
  recovery,
  renew,
  storm,
  unknownCookie,
  whoAmI
} from "./faultyApp.js"
import { delay, keep, pass, silence } from "./tcpProxy.js"

interface Scenario {
  readonly args?: ReadonlyArray<string>
  readonly password?: string
  readonly limitMillis?: number
  readonly begin: (faulty: FaultyApp) => Effect.Effect<unknown>
  readonly end: (faulty: FaultyApp) => Effect.Effect<unknown>
  /** What happens once all requests of a round have been answered. */
  readonly afterRound?: (faulty: FaultyApp) => Effect.Effect<unknown>
  readonly reads: Expected
  readonly writes: Expected
  /** How a logout goes, where that is another matter than other writes. */
  readonly purges?: Expected
  /** A Redis that comes back without its scripts is sent them again. */
  readonly losesScripts?: boolean
}

const rounds = scaled(3, 12)

const durable = ["--appendonly", "yes", "--appendfsync", "always"]

/** Between two rounds: long enough for the connection to be tried anew, again and again. */
const betweenRounds = "250 millis"

const scenarios: Readonly<Record<string, Scenario>> = {
  "refuses connections": {
    begin: ({ proxy }) => proxy.refuse,
    end: ({ proxy }) => proxy.accept,
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "is silent for ever": {
    limitMillis: limits.short,
    begin: ({ proxy }) => proxy.behave(silence),
    end: ({ proxy }) => proxy.behave(pass),
    reads: "Unavailable",
    writes: "Unavailable"
  },
  "is slow, within the limit": {
    begin: ({ proxy }) => proxy.behave(delay(10, 20)),
    end: ({ proxy }) => proxy.behave(pass),
    reads: "Answered",
    writes: "Answered"
  },
  "is slow, now within the limit and now beyond": {
    limitMillis: limits.short,
    begin: ({ proxy }) => proxy.behave(delay(limits.short / 4, limits.short)),
    end: ({ proxy }) => proxy.behave(pass),
    reads: "Either",
    writes: "Either"
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

const noStorm = (): Storm => ({ requests: 0, unavailable: 0, counted: 0, tried: 0 })

const noSpare = { renews: [], purges: [] }

const countOf = ({ body }: Answer): number => (body as { readonly value: number }).value

const browsers = (faulty: FaultyApp, howMany: number): Effect.Effect<Array<Browser>> =>
  Effect.forEach(Array.from({ length: howMany }), () => faulty.signedIn("bob"))

describe("a Redis that", () => {
  nothingUnhandled()

  it.scopedLive("is taken for an empty one by a broken store is found out by these tests", () =>
    Effect.gen(function*() {
      const faulty = yield* makeFaultyApp({
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
        const { afterRound = () => Effect.void, args = [], begin, end, losesScripts = false, purges, reads, writes } =
          scenario
        const faulty = yield* makeFaultyApp({
          args,
          limitMillis: scenario.limitMillis ?? limits.long,
          ...scenario.password === undefined ? {} : { password: scenario.password }
        })
        const { patient } = faulty
        const alice = yield* faulty.signedIn("alice")
        const spare = { renews: yield* browsers(faulty, rounds), purges: yield* browsers(faulty, rounds) }
        // Redis knows every script from here on.
        yield* patient(whoAmI, unknownCookie(faulty))
        yield* patient(increment, alice.cookie())
        yield* patient(renew, (yield* faulty.signedIn("bob")).cookie())
        yield* patient(purge, (yield* faulty.signedIn("bob")).cookie())
        const before = yield* patient(count, alice.cookie())
        const total: Storm = { ...noStorm(), counted: countOf(before), tried: countOf(before) }

        forget(faulty)
        yield* begin(faulty)
        const expected = { reads, writes, purges: purges ?? writes }
        for (let round = 0; round < rounds; round++) {
          yield* storm(faulty, alice, expected, total, spare)
          yield* afterRound(faulty)
          yield* Effect.sleep(betweenRounds)
        }
        yield* end(faulty)
        const recoveredMillis = yield* recovery(faulty, alice)
        assertNothingSentTwice(faulty, losesScripts)

        // All is as before, and each increment happened once or, if nobody said that it did, never.
        const after = yield* patient(count, alice.cookie())
        assert.strictEqual(after.status, 200, faulty.lastLines())
        assert.isAtLeast(countOf(after), total.counted)
        assert.isAtMost(countOf(after), total.tried)
        assert.strictEqual((yield* patient(increment, alice.cookie())).status, 200, faulty.lastLines())
        const carol = yield* faulty.signedIn("carol")
        assert.strictEqual((yield* patient(purge, carol.cookie())).status, 200, faulty.lastLines())
        assert.strictEqual((yield* patient(whoAmI, carol.cookie())).body, null)

        yield* begin(faulty)
        const closedMillis = yield* faulty.close

        report(`Redis ${title}`, {
          "requests": total.requests,
          "503": total.unavailable,
          "mistaken": 0,
          "slowest, ms": faulty.slowestMillis(),
          "limit, ms": faulty.limitMillis,
          "recovered after, ms": Math.round(recoveredMillis),
          "closed after, ms": Math.round(closedMillis)
        })
      }))
  }
})
