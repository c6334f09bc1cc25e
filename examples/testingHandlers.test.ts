/**
 * The tests of examples/testingHandlers.ts: handlers by themselves, then the whole app over a socket.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as TestSession from "effect-session/testing/TestSession"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { Cart, logIn, logOut, put, router, User } from "./testingHandlers.js"

describe("a handler of the shop", () => {
  it.effect("adds to the cart that is there", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* put("milk"), ["tea", "milk"])
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Changed")
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Cart, ["tea"])]))))

  it.effect("renews the session at the login", () =>
    Effect.gen(function*() {
      yield* logIn("ferris")
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Renewed")
      assert.isTrue(yield* session.contains(User))
    }).pipe(Effect.provide(TestSession.layer())))

  it.effect("leaves nothing behind at the logout", () =>
    Effect.gen(function*() {
      yield* logOut
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Purged")
      assert.strictEqual((yield* session.entries).size, 0)
    }).pipe(Effect.provide(TestSession.layer({ user: "ferris", cart: ["tea"] }))))

  it.effect("does not take a store that is away for an empty cart", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(put("milk"))
      assert.strictEqual(error.reason, "StoreUnavailable")
    }).pipe(Effect.provide(TestSession.layerUnavailable)))
})

const App = router.pipe(
  SessionMiddleware.session,
  HttpServer.serve(),
  Layer.provideMerge(TestSession.layerMiddleware({ lifecycle: Config.BrowserSession({ ttl: "20 minutes" }) })),
  Layer.provideMerge(NodeHttpServer.layerTest)
)

const sees = (browser: TestBrowser.TestBrowser, user: string, cart: ReadonlyArray<string>) =>
  Effect.map(browser.get("/"), (answer) => assert.deepStrictEqual(JSON.parse(answer.body), { user, cart }))

describe("the shop", () => {
  it.scoped("keeps the cart through a login, after which the old cookie opens nothing", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.post("/cart/tea")
      const thief = browser.copy()
      yield* browser.post("/login/ferris")
      yield* sees(browser, "ferris", ["tea"])
      yield* sees(thief, "nobody", [])
    }).pipe(Effect.provide(App)))

  it.scoped("signs out every tab at once", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.post("/login/ferris")
      const otherTab = browser.copy()
      yield* browser.post("/logout")
      yield* sees(otherTab, "nobody", [])
      assert.isUndefined(browser.cookieHeader("/"))
    }).pipe(Effect.provide(App)))

  it.scoped("forgets a cart that nobody touched for twenty minutes", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.post("/cart/tea")
      yield* TestClock.adjust("19 minutes")
      yield* sees(browser, "nobody", ["tea"])
      yield* TestClock.adjust("1 minute")
      yield* sees(browser, "nobody", [])
    }).pipe(Effect.provide(App)))
})
