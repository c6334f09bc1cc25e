/**
 * Takes the pictures of the login example that the README shows: runs the example, does in Chromium what a visitor would
 * do, and photographs the page, light and dark.
 *
 *     npm run screenshot               into docs/images
 *     npm run screenshot -- ./folder   wherever you say
 *
 * The page is set in the system's typeface, or in Inter where that is installed, as it was for the pictures in docs.
 */
import * as Effect from "effect/Effect"
import { mkdirSync, writeFileSync } from "node:fs"
import { join, resolve } from "node:path"
import process from "node:process"
import type { Browser, Page } from "playwright-core"
import { runExample } from "../test/examples/exampleProcess.js"
import { launchChromium } from "../test/support/chromium.js"

const folder = resolve(process.argv[2] ?? "docs/images")

const entries = {
  color: "teal",
  basket: "[\"apples\",\"bread\"]",
  tour: "{\"seen\":true,\"page\":4}",
  visits: "3"
}

const visit = async (page: Page): Promise<void> => {
  await page.getByLabel("Your name").fill("Ferris")
  await page.getByRole("button", { name: "Sign in" }).click()
  for (const [key, value] of Object.entries(entries)) {
    await page.getByLabel("Key").fill(key)
    await page.getByLabel("Value").fill(value)
    await page.getByRole("button", { name: "Keep" }).click()
    await page.getByText(`“${key}” is kept`).waitFor()
  }
  await page.getByRole("button", { name: "Renew cookie" }).click()
  await page.getByText("new cookie and the old one is void").waitFor()
  await page.mouse.move(0, 0)
  // A picture of something that lives: some of its time has gone.
  await page.waitForFunction(() => document.querySelector("#left")?.textContent === "14:57")
  await page.evaluate(() => document.activeElement instanceof HTMLElement && document.activeElement.blur())
}

/** Signs in on another device, so that there are some to list. */
const visitElsewhere = async (browser: Browser, url: string): Promise<void> => {
  const context = await browser.newContext({ userAgent: "Mozilla/5.0 (Android 16; Mobile) Firefox/145.0" })
  const page = await context.newPage()
  await page.goto(url)
  await page.getByLabel("Your name").fill("Ferris")
  await page.getByRole("button", { name: "Sign in" }).click()
  await page.getByRole("heading", { name: "Hello," }).waitFor()
  await context.close()
}

const photograph = async (browser: Browser, url: string, colorScheme: "light" | "dark"): Promise<void> => {
  const context = await browser.newContext({
    colorScheme,
    deviceScaleFactor: 1.4,
    reducedMotion: "reduce",
    viewport: { width: 960, height: 640 }
  })
  const page = await context.newPage()
  await page.goto(url)
  await visit(page)
  const file = join(folder, `login-${colorScheme}.png`)
  const picture = await page.screenshot({ fullPage: true })
  writeFileSync(file, picture)
  await page.getByRole("button", { name: "Sign out", exact: true }).click()
  await page.getByText("You are signed out").waitFor()
  process.stdout.write(`${file}: ${Math.round(picture.length / 1024)} kB\n`)
  await context.close()
}

const takePictures = Effect.gen(function*() {
  const { url } = yield* runExample("login/main.ts")
  const browser = yield* launchChromium()
  mkdirSync(folder, { recursive: true })
  // The one that photographs signs out again, so that each picture has the same devices.
  yield* Effect.promise(() => visitElsewhere(browser, url))
  for (const colorScheme of ["light", "dark"] as const) {
    yield* Effect.promise(() => photograph(browser, url, colorScheme))
  }
})

await Effect.runPromise(Effect.scoped(takePictures))
