/**
 * What a browser, an attacker or an older release can put before the app. In each case the visitor is anonymous or the
 * handler gets a typed error; nothing is stored, nothing crashes, and no cookie is set unless something was written.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import type * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import type { Options, Verb } from "./servedApp.js"
import { answer, entriesOf, serve, StoreCalls } from "./servedApp.js"

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const Name = Session.entry("name", Schema.String)

const reasonOf = (error: Session.SessionGetError | Session.SessionInsertError) =>
  Effect.succeed(`${error._tag} ${error.reason}`)

const router = HttpRouter.empty.pipe(
  HttpRouter.get("/untouched", HttpServerResponse.empty({ status: 200 })),
  HttpRouter.get("/read", answer(entriesOf)),
  HttpRouter.post("/write", answer((session) => session.updateOr(Counter, 1, (n) => n + 1))),
  HttpRouter.post("/update", answer((session) => session.update(Counter, (n) => n + 1))),
  HttpRouter.post("/remove", answer((session) => session.remove(Counter))),
  HttpRouter.post("/clear", answer((session) => session.clear)),
  HttpRouter.post("/renew", answer((session) => session.renew)),
  HttpRouter.post("/logout", answer((session) => session.purge)),
  HttpRouter.post("/name", answer((session) => session.insert(Name, "ferris"))),
  HttpRouter.get("/name", answer((session) => session.get(Name))),
  HttpRouter.post("/counter-of-last-year", answer((session) => session.insert("counter", Schema.String, "three"))),
  HttpRouter.get("/counter", answer((session) => session.get(Counter))),
  HttpRouter.get("/counter-or-reason", answer((session) => Effect.catchAll(session.get(Counter), reasonOf))),
  HttpRouter.post(
    "/update-or-reason",
    answer((session) => Effect.catchAll(session.update(Counter, (n) => n + 1), reasonOf))
  ),
  HttpRouter.post("/not-encodable", answer((session) => session.insert(Counter, -1))),
  HttpRouter.post(
    "/not-encodable-or-reason",
    answer((session) => Effect.catchAll(session.insert(Counter, -1), reasonOf))
  ),
  HttpRouter.post(
    "/not-json-or-reason",
    answer((session) => Effect.catchAll(session.insert("when", Schema.DateFromSelf, new Date(0)), reasonOf))
  ),
  HttpRouter.post(
    "/name-then-not-encodable",
    answer((session) => Effect.zipRight(session.insert(Name, "ferris"), Effect.flip(session.insert(Counter, -1))))
  ),
  HttpRouter.post("/large", answer((session) => session.insert(Name, "x".repeat(4_000))))
)

type App = HttpServer.HttpServer | SessionMiddleware.SessionMiddleware | StoreCalls

const attempt = (title: string, body: Effect.Effect<void, unknown, App>, options?: Options) =>
  it.scoped(title, () => Effect.provide(body, serve(router, options)))

const request = (path: string, cookie: string) =>
  TestBrowser.send(path, { method: path === "/read" || path === "/untouched" ? "GET" : "POST", headers: { cookie } })

const read = (cookie: string) => Effect.map(request("/read", cookie), (answer) => JSON.parse(answer.body))

const reads: ReadonlyArray<Verb> = ["load"]

/** What `effect` asked of the store. */
const callsDuring = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const calls = yield* StoreCalls
    const before = calls.length
    yield* effect
    return calls.slice(before)
  })

const writesOf = (calls: ReadonlyArray<Verb>) => calls.filter((verb) => !reads.includes(verb))

/** A visitor with a session whose counter is 1: the value of the cookie. */
const begin = Effect.gen(function*() {
  const { setCookies } = yield* TestBrowser.send("/write", { method: "POST" })
  assert.strictEqual(setCookies.length, 1)
  return setCookies[0]!.value
})

const keyIn = (value: string) =>
  Effect.map(SessionMiddleware.SessionMiddleware, ({ crypto, store }) =>
    crypto.open(value).pipe(
      Option.flatMap(({ plaintext }) => store.readKey(plaintext)),
      Option.getOrThrow
    ))

