/**
 * What became an advisory elsewhere, tried here: each on the real middleware, and on a real Redis where a server keeps
 * the sessions.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as TestClock from "effect/TestClock"
import { report } from "../support/figures.js"
import { RedisServer } from "../support/redisServer.js"
import type { Advisory } from "./advisory.js"
import { cookies } from "./cookies.js"
import { elsewhere } from "./elsewhere.js"
import { fixation } from "./fixation.js"
import { injection } from "./injection.js"
import { isolation } from "./isolation.js"
import { listed } from "./listed.js"
import { noAdvisory } from "./noAdvisory.js"
import { secrets } from "./secrets.js"
import { sessionLife } from "./sessionLife.js"
import { storeAbuse } from "./storeAbuse.js"

const suites: { readonly [theme: string]: ReadonlyArray<Advisory> } = {
  "sessions that lived on": sessionLife,
  "sessions that an attacker chose": fixation,
  "servers that were filled or kept busy": storeAbuse,
  secrets,
  "input that became more than input": injection,
  "visitors who got each other's sessions": isolation,
  cookies,
  "faults without an advisory": noAdvisory
}

const tested = Object.values(suites).flat()

it.layer(RedisServer.layer())("advisories", (it) => {
  for (const [theme, advisories] of Object.entries(suites)) {
    describe(theme, () => {
      for (const { check, holds, id } of advisories) {
        it.scoped(
          `${id}: ${holds}`,
          () =>
            TestClock.setTime(0).pipe(
              Effect.zipRight(check),
              // Hostile requests are worth their warnings; a hundred suites of them are not.
              Logger.withMinimumLogLevel(LogLevel.None)
            ),
          60_000
        )
      }
    })
  }
})

describe("the list of advisories", () => {
  it("is covered, each once: by a test of its own, or by the reason why there can be none", () => {
    const covered = [...tested, ...elsewhere].map(({ id }) => id)
    assert.deepStrictEqual([...covered].sort(), Object.values(listed).flat().sort())
    assert.strictEqual(new Set(covered).size, covered.length)
    report("advisories", { listed: covered.length, "with a test": tested.length, "not applicable": elsewhere.length })
  })

  it("says of each in its own words what must hold", () => {
    const sentences = [...tested.map(({ holds }) => holds), ...elsewhere.map(({ why }) => why)]
    assert.strictEqual(new Set(sentences).size, sentences.length)
    for (const sentence of sentences) {
      assert.isAbove(sentence.length, 40)
    }
    assert.isAtLeast(tested.length, 60)
  })
})
