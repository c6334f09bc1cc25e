/**
 * What pages make a real browser send: this app's own, one of another site, and one of another port of the same site.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as SessionOrigin from "effect-session/SessionOrigin"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { portOf } from "../support/browserSite.js"
import { launchChromium } from "../support/chromium.js"

const page = HttpServerResponse.html("<!doctype html><title>a page</title>")

/** An app that counts what reaches it, and what is refused. */
const guardedApp = Effect.gen(function*() {
  const reached: Array<string> = []
  const reach = (what: string) => Effect.sync(() => reached.push(what))
  const port = yield* portOf(
    HttpRouter.empty.pipe(
      HttpRouter.get("/", page),
      HttpRouter.post("/transfer", Effect.as(reach("transfer"), page)),
      HttpRouter.get(
        "/socket",
        Effect.flatMap(
          HttpServerRequest.upgrade,
          (socket) =>
            reach("socket").pipe(
              Effect.zipRight(socket.runRaw(() => Effect.void)),
              Effect.as(HttpServerResponse.empty())
            )
        )
      ),
      SessionOrigin.guard,
      HttpServer.serve()
    )
  )
  return { port, reached }
})

/** In the page: a form, `fetch` and a WebSocket to the app. Answers when each of them has come to its end. */
const sendAll = async (tab: Page, app: string) => {
  const socket = await tab.evaluate((url) =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(url)
      socket.onopen = () => {
        socket.close()
        resolve("open")
      }
      socket.onerror = () => resolve("refused")
    }), `${app.replace("http:", "ws:")}/socket`)
  const fetched = await tab.evaluate(
    (url) =>
      fetch(url, { method: "POST", mode: "no-cors", credentials: "include" }).then(() => "answered", () => "failed"),
    `${app}/transfer`
  )
  const [response] = await Promise.all([
    tab.waitForResponse(`${app}/transfer`),
    tab.evaluate((url) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url })
      document.body.append(form)
      form.submit()
    }, `${app}/transfer`)
  ])
  return { socket, fetched, form: response.status() }
}

describe("in a browser", () => {
  it.scopedLive("pages of the app reach it, and those of another site and of another port do not", () =>
    Effect.gen(function*() {
      const { port, reached } = yield* guardedApp
      const other = yield* portOf(HttpServer.serve(page))
      const browser = yield* launchChromium()
      const app = `http://127.0.0.1:${port}`
      const visit = (from: string) =>
        Effect.promise(async () => {
          const tab = await browser.newPage()
          await tab.goto(from)
          const seen = await sendAll(tab, app)
          await tab.close()
          return seen
        })
      for (const from of [`http://localhost:${other}/`, `http://127.0.0.1:${other}/`]) {
        assert.deepStrictEqual(yield* visit(from), { socket: "refused", fetched: "answered", form: 403 })
      }
      assert.deepStrictEqual(reached, [])
      assert.deepStrictEqual(yield* visit(`${app}/`), { socket: "open", fetched: "answered", form: 200 })
      assert.deepStrictEqual(reached, ["socket", "transfer", "transfer"])
    }))
})
