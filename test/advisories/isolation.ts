/**
 * One visitor's session in front of another: mixed up between requests, or kept by a cache.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Handler, WebApp } from "../support/webApp.js"
import { handle, User } from "../support/webApp.js"
import type { Advisory } from "./advisory.js"
import {
  begin,
  cookieApp,
  cookieOf,
  increment,
  keyIn,
  loginAs,
  logout,
  memoryApp,
  onEachServer,
  opens,
  opensNothing,
  redisApp,
  renew,
  sealed,
  sealedKey,
  untouched
} from "./app.js"

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

/** Many visitors at once, whose requests give way to each other at every step: each sees what is its own. */
const servesEachTheirOwn = (app: WebApp) =>
  Effect.gen(function*() {
    const visitors = yield* Effect.forEach(
      Array.from({ length: 40 }, (_, index) => `visitor ${index}`),
      (user) => Effect.map(begin(app, loginAs(user)), (cookie) => ({ user, cookie })),
      { concurrency: 8 }
    )
    const page: Handler = Effect.gen(function*() {
      const session = yield* Session.Session
      yield* turn
      const user = yield* session.get(User)
      yield* turn
      yield* session.update("visits", Schema.Number, (n) => n + 1)
      yield* turn
      const again = yield* session.get(User)
      return HttpServerResponse.unsafeJson([user, again])
    })
    yield* Effect.forEach(
      Array.from({ length: 10 }).flatMap(() => visitors),
      ({ cookie, user }) =>
        Effect.map(app.request(page, cookie), ({ body }) => {
          const some = { _id: "Option", _tag: "Some", value: user }
          assert.deepStrictEqual(body, [some, some])
        }),
      { concurrency: 50, discard: true }
    )
    for (const { cookie, user } of visitors) {
      yield* opens(app, cookie, { user })
    }
  })

const cachedBy = (handler: Handler, headers: Record<string, string>): Handler =>
  Effect.map(handler, (response) => HttpServerResponse.setHeaders(response, headers))

const publicly = { "cache-control": "public, max-age=3600", expires: "Fri, 01 Jan 2038 00:00:00 GMT" }

const always = Config.PersistentSession({ ttl: "1 hour", ttlExtension: "OnEveryRequest" })

/** A shared cache may not keep this answer, whatever the app wrote on it. */
const isNotStored = (app: WebApp, handler: Handler, cookie?: string) =>
  Effect.map(app.request(cachedBy(handler, publicly), cookie), (answer) => {
    assert.strictEqual(answer.setCookies.length, 1)
    assert.strictEqual(answer.headers.get("cache-control"), "no-store")
    return answer
  })

export const isolation: ReadonlyArray<Advisory> = [
  {
    id: "CVE-2026-24894",
    holds:
      "requests that one process serves at the same time share nothing: each has its own session and its own state",
    check: Effect.flatMap(memoryApp(), servesEachTheirOwn)
  },
  {
    id: "CVE-2025-67490",
    holds: "answers of Redis that come back on one connection at the same time reach the requests that asked",
    check: Effect.flatMap(redisApp(), ({ app }) => servesEachTheirOwn(app))
  },
  {
    id: "CVE-2018-12538",
    holds:
      "a session is found by its whole id or not at all: no pattern and no part of it finds, shows or ends another's",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      const store = SessionStore.withClock(app.middleware.store)
      const cookie = yield* begin(app, loginAs("ferris"))
      const { id } = keyIn(app, cookie)
      for (const part of ["*", "?".repeat(22), `${id.slice(0, 21)}*`, id.slice(0, 21), `${id}A`, `[${id}]`]) {
        const key = SessionKey.make(part as SessionKey.SessionId, "A".repeat(43))
        yield* opensNothing(app, sealed(app, SessionKey.toText(key)))
        // The store by itself takes it for a name as well, and not for a pattern.
        assert.strictEqual((yield* store.load(key))._tag, "Absent")
        yield* store.delete(key)
      }
      assert.strictEqual((yield* keys).length, 1)
      yield* opens(app, cookie, { user: "ferris" })
    })
  },
  {
    id: "CVE-2026-33946",
    holds: "the public id of a session, which logs and lists show, takes over nothing: it needs the secret as well",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app, loginAs("ferris"))
        const { id } = keyIn(app, cookie)
        yield* opensNothing(app, `__Host-id=${id}`)
        yield* opensNothing(app, sealed(app, id))
        for (const handler of [increment, renew, logout]) {
          yield* app.request(handler, sealedKey(app, SessionKey.mintSecret(id)))
        }
        yield* opens(app, cookie, { user: "ferris" })
      })
    )
  },
  {
    id: "CVE-2023-30861",
    holds: "an answer that sets the cookie is stored by no cache, though the app called the page public",
    check: onEachServer((app) => Effect.asVoid(isNotStored(app, increment)))
  },
  {
    id: "CVE-2026-27205",
    holds: "an answer varies by the cookie as soon as its handler asked anything at all of the session",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app)
        const questions: ReadonlyArray<(session: Session.Session) => Effect.Effect<unknown, unknown>> = [
          (session) => session.contains("anything"),
          (session) => Effect.map(session.entries, (entries) => entries.size),
          (session) => session.get(User),
          (session) => session.status,
          (session) => session.id,
          (session) => session.createdAt,
          (session) => session.expiresAt,
          (session) => session.remove("nothing")
        ]
        for (const question of questions) {
          for (const header of [undefined, cookie, "__Host-id=forged"]) {
            const answer = yield* app.request(handle((session) => Effect.as(question(session), null)), header)
            assert.strictEqual(answer.headers.get("vary"), "Cookie")
          }
        }
        assert.isNull((yield* app.request(untouched, cookie)).headers.get("vary"))
      })
    )
  },
  {
    id: "CVE-2024-26144",
    holds: "a file that an app serves for everybody to keep carries no cookie where its handler left the session alone",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const file = cachedBy(untouched, publicly)
        for (const cookie of [undefined, yield* begin(app), "__Host-id=forged"]) {
          const answer = yield* app.request(file, cookie)
          assert.deepStrictEqual(answer.setCookies, [])
          assert.strictEqual(answer.headers.get("cache-control"), publicly["cache-control"])
        }
      })
    )
  },
  {
    id: "CVE-2022-24894",
    holds: "the answer that removes the cookie, at a logout, is stored by no cache either",
    check: onEachServer((app) =>
      Effect.flatMap(begin(app), (cookie) => isNotStored(app, logout, cookie)).pipe(Effect.asVoid)
    )
  },
  {
    id: "CVE-2025-48947",
    holds: "an answer that merely refreshes a session's cookie is stored by no cache, also where no handler touched it",
    check: Effect.gen(function*() {
      for (const app of [yield* memoryApp({ lifecycle: always }), yield* cookieApp({ lifecycle: always })]) {
        yield* isNotStored(app, untouched, yield* begin(app))
      }
    })
  },
  {
    id: "CVE-2025-64762",
    holds: "the answer to a login, with its new key, is stored by no cache and varies by the cookie",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const answer = yield* isNotStored(app, loginAs("ferris"), yield* begin(app))
        assert.strictEqual(answer.headers.get("vary"), "Cookie")
        yield* opens(app, cookieOf(answer), { counter: 1, user: "ferris" })
      })
    )
  }
]