const seal = (plaintext: string) =>
  Effect.map(SessionMiddleware.SessionMiddleware, ({ crypto }) => crypto.seal(plaintext))

const cookie = (...values: ReadonlyArray<string>) => values.map((value) => `__Host-id=${value}`).join("; ")

const emptyState = {}

/** What an anonymous visitor may ask for, and nothing comes of it. */
const readsAndWrites = ["/untouched", "/read", "/update", "/remove", "/clear"]

/**
 * A request with this header is one of an anonymous visitor: it sees no state, whatever it does short of a write is
 * neither stored nor answered with a cookie, and what it writes goes into a new session under a new key.
 */
const isAnonymous = (header: string, paths = [...readsAndWrites, "/renew"]) =>
  Effect.gen(function*() {
    const calls = yield* callsDuring(Effect.gen(function*() {
      for (const path of paths) {
        const answer = yield* request(path, header)
        assert.strictEqual(answer.status, 200, path)
        assert.deepStrictEqual(answer.setCookies, [], path)
      }
    }))
    assert.deepStrictEqual(writesOf(calls), [])
    assert.deepStrictEqual(yield* read(header), emptyState)

    const written = yield* request("/write", header)
    assert.strictEqual(written.body, "1")
    assert.strictEqual(written.setCookies.length, 1)
    const fresh = written.setCookies[0]!.value
    assert.notInclude(header, fresh)
    assert.deepStrictEqual(yield* read(cookie(fresh)), { counter: 1 })
    return yield* keyIn(fresh)
  })

/** Nothing that the requests of `isAnonymous` did reached the session of this cookie. */
const isUntouched = (value: string) =>
  Effect.map(read(cookie(value)), (state) => assert.deepStrictEqual(state, { counter: 1 }))

const costsNoStoreCall = (header: string) =>
  Effect.map(
    callsDuring(Effect.forEach(["/untouched", "/read", "/renew"], (path) => request(path, header))),
    (calls) => assert.deepStrictEqual(calls, [])
  )

const flip = (text: string, index: number) => {
  const other = text[index] === "A" ? "B" : "A"
  return text.slice(0, index) + other + text.slice(index + 1)
}

for (const contentSecurity of ["Private", "Signed"] as const) {
  describe(`a ${contentSecurity} cookie that is not authentic makes an anonymous visitor and costs no store call`, () => {
    const refused = (title: string, forge: (value: string) => ReadonlyArray<string>) =>
      attempt(
        title,
        Effect.gen(function*() {
          const value = yield* begin
          for (const forged of forge(value)) {
            assert.notStrictEqual(forged, value)
            yield* costsNoStoreCall(cookie(forged))
            yield* isAnonymous(cookie(forged))
          }
          yield* isUntouched(value)
        }),
        { config: { contentSecurity } }
      )

    refused(
      "tampered: a character changed at either end, in the middle and in the version",
      (value) => [0, 1, value.length >> 1, value.length - 1].map((index) => flip(value, index))
    )

    refused("truncated at either end, to one character and to nothing", (value) => [
      value.slice(0, -1),
      value.slice(1),
      value.slice(0, value.length >> 1),
      value.slice(0, 1),
      ""
    ])

    refused("with something added to it: quotes, padding, an escape, a space, itself", (value) => [
      `"${value}"`,
      `${value}=`,
      `${value}A`,
      ` ${value}`,
      `%${value.charCodeAt(0).toString(16)}${value.slice(1)}`,
      value + value
    ])

    attempt(
      "sealed with another key, for another name, with the other content security, in the other format",
      Effect.gen(function*() {
        const value = yield* begin
        const key = SessionKey.toText(yield* keyIn(value))
        const { config } = yield* SessionMiddleware.SessionMiddleware
        const own = { name: config.cookie.name, keys: config.keys, contentSecurity }
        const foreign = [
          CookieCrypto.make({ ...own, keys: [Redacted.make(new Uint8Array(64).map((_, index) => index))] }),
          CookieCrypto.make({ ...own, name: "__Host-other" }),
          CookieCrypto.make({ ...own, name: "id" }),
          CookieCrypto.make({ ...own, contentSecurity: contentSecurity === "Private" ? "Signed" : "Private" }),
          CookieCrypto.make({ ...own, format: "CookieRs" })
        ]
        for (const crypto of foreign) {
          const forged = crypto.seal(key)
          yield* costsNoStoreCall(cookie(forged))
          yield* isAnonymous(cookie(forged))
        }
        yield* isUntouched(value)
      }),
      { config: { contentSecurity } }
    )
  })
}

