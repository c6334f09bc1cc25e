/**
 * Platform keeps the fiber of a request longer than the request lasts. What hangs on it then grows old in the heap.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Session from "effect-session/Session"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { settle } from "../support/settle.js"
import { Counter, handle, makeWebApp } from "../support/webApp.js"

setFlagsFromString("--expose-gc")
const collectGarbage = runInNewContext("gc") as () => void

const works = {
  "did not touch it": () => Effect.void,
  "read it": (session: Session.Session) => session.get(Counter),
  "wrote it": (session: Session.Session) => session.updateOr(Counter, 1, (n) => n + 1),
  "ended it": (session: Session.Session) => session.purge
}

describe("the fiber of a request", () => {
  for (const [what, work] of Object.entries(works)) {
    it.scoped(`holds no session once it is committed: a handler that ${what}`, () =>
      Effect.gen(function*() {
        const app = yield* makeWebApp()
        const browser = app.browser()
        yield* browser.visit(handle((session) => session.insert(Counter, 1)))
        const found = yield* Deferred.make<{ fiber: Fiber.RuntimeFiber<unknown, unknown>; session: WeakRef<object> }>()
        const answer = yield* browser.visit(handle((session) =>
          Effect.zipRight(
            work(session),
            Effect.withFiberRuntime<void>((fiber) =>
              Deferred.succeed(found, { fiber, session: new WeakRef(session) }).pipe(Effect.asVoid)
            )
          )
        ))
        assert.strictEqual(answer.status, 200)
        const { fiber, session } = yield* found
        // What a weak reference has just been asked for stays until the next turn.
        yield* settle
        collectGarbage()
        assert.isUndefined(session.deref(), "the session is still held")
        assert.isDefined(fiber.id())
      }))
  }
})
