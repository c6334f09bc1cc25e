/**
 * The cases by which actix-session tests its stores and their formats; `seed.test.ts` has the table of all cases.
 */
import * as HttpRouter from "@effect/platform/HttpRouter"
import type { Vitest } from "@effect/vitest"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Config from "effect-session/Config"
import type * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { Redis } from "ioredis"
import { livingFor } from "../support/lifetimes.js"
import { redisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import { answer, entriesOf, serve, StoreCalls } from "./servedApp.js"

const lifetime: SessionRecord.Lifetime = { ttl: 60_000, maxLifetime: undefined }
const state: SessionRecord.SessionState = new Map([["n", "1"]])
const change: SessionRecord.SessionChange = { set: new Map([["n", "2"]]), unset: new Set(), expect: new Map() }

const everyJson: { readonly [key: string]: Session.Json } = {
  null: null,
  yes: true,
  no: false,
  integer: 42,
  fraction: -0.5,
  string: "plain \"quoted\" \\ \u0000 \u2028 \u{1f980}",
  digits: "42",
  json: "{\"a\":1}",
  array: [1, "two", [null], {}],
  object: { nested: { deep: [true] }, "": "empty key" },
  "": "an empty key",
  v: 1,
  constructor: "an ordinary key",
  ["__proto__"]: "another one"
}

const AnyJson = Schema.Any as Schema.Schema<Session.Json>

const roundTrips = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/write",
    answer((session) =>
      Effect.forEach(Object.entries(everyJson), ([key, value]) => session.insert(key, AnyJson, value))
    )
  ),
  HttpRouter.get("/read", answer((session) => Effect.map(session.entries, (entries) => Array.from(entries))))
)

const keepsEveryJson = (store: Layer.Layer<SessionStore.SessionStore, unknown>) =>
  Effect.gen(function*() {
    const browser = yield* TestBrowser.make
    assert.strictEqual((yield* browser.get("/write")).status, 200)
    const entries = new Map<string, unknown>(JSON.parse((yield* browser.get("/read")).body))
    assert.deepStrictEqual(entries, new Map<string, unknown>(Object.entries(everyJson)))
  }).pipe(Effect.provide(serve(roundTrips, { store })))

class Server extends Context.Tag("test/Server")<Server, {
  readonly url: string
  /** A connection of the test's own, to look and to write behind the store. */
  readonly client: Redis
}>() {}

const ServerLive = Layer.scoped(
  Server,
  Effect.gen(function*() {
    const { url } = yield* redisServer()
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new Redis(url)),
      (client) => Effect.sync(() => client.disconnect())
    )
    return { url, client }
  })
)

describe("CookieSessionStore", () => {
  const store = SessionStore.withClock(CookieSessionStore.store)

  it.effect(
    "a random text is no key, and one that only looks like a key holds no session "
      + "(loading_a_random_session_key_returns_deserialization_error)",
    () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(store.readKey("q7".repeat(32)), Option.none())
        for (const text of ["", "q7".repeat(21), "{}", "{\"v\":2,\"c\":0,\"e\":60000,\"s\":{}}", "\"text\"", "null"]) {
          const key = Option.getOrThrow(store.readKey(`${SessionKey.mintId()}.${text}`))
          const error = yield* Effect.flip(store.load(key))
          assert.strictEqual(error.reason, "Malformed")
        }
      })
  )

  it.effect(
    "a saved state has a version and holds strings and numbers as they are "
      + "(saving_state_is_versioned_and_does_not_double_serialize_strings)",
    () =>
      Effect.gen(function*() {
        const { key } = yield* store.save(new Map([["k", "\"value\""], ["n", "1"]]), lifetime)
        const text = Redacted.value(key.secret)
        assert.notInclude(text, "\\\"")
        const record = JSON.parse(text)
        assert.strictEqual(record.v, 1)
        assert.deepStrictEqual(record.s, { k: "value", n: 1 })
      })
  )

  it.scoped("every kind of JSON comes back as it went (round_trip_versioned_format)", () =>
    keepsEveryJson(CookieSessionStore.layer))

  it.effect(
    "updating an expired state is answered Gone, and creates nothing "
      + "(updating_of_an_expired_state_is_handled_gracefully)",
    () =>
      Effect.gen(function*() {
        const { key } = yield* store.save(state, lifetime)
        yield* TestClock.adjust(lifetime.ttl)
        assert.strictEqual((yield* store.update(key, change, livingFor(lifetime.ttl)))._tag, "Gone")
      })
  )
})

/** The cases that hold for every store which keeps sessions on the server. */
const serverSide = (it: Vitest.MethodsNonLive<SessionStore.SessionStore>) => {
  it.effect("loading a missing session is no error (loading_a_missing_session_returns_none)", () =>
    Effect.gen(function*() {
      const store = SessionStore.withClock(yield* SessionStore.SessionStore)
      assert.strictEqual((yield* store.load(SessionKey.mint()))._tag, "Absent")
    }))

  it.effect(
    "updating a state that is not there is answered Gone and creates nothing, where the seed creates a new session "
      + "(updating_of_an_expired_state_is_handled_gracefully)",
    () =>
      Effect.gen(function*() {
        const store = SessionStore.withClock(yield* SessionStore.SessionStore)
        const key = SessionKey.mint()
        assert.strictEqual((yield* store.update(key, change, livingFor(lifetime.ttl)))._tag, "Gone")
        assert.strictEqual((yield* store.renew(key, change, livingFor(lifetime.ttl)))._tag, "Gone")
        assert.strictEqual((yield* store.updateTtl(key, livingFor(lifetime.ttl)))._tag, "Gone")
        assert.strictEqual((yield* store.load(key))._tag, "Absent")
      })
  )

  it.effect("a key that is too long, or of any other wrong length, is none (SessionKey, 4065 characters)", () =>
    Effect.gen(function*() {
      const store = SessionStore.withClock(yield* SessionStore.SessionStore)
      const text = SessionKey.toText(SessionKey.mint())
      assert.isTrue(Option.isSome(store.readKey(text)))
      for (const wrong of ["", text.slice(1), text + "A", "A".repeat(4_065), text.padEnd(4_065, "A")]) {
        assert.deepStrictEqual(store.readKey(wrong), Option.none())
      }
    }))
}

