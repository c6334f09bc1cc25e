/**
 * Cookies that were misread, miswritten, or left without their protection.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { parseSetCookie } from "../hostile/setCookieGrammar.js"
import type { WebApp } from "../support/webApp.js"
import { handle, User } from "../support/webApp.js"
import type { Advisory } from "./advisory.js"
import {
  begin,
  cookieOf,
  increment,
  insert,
  loginAs,
  logout,
  memoryApp,
  onEachServer,
  opens,
  opensNothing,
  valueOf
} from "./app.js"

/**
 * An attacker's own, genuine session, in a cookie that some other reader would take for ours: alone it opens nothing,
 * and beside the victim's cookie it changes nothing, in either order.
 */
const isNotMistaken = (spoof: (value: string) => ReadonlyArray<string>) =>
  onEachServer((app) =>
    Effect.gen(function*() {
      const attackers = yield* begin(app, loginAs("attacker"))
      const victims = yield* begin(app, loginAs("ferris"))
      for (const header of spoof(valueOf(attackers))) {
        assert.notInclude(header.split("; "), attackers)
        app.calls.length = 0
        yield* opensNothing(app, header)
        assert.deepStrictEqual(app.calls, [], header)
        yield* opens(app, `${header}; ${victims}`, { user: "ferris" })
        yield* opens(app, `${victims}; ${header}`, { user: "ferris" })
      }
    })
  )

/** The cookie is found between what another reader would take for the two ends of one quoted text. */
const isNotSwallowed = (before: string, after: string) =>
  onEachServer((app) =>
    Effect.gen(function*() {
      const cookie = yield* begin(app, loginAs("ferris"))
      yield* opens(app, `${before}; ${cookie}; ${after}`, { user: "ferris" })
    })
  )

const refuses = (cookie: Config.CookieOptions, option: string) => {
  const made = Config.make({ keys: Config.generateKey(), cookie })
  assert(Either.isLeft(made), JSON.stringify(cookie))
  assert.strictEqual(made.left.option, option)
}

const breakouts = ["; Domain=evil.test", "\r\nSet-Cookie: a=b", "\n", "\u0000", "\u007f", ";", "; Secure"]

const attributesOf = (line: string) => {
  const cookie = parseSetCookie(line)
  assert(typeof cookie === "object", String(cookie))
  return cookie.attributes
}

const setCookieLines = (app: WebApp) =>
  Effect.gen(function*() {
    const created = yield* app.request(increment)
    const renewed = yield* app.request(loginAs("ferris"), cookieOf(created))
    const removed = yield* app.request(logout, cookieOf(renewed))
    return [created, renewed, removed].map(({ setCookies }) => setCookies[0]!)
  })

