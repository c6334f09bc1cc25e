import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { visitor } from "./cookieJar.js"
import { runExample, startExample } from "./exampleProcess.js"

describe("HttpApi example", () => {
  it.scopedLive("knows its client from the login to the logout", () =>
    Effect.gen(function*() {
      const server = yield* runExample("httpApiLogin/server.ts")
      const client = yield* startExample("httpApiLogin/client.ts", { API_URL: server.url })
      assert.strictEqual(yield* client.ended, 0, client.output().stderr)
      assert.deepStrictEqual(client.output().stdout.trim().split("\n"), [
        "Nobody knows me",
        "That was the wrong password",
        "I am ferris",
        "Nobody knows me"
      ])
    }))

  it.scopedLive("describes the cookie and the 401 of what is guarded, and answers so", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("httpApiLogin/server.ts")
      const { send } = visitor(url)
      const { components, paths } = (yield* send("GET /openapi.json")).json() as {
        readonly components: {
          readonly securitySchemes: Record<string, { readonly in: string; readonly name: string }>
        }
        readonly paths: Record<string, Record<string, { readonly security: unknown; readonly responses: object }>>
      }
      assert.strictEqual(components.securitySchemes["session"]?.in, "cookie")
      assert.strictEqual(components.securitySchemes["session"]?.name, "__Host-id")
      const me = paths["/me"]!["get"]!
      assert.includeMembers(Object.keys(me.responses), ["200", "401", "500", "503"])
      assert.deepInclude(me.security as Array<unknown>, { session: [] })

      const refused = yield* send("GET /me")
      assert.strictEqual(refused.status, 401)
      assert.deepStrictEqual(refused.json(), { _tag: "Unauthorized" })
    }))
})
