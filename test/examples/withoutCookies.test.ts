import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { visitor } from "./cookieJar.js"
import { runExample } from "./exampleProcess.js"

describe("without cookies example", () => {
  it.scopedLive("serves a program by its bearer and a browser by its cookie, and neither by both", () =>
    Effect.gen(function*() {
      const { output, printed, url } = yield* runExample("withoutCookies.ts")
      let authorization = "Bearer"
      const send = (path: string, method = "GET", headers: Record<string, string> = {}) =>
        Effect.promise(async () => {
          const response = await fetch(`${url}${path}`, {
            method,
            headers: { authorization, connection: "close", ...headers }
          })
          authorization = response.headers.get("authorization") ?? authorization
          return { status: response.status, text: await response.text(), cookies: response.headers.getSetCookie() }
        })
      assert.strictEqual((yield* send("/")).status, 401)
      assert.deepStrictEqual(yield* send("/login/ferris", "POST"), {
        status: 200,
        text: "Hello, ferris\n",
        cookies: []
      })
      const held = authorization
      assert.match(held, /^Bearer ./)
      assert.strictEqual((yield* send("/")).text, "ferris\n")
      const gopher = visitor(url)
      yield* gopher.send("POST /login/gopher")
      assert.strictEqual((yield* gopher.send("GET /")).text, "gopher\n")
      assert.strictEqual((yield* send("/", "GET", { cookie: gopher.cookie() })).status, 400)
      assert.strictEqual((yield* send("/logout", "POST")).status, 204)
      assert.strictEqual(authorization, "Bearer")
      assert.strictEqual((yield* send("/", "GET", { authorization: held })).status, 401)
      yield* printed(/session\.id: [A-Za-z0-9_-]{22}/)
      assert.notInclude(output().stdout, held.slice("Bearer ".length))
    }))
})
