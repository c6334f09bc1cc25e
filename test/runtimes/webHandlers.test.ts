/**
 * The three ways in which platform makes a web handler of an app, with real requests and responses.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { app, sessions } from "./app.js"
import type { StoreName } from "./behaviour.js"
import { casesOf } from "./behaviour.js"
import { visitorOf } from "./visitor.js"
import type { FetchHandler } from "./webHandler.js"
import { serveHandler, withEnvironment } from "./webHandler.js"

type Sessions = Layer.Layer<SessionMiddleware.SessionMiddleware, unknown>

interface Made {
  readonly handler: FetchHandler
  readonly dispose: () => Promise<void>
}

const constructors: Readonly<Record<string, (sessions: Sessions) => Promise<Made>>> = {
  toWebHandler: async (sessions) => {
    const scope = await Effect.runPromise(Scope.make())
    const context = await Effect.runPromise(Scope.extend(Layer.build(sessions), scope))
    return {
      handler: HttpApp.toWebHandler(Effect.provide(app, context)),
      dispose: () => Effect.runPromise(Scope.close(scope, Exit.void))
    }
  },
  toWebHandlerRuntime: async (sessions) => {
    const runtime = ManagedRuntime.make(sessions)
    return { handler: HttpApp.toWebHandlerRuntime(await runtime.runtime())(app), dispose: runtime.dispose }
  },
  toWebHandlerLayer: (sessions) => Promise.resolve(HttpApp.toWebHandlerLayer(app, sessions))
}

const stores: ReadonlyArray<StoreName> = ["memory", "cookie"]

for (const [name, make] of Object.entries(constructors)) {
  describe(`HttpApp.${name}`, () => {
    for (const store of stores) {
      describe(`${store} store`, () => {
        for (const { run, title } of casesOf(store)) {
          it.scopedLive(title, () => {
            const environment = { STORE: store, SESSION_KEYS: Redacted.value(Config.generateKey()) }
            return Effect.flatMap(
              serveHandler(() => make(Layer.provide(sessions, withEnvironment(environment)))),
              run
            )
          })
        }
      })
    }
  })
}

describe("HttpApp.toWebHandlerLayer", () => {
  it.effect("a configuration that is refused rejects every request with the mend in its message", () =>
    Effect.promise(async () => {
      const refused = SessionMiddleware.layer({ keys: Redacted.make("too short") }).pipe(
        Layer.provide(MemorySessionStore.layer())
      )
      const { handler } = HttpApp.toWebHandlerLayer(app, refused)
      for (let n = 0; n < 2; n++) {
        const outcome = await handler(new Request("https://app.test/untouched")).then(
          (response) => `answered ${response.status}`,
          (error: unknown) => String(error)
        )
        assert.match(outcome, /SessionConfigError.*keys/)
      }
    }))

  it.effect("a middleware around the handler runs once a request, and the session sets its cookie all the same", () =>
    Effect.promise(async () => {
      const Sessions = SessionMiddleware.layer({ keys: Config.generateKey() }).pipe(
        Layer.provide(MemorySessionStore.layer())
      )
      const seen: Array<string> = []
      const { handler } = HttpApp.toWebHandlerLayer(app, Sessions, {
        middleware: (app) => Effect.tap(app, () => Effect.sync(() => seen.push("answered")))
      })
      const visitor = visitorOf((path, init) => handler(new Request(`https://app.test${path}`, init)))
      assert.strictEqual((await Effect.runPromise(visitor.post("/increment"))).setCookies.length, 1)
      assert.deepStrictEqual(seen, ["answered"])
    }))
})
