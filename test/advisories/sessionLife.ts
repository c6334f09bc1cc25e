/**
 * Sessions that lived on: after a logout, after their expiry, after a password change.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionStore from "effect-session/SessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { parseSetCookie } from "../hostile/setCookieGrammar.js"
import type { Handler, WebApp } from "../support/webApp.js"
import { Counter, handle, makeWebApp, User } from "../support/webApp.js"
import type { Advisory } from "./advisory.js"
import {
  begin,
  cookieApp,
  cookieOf,
  eventsDuring,
  increment,
  insert,
  keyIn,
  loginAs,
  logout,
  memoryApp,
  onEachServer,
  opens,
  opensNothing,
  read,
  redisApp,
  renew,
  settle,
  stateBehind,
  untouched,
  valueOf,
  whileInFlight
} from "./app.js"

const always = Config.PersistentSession({ ttl: "10 minutes", ttlExtension: "OnEveryRequest", maxLifetime: "1 hour" })

// -- the account of an app that ends its other sessions when the password changes

const Version = Session.entry("credentialVersion", Schema.Number)

/** What docs/security.md tells apps to do: keep the version of the credentials in the session, and compare. */
const makeAccount = () => {
  let version = 1
  const login: Handler = handle((session) =>
    Effect.all([session.insert(User, "ferris"), session.insert(Version, version), session.renew])
  )
  const page: Handler = Effect.gen(function*() {
    const session = yield* Session.Session
    const current = yield* session.get(Version)
    if (current._tag === "Some" && current.value === version) {
      return HttpServerResponse.unsafeJson("signed in")
    }
    yield* session.purge
    return HttpServerResponse.unsafeJson("signed out", { status: 401 })
  })
  const changePassword: Handler = handle((session) =>
    Effect.suspend(() => {
      version++
      return Effect.zipRight(session.insert(Version, version), session.renew)
    })
  )
  const resetByAdministrator = Effect.sync(() => {
    version++
  })
  return { login, page, changePassword, resetByAdministrator }
}

const statusOf = (app: WebApp, page: Handler, cookie: string): Effect.Effect<number> =>
  Effect.map(app.request(page, cookie), ({ status }) => status)

const afterPasswordChange = (
  check: (world: {
    readonly app: WebApp
    readonly account: ReturnType<typeof makeAccount>
    readonly here: string
    readonly there: string
  }) => Effect.Effect<void>,
  config: Partial<Config.SessionOptions> = {}
) =>
  onEachServer((app) =>
    Effect.gen(function*() {
      const account = makeAccount()
      const here = yield* begin(app, account.login)
      const there = yield* begin(app, account.login)
      assert.deepStrictEqual([yield* statusOf(app, account.page, here), yield* statusOf(app, account.page, there)], [
        200,
        200
      ])
      yield* check({ app, account, here, there })
    }), config)

/** Sessions that were stored for a minute, under a configuration that would now store them for a year. */
const endsAsStored = <R>(make: (config: Partial<Config.SessionOptions>) => Effect.Effect<WebApp, never, R>) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(0)
    const keys = Config.generateKey()
    const before = yield* make({ keys, lifecycle: Config.BrowserSession({ ttl: "1 minute" }) })
    const cookie = yield* begin(before)
    const after = yield* makeWebApp({
      config: { keys, lifecycle: Config.BrowserSession({ ttl: "400 days" }) },
      store: Layer.succeed(SessionStore.SessionStore, before.middleware.store)
    })
    yield* opens(after, cookie, { counter: 1 })
    yield* TestClock.adjust("1 minute")
    yield* opensNothing(after, cookie)
  })

