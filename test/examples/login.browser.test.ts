import { assert, describe, it, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { once } from "node:events"
import { connect } from "node:net"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { launchChromium } from "../support/chromium.js"
import { send } from "./cookieJar.js"
import type { RunningExample } from "./exampleProcess.js"
import { runExample, startExample } from "./exampleProcess.js"

class App extends Context.Tag("test/App")<App, RunningExample>() {}

class Chromium extends Context.Tag("test/Chromium")<Chromium, Browser>() {}

const AppAndChromium = Layer.merge(
  Layer.scoped(App, runExample("login/main.ts")),
  Layer.scoped(Chromium, launchChromium())
)

/** Opens the app, as somebody who has never been there. What the page complains about to the console is collected. */
const open = (options: BrowserContextOptions = {}) =>
  Effect.gen(function*() {
    const { url } = yield* App
    const browser = yield* Chromium
    const context = yield* Effect.acquireRelease(
      Effect.promise(() => browser.newContext(options)),
      (context) => Effect.promise(() => context.close())
    )
    return yield* Effect.promise(async () => {
      const page = await context.newPage()
      const complaints: Array<string> = []
      page.on("pageerror", (error) => complaints.push(error.message))
      page.on("console", (message) => {
        if (message.type() === "error") {
          complaints.push(message.text())
        }
      })
      await page.goto(url)
      return { page, complaints }
    })
  })

const logIn = async (page: Page, name: string): Promise<void> => {
  await page.getByLabel("Your name").fill(name)
  await page.getByLabel("Your name").press("Enter")
  await page.getByRole("heading", { name: "Hello," }).waitFor()
}

const press = (page: Page, name: string): Promise<void> => page.getByRole("button", { name }).click()

/** Waits until the page says so. */
const expectNotice = (page: Page, text: string): Promise<void> =>
  page.getByRole("status").filter({ hasText: text }).waitFor()

const expectCount = (page: Page, count: number): Promise<void> =>
  page.locator("#count", { hasText: new RegExp(`^${count}$`) }).waitFor()

const cookieOf = async (page: Page) => (await page.context().cookies()).find(({ name }) => name === "id")

const sessionIdOf = (page: Page): Promise<string> => page.locator("#session-id").innerText()

/** What a visitor can do, with script and without. */
const wholeVisit = async (page: Page): Promise<void> => {
  assert.isUndefined(await cookieOf(page))

  await logIn(page, "  Ferris ")
  await expectNotice(page, "Renewed")
  assert.strictEqual(await page.locator("h1").innerText(), "Hello, Ferris")
  const first = await cookieOf(page)
  assert.isTrue(first?.httpOnly)
  assert.strictEqual(first?.sameSite, "Lax")
  const id = await sessionIdOf(page)
  assert.match(id, /^[\w-]{22}$/)
  assert.isFalse(first?.value.includes(id))

  for (const count of [1, 2, 3]) {
    await press(page, "Count")
    await expectCount(page, count)
  }
  await expectNotice(page, "Changed")
  assert.strictEqual((await cookieOf(page))?.value, first?.value)
  await page.getByRole("row", { name: "count 3" }).waitFor()
  assert.deepStrictEqual(await page.locator("tbody th").allInnerTexts(), ["name", "count", "counted_at"])

  await press(page, "Renew cookie")
  await expectNotice(page, "Renewed")
  const second = await cookieOf(page)
  assert.isString(second?.value)
  assert.notStrictEqual(second?.value, first?.value)
  assert.strictEqual(await sessionIdOf(page), id)
  await expectCount(page, 3)

  await page.reload()
  await expectCount(page, 3)

  await press(page, "Log out")
  await expectNotice(page, "Purged")
  await page.getByLabel("Your name").waitFor()
  assert.isUndefined(await cookieOf(page))
}

describe("login example", { timeout: 60_000 }, () => {
  layer(AppAndChromium, { excludeTestServices: true, timeout: "60 seconds" })("in a browser", (it) => {
    it.scoped("somebody logs in, counts, renews the cookie and logs out", () =>
      Effect.gen(function*() {
        const { complaints, page } = yield* open()
        yield* Effect.promise(() => wholeVisit(page))
        assert.deepStrictEqual(complaints, [])
      }))

    it.scoped("all of it works without JavaScript", () =>
      Effect.gen(function*() {
        const { page } = yield* open({ javaScriptEnabled: false })
        yield* Effect.promise(() => wholeVisit(page))
      }))

    it.scoped(
      "with JavaScript nothing is loaded anew, the control keeps the focus and the time left runs",
      () =>
        Effect.gen(function*() {
          const { complaints, page } = yield* open()
          yield* Effect.promise(async () => {
            await page.evaluate(() => Object.assign(window, { stillHere: true }))
            await logIn(page, "Ferris")
            const button = page.getByRole("button", { name: "Count" })
            await button.focus()
            await page.keyboard.press("Enter")
            await expectCount(page, 1)
            await page.keyboard.press("Enter")
            await expectCount(page, 2)
            assert.isTrue(await page.evaluate(() => "stillHere" in window))
            const left = await page.locator("#left").innerText()
            await page.waitForFunction((left) => document.querySelector("#left")?.textContent !== left, left)
            assert.strictEqual(new URL(page.url()).search, "")
          })
          assert.deepStrictEqual(complaints, [])
        }),
      90_000
    )

    for (const javaScriptEnabled of [true, false]) {
      it.scoped(
        `a name is text, whatever it holds, ${javaScriptEnabled ? "with" : "without"} JavaScript`,
        () =>
          Effect.gen(function*() {
            const { complaints, page } = yield* open({ javaScriptEnabled })
            const names = [
              "<img src=x onerror=alert(1)>",
              "</title></code><script>document.title='owned'</script>",
              "\"onmouseover='alert(1)' & &lt;b&gt;",
              "عُمَر ☕ 𝄞"
            ]
            for (const name of names) {
              yield* Effect.promise(async () => {
                await logIn(page, name)
                assert.strictEqual(await page.locator("h1").innerText(), `Hello, ${name}`)
                assert.strictEqual(await page.title(), `${name} · effect-session`)
                assert.strictEqual(await page.locator("tbody td").first().innerText(), JSON.stringify(name))
                assert.strictEqual(
                  await page.locator("main img, main script, main b, [onmouseover], [onerror]").count(),
                  0
                )
                await press(page, "Log out")
                await expectNotice(page, "Purged")
              })
            }
            assert.deepStrictEqual(complaints, [])
          }),
        90_000
      )
    }

    it.scoped(
      "a name of nothing but spaces, or too long a one, is refused with a word beside the field",
      () =>
        Effect.gen(function*() {
          const { page } = yield* open()
          yield* Effect.promise(async () => {
            for (const name of ["   ", "x".repeat(81)]) {
              const field = page.getByLabel("Your name")
              await field.evaluate((input) => input.removeAttribute("maxlength"))
              await field.fill(name)
              await field.press("Enter")
              await page.locator("#name[aria-invalid]").waitFor()
              assert.include(await page.locator("#name-problem").innerText(), "1 to 80 characters")
              assert.isUndefined(await cookieOf(page))
              await page.goto(page.url())
            }
          })
        }),
      90_000
    )

    it.scoped("a session that ended in another tab is not brought back by this one", () =>
      Effect.gen(function*() {
        const { page } = yield* open()
        yield* Effect.promise(async () => {
          await logIn(page, "Ferris")
          const held = await cookieOf(page)
          const other = await page.context().newPage()
          await other.goto(page.url())
          await press(other, "Log out")
          await expectNotice(other, "Purged")
          // The other tab's answer came too late for a request of this one, which was sent with the cookie.
          await page.context().addCookies([held!])
          await press(page, "Count")
          await expectNotice(page, "Your session had ended")
          await page.getByLabel("Your name").waitFor()
        })
      }))

    it.scoped("every answer carries the headers that keep foreign code and frames out", () =>
      Effect.gen(function*() {
        const { url } = yield* App
        const types = {
          "/": "text/html",
          "/style.css": "text/css",
          "/client.js": "javascript",
          "/icon.svg": "image/svg+xml"
        }
        for (const [path, type] of Object.entries(types)) {
          const { headers, status } = yield* send(url + path)
          assert.strictEqual(status, 200, path)
          assert.include(headers.get("content-type"), type)
          assert.include(headers.get("content-security-policy"), "default-src 'none'")
          assert.include(headers.get("content-security-policy"), "frame-ancestors 'none'")
          assert.strictEqual(headers.get("x-content-type-options"), "nosniff")
          assert.deepStrictEqual(headers.getSetCookie(), [])
        }
      }))
  })

  it.scopedLive("ends on SIGINT, though a browser has a connection open that it never used", () =>
    Effect.gen(function*() {
      const running = yield* runExample("login/main.ts")
      yield* Effect.promise(() => once(connect(Number(new URL(running.url).port), "127.0.0.1"), "connect"))
      running.signal("SIGINT")
      yield* running.ended
    }))

  it.scopedLive("a taken port ends it with one clear line", () =>
    Effect.gen(function*() {
      const running = yield* runExample("login/main.ts")
      const second = yield* startExample("login/main.ts", { PORT: new URL(running.url).port })
      assert.strictEqual(yield* second.ended, 1)
      assert.strictEqual(
        second.output().stderr,
        "The port is taken. Choose another one, for instance: PORT=3001 npm start\n"
      )
      assert.notInclude(second.output().stdout, "Open http")
    }))
})
