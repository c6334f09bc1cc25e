import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { Counter, handle, makeWebApp, User } from "../support/webApp.js"

const keys = Config.generateKey()

const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const read = handle((session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)))
const signIn = handle((session) => Effect.zipRight(session.renew, session.insert(User, "ada")))
const purge = handle((session) => session.purge)

const stores = {
  memory: Effect.scoped(Effect.map(Layer.build(MemorySessionStore.layer()), Layer.succeedContext)),
  cookie: Effect.succeed(CookieSessionStore.layer)
}

const removalOf = (name: string, scope: string) =>
  `${name}=; Max-Age=0; ${scope}; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax`

describe("a cookie that was another before", () => {
  for (const [name, store] of Object.entries(stores)) {
    it.scoped(`${name}: a former name opens while it is the only one, and goes when the cookie is set`, () =>
      Effect.gen(function*() {
        const shared = yield* store
        const before = yield* makeWebApp({ config: { keys, cookie: { name: "id" } }, store: shared })
        const after = yield* makeWebApp({ config: { keys, cookie: { retired: [{ name: "id" }] } }, store: shared })
        const visitor = before.browser()
        yield* visitor.visit(increment)
        const former = visitor.cookie()

        assert.deepStrictEqual(yield* after.request(read, former).pipe(Effect.map(({ body }) => body)), { counter: 1 })
        const written = yield* after.request(increment, former)
        assert.strictEqual(written.body, 2)
        assert.match(written.setCookies[0]!, /^__Host-id=[^;]+; Path=\/; HttpOnly/)
        assert.deepStrictEqual(written.setCookies.slice(1), [removalOf("id", "Path=/")])

        const cookie = written.setCookies[0]!.split(";")[0]!
        const other = before.browser()
        yield* other.visit(signIn)
        for (const header of [`${cookie}; ${other.cookie()}`, `${other.cookie()}; ${cookie}`]) {
          assert.deepStrictEqual((yield* after.request(read, header)).body, { counter: 2 })
        }
        // A cookie of today's name that opens nothing is no reason to look for one of before.
        assert.deepStrictEqual((yield* after.request(read, `__Host-id=broken; ${other.cookie()}`)).body, {})
        const ended = yield* after.request(purge, former)
        assert.deepStrictEqual(ended.setCookies, [removalOf("__Host-id", "Path=/"), removalOf("id", "Path=/")])
      }))

    it.scoped(`${name}: each cookie of before goes, wherever it was`, () =>
      Effect.gen(function*() {
        const cookie: Config.CookieOptions = {
          name: "id",
          domain: "example.com",
          retired: [
            { name: "id" },
            { name: "id", path: "/app" },
            { name: "id", domain: "shop.example.com" },
            { name: "id", domain: "example.com", partitioned: true }
          ]
        }
        const app = yield* makeWebApp({ config: { keys, cookie }, store: yield* store })
        const expected = [
          removalOf("id", "Path=/"),
          removalOf("id", "Path=/app"),
          removalOf("id", "Domain=shop.example.com; Path=/"),
          removalOf("id", "Domain=example.com; Path=/").replace("Secure;", "Secure; Partitioned;")
        ]
        const begun = yield* app.request(increment)
        assert.match(begun.setCookies[0]!, /^id=[^;]+; Domain=example\.com; Path=\/;/)
        assert.deepStrictEqual(begun.setCookies.slice(1), expected)
        const ended = yield* app.request(purge, begun.setCookies[0]!.split(";")[0])
        assert.deepStrictEqual(ended.setCookies, [removalOf("id", "Domain=example.com; Path=/"), ...expected])
        assert.deepStrictEqual((yield* app.request(read)).setCookies, [])
      }))
  }

  it.scoped("cookie: of the states of one session the later one counts, in either order", () =>
    Effect.gen(function*() {
      const config = { keys, cookie: { name: "id", domain: "example.com", retired: [{ name: "id" }] } }
      const app = yield* makeWebApp({ config, store: CookieSessionStore.layer })
      const begun = (yield* app.request(increment)).setCookies[0]!.split(";")[0]!
      const signedIn = (yield* app.request(signIn, begun)).setCookies[0]!.split(";")[0]!
      for (const header of [`${begun}; ${signedIn}`, `${signedIn}; ${begun}`]) {
        assert.deepStrictEqual((yield* app.request(read, header)).body, { counter: 1, user: "ada" })
      }
      // Two sessions are two sessions: nobody is made to take the one that was written last.
      const foreign = (yield* app.request(increment)).setCookies[0]!.split(";")[0]!
      assert.deepStrictEqual((yield* app.request(read, `${signedIn}; ${foreign}`)).body, {})
    }))

  it.scoped("cookie: without a change of scope two states of a session are as ambiguous as two sessions", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ config: { keys, cookie: { name: "id" } }, store: CookieSessionStore.layer })
      const begun = (yield* app.request(increment)).setCookies[0]!.split(";")[0]!
      const signedIn = (yield* app.request(signIn, begun)).setCookies[0]!.split(";")[0]!
      assert.deepStrictEqual((yield* app.request(read, `${begun}; ${signedIn}`)).body, {})
    }))

  it.scoped("memory: a write moves a session to the new scope, and nothing else sends its cookie anew", () =>
    Effect.gen(function*() {
      const shared = yield* stores.memory
      const before = yield* makeWebApp({ config: { keys, cookie: { name: "id" } }, store: shared })
      const cookie = { name: "id", domain: "example.com", retired: [{ name: "id" }] }
      const after = yield* makeWebApp({ config: { keys, cookie }, store: shared })
      const visitor = before.browser()
      yield* visitor.visit(increment)
      assert.deepStrictEqual((yield* after.request(read, visitor.cookie())).setCookies, [])
      const written = yield* after.request(increment, visitor.cookie())
      assert.match(written.setCookies[0]!, /^id=[^;]+; Domain=example\.com;/)
      assert.strictEqual(written.setCookies.length, 2)
    }))

  it.scoped("memory: a logout ends what a former name shows, whatever today's name does", () =>
    Effect.gen(function*() {
      const shared = yield* stores.memory
      const before = yield* makeWebApp({ config: { keys, cookie: { name: "id" } }, store: shared })
      const after = yield* makeWebApp({ config: { keys, cookie: { retired: [{ name: "id" }] } }, store: shared })
      const begun = (app: typeof after) =>
        Effect.map(app.request(signIn), ({ setCookies }) => setCookies[0]!.split(";")[0]!)
      const purgeAndInsert = handle((session) => Effect.zipRight(session.purge, session.insert(User, "bob")))
      for (const logout of [purge, purgeAndInsert]) {
        const ended = yield* begun(after)
        yield* after.request(purge, ended)
        for (const today of [yield* begun(after), "__Host-id=junk", ended]) {
          const former = yield* begun(before)
          const answer = yield* after.request(logout, `${today}; ${former}`)
          assert.deepStrictEqual([answer.status, answer.setCookies[1]], [200, removalOf("id", "Path=/")])
          for (const cookie of [today, former]) {
            assert.deepStrictEqual((yield* after.request(read, cookie)).body, {})
          }
          if (logout === purgeAndInsert) {
            const next = answer.setCookies[0]!.split(";")[0]!
            assert.deepStrictEqual((yield* after.request(read, next)).body, { user: "bob" })
          }
        }
      }
    }))

  it.scoped("memory: a logout that begins another session ends what a former name shows, also where that cannot be stored", () =>
    Effect.gen(function*() {
      const shared = yield* stores.memory
      const before = yield* makeWebApp({ config: { keys, cookie: { name: "id" } }, store: shared })
      const after = yield* makeWebApp({
        config: { keys, cookie: { retired: [{ name: "id" }] } },
        store: shared,
        wrap: (store) => ({ ...store, save: () => Effect.die(new Error("no disk")) })
      })
      const former = (yield* before.request(signIn)).setCookies[0]!.split(";")[0]!
      const purgeAndInsert = handle((session) => Effect.zipRight(session.purge, session.insert(User, "bob")))
      assert.strictEqual((yield* after.request(purgeAndInsert, `__Host-id=junk; ${former}`)).status, 500)
      assert.deepStrictEqual((yield* after.request(read, former)).body, {})
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))

  it.scoped("a removal is as secure as its request where the cookie was", () =>
    Effect.gen(function*() {
      const cookie: Config.CookieOptions = { name: "id", retired: [{ name: "sid", secure: "FromRequest" }] }
      const app = yield* makeWebApp({ config: { keys, cookie } })
      assert.deepStrictEqual((yield* app.request(increment)).setCookies.slice(1), [removalOf("sid", "Path=/")])
    }))

  it.effect("another session of the app may not have had the name", () =>
    Effect.gen(function*() {
      class Admin extends SessionMiddleware.Tag("Admin")<Admin>() {}
      const build = (visitor: Config.CookieOptions, admin: Config.CookieOptions) =>
        Layer.build(
          Layer.merge(SessionMiddleware.layer({ keys, cookie: visitor }), Admin.layer({ keys, cookie: admin })).pipe(
            Layer.provide(MemorySessionStore.layer())
          )
        ).pipe(Effect.scoped, Effect.either)
      for (
        const [visitor, admin] of [
          [{ name: "id", retired: [{ name: "admin" }] }, { name: "admin" }],
          [{ name: "id" }, { name: "admin", retired: [{ name: "id", path: "/admin" }] }],
          [{ name: "id", retired: [{ name: "old" }] }, { name: "admin", retired: [{ name: "old" }] }]
        ] as const
      ) {
        const built = yield* build(visitor, admin)
        assert.isTrue(Either.isLeft(built))
        assert.include(String(Either.getOrThrow(Either.flip(built)).message), "in this app already")
      }
    }))
})
