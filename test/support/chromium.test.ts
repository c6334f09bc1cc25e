import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import type { Page } from "playwright-core"
import { launchChromium, newContext } from "./chromium.js"

/** Sets a cookie on the first visit and shows on each the cookies that it was sent. */
const cookieMirror = Effect.acquireRelease(
  Effect.promise(() =>
    new Promise<{ readonly url: string; readonly close: () => void }>((resolve) => {
      const server = createServer((request, response) => {
        response.setHeader("set-cookie", "visited=yes; HttpOnly; Path=/")
        response.setHeader("content-type", "text/html")
        response.end(`<p>${request.headers.cookie ?? "no cookie"}</p>`)
      })
      server.listen(0, "127.0.0.1", () =>
        resolve({
          url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
          close: () => {
            server.close()
            server.closeAllConnections()
          }
        }))
    })
  ),
  (server) => Effect.sync(server.close)
)

describe("chromium", () => {
  it.scopedLive("keeps a cookie between two visits, and its contexts apart", () =>
    Effect.gen(function*() {
      const { url } = yield* cookieMirror
      const browser = yield* launchChromium()
      const newPage = Effect.flatMap(newContext(browser), (context) => Effect.promise(() => context.newPage()))
      const visit = (page: Page) =>
        Effect.promise(async () => {
          await page.goto(url)
          return page.textContent("p")
        })
      const first = yield* newPage
      assert.strictEqual(yield* visit(first), "no cookie")
      assert.strictEqual(yield* visit(first), "visited=yes")
      const other = yield* newPage
      assert.strictEqual(yield* visit(other), "no cookie")
    }))

  it.scopedLive("is gone with its scope", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const browser = yield* Scope.extend(launchChromium(), scope)
      assert.isTrue(browser.isConnected())
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(browser.isConnected())
    }))
})
