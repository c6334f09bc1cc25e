/**
 * One way through every outage: what a store that is in trouble may answer, what has to be so again once it is over, and that the
 * app can be ended in the middle of it.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import type { Answer, Browser } from "../support/webApp.js"
import type { Expected, FaultyApp, Storm } from "./faultyApp.js"
import { count, increment, purge, recovery, renew, storm, unknownCookie, whoAmI } from "./faultyApp.js"

export interface Outage<App extends FaultyApp> {
  readonly begin: (faulty: App) => Effect.Effect<unknown>
  readonly end: (faulty: App) => Effect.Effect<unknown>
  /** What happens once all requests of a round have been answered. */
  readonly afterRound?: (faulty: App) => Effect.Effect<unknown>
  readonly reads: Expected
  readonly writes: Expected
  /** How a logout goes, where that is another matter than other writes. */
  readonly purges?: Expected
  /** Whether the app can be ended in the middle of it; left out, it can. */
  readonly canBeLeft?: boolean
}

export const rounds = scaled(3, 12)

/** Between two rounds: long enough for the connection to be tried anew, again and again. */
const betweenRounds = "250 millis"

export const noStorm = (): Storm => ({ requests: 0, unavailable: 0, counted: 0, tried: 0 })

export const noSpare = { renews: [], purges: [] }

const countOf = ({ body }: Answer): number => (body as { readonly value: number }).value

const browsers = (faulty: FaultyApp, howMany: number): Effect.Effect<Array<Browser>> =>
  Effect.forEach(Array.from({ length: howMany }), () => faulty.signedIn("bob"))

/** `recovered` looks at what went on until then, once the store answers again. */
export const goThrough = <App extends FaultyApp>(
  title: string,
  faulty: App,
  outage: Outage<App>,
  recovered: () => void = () => {}
): Effect.Effect<void> =>
  Effect.gen(function*() {
    const { afterRound = () => Effect.void, begin, canBeLeft = true, end, purges, reads, writes } = outage
    const { patient } = faulty
    const alice = yield* faulty.signedIn("alice")
    const spare = { renews: yield* browsers(faulty, rounds), purges: yield* browsers(faulty, rounds) }
    // The store knows every script and statement from here on.
    yield* patient(whoAmI, unknownCookie(faulty))
    yield* patient(increment, alice.cookie())
    yield* patient(renew, (yield* faulty.signedIn("bob")).cookie())
    yield* patient(purge, (yield* faulty.signedIn("bob")).cookie())
    const before = yield* patient(count, alice.cookie())
    const total: Storm = { ...noStorm(), counted: countOf(before), tried: countOf(before) }

    faulty.forget()
    yield* begin(faulty)
    const expected = { reads, writes, purges: purges ?? writes }
    for (let round = 0; round < rounds; round++) {
      yield* storm(faulty, alice, expected, total, spare)
      yield* afterRound(faulty)
      yield* Effect.sleep(betweenRounds)
    }
    yield* end(faulty)
    const recoveredMillis = yield* recovery(faulty, alice)
    recovered()

    // All is as before, and each increment happened once or, if nobody said that it did, never.
    const after = yield* patient(count, alice.cookie())
    assert.strictEqual(after.status, 200, faulty.lastLines())
    assert.isAtLeast(countOf(after), total.counted)
    assert.isAtMost(countOf(after), total.tried)
    assert.strictEqual((yield* patient(increment, alice.cookie())).status, 200, faulty.lastLines())
    const carol = yield* faulty.signedIn("carol")
    assert.strictEqual((yield* patient(purge, carol.cookie())).status, 200, faulty.lastLines())
    assert.strictEqual((yield* patient(whoAmI, carol.cookie())).body, null)

    if (canBeLeft) {
      yield* begin(faulty)
    }
    const closedMillis = yield* faulty.close

    report(title, {
      "requests": total.requests,
      "503": total.unavailable,
      "mistaken": 0,
      "slowest, ms": faulty.slowestMillis(),
      "limit, ms": faulty.limitMillis,
      "recovered after, ms": Math.round(recoveredMillis),
      "closed after, ms": Math.round(closedMillis)
    })
  })
