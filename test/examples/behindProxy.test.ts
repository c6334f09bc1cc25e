import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Http from "node:http"
import { send, visitor } from "./cookieJar.js"
import { runExample } from "./exampleProcess.js"

/** Where the proxy comes from: another address of the loopback than that of everybody else here. */
const proxyAddress = "127.0.0.2"

/** A proxy that would speak TLS to the world: it passes everything on, and says itself how a request came. */
const proxyTo = (url: string) =>
  Effect.acquireRelease(
    Effect.async<Http.Server>((resume) => {
      const server = Http.createServer((request, response) => {
        const passedOn = Http.request(
          url + request.url,
          {
            method: request.method ?? "GET",
            headers: { ...request.headers, "x-forwarded-proto": "https" },
            localAddress: proxyAddress
          },
          (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.headers)
            answer.pipe(response)
          }
        )
        request.pipe(passedOn)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(Effect.map((server) => {
    const address = server.address()
    assert(typeof address === "object" && address !== null)
    return `http://127.0.0.1:${address.port}`
  }))

const start = (env: Readonly<Record<string, string>> = {}) =>
  Effect.gen(function*() {
    const example = yield* runExample("behindProxy.ts", {
      SESSION_KEYS: Redacted.value(Config.generateKey()),
      ...env
    })
    return { direct: example.url, proxied: yield* proxyTo(example.url) }
  })

const cookieFrom = (url: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(send(`${url}/german`, { method: "POST", headers }), (reply) => {
    assert.strictEqual(reply.status, 303)
    const lines = reply.headers.getSetCookie()
    assert.lengthOf(lines, 1)
    return lines[0]!
  })

describe("an app behind a proxy", () => {
  it.scopedLive("needs no setting where the proxy is the only way in: the cookie is Secure", () =>
    Effect.gen(function*() {
      const { proxied } = yield* start()
      const cookie = yield* cookieFrom(proxied)
      assert.match(cookie, /^__Host-id=/)
      assert.include(cookie, "; Secure")
    }))

  it.scopedLive("sends a Secure cookie to those who come through the trusted proxy, and to nobody else", () =>
    Effect.gen(function*() {
      const { direct, proxied } = yield* start({
        SESSION_COOKIE_NAME: "id",
        SESSION_COOKIE_SECURE: "from-request",
        SESSION_TRUSTED_PROXIES: proxyAddress
      })
      assert.include(yield* cookieFrom(proxied), "; Secure")
      assert.notInclude(yield* cookieFrom(direct), "; Secure")
      assert.notInclude(yield* cookieFrom(direct, { "x-forwarded-proto": "https" }), "; Secure")
    }))

  it.scopedLive("tells caches what is for one visitor, and leaves what is for everybody alone", () =>
    Effect.gen(function*() {
      const { proxied } = yield* start()
      const german = visitor(proxied)
      const chosen = yield* german.send("POST /german")
      assert.strictEqual(chosen.headers.get("cache-control"), "no-store")
      const page = yield* german.send("GET /")
      assert.strictEqual(page.text, "Hallo\n")
      assert.strictEqual(page.headers.get("vary"), "Cookie")
      const style = yield* german.send("GET /style.css")
      assert.strictEqual(style.headers.get("cache-control"), "public, max-age=3600")
      assert.isNull(style.headers.get("vary"))
      assert.deepStrictEqual(style.headers.getSetCookie(), [])
    }))
})
