/**
 * Keys that are renewed by themselves, in a real browser with several tabs, with an answer that was lost, and with a thief.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BrowserContext, Page } from "playwright-core"
import { portOf, sessionSite } from "../support/browserSite.js"
import { launchChromium, newContext } from "../support/chromium.js"

const Counter = Session.entry("counter", Schema.NonNegativeInt)

const count = Effect.flatMap(
  Session.Session,
  (session) => Effect.map(session.updateOr(Counter, 1, (n) => n + 1), (value) => HttpServerResponse.text(String(value)))
)

const makeSite = sessionSite(
  HttpRouter.empty.pipe(
    HttpRouter.get("/", HttpServerResponse.html("<!doctype html><title>a page</title>")),
    HttpRouter.get("/count", count)
  ),
  { lifecycle: Config.BrowserSession({ renewEvery: "15 minutes" }) }
)

const quarterHour = 900_000

const countIn = (tab: Page): Promise<number> => tab.evaluate(() => fetch("/count").then((answer) => answer.json()))

const keyIn = async (context: BrowserContext): Promise<string> =>
  (await context.cookies()).find(({ name }) => name === "id")?.value ?? ""

const openTabs = (context: BrowserContext, url: string, many: number): Promise<ReadonlyArray<Page>> =>
  Promise.all(Array.from({ length: many }, async () => {
    const tab = await context.newPage()
    await tab.goto(url)
    return tab
  }))

describe("in a browser, keys that are renewed by themselves", () => {
  it.scopedLive("are noticed by none of many tabs, over many renewals, and no count is lost", () =>
    Effect.gen(function*() {
      const { clock, url } = yield* makeSite
      const context = yield* newContext(yield* launchChromium())
      yield* Effect.promise(async () => {
        const tabs = await openTabs(context, url, 4)
        let counted = await countIn(tabs[0]!)
        const keys = new Set([await keyIn(context)])
        for (let round = 0; round < 8; round++) {
          clock.moveOn(quarterHour)
          const values = await Promise.all([...tabs, ...tabs].map(countIn))
          counted += values.length
          assert.strictEqual(Math.max(...values), counted)
          assert.strictEqual(new Set(values).size, values.length)
          keys.add(await keyIn(context))
        }
        assert.strictEqual(keys.size, 9)
      })
    }))

  it.scopedLive("leave a browser signed in that never got the new one", () =>
    Effect.gen(function*() {
      const { clock, url } = yield* makeSite
      const context = yield* newContext(yield* launchChromium())
      yield* Effect.promise(async () => {
        const [tab] = await openTabs(context, url, 1)
        await countIn(tab!)
        const before = await context.cookies()
        clock.moveOn(quarterHour)
        assert.strictEqual(await countIn(tab!), 2)
        // As if the answer had been lost.
        await context.clearCookies()
        await context.addCookies(before)
        clock.moveOn(10 * quarterHour)
        assert.strictEqual(await countIn(tab!), 3)
        clock.moveOn(quarterHour)
        assert.strictEqual(await countIn(tab!), 4)
      })
    }))

  it.scopedLive("tell a thief, in whose browser an old one comes after its grace, and end the session", () =>
    Effect.gen(function*() {
      const { clock, url } = yield* makeSite
      const elsewhere = yield* portOf(HttpServer.serve(HttpServerResponse.html("<!doctype html><title>evil</title>")))
      const browser = yield* launchChromium()
      const [visitor, thief] = [yield* newContext(browser), yield* newContext(browser)]
      yield* Effect.promise(async () => {
        const [tab] = await openTabs(visitor, url, 1)
        await countIn(tab!)
        // A page on another port, under another name for this host, gets nothing of it; so it was stolen from the disk.
        const [evil] = await openTabs(visitor, `http://localhost:${elsewhere}`, 1)
        assert.strictEqual(await evil!.evaluate(() => document.cookie), "")
        await thief.addCookies(await visitor.cookies())
        const [stolen] = await openTabs(thief, url, 1)
        assert.strictEqual(await countIn(stolen!), 2, "nobody can tell before the key is renewed")
        clock.moveOn(quarterHour)
        assert.strictEqual(await countIn(tab!), 3)
        assert.strictEqual(await countIn(tab!), 4)
        assert.strictEqual(await countIn(stolen!), 5, "in the grace")
        clock.moveOn(60_000)
        assert.strictEqual(await countIn(stolen!), 1, "a session of the thief's own")
        assert.strictEqual(await countIn(tab!), 1, "the visitor has to sign in again")
      })
    }))
})
