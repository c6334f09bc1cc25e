import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as TestSession from "effect-session/testing/TestSession"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const Since = Session.entry("since", Schema.Date)

const count = Effect.gen(function*() {
  const session = yield* Session.Session
  return HttpServerResponse.text(String(yield* session.updateOr(Counter, 1, (n) => n + 1)))
})

describe("TestSession.layer", () => {
  it.effect("a handler finds the given values, and the test sees what the handler did", () =>
    Effect.gen(function*() {
      yield* count
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Changed")
      assert.deepStrictEqual(Object.fromEntries(yield* session.entries), {
        counter: 4,
        since: "1970-01-01T00:00:00.000Z"
      })
    }).pipe(Effect.provide(
      TestSession.layer([TestSession.value(Counter, 3), TestSession.value(Since, new Date(0))])
    )))

  it.effect("giving values is no change by itself, and they can be gone again", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.strictEqual(yield* session.status, "Unchanged")
      assert.deepStrictEqual(yield* session.remove(Counter), Option.some(3))
      assert.deepStrictEqual(yield* session.entries, new Map())
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Counter, 3)]))))

  it.effect("values may be given as the JSON that a store holds, such as an earlier release's", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(count)
      assert.strictEqual(error.reason, "DecodeFailed")
      const session = yield* Session.Session
      assert.deepStrictEqual(yield* session.get(Since), Option.some(new Date(0)))
    }).pipe(Effect.provide(TestSession.layer({ counter: "three", since: "1970-01-01T00:00:00.000Z" }))))

  it.effect("what is given as JSON and is none fails the layer as well", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(TestSession.make({ counter: Number.NaN }))
      assert.strictEqual(error.reason, "NotJson")
    }))

  it.effect("a value that does not encode fails the layer with the insert's error", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Effect.provide(count, TestSession.layer([TestSession.value(Counter, -1)])))
      assert(error._tag === "SessionInsertError")
      assert.strictEqual(error.reason, "EncodeFailed")
    }))

  it.effect("the service of a Schema is asked for by the layer", () =>
    Effect.gen(function*() {
      class Factor extends Context.Tag("test/Factor")<Factor, number>() {}
      const Scaled = Schema.transformOrFail(Schema.Number, Schema.Number, {
        strict: true,
        decode: (n) => Effect.map(Factor, (factor) => n * factor),
        encode: (n) => Effect.map(Factor, (factor) => n / factor)
      })
      const layer: Layer.Layer<Session.Session, Session.SessionInsertError, Factor> = TestSession.layer([
        TestSession.value(Session.entry("scaled", Scaled), 30)
      ])
      const session = yield* Effect.provide(Session.Session, Layer.provide(layer, Layer.succeed(Factor, 10)))
      assert.deepStrictEqual(yield* session.get("scaled", Schema.Number), Option.some(3))
    }))

  it.effect("a new visitor has no id and no times", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.deepStrictEqual(yield* session.id, Option.none())
      assert.deepStrictEqual(yield* session.createdAt, Option.none())
      assert.deepStrictEqual(yield* session.expiresAt, Option.none())
    }).pipe(Effect.provide(TestSession.layer())))

  it.effect("a visitor who comes back has an id, and times by the clock of the test", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust("1 hour")
      const session = yield* TestSession.make([TestSession.value(Counter, 1)])
      assert.isTrue(Option.exists(yield* session.id, SessionKey.isSessionId))
      assert.deepStrictEqual(yield* session.createdAt, Option.some(DateTime.unsafeMake(3_600_000)))
      assert.deepStrictEqual(yield* session.expiresAt, Option.some(DateTime.unsafeMake(3_600_000 + 86_400_000)))

      const id = SessionKey.mintId()
      const old = yield* TestSession.make([], { id, age: "30 minutes", ttl: "1 minute" })
      assert.deepStrictEqual(yield* old.id, Option.some(id))
      assert.deepStrictEqual(yield* old.createdAt, Option.some(DateTime.unsafeMake(1_800_000)))
      assert.deepStrictEqual(yield* old.expiresAt, Option.some(DateTime.unsafeMake(3_660_000)))
    }))

  it.effect("purging it leaves nothing, not even an id, and a later write begins anew", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      yield* session.purge
      assert.deepStrictEqual(yield* session.id, Option.none())
      yield* session.insert(Since, new Date(0))
      assert.strictEqual(yield* session.status, "Purged")
      assert.deepStrictEqual(Array.from((yield* session.entries).keys()), ["since"])
    }).pipe(Effect.provide(TestSession.layer([TestSession.value(Counter, 3)]))))
})

