import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as UrlParams from "@effect/platform/UrlParams"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionCsrf from "effect-session/SessionCsrf"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestSession from "effect-session/testing/TestSession"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { randomBytes } from "node:crypto"
import { inspect } from "node:util"
import { counting } from "./support/countingStore.js"
import { cookieHeaderOf, keepCookies, User } from "./support/webApp.js"

type Handler = HttpApp.Default<unknown, Session.Session>

const keys = Config.generateKey()

const form = (fields: ReadonlyArray<readonly [string, string]>): RequestInit => ({
  method: "POST",
  body: new URLSearchParams(fields.map(([name, value]) => [name, value]))
})

const withToken = (token: string): RequestInit => form([["csrf", token]])

const inHeader = (value: string): RequestInit => ({ method: "POST", headers: { "x-csrf-token": value } })

/** An app behind the guard, and browsers that keep its cookies. */
const makeApp = (
  store: Layer.Layer<SessionStore.SessionStore, unknown> = MemorySessionStore.layer(),
  options: Partial<Config.SessionOptions> = {},
  policy: SessionCsrf.CsrfPolicy = Either.getOrThrow(SessionCsrf.make())
) =>
  Effect.gen(function*() {
    const inner = Context.get(yield* Effect.orDie(Layer.build(store)), SessionStore.SessionStore)
    const { calls, store: counted } = counting(inner)
    const middleware = yield* SessionMiddleware.make({ keys, ...options }).pipe(
      Effect.provideService(SessionStore.SessionStore, counted)
    )
    const runtime = yield* Effect.runtime<never>()
    const send = (handler: Handler, init: RequestInit & { readonly cookie?: string }) =>
      Effect.promise(async () => {
        const app = SessionMiddleware.sessionWith(middleware)(Effect.orDie(SessionCsrf.guardWith(policy)(handler)))
        const headers = new Headers(init.headers)
        if (init.cookie !== undefined && init.cookie !== "") {
          headers.set("cookie", init.cookie)
        }
        const response = await HttpApp.toWebHandlerRuntime(runtime)(app)(
          new Request("https://app.test/", { ...init, headers })
        )
        return { status: response.status, text: await response.text(), headers: response.headers }
      })
    const browser = () => {
      const jar = new Map<string, string>()
      const cookie = () => cookieHeaderOf(jar)
      const visit = (handler: Handler, init: RequestInit = {}) =>
        Effect.map(Effect.suspend(() => send(handler, { ...init, cookie: cookie() })), (answer) => {
          keepCookies(jar, answer.headers.getSetCookie())
          return answer
        })
      return { jar, cookie, visit }
    }
    return { calls, browser, send, middleware }
  })

const text = (token: string) => HttpServerResponse.text(token)

/** A page with a token. */
const page: Handler = Effect.map(SessionCsrf.token, text)

const done = HttpServerResponse.text("done")

const act = (operation: (session: Session.Session) => Effect.Effect<unknown, unknown>): Handler =>
  Effect.as(Effect.flatMap(Session.Session, operation), done)

const nothing: Handler = Effect.succeed(done)

const signIn = act((session) => Effect.zipRight(session.renew, session.insert(User, "ferris")))

const begin = act((session) => session.insert(User, "ferris"))

const end = act((session) => session.purge)

const stores = [
  ["a store of keys", MemorySessionStore.layer()],
  ["a store in the cookie", CookieSessionStore.layer]
] as const

