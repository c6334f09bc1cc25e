import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as TestSession from "effect-session/testing/TestSession"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createCipheriv, createDecipheriv, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from "node:crypto"
import { movingHouse, router } from "../../examples/movingFromIronSession.js"

const password = "a password of at least thirty-two characters"

const derive = (password: string, salt: string): Buffer => pbkdf2Sync(password, salt, 1, 32, "sha1")

const macOf = (text: string, password: string, salt: string): Buffer =>
  createHmac("sha256", derive(password, salt)).update(text).digest()

/** What iron-session puts into its cookie: a seal of the kind Fe26.2, and the version of what is in it. */
const seal = (data: unknown, options: { readonly password?: string; readonly ttlSeconds?: number } = {}): string => {
  const secret = options.password ?? password
  const salt = randomBytes(32).toString("hex")
  const macSalt = randomBytes(32).toString("hex")
  const iv = randomBytes(16)
  const cipher = createCipheriv("aes-256-cbc", derive(secret, salt), iv)
  const text = Buffer.concat([cipher.update(JSON.stringify(data)), cipher.final()])
  const expiration = Date.now() + (options.ttlSeconds ?? 3600) * 1000
  const sealed = ["Fe26.2", "1", salt, iv.toString("base64url"), text.toString("base64url"), expiration].join("*")
  return `${sealed}*${macSalt}*${macOf(sealed, secret, macSalt).toString("base64url")}~2`
}

/** What `unsealData` of iron-session does: nothing that is wrong with a seal is an error, it holds nothing then. */
const unseal = (cookie: string): Promise<unknown> =>
  Promise.resolve().then(() => {
    const fields = cookie.split("~")[0]!.split("*")
    const [, , salt = "", iv = "", text = "", expiration, macSalt = "", mac = ""] = fields
    const given = Buffer.from(mac, "base64url")
    const expected = macOf(fields.slice(0, 6).join("*"), password, macSalt)
    const isGenuine = given.length === expected.length && timingSafeEqual(given, expected)
    if (!isGenuine || Number(expiration) <= Date.now() - 60_000) {
      return {}
    }
    const decipher = createDecipheriv("aes-256-cbc", derive(password, salt), Buffer.from(iv, "base64url"))
    const json = decipher.update(text, "base64url", "utf8") + decipher.final("utf8")
    return JSON.parse(json) as unknown
  })

const appWith = (unseal: (seal: string) => Promise<unknown>) =>
  router.pipe(
    movingHouse("old-session", unseal),
    SessionMiddleware.session,
    HttpServer.serve(),
    Layer.provideMerge(TestSession.layerMiddleware()),
    Layer.provideMerge(NodeHttpServer.layerTest)
  )

const App = appWith(unseal)

const withSeal = (browser: TestBrowser.TestBrowser, seal: string) =>
  browser.request("/", { headers: { cookie: `old-session=${seal}` } })

describe("moving from iron-session", () => {
  it.scopedLive("a visitor with an old seal stays signed in, gets a new cookie and loses the old one", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      const moved = yield* withSeal(browser, seal({ user: { name: "ferris" }, theme: "dark" }))
      assert.strictEqual(moved.body, "ferris")
      const [expired] = moved.setCookies.filter(({ name }) => name === "old-session")
      assert(expired !== undefined)
      assert.strictEqual(expired.value, "")
      assert.strictEqual(expired.attributes.get("max-age"), "0")
      assert.isTrue(expired.attributes.has("secure"))
      assert.notInclude(browser.cookieHeader("/"), "old-session")
      assert.strictEqual((yield* browser.get("/")).body, "ferris")
    }).pipe(Effect.provide(App)))

  it.scopedLive("a copy of the old seal does not bring a user back who has signed out", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      const old = seal({ user: { name: "ferris" } })
      assert.strictEqual((yield* withSeal(browser, old)).body, "ferris")
      yield* browser.post("/logout")
      const thief = yield* TestBrowser.make
      for (const copy of [old, old.replace("~2", ""), old.replace("~2", "~3")]) {
        assert.strictEqual((yield* withSeal(thief, copy)).body, "nobody")
      }
    }).pipe(Effect.provide(App)))

  it.scopedLive("a seal that is altered, expired, of another password or of another app signs nobody in", () =>
    Effect.gen(function*() {
      const good = seal({ user: { name: "ferris" } })
      const refused = [
        good.replace("Fe26.2*1*", "Fe26.2*2*"),
        seal({ user: { name: "ferris" } }, { ttlSeconds: -61 }),
        seal({ user: { name: "ferris" } }, { password: "another password, which is as long as it has to be" }),
        seal({ visitor: "ferris" }),
        "",
        "~2"
      ]
      const browser = yield* TestBrowser.make
      for (const old of refused) {
        const answer = yield* withSeal(browser, old)
        assert.strictEqual(answer.body, "nobody")
        assert.deepStrictEqual(answer.setCookies.map(({ name }) => name), ["old-session"])
      }
    }).pipe(Effect.provide(App)))

  it.scopedLive("an unseal that fails signs nobody in and breaks nothing", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      const answer = yield* withSeal(browser, seal({ user: { name: "ferris" } }))
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(answer.body, "nobody")
    }).pipe(Effect.provide(appWith(() => Promise.reject(new Error("no such password"))))))

  it.scopedLive("whoever has signed in already stays who they are", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      yield* withSeal(browser, seal({ user: { name: "ferris" } }))
      const cookie = `${browser.cookieHeader("/")}; old-session=${seal({ user: { name: "corro" } })}`
      assert.strictEqual((yield* browser.request("/", { headers: { cookie } })).body, "ferris")
    }).pipe(Effect.provide(App)))
})
