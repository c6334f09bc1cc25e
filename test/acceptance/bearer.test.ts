/**
 * Clients that keep no cookies, on real sockets: what they send may be anything, and comes byte for byte.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as SessionCsrf from "effect-session/SessionCsrf"
import * as SessionOrigin from "effect-session/SessionOrigin"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { connect } from "node:net"
import { Counter, User } from "../support/webApp.js"
import { answer, entriesOf, serve, StoreCalls } from "./servedApp.js"

const router = HttpRouter.empty.pipe(
  HttpRouter.get("/read", answer(entriesOf)),
  HttpRouter.post("/login", answer((session) => Effect.zipRight(session.renew, session.insert(User, "ferris")))),
  HttpRouter.post("/count", answer((session) => session.updateOr(Counter, 1, (n) => n + 1))),
  HttpRouter.post("/logout", answer((session) => session.purge))
)

/** Sends exactly these lines, and answers the head of the response. */
const sendLines = (path: string, ...lines: ReadonlyArray<string>) =>
  Effect.flatMap(
    HttpServer.HttpServer,
    ({ address }) =>
      Effect.async<{ readonly status: number; readonly head: string; readonly body: string }>((resume) => {
        assert(address._tag === "TcpAddress")
        let text = ""
        const socket = connect(address.port, "127.0.0.1", () => {
          const head = [`POST ${path} HTTP/1.1`, "Host: app.test", "Connection: close", "Content-Length: 0", ...lines]
          socket.write(`${head.join("\r\n")}\r\n\r\n`, "latin1")
        })
        socket.setEncoding("latin1")
        socket.on("data", (chunk: string) => {
          text += chunk
        })
        socket.on("error", () => {})
        socket.on("close", () => {
          const [head = "", body = ""] = text.split("\r\n\r\n")
          resume(Effect.succeed({ status: Number(head.split(" ")[1]), head: head.toLowerCase(), body }))
        })
        return Effect.sync(() => socket.destroy())
      })
  )

const callsDuring = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const calls = yield* StoreCalls
    const before = calls.length
    yield* effect
    return calls.slice(before)
  })

const stores = [
  ["a store of keys", MemorySessionStore.layer()],
  ["a store in the cookie", CookieSessionStore.layer]
] as const

describe.each(stores)("a client without cookies, with %s", (_, store) => {
  it.scopedLive("signs in, goes on and signs out, and never sees a cookie", () =>
    Effect.gen(function*() {
      const client = yield* TestBrowser.makeBearerClient()
      const answers = [
        yield* client.post("/login"),
        yield* client.post("/count"),
        yield* client.get("/read")
      ]
      assert.deepStrictEqual(JSON.parse(answers[2]!.body), { user: "ferris", counter: 1 })
      assert.match(client.authorization(), /^Bearer ./)
      answers.push(yield* client.post("/logout"))
      assert.strictEqual(client.authorization(), "Bearer")
      assert.deepStrictEqual(JSON.parse((yield* client.get("/read")).body), {})
      for (const { setCookies, status } of answers) {
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(setCookies, [])
      }
    }).pipe(Effect.provide(serve(router, { store, config: { bearer: true } }))))

  it.scopedLive("may send anything: it is anonymous, nothing is stored, and the server goes on", () =>
    Effect.gen(function*() {
      const client = yield* TestBrowser.makeBearerClient()
      yield* client.post("/login")
      const own = client.authorization()
      const lines: ReadonlyArray<ReadonlyArray<string>> = [
        [`Authorization: ${own}`, `Authorization: ${own}`],
        [`Authorization: ${own}`, "authorization: Basic dXNlcjpwYXNz"],
        ["Authorization: Bearer", `AUTHORIZATION: ${own}`],
        [`Authorization: ${own}, ${own}`],
        [`Authorization: Bearer ${"A".repeat(4_097)}`],
        [`Authorization: Bearer ${"A".repeat(4_096)}`],
        [`Authorization: Bearer ${"=".repeat(2_000)}`],
        ["Authorization: Bearer \u00e9\u00ff"],
        [`Authorization: Bearer\t${own.slice(7)}`],
        [`Authorization: Bearer "${own.slice(7)}"`],
        [`Authorization: Bearer ${own.slice(7)}==`],
        [`Authorization: Bearer %${own.slice(7)}`],
        ["Authorization: bearer ...."],
        ["Authorization: BEARER __proto__"]
      ]
      const calls = yield* callsDuring(Effect.gen(function*() {
        for (const sent of lines) {
          const { body, head, status } = yield* sendLines("/logout", ...sent)
          assert.strictEqual(status, 200, sent.join().slice(0, 100))
          assert.strictEqual(body, "null")
          assert.notInclude(head, "set-cookie")
        }
      }))
      assert.deepStrictEqual(calls, [])
      // The scheme's case and the spaces around the token are not part of it.
      for (const sent of [`bearer ${own.slice(7)}`, `BEARER    ${own.slice(7)}   `]) {
        assert.strictEqual((yield* sendLines("/count", `Authorization: ${sent}`)).status, 200)
      }
      const answer = JSON.parse((yield* client.get("/read")).body) as Record<string, unknown>
      assert.strictEqual(answer["user"], "ferris")
    }).pipe(Effect.provide(serve(router, { store, config: { bearer: true } }))))

  it.scopedLive("that sends more than the server reads at all is refused by it, and nobody else is", () =>
    Effect.gen(function*() {
      const client = yield* TestBrowser.makeBearerClient()
      yield* client.post("/login")
      const { status } = yield* sendLines("/count", `Authorization: Bearer ${"A".repeat(100_000)}`)
      assert.strictEqual(status, 431)
      assert.strictEqual((yield* client.post("/count")).body, "1")
    }).pipe(Effect.provide(serve(router, { store, config: { bearer: true } }))))

  it.scopedLive("that brings a session cookie as well is refused, and neither session is touched", () =>
    Effect.gen(function*() {
      const client = yield* TestBrowser.makeBearerClient()
      const browser = yield* TestBrowser.make
      yield* client.post("/login")
      yield* browser.post("/login")
      const cookie = browser.cookieHeader("/")!
      const calls = yield* callsDuring(Effect.gen(function*() {
        for (const path of ["/logout", "/login", "/count", "/nowhere"]) {
          const both = yield* client.request(path, { method: "POST", headers: { cookie } })
          assert.strictEqual(both.status, 400)
          assert.deepStrictEqual(both.setCookies, [])
          assert.isNull(both.headers.get("authorization"))
        }
      }))
      assert.deepStrictEqual(calls, [])
      assert.deepStrictEqual(JSON.parse((yield* client.get("/read")).body), { user: "ferris" })
      assert.deepStrictEqual(JSON.parse((yield* browser.get("/read")).body), { user: "ferris" })
    }).pipe(Effect.provide(serve(router, { store, config: { bearer: true } }))))
})

