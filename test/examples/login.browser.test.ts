import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Page } from "playwright-core"
import { AppAndChromium, cookieOf, entriesOf, expectNotice, keep, open, press, signIn } from "./loginVisit.js"

const ended = "Your session had ended, so nothing was done."

const statusOf = (page: Page): Promise<string> => page.locator("#status").innerText()

const sessionIdOf = (page: Page): Promise<string> => page.locator("#session-id").innerText()

/** What a visitor can do, with script and without. */
const wholeVisit = async (page: Page): Promise<void> => {
  assert.isUndefined(await cookieOf(page))

  await signIn(page, "  Ferris ")
  await expectNotice(page, "You are signed in")
  assert.strictEqual(await page.locator("h1").innerText(), "Hello, Ferris")
  assert.strictEqual(await statusOf(page), "Renewed")
  assert.match(await page.locator("#remembered").innerText(), /^No,/)
  const first = await cookieOf(page)
  assert.isTrue(first?.httpOnly)
  assert.strictEqual(first?.sameSite, "Lax")
  assert.strictEqual(first?.expires, -1)
  const id = await sessionIdOf(page)
  assert.match(id, /^[\w-]{22}$/)
  assert.isFalse(first?.value.includes(id))

  await keep(page, "color", "teal")
  await expectNotice(page, "“color” is kept")
  assert.strictEqual(await statusOf(page), "Changed")
  await keep(page, "basket", "[\"apples\", \"bread\"]")
  await expectNotice(page, "“basket” is kept")
  assert.deepStrictEqual(await entriesOf(page), {
    "app:user": "{\"name\":\"Ferris\"}",
    color: "\"teal\"",
    basket: "[\"apples\",\"bread\"]"
  })

  await page.getByRole("link", { name: "Change color" }).click()
  await page.locator("#key[value=color]").waitFor()
  assert.strictEqual(await page.getByLabel("Value").inputValue(), "teal")
  await keep(page, "color", "3")
  await expectNotice(page, "“color” is kept")
  await press(page, "Remove basket")
  await expectNotice(page, "“basket” is removed")
  assert.deepStrictEqual(await entriesOf(page), { "app:user": "{\"name\":\"Ferris\"}", color: "3" })
  assert.strictEqual((await cookieOf(page))?.value, first?.value)

  await keep(page, "color", "3")
  await expectNotice(page, "has that value already")
  assert.strictEqual(await statusOf(page), "Unchanged")

  await press(page, "Renew cookie")
  await expectNotice(page, "the old one is void")
  assert.strictEqual(await statusOf(page), "Renewed")
  const second = await cookieOf(page)
  assert.isString(second?.value)
  assert.notStrictEqual(second?.value, first?.value)
  assert.strictEqual(await sessionIdOf(page), id)

  await page.reload()
  await page.getByRole("heading", { name: "Hello, Ferris" }).waitFor()
  assert.strictEqual(await page.getByRole("status").innerText(), "")
  assert.deepStrictEqual(await entriesOf(page), { "app:user": "{\"name\":\"Ferris\"}", color: "3" })

  await press(page, "Sign out")
  await expectNotice(page, "You are signed out")
  await page.getByLabel("Your name").waitFor()
  assert.isUndefined(await cookieOf(page))
}

/** Keeps the page from hearing of what happens elsewhere. */
const hearNothing = (page: Page): Promise<unknown> => page.route("**/ended", (route) => route.abort())

/** Ends the session behind the back of the page, which keeps its cookie. */
const endElsewhere = async (page: Page): Promise<void> => {
  const held = await cookieOf(page)
  await page.request.post(new URL("/api/logout", page.url()).href)
  await page.context().addCookies([held!])
}