export const sessionLife: ReadonlyArray<Advisory> = [
  {
    id: "CVE-2025-46336",
    holds: "a request that loaded its session before the logout and writes after it does not bring it back",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app)
        const late = yield* whileInFlight(app, cookie, insert("late", "x"), app.request(logout, cookie))
        assert.deepStrictEqual(late.setCookies, [])
        yield* opensNothing(app, cookie)
      })
    )
  },
  {
    id: "CVE-2025-32441",
    holds: "a request that renews a session which was ended meanwhile begins no new one, and is answered with 409",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app, loginAs("ferris"))
        const work = handle((session) => Effect.zipRight(session.insert("note", Schema.String, "mine"), session.renew))
        const late = yield* whileInFlight(app, cookie, work, app.request(logout, cookie))
        yield* opensNothing(app, cookie)
        assert.deepStrictEqual([late.status, late.setCookies], [409, []])
      })
    )
  },
  {
    id: "expressjs/session#632",
    holds: "a request that merely prolongs the session does not undo a logout that overtook it",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app)
        const late = yield* whileInFlight(app, cookie, read, app.request(logout, cookie))
        assert.deepStrictEqual(late.setCookies, [])
        assert.deepStrictEqual((yield* app.request(untouched, cookie)).setCookies, [])
        yield* opensNothing(app, cookie)
      }), { lifecycle: always })
  },
  {
    id: "jetty#228",
    holds: "twenty requests that were all in flight at the logout leave nothing in Redis behind",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      const cookie = yield* begin(app)
      const gate = yield* Deferred.make<void>()
      const slow = (index: number): Handler =>
        Effect.flatMap(Session.Session, (session) =>
          session.entries.pipe(
            Effect.zipRight(Deferred.await(gate)),
            Effect.zipRight(session.insert(`key ${index}`, Schema.Number, index)),
            Effect.as(HttpServerResponse.empty())
          ))
      const writers = yield* Effect.fork(
        Effect.forEach(Array.from({ length: 20 }, (_, index) => index), (index) => app.request(slow(index), cookie), {
          concurrency: "unbounded"
        })
      )
      while (app.calls.filter((verb) => verb === "load").length < 20) {
        yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      }
      // All of them have asked; the answer to the logout comes after all of theirs.
      yield* app.request(logout, cookie)
      yield* Deferred.succeed(gate, undefined)
      const answers = yield* Fiber.join(writers)
      assert.deepStrictEqual(answers.flatMap(({ setCookies }) => setCookies), [])
      assert.deepStrictEqual(yield* keys, [])
    })
  },
  {
    id: "CVE-2024-35220",
    holds: "restoring a session does not put its expiry off: unread or read, it ends when it was to end",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(0)
        const cookie = yield* begin(app)
        for (let second = 0; second < 60; second += 10) {
          yield* opens(app, cookie, { counter: 1 })
          yield* TestClock.adjust("10 seconds")
        }
        yield* opensNothing(app, cookie)
      }), { lifecycle: Config.PersistentSession({ ttl: "1 minute" }) })
  },
  {
    id: "CVE-2024-31999",
    holds: "a copy of a sealed session that is replayed for ever is dead at the absolute limit",
    check: Effect.gen(function*() {
      const app = yield* cookieApp({ lifecycle: always })
      let copy = yield* begin(app)
      yield* app.request(logout, copy)
      for (let minutes = 0; minutes < 60; minutes += 5) {
        const refreshed = yield* app.request(untouched, copy)
        copy = cookieOf(refreshed)
        yield* opens(app, copy, { counter: 1 })
        yield* TestClock.adjust("5 minutes")
      }
      yield* opensNothing(app, copy)
      assert.deepStrictEqual((yield* app.request(untouched, copy)).setCookies, [])
    })
  },
  {
    id: "CVE-2018-1000814",
    holds: "a sealed session that comes back after its end is not taken up again: a write begins another one",
    check: Effect.gen(function*() {
      const app = yield* cookieApp({ lifecycle: Config.PersistentSession({ ttl: "1 minute" }) })
      const cookie = yield* begin(app, loginAs("ferris"))
      yield* TestClock.adjust("1 minute")
      yield* opensNothing(app, cookie)
      const fresh = cookieOf(yield* app.request(increment, cookie))
      yield* opens(app, fresh, { counter: 1 })
      assert.notStrictEqual(keyIn(app, fresh).id, keyIn(app, cookie).id)
    })
  },
  {
    id: "CVE-2025-46344",
    holds: "a sealed session carries its end inside the seal, where nobody can move it",
    check: Effect.gen(function*() {
      const app = yield* cookieApp({
        contentSecurity: "Signed",
        lifecycle: Config.BrowserSession({ ttl: "1 minute" })
      })
      const cookie = yield* begin(app)
      const bytes = Buffer.from(valueOf(cookie), "base64url").toString("latin1")
      assert.include(bytes, "\"e\":60000")
      const later = Buffer.from(bytes.replace("\"e\":60000", "\"e\":99999"), "latin1").toString("base64url")
      yield* opensNothing(app, `__Host-id=${later}`)
      yield* opens(app, cookie, { counter: 1 })
      yield* TestClock.adjust("1 minute")
      yield* opensNothing(app, cookie)
    })
  },
  {
    id: "CVE-2018-17199",
    holds: "a session ends when its record says so, not when the configuration of today would have it end",
    check: Effect.all([
      endsAsStored(memoryApp),
      endsAsStored(cookieApp),
      endsAsStored((config) => Effect.map(redisApp(config), ({ app }) => app))
    ], { discard: true })
  },
  {
    id: "CVE-2026-44511",
    holds: "a copy of the cookie that was taken before the logout opens nothing after it",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app, loginAs("ferris"))
        yield* opens(app, cookie, { user: "ferris" })
        yield* app.request(logout, cookie)
        yield* opensNothing(app, cookie)
      })
    )
  },
  {
    id: "CVE-2024-56733",
    holds: "an ended session stays ended beside the next one of the same browser, in either order of the cookies",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const old = yield* begin(app, loginAs("ferris"))
        yield* app.request(logout, old)
        const next = yield* begin(app)
        yield* opens(app, `${old}; ${next}`, { counter: 1 })
        yield* opens(app, `${next}; ${old}`, { counter: 1 })
      })
    )
  },
  {
    id: "CVE-2026-30224",
    holds: "a logout in one of several tabs ends the session for all of them, and what they write goes elsewhere",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app, loginAs("ferris"))
        yield* app.request(logout, cookie)
        const another = cookieOf(yield* app.request(increment, cookie))
        yield* opens(app, another, { counter: 1 })
        assert.notStrictEqual(keyIn(app, another).id, keyIn(app, cookie).id)
        yield* opensNothing(app, cookie)
      })
    )
  },
  {
    id: "CVE-2023-40273",
    holds: "an app that compares credential versions ends the other sessions of an account with its password",
    check: afterPasswordChange(({ account, app, here, there }) =>
      Effect.gen(function*() {
        yield* app.request(account.changePassword, here)
        assert.strictEqual(yield* statusOf(app, account.page, there), 401)
        yield* opensNothing(app, there)
      })
    )
  },
  {
    id: "CVE-2021-25970",
    holds: "the session that changed the password goes on under a new key, and its old one opens nothing",
    check: afterPasswordChange(({ account, app, here }) =>
      Effect.gen(function*() {
        const changed = cookieOf(yield* app.request(account.changePassword, here))
        assert.strictEqual(yield* statusOf(app, account.page, changed), 200)
        yield* opensNothing(app, here)
      })
    )
  },
  {
    id: "CVE-2021-41268",
    holds: "a session that was made to last for weeks ends at a password change like any other",
    check: afterPasswordChange(
      ({ account, app, here, there }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("20 days")
          yield* app.request(account.changePassword, here)
          const answer = yield* app.request(account.page, there)
          assert.strictEqual(answer.status, 401)
          assert.match(answer.setCookies[0]!, /Max-Age=0/)
        }),
      { lifecycle: Config.PersistentSession({ ttl: "30 days" }) }
    )
  },
  {
    id: "CVE-2022-23502",
    holds: "a password that an administrator resets ends the account's sessions too, though none of them took part",
    check: afterPasswordChange(({ account, app, here, there }) =>
      Effect.gen(function*() {
        yield* account.resetByAdministrator
        assert.strictEqual(yield* statusOf(app, account.page, here), 401)
        assert.strictEqual(yield* statusOf(app, account.page, there), 401)
      })
    )
  },
  {
    id: "CVE-2026-34828",
    holds: "a request that is in flight when its session is ended for the password does not keep it alive",
    check: afterPasswordChange(({ account, app, here, there }) =>
      Effect.gen(function*() {
        yield* app.request(account.changePassword, here)
        const late = yield* whileInFlight(app, there, insert("late", "x"), app.request(account.page, there))
        assert.deepStrictEqual(late.setCookies, [])
        yield* opensNothing(app, there)
      })
    )
  },
  {
    id: "GO-2026-5222",
    holds: "what a password change ends is removed from the store, not only looked away from",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      const account = makeAccount()
      const cookie = yield* begin(app, account.login)
      assert.strictEqual((yield* keys).length, 1)
      yield* account.resetByAdministrator
      yield* app.request(account.page, cookie)
      assert.deepStrictEqual(yield* keys, [])
    })
  },
  {
    id: "CVE-2026-56750",
    holds: "a key that a renewal replaced opens nothing for whoever stole it, and its use is told as an event",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const told = yield* eventsDuring(
          app,
          Effect.gen(function*() {
            const stolen = yield* begin(app, loginAs("ferris"))
            const renewed = cookieOf(yield* app.request(renew, stolen))
            yield* opensNothing(app, stolen)
            yield* TestClock.adjust("11 seconds")
            yield* opensNothing(app, stolen)
            yield* opens(app, renewed, { user: "ferris" })
          })
        )
        assert.includeMembers(told, ["KeySuperseded", "KeyExpired"])
      })
    )
  },
  {
    id: "CVE-2023-20862",
    holds: "a logout leaves nothing of the state behind: not in Redis, not in what the same request writes next",
    check: Effect.gen(function*() {
      const { app, keys, redis } = yield* redisApp()
      const cookie = yield* begin(app, loginAs("ferris"))
      const answer = yield* app.request(
        handle((session) =>
          Effect.all([session.purge, session.entries, session.insert(Counter, 1)]).pipe(
            Effect.map(([, entries]) => Object.fromEntries(entries))
          )
        ),
        cookie
      )
      assert.deepStrictEqual(answer.body, {})
      yield* opens(app, cookieOf(answer), { counter: 1 })
      // The new session, and the trace of the one in whose place it is.
      const left = yield* keys
      assert.strictEqual(left.length, 2)
      for (const key of left) {
        assert.notInclude(JSON.stringify(yield* Effect.promise(() => redis.hgetall(key))), "ferris")
      }
    })
  },
  {
    id: "CVE-2021-34428",
    holds: "a listener that dies when it hears of the logout does not stop the logout",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const heard = yield* Effect.fork(
          Stream.runForEach(
            app.middleware.events,
            (event) => event._tag === "Purged" ? Effect.die("the listener breaks") : Effect.void
          )
        )
        yield* settle
        const cookie = yield* begin(app)
        assert.match((yield* app.request(logout, cookie)).setCookies[0]!, /Max-Age=0/)
        yield* opensNothing(app, cookie)
        assert.strictEqual((yield* Fiber.await(heard))._tag, "Failure")
      })
    )
  },
  {
    id: "CVE-2025-55162",
    holds: "the cookie that removes a prefixed cookie is itself one that browsers take, with the same scope",
    check: Effect.gen(function*() {
      for (
        const cookie of [
          {},
          { name: "__Secure-id", path: "/app", domain: "app.test" },
          { name: "__Host-Http-id" },
          { name: "id", sameSite: "None", partitioned: true }
        ] as const
      ) {
        const app = yield* memoryApp({ cookie })
        const created = yield* app.request(increment)
        const removed = yield* app.request(logout, cookieOf(created))
        const [set, removal] = [created, removed].map(({ setCookies }) => parseSetCookie(setCookies[0]!))
        assert(typeof set === "object" && typeof removal === "object", `${String(set)}, ${String(removal)}`)
        const scope = ({ attributes, name }: typeof set) => [
          name,
          ...["Domain", "Path", "Secure", "HttpOnly", "SameSite", "Partitioned"].map((attribute) =>
            attributes.has(attribute) ? String(attributes.get(attribute)) : "not there"
          )
        ]
        assert.deepStrictEqual(scope(removal), scope(set))
      }
    })
  },
  {
    id: "CVE-2026-34454",
    holds: "a logout takes the cookie away also when it opens nothing any more",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const ended = yield* begin(app)
        yield* app.request(logout, ended)
        for (const cookie of [ended, "__Host-id=forged", "__Host-id="]) {
          const answer = yield* app.request(logout, cookie)
          assert.strictEqual(answer.status, 200)
          assert.match(answer.setCookies[0]!, /^__Host-id=; Max-Age=0/)
        }
      })
    )
  },
  {
    id: "GHSA-xg6x-h9c9-2m83",
    holds: "no session is answered from a cache, and the key of a half-done sign-in opens nothing once it is whole",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const half = yield* begin(app, insert("waiting for second factor", "ferris"))
        yield* stateBehind(app, half)
        const whole = cookieOf(
          yield* app.request(
            handle((session) =>
              Effect.all([session.remove("waiting for second factor"), session.insert(User, "ferris"), session.renew])
            ),
            half
          )
        )
        yield* opens(app, whole, { user: "ferris" })
        yield* opensNothing(app, half)
        app.calls.length = 0
        yield* app.request(logout, whole)
        yield* opensNothing(app, whole)
        assert.strictEqual(app.calls.filter((verb) => verb === "load").length, 2)
      })
    )
  }
]
