import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { type Answer, Counter, handle, type Handler, makeWebApp, User, type WebApp } from "../support/webApp.js"

const read = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const renew = handle((session) => session.renew)
const purge = handle((session) => session.purge)
const untouched: Handler = Effect.succeed(HttpServerResponse.empty())

const persistent = (options: Config.LifecycleOptions = {}) => Config.PersistentSession({ ttl: "1 minute", ...options })

const maxAge = (line: string | undefined) => /Max-Age=(\d+)/.exec(line ?? "")?.[1]

describe("when a cookie is sent", () => {
  it.scoped("a browser session: at creation and renewal, and not with each change", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      const created = yield* browser.visit(increment)
      assert.match(
        created.setCookies[0]!,
        /^__Host-id=[A-Za-z0-9_-]{132}; Path=\/; HttpOnly; Secure; SameSite=Lax$/
      )
      assert.deepStrictEqual((yield* browser.visit(increment)).setCookies, [])
      assert.deepStrictEqual((yield* browser.visit(read)).setCookies, [])
      const before = browser.cookie()
      assert.strictEqual((yield* browser.visit(renew)).setCookies.length, 1)
      assert.notStrictEqual(browser.cookie(), before)
    }))

  it.scoped("a persistent session: with each change as well, to refresh its Max-Age", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: { lifecycle: persistent() } })
      const browser = app.browser()
      assert.strictEqual(maxAge((yield* browser.visit(increment)).setCookies[0]), "60")
      assert.deepStrictEqual((yield* browser.visit(read)).setCookies, [])
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual(maxAge((yield* browser.visit(increment)).setCookies[0]), "60")
    }))

  it.scoped("OnEveryRequest: a request that touches nothing refreshes the record in one call, and the Max-Age", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: { lifecycle: persistent({ ttlExtension: "OnEveryRequest" }) } })
      const browser = app.browser()
      yield* browser.visit(increment)
      for (let i = 0; i < 3; i++) {
        yield* TestClock.adjust("50 seconds")
        app.calls.length = 0
        assert.strictEqual(maxAge((yield* browser.visit(untouched)).setCookies[0]), "60")
        assert.deepStrictEqual(app.calls, ["updateTtl"])
      }
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1 })
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual((yield* browser.visit(untouched)).setCookies, [])
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
    }))

  it.scoped("OnEveryRequest without Max-Age: the record is refreshed, the browser learns nothing", () =>
    Effect.gen(function*() {
      const lifecycle = Config.BrowserSession({ ttl: "1 minute", ttlExtension: "OnEveryRequest" })
      const app = yield* makeWebApp({ config: { lifecycle } })
      const browser = app.browser()
      yield* browser.visit(increment)
      yield* TestClock.adjust("50 seconds")
      assert.deepStrictEqual((yield* browser.visit(untouched)).setCookies, [])
      yield* TestClock.adjust("50 seconds")
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1 })
    }))

  it.scoped("the Max-Age shrinks as the absolute limit comes near, and nothing extends it", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({
        config: { lifecycle: persistent({ ttlExtension: "OnEveryRequest", maxLifetime: "90 seconds" }) }
      })
      const browser = app.browser()
      yield* browser.visit(increment)
      yield* TestClock.adjust("50 seconds")
      assert.strictEqual(maxAge((yield* browser.visit(renew)).setCookies[0]), "40")
      yield* TestClock.adjust("39500 millis")
      assert.strictEqual(maxAge((yield* browser.visit(increment)).setCookies[0]), "1")
      yield* TestClock.adjust("500 millis")
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
    }))

  it.scoped("the removal cookie repeats every attribute", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({
        config: {
          cookie: {
            name: "__Secure-sid",
            path: "/app",
            domain: "app.test",
            sameSite: "None",
            partitioned: true
          }
        }
      })
      const browser = app.browser()
      const attributes = "Domain=app.test; Path=/app"
      const flags = "HttpOnly; Secure; Partitioned; SameSite=None"
      assert.match(
        (yield* browser.visit(increment)).setCookies[0]!,
        new RegExp(`^__Secure-sid=[^;]+; ${attributes}; ${flags}$`)
      )
      assert.deepStrictEqual((yield* browser.visit(purge)).setCookies, [
        `__Secure-sid=; Max-Age=0; ${
          attributes.replace("Path=/app", "Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
        }; ${flags}`
      ])
    }))

  it.scoped("purging with a cookie that opens nothing takes it away without a store call", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const answer = yield* app.request(purge, "__Host-id=forged")
      assert.match(answer.setCookies[0]!, /Max-Age=0/)
      assert.deepStrictEqual(app.calls, [])
    }))

  it.scoped("purging twice sends the removal cookie twice and is no error", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      const cookie = browser.cookie()
      for (let i = 0; i < 2; i++) {
        const answer = yield* app.request(purge, cookie)
        assert.strictEqual(answer.status, 200)
        assert.match(answer.setCookies[0]!, /Max-Age=0/)
      }
    }))

  it.scoped("purge and then insert: the old session is dead, and one cookie opens the new one", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      const old = browser.cookie()
      const answer = yield* browser.visit(
        handle((session) => Effect.zipRight(session.purge, session.insert(User, "new")))
      )
      assert.strictEqual(answer.setCookies.length, 1)
      assert.deepStrictEqual((yield* browser.visit(read)).body, { user: "new" })
      assert.deepStrictEqual((yield* app.request(read, old)).body, {})
    }))

  it.scoped("insert and remove of the same key creates no session", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const answer = yield* app.request(
        handle((session) => Effect.zipRight(session.insert(User, "x"), session.remove(User)))
      )
      assert.deepStrictEqual(answer.setCookies, [])
      assert.deepStrictEqual(app.calls, [])
    }))
})

