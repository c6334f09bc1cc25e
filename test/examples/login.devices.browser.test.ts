import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { alwaysStale, AppAndChromium, expectNotice, idle, open, press, signIn } from "./loginVisit.js"

/** The devices as the page lists them: whether each is the one that looks. */
const devicesOf = (page: Page): Promise<ReadonlyArray<string>> =>
  page.locator(".devices li").evaluateAll((items) =>
    items.map((item) => item.querySelector("form") === null ? "this one" : "another")
  )

const expectDevices = (page: Page, count: number): Promise<unknown> =>
  page.waitForFunction((count) => document.querySelectorAll(".devices li").length === count, count)

const signOutOther = (page: Page): Promise<void> => page.locator(".devices li button").first().click()

describe("devices in the login example", () => {
  layer(AppAndChromium, { excludeTestServices: true })((it) => {
    it.scoped("one device signs another one out, whose page says so at once", () =>
      Effect.gen(function*() {
        const [here, there] = [yield* open(), yield* open()]
        yield* Effect.promise(async () => {
          await signIn(here.page, "Ada 1")
          await signIn(there.page, "Ada 1")
          await here.page.reload()
          await expectDevices(here.page, 2)
          assert.deepStrictEqual([...await devicesOf(here.page)].sort(), ["another", "this one"])
          assert.match(await here.page.locator(".devices li").first().innerText(), /Chrome on Linux/)
          await here.page.evaluate(() => Object.assign(window, { stillHere: true }))
          await there.page.evaluate(() => Object.assign(window, { stillHere: true }))
          await signOutOther(here.page)
          await expectNotice(here.page, "That device is signed out.")
          await expectNotice(there.page, "You have been signed out.")
          await there.page.getByLabel("Your name").waitFor()
          assert.deepStrictEqual(await devicesOf(here.page), ["this one"])
          for (const { page } of [here, there]) {
            assert.isTrue(await page.evaluate(() => "stillHere" in window))
          }
        })
        assert.deepStrictEqual([...here.complaints, ...there.complaints], [])
      }))

    for (const javaScriptEnabled of [true, false]) {
      it.scoped(`all others are signed out at once, ${javaScriptEnabled ? "with" : "without"} JavaScript`, () =>
        Effect.gen(function*() {
          const name = `Ada 2 ${javaScriptEnabled}`
          const { page } = yield* open({ javaScriptEnabled })
          const others = [yield* open(), yield* open()]
          yield* Effect.promise(async () => {
            for (const one of [...others.map(({ page }) => page), page]) {
              await signIn(one, name)
            }
            await page.locator(".devices li").nth(2).waitFor()
            await press(page, "Sign out all others")
            await expectNotice(page, "2 other devices are signed out.")
            assert.deepStrictEqual(await devicesOf(page), ["this one"])
            for (const other of others) {
              await expectNotice(other.page, "You have been signed out.")
            }
          })
        }))
    }
  })

  layer(alwaysStale, { excludeTestServices: true })((it) => {
    for (const javaScriptEnabled of [true, false]) {
      it.scoped(
        `who signed in some time ago says again who he is first, ${javaScriptEnabled ? "with" : "without"} JavaScript`,
        () =>
          Effect.gen(function*() {
            const name = `Ada 3 ${javaScriptEnabled}`
            const [here, there] = [yield* open({ javaScriptEnabled }), yield* open()]
            yield* Effect.promise(async () => {
              await signIn(there.page, name)
              await signIn(here.page, name)
              await here.page.locator(".devices li").nth(1).waitFor()
              await signOutOther(here.page)
              await here.page.locator("#again[aria-invalid=true]").waitFor()
              await idle(here.page)
              await here.page.getByLabel("Your name, again").fill("somebody else")
              await press(here.page, "Go on")
              await idle(here.page)
              await here.page.locator("#again[aria-invalid=true]").waitFor()
              assert.strictEqual(await there.page.locator("h1").innerText(), `Hello, ${name}`)
              await here.page.getByLabel("Your name, again").fill(name)
              await press(here.page, "Go on")
              await expectNotice(here.page, "That device is signed out.")
              await expectNotice(there.page, "You have been signed out.")
            })
          })
      )
    }
  })
})