describe("a key that we sealed but that opens no session", () => {
  attempt(
    "what is no key at all costs no store call",
    Effect.gen(function*() {
      const key = SessionKey.toText(SessionKey.mint())
      for (
        const text of ["", "x", key.slice(1), `${key}A`, key.replace(".", ":"), "\u0000".repeat(66), "x".repeat(2_000)]
      ) {
        const sealed = cookie(yield* seal(text))
        yield* costsNoStoreCall(sealed)
        yield* isAnonymous(sealed)
      }
    })
  )

  attempt(
    "an id that was never issued is not adopted",
    Effect.gen(function*() {
      const key = SessionKey.mint()
      const fresh = yield* isAnonymous(cookie(yield* seal(SessionKey.toText(key))))
      assert.notStrictEqual(fresh.id, key.id)
    })
  )

  attempt(
    "the id of a live session with another secret neither reads, changes nor ends it",
    Effect.gen(function*() {
      const value = yield* begin
      const { id } = yield* keyIn(value)
      const forged = cookie(yield* seal(SessionKey.toText(SessionKey.mintSecret(id))))
      const fresh = yield* isAnonymous(forged)
      assert.notStrictEqual(fresh.id, id)
      yield* request("/logout", forged)
      yield* isUntouched(value)
    })
  )

  attempt(
    "an expired session is gone, and its key is not adopted",
    Effect.gen(function*() {
      const value = yield* begin
      const { id } = yield* keyIn(value)
      yield* TestClock.adjust("1 day")
      const fresh = yield* isAnonymous(cookie(value))
      assert.notStrictEqual(fresh.id, id)
    })
  )

  attempt(
    "an expired session that lives in its cookie is gone as well",
    Effect.gen(function*() {
      const value = yield* begin
      yield* isUntouched(value)
      yield* TestClock.adjust("1 day")
      yield* isAnonymous(cookie(value))
    }),
    { store: CookieSessionStore.layer }
  )

  attempt(
    "a session that has ended is gone",
    Effect.gen(function*() {
      const value = yield* begin
      yield* request("/logout", cookie(value))
      yield* isAnonymous(cookie(value))
    })
  )

  attempt(
    "a logout with a cookie that opens nothing takes the cookie away and asks nothing of the store",
    Effect.gen(function*() {
      const calls = yield* callsDuring(Effect.gen(function*() {
        const { setCookies, status } = yield* request("/logout", cookie("forged"))
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(
          setCookies.map(({ attributes, name, value }) => [name, value, attributes.get("max-age")]),
          [
            ["__Host-id", "", "0"]
          ]
        )
      }))
      assert.deepStrictEqual(calls, [])
    })
  )

  attempt(
    "a logout without any cookie does nothing",
    Effect.gen(function*() {
      const calls = yield* callsDuring(Effect.gen(function*() {
        const { setCookies, status } = yield* TestBrowser.send("/logout", { method: "POST" })
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(setCookies, [])
      }))
      assert.deepStrictEqual(calls, [])
    })
  )
})