describe("a superseded key", () => {
  it.scoped("reads nothing inside the window, writes nothing, which is answered with 409, and gets no cookie", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: { lifecycle: persistent({ ttlExtension: "OnEveryRequest" }) } })
      const browser = app.browser()
      yield* browser.visit(increment)
      const old = browser.cookie()
      yield* browser.visit(renew)
      const write = handle((session) => session.insert(User, "late"))
      const clear = handle((session) => session.clear)
      const writesAndFails = Effect.zipRight(write, HttpServerResponse.empty({ status: 422 }))
      for (
        const [operation, status] of [
          [read, 200],
          [untouched, 204],
          [renew, 200],
          [write, 409],
          [increment, 409],
          [clear, 409],
          [writesAndFails, 422]
        ] as const
      ) {
        const answer = yield* app.request(operation, old)
        assert.strictEqual(answer.status, status)
        assert.deepStrictEqual(answer.setCookies, [])
        assert.strictEqual(answer.status === 409 ? answer.body : undefined, undefined)
      }
      assert.deepStrictEqual((yield* app.request(read, old)).body, {})
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1 })
    }))

  it.scoped("ends the session inside the window, and takes its cookie away", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      const old = browser.cookie()
      yield* browser.visit(renew)
      const answer = yield* app.request(purge, old)
      assert.strictEqual(answer.status, 200)
      assert.match(answer.setCookies.join(), /^__Host-id=; Max-Age=0/)
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
    }))

  for (
    const [what, work] of [
      ["signs in", handle((session) => Effect.zipRight(session.insert(User, "again"), session.renew))],
      [
        "ends the session and writes",
        handle((session) => Effect.zipRight(session.purge, session.insert(User, "again")))
      ]
    ] as const
  ) {
    it.scoped(`that ${what} inside the window begins a session of its own with what it wrote`, () =>
      Effect.gen(function*() {
        const app = yield* makeWebApp()
        const browser = app.browser()
        yield* browser.visit(increment)
        const old = browser.cookie()
        yield* browser.visit(renew)
        const answer = yield* app.request(work, old)
        assert.strictEqual(answer.status, 200)
        const own = answer.setCookies[0]!.split(";")[0]!
        assert.deepStrictEqual((yield* app.request(read, own)).body, { user: "again" })
        assert.deepStrictEqual(
          (yield* browser.visit(read)).body,
          what === "signs in" ? { counter: 1 } : {}
        )
      }))

    it.scoped(`that ${what} inside the window keeps nothing where the session ended meanwhile`, () =>
      Effect.gen(function*() {
        const app = yield* makeWebApp()
        const browser = app.browser()
        yield* browser.visit(increment)
        const old = browser.cookie()
        yield* browser.visit(renew)
        const late = Effect.zipRight(read, Effect.zipRight(Effect.orDie(browser.visit(purge)), work))
        const answer = yield* app.request(late, old)
        assert.strictEqual(answer.status, 409)
        assert.deepStrictEqual(answer.setCookies, [])
        assert.strictEqual(app.calls.filter((verb) => verb === "save").length, 2)
        assert.strictEqual(app.calls.at(-1), "delete")
      }))
  }

  it.scoped("is an unknown key after the window: a write starts another session", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      const old = browser.cookie()
      yield* browser.visit(renew)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* app.request(increment, old)).setCookies.length, 1)
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 1 })
    }))

  it.scoped("a hundred parallel renewals leave one successor, and the earlier keys open nothing", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      const old = browser.cookie()
      const answers = yield* Effect.all(
        Array.from({ length: 100 }, () => app.request(renew, old)),
        { concurrency: "unbounded" }
      )
      const cookies = [old, ...answers.flatMap((answer) => answer.setCookies.map((line) => line.split(";")[0]!))]
      const bodies = yield* Effect.forEach(cookies, (cookie) => app.request(read, cookie))
      const alive = bodies.filter(({ body }) => JSON.stringify(body) === "{\"counter\":1}")
      assert.strictEqual(alive.length, 1)
    }))
})

