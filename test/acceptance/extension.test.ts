/**
 * A time to live that starts anew once in a while, in apps on real sockets with a clock of the test's own.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import type * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { HandClock } from "../support/handClock.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import { Counter } from "../support/webApp.js"
import { answer, entriesOf, serve, StoreCalls } from "./servedApp.js"

const minute = 60_000

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/count", answer((session) => session.updateOr(Counter, 1, (n) => n + 1))),
  HttpRouter.get("/read", answer(entriesOf)),
  HttpRouter.get("/untouched", answer(() => Effect.void))
)

type StoreLayer = Layer.Layer<SessionStore.SessionStore, unknown>

const stores: ReadonlyArray<readonly [name: string, store: Effect.Effect<StoreLayer, never, Scope.Scope>]> = [
  ["in memory", Effect.succeed(MemorySessionStore.layer())],
  ["in Redis", Effect.map(redisServer(), ({ url }) => RedisSessionStore.layer({ url, timeout: generous }))],
  ["in the cookie", Effect.succeed(CookieSessionStore.layer)]
]

describe.each(stores)("every five minutes, a session %s", (_, store) => {
  /** An app and a browser that has a session of an hour, its calls so far forgotten. */
  const withSession = <A, E>(
    use: (
      site: {
        readonly browser: TestBrowser.TestBrowser
        /** What a request some time later costs: the calls of the store, and the Max-Age that it tells. */
        readonly visit: (
          path: string,
          after?: number
        ) => Effect.Effect<readonly [calls: string, maxAge: string | undefined]>
      }
    ) => Effect.Effect<A, E>
  ) =>
    Effect.gen(function*() {
      const clock = new HandClock()
      const lifecycle = Config.PersistentSession({ ttl: "1 hour", ttlExtension: { every: "5 minutes" } })
      yield* Effect.gen(function*() {
        const browser = yield* TestBrowser.make
        const calls = yield* StoreCalls
        yield* browser.get("/count")
        const visit = (path: string, after = 0) =>
          Effect.suspend(() => {
            clock.moveOn(after)
            calls.length = 0
            return Effect.map(browser.get(path), ({ setCookies, status }) => {
              assert.strictEqual(status, 200)
              return [calls.join(" "), setCookies[0]?.attributes.get("max-age")] as const
            })
          })
        return yield* use({ browser, visit })
      }).pipe(
        Effect.provide(
          serve(app, { store: yield* store, config: { lifecycle } }).pipe(Layer.provide(Layer.setClock(clock)))
        )
      )
    })

  it.scopedLive("is extended by the first request that looks at it, and its Max-Age with it", () =>
    withSession(({ visit }) =>
      Effect.gen(function*() {
        for (let round = 0; round < 3; round++) {
          assert.deepStrictEqual(yield* visit("/read", 5 * minute - 1), ["load", undefined])
          assert.deepStrictEqual(yield* visit("/read", 1), ["load updateTtl", "3600"])
          assert.deepStrictEqual(yield* visit("/read"), ["load", undefined])
        }
      })
    ))

  it.scopedLive("lives on for whoever comes back within an hour but for these, and no longer for who does not", () =>
    withSession(({ browser, visit }) =>
      Effect.gen(function*() {
        for (let round = 0; round < 5; round++) {
          yield* visit("/read", 5 * minute - 1)
          assert.deepStrictEqual(yield* visit("/read", 55 * minute), ["load updateTtl", "3600"])
        }
        assert.strictEqual((yield* browser.get("/read")).body, "{\"counter\":1}")
        yield* visit("/read", 60 * minute)
        assert.strictEqual((yield* browser.get("/read")).body, "{}")
      })
    ))

  it.scopedLive("is not asked for by a request that does not look at it, and is not extended", () =>
    withSession(({ browser, visit }) =>
      Effect.gen(function*() {
        for (let quarter = 0; quarter < 4; quarter++) {
          assert.deepStrictEqual(yield* visit("/untouched", 15 * minute), ["", undefined])
        }
        assert.strictEqual((yield* browser.get("/read")).body, "{}")
      })
    ))

  it.scopedLive("is extended by each change, from which the time counts anew", () =>
    withSession(({ visit }) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* visit("/count", 4 * minute), ["load update", "3600"])
        assert.deepStrictEqual(yield* visit("/read", 4 * minute), ["load", undefined])
        assert.deepStrictEqual(yield* visit("/read", 2 * minute), ["load updateTtl", "3600"])
      })
    ))

  it.scopedLive("is extended by parallel requests, none of which does the others harm", () =>
    withSession(({ browser, visit }) =>
      Effect.gen(function*() {
        yield* visit("/untouched", 5 * minute)
        const answers = yield* Effect.all(Array.from({ length: 8 }, () => browser.get("/read")), {
          concurrency: "unbounded"
        })
        for (const { body, status } of answers) {
          assert.deepStrictEqual([status, body], [200, "{\"counter\":1}"])
        }
        assert.isTrue(answers.some(({ setCookies }) => setCookies[0]?.attributes.get("max-age") === "3600"))
        assert.deepStrictEqual(yield* visit("/read", 5 * minute - 1), ["load", undefined])
      })
    ))
})