describe("too much of it", () => {
  attempt(
    "a header beyond what Node reads never reaches the app, and the server goes on",
    Effect.gen(function*() {
      const value = yield* begin
      const calls = yield* callsDuring(Effect.gen(function*() {
        const answer = yield* request("/read", cookie(value, "A".repeat(20_000)))
        assert.strictEqual(answer.status, 431)
        assert.deepStrictEqual(answer.setCookies, [])
      }))
      assert.deepStrictEqual(calls, [])
      yield* isUntouched(value)
    })
  )

  attempt(
    "a header of nearly all that Node reads is read like any other",
    Effect.gen(function*() {
      const value = yield* begin
      yield* isAnonymous(cookie("A".repeat(15_000)))
      assert.deepStrictEqual(yield* read(`${cookie(value)}; other=${"A".repeat(15_000)}`), { counter: 1 })
    })
  )

  attempt(
    "a cookie that is longer than any browser keeps is refused without a store call",
    Effect.gen(function*() {
      const value = yield* begin
      for (const long of ["A".repeat(4_097), value.repeat(60), yield* seal("x".repeat(6_000))]) {
        yield* costsNoStoreCall(cookie(long))
        yield* isAnonymous(cookie(long))
      }
      yield* isUntouched(value)
    })
  )
})

describe("several cookies of the name", () => {
  const bothOrders = (a: string, b: string) => [cookie(a, b), cookie(b, a)]

  attempt(
    "the same one twice is that one",
    Effect.gen(function*() {
      const value = yield* begin
      assert.deepStrictEqual(yield* read(cookie(value, value)), { counter: 1 })
      assert.strictEqual((yield* request("/write", cookie(value, value))).body, "2")
      assert.deepStrictEqual(yield* read(cookie(value)), { counter: 2 })
    })
  )

  attempt(
    "one key sealed twice is one session",
    Effect.gen(function*() {
      const value = yield* begin
      // The seal that a key had by default before, which goes on opening.
      const { config } = yield* SessionMiddleware.SessionMiddleware
      const before = CookieCrypto.make({ name: config.cookie.name, keys: config.keys, contentSecurity: "Private" })
      const again = before.seal(SessionKey.toText(yield* keyIn(value)))
      assert.notStrictEqual(again, value)
      for (const header of bothOrders(value, again)) {
        assert.deepStrictEqual(yield* read(header), { counter: 1 })
      }
    })
  )

  attempt(
    "a forged one beside a good one changes nothing, in either order",
    Effect.gen(function*() {
      const value = yield* begin
      let counter = 1
      for (const forged of ["forged", "", flip(value, 40)]) {
        for (const header of bothOrders(value, forged)) {
          assert.deepStrictEqual(yield* read(header), { counter })
          const written = yield* request("/update", header)
          assert.strictEqual(written.status, 200)
          assert.deepStrictEqual(written.setCookies, [])
          counter++
        }
      }
      assert.deepStrictEqual(yield* read(cookie(value)), { counter: 7 })
    })
  )

  attempt(
    "two live sessions are none, in either order, and both stay as they are until somebody renews or purges",
    Effect.gen(function*() {
      const mine = yield* begin
      const planted = yield* begin
      for (const header of bothOrders(mine, planted)) {
        const fresh = yield* isAnonymous(header, readsAndWrites)
        assert.notInclude([(yield* keyIn(mine)).id, (yield* keyIn(planted)).id], fresh.id)
      }
      yield* isUntouched(mine)
      yield* isUntouched(planted)
      // A sign-in must not leave them beside the session that it begins.
      yield* request("/renew", bothOrders(mine, planted)[0]!)
      assert.deepStrictEqual(yield* read(cookie(mine)), emptyState)
      assert.deepStrictEqual(yield* read(cookie(planted)), emptyState)
    })
  )

  for (
    const [dead, end] of [
      ["an ended", (value: string) => request("/logout", cookie(value))],
      ["a never issued", () => Effect.void]
    ] as const
  ) {
    attempt(
      `${dead} one beside a live one is the live one, in either order`,
      Effect.gen(function*() {
        const old = dead === "an ended" ? yield* begin : yield* seal(SessionKey.toText(SessionKey.mint()))
        yield* end(old)
        const live = yield* begin
        for (const header of bothOrders(old, live)) {
          assert.deepStrictEqual(yield* read(header), { counter: 1 })
        }
        for (const header of bothOrders(old, live)) {
          assert.deepStrictEqual((yield* request("/write", header)).setCookies, [])
        }
        assert.deepStrictEqual(yield* read(cookie(live)), { counter: 3 })
      })
    )
  }

  attempt(
    "an expired one beside a live one is the live one, in either order",
    Effect.gen(function*() {
      const old = yield* begin
      yield* TestClock.adjust("23 hours")
      const live = yield* begin
      yield* TestClock.adjust("1 hour")
      yield* isAnonymous(cookie(old))
      for (const header of bothOrders(old, live)) {
        assert.deepStrictEqual(yield* read(header), { counter: 1 })
      }
    })
  )

  attempt(
    "the one from before a renewal beside its successor is the successor, in either order",
    Effect.gen(function*() {
      const old = yield* begin
      const renewed = (yield* request("/renew", cookie(old))).setCookies[0]!.value
      let counter = 1
      for (const header of bothOrders(old, renewed)) {
        assert.deepStrictEqual(yield* read(header), { counter })
        assert.deepStrictEqual((yield* request("/write", header)).setCookies, [])
        counter++
      }
      assert.deepStrictEqual(yield* read(cookie(renewed)), { counter: 3 })
      assert.deepStrictEqual(yield* read(cookie(old)), emptyState)
    })
  )

  attempt(
    "a header stuffed with more of them than anybody opens is none, wherever the good one stands",
    Effect.gen(function*() {
      const value = yield* begin
      const junk = Array.from({ length: 40 }, (_, index) => `junk${index}`)
      yield* isAnonymous(cookie(value, ...junk))
      yield* isAnonymous(cookie(...junk, value))
      yield* isUntouched(value)
    })
  )
})