describe("the key ring", () => {
  it.scoped("a cookie sealed with an older key opens, and is sealed anew when the session is next written", () =>
    Effect.gen(function*() {
      const [older, newer] = [Config.generateKey(), Config.generateKey()]
      const before = yield* makeWebApp({ config: { keys: older } })
      const browser = before.browser()
      yield* browser.visit(increment)
      const { store } = before.middleware
      const after = yield* makeWebApp({ config: { keys: [newer, older] }, wrap: () => store })
      assert.deepStrictEqual((yield* after.request(read, browser.cookie())).setCookies, [])
      const written = yield* after.request(increment, browser.cookie())
      assert.strictEqual(written.body, 2)
      assert.strictEqual(written.setCookies.length, 1)
      const retired = yield* makeWebApp({ config: { keys: newer }, wrap: () => store })
      assert.deepStrictEqual((yield* retired.request(read, browser.cookie())).body, {})
      assert.deepStrictEqual((yield* retired.request(read, written.setCookies[0]!.split(";")[0])).body, { counter: 2 })
    }))
})

describe("how a cookie is sealed where the configuration does not say", () => {
  const versions = { Private: 0x11, Signed: 0x12 } as const
  const versionOf = (answer: Answer) => Buffer.from(cookieOf(answer).split("=")[1]!, "base64url")[0]
  const cookieOf = (answer: Answer) => answer.setCookies[0]!.split(";")[0]!

  it.scoped("a key is signed, and a state is encrypted", () =>
    Effect.gen(function*() {
      const memory = yield* makeWebApp()
      assert.strictEqual(memory.middleware.contentSecurity, "Signed")
      assert.strictEqual(versionOf(yield* memory.request(increment)), versions.Signed)
      const cookie = yield* makeWebApp({ store: CookieSessionStore.layer })
      assert.strictEqual(cookie.middleware.contentSecurity, "Private")
      assert.strictEqual(versionOf(yield* cookie.request(increment)), versions.Private)
    }))

  it.scoped("what the configuration says holds for both", () =>
    Effect.gen(function*() {
      for (const contentSecurity of ["Private", "Signed"] as const) {
        for (const store of [MemorySessionStore.layer(), CookieSessionStore.layer]) {
          const app = yield* makeWebApp({ store, config: { contentSecurity } })
          assert.strictEqual(app.middleware.contentSecurity, contentSecurity)
          assert.strictEqual(versionOf(yield* app.request(increment)), versions[contentSecurity])
        }
      }
    }))

  it.scoped("a store says what its cookie holds, also through SessionStore.make, and where it does not, its reader does", () =>
    Effect.gen(function*() {
      const { cookieHolds: _, ...silent } = CookieSessionStore.store
      const { cookieHolds: __, ...keys } = yield* MemorySessionStore.make()
      const stores = [
        [SessionStore.make({ ...silent, cookieHolds: "State" }), "Private"],
        [SessionStore.make({ ...silent, cookieHolds: "Key" }, { timeout: "none" }), "Signed"],
        [SessionStore.make(CookieSessionStore.store), "Private"],
        [SessionStore.make(silent), "Private"],
        [SessionStore.make({ ...keys, cookieHolds: "State" }), "Private"],
        [SessionStore.make(keys), "Signed"],
        [{ ...silent, [SessionStore.TypeId]: SessionStore.TypeId }, "Private"]
      ] as const
      for (const [store, contentSecurity] of stores) {
        const { middleware } = yield* makeWebApp({ store: Layer.succeed(SessionStore.SessionStore, store) })
        assert.strictEqual(middleware.contentSecurity, contentSecurity)
      }
    }))

  it.scoped("a key that was encrypted before opens, and is signed when its session is next written", () =>
    Effect.gen(function*() {
      const [older, newer] = [Config.generateKey(), Config.generateKey()]
      const before = yield* makeWebApp({ config: { keys: older, contentSecurity: "Private" } })
      const { store } = before.middleware
      const encrypted = cookieOf(yield* before.request(increment))
      for (const keys of [older, [newer, older]]) {
        const after = yield* makeWebApp({ config: { keys }, wrap: () => store })
        const seen = yield* after.request(read, encrypted)
        assert.isNumber((seen.body as { counter?: number }).counter)
        assert.deepStrictEqual(seen.setCookies, [])
        assert.deepStrictEqual((yield* after.request(untouched, encrypted)).setCookies, [])
        const signed = cookieOf(yield* after.request(increment, encrypted))
        assert.notStrictEqual(signed, encrypted)
        assert.deepStrictEqual((yield* after.request(increment, signed)).setCookies, [])
        const text = (app: WebApp, cookie: string) =>
          Option.getOrThrow(app.middleware.crypto.open(cookie.slice(cookie.indexOf("=") + 1))).plaintext
        assert.strictEqual(text(after, signed), text(before, encrypted))
        const explicit = yield* makeWebApp({
          config: { keys, contentSecurity: "Signed" },
          wrap: () => store
        })
        assert.strictEqual(text(explicit, signed), text(before, encrypted))
      }
    }))

  it.scoped("in the format of cookie-rs a key is encrypted, whose signed form would not bind the cookie's name", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: { cookieFormat: "CookieRs" } })
      assert.strictEqual(app.middleware.contentSecurity, "Private")
    }))

  for (const cookieFormat of ["EffectSession", "CookieRs"] as const) {
    it.scoped(`${cookieFormat}: a choice opens what it says and nothing else, and neither does a state's default`, () =>
      Effect.gen(function*() {
        const keys = Config.generateKey()
        const makeApp = (
          config: Partial<Config.SessionOptions>,
          wrap: (store: SessionStore.SessionStore) => SessionStore.SessionStore
        ) => makeWebApp({ config: { keys, cookieFormat, ...config }, wrap })
        const first = yield* makeApp({}, (store) => store)
        const { store } = first.middleware
        const secret = yield* makeApp({ contentSecurity: "Private" }, () => store)
        const encrypted = cookieOf(yield* secret.request(increment))
        const open = yield* makeApp({ contentSecurity: "Signed" }, () => store)
        const signed = cookieOf(yield* open.request(increment))
        const state = yield* makeApp({}, () => ({ ...store, cookieHolds: "State" }))
        const opens = (app: WebApp, cookie: string) =>
          Effect.map(app.request(read, cookie), ({ body }) => JSON.stringify(body) !== "{}")
        for (
          const [app, opensSigned, opensEncrypted] of [
            [first, cookieFormat === "EffectSession", true],
            [secret, false, true],
            [open, true, false],
            [state, false, true]
          ] as const
        ) {
          assert.strictEqual(yield* opens(app, signed), opensSigned)
          assert.strictEqual(yield* opens(app, encrypted), opensEncrypted)
        }
      }))
  }

  it.scoped("a key that was encrypted under a name of before opens as well", () =>
    Effect.gen(function*() {
      const keys = Config.generateKey()
      const before = yield* makeWebApp({ config: { keys, cookie: { name: "__Host-old" }, contentSecurity: "Private" } })
      const encrypted = cookieOf(yield* before.request(increment))
      const after = yield* makeWebApp({
        config: { keys, cookie: { retired: [{ name: "__Host-old" }] } },
        wrap: () => before.middleware.store
      })
      assert.deepStrictEqual((yield* after.request(read, encrypted)).body, { counter: 1 })
      const written = yield* after.request(increment, encrypted)
      assert.strictEqual(versionOf(written), versions.Signed)
    }))
})