export const cookies: ReadonlyArray<Advisory> = [
  {
    id: "CVE-2020-8184",
    holds: "a name is not percent-decoded: %5F_Host-id and __Host-%69d are cookies of somebody else",
    check: isNotMistaken((value) => [
      `%5F_Host-id=${value}`,
      `%5f%5fHost-id=${value}`,
      `__Host-%69d=${value}`,
      `%20__Host-id=${value}`,
      `__Host-id%3D${value}`
    ])
  },
  {
    id: "CVE-2023-23934",
    holds: "equals signs before a name are not stripped, one or many",
    check: isNotMistaken((value) => [`=__Host-id=${value}`, `==__Host-id=${value}`, ` = __Host-id=${value}`])
  },
  {
    id: "CVE-2022-31629",
    holds: "dots, blanks and brackets in a name do not become underscores",
    check: isNotMistaken((
      value
    ) => [`..Host-id=${value}`, `_ Host-id=${value}`, `._Host-id=${value}`, `_.Host-id=${value}`])
  },
  {
    id: "CVE-2024-2756",
    holds: "nor does an opening bracket that nothing closes, nor the index of an array behind the name",
    check: isNotMistaken((value) => [
      `_[Host-id=${value}`,
      `[_Host-id=${value}`,
      `__Host-id[]=${value}`,
      `__Host-id[0]=${value}`,
      `__Host-id[=${value}`
    ])
  },
  {
    id: "CVE-2022-36032",
    holds: "an escaped prefix is no prefix, also where the escape is of bytes that some decoder drops",
    check: isNotMistaken((value) => [
      `__%48ost-id=${value}`,
      `__Host%2Did=${value}`,
      `%00__Host-id=${value}`,
      `%EF%BB%BF__Host-id=${value}`,
      `%u005f_Host-id=${value}`
    ])
  },
  {
    id: "CVE-2023-26049",
    holds: "a quote opens nothing: it swallows no cookie up to the next quote, and no name or value is unquoted",
    check: Effect.zipRight(
      isNotSwallowed("a=\"b", "c=\"d"),
      isNotMistaken((value) => [`"__Host-id"=${value}`, `__Host-id="${value}"`, `a="; b=__Host-id=${value}; c="`])
    )
  },
  {
    id: "CVE-2023-4639",
    holds: "$Version changes no rule: between it and the end of its quotes every pair is a pair",
    check: Effect.zipRight(
      isNotSwallowed("$Version=1; a=\"b", "$Path=\"/\"; c=\"d\""),
      isNotMistaken((value) => [`$Version=1; $__Host-id=${value}`, `$Version="1", __Host-id=${value}`])
    )
  },
  {
    id: "CVE-2022-2860",
    holds: "a cookie without a name that carries our name in its value is ignored, as far as a server can see it",
    check: isNotMistaken((value) => [`=__Host-id=${value}`, ` =__Host-id=${value}`, `=; =__Host-id=${value}`])
  },
  {
    id: "CVE-2022-40958",
    holds: "where a browser lets a tossed cookie pass under our very name, two live sessions are none, in either order",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const attackers = yield* begin(app, loginAs("attacker"))
        const victims = yield* begin(app, loginAs("ferris"))
        for (const header of [`${attackers}; ${victims}`, `${victims}; ${attackers}`]) {
          yield* opensNothing(app, header)
          const fresh = cookieOf(yield* app.request(insert("typed", "password"), header))
          assert.notInclude([attackers, victims], fresh)
        }
        yield* opens(app, attackers, { user: "attacker" })
        yield* opens(app, victims, { user: "ferris" })
      })
    )
  },
  {
    id: "CVE-2024-47764",
    holds: "a name, path or domain that would write another attribute or header is refused, not escaped",
    check: Effect.sync(() => {
      for (const breakout of breakouts) {
        refuses({ name: `id${breakout}` }, "cookie.name")
        refuses({ name: "id", path: `/app${breakout}` }, "cookie.path")
        refuses({ name: "id", domain: `app.test${breakout}` }, "cookie.domain")
      }
    })
  },
  {
    id: "CVE-2026-56762",
    holds:
      "what a session holds reaches no header as it is, whatever is in it: the cookie's value is made of safe bytes",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        for (const breakout of breakouts) {
          const answer = yield* app.request(handle((session) => session.insert(User, breakout)))
          assert.strictEqual(answer.setCookies.length, 1)
          assert.isObject(parseSetCookie(answer.setCookies[0]!))
          yield* opens(app, cookieOf(answer), { user: breakout })
        }
      })
    )
  },
  {
    id: "CVE-2016-7401",
    holds: "nothing but a semicolon parts two cookies: not a comma, a bracket, a quote, a blank or a line break",
    check: isNotMistaken((value) =>
      [",", "]", "\"", " ", "&", ")", "\t", "\u00a0", "\u0085"].map((joint) => `analytics=x${joint}__Host-id=${value}`)
    )
  },
  {
    id: "WS-2022-0330",
    holds: "the default name begins with the prefix as browsers know it, two underscores, Host and a hyphen",
    check: Effect.gen(function*() {
      assert.match(Config.defaults.cookie.name, /^__Host-[a-z]+$/)
      const app = yield* memoryApp()
      for (const line of yield* setCookieLines(app)) {
        assert.match(line, /^__Host-id=/)
      }
    })
  },
  {
    id: "CVE-2022-39284",
    holds: "Secure and HttpOnly stand in every line that the defaults write, and in every removal",
    check: Effect.gen(function*() {
      for (const line of yield* setCookieLines(yield* memoryApp())) {
        assert.includeMembers([...attributesOf(line).keys()], ["Secure", "HttpOnly"])
      }
    })
  },
  {
    id: "CVE-2026-48058",
    holds: "SameSite is always said, Lax by default, and None is refused without Secure",
    check: Effect.gen(function*() {
      for (const line of yield* setCookieLines(yield* memoryApp())) {
        assert.strictEqual(attributesOf(line).get("SameSite"), "Lax")
      }
      refuses({ name: "id", secure: false, sameSite: "None" }, "cookie.secure")
    })
  },
  {
    id: "CVE-2026-46398",
    holds: "a cookie without its flags is had only by asking for it by name, and a warning says what it costs",
    check: Effect.sync(() => {
      const warnings = (cookie: Config.CookieOptions) =>
        Either.getOrThrow(Config.make({ keys: Config.generateKey(), cookie })).warnings.length
      assert.strictEqual(warnings({}), 0)
      assert.strictEqual(warnings({ name: "id", secure: false }), 1)
      assert.strictEqual(warnings({ name: "id", secure: false, httpOnly: false }), 2)
      refuses({ secure: false }, "cookie.secure")
    })
  },
  {
    id: "CVE-2025-7339",
    holds:
      "the headers and cookies that a handler wrote stay as they are beside the session's, on each of its outcomes",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app)
        const page = (operation: (session: Session.Session) => Effect.Effect<unknown, unknown>) =>
          Effect.flatMap(Session.Session, (session) =>
            Effect.as(
              operation(session),
              HttpServerResponse.empty({ headers: { "x-one": "1", link: "</a>; rel=preload, </b>; rel=preload" } })
                .pipe(
                  HttpServerResponse.unsafeSetCookie("theme", "dark"),
                  HttpServerResponse.unsafeSetCookie("lang", "en")
                )
            ))
        for (
          const operation of [
            () => Effect.void,
            (session: Session.Session) => session.entries,
            (session: Session.Session) => session.insert(User, "x"),
            (session: Session.Session) => session.renew
          ]
        ) {
          const { headers, setCookies } = yield* app.request(page(operation), cookie)
          assert.strictEqual(headers.get("x-one"), "1")
          assert.strictEqual(headers.get("link"), "</a>; rel=preload, </b>; rel=preload")
          const others = setCookies.filter((line) => !line.startsWith("__Host-id="))
          assert.deepStrictEqual([...others].sort(), ["lang=en", "theme=dark"])
        }
      })
    )
  }
]
