import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import type * as Session from "effect-session/Session"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import { type Answer, handle, makeWebApp, User } from "../support/webApp.js"

const login = handle((session) => session.insert(User, "ferris"))
const logout = (...clearSiteData: ReadonlyArray<Session.ClearSiteData>) =>
  handle((session) => session.purgeWith({ clearSiteData }))
const switchUser = (...clearSiteData: ReadonlyArray<Session.ClearSiteData>) =>
  handle((session) => Effect.zipRight(session.purgeWith({ clearSiteData }), session.insert(User, "corro")))
const user = handle((session) => session.get(User))

const header = (answer: Answer): string | null => answer.headers.get("clear-site-data")

const signedIn = (options?: Parameters<typeof makeWebApp>[0]) =>
  Effect.gen(function*() {
    const app = yield* makeWebApp(options)
    const browser = app.browser()
    yield* browser.visit(login)
    return { app, browser }
  })

describe("Clear-Site-Data", () => {
  it.scoped("names each kind of data in quotes, beside the removal of the cookie", () =>
    Effect.gen(function*() {
      const { browser } = yield* signedIn()
      const answer = yield* browser.visit(logout("cookies", "storage", "cache", "executionContexts"))
      assert.strictEqual(header(answer), "\"cookies\", \"storage\", \"cache\", \"executionContexts\"")
      assert.match(answer.setCookies[0]!, /Max-Age=0/)
      assert.strictEqual(browser.jar.size, 0)
      assert.strictEqual(header(yield* browser.visit(logout("*"))), "\"*\"")
    }))

  it.scoped("is not sent where nobody asked for it", () =>
    Effect.gen(function*() {
      const { browser } = yield* signedIn()
      for (const work of [user, handle((session) => session.renew), logout(), handle((session) => session.purge)]) {
        assert.isNull(header(yield* browser.visit(work)))
      }
    }))

  it.scoped("is sent to a visitor without a session, who may have data all the same", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const answer = yield* app.request(logout("storage"))
      assert.strictEqual(header(answer), "\"storage\"")
      assert.deepStrictEqual(answer.setCookies, [])
      assert.deepStrictEqual(app.calls, [])
    }))

  it.scoped("is sent also when the handler fails after its purge", () =>
    Effect.gen(function*() {
      const { browser } = yield* signedIn()
      const failing = Effect.zipRight(logout("storage"), Effect.fail("typed failure"))
      const answer = yield* browser.visit(failing)
      assert.strictEqual(answer.status, 500)
      assert.strictEqual(header(answer), "\"storage\"")
      assert.strictEqual(browser.jar.size, 0)
    }))

  for (
    const [asked, sent] of [
      [["cookies", "storage"], "\"storage\""],
      [["cookies"], null],
      [["*"], "\"cache\", \"storage\", \"executionContexts\""],
      [["*", "cache"], "\"cache\", \"storage\", \"executionContexts\""]
    ] as const
  ) {
    it.scoped(`${asked.join(" and ")} with a new session in the same request leaves the new cookie alone: ${sent}`, () =>
      Effect.gen(function*() {
        const { browser } = yield* signedIn()
        const before = browser.cookie()
        const answer = yield* browser.visit(switchUser(...asked))
        assert.strictEqual(header(answer), sent)
        assert.notInclude(answer.setCookies[0]!, "Max-Age=0")
        assert.notStrictEqual(browser.cookie(), before)
        assert.deepInclude((yield* browser.visit(user)).body as object, { value: "corro" })
      }))
  }

  it.scoped("a session that was begun and given up again in the same request is none", () =>
    Effect.gen(function*() {
      const { browser } = yield* signedIn()
      const undone = handle((session) =>
        session.purgeWith({ clearSiteData: ["cookies"] }).pipe(
          Effect.zipRight(session.insert(User, "corro")),
          Effect.zipRight(session.remove(User))
        )
      )
      assert.strictEqual(header(yield* browser.visit(undone)), "\"cookies\"")
    }))

  it.scoped("a second purge does not take back what the first one asked for", () =>
    Effect.gen(function*() {
      const { browser } = yield* signedIn()
      const twice = handle((session) =>
        session.purgeWith({ clearSiteData: ["cache"] }).pipe(
          Effect.zipRight(session.purgeWith({ clearSiteData: ["storage", "cache"] })),
          Effect.zipRight(session.purge)
        )
      )
      assert.strictEqual(header(yield* browser.visit(twice)), "\"cache\", \"storage\"")
    }))

  it.scoped("what the app asked for itself stays", () =>
    Effect.gen(function*() {
      const { browser } = yield* signedIn()
      const own = Effect.map(
        logout("storage"),
        HttpServerResponse.setHeader("clear-site-data", "\"clientHints\"")
      )
      assert.strictEqual(header(yield* browser.visit(own)), "\"clientHints\", \"storage\"")
    }))

  it.scoped("a key that a renewal has superseded takes no cookie away but the one of the session that it ends", () =>
    Effect.gen(function*() {
      const late = handle((session) =>
        Effect.zipRight(session.entries, session.purgeWith({ clearSiteData: ["cookies", "storage"] }))
      )
      for (const work of [late, logout("cookies", "storage")]) {
        const { app, browser } = yield* signedIn()
        const old = browser.cookie()
        yield* browser.visit(handle((session) => session.renew))
        const answer = yield* app.request(work, old)
        assert.strictEqual(header(answer), "\"storage\"")
        assert.match(answer.setCookies.join(), /^__Host-id=; Max-Age=0/)
        assert.notDeepInclude((yield* browser.visit(user)).body as object, { value: "ferris" })
      }
    }))

  it.scoped("is not sent when the session could not be ended", () =>
    Effect.gen(function*() {
      const wrap = (store: SessionStore.SessionStore): SessionStore.SessionStore => ({
        ...store,
        delete: () => Effect.fail(new SessionStore.DeleteError({ reason: "Unavailable", message: "the store is away" }))
      })
      const { browser } = yield* signedIn({ wrap })
      const answer = yield* browser.visit(logout("cookies"))
      assert.strictEqual(answer.status, 503)
      assert.isNull(header(answer))
      assert.deepStrictEqual(answer.setCookies, [])
      assert.deepInclude((yield* browser.visit(user)).body as object, { value: "ferris" })
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger))))
})
