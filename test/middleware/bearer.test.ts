/**
 * Keys in headers, for clients that keep no cookies: what the middleware decides, without a socket.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as Session from "effect-session/Session"
import * as SessionCsrf from "effect-session/SessionCsrf"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { makeBearerApp } from "../support/bearerApp.js"
import { Counter, handle, User } from "../support/webApp.js"

const begin = handle((session) => session.insert(User, "ferris"))
const signIn = handle((session) => Effect.zipRight(session.renew, session.insert(User, "ferris")))
const signOut = handle((session) => session.purge)
const count = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const read = handle((session) => Effect.map(session.get(User), Option.getOrNull))
const nothing = HttpServerResponse.empty()

const stores = [
  ["a store of keys", MemorySessionStore.layer()],
  ["a store in the cookie", CookieSessionStore.layer]
] as const

const keyOf = (authorization: string): string => authorization.slice("Bearer ".length)

describe.each(stores)("a bearer, with %s", (_, store) => {
  it.scoped("is given to a client that asks for one, and is its session from then on", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { kept, visit } = app.client()
      const first = yield* visit(begin)
      assert.strictEqual(first.status, 200)
      assert.match(kept.authorization, /^Bearer [A-Za-z0-9_-]+$/)
      assert.deepStrictEqual(first.headers.getSetCookie(), [])
      assert.strictEqual(first.headers.get("cache-control"), "no-store")
      assert.strictEqual(first.headers.get("vary"), "Cookie, Authorization")
      assert.strictEqual((yield* visit(read)).body, "\"ferris\"")
      assert.strictEqual((yield* app.send(read)).body, "null")
    }))

  it.scoped("is spelled with its scheme in any case, and with spaces around", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { kept, visit } = app.client()
      yield* visit(begin)
      const key = keyOf(kept.authorization)
      for (const authorization of [`bearer ${key}`, `BEARER ${key}`, `Bearer    ${key}`, `  Bearer ${key}  `]) {
        assert.strictEqual((yield* app.send(read, { authorization })).body, "\"ferris\"", authorization)
      }
    }))

  it.scoped("is never a cookie, and a cookie never one", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { kept, visit } = app.client()
      yield* visit(begin)
      const [pair] = (yield* app.send(begin)).headers.getSetCookie()[0]!.split(";")
      const cookie = pair!.slice(pair!.indexOf("=") + 1)
      assert.strictEqual((yield* app.send(read, { cookie: pair! })).body, "\"ferris\"")
      const before = app.calls.length
      const asCookie = yield* app.send(read, { cookie: `__Host-id=${keyOf(kept.authorization)}` })
      assert.strictEqual(asCookie.body, "null")
      const asBearer = yield* app.send(read, { authorization: `Bearer ${cookie}` })
      assert.strictEqual(asBearer.body, "null")
      assert.lengthOf(app.calls, before)
      assert.deepStrictEqual(app.told.slice(-2).map((event) => "reason" in event && event.reason), [
        "BrokenSeal",
        "BrokenSeal"
      ])
    }))

  it.scoped("is not what a cookie of any name is sealed for, be it called as the bearer's seal is", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { config, contentSecurity } = app.middleware
      const { kept, visit } = app.client()
      yield* visit(begin)
      const text = Option.getOrThrow(app.middleware.bearer!.crypto.open(keyOf(kept.authorization))).plaintext
      for (const name of ["__Host-id", "__Host-id-bearer", "authorization", "Bearer"]) {
        const forged = CookieCrypto.make({ name, keys: config.keys, contentSecurity }).seal(text)
        assert.strictEqual((yield* app.send(read, { authorization: `Bearer ${forged}` })).body, "null", name)
      }
      assert.throws(
        () => CookieCrypto.make({ name: "__Host-id:bearer", keys: config.keys, contentSecurity }),
        RangeError
      )
      assert.strictEqual((yield* visit(read)).body, "\"ferris\"")
    }))

  it.scoped("is none for who does not ask for it: a browser's answer has the cookie and no key that script could read", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const begun = yield* app.send(begin)
      assert.lengthOf(begun.headers.getSetCookie(), 1)
      assert.isNull(begun.headers.get("authorization"))
      assert.strictEqual(begun.headers.get("vary"), "Cookie, Authorization")
      const cookie = begun.headers.getSetCookie()[0]!.split(";")[0]!
      for (const headers of [{ cookie }, { cookie, authorization: "Basic dXNlcjpwYXNz" }]) {
        const renewed = yield* app.send(signIn, headers)
        assert.strictEqual(renewed.status, 200)
        assert.isNull(renewed.headers.get("authorization"))
        assert.notInclude(Array.from(renewed.headers.keys()), "session-token")
      }
    }))

  it.scoped("goes out as the scheme alone when its session ends, and that is what an anonymous client sends", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { kept, visit } = app.client()
      yield* visit(signIn)
      const ended = yield* visit(signOut)
      assert.strictEqual(ended.headers.get("authorization"), "Bearer")
      assert.deepStrictEqual(ended.headers.getSetCookie(), [])
      assert.strictEqual(ended.headers.get("cache-control"), "no-store")
      assert.strictEqual(kept.authorization, "Bearer")
      assert.strictEqual((yield* visit(read)).body, "null")
      yield* visit(begin)
      assert.match(kept.authorization, /^Bearer ./)
    }))

  it.scoped("costs nothing where the session is not touched, and says nothing", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { kept, visit } = app.client()
      yield* visit(begin)
      const before = app.calls.length
      assert.deepStrictEqual(app.opened, [])
      for (const authorization of [kept.authorization, "Bearer", "Bearer forged"]) {
        const answer = yield* app.send(Effect.succeed(nothing), { authorization })
        assert.strictEqual(answer.status, 204)
        for (const name of ["authorization", "vary", "cache-control", "set-cookie"]) {
          assert.isNull(answer.headers.get(name), name)
        }
      }
      assert.lengthOf(app.calls, before)
      assert.deepStrictEqual(app.opened, [])
      yield* visit(read)
      assert.deepStrictEqual(app.opened, [keyOf(kept.authorization)])
    }))

  it.scoped("that opens nothing makes an anonymous client, costs no store call, and stores nothing", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { kept, visit } = app.client()
      yield* visit(begin)
      const key = keyOf(kept.authorization)
      const { crypto } = app.middleware.bearer!
      const refused: ReadonlyArray<readonly [reason: string, authorization: string]> = [
        ["BrokenSeal", "Bearer forged"],
        ["BrokenSeal", `Bearer ${key}=`],
        ["BrokenSeal", `Bearer ${key.slice(0, -2)}`],
        ["BrokenSeal", `Bearer ${key.slice(1)}`],
        ["BrokenSeal", `Bearer ${"A".repeat(4096)}`],
        ["MalformedKey", `Bearer ${crypto.seal("no key")}`],
        ["MalformedBearer", `Bearer ${key} ${key}`],
        ["MalformedBearer", `Bearer ${key}, Bearer ${key}`],
        ["MalformedBearer", `Bearer ${"A".repeat(100_000)}`],
        ["MalformedBearer", `Bearer "${key}"`]
      ]
      const before = app.calls.length
      for (const [reason, authorization] of refused) {
        const told = app.told.length
        for (const handler of [read, signOut, handle((session) => session.renew)]) {
          const answer = yield* app.send(handler, { authorization })
          assert.strictEqual(answer.status, 200, authorization.slice(0, 200))
        }
        assert.deepStrictEqual(
          app.told.slice(told).map((event) => event._tag === "KeyRefused" ? event.reason : event._tag),
          [reason, reason, reason],
          authorization.slice(0, 200)
        )
      }
      assert.lengthOf(app.calls, before)
      assert.strictEqual((yield* visit(read)).body, "\"ferris\"")
    }))

  it.scoped("that opens nothing is never adopted: what is written begins a session under a new key", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store })
      const { kept, visit } = app.client()
      kept.authorization = "Bearer forged"
      yield* visit(begin)
      assert.notStrictEqual(kept.authorization, "Bearer forged")
      assert.strictEqual((yield* visit(read)).body, "\"ferris\"")
    }))

  it.scoped("beside a session cookie is refused with 400 before the handler, in whatever state either is", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({
        store,
        config: { cookie: { retired: [{ name: "id", secure: true }] } }
      })
      const { kept, visit } = app.client()
      yield* visit(begin)
      const cookie = (yield* app.send(begin)).headers.getSetCookie()[0]!.split(";")[0]!
      const calls = app.calls.length
      let ran = 0
      const handler = Effect.sync(() => {
        ran++
        return nothing
      })
      const cookies = [
        cookie,
        "__Host-id=",
        "__Host-id=forged",
        `theme=dark; ${cookie}`,
        "id=of-before",
        Array.from({ length: 20 }, () => "__Host-id=x").join("; ")
      ]
      for (const cookie of cookies) {
        for (const authorization of [kept.authorization, "Bearer", "bearer forged", "Bearer a, Bearer b"]) {
          const answer = yield* app.send(handler, { cookie, authorization })
          assert.strictEqual(answer.status, 400)
          assert.strictEqual(answer.body, "")
          assert.strictEqual(answer.headers.get("cache-control"), "no-store")
          assert.strictEqual(answer.headers.get("vary"), "Cookie, Authorization")
          assert.deepStrictEqual(answer.headers.getSetCookie(), [])
          assert.isNull(answer.headers.get("authorization"))
          assert.deepStrictEqual(app.told.at(-1), {
            _tag: "KeyRefused",
            reason: "CookieAndBearer",
            id: undefined,
            count: 1
          } as never)
        }
      }
      assert.strictEqual(ran, 0)
      assert.lengthOf(app.calls, calls)
      // Other cookies are no session's, and another scheme is no bearer.
      assert.strictEqual((yield* app.send(read, { ...kept, cookie: "theme=dark; __Host-idx=1" })).body, "\"ferris\"")
      const basic = yield* app.send(read, { cookie, authorization: "Basic dXNlcjpwYXNz" })
      assert.strictEqual(basic.body, "\"ferris\"")
    }))

  it.scoped("goes on when the ring's keys rotate, and is sealed anew when its session is written", () =>
    Effect.gen(function*() {
      const [older, newer] = [Config.generateKey(), Config.generateKey()]
      const before = yield* makeBearerApp({ store, config: { keys: [older] } })
      const { kept, visit } = before.client()
      yield* visit(begin)
      const key = keyOf(kept.authorization)
      const plaintext = Option.getOrThrow(before.middleware.bearer!.crypto.open(key)).plaintext
      const after = yield* makeBearerApp({ store, config: { keys: [newer, older] } })
      const { crypto } = after.middleware.bearer!
      assert.isTrue(Option.exists(crypto.open(key), (opened) => !opened.sealedByNewest))
      assert.isTrue(Option.exists(crypto.open(crypto.seal(plaintext)), (opened) => opened.sealedByNewest))
      const without = yield* makeBearerApp({ store, config: { keys: [newer] } })
      assert.isTrue(Option.isNone(without.middleware.bearer!.crypto.open(key)))
    }))

  it.scoped("is sealed as the cookie is, in the own format whatever the cookie's", () =>
    Effect.gen(function*() {
      for (const cookieFormat of ["EffectSession", "CookieRs"] as const) {
        for (const contentSecurity of ["Private", "Signed", undefined] as const) {
          const app = yield* makeBearerApp({ store, config: { cookieFormat, contentSecurity } })
          const { kept, visit } = app.client()
          yield* visit(begin)
          const [version] = Buffer.from(keyOf(kept.authorization), "base64url")
          assert.strictEqual(version, app.middleware.contentSecurity === "Private" ? 0x11 : 0x12)
          assert.strictEqual((yield* visit(read)).body, "\"ferris\"")
          const asCookie = yield* app.send(read, { cookie: `__Host-id=${keyOf(kept.authorization)}` })
          assert.strictEqual(asCookie.body, "null")
        }
      }
    }))
})

describe("a bearer", () => {
  it.scoped("is void when its key was renewed, and ends with its session, whoever holds a copy", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp()
      const { kept, visit } = app.client()
      yield* visit(begin)
      const planted = { ...kept }
      const renewed = yield* visit(signIn)
      assert.notStrictEqual(renewed.headers.get("authorization"), planted.authorization)
      assert.strictEqual((yield* app.send(read, planted)).body, "null")
      assert.strictEqual((yield* app.send(count, planted)).status, 409)
      const copy = { ...kept }
      yield* visit(signOut)
      assert.strictEqual((yield* app.send(read, copy)).body, "null")
    }))

  it.scoped("goes out with a new key and else not: a change of the session keeps the one that there is", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({
        config: { lifecycle: Config.PersistentSession({ ttlExtension: "OnEveryRequest" }) }
      })
      const { visit } = app.client()
      yield* visit(begin)
      for (const handler of [count, read, Effect.succeed(nothing)]) {
        const answer = yield* visit(handler)
        assert.isNull(answer.headers.get("authorization"))
        assert.isNull(answer.headers.get("cache-control"))
      }
      // A cookie has a Max-Age to be put off.
      const cookie = (yield* app.send(begin)).headers.getSetCookie()[0]!.split(";")[0]!
      assert.lengthOf((yield* app.send(read, { cookie })).headers.getSetCookie(), 1)
    }))

  it.scoped("does not bring a session back that ended while its request was under way: 409, and no key", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp()
      const { kept, visit } = app.client()
      yield* visit(signIn)
      const { authorization } = kept
      for (
        const late of [
          (session: Session.Session) => session.insert(User, "late"),
          (session: Session.Session) => Effect.zipRight(session.insert(User, "late"), session.renew),
          (session: Session.Session) => Effect.zipRight(session.purge, session.insert(User, "late"))
        ]
      ) {
        yield* visit(signIn)
        const held = { ...kept }
        const [loaded, goOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const waiting = yield* Effect.fork(app.send(
          handle((session) =>
            session.get(User).pipe(
              Effect.zipRight(Deferred.succeed(loaded, undefined)),
              Effect.zipRight(Deferred.await(goOn)),
              Effect.zipRight(late(session))
            )
          ),
          held
        ))
        yield* Deferred.await(loaded)
        assert.strictEqual((yield* visit(signOut)).status, 200)
        yield* Deferred.succeed(goOn, undefined)
        const answer = yield* Fiber.join(waiting)
        assert.strictEqual(answer.status, 409)
        assert.isNull(answer.headers.get("authorization"))
        assert.strictEqual((yield* app.send(read, held)).body, "null")
      }
      assert.notStrictEqual(kept.authorization, authorization)
    }))

  it.scoped("loses no write between parallel requests", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp()
      const { kept, visit } = app.client()
      yield* visit(begin)
      yield* Effect.forEach(Array.from({ length: 20 }), () => app.send(count, { ...kept }), {
        concurrency: "unbounded"
      })
      assert.strictEqual((yield* visit(handle((session) => session.get(Counter)))).status, 200)
      assert.strictEqual((yield* visit(count)).body, "21")
    }))

  it.scoped("ends its session also where its handler is interrupted after the purge", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp()
      const { kept, visit } = app.client()
      yield* visit(signIn)
      const held = { ...kept }
      yield* visit(handle((session) => Effect.zipRight(session.purge, Effect.interrupt)))
      assert.strictEqual((yield* app.send(read, held)).body, "null")
    }))

  it.scoped("goes into the response header that is configured, and that one alone", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ config: { bearer: { header: "Session-Token" } } })
      const { kept, visit } = app.client("session-token")
      const begun = yield* visit(begin)
      assert.match(kept.authorization, /^Bearer ./)
      assert.isNull(begun.headers.get("authorization"))
      assert.strictEqual((yield* visit(read)).body, "\"ferris\"")
      assert.strictEqual((yield* visit(signOut)).headers.get("session-token"), "Bearer")
    }))

  it.scoped("opens under a name that the cookie had before, and is sealed for that of today when its session is written", () =>
    Effect.gen(function*() {
      const keys = Config.generateKey()
      const store = Layer.succeedContext(yield* Layer.build(MemorySessionStore.layer()))
      const before = yield* makeBearerApp({ store, config: { keys, cookie: { name: "id" } } })
      const { kept, visit } = before.client()
      yield* visit(begin)
      const after = yield* makeBearerApp({
        store,
        config: { keys, cookie: { retired: [{ name: "id", secure: true }] } }
      })
      assert.strictEqual((yield* after.send(read, { ...kept })).body, "\"ferris\"")
      const written = yield* after.send(count, { ...kept })
      const anew = written.headers.get("authorization")!
      assert.notStrictEqual(anew, kept.authorization)
      assert.deepStrictEqual(written.headers.getSetCookie(), [])
      assert.isNull((yield* after.send(count, { authorization: anew })).headers.get("authorization"))
      const forgotten = yield* makeBearerApp({ store, config: { keys } })
      assert.strictEqual((yield* forgotten.send(read, { ...kept })).body, "null")
    }))

  it.scoped("is sealed anew after a rotation, with the session that it was", () =>
    Effect.gen(function*() {
      const [older, newer] = [Config.generateKey(), Config.generateKey()]
      const store = Layer.succeedContext(yield* Layer.build(MemorySessionStore.layer()))
      const before = yield* makeBearerApp({ store, config: { keys: [older] } })
      const { kept, visit } = before.client()
      yield* visit(begin)
      const after = yield* makeBearerApp({ store, config: { keys: [newer, older] } })
      const anew = (yield* after.send(count, { ...kept })).headers.get("authorization")!
      assert.notStrictEqual(anew, kept.authorization)
      const without = yield* makeBearerApp({ store, config: { keys: [newer] } })
      assert.strictEqual((yield* without.send(read, { authorization: anew })).body, "\"ferris\"")
      assert.strictEqual((yield* without.send(read, { ...kept })).body, "null")
    }))

  it.scoped("may be a state of as many bytes as a cookie, and no more", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ store: CookieSessionStore.layer })
      const insert = (length: number) => handle((session) => session.insert(User, "x".repeat(length)))
      const { kept, visit } = app.client()
      assert.strictEqual((yield* visit(insert(2800))).status, 200)
      assert.isBelow(kept.authorization.length, 4096)
      assert.strictEqual((yield* visit(read)).body.length, 2802)
      const held = { ...kept }
      const tooLarge = yield* visit(insert(3200))
      assert.strictEqual(tooLarge.status, 500)
      assert.isNull(tooLarge.headers.get("authorization"))
      assert.deepStrictEqual(kept, held)
    }))

  it.scoped("varies each answer that looked at a session, behind what the app named, and a body that is made while it is sent", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp()
      const varying = (vary: string) =>
        Effect.map(read, (response) => HttpServerResponse.setHeader(response, "vary", vary))
      const expected = {
        "Accept": "Accept, Cookie, Authorization",
        "authorization": "authorization, Cookie",
        "Cookie, AUTHORIZATION": "Cookie, AUTHORIZATION",
        "*": "*"
      }
      for (const headers of [{}, { authorization: "Bearer" }, { authorization: "Bearer x" }]) {
        for (const [own, all] of Object.entries(expected)) {
          assert.strictEqual((yield* app.send(varying(own), headers)).headers.get("vary"), all)
        }
        const streamed = yield* app.send(
          Effect.succeed(HttpServerResponse.stream(Stream.make(new Uint8Array([1])))),
          headers
        )
        assert.strictEqual(streamed.headers.get("vary"), "Cookie, Authorization")
      }
    }))

  it.scoped("keeps what the app says in the same response header, where it has nothing to say", () =>
    Effect.gen(function*() {
      const app = yield* makeBearerApp({ config: { bearer: { header: "session-token" } } })
      const own = Effect.map(read, HttpServerResponse.setHeader("session-token", "of the app"))
      const answer = yield* app.send(own, { authorization: "Bearer" })
      assert.strictEqual(answer.headers.get("session-token"), "of the app")
    }))
})

describe("a session that is opened where no middleware stands around the handler", () => {
  it.scoped("is that of the bearer, and beside a cookie the request is refused all the same", () =>
    Effect.gen(function*() {
      const { middleware } = yield* makeBearerApp()
      const app = Effect.flatMap(
        SessionMiddleware.open(middleware),
        (session) => Effect.as(Effect.orDie(session.updateOr(Counter, 1, (n) => n + 1)), nothing)
      )
      const web = HttpApp.toWebHandler(app)
      const send = (headers: Record<string, string>) =>
        Effect.promise(() => web(new Request("https://app.test/", { headers })))
      const begun = yield* send({ authorization: "Bearer" })
      const authorization = begun.headers.get("authorization")!
      assert.match(authorization, /^Bearer ./)
      assert.strictEqual(begun.headers.get("vary"), "Cookie, Authorization")
      assert.isNull((yield* send({ authorization })).headers.get("authorization"))
      const both = yield* send({ authorization, cookie: "__Host-id=x" })
      assert.strictEqual(both.status, 400)
      assert.deepStrictEqual(both.headers.getSetCookie(), [])
    }))
})

describe("where bearers are not asked for", () => {
  it.scoped("one is no session, takes nothing from the cookie beside it, and no answer varies by it", () =>
    Effect.gen(function*() {
      const keys = Config.generateKey()
      const store = Layer.succeedContext(yield* Layer.build(MemorySessionStore.layer()))
      const on = yield* makeBearerApp({ store, config: { keys } })
      const { kept, visit } = on.client()
      yield* visit(begin)
      const off = yield* makeBearerApp({ store, config: { keys, bearer: false } })
      assert.isUndefined(off.middleware.bearer)
      assert.strictEqual((yield* off.send(read, { ...kept })).body, "null")
      const begun = yield* off.send(begin, { ...kept })
      assert.isNull(begun.headers.get("authorization"))
      assert.strictEqual(begun.headers.get("vary"), "Cookie")
      const cookie = begun.headers.getSetCookie()[0]!.split(";")[0]!
      const both = yield* off.send(read, { ...kept, cookie })
      assert.strictEqual(both.body, "\"ferris\"")
      assert.strictEqual(both.headers.get("vary"), "Cookie")
    }))
})

describe("a request that does not touch its session", () => {
  it.effect("has its headers looked at where bearers are asked for, and not at all where they are not", () =>
    Effect.gen(function*() {
      for (const [bearer, looks] of [[false, 0], [true, 1]] as const) {
        const middleware = yield* SessionMiddleware.make({ keys: Config.generateKey(), bearer }).pipe(
          Effect.provide(MemorySessionStore.layer())
        )
        let looked = 0
        const request = new Proxy(HttpServerRequest.fromWeb(new Request("https://app.test/")), {
          get: (target, name) => {
            looked += name === "headers" ? 1 : 0
            return Reflect.get(target, name, target) as unknown
          }
        })
        yield* SessionMiddleware.sessionWith(middleware)(Effect.succeed(nothing)).pipe(
          Effect.provideService(HttpServerRequest.HttpServerRequest, request),
          Effect.scoped
        )
        assert.strictEqual(looked, looks)
      }
    }))
})

describe("the tokens of SessionCsrf", () => {
  const guarded = SessionCsrf.guard(begin)
  const post = (app: HttpApp.Default<unknown, Session.Session>, headers: Record<string, string>, bearer: boolean) =>
    Effect.gen(function*() {
      const middleware = yield* SessionMiddleware.make({ keys: Config.generateKey(), bearer }).pipe(
        Effect.provide(MemorySessionStore.layer())
      )
      const web = HttpApp.toWebHandler(SessionMiddleware.sessionWith(middleware)(app))
      const key = middleware.bearer?.crypto.seal(SessionKey.toText(SessionKey.mint())) ?? "key"
      const cookie = `__Host-id=${middleware.crypto.seal(SessionKey.toText(SessionKey.mint()))}`
      const of = (text: string) => text.replace("<key>", key).replace("<cookie>", cookie)
      const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, of(value)]))
      const response = yield* Effect.promise(() =>
        web(new Request("https://app.test/", { method: "POST", headers: sent }))
      )
      return { status: response.status, cookies: response.headers.getSetCookie() }
    })

  it.effect("are not asked for where the session is a bearer's, and no cookie of theirs is set", () =>
    Effect.gen(function*() {
      for (const authorization of ["Bearer", "Bearer <key>", "bearer forged"]) {
        assert.deepStrictEqual(yield* post(guarded, { authorization }, true), { status: 200, cookies: [] })
      }
      const withToken = SessionCsrf.guard(Effect.zipRight(SessionCsrf.token, begin))
      assert.deepStrictEqual(yield* post(withToken, { authorization: "Bearer" }, true), { status: 200, cookies: [] })
      const verified = Effect.zipRight(
        Effect.flatMap(Session.Session, (session) => SessionCsrf.verify(session, "no token")),
        begin
      )
      assert.deepStrictEqual(yield* post(verified, { authorization: "Bearer" }, true), { status: 200, cookies: [] })
    }))

  it.effect("are asked for wherever the session is a cookie's, whatever stands in Authorization", () =>
    Effect.gen(function*() {
      const requests: ReadonlyArray<readonly [headers: Record<string, string>, isOn: boolean]> = [
        [{}, true],
        [{ cookie: "<cookie>" }, true],
        [{ cookie: "<cookie>", authorization: "Basic dXNlcjpwYXNz" }, true],
        [{ authorization: "Basic dXNlcjpwYXNz" }, true],
        [{ authorization: "Bearer <key>" }, false],
        [{ cookie: "<cookie>", authorization: "Bearer <key>" }, false]
      ]
      for (const [headers, isOn] of requests) {
        assert.strictEqual((yield* post(guarded, headers, isOn)).status, 403, JSON.stringify(headers))
      }
      const both = yield* post(guarded, { cookie: "<cookie>", authorization: "Bearer <key>" }, true)
      assert.strictEqual(both.status, 400)
    }))
})

describe("two kinds of sessions", () => {
  class Admin extends SessionMiddleware.Tag("BearerAdmin")<Admin>() {}
  const options = (extra: Partial<Config.SessionOptions>): Config.SessionOptions => ({
    keys: Config.generateKey(),
    ...extra
  })
  const both = (admin: Partial<Config.SessionOptions>) =>
    Layer.merge(
      SessionMiddleware.layer(options({ bearer: true })),
      Admin.layer(options({ cookie: { name: "__Host-admin" }, ...admin }))
    ).pipe(Layer.provide(MemorySessionStore.layer()))

  it.scoped("do not give their keys out in one header", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(both({ bearer: true })))
      assert.instanceOf(error, Config.SessionConfigError)
      assert.strictEqual((error as Config.SessionConfigError).option, "bearer.header")
      yield* Layer.build(both({ bearer: { header: "admin-token" } }))
      yield* Layer.build(both({}))
    }))

  it.effect("neither do those whose layers were built apart: their request dies", () =>
    Effect.gen(function*() {
      const make = <Self>(layer: Layer.Layer<Self, unknown>) => Effect.map(Layer.build(layer), (context) => context)
      const status = yield* Effect.scoped(Effect.gen(function*() {
        const memory = MemorySessionStore.layer()
        const one = yield* make(SessionMiddleware.layer(options({ bearer: true })).pipe(Layer.provide(memory)))
        const other = yield* make(
          Admin.layer(options({ cookie: { name: "__Host-admin" }, bearer: true })).pipe(Layer.provide(memory))
        )
        const app = Effect.succeed(nothing).pipe(
          SessionMiddleware.session,
          Effect.provide(one),
          Admin.middleware,
          Effect.provide(other)
        )
        const response = yield* Effect.promise(() => HttpApp.toWebHandler(app)(new Request("https://app.test/")))
        return response.status
      }))
      assert.strictEqual(status, 500)
    }))
})

describe("makeBearer", () => {
  const keys = [Redacted.make(new Uint8Array(32).map((_, index) => index))] as const

  it("opens what it sealed, and nothing that is sealed for a cookie of that name", () => {
    for (const contentSecurity of ["Private", "Signed"] as const) {
      const bearer = CookieCrypto.makeBearer({ name: "id", keys, contentSecurity })
      const cookie = CookieCrypto.make({ name: "id", keys, contentSecurity })
      const other = CookieCrypto.makeBearer({ name: "other", keys, contentSecurity })
      const value = bearer.seal("text")
      assert.match(value, /^[A-Za-z0-9_-]+$/)
      assert.strictEqual(Option.getOrThrow(bearer.open(value)).plaintext, "text")
      assert.isTrue(Option.isNone(cookie.open(value)))
      assert.isTrue(Option.isNone(other.open(value)))
      assert.isTrue(Option.isNone(bearer.open(cookie.seal("text"))))
    }
  })

  it("takes the names that a cookie may have", () => {
    assert.throws(() => CookieCrypto.makeBearer({ name: "a b", keys, contentSecurity: "Signed" }), RangeError)
  })
})
