/**
 * The login example and people who visit it in a real browser.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Browser, BrowserContextOptions, Page } from "playwright-core"
import { launchChromium, newContext } from "../support/chromium.js"
import type { RunningExample } from "./exampleProcess.js"
import { runExample } from "./exampleProcess.js"

export class App extends Context.Tag("test/App")<App, RunningExample>() {}

class Chromium extends Context.Tag("test/Chromium")<Chromium, Browser>() {}

export const AppLive = Layer.scoped(App, runExample("login/main.ts"))

const ChromiumLive = Layer.scoped(Chromium, launchChromium())

export const AppAndChromium = Layer.merge(AppLive, ChromiumLive)

/** The same, where no sign-in is ever fresh. */
export const alwaysStale = Layer.merge(
  Layer.scoped(App, runExample("login/main.ts", { FRESH_FOR: "0 millis" })),
  ChromiumLive
)

/** Opens the app, as somebody who has never been there. What the page complains about to the console is collected. */
export const open = (options: BrowserContextOptions = {}) =>
  Effect.gen(function*() {
    const { url } = yield* App
    const browser = yield* Chromium
    const context = yield* newContext(browser, options)
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

/** Waits until the page says so. */
export const expectNotice = (page: Page, text: string): Promise<void> =>
  page.getByRole("status").filter({ hasText: text }).waitFor()

/** Waits until the page is done with what it was told: until then it takes nothing more, and shows its forms anew in the end. */
export const idle = (page: Page): Promise<void> => page.locator("body:not([data-busy])").waitFor()

export const press = async (page: Page, name: string): Promise<void> => {
  await idle(page)
  await page.getByRole("button", { name, exact: true }).click()
}

export const signIn = async (page: Page, name: string): Promise<void> => {
  await page.getByLabel("Your name").fill(name)
  await press(page, "Sign in")
  await page.getByRole("heading", { name: "Hello," }).waitFor()
}

export const keep = async (page: Page, key: string, value: string): Promise<void> => {
  await page.getByLabel("Key").fill(key)
  await page.getByLabel("Value").fill(value)
  await press(page, "Keep")
}

/** The entries as the page lists them. */
export const entriesOf = async (page: Page): Promise<Record<string, string>> => {
  const keys = await page.locator(".entries .key").allInnerTexts()
  const values = await page.locator(".entries .value").allInnerTexts()
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? ""]))
}

export const cookieOf = async (page: Page) => (await page.context().cookies()).find(({ name }) => name === "id")
