import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionFlash from "effect-session/SessionFlash"
import type { SessionStore } from "effect-session/SessionStore"
import * as SessionStruct from "effect-session/SessionStruct"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { appKeyOf, isReserved, rememberKey, stateKeyOf } from "../../src/internal/session/reservedKeys.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import { type Browser, handle, makeWebApp, User } from "../support/webApp.js"

// What a visitor could send as the name of a value, where a handler takes names from visitors.
const forged = [
  rememberKey,
  "~effect-session/",
  "~effect-session/account",
  "~~effect-session/remember",
  "~~~effect-session/x",
  "~effect-session",
  "~"
]

const lifecycle = Config.BrowserSession({ ttl: "1 hour", rememberMe: "30 days" })

const backends: ReadonlyArray<
  readonly [name: string, store: Effect.Effect<Layer.Layer<SessionStore, unknown>, never, Scope.Scope>]
> = [
  ["in memory", Effect.succeed(MemorySessionStore.layer())],
  ["in Redis", Effect.map(redisServer(), ({ url }) => RedisSessionStore.layer({ url, timeout: generous }))],
  ["in the cookie", Effect.succeed(CookieSessionStore.layer)]
]

const entriesOf = (browser: Browser) =>
  Effect.map(
    browser.visit(
      handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
    ),
    ({ body }) => body
  )

const isRemembered = (browser: Browser) =>
  Effect.map(browser.visit(handle((session) => session.isRemembered)), ({ body }) => body)

for (const [name, backend] of backends) {
  describe(`a key that looks like one of the library's, in a session ${name}`, () => {
    const open = Effect.map(
      Effect.flatMap(backend, (store) => makeWebApp({ store, config: { lifecycle } })),
      (app) => app.browser()
    )

    it.scoped("is a key like any other, and remembers no session", () =>
      Effect.gen(function*() {
        const browser = yield* open
        for (const key of forged) {
          const { setCookies } = yield* browser.visit(handle((session) => session.insert(key, Schema.String, key)))
          assert.notInclude(setCookies.join(), "Max-Age")
        }
        assert.isFalse(yield* isRemembered(browser))
        assert.deepStrictEqual(yield* entriesOf(browser), Object.fromEntries(forged.map((key) => [key, key])))
        for (const key of forged) {
          const { body } = yield* browser.visit(handle((session) =>
            Effect.all([
              session.contains(key),
              session.updateOr(key, Schema.String, "none", (text) => `${text}!`),
              session.get(Session.entry(key, Schema.String)),
              session.remove(key),
              session.contains(key)
            ])
          ))
          assert.deepStrictEqual(body, [
            true,
            `${key}!`,
            { _id: "Option", _tag: "Some", value: `${key}!` },
            { _id: "Option", _tag: "Some", value: `${key}!` },
            false
          ])
        }
        assert.deepStrictEqual(yield* entriesOf(browser), {})
      }))

    it.scoped("neither reads nor ends what the library keeps", () =>
      Effect.gen(function*() {
        const browser = yield* open
        yield* browser.visit(
          handle((session) => Effect.zipRight(session.insert(User, "ferris"), session.remember()))
        )
        assert.isTrue(yield* isRemembered(browser))
        for (const key of forged) {
          const { body } = yield* browser.visit(handle((session) =>
            Effect.all([
              session.contains(key),
              session.remove(key),
              session.removeAs(key, Schema.String),
              session.update(key, Schema.String, () => "x")
            ])
          ))
          assert.deepStrictEqual(body, [false, ...[1, 2, 3].map(() => ({ _id: "Option", _tag: "None" }))])
          yield* browser.visit(handle((session) => session.insert(key, Schema.String, key)))
        }
        yield* browser.visit(handle((session) => session.clear))
        assert.isTrue(yield* isRemembered(browser))
        assert.deepStrictEqual(yield* entriesOf(browser), {})
      }))

    it.scoped("serves a struct and flash messages", () =>
      Effect.gen(function*() {
        const browser = yield* open
        const Shop = SessionStruct.make({
          stays: Schema.propertySignature(Schema.Boolean).pipe(Schema.fromKey(rememberKey))
        })
        const Notices = SessionFlash.make(rememberKey, Schema.String)
        yield* browser.visit(handle((session) =>
          Effect.provideService(
            Effect.gen(function*() {
              yield* (yield* Shop).insert("stays", true)
              yield* Notices.add("Saved")
            }),
            Session.Session,
            session
          )
        ))
        assert.isFalse(yield* isRemembered(browser))
        const { body } = yield* browser.visit(handle((session) =>
          Effect.provideService(
            Effect.gen(function*() {
              const shop = yield* Shop
              return [Option.getOrNull(yield* shop.get("stays")), yield* Notices.take, yield* Notices.take]
            }),
            Session.Session,
            session
          )
        ))
        assert.deepStrictEqual(body, [true, ["Saved"], []])
      }))
  })
}

describe("the keys of the state", () => {
  it("lead back to those of the app, and none of them is reserved", () => {
    const pieces = FastCheck.constantFrom("~", "~effect-session/", "effect-session/", "remember", "/", "a", "")
    const key = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.array(pieces, { maxLength: 6 }).map((parts) => parts.join(""))
    )
    FastCheck.assert(
      FastCheck.property(key, (appKey) => {
        assert.isFalse(isReserved(stateKeyOf(appKey)))
        assert.strictEqual(appKeyOf(stateKeyOf(appKey)), appKey)
      }),
      { numRuns: 2_000 }
    )
    assert.isTrue(isReserved(rememberKey))
  })
})
