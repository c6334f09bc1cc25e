/**
 * Sessions that an attacker chose: planted before a login, or named by a client.
 */
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import type { WebApp } from "../support/webApp.js"
import { handle, User } from "../support/webApp.js"
import type { Advisory } from "./advisory.js"
import {
  begin,
  cookieOf,
  increment,
  insert,
  keyIn,
  loginAs,
  memoryApp,
  onEachServer,
  opens,
  opensNothing,
  read,
  redisApp,
  renew,
  sealed,
  sealedKey,
  send,
  whileInFlight
} from "./app.js"

/** An attacker has a session of his own, and brings its cookie into the victim's browser before the victim signs in. */
const planted = (
  check: (world: { readonly app: WebApp; readonly cookie: string }) => Effect.Effect<void>,
  config: Partial<Config.SessionOptions> = {}
) =>
  onEachServer(
    (app) => Effect.flatMap(begin(app, insert("basket", "apples")), (cookie) => check({ app, cookie })),
    config
  )

const Csrf = Session.entry("csrf", Schema.String)

const withCsrf = (secret: string) => handle((session) => session.insert(Csrf, secret))

export const fixation: ReadonlyArray<Advisory> = [
  {
    id: "CVE-2024-38513",
    holds: "an id that a client made up is not adopted, even if it comes under our own seal",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const chosen = SessionKey.mint()
        const cookie = cookieOf(yield* app.request(increment, sealedKey(app, chosen)))
        assert.notStrictEqual(keyIn(app, cookie).id, chosen.id)
        yield* opensNothing(app, sealedKey(app, chosen))
      })
    )
  },
  {
    id: "CVE-2018-1000519",
    holds: "a key that Redis does not know creates nothing under its name there",
    check: Effect.gen(function*() {
      const { app, keys, prefix } = yield* redisApp()
      const chosen = SessionKey.mint()
      const cookie = cookieOf(yield* app.request(increment, sealedKey(app, chosen)))
      assert.deepStrictEqual(yield* keys, [`${prefix}${keyIn(app, cookie).id}`])
    })
  },
  {
    id: "CVE-2022-25896",
    holds: "after a login that renews, the cookie that was planted before it opens nothing",
    check: planted(({ app, cookie }) =>
      Effect.gen(function*() {
        const victim = cookieOf(yield* app.request(loginAs("ferris"), cookie))
        yield* opensNothing(app, cookie)
        yield* TestClock.adjust("1 minute")
        yield* opensNothing(app, cookie)
        yield* opens(app, victim, { basket: "apples", user: "ferris" })
      })
    )
  },
  {
    id: "CVE-2023-29019",
    holds:
      "whoever planted the cookie cannot write into the session of who signed in with it, nor take it over, also when his request was there first",
    check: planted(({ app, cookie }) =>
      Effect.gen(function*() {
        const victim = cookieOf(yield* app.request(loginAs("ferris"), cookie))
        yield* app.request(insert("basket", "poison"), cookie)
        yield* TestClock.adjust("1 minute")
        yield* app.request(insert("basket", "poison"), cookie)
        yield* opens(app, victim, { basket: "apples", user: "ferris" })
        let next = ""
        for (const work of [insert("basket", "poison"), renew]) {
          const planted = yield* begin(app, insert("basket", "apples"))
          const login = Effect.map(app.request(loginAs("ferris"), planted), (answer) => {
            next = cookieOf(answer)
          })
          assert.deepStrictEqual((yield* whileInFlight(app, planted, work, login)).setCookies, [])
          yield* opens(app, next, { basket: "apples", user: "ferris" })
        }
      })
    )
  },
  {
    id: "CVE-2018-11385",
    holds: "the new key and what the login wrote come in one step: no moment shows the old key the new state",
    check: planted(({ app, cookie }) =>
      Effect.gen(function*() {
        app.calls.length = 0
        yield* app.request(loginAs("ferris"), cookie)
        assert.deepStrictEqual(app.calls, ["load", "renew"])
      })
    )
  },
  {
    id: "CVE-2023-46733",
    holds: "signing in again where somebody is signed in gives a new key as well",
    check: planted(({ app, cookie }) =>
      Effect.gen(function*() {
        const first = cookieOf(yield* app.request(loginAs("ferris"), cookie))
        const again = cookieOf(yield* app.request(loginAs("ferris"), first))
        yield* opensNothing(app, first)
        yield* opens(app, again, { basket: "apples", user: "ferris" })
      })
    )
  },
  {
    id: "CVE-2015-8124",
    holds: "a cookie that lasts for weeks is replaced at the login like one that does not",
    check: planted(
      ({ app, cookie }) =>
        Effect.gen(function*() {
          const answer = yield* app.request(loginAs("ferris"), cookie)
          assert.match(answer.setCookies[0]!, /Max-Age=2592000/)
          yield* TestClock.adjust("20 days")
          yield* opensNothing(app, cookie)
          yield* opens(app, cookieOf(answer), { basket: "apples", user: "ferris" })
        }),
      { lifecycle: Config.PersistentSession({ ttl: "30 days" }) }
    )
  },
  {
    id: "CVE-2025-55668",
    holds: "a key is read from the session cookie and from nowhere else: not from the path, the query or a header",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app)
        const value = cookie.slice("__Host-id=".length)
        const key = SessionKey.toText(keyIn(app, cookie))
        for (const text of [value, key]) {
          for (
            const request of [
              new Request(`https://app.test/;jsessionid=${text};__Host-id=${text}`),
              new Request(`https://app.test/?__Host-id=${text}&id=${text}&jsessionid=${text}`),
              new Request("https://app.test/", { headers: { authorization: `Bearer ${text}`, "x-session-id": text } }),
              new Request("https://app.test/", { headers: { cookie2: `__Host-id=${text}`, "__Host-id": text } }),
              new Request("https://app.test/", { method: "POST", body: new URLSearchParams({ "__Host-id": text }) })
            ]
          ) {
            const response = yield* send(app, read, request)
            assert.deepStrictEqual(yield* Effect.promise(() => response.json()), {})
          }
        }
        yield* opens(app, cookie, { counter: 1 })
      })
    )
  },
  {
    id: "CVE-2024-28197",
    holds: "an attacker who renews the planted session at the moment of the login does not hold the key after it",
    check: planted(({ app, cookie }) =>
      Effect.gen(function*() {
        let attackers = ""
        const victims = yield* whileInFlight(
          app,
          cookie,
          loginAs("ferris"),
          Effect.map(app.request(renew, cookie), (answer) => {
            attackers = cookieOf(answer)
          })
        )
        yield* opens(app, attackers, { basket: "apples" })
        yield* opensNothing(app, cookie)
        yield* opens(app, cookieOf(victims), { user: "ferris" })
        assert.notStrictEqual(keyIn(app, cookieOf(victims)).id, keyIn(app, attackers).id)
      })
    )
  },
  {
    id: "CVE-2022-24895",
    holds: "a CSRF secret that is drawn anew at the login is not to be seen with the cookie from before",
    check: planted(({ app, cookie }) =>
      Effect.gen(function*() {
        yield* app.request(withCsrf("known to the attacker"), cookie)
        const login = handle((session) =>
          Effect.all([session.insert(Csrf, "secret"), session.insert(User, "ferris"), session.renew])
        )
        const victim = cookieOf(yield* app.request(login, cookie))
        yield* opensNothing(app, cookie)
        yield* opens(app, victim, { basket: "apples", csrf: "secret", user: "ferris" })
      })
    )
  },
  {
    id: "CVE-2018-11406",
    holds: "a CSRF secret goes with the session at the logout, also where the same request begins the next one",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app, withCsrf("old"))
        const next = yield* app.request(
          handle((session) => Effect.zipRight(session.purge, session.insert("flash", Schema.String, "bye"))),
          cookie
        )
        yield* opens(app, cookieOf(next), { flash: "bye" })
        yield* opensNothing(app, cookie)
      })
    )
  },
  {
    id: "CVE-2022-35943",
    holds: "a login leaves no session of before it behind that could receive the new CSRF secret",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      const cookie = yield* begin(app, withCsrf("known to the attacker"))
      const login = handle((session) =>
        Effect.all([session.insert(Csrf, "secret"), session.insert(User, "ferris"), session.renew])
      )
      yield* app.request(login, cookie)
      assert.strictEqual((yield* keys).length, 1)
      yield* TestClock.adjust("1 minute")
      yield* opensNothing(app, cookie)
    })
  },
  {
    id: "CVE-2023-29020",
    holds: "a login that clears first carries no secret of the anonymous visitor over, also none written beside it",
    check: planted(({ app, cookie }) =>
      Effect.gen(function*() {
        yield* app.request(withCsrf("known to the attacker"), cookie)
        const login = handle((session) => Effect.all([session.clear, session.insert(User, "ferris"), session.renew]))
        const answer = yield* whileInFlight(app, cookie, login, app.request(withCsrf("written meanwhile"), cookie))
        yield* opens(app, cookieOf(answer), { user: "ferris" })
      })
    )
  },
  {
    id: "CVE-2023-27495",
    holds: "a session that a subdomain tosses in beside the victim's supplies no secret: neither of the two is taken",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const victims = yield* begin(app, withCsrf("victim's"))
        const tossed = yield* begin(app, withCsrf("attacker's"))
        for (const header of [`${victims}; ${tossed}`, `${tossed}; ${victims}`]) {
          yield* opensNothing(app, header)
        }
        yield* opens(app, victims, { csrf: "victim's" })
      })
    )
  },
  {
    id: "CVE-2018-6009",
    holds: "a change of account by purge and insert leaves the next one nothing of the first, and a key of its own",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const first = yield* begin(app, withCsrf("of the first"))
        const change = handle((session) => Effect.zipRight(session.purge, session.insert(User, "second")))
        const second = cookieOf(yield* app.request(change, first))
        yield* opens(app, second, { user: "second" })
        assert.notStrictEqual(keyIn(app, second).id, keyIn(app, first).id)
      })
    )
  },
  {
    id: "CVE-2015-3982",
    holds: "nothing empty is a key, and no logout leaves a session behind that all others share",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      yield* app.request(handle((session) => session.purge), yield* begin(app))
      assert.deepStrictEqual(yield* keys, [])
      for (const text of ["", ".", " ", "null", "undefined", `${"A".repeat(22)}.`, `.${"A".repeat(43)}`]) {
        const cookie = sealed(app, text)
        app.calls.length = 0
        yield* opensNothing(app, cookie)
        assert.deepStrictEqual(app.calls, [])
      }
      yield* opensNothing(app, "__Host-id=")
      assert.isTrue(Option.isNone(SessionKey.fromText("")))
      assert.isTrue(Option.isNone(CookieSessionStore.store.readKey("")))
      assert.isTrue(Option.isNone((yield* memoryApp()).middleware.store.readKey("")))
      assert.deepStrictEqual(yield* keys, [])
    })
  }
]