describe("login example in a browser", () => {
  layer(AppAndChromium, { excludeTestServices: true })((it) => {
    it.scoped("somebody signs in, keeps, changes and removes entries, renews the cookie and signs out", () =>
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

    it.scoped("with JavaScript nothing is loaded anew, what was typed stays, and the time left runs", () =>
      Effect.gen(function*() {
        const { complaints, page } = yield* open()
        yield* Effect.promise(async () => {
          await page.evaluate(() => Object.assign(window, { stillHere: true }))
          await signIn(page, "Ferris")
          await keep(page, "color", "teal")
          await expectNotice(page, "“color” is kept")
          assert.strictEqual(await page.getByLabel("Key").inputValue(), "")
          await page.getByLabel("Key").fill("half a thou")
          await page.getByRole("button", { name: "Renew cookie" }).press("Enter")
          await expectNotice(page, "the old one is void")
          assert.strictEqual(await page.getByLabel("Key").inputValue(), "half a thou")
          assert.strictEqual(await page.evaluate(() => document.activeElement?.id), "renew")
          const left = await page.locator("#left").innerText()
          await page.waitForFunction((left) => document.querySelector("#left")?.textContent !== left, left)
          assert.isTrue(await page.evaluate(() => "stillHere" in window))
        })
        assert.deepStrictEqual(complaints, [])
      }))

    for (const javaScriptEnabled of [true, false]) {
      const how = `${javaScriptEnabled ? "with" : "without"} JavaScript`

      it.scoped(`a name is text, whatever it holds, ${how}`, () =>
        Effect.gen(function*() {
          const { complaints, page } = yield* open({ javaScriptEnabled })
          const names = [
            "</title></code><script>document.title='owned'</script> عُمَر ☕ 𝄞",
            "<img src=x onerror=alert(1)> \"onmouseover='alert(1)' & &lt;b&gt;"
          ]
          for (const name of names) {
            yield* Effect.promise(async () => {
              await signIn(page, name)
              await keep(page, "name", name)
              await expectNotice(page, "“name” is kept")
              assert.strictEqual(await page.locator("h1").innerText(), `Hello, ${name}`)
              assert.strictEqual(await page.title(), `${name} · effect-session`)
              assert.strictEqual((await entriesOf(page))["name"], JSON.stringify(name))
              assert.strictEqual(
                await page.locator("main img, main script, main b, [onmouseover], [onerror]").count(),
                0
              )
              await press(page, "Sign out")
              await expectNotice(page, "You are signed out")
            })
          }
          assert.deepStrictEqual(complaints, [])
        }))

      it.scoped(`what cannot be done is said beside the field, which keeps what was typed, ${how}`, () =>
        Effect.gen(function*() {
          const { page } = yield* open({ javaScriptEnabled })
          const expectProblem = async (field: string, text: string) => {
            await page.locator(`#${field}[aria-invalid=true][aria-describedby=${field}-problem]`).waitFor()
            assert.include(await page.locator(`#${field}-problem`).innerText(), text)
          }
          yield* Effect.promise(async () => {
            await page.getByLabel("Your name").fill("   ")
            await page.getByLabel("Stay signed in").check()
            await press(page, "Sign in")
            await expectProblem("name", "1 to 80 characters")
            assert.isTrue(await page.getByLabel("Stay signed in").isChecked())
            assert.isUndefined(await cookieOf(page))

            await signIn(page, "Ferris")
            await keep(page, "app:user", "{\"name\":\"Root\"}")
            await expectProblem("key", "begins with a letter")
            assert.strictEqual(await page.getByLabel("Key").inputValue(), "app:user")
            assert.strictEqual(await page.getByLabel("Value").inputValue(), "{\"name\":\"Root\"}")
            await keep(page, "long", "\"".repeat(199))
            await expectProblem("value", "at most 200 characters")
            assert.deepStrictEqual(await entriesOf(page), { "app:user": "{\"name\":\"Ferris\"}" })
            for (let n = 0; n < 12; n++) {
              const address = new URL(`/api/entries/k${n}`, page.url()).href
              assert.isTrue((await page.request.put(address, { data: { value: n } })).ok())
            }
            await keep(page, "k12", "v")
            await expectProblem("key", "room for 12 entries")
          })
        }))

      it.scoped(`a session that ended elsewhere is not brought back, ${how}`, () =>
        Effect.gen(function*() {
          const { page } = yield* open({ javaScriptEnabled })
          yield* Effect.promise(async () => {
            await hearNothing(page)
            await signIn(page, "Ferris")
            await endElsewhere(page)
            await keep(page, "color", "teal")
            await expectNotice(page, ended)
            await page.getByLabel("Your name").waitFor()
          })
        }))
    }

    it.scoped("whoever wants to stay signed in has a cookie that outlives the browser, until signing in without", () =>
      Effect.gen(function*() {
        const { page } = yield* open()
        yield* Effect.promise(async () => {
          await page.getByLabel("Stay signed in").check()
          await signIn(page, "Ferris")
          const days = ((await cookieOf(page))!.expires - Date.now() / 1000) / 86_400
          assert.approximately(days, 14, 0.02)
          assert.match(await page.locator("#remembered").innerText(), /^Yes,/)
          assert.match(await page.locator("#left").innerText(), /^1[34] d \d\d:\d\d:\d\d$/)
          await press(page, "Sign out")
          await signIn(page, "Ferris")
          assert.strictEqual((await cookieOf(page))?.expires, -1)
        })
      }))

    it.scoped("what happens in one tab shows in the others, which keep what was typed", () =>
      Effect.gen(function*() {
        const { page } = yield* open()
        yield* Effect.promise(async () => {
          const other = await page.context().newPage()
          await other.goto(page.url())
          await signIn(page, "Ferris")
          await expectNotice(other, "You have signed in in another tab.")
          await other.getByLabel("Key").fill("half a thou")
          await keep(page, "color", "teal")
          await other.getByText("\"teal\"").waitFor()
          assert.strictEqual(await other.getByLabel("Key").inputValue(), "half a thou")
          await press(page, "Sign out")
          await expectNotice(other, "You have signed out in another tab.")
          await other.getByLabel("Your name").waitFor()
        })
      }))

    it.scoped("when the time is over, the page says so", () =>
      Effect.gen(function*() {
        const { page } = yield* open()
        yield* Effect.promise(async () => {
          await hearNothing(page)
          await page.clock.install()
          await signIn(page, "Ferris")
          await page.clock.fastForward("14:00")
          assert.match(await page.locator("#left").innerText(), /^00:|^01:00$/)
          await endElsewhere(page)
          await page.clock.fastForward("01:01")
          await expectNotice(page, "Your session has expired.")
          await page.getByLabel("Your name").waitFor()
        })
      }))

    it.scoped("without the server the page says so, and nothing typed is lost", () =>
      Effect.gen(function*() {
        const { page } = yield* open()
        yield* Effect.promise(async () => {
          await signIn(page, "Ferris")
          await page.context().setOffline(true)
          await keep(page, "color", "teal")
          await page.getByRole("alert").filter({ hasText: "The server cannot be reached." }).waitFor()
          assert.strictEqual(await page.getByLabel("Key").inputValue(), "color")
          await page.context().setOffline(false)
          await press(page, "Keep")
          await expectNotice(page, "“color” is kept")
          assert.strictEqual(await page.getByRole("alert").innerText(), "")
        })
      }))

    it.scoped("the API's page lists every endpoint, and tries one out", () =>
      Effect.gen(function*() {
        const { complaints, page } = yield* open()
        yield* Effect.promise(async () => {
          await page.getByRole("link", { name: "API docs" }).click()
          await page.locator(".opblock").first().waitFor()
          assert.strictEqual(await page.locator(".opblock").count(), 8)
          const endpoint = page.locator(".opblock", { hasText: "/api/session" })
          await endpoint.locator(".opblock-summary-control").click()
          await endpoint.getByRole("button", { name: "Try it out" }).click()
          await endpoint.getByRole("button", { name: "Execute" }).click()
          await endpoint.locator(".live-responses-table .response-col_status", { hasText: "200" }).waitFor()
        })
        assert.deepStrictEqual(complaints, [])
      }))
  })
})
