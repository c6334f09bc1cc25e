import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import { settle } from "../support/settle.js"
import { Counter, handle, makeWebApp } from "../support/webApp.js"

const untouched = handle(() => Effect.succeed("untouched"))
const read = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))

/** A store that still reads, and writes nothing: a full Redis, or a replica that became read-only. */
const readOnly = (isReadOnly: () => boolean) => (store: SessionStore.SessionStore): SessionStore.SessionStore => {
  const refused = Effect.fail(new SessionStore.UpdateError({ reason: "Unavailable", message: "OOM" }))
  return {
    ...store,
    update: (...args) => isReadOnly() ? refused : store.update(...args),
    updateTtl: (...args) => isReadOnly() ? refused : store.updateTtl(...args)
  }
}

describe.each(
  [
    ["a lifecycle", {}],
    ["a lifecycle that remembers", { rememberMe: "30 days" }]
  ] as const
)("a refresh with %s", (_name, lifecycle) => {
  const config = { lifecycle: Config.PersistentSession({ ttlExtension: "OnEveryRequest", ...lifecycle }) }

  it.scoped("may fail without failing the page that asked for nothing", () =>
    Effect.gen(function*() {
      let isReadOnly = false
      const app = yield* makeWebApp({ config, wrap: readOnly(() => isReadOnly) })
      const browser = app.browser()
      yield* browser.visit(increment)
      const events = yield* Effect.fork(Stream.runCollect(Stream.take(app.middleware.events, 2)))
      yield* settle
      isReadOnly = true
      for (const handler of [untouched, read]) {
        const answer = yield* browser.visit(handler)
        assert.strictEqual(answer.status, 200)
        assert.deepStrictEqual(answer.setCookies, [])
      }
      assert.deepStrictEqual(
        Array.from(yield* Fiber.join(events), (event) => [event._tag, "during" in event ? event.during : undefined]),
        [["StoreUnavailable", "refresh"], ["StoreUnavailable", "refresh"]]
      )
      assert.strictEqual((yield* browser.visit(increment)).status, 503, "a write is still answered 503")
      isReadOnly = false
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1 })
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))
})
