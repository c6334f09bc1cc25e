import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { AppAndChromium, cookieOf, entriesOf, expectNotice, keep, open, press, signIn } from "./loginVisit.js"

/** WCAG 2.2, 1.4.3: the contrast of text to what it stands on, and of large text. */
const minContrast = 4.5
const minContrastOfLarge = 3

/** WCAG 2.2, 1.4.11: the contrast of the outlines of controls and of the focus. */
const minContrastOfOutline = 3

/** WCAG 2.2, 2.5.8, in CSS pixels. */
const minTarget = 24

/** What has too little contrast, of all that is to be seen. Runs in the page. */
const faintThings = ([text, large, outline]: ReadonlyArray<number>): Array<string> => {
  type Color = readonly [number, number, number, number]
  const colorOf = (css: string): Color => {
    const [r = 0, g = 0, b = 0, a = 1] = (css.match(/[\d.]+/g) ?? []).map(Number)
    return [r, g, b, a]
  }
  const groundOf = (element: Element | null): Color => {
    for (let at = element; at !== null; at = at.parentElement) {
      const color = colorOf(getComputedStyle(at).backgroundColor)
      if (color[3] === 1) {
        return color
      }
    }
    throw new Error("There is no ground")
  }
  const luminance = (color: Color): number =>
    color.slice(0, 3)
      .map((channel) => channel / 255)
      .map((channel) => channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4)
      .reduce((sum, channel, index) => sum + channel * [0.2126, 0.7152, 0.0722][index]!, 0)
  const contrast = (one: Color, other: Color): number => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((left, right) => left - right)
    return (light + 0.05) / (dark + 0.05)
  }
  const faint: Array<string> = []
  const check = (what: string, one: Color, other: Color, enough: number) => {
    if (contrast(one, other) < enough) {
      faint.push(`${what}: ${contrast(one, other).toFixed(2)}, below ${enough}`)
    }
  }
  for (const element of Array.from(document.body.querySelectorAll("*"))) {
    const style = getComputedStyle(element)
    const hasText = Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.nodeValue!.trim() !== "")
    if (hasText && element.getClientRects().length > 0) {
      const size = parseFloat(style.fontSize)
      const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700)
      const what = `${element.tagName} ${JSON.stringify(element.textContent!.trim().slice(0, 30))}`
      check(what, colorOf(style.color), groundOf(element), isLarge ? large! : text!)
    }
    if (element.matches("input:not([type=hidden], [type=checkbox]), button:not(.link, .primary)")) {
      check(`The outline of ${element.id}`, colorOf(style.borderTopColor), groundOf(element.parentElement), outline!)
    }
    if (element.matches("button.primary")) {
      check(`The ground of ${element.id}`, colorOf(style.backgroundColor), groundOf(element.parentElement), outline!)
    }
  }
  return faint
}

const expectContrast = async (page: Page): Promise<void> =>
  assert.deepStrictEqual(
    await page.evaluate(faintThings, [minContrast, minContrastOfLarge, minContrastOfOutline]),
    []
  )

/** What axe and its like would say of the structure. Runs in the page. */
const flaws = (minTarget: number): Array<string> => {
  const all = (selector: string) => Array.from(document.querySelectorAll<HTMLElement>(selector))
  const ids = all("[id]").map(({ id }) => id)
  const levels = all("h1, h2, h3, h4, h5, h6").map(({ tagName }) => Number(tagName[1]))
  const referred = ["aria-labelledby", "aria-describedby"].flatMap((name) =>
    all(`[${name}]`).flatMap((element) => element.getAttribute(name)!.split(" "))
  )
  return [
    ...(document.documentElement.lang === "en" ? [] : ["The page says no language"]),
    ...ids.filter((id, index) => ids.indexOf(id) !== index).map((id) => `${id} is there twice`),
    ...referred.filter((id) => !ids.includes(id)).map((id) => `${id} is referred to and not there`),
    ...(levels[0] === 1 && levels.filter((level) => level === 1).length === 1 ? [] : ["There is not one h1, first"]),
    ...levels.filter((level, index) => level > (levels[index - 1] ?? level) + 1).map(() =>
      "A heading level is left out"
    ),
    ...all("img:not([alt])").map(() => "A picture has no alternative"),
    ...all("input:not([type=hidden])").filter((input) => (input as HTMLInputElement).labels?.length !== 1)
      .map(({ id }) => `${id} has no label`),
    ...["header", "main", "footer"].filter((name) => all(`body > ${name}`).length !== 1).map((name) =>
      `no one ${name}`
    ),
    ...all("[tabindex]").filter(({ tabIndex }) => tabIndex > 0).map(({ id }) => `${id} has a place in the tab order`),
    ...all("main a, main button, main input:not([type=hidden], [type=checkbox])")
      .filter((target) => Math.min(target.offsetWidth, target.offsetHeight) < minTarget)
      .map((target) => `${target.id || target.textContent} is a small target`)
  ]
}

