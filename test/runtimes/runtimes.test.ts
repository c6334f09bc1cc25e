/**
 * The app on every runtime that is on this machine: always the Node that runs the tests, and those that
 * `npm run test:runtimes` has fetched.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import { assert, describe, layer } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { findRuntimes, titleOf } from "../../scripts/runtimePrograms.mjs"
import { RedisServer } from "../support/redisServer.js"
import { app, sessions } from "./app.js"
import type { ServedApp, StoreName } from "./behaviour.js"
import { casesOf, storeNames } from "./behaviour.js"
import { builtApps, runApp } from "./runningApp.js"
import { visitorOf } from "./visitor.js"
import type { Environment } from "./webHandler.js"
import { serveHandler, withEnvironment } from "./webHandler.js"

class BuiltApps extends Context.Tag("test/BuiltApps")<BuiltApps, string>() {
  static readonly layer = Layer.scoped(BuiltApps, builtApps)
}

interface Served extends ServedApp {
  readonly environment: Environment
}

const keys = Redacted.value(Config.generateKey())

// Each of the two seals on one store at least.
const contentSecurity: Readonly<Record<StoreName, string>> = { memory: "signed", cookie: "private", redis: "private" }

const environmentOf = (store: StoreName): Effect.Effect<Environment, never, RedisServer> =>
  Effect.map(RedisServer, (redis) => ({
    STORE: store,
    REDIS_URL: redis.url,
    SESSION_KEYS: keys,
    SESSION_CONTENT_SECURITY: contentSecurity[store]
  }))

layer(Layer.merge(BuiltApps.layer, RedisServer.layer()), { excludeTestServices: true })((it) => {
  for (const runtime of findRuntimes()) {
    describe(titleOf(runtime), () => {
      for (const store of storeNames) {
        const Served = Context.GenericTag<Served>(`test/Served/${titleOf(runtime)}/${store}`)
        const ServedLive = Layer.scoped(
          Served,
          Effect.gen(function*() {
            const environment = yield* environmentOf(store)
            return { environment, ...(yield* runApp(yield* BuiltApps, runtime, environment)) }
          })
        )
        it.layer(ServedLive)(`${store} store`, (it) => {
          for (const { run, title } of casesOf(store)) {
            it.effect(title, () => Effect.flatMap(Served, run))
          }
          if (store !== "memory") {
            it.scoped("a session that another process began goes on here", () =>
              Effect.gen(function*() {
                const { environment, send } = yield* Served
                const elsewhere = yield* serveHandler(() =>
                  Promise.resolve(HttpApp.toWebHandlerLayer(app, Layer.provide(sessions, withEnvironment(environment))))
                )
                const there = visitorOf(elsewhere.send)
                yield* there.post("/login", { user: "ferris" })
                const here = there.copy(send)
                assert.strictEqual((yield* here.post("/increment")).text, `{"user":"ferris","counter":1}`)
                const back = here.copy(elsewhere.send)
                assert.strictEqual((yield* back.post("/increment")).text, `{"user":"ferris","counter":2}`)
              }))
          }
        })
      }
    })
  }
})
