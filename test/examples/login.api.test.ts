import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { once } from "node:events"
import { connect } from "node:net"
import type { Reply } from "./cookieJar.js"
import { send } from "./cookieJar.js"
import { runExample, startExample } from "./exampleProcess.js"
import { App, AppLive } from "./loginVisit.js"

/** A client of the API that has nothing of a browser but its cookie. */
const client = Effect.map(App, ({ url }) => {
  let cookie: string | undefined
  return (line: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Effect.Effect<Reply> => {
    const [method = "", path = ""] = line.split(" ")
    return Effect.tap(
      send(url + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(cookie === undefined ? {} : { cookie }),
          ...headers
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) })
      }),
      (reply) =>
        Effect.sync(() => {
          const line = reply.headers.getSetCookie()[0]
          cookie = line === undefined ? cookie : /max-age=0/i.test(line) ? undefined : line.split(";")[0]
        })
    )
  }
})

describe("login example over its API", () => {
  layer(AppLive, { excludeTestServices: true })((it) => {
    it.effect("a session is begun, filled, looked at, renewed and ended", () =>
      Effect.gen(function*() {
        const call = yield* client
        const nobody = yield* call("GET /api/session")
        assert.deepInclude(nobody.json(), { user: null, id: null, entries: [] })
        assert.deepStrictEqual(nobody.headers.getSetCookie(), [])

        const login = yield* call("POST /api/login", { name: " Ferris ", remember: true })
        assert.deepInclude(login.json(), { status: "Renewed" })
        assert.match(login.headers.getSetCookie()[0] ?? "", /^id=.*Max-Age=1209600/)
        assert.deepStrictEqual((yield* call("GET /api/me")).json(), { name: "Ferris" })

        assert.deepInclude((yield* call("PUT /api/entries/color", { value: ["teal"] })).json(), { status: "Changed" })
        const view = (yield* call("GET /api/session")).json() as Record<string, any>
        assert.match(view["id"], /^[\w-]{22}$/)
        assert.deepInclude(view, { user: { name: "Ferris" }, isRemembered: true, status: "Unchanged" })
        assert.deepStrictEqual(view["entries"], [
          { key: "app:user", value: { name: "Ferris" }, isYours: false },
          { key: "color", value: ["teal"], isYours: true }
        ])
        const lifeMillis = Date.parse(view["expiresAt"]) - Date.parse(view["createdAt"])
        // More than this test may take.
        const slack = 1_000
        assert.approximately(lifeMillis / 1000, view["ttlSeconds"], slack)
        assert.approximately(view["secondsLeft"], view["ttlSeconds"], slack)

        const renewed = yield* call("POST /api/renew")
        assert.lengthOf(renewed.headers.getSetCookie(), 1)
        assert.deepInclude((yield* call("GET /api/session")).json(), { id: view["id"] })

        assert.deepInclude((yield* call("DELETE /api/entries/color")).json(), { status: "Changed" })
        assert.deepInclude((yield* call("DELETE /api/entries/color")).json(), { status: "Unchanged" })
        assert.deepInclude((yield* call("POST /api/logout")).json(), { status: "Purged" })
        assert.deepInclude((yield* call("GET /api/session")).json(), { user: null, id: null })
      }))

    it.effect("without a user, what is for users answers 401 and nothing is stored", () =>
      Effect.gen(function*() {
        const call = yield* client
        for (const line of ["GET /api/me", "POST /api/renew", "PUT /api/entries/color", "DELETE /api/entries/color"]) {
          const reply = yield* call(line, line.startsWith("PUT") ? { value: 1 } : undefined)
          assert.strictEqual(reply.status, 401, line)
          assert.deepStrictEqual(reply.json(), { _tag: "Unauthorized" })
          assert.deepStrictEqual(reply.headers.getSetCookie(), [])
        }
      }))

    it.effect("bad input answers 400 and says where and why; too much, 409", () =>
      Effect.gen(function*() {
        const call = yield* client
        const expectIssue = (reply: Reply, path: string, message: string) => {
          assert.strictEqual(reply.status, 400)
          const { issues: [issue] } = reply.json() as { issues: Array<{ path: Array<string>; message: string }> }
          assert.deepStrictEqual(issue?.path, [path])
          assert.include(issue?.message, message)
        }
        expectIssue(yield* call("POST /api/login", { name: "  " }), "name", "1 to 80 characters")
        expectIssue(yield* call("POST /api/login", { name: "x".repeat(81) }), "name", "1 to 80 characters")
        yield* call("POST /api/login", { name: "Ferris" })
        for (const key of ["app:user", "app%3Auser", "__proto__", "a%2Fb", "9"]) {
          expectIssue(yield* call(`PUT /api/entries/${key}`, { value: 1 }), "key", "begins with a letter")
        }
        expectIssue(yield* call("PUT /api/entries/a", { value: "x".repeat(199) }), "value", "at most 200 characters")
        for (let n = 0; n < 12; n++) {
          assert.strictEqual((yield* call(`PUT /api/entries/k${n}`, { value: n })).status, 200)
        }
        const full = yield* call("PUT /api/entries/k12", { value: 12 })
        assert.strictEqual(full.status, 409)
        assert.deepInclude(full.json(), { _tag: "TooManyEntries" })
        assert.strictEqual((yield* call("PUT /api/entries/k0", { value: "changed" })).status, 200)
      }))

    it.effect("what another site makes a browser send is turned away, by the form and by the API", () =>
      Effect.gen(function*() {
        const { url } = yield* App
        const call = yield* client
        const foreign: ReadonlyArray<Record<string, string>> = [
          { "sec-fetch-site": "cross-site" },
          { "sec-fetch-site": "same-site", origin: url },
          { origin: "https://example.test" },
          { origin: "null" },
          { origin: url.replace(/\d+$/, "1") }
        ]
        for (const headers of foreign) {
          for (const line of ["POST /api/login", "POST /login", "PUT /api/entries/a", "DELETE /api/entries/a"]) {
            const reply = yield* call(line, { name: "Ferris" }, headers)
            assert.strictEqual(reply.status, 403, `${line} ${JSON.stringify(headers)}`)
            assert.deepStrictEqual(reply.headers.getSetCookie(), [])
          }
          assert.strictEqual((yield* call("GET /", undefined, headers)).status, 200)
        }
        for (const headers of [{ origin: url }, { "sec-fetch-site": "same-origin", origin: url }]) {
          assert.strictEqual((yield* call("POST /api/login", { name: "Ferris" }, headers)).status, 200)
        }
      }))

    it.effect("the OpenAPI document has the endpoints, the cookie and the 401 of what is for users", () =>
      Effect.gen(function*() {
        const call = yield* client
        const document = (yield* call("GET /openapi.json")).json() as Record<string, any>
        const operations = Object.entries<Record<string, any>>(document["paths"]).flatMap(([path, methods]) =>
          Object.entries<Record<string, any>>(methods).map(([method, operation]) => ({
            line: `${method.toUpperCase()} ${path}`,
            isForUsers: "401" in operation["responses"]
          }))
        )
        assert.deepStrictEqual(operations, [
          { line: "POST /api/login", isForUsers: false },
          { line: "POST /api/logout", isForUsers: false },
          { line: "GET /api/session", isForUsers: false },
          { line: "GET /api/me", isForUsers: true },
          { line: "POST /api/renew", isForUsers: true },
          { line: "POST /api/devices/sign-out", isForUsers: true },
          { line: "PUT /api/entries/{key}", isForUsers: true },
          { line: "DELETE /api/entries/{key}", isForUsers: true }
        ])
        assert.deepInclude(document["components"].securitySchemes.session, { type: "apiKey", in: "cookie", name: "id" })
      }))

    it.effect("every answer carries the headers that keep foreign code and frames out", () =>
      Effect.gen(function*() {
        const call = yield* client
        const types = {
          "/": "text/html",
          "/style.css": "text/css",
          "/client.js": "javascript",
          "/view.js": "javascript",
          "/icon.svg": "image/svg+xml",
          "/docs": "text/html",
          "/openapi.json": "application/json",
          "/api/session": "application/json"
        }
        for (const [path, type] of Object.entries(types)) {
          const { headers, status, text } = yield* call(`GET ${path}`)
          assert.strictEqual(status, 200, path)
          assert.include(headers.get("content-type"), type)
          const policy = headers.get("content-security-policy") ?? ""
          assert.include(policy, "default-src 'none'")
          assert.include(policy, "frame-ancestors 'none'")
          assert.strictEqual(policy.includes("unsafe-inline"), path === "/docs", path)
          assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
          assert.match(headers.get("cache-control") ?? "", /^no-(store|cache)/)
          assert.deepStrictEqual(headers.getSetCookie(), [])
          assert.isAbove(text.length, 0)
        }
      }))

    it.effect("it starts without a warning but the one about plain HTTP", () =>
      Effect.gen(function*() {
        const { output } = yield* App
        const warnings = output().stdout.split("\n").filter((line) => line.includes("WARN"))
        assert.lengthOf(warnings, 1)
        assert.include(warnings[0], "cookie.secure is false")
      }))

    it.scoped("a taken port ends it with one clear line", () =>
      Effect.gen(function*() {
        const { url } = yield* App
        const second = yield* startExample("login/main.ts", { PORT: new URL(url).port })
        assert.strictEqual(yield* second.ended, 1)
        assert.strictEqual(
          second.output().stderr,
          "The port is taken. Choose another one, for instance: PORT=3001 npm start\n"
        )
        assert.notInclude(second.output().stdout, "Open http")
      }))
  })

  it.scopedLive("it ends on SIGINT, though a browser has a connection open that it never used", () =>
    Effect.gen(function*() {
      const running = yield* runExample("login/main.ts")
      yield* Effect.promise(() => once(connect(Number(new URL(running.url).port), "127.0.0.1"), "connect"))
      running.signal("SIGINT")
      yield* running.ended
    }))
})