describe("a name that is not quite ours", () => {
  attempt(
    "a subdomain's cookie whose name another reader would mend to __Host-id opens nothing",
    Effect.gen(function*() {
      const planted = yield* begin
      const smuggled = [
        `\u00a0__Host-id=${planted}`,
        `__Host-id\u00a0=${planted}`,
        `\u0085__Host-id=${planted}`,
        `__Host%2Did=${planted}`,
        `%5F_Host-id=${planted}`,
        `"__Host-id"=${planted}`,
        `__host-id=${planted}`,
        `__HOST-ID=${planted}`,
        `__Host-id =${planted}`,
        `=__Host-id=${planted}`,
        `__Host-id[]=${planted}`,
        `x="; __Host-id2=${planted}; y="`
      ]
      for (const header of smuggled) {
        yield* costsNoStoreCall(header)
        yield* isAnonymous(header)
      }
      yield* isUntouched(planted)
    })
  )

  attempt(
    "a smuggled cookie does not disturb the true one beside it, in either order",
    Effect.gen(function*() {
      const planted = yield* begin
      yield* request("/name", cookie(planted))
      const mine = yield* begin
      for (const prefix of ["\u00a0", "\u0085", "%20", "x"]) {
        const smuggled = `${prefix}__Host-id=${planted}`
        assert.deepStrictEqual(yield* read(`${smuggled}; ${cookie(mine)}`), { counter: 1 })
        assert.deepStrictEqual(yield* read(`${cookie(mine)}; ${smuggled}`), { counter: 1 })
      }
    })
  )

  attempt(
    "other cookies, however odd, do not hide ours",
    Effect.gen(function*() {
      const value = yield* begin
      for (
        const odd of [
          "a",
          "=",
          "=x",
          "a=\"",
          "a=\"b;",
          ";;;",
          "%E0%A4%A=x",
          "__proto__=x",
          "constructor=x",
          "\u00e9=\u00ff"
        ]
      ) {
        assert.deepStrictEqual(yield* read(`${odd}; ${cookie(value)}; ${odd}`), { counter: 1 }, odd)
      }
    })
  )
})

