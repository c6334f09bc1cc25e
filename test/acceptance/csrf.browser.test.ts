/**
 * Tokens against cross-site request forgery in a real browser: the app's own forms, and a page on another port that the browser
 * takes for the same site, so that it sends the session cookie along.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionCsrf from "effect-session/SessionCsrf"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { BrowserContext, Page } from "playwright-core"
import { portOf, sessionSite } from "../support/browserSite.js"
import { launchChromium, newContext } from "../support/chromium.js"

const User = Session.entry("user", Schema.String)

const formFor = (token: string) =>
  HttpServerResponse.html(
    `<!doctype html><title>a page</title><form method="post"><input type="hidden" name="csrf" value="${token}"></form>`
  )

const makeSite = (options: Partial<Config.SessionOptions> = {}) =>
  Effect.gen(function*() {
    const reached: Array<string> = []
    const reach = (what: string) =>
      Effect.map(Effect.flatMap(Session.Session, (session) => session.get(User)), () => {
        reached.push(what)
        return HttpServerResponse.html("<!doctype html><title>done</title>")
      })
    const site = yield* sessionSite(
      HttpRouter.empty.pipe(
        HttpRouter.get("/", Effect.map(SessionCsrf.token, formFor)),
        HttpRouter.get("/token", Effect.map(SessionCsrf.token, (token) => HttpServerResponse.text(token))),
        HttpRouter.post("/transfer", reach("transfer")),
        HttpRouter.post(
          "/in",
          Effect.flatMap(Session.Session, (session) =>
            Effect.zipRight(Effect.zipRight(session.insert(User, "ada"), session.renew), reach("in")))
        ),
        SessionCsrf.guard
      ),
      options
    )
    return { ...site, reached }
  })

/** Sends a form from the page that the tab shows, with the token of that page or another one. */
const submit = async (tab: Page, url: string, token?: string): Promise<number> => {
  const [response] = await Promise.all([
    tab.waitForResponse(url),
    tab.waitForEvent("load"),
    tab.evaluate(([url, token]) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action: url })
      const value = token ?? document.querySelector<HTMLInputElement>("input[name=csrf]")?.value
      if (value !== undefined) {
        form.append(Object.assign(document.createElement("input"), { name: "csrf", value }))
      }
      document.body.append(form)
      form.submit()
    }, [url, token] as const)
  ])
  return response.status()
}

const open = async (context: BrowserContext, url: string): Promise<Page> => {
  const tab = await context.newPage()
  await tab.goto(url)
  return tab
}

describe("in a browser", () => {
  it.scopedLive("forms of the app's pages go through, and those of another origin do not, whatever it plants", () =>
    Effect.gen(function*() {
      const { reached, url } = yield* makeSite()
      const other = yield* portOf(HttpServer.serve(HttpServerResponse.html("<!doctype html><title>evil</title>")))
      const browser = yield* launchChromium()
      const victim = yield* newContext(browser)
      const attacker = yield* newContext(browser)
      yield* Effect.promise(async () => {
        const home = await open(victim, url)
        assert.strictEqual(await submit(home, `${url}/in`), 200)
        await home.goto(url)
        assert.strictEqual(await submit(home, `${url}/transfer`), 200)
        assert.deepStrictEqual(reached, ["in", "transfer"])

        const token = await (await open(attacker, `${url}/token`)).textContent("body")
        const planted = (await attacker.cookies()).find(({ name }) => name === "id-csrf")!
        for (const origin of [`http://127.0.0.1:${other}`, `http://localhost:${other}`]) {
          const evil = await open(victim, origin)
          assert.strictEqual(await submit(evil, `${url}/transfer`), 403, "without a token")
          await evil.goto(origin)
          assert.strictEqual(await submit(evil, `${url}/transfer`, token!), 403, "with the attacker's token")
          await evil.goto(origin)
          // Ports share their cookies, so that a page beside the app can plant one.
          await evil.evaluate((value) => document.cookie = `id-csrf=${value}; path=/transfer`, planted.value)
          assert.strictEqual(await submit(evil, `${url}/transfer`, token!), 403, "with the attacker's token and cookie")
          await victim.clearCookies({ path: "/transfer" })
          await evil.goto(origin)
          const fetched = await evil.evaluate(
            ([url, token]) =>
              fetch(url!, { method: "POST", credentials: "include", headers: { "x-csrf-token": token! } })
                .then(() => "answered", () => "refused by the browser"),
            [`${url}/transfer`, token] as const
          )
          assert.strictEqual(fetched, "refused by the browser")
        }
        assert.deepStrictEqual(reached, ["in", "transfer"])
      })
    }))

  it.scopedLive("a token is void after a sign-in in another tab, and good after a key was renewed by itself", () =>
    Effect.gen(function*() {
      const { clock, url } = yield* makeSite({
        lifecycle: Config.BrowserSession({ renewEvery: "15 minutes" })
      })
      const context = yield* newContext(yield* launchChromium())
      yield* Effect.promise(async () => {
        const [before, other] = [await open(context, url), await open(context, url)]
        assert.strictEqual(await submit(other, `${url}/in`), 200)
        assert.strictEqual(await submit(before, `${url}/transfer`), 403, "the token of a visitor, after the sign-in")

        const [one, two] = [await open(context, url), await open(context, url)]
        const key = async () => (await context.cookies()).find(({ name }) => name === "id")!.value
        const old = await key()
        clock.moveOn(900_000)
        assert.strictEqual(await submit(one, `${url}/transfer`), 200, "while the key is renewed")
        await one.goto(url)
        assert.notStrictEqual(await key(), old)
        assert.strictEqual(await submit(two, `${url}/transfer`), 200, "of a page from before, after it")
        clock.moveOn(120_000)
        assert.strictEqual(await submit(one, `${url}/transfer`), 200, "of a page with the new key")
      })
    }))
})