describe("SessionCsrf", () => {
  describe.each(stores)("with %s", (_, store) => {
    it.scoped("lets through what brings a token of its page, in a form or in a header, with and without a session", () =>
      Effect.gen(function*() {
        const app = yield* makeApp(store)
        const { visit } = app.browser()
        for (const about of ["a visitor", "somebody signed in"]) {
          const token = (yield* visit(page)).text
          assert.match(token, /^[A-Za-z0-9_-]{86}$/)
          assert.strictEqual((yield* visit(nothing, withToken(token))).status, 200, about)
          assert.strictEqual((yield* visit(nothing, inHeader(token))).status, 200, about)
          assert.strictEqual((yield* visit(signIn, withToken(token))).status, 200, about)
        }
      }))

    it.scoped("refuses with 403 what brings none or a wrong one, before the handler and without a store call", () =>
      Effect.gen(function*() {
        const app = yield* makeApp(store)
        const mine = app.browser()
        yield* mine.visit(signIn, withToken((yield* mine.visit(page)).text))
        const token = (yield* mine.visit(page)).text
        const others = app.browser()
        const visitors = (yield* others.visit(page)).text
        yield* others.visit(signIn, withToken(visitors))
        const somebodyElses = (yield* others.visit(page)).text
        const bytes = Buffer.from(token, "base64url")
        bytes[40]! ^= 1
        const wrong: ReadonlyArray<RequestInit> = [
          { method: "POST" },
          { method: "DELETE" },
          { method: "PROPFIND" },
          { method: "POST", body: "not a form" },
          { method: "POST", body: token, headers: { "content-type": "text/plain" } },
          form([]),
          form([["token", token]]),
          form([["csrf", ""]]),
          form([["csrf", token], ["csrf", token]]),
          inHeader(""),
          inHeader(`${token}, ${token}`),
          inHeader(`${token}=`),
          inHeader(token.slice(0, -1)),
          inHeader("A".repeat(86)),
          inHeader(`${"A".repeat(85)}B`),
          inHeader("x".repeat(100_000)),
          inHeader(bytes.toString("base64url")),
          inHeader(randomBytes(64).toString("base64url")),
          inHeader(visitors),
          inHeader(somebodyElses),
          inHeader(mine.jar.get("__Host-id")!),
          inHeader(mine.jar.get("__Host-id-csrf")!),
          // What stands in the header is what counts.
          { ...withToken(token), headers: { "x-csrf-token": somebodyElses } }
        ]
        app.calls.length = 0
        let reached = 0
        const reach: Handler = Effect.sync(() => {
          reached++
          return done
        })
        for (const [index, init] of wrong.entries()) {
          const answer = yield* mine.visit(reach, init)
          assert.deepStrictEqual([answer.status, answer.text], [403, ""], `number ${index}`)
        }
        assert.strictEqual(reached, 0)
        yield* mine.visit(reach, inHeader(token))
        assert.strictEqual(reached, 1)
        assert.deepStrictEqual(app.calls, [])
      }))

    it.scoped("a renewal and a logout make the tokens from before void, and leave the browser with new ones", () =>
      Effect.gen(function*() {
        const app = yield* makeApp(store)
        const { visit } = app.browser()
        const first = (yield* visit(page)).text
        yield* visit(signIn, withToken(first))
        assert.strictEqual((yield* visit(nothing, withToken(first))).status, 403)
        const second = (yield* visit(page)).text
        yield* visit(act((session) => session.renew), withToken(second))
        assert.strictEqual((yield* visit(nothing, withToken(second))).status, store === stores[0][1] ? 403 : 200)
        const third = (yield* visit(page)).text
        yield* visit(end, withToken(third))
        assert.strictEqual((yield* visit(nothing, withToken(third))).status, 403)
        const fourth = (yield* visit(page)).text
        assert.strictEqual((yield* visit(nothing, withToken(fourth))).status, 200)
      }))

    it.scoped("a token that the answer of a sign-in, a renewal or a logout brings is good", () =>
      Effect.gen(function*() {
        const app = yield* makeApp(store)
        const { visit } = app.browser()
        let token = (yield* visit(page)).text
        for (
          const operation of [
            (session: Session.Session) => Effect.zipRight(session.renew, session.insert(User, "ferris")),
            (session: Session.Session) => session.renew,
            (session: Session.Session) => session.purge,
            (session: Session.Session) => session.insert(User, "gopher"),
            (session: Session.Session) => Effect.zipRight(session.purge, session.insert(User, "crab"))
          ]
        ) {
          const both = Effect.zipRight(Effect.flatMap(Session.Session, operation), page)
          token = (yield* visit(both, withToken(token))).text
          assert.strictEqual((yield* visit(nothing, withToken(token))).status, 200)
        }
      }))

    it.scoped("a token from before a renewal in the same request is void, and one from after it is not", () =>
      Effect.gen(function*() {
        const app = yield* makeApp(store)
        const { visit } = app.browser()
        yield* visit(page)
        const handler = Effect.gen(function*() {
          const session = yield* Session.Session
          const before = yield* SessionCsrf.token
          yield* session.renew
          yield* session.insert(User, "ferris")
          return HttpServerResponse.text(`${before} ${yield* SessionCsrf.token}`)
        })
        const [before = "", after = ""] = (yield* visit(handler)).text.split(" ")
        assert.strictEqual((yield* visit(nothing, withToken(before))).status, 403)
        assert.strictEqual((yield* visit(nothing, withToken(after))).status, 200)
      }))

    it.scoped("the form in another tab outlives the beginning of a session that is no sign-in", () =>
      Effect.gen(function*() {
        const app = yield* makeApp(store)
        const { visit } = app.browser()
        const token = (yield* visit(page)).text
        yield* visit(begin)
        assert.strictEqual((yield* visit(nothing, withToken(token))).status, 200)
      }))

    it.scoped("no cookie is set that the browser has, and none where nobody asked for a token", () =>
      Effect.gen(function*() {
        const app = yield* makeApp(store)
        const { visit } = app.browser()
        yield* visit(begin)
        const linesFor = (handler: Handler) =>
          Effect.map(
            visit(handler),
            ({ headers }) => headers.getSetCookie().filter((line) => line.startsWith("__Host-id-csrf="))
          )
        assert.deepStrictEqual(yield* linesFor(nothing), [])
        const [line = ""] = yield* linesFor(page)
        assert.match(line, /^__Host-id-csrf=[A-Za-z0-9_-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
        assert.deepStrictEqual(yield* linesFor(page), [])
        assert.deepStrictEqual(yield* linesFor(act((session) => session.insert(User, "gopher"))), [])
      }))
  })

  it.scoped("a late request puts its token over none of the sign-in that overtook it", () =>
    Effect.gen(function*() {
      const app = yield* makeApp()
      const { cookie, visit } = app.browser()
      yield* visit(begin)
      const before = cookie()
      yield* visit(signIn)
      const mine = (yield* visit(page)).text
      const late = yield* app.send(page, { cookie: before })
      assert.deepStrictEqual(late.headers.getSetCookie(), [])
      assert.strictEqual((yield* visit(nothing, withToken(mine))).status, 200)
    }))

  it.scoped("the first token of a key in its grace is good with the newer one, which its browser has", () =>
    Effect.gen(function*() {
      const lifecycle = Config.BrowserSession({ renewEvery: "15 minutes" })
      const app = yield* makeApp(undefined, { lifecycle })
      const { cookie, jar, visit } = app.browser()
      yield* visit(begin)
      const before = cookie()
      yield* TestClock.adjust("15 minutes")
      yield* visit(act((session) => session.get(User)))
      assert.notStrictEqual(cookie(), before)
      const answer = yield* app.send(page, { cookie: before })
      keepCookies(jar, answer.headers.getSetCookie())
      assert.strictEqual((yield* visit(nothing, withToken(answer.text))).status, 200)
    }))

  it.scoped("each token is different, and an answer that has one varies by the cookie", () =>
    Effect.gen(function*() {
      const app = yield* makeApp()
      const { visit } = app.browser()
      const seen = new Set<string>()
      for (let i = 0; i < 20; i++) {
        const answer = yield* visit(page)
        assert.strictEqual(answer.headers.get("vary"), "Cookie")
        seen.add(answer.text)
        assert.strictEqual((yield* visit(nothing, withToken(answer.text))).status, 200)
      }
      assert.strictEqual(seen.size, 20)
    }))

  it.scoped("a cookie with tokens of another session, or a second one, opens nothing", () =>
    Effect.gen(function*() {
      const app = yield* makeApp()
      const attacker = app.browser()
      const visitors = (yield* attacker.visit(page)).text
      const visitorsCookie = attacker.jar.get("__Host-id-csrf")!
      yield* attacker.visit(signIn, withToken(visitors))
      const token = (yield* attacker.visit(page)).text
      const victim = app.browser()
      yield* victim.visit(signIn, withToken((yield* victim.visit(page)).text))
      const own = (yield* victim.visit(page)).text
      const [session, csrf] = ["__Host-id", "__Host-id-csrf"].map((name) => victim.jar.get(name)!)
      const [planted, plantedCsrf] = ["__Host-id", "__Host-id-csrf"].map((name) => attacker.jar.get(name)!)
      const statusOf = (cookie: string, token: string) =>
        Effect.map(app.send(nothing, { ...withToken(token), cookie }), ({ status }) => status)
      assert.strictEqual(yield* statusOf(`__Host-id=${session}; __Host-id-csrf=${csrf}`, own), 200)
      for (
        const [cookie, sent] of [
          [`__Host-id=${session}; __Host-id-csrf=${plantedCsrf}`, token],
          [`__Host-id=${session}; __Host-id-csrf=${visitorsCookie}`, visitors],
          [`__Host-id=${session}; __Host-id=${planted}; __Host-id-csrf=${plantedCsrf}`, token],
          [`__Host-id=${planted}; __Host-id=${session}; __Host-id-csrf=${plantedCsrf}`, token],
          [`__Host-id-csrf=${plantedCsrf}`, token],
          [`__Host-id=${session}`, own],
          [`__Host-id=${session}; __Host-id-csrf=${session}`, own],
          [`__Host-id=${session}; __Host-id-csrf=${csrf}x`, own]
        ] as const
      ) {
        assert.strictEqual(yield* statusOf(cookie, sent), 403, cookie)
      }
      // Two secrets of visitors: one of them is somebody else's.
      const other = app.browser()
      const others = (yield* other.visit(page)).text
      const two = `__Host-id-csrf=${visitorsCookie}; ${other.cookie()}`
      assert.deepStrictEqual([yield* statusOf(two, visitors), yield* statusOf(two, others)], [403, 403])
      // The same one twice is one.
      assert.strictEqual(yield* statusOf(`${other.cookie()}; ${other.cookie()}`, others), 200)
    }))

  it.scoped("keys that are rotated take the tokens along", () =>
    Effect.gen(function*() {
      const old = yield* makeApp()
      const browser = old.browser()
      const token = (yield* browser.visit(page)).text
      const rotated = yield* makeApp(undefined, { keys: [Config.generateKey(), keys] })
      const replaced = yield* makeApp(undefined, { keys: Config.generateKey() })
      const cookie = browser.cookie()
      assert.strictEqual((yield* rotated.send(nothing, { ...withToken(token), cookie })).status, 200)
      assert.strictEqual((yield* replaced.send(nothing, { ...withToken(token), cookie })).status, 403)
    }))

  it.scoped("the format of cookie-rs does as well, and its cookies cannot be swapped", () =>
    Effect.gen(function*() {
      const app = yield* makeApp(undefined, { cookieFormat: "CookieRs", contentSecurity: "Signed" })
      const { jar, visit } = app.browser()
      yield* visit(begin)
      const token = (yield* visit(page)).text
      assert.strictEqual((yield* visit(nothing, withToken(token))).status, 200)
      jar.set("__Host-id", jar.get("__Host-id-csrf")!)
      assert.strictEqual((yield* visit(act((session) => session.get(User)))).status, 200)
      assert.strictEqual((yield* visit(nothing, withToken(token))).status, 403)
    }))

  it.scoped("the form stays there for the handler", () =>
    Effect.gen(function*() {
      const app = yield* makeApp()
      const { visit } = app.browser()
      const token = (yield* visit(page)).text
      const echo: Handler = Effect.map(
        Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => request.urlParamsBody),
        (fields) => HttpServerResponse.text(UrlParams.getAll(fields, "amount").join())
      )
      assert.strictEqual((yield* visit(echo, form([["csrf", token], ["amount", "5"]]))).text, "5")
    }))

  it.scoped("other names of header and field", () =>
    Effect.gen(function*() {
      const policy = yield* SessionCsrf.make({ headerName: "X-XSRF-Token", fieldName: "authenticity_token" })
      const app = yield* makeApp(undefined, {}, policy)
      const { visit } = app.browser()
      const token = (yield* visit(page)).text
      const statuses = yield* Effect.forEach([
        form([["authenticity_token", token]]),
        { method: "POST", headers: { "x-xsrf-token": token } },
        withToken(token),
        inHeader(token)
      ], (init) => Effect.map(visit(nothing, init), ({ status }) => status))
      assert.deepStrictEqual(statuses, [200, 200, 403, 403])
    }))

  it.scoped("a body that is made while it is sent has a token where the browser has the cookie, and is told where not", () =>
    Effect.gen(function*() {
      const app = yield* makeApp()
      const { visit } = app.browser()
      const streamed: Handler = Effect.map(Session.Session, (session) =>
        HttpServerResponse.stream(Stream.fromEffect(
          Effect.map(
            Effect.either(SessionCsrf.tokenOf(session)),
            (token) => new TextEncoder().encode(Either.merge(Either.mapLeft(token, ({ reason }) => reason)))
          )
        )))
      assert.strictEqual((yield* visit(streamed)).text, "ResponseSent")
      yield* visit(page)
      const token = (yield* visit(streamed)).text
      assert.strictEqual((yield* visit(nothing, withToken(token))).status, 200)
    }))

  it.scoped("what fails or loses its writes sets no cookie for tokens that nobody got", () =>
    Effect.gen(function*() {
      const down = Layer.effect(
        SessionStore.SessionStore,
        Effect.map(SessionStore.SessionStore, (store) => ({
          ...store,
          save: () => Exit.fail(new SessionStore.SaveError({ reason: "Unavailable", message: "The store is down" }))
        }))
      )
      const app = yield* makeApp(Layer.provide(down, MemorySessionStore.layer()))
      const { visit } = app.browser()
      const answer = yield* visit(Effect.zipRight(begin, page))
      assert.deepStrictEqual([answer.status, answer.headers.getSetCookie()], [503, []])
    }))

  it("refuses wrong options, by name and with the mend", () => {
    const messageOf = (options: unknown) =>
      Either.match(SessionCsrf.make(options as SessionCsrf.Options), {
        onLeft: ({ message }) => message,
        onRight: () => "right"
      })
    assert.strictEqual(
      messageOf({ headerName: "x csrf" }),
      "headerName is no name of a header: letters, digits and hyphens, as in \"x-csrf-token\""
    )
    assert.strictEqual(
      messageOf({ fieldName: "" }),
      "fieldName is no name of a form field: a text that is not empty, as in \"csrf\""
    )
    assert.match(messageOf({ headerName: 5 }), /^headerName /)
    assert.match(messageOf({ fieldName: {} }), /^fieldName /)
    assert.deepStrictEqual([undefined, null, {}].map(messageOf), ["right", "right", "right"])
  })

  it.effect("says so where the session is not one of a request", () =>
    Effect.gen(function*() {
      const died = yield* Effect.exit(Effect.provide(SessionCsrf.token, TestSession.layer()))
      assert.include(inspect(died), "this session is not one that SessionMiddleware provides")
    }))
})