describe("a record that no longer decodes", () => {
  const visitorOfLastYear = Effect.gen(function*() {
    const browser = yield* TestBrowser.make
    yield* browser.post("/counter-of-last-year")
    yield* browser.post("/name")
    return browser
  })

  attempt(
    "reading it fails the request with 500, an empty body and no cookie; other keys stay readable",
    Effect.gen(function*() {
      const browser = yield* visitorOfLastYear
      const failed = yield* browser.get("/counter")
      assert.strictEqual(failed.status, 500)
      assert.strictEqual(failed.body, "")
      assert.deepStrictEqual(failed.setCookies, [])
      assert.include((yield* browser.get("/name")).body, "ferris")
      assert.deepStrictEqual(JSON.parse((yield* browser.get("/read")).body), { counter: "three", name: "ferris" })
    })
  )

  attempt(
    "a handler may catch the typed error; updating such a value fails the same way and stores nothing",
    Effect.gen(function*() {
      const browser = yield* visitorOfLastYear
      assert.strictEqual(JSON.parse((yield* browser.get("/counter-or-reason")).body), "SessionGetError DecodeFailed")
      const calls = yield* callsDuring(Effect.gen(function*() {
        const updated = yield* browser.post("/update-or-reason")
        assert.strictEqual(JSON.parse(updated.body), "SessionGetError DecodeFailed")
        assert.deepStrictEqual(updated.setCookies, [])
      }))
      assert.deepStrictEqual(writesOf(calls), [])
    })
  )
})

describe("a value that does not encode", () => {
  attempt(
    "fails the request with 500 and an empty body, stores nothing and sets no cookie",
    Effect.gen(function*() {
      const calls = yield* callsDuring(Effect.gen(function*() {
        const failed = yield* TestBrowser.send("/not-encodable", { method: "POST" })
        assert.strictEqual(failed.status, 500)
        assert.strictEqual(failed.body, "")
        assert.deepStrictEqual(failed.setCookies, [])
      }))
      assert.deepStrictEqual(calls, [])
    })
  )

  for (
    const [path, reason] of [
      ["/not-encodable-or-reason", "EncodeFailed"],
      ["/not-json-or-reason", "NotJson"]
    ] as const
  ) {
    attempt(
      `is a typed error with the reason ${reason}, and leaves the session as it was`,
      Effect.gen(function*() {
        const value = yield* begin
        const calls = yield* callsDuring(Effect.gen(function*() {
          const failed = yield* request(path, cookie(value))
          assert.strictEqual(JSON.parse(failed.body), `SessionInsertError ${reason}`)
          assert.deepStrictEqual(failed.setCookies, [])
        }))
        assert.deepStrictEqual(writesOf(calls), [])
        yield* isUntouched(value)
      })
    )
  }

  attempt(
    "does not take the good values beside it along",
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      assert.strictEqual((yield* browser.post("/name-then-not-encodable")).status, 200)
      assert.deepStrictEqual(JSON.parse((yield* browser.get("/read")).body), { name: "ferris" })
    })
  )
})

describe("a state that is too large for its cookie", () => {
  for (const contentSecurity of ["Private", "Signed"] as const) {
    const logged: Array<{ readonly level: string; readonly text: string }> = []
    const Log = Logger.add(Logger.make(({ cause, logLevel, message }) => {
      logged.push({ level: logLevel.label, text: `${String(message)} ${Cause.pretty(cause)}` })
    }))

    it.scoped(`fails the request with 500, sets no cookie and logs an error that says why (${contentSecurity})`, () =>
      Effect.gen(function*() {
        const browser = yield* TestBrowser.make
        yield* browser.post("/write")
        const before = browser.cookieHeader("/")
        for (const large of [yield* browser.post("/large"), yield* TestBrowser.send("/large", { method: "POST" })]) {
          assert.strictEqual(large.status, 500)
          assert.strictEqual(large.body, "")
          assert.deepStrictEqual(large.setCookies, [])
        }
        assert.strictEqual(browser.cookieHeader("/"), before)
        assert.deepStrictEqual(JSON.parse((yield* browser.get("/read")).body), { counter: 1 })

        const errors = logged.filter(({ level }) => level === "ERROR")
        assert.strictEqual(errors.length, 2)
        for (const { text } of errors) {
          assert.match(text, /would have \d+ bytes.*4096/)
          assert.notInclude(text, "xxxx")
        }
      }).pipe(
        Effect.provide(
          Layer.provideMerge(serve(router, { store: CookieSessionStore.layer, config: { contentSecurity } }), Log)
        )
      ))
  }
})