describe("one key in two seals", () => {
  it.scoped("is sealed anew when the session is next written, whichever of the cookies stands first", () =>
    Effect.gen(function*() {
      const [older, newer] = [Config.generateKey(), Config.generateKey()]
      const before = yield* makeWebApp({ config: { keys: older } })
      const browser = before.browser()
      yield* browser.visit(increment)
      const after = yield* makeWebApp({ config: { keys: [newer, older] }, wrap: () => before.middleware.store })
      const plaintext = Option.getOrThrow(before.middleware.crypto.open(browser.jar.get("__Host-id")!)).plaintext
      const seals = [browser.cookie(), `__Host-id=${after.middleware.crypto.seal(plaintext)}`]
      for (const cookie of [seals.join("; "), seals.reverse().join("; ")]) {
        assert.strictEqual((yield* after.request(increment, cookie)).setCookies.length, 1)
      }
    }))
})

describe("caching", () => {
  const respondWith = (headers: Record<string, string>): Handler =>
    Effect.flatMap(Session.Session, (session) =>
      Effect.as(
        session.insert("at", Schema.Number, 1),
        HttpServerResponse.setHeaders(HttpServerResponse.unsafeJson(null), headers)
      ))

  it.scoped("a response with the cookie is never stored, whatever the app said, unless it said so more strictly", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const cacheControl = (value: string) =>
        Effect.map(app.request(respondWith({ "cache-control": value })), ({ headers }) => headers.get("cache-control"))
      assert.strictEqual(yield* cacheControl("public, max-age=3600"), "no-store")
      assert.strictEqual(yield* cacheControl("private, no-store"), "private, no-store")
    }))

  it.scoped("Vary names Cookie once, beside what the app put there", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const vary = (value: string) =>
        Effect.map(app.request(respondWith({ vary: value })), ({ headers }) => headers.get("vary"))
      assert.strictEqual(yield* vary("Accept"), "Accept, Cookie")
      assert.strictEqual(yield* vary("accept, cookie"), "accept, cookie")
      assert.strictEqual(yield* vary("*"), "*")
    }))

  for (const operation of ["status", "id", "entries", "renew", "createdAt"] as const) {
    it.scoped(`Vary is there when the handler asked for no more than ${operation}`, () =>
      Effect.gen(function*() {
        const app = yield* makeWebApp()
        const answer = yield* app.request(
          handle((session) => Effect.as(session[operation] as Effect.Effect<unknown, unknown>, null))
        )
        assert.strictEqual(answer.headers.get("vary"), "Cookie")
      }))
  }
})