describe("behind the guards", () => {
  const guarded = (options: SessionOrigin.Options) =>
    router.pipe(
      SessionCsrf.guard,
      SessionOrigin.guardWith(Either.getOrThrow(SessionOrigin.make(options)))
    )
  const elsewhere = { origin: "https://elsewhere.test", "sec-fetch-site": "cross-site" }

  it.scopedLive("a client without cookies signs in, and needs no token and no header of a browser", () =>
    Effect.gen(function*() {
      const client = yield* TestBrowser.makeBearerClient()
      assert.strictEqual((yield* client.post("/login")).status, 200)
      assert.strictEqual((yield* client.post("/count")).body, "1")
      const browser = yield* TestBrowser.make
      assert.strictEqual((yield* browser.post("/login")).status, 403)
    }).pipe(Effect.provide(serve(guarded({}), { config: { bearer: true } }))))

  it.scopedLive("a page of another site is refused with a bearer as well, unless the app allows those", () =>
    Effect.gen(function*() {
      const client = yield* TestBrowser.makeBearerClient()
      yield* client.post("/login")
      const refused = yield* client.request("/count", { method: "POST", headers: elsewhere })
      assert.strictEqual(refused.status, 403)
    }).pipe(Effect.provide(serve(guarded({}), { config: { bearer: true } }))))

  it.scopedLive("where the app allows bearers of other sites, they pass with no cookie beside them, and nothing else does", () =>
    Effect.gen(function*() {
      const client = yield* TestBrowser.makeBearerClient()
      const post = (path: string, headers: Record<string, string> = {}) =>
        Effect.map(client.request(path, { method: "POST", headers }), ({ status }) => status)
      assert.strictEqual(yield* post("/login", elsewhere), 200)
      assert.strictEqual(yield* post("/count", elsewhere), 200)
      assert.strictEqual(yield* post("/count"), 200)
      assert.strictEqual(yield* post("/count", { ...elsewhere, cookie: "theme=dark" }), 403)
      assert.strictEqual(yield* post("/count", { ...elsewhere, cookie: "__Host-id=x" }), 400)
      assert.strictEqual(yield* post("/count", { ...elsewhere, authorization: "Basic dXNlcjpwYXNz" }), 403)
      assert.strictEqual((yield* TestBrowser.send("/login", { method: "POST", headers: elsewhere })).status, 403)
      assert.strictEqual((yield* TestBrowser.send("/login", { method: "POST" })).status, 403)
    }).pipe(
      Effect.provide(serve(guarded({ bearer: "Allow", unmarked: "Refuse" }), { config: { bearer: true } }))
    ))
})