describe("TestSession.layerUnavailable", () => {
  it.effect("reading and writing fail as with a store that is away", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.strictEqual((yield* Effect.flip(session.get(Counter))).reason, "StoreUnavailable")
      assert.strictEqual((yield* Effect.flip(session.entries)).reason, "StoreUnavailable")
      assert.strictEqual((yield* Effect.flip(session.insert(Counter, 1))).reason, "StoreUnavailable")
    }).pipe(Effect.provide(TestSession.layerUnavailable)))
})

describe("TestSession.layerMiddleware", () => {
  const serve = (options?: Partial<Config.SessionOptions>) =>
    HttpRouter.empty.pipe(
      HttpRouter.get("/", count),
      SessionMiddleware.session,
      HttpServer.serve(),
      Layer.provideMerge(TestSession.layerMiddleware(options)),
      Layer.provideMerge(NodeHttpServer.layerTest)
    )

  it.scoped("is all that an app needs, and the test can ask its store", () =>
    Effect.gen(function*() {
      const browser = yield* TestBrowser.make
      const [cookie] = (yield* browser.get("/")).setCookies
      assert.strictEqual((yield* browser.get("/")).body, "2")
      assert.strictEqual(cookie?.name, "id")
      assert.isFalse(cookie?.attributes.has("secure"))

      const { crypto } = yield* SessionMiddleware.SessionMiddleware
      const store = SessionStore.withClock(yield* SessionStore.SessionStore)
      const key = Option.flatMap(crypto.open(cookie?.value ?? ""), ({ plaintext }) => store.readKey(plaintext))
      const found = yield* store.load(Option.getOrThrow(key))
      assert(found._tag === "Live")
      assert.deepStrictEqual(found.record.state, new Map([["counter", "2"]]))
    }).pipe(Effect.provide(serve())))

  it.scoped("takes options beside the preset, and a cookie in the place of the preset's", () =>
    Effect.gen(function*() {
      const [cookie] = (yield* TestBrowser.send("/")).setCookies
      assert.strictEqual(cookie?.name, "__Host-app")
      assert.isTrue(cookie?.attributes.has("secure"))
      assert.strictEqual(cookie?.attributes.get("max-age"), "60")
    }).pipe(Effect.provide(serve({
      cookie: { name: "__Host-app" },
      lifecycle: Config.PersistentSession({ ttl: "1 minute" })
    }))))

  it.scoped("fails with the option that is refused", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(TestSession.layerMiddleware({ cookie: { name: "no name" } })))
      assert.strictEqual(error.option, "cookie.name")
    }))

  it.scoped("does not warn of the development preset, which a test chose on purpose", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const Log = Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => void lines.push(message)))
      yield* Layer.build(TestSession.layerMiddleware()).pipe(Effect.provide(Log))
      assert.deepStrictEqual(lines, [])
    }))

  it.scoped("shares neither key nor store between two tests", () =>
    Effect.gen(function*() {
      const build = Effect.map(
        Layer.build(TestSession.layerMiddleware()),
        (context) => Context.get(context, SessionMiddleware.SessionMiddleware)
      )
      const [one, two] = yield* Effect.all([build, build])
      assert.deepStrictEqual(two.crypto.open(one.crypto.seal("text")), Option.none())
      assert.notStrictEqual(one.store, two.store)
    }))
})