const expectStructure = async (page: Page): Promise<void> =>
  assert.deepStrictEqual(await page.evaluate(flaws, minTarget), [])

/** Nobody has to scroll sideways, and nothing is cut off. */
const expectToFit = async (page: Page): Promise<void> => {
  const tooWide = await page.evaluate(() =>
    Array.from(document.querySelectorAll("body, body *"))
      .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
      .map((element) => `${element.tagName} ${element.id}`)
  )
  assert.deepStrictEqual(tooWide, [])
}

/** Goes on with Tab, and makes sure that one sees where. */
const tabTo = async (page: Page, id: string): Promise<void> => {
  await page.keyboard.press("Tab")
  const focused = await page.evaluate(() => {
    const element = document.activeElement!
    const { outlineStyle, outlineWidth } = getComputedStyle(element)
    return { id: element.id || element.textContent, outlineStyle, isThick: parseFloat(outlineWidth) >= 2 }
  })
  assert.deepStrictEqual(focused, { id, outlineStyle: "solid", isThick: true })
}

const expectFocus = (page: Page, id: string) => page.waitForFunction((id) => document.activeElement?.id === id, id)

/** Everything that there is to see, one after the other. */
const everyView = async (page: Page, look: () => Promise<void>): Promise<void> => {
  await look()
  await page.getByLabel("Your name").fill(" ")
  await press(page, "Sign in")
  await page.locator("#name-problem").waitFor()
  await look()
  await page.getByLabel("Stay signed in").check()
  await signIn(page, "W".repeat(80))
  await look()
  await keep(page, "k".repeat(32), "v".repeat(150))
  await expectNotice(page, "is kept")
  await press(page, "Renew cookie")
  await expectNotice(page, "the old one is void")
  await look()
  await keep(page, "9", "v")
  await page.locator("#key-problem").waitFor()
  await look()
  await page.context().setOffline(true)
  await press(page, "Keep")
  await page.getByRole("alert").filter({ hasText: "cannot be reached" }).waitFor()
  await look()
}

