import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cookies from "@effect/platform/Cookies"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { cookiesOf } from "../../src/internal/http/responseCookies.js"

const request = HttpServerRequest.HttpServerRequest

const showCookie = Effect.map(request, ({ headers }) => HttpServerResponse.text(headers["cookie"] ?? "none"))

const setting = (...lines: ReadonlyArray<string>) => HttpServerResponse.empty({ cookies: Cookies.fromSetCookie(lines) })

const App = HttpRouter.empty.pipe(
  HttpRouter.get("/", showCookie),
  HttpRouter.get("/test", showCookie),
  HttpRouter.get("/test/deep", showCookie),
  HttpRouter.get("/testing", showCookie),
  HttpRouter.get("/set", setting("a=1; Path=/; Secure; HttpOnly", "b=2; Path=/test; Max-Age=60; Domain=example.com")),
  HttpRouter.get("/replace", setting("a=3; Path=/")),
  HttpRouter.get("/remove", setting("a=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")),
  HttpRouter.get(
    "/scopes",
    HttpServerResponse.empty({
      cookies: cookiesOf([
        "c=1; Path=/",
        "c=2; Path=/; Domain=Example.com",
        "c=3; Path=/test",
        "c=4; Path=/; Secure; Partitioned"
      ])
    })
  ),
  HttpRouter.get("/remove-scope", setting("c=; Path=/; Domain=example.com; Max-Age=0")),
  HttpRouter.get("/redirect", HttpServerResponse.redirect("/set")),
  HttpRouter.post(
    "/echo",
    Effect.gen(function*() {
      const { headers, text } = yield* request
      return HttpServerResponse.text(`${headers["content-type"]} ${yield* text}`)
    })
  ),
  HttpServer.serve(),
  Layer.provideMerge(NodeHttpServer.layerTest)
)

describe("TestBrowser", () => {
  it.scoped("sends back what was set, Secure and of a Domain or not, below its path alone", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      assert.strictEqual((yield* browser.get("/")).body, "none")
      yield* browser.get("/set")
      assert.strictEqual((yield* browser.get("/")).body, "a=1")
      assert.strictEqual((yield* browser.get("/test?x=/y")).body, "b=2; a=1")
      assert.strictEqual((yield* browser.get("/test/deep")).body, "b=2; a=1")
      assert.strictEqual((yield* browser.get("/testing")).body, "a=1")
      assert.strictEqual(browser.cookieHeader("/test"), "b=2; a=1")
    }).pipe(Effect.provide(App)))

  it.scoped("keeps cookies of one name apart by domain, path and partition", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.get("/scopes")
      assert.strictEqual(browser.cookieHeader("/test"), "c=3; c=1; c=2; c=4")
      yield* browser.get("/remove-scope")
      assert.strictEqual(browser.cookieHeader("/test"), "c=3; c=1; c=4")
    }).pipe(Effect.provide(App)))

  it.scoped("replaces and forgets cookies as it is told", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.get("/set")
      yield* browser.get("/replace")
      assert.strictEqual(browser.cookieHeader("/"), "a=3")
      yield* browser.get("/remove")
      assert.strictEqual(browser.cookieHeader("/"), undefined)
    }).pipe(Effect.provide(App)))

  it.scoped("a copy goes its own way from then on", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.get("/set")
      const copy = browser.copy()
      yield* browser.get("/remove")
      assert.strictEqual((yield* copy.get("/")).body, "a=1")
      yield* copy.get("/replace")
      assert.strictEqual(browser.cookieHeader("/"), undefined)
    }).pipe(Effect.provide(App)))

  it.scoped("does not follow redirects", () =>
    Effect.gen(function*() {
      const answer = yield* TestBrowser.send("/redirect")
      assert.strictEqual(answer.status, 302)
      assert.strictEqual(answer.headers.get("location"), "/set")
      assert.deepStrictEqual(answer.setCookies, [])
    }).pipe(Effect.provide(App)))

  it.scoped("posts JSON", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      assert.strictEqual(
        (yield* browser.post("/echo", { user: "ferris" })).body,
        "application/json {\"user\":\"ferris\"}"
      )
    }).pipe(Effect.provide(App)))

  it.scoped("sends a Cookie header byte for byte, in place of its own cookies", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* browser.get("/set")
      const cookie = "\u00a0__Host-id=\"x\"; %20=\u00ff; a=2"
      assert.strictEqual((yield* browser.request("/", { headers: { cookie } })).body, cookie)
    }).pipe(Effect.provide(App)))

  it("reads a Set-Cookie line into its parts", () => {
    const { attributes, name, value } = TestBrowser.readSetCookie(
      "id=a=b; Path=/x; expires=Thu, 01 Jan 1970 00:00:00 GMT;Secure; SameSite=Lax"
    )
    assert.deepStrictEqual([name, value], ["id", "a=b"])
    assert.deepStrictEqual(Array.from(attributes), [
      ["path", "/x"],
      ["expires", "Thu, 01 Jan 1970 00:00:00 GMT"],
      ["secure", ""],
      ["samesite", "Lax"]
    ])
  })
})