/** What becomes of a request whose session expires between its load and its commit. */
const expiresUnderWay = (store: Layer.Layer<SessionStore.SessionStore, unknown>) =>
  Effect.gen(function*() {
    const browser = yield* TestBrowser.make
    yield* browser.get("/start")
    const before = browser.cookieHeader("/")
    const late = yield* browser.get("/too-late")
    assert.strictEqual(late.status, 409)
    assert.deepStrictEqual(late.setCookies, [])
    assert.strictEqual(browser.cookieHeader("/"), before)
    assert.deepStrictEqual(yield* StoreCalls, ["save", "load", "update"])
    assert.strictEqual((yield* browser.get("/read")).body, "{}")
  }).pipe(Effect.provide(serve(
    HttpRouter.empty.pipe(
      HttpRouter.get("/start", answer((session) => session.insert("n", Schema.Number, 1))),
      HttpRouter.get(
        "/too-late",
        answer((session) => Effect.zipRight(session.insert("n", Schema.Number, 2), TestClock.adjust("1 day")))
      ),
      HttpRouter.get("/read", answer(entriesOf))
    ),
    { store }
  )))

const expiryTitle =
  "a session that expires while its request is under way takes the changes along, and the answer says so "
  + "(updating_of_an_expired_state_is_handled_gracefully)"

layer(MemorySessionStore.layer())("MemorySessionStore", (it) => {
  serverSide(it)

  it.scoped("every kind of JSON comes back as it went (round_trip_versioned_format)", () =>
    keepsEveryJson(MemorySessionStore.layer()))

  it.scoped(expiryTitle, () => expiresUnderWay(MemorySessionStore.layer()))
})

layer(ServerLive)("RedisSessionStore", (it) => {
  it.layer(Layer.unwrapEffect(Effect.map(Server, ({ url }) => RedisSessionStore.layer({ url, timeout: generous }))))((
    it
  ) => serverSide(it))

  it.scoped("every kind of JSON comes back as it went (round_trip_versioned_format)", () =>
    Effect.flatMap(Server, ({ url }) => keepsEveryJson(RedisSessionStore.layer({ url, timeout: generous }))))

  it.scoped(
    expiryTitle,
    () => Effect.flatMap(Server, ({ url }) => expiresUnderWay(RedisSessionStore.layer({ url, timeout: generous })))
  )

  it.scoped(
    "what is not a session record fails as Malformed, and its visitor is a new one to the app "
      + "(loading_an_invalid_session_state_returns_deserialization_error)",
    () =>
      Effect.gen(function*() {
        const { client, url } = yield* Server
        yield* Effect.gen(function*() {
          const { crypto, store } = yield* SessionMiddleware.SessionMiddleware
          for (
            const spoil of [
              (key: string) => client.set(key, "random-thing"),
              (key: string) => client.hset(key, "random", "thing"),
              (key: string) => client.rpush(key, "random", "thing")
            ]
          ) {
            const key = SessionKey.mint()
            yield* Effect.promise((): Promise<unknown> => spoil(`session:${key.id}`))
            assert.strictEqual((yield* Effect.flip(SessionStore.withClock(store).load(key))).reason, "Malformed")

            const cookie = `__Host-id=${crypto.seal(SessionKey.toText(key))}`
            const read = yield* TestBrowser.send("/read", { headers: { cookie } })
            assert.deepStrictEqual([read.status, read.body, read.setCookies], [200, "[]", []])
            const written = yield* TestBrowser.send("/write", { headers: { cookie } })
            assert.strictEqual(written.status, 200)
            assert.strictEqual(written.setCookies.length, 1)
          }
        }).pipe(Effect.provide(serve(roundTrips, { store: RedisSessionStore.layer({ url, timeout: generous }) })))
      })
  )

  it.scoped("nothing is stored in Redis for visitors who bring unknown keys", () =>
    Effect.gen(function*() {
      const { client, url } = yield* Server
      const before = yield* Effect.promise(() => client.dbsize())
      yield* Effect.gen(function*() {
        const { crypto } = yield* SessionMiddleware.SessionMiddleware
        for (const path of ["/untouched", "/read", "/update", "/renew", "/clear", "/purge"]) {
          const cookie = `__Host-id=${crypto.seal(SessionKey.toText(SessionKey.mint()))}`
          assert.strictEqual((yield* TestBrowser.send(path, { headers: { cookie } })).status, 200)
        }
      }).pipe(Effect.provide(serve(
        HttpRouter.empty.pipe(
          HttpRouter.get("/untouched", answer(() => Effect.void)),
          HttpRouter.get("/read", answer(entriesOf)),
          HttpRouter.get("/update", answer((session) => session.update("n", Schema.Number, (n) => n + 1))),
          HttpRouter.get("/renew", answer((session) => session.renew)),
          HttpRouter.get("/clear", answer((session) => session.clear)),
          HttpRouter.get("/purge", answer((session) => session.purge))
        ),
        {
          store: RedisSessionStore.layer({ url, timeout: generous }),
          config: { lifecycle: Config.PersistentSession({ ttlExtension: "OnEveryRequest" }) }
        }
      )))
      assert.strictEqual(yield* Effect.promise(() => client.dbsize()), before)
    }))
})