describe("login example for everybody", () => {
  layer(AppAndChromium, { excludeTestServices: true })((it) => {
    for (const colorScheme of ["light", "dark"] as const) {
      it.scoped(`every text and every control stands out enough, and has its name, on ${colorScheme} ground`, () =>
        Effect.gen(function*() {
          const { page } = yield* open({ colorScheme, reducedMotion: "reduce" })
          yield* Effect.promise(() =>
            everyView(page, async () => {
              await expectContrast(page)
              await expectStructure(page)
            })
          )
        }))
    }

    it.scoped("nobody has to scroll sideways, at 320 pixels or with letters of twice the size", () =>
      Effect.gen(function*() {
        const { page } = yield* open({ viewport: { width: 320, height: 640 } })
        yield* Effect.promise(() =>
          everyView(page, async () => {
            await expectToFit(page)
            await page.setViewportSize({ width: 640, height: 640 })
            await page.evaluate(() => document.documentElement.style.fontSize = "200%")
            await expectToFit(page)
            await page.evaluate(() => document.documentElement.style.fontSize = "")
            await page.setViewportSize({ width: 320, height: 640 })
          })
        )
      }))

    it.scoped("a whole visit with nothing but a keyboard, which always shows where it is", () =>
      Effect.gen(function*() {
        const { page } = yield* open()
        yield* Effect.promise(async () => {
          const { keyboard } = page
          await expectFocus(page, "name")
          await keyboard.type("Ferris")
          await tabTo(page, "remember")
          await keyboard.press("Space")
          await tabTo(page, "Sign in")
          await keyboard.press("Enter")
          await expectFocus(page, "title")
          await tabTo(page, "logout")
          await tabTo(page, "renew")
          await keyboard.press("Enter")
          await expectNotice(page, "the old one is void")
          await expectFocus(page, "renew")
          await tabTo(page, "key")
          await keyboard.type("color")
          await tabTo(page, "value")
          await keyboard.type("teal")
          await tabTo(page, "keep")
          await keyboard.press("Space")
          await expectNotice(page, "“color” is kept")
          await expectFocus(page, "key")
          await keyboard.press("Shift+Tab")
          await expectFocus(page, "remove-color")
          await keyboard.press("Shift+Tab")
          await keyboard.press("Enter")
          await expectFocus(page, "value")
          await keyboard.press("ControlOrMeta+a")
          await keyboard.type("navy")
          await keyboard.press("Enter")
          await page.getByText("\"navy\"").waitFor()
          await expectFocus(page, "key")
          await keyboard.press("Shift+Tab")
          await keyboard.press("Enter")
          await expectNotice(page, "“color” is removed")
          assert.deepStrictEqual(Object.keys(await entriesOf(page)), ["app:user"])
          await expectFocus(page, "entries-title")
          await page.locator("#logout").focus()
          await keyboard.press("Enter")
          await expectNotice(page, "You are signed out")
          await expectFocus(page, "name")
          assert.isUndefined(await cookieOf(page))
        })
      }))

    it.scoped("a screen reader finds landmarks, headings and names", () =>
      Effect.gen(function*() {
        const { page } = yield* open()
        yield* Effect.promise(async () => {
          await signIn(page, "Ferris")
          await keep(page, "color", "teal")
          await expectNotice(page, "“color” is kept")
          const roles = (await page.locator("body").ariaSnapshot())
            .match(
              /(banner|navigation|main|contentinfo|status|alert|heading|region|button|link|textbox|list|timer|progressbar)\b.*/g
            )
          assert.deepStrictEqual(roles?.map((role) => role.replace(/:.*/, "").replace(/\d\d$/, "…")), [
            "banner",
            "navigation \"Documentation\"",
            "link \"API docs\"",
            "main",
            "status",
            "alert",
            "heading \"Hello, Ferris\" [level=1]",
            "button \"Sign out\"",
            "region \"Your session\"",
            "heading \"Your session\" [level=2]",
            "timer \"Time left …",
            "progressbar \"Time left\"",
            "button \"Renew cookie\"",
            "region \"What it holds\"",
            "heading \"What it holds\" [level=2]",
            "list \"What it holds\"",
            "link \"Change color\"",
            "button \"Remove color\"",
            "textbox \"Key\"",
            "textbox \"Value text or JSON\"",
            "button \"Keep\"",
            "region \"Your devices\"",
            "heading \"Your devices\" [level=2]",
            "list \"Your devices\"",
            "contentinfo"
          ])
        })
      }))

    it.scoped("nothing moves for those who do not want it to", () =>
      Effect.gen(function*() {
        const durationWith = (reducedMotion: "reduce" | "no-preference") =>
          Effect.flatMap(open({ reducedMotion }), ({ page }) =>
            Effect.promise(() =>
              page.evaluate(() =>
                getComputedStyle(document.querySelector("button")!).transitionDuration
              )
            ))
        assert.notStrictEqual(yield* durationWith("no-preference"), "0s")
        assert.strictEqual(yield* durationWith("reduce"), "0s")
      }))
  })
})