describe("the app's own cookies", () => {
  it.scoped("stay beside the session's", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const answer = yield* app.request(
        Effect.flatMap(Session.Session, (session) =>
          Effect.as(
            session.insert(User, "x"),
            HttpServerResponse.unsafeSetCookie(HttpServerResponse.unsafeJson(null), "theme", "dark")
          ))
      )
      assert.deepStrictEqual(answer.setCookies.map((line) => line.split("=")[0]).sort(), ["__Host-id", "theme"])
    }))
})

describe("the cookie store in the middleware", () => {
  const options = { store: CookieSessionStore.layer }

  it.scoped("sends a cookie with each change and none for a read", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp(options)
      const browser = app.browser()
      assert.strictEqual((yield* browser.visit(increment)).setCookies.length, 1)
      assert.strictEqual((yield* browser.visit(increment)).setCookies.length, 1)
      assert.deepStrictEqual((yield* browser.visit(read)).setCookies, [])
      assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 2 })
    }))

  it.scoped("a state of just 4096 bytes of cookie passes, one byte more is an error before anything is sent", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp(options)
      const insert = (length: number) =>
        app.request(handle((session) => session.insert("a", Schema.String, "x".repeat(length))))
      const size = (line: string) => line.split(";")[0]!.length - 1
      let length = 2_800
      let answer = yield* insert(length)
      while (answer.status === 200) {
        assert.isAtMost(size(answer.setCookies[0]!), 4_096)
        answer = yield* insert(++length)
      }
      assert.strictEqual(answer.status, 500)
      assert.isUndefined(answer.body)
      assert.deepStrictEqual(answer.setCookies, [])
      assert.isAbove(size((yield* insert(length - 1)).setCookies[0]!), 4_090)
    }))

  for (
    const [cookieFormat, contentSecurity, start] of [
      ["CookieRs", "Private", 2_790],
      ["CookieRs", "Signed", 3_790],
      ["EffectSession", "Private", 2_930],
      ["EffectSession", "Signed", 2_930]
    ] as const
  ) {
    it.scoped(`${cookieFormat}, ${contentSecurity}: what was accepted once is accepted whenever it is sealed again`, () =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_700_000_000_000)
        const lifecycle = persistent({ ttlExtension: "OnEveryRequest" })
        const config = { cookieFormat, contentSecurity, lifecycle }
        const app = yield* makeWebApp({ ...options, config })
        const size = (line: string) => line.split(";")[0]!.length - 1
        const begin = (length: number) =>
          app.request(handle((session) => session.insert("a", Schema.String, "x".repeat(length))))
        let largest = start
        while ((yield* begin(largest + 1)).status === 200) {
          largest++
        }
        assert.isAbove(largest, start)
        for (let i = 0; i < 40; i++) {
          assert.strictEqual((yield* begin(largest + 1)).status, 500)
        }
        const browser = app.browser()
        yield* browser.visit(handle((session) => session.insert("a", Schema.String, "x".repeat(largest))))
        for (let i = 0; i < 200; i++) {
          yield* TestClock.adjust("1 second")
          const { setCookies, status } = yield* browser.visit(untouched)
          assert.strictEqual(status, 200 + 4)
          assert.isAtMost(size(setCookies[0]!), 4_096)
        }
      }))
  }

  it.scoped("what is in a Private cookie cannot be read, what is in a Signed one can", () =>
    Effect.gen(function*() {
      for (const contentSecurity of ["Private", "Signed"] as const) {
        const app = yield* makeWebApp({ ...options, config: { contentSecurity } })
        const answer = yield* app.request(handle((session) => session.insert(User, "plain to see")))
        const value = answer.setCookies[0]!.split(";")[0]!.split("=")[1]!
        const bytes = Buffer.from(value, "base64url").toString("latin1")
        assert.strictEqual(bytes.includes("plain to see"), contentSecurity === "Signed")
      }
    }))
})

describe("the cookie-rs format in the middleware", () => {
  it.scoped("round-trips on the wire, percent signs and all, for both policies", () =>
    Effect.gen(function*() {
      for (const contentSecurity of ["Private", "Signed"] as const) {
        const app = yield* makeWebApp({
          config: { ...Config.actixDefaults, cookieFormat: "CookieRs", contentSecurity },
          store: CookieSessionStore.layer
        })
        const browser = app.browser()
        const answer = yield* browser.visit(increment)
        assert.match(answer.setCookies[0]!, /^id=[A-Za-z0-9+%._-]+(; |$)/)
        yield* browser.visit(increment)
        assert.deepStrictEqual((yield* browser.visit(read)).body, { counter: 2 })
      }
    }))
})

describe("wrong configuration", () => {
  it.effect("fails when the middleware is made, with the option's name and without the key", () =>
    Effect.gen(function*() {
      const secret = "c2VjcmV0"
      const error = yield* Effect.scoped(makeWebApp({ config: { keys: Redacted.make(secret) } })).pipe(
        Effect.sandbox,
        Effect.flip
      )
      assert.include(String(error), "keys")
      assert.notInclude(String(error), secret)
    }))
})
