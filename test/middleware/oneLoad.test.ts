/**
 * A session that several fibers of one request ask at once is loaded once, however soon each of them gives way to the others, and
 * all of them hear of it. A second load might find that the session has ended meanwhile, and what the first had let them write would
 * begin another.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { waiting } from "../support/waitingStore.js"
import { Counter, handle, makeWebApp } from "../support/webApp.js"

const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))

/** How many steps a fiber takes before it gives way. Fewer, and the runtime does nothing else. */
const paces = Array.from({ length: 50 }, (_, i) => 10 + i)

describe("fibers of one request that give way to each other", () => {
  it.scoped("share one load", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ wrap: waiting })
      const browser = app.browser()
      yield* browser.visit(increment)
      for (const pace of paces) {
        app.calls.length = 0
        const asked = handle((session) =>
          Effect.withMaxOpsBeforeYield(
            Effect.all([session.get(Counter), session.get(Counter), session.get(Counter)], {
              concurrency: "unbounded"
            }),
            pace
          )
        )
        assert.strictEqual((yield* app.request(asked, browser.cookie())).status, 200)
        assert.deepStrictEqual(app.calls, ["load"], `giving way after ${pace} steps`)
      }
    }))
})
