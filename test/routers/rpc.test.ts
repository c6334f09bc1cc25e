import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionRpc from "effect-session/SessionRpc"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { once } from "node:events"
import { WebSocket } from "ws"
import { HandClock } from "../support/handClock.js"
import { until } from "../support/settle.js"
import { messages, type RpcApp, rpcApp, type Serialization } from "./rpcApp.js"

const transports = ["http", "socket"] as const

/** A browser that has signed in over HTTP. */
const signedIn = (app: RpcApp, name = "ferris") =>
  Effect.gen(function*() {
    const browser = app.browser()
    yield* (yield* browser.http).Login({ name })
    app.calls.length = 0
    return browser
  })

/** The error of an effect that fails, as data. */
const errorOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    const { _tag, message, reason } = error as { _tag?: string; reason?: string; message?: string }
    return { _tag, reason, message }
  })

const reasonOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(errorOf(effect), ({ _tag, reason }) => `${_tag}: ${reason}`)

for (const serialization of ["json", "ndjson", "msgpack"] satisfies ReadonlyArray<Serialization>) {
  describe(`calls in ${serialization}`, () => {
    it.scopedLive("over HTTP begin a session whose cookie goes out with the answer, change it and end it", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp({ serialization })
        const browser = app.browser()
        const client = yield* browser.http
        assert.isNull(yield* client.Me())
        assert.deepStrictEqual([...browser.jar.keys()], [])
        yield* client.Login({ name: "ferris" })
        assert.deepStrictEqual([...browser.jar.keys()], ["id"])
        assert.strictEqual(yield* client.Me(), "ferris")
        const before = browser.cookie()
        yield* client.Login({ name: "corro" })
        assert.notStrictEqual(browser.cookie(), before)
        assert.strictEqual(yield* client.Me(), "corro")
        yield* client.Logout()
        assert.deepStrictEqual([...browser.jar.keys()], [])
        assert.isNull(yield* client.Me())
        assert.deepStrictEqual(app.logged, [])
      }))

    it.scopedLive("over a WebSocket see what others wrote before, and are stored when they are answered", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp({ serialization })
        const browser = yield* signedIn(app)
        const http = yield* browser.http
        const socket = yield* browser.socket
        assert.strictEqual(yield* socket.Me(), "ferris")
        assert.strictEqual(yield* socket.Count(), 1)
        assert.strictEqual(yield* http.Count(), 2)
        assert.strictEqual(yield* socket.Count(), 3)
        yield* http.Put({ key: "color", value: "orange" })
        assert.deepStrictEqual(yield* socket.All(), { user: "ferris", counter: 3, color: "orange" })
        yield* socket.Logout()
        assert.isNull(yield* http.Me())
        assert.deepStrictEqual(app.logged, [])
      }))

    for (const transport of transports) {
      it.scopedLive(`over ${transport} lose no write to each other`, () =>
        Effect.gen(function*() {
          const app = yield* rpcApp({ serialization })
          const browser = yield* signedIn(app)
          const client = yield* browser[transport]
          yield* Effect.forEach(
            Array.from({ length: 20 }, (_, index) => index),
            (index) => Effect.zip(client.Count(), client.Put({ key: `key${index}`, value: "x" }), { concurrent: true }),
            { concurrency: "unbounded" }
          )
          const all = yield* client.All()
          assert.strictEqual(all["counter"], 20)
          assert.lengthOf(Object.keys(all), 22)
        }))

      it.scopedLive(`over ${transport} reach a guarded handler with the value, and no other way`, () =>
        Effect.gen(function*() {
          const app = yield* rpcApp({ serialization })
          const stranger = yield* app.browser()[transport]
          assert.strictEqual((yield* errorOf(stranger.Who()))._tag, "Unauthorized")
          assert.strictEqual((yield* errorOf(stranger.WriteAsUser()))._tag, "Unauthorized")
          const browser = yield* signedIn(app)
          const client = yield* browser[transport]
          assert.strictEqual(yield* client.Who(), "ferris")
          assert.deepStrictEqual(app.calls, ["load"])
          app.calls.length = 0
          assert.strictEqual(yield* client.WriteAsUser(), "ferris")
          // The guard and the handler share what was loaded.
          assert.deepStrictEqual(app.calls, ["load", "update"])
          assert.strictEqual((yield* client.All())["seen"], "ferris")
          yield* client.Logout()
          assert.strictEqual((yield* errorOf(client.Who()))._tag, "Unauthorized")
        }))

      it.scopedLive(`over ${transport} stream after their changes are kept, and change nothing afterwards`, () =>
        Effect.gen(function*() {
          const app = yield* rpcApp({ serialization })
          const browser = yield* signedIn(app)
          const client = yield* browser[transport]
          const first = yield* Stream.runCollect(
            Stream.mapEffect(
              client.Ticks(),
              (tick, index = 0) =>
                index > 0 ? Effect.succeed(tick) : Effect.map(client.Me(), (user) => `${tick} ${user}`)
            )
          )
          assert.deepStrictEqual(Chunk.toReadonlyArray(first).slice(0, 1), ["kept streamed"])
          assert.deepStrictEqual(Chunk.toReadonlyArray(first).slice(1), ["ResponseSent streamed"])
        }))

      it.scopedLive(`over ${transport} keep what a stream without a chunk changed`, () =>
        Effect.gen(function*() {
          const app = yield* rpcApp({ serialization })
          const browser = yield* signedIn(app)
          const client = yield* browser[transport]
          assert.deepStrictEqual(Chunk.toReadonlyArray(yield* Stream.runCollect(client.NoTicks())), [])
          assert.strictEqual(yield* client.Me(), "without a chunk")
        }))

      it.scopedLive(`over ${transport} tell by a typed error that the store is away, and nothing besides`, () =>
        Effect.gen(function*() {
          const app = yield* rpcApp({ serialization })
          const browser = yield* signedIn(app)
          const client = yield* browser[transport]
          app.away.add("load")
          assert.deepStrictEqual(yield* errorOf(client.Me()), {
            _tag: "SessionGetError",
            reason: "StoreUnavailable",
            message: "The server could not read or change the session: StoreUnavailable"
          })
          assert.strictEqual(yield* reasonOf(client.Count()), "SessionGetError: StoreUnavailable")
          assert.strictEqual(
            yield* reasonOf(client.Put({ key: "a", value: "b" })),
            "SessionInsertError: StoreUnavailable"
          )
          assert.strictEqual(yield* reasonOf(client.Who()), "SessionGetError: StoreUnavailable")
          assert.strictEqual(
            yield* reasonOf(Stream.runCollect(client.NoTicks())),
            "SessionInsertError: StoreUnavailable"
          )
          app.away.clear()
          assert.strictEqual(yield* client.Me(), "ferris")
        }))
    }
  })
}

for (const transport of transports) {
  describe(`a call over ${transport}`, () => {
    it.scopedLive("that does not touch its session costs no call of the store", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp()
        const browser = yield* signedIn(app)
        const client = yield* browser[transport]
        assert.strictEqual(yield* client.Untouched(), "hello")
        assert.deepStrictEqual(app.calls, [])
        yield* client.Me()
        assert.deepStrictEqual(app.calls, ["load"])
      }))

    it.scopedLive("believes no cookie but that of the HTTP request", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp()
        const ferris = yield* signedIn(app)
        const corro = yield* signedIn(app, "corro")
        for (const headers of [{ cookie: corro.cookie() }, { Cookie: corro.cookie() }, { cookie: "id=x" }]) {
          const client = yield* ferris[transport]
          assert.strictEqual(yield* client.Me(undefined, { headers }), "ferris")
          assert.strictEqual(yield* client.Who(undefined, { headers }), "ferris")
          yield* client.Put({ key: "color", value: "red" }, { headers })
          const stranger = yield* app.browser()[transport]
          assert.isNull(yield* stranger.Me(undefined, { headers }))
          assert.strictEqual((yield* errorOf(stranger.Who(undefined, { headers })))._tag, "Unauthorized")
        }
        assert.deepStrictEqual(yield* (yield* corro.http).All(), { user: "corro" })
      }))

    it.scopedLive("has each of its sessions, and a guard asks its own", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp()
        const browser = yield* signedIn(app)
        const http = yield* browser.http
        yield* http.AdminLogin({ name: "root" })
        const client = yield* browser[transport]
        assert.deepStrictEqual([...browser.jar.keys()].sort(), ["admin", "id"])
        assert.deepStrictEqual(yield* client.Both(), ["ferris", "root"])
        assert.strictEqual(yield* client.Admin(), "root")
        assert.strictEqual(yield* client.Who(), "ferris")
        yield* client.PutBoth({ name: "both" })
        assert.deepStrictEqual(yield* http.Both(), ["both", "both"])
        browser.jar.delete("admin")
        const without = yield* browser[transport]
        assert.strictEqual((yield* errorOf(without.Admin()))._tag, "Unauthorized")
      }))

    it.scopedLive("that fails has written what it wrote", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp()
        const browser = yield* signedIn(app)
        const client = yield* browser[transport]
        assert.strictEqual(yield* Effect.flip(client.Fails()), "as it should")
        assert.strictEqual(yield* client.Me(), "kept")
      }))

    it.scopedLive("that a logout overtakes does not bring the session back, and is not answered with success", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp()
        const browser = yield* signedIn(app)
        const client = yield* browser[transport]
        const inFlight = yield* Effect.fork(errorOf(client.HeldCount()))
        yield* app.held
        yield* (yield* browser.http).Logout()
        yield* app.go
        assert.strictEqual(
          (yield* Fiber.join(inFlight))._tag,
          transport === "http" ? "RpcClientError" : "SessionInsertError"
        )
        assert.deepStrictEqual(yield* client.All(), {})
      }))

    it.scopedLive("is not answered with success where the store cannot keep what it wrote", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp()
        const browser = yield* signedIn(app)
        const client = yield* browser[transport]
        app.away.add("update")
        assert.strictEqual(
          yield* reasonOf(client.Count()),
          transport === "http" ? "RpcClientError: Protocol" : "SessionInsertError: StoreUnavailable"
        )
        app.away.clear()
        assert.strictEqual(yield* client.Count(), 1)
      }))

    it.scopedLive("ends its session when it is interrupted after it said so, and writes nothing else", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp()
        const browser = yield* signedIn(app)
        const client = yield* browser[transport]
        const writing = yield* Effect.fork(client.HeldCount())
        yield* app.held
        yield* Fiber.interrupt(writing)
        const leaving = yield* Effect.fork(client.HeldLogout())
        yield* app.held
        const http = yield* browser.http
        assert.deepStrictEqual(yield* http.All(), { user: "ferris" })
        yield* Fiber.interrupt(leaving)
        yield* until(Effect.map(http.All(), (all) => Object.keys(all).length === 0))
      }))

    it.scopedLive("needs no session middleware around its route", () =>
      Effect.gen(function*() {
        const app = yield* rpcApp({ isWrapped: false })
        const browser = yield* signedIn(app)
        const client = yield* browser[transport]
        assert.strictEqual(yield* client.Count(), 1)
        assert.deepStrictEqual(yield* (yield* browser.http).All(), { user: "ferris", counter: 1 })
        assert.strictEqual(yield* client.Who(), "ferris")
      }))
  })
}

describe("calls in one HTTP request", () => {
  const post = (app: RpcApp, body: string, cookie?: string, more: Readonly<Record<string, string>> = {}) =>
    Effect.promise(async () => {
      const response = await fetch(`http://${app.origin}/rpc`, {
        method: "POST",
        headers: {
          "content-type": "application/ndjson",
          connection: "close",
          ...(cookie === undefined ? {} : { cookie }),
          ...more
        },
        body
      })
      return { status: response.status, setCookies: response.headers.getSetCookie(), text: await response.text() }
    })

  it.scopedLive("share one session, which is loaded and stored once", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const calls = [["Count"], ["Count"], ["Put", { key: "a", value: "1" }], ["Put", {
        key: "b",
        value: "2"
      }]] as const
      const { status, text } = yield* post(app, messages(calls), browser.cookie())
      assert.strictEqual(status, 200)
      assert.lengthOf(text.trim().split("\n"), 4)
      assert.deepStrictEqual(app.calls, ["load", "update"])
      assert.deepStrictEqual(yield* (yield* browser.http).All(), { user: "ferris", counter: 2, a: "1", b: "2" })
    }))

  it.scopedLive("that come after the first answer are told that they are too late", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const response = yield* Effect.promise(() =>
        fetch(`http://${app.origin}/rpc`, {
          method: "POST",
          headers: { connection: "close", cookie: browser.cookie() },
          body: messages([["Untouched"], ["HeldCount"], ["LateCount"]])
        })
      )
      yield* Effect.zipRight(app.held, app.held)
      // What was written before the headers went out is kept.
      assert.strictEqual((yield* (yield* browser.http).All())["counter"], 1)
      yield* app.go
      const text = yield* Effect.promise(() => response.text())
      assert.include(text, "\"value\":1")
      assert.include(text, "ResponseSent")
      assert.strictEqual((yield* (yield* browser.http).All())["counter"], 1)
    }))

  it.scopedLive("become an empty 503 where the store cannot keep what they wrote, and a 409 where a logout was faster", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const cookie = browser.cookie()
      app.away.add("update")
      assert.deepStrictEqual(yield* post(app, messages([["Count"]]), cookie), { status: 503, setCookies: [], text: "" })
      app.away.clear()
      const inFlight = yield* Effect.fork(post(app, messages([["HeldCount"]]), cookie))
      yield* app.held
      yield* (yield* browser.http).Logout()
      yield* app.go
      assert.deepStrictEqual(yield* Fiber.join(inFlight), { status: 409, setCookies: [], text: "" })
    }))

  it.scopedLive("end their session also when a race around the middleware has answered in their place", () =>
    Effect.gen(function*() {
      const cut = yield* Deferred.make<void>()
      const app = yield* rpcApp({
        around: (app) =>
          Effect.flatMap(
            HttpServerRequest.HttpServerRequest,
            ({ headers }) =>
              "cut" in headers ? Effect.raceFirst(app, Effect.as(Deferred.await(cut), HttpServerResponse.empty())) : app
          )
      })
      const browser = yield* signedIn(app)
      const answer = yield* Effect.fork(post(app, messages([["LateLogout"]]), browser.cookie(), { cut: "1" }))
      yield* app.held
      yield* Deferred.succeed(cut, undefined)
      assert.strictEqual((yield* Fiber.join(answer)).status, 204)
      yield* app.go
      const http = yield* browser.http
      yield* until(Effect.map(http.All(), (all) => Object.keys(all).length === 0))
    }))

  it.scopedLive("take no cookie from their own headers, also where the request has none", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const { text } = yield* post(app, messages([["Me"], ["Who"]], [["cookie", browser.cookie()]]))
      assert.include(text, "\"value\":null")
      assert.include(text, "Unauthorized")
    }))

  it.scopedLive("that are not what they should be answer, and harm nobody", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const bad = [
        "nonsense\n",
        "{}\n",
        "null\n",
        messages([["Nobody"]]),
        messages([["Login", { name: 7 }]]),
        messages([["Me"]], [["cookie", "id=\u0000"]]),
        JSON.stringify({ _tag: "Request", id: 7, tag: "Me", payload: null, headers: [] }) + "\n",
        JSON.stringify({ _tag: "Request", id: "1", tag: "Me", payload: null, headers: "cookie" }) + "\n"
      ]
      for (const body of bad) {
        yield* post(app, body, browser.cookie())
      }
      assert.deepStrictEqual(yield* (yield* browser.http).All(), { user: "ferris" })
    }))
})

describe("messages of a WebSocket", () => {
  it.scopedLive("that need a cookie fail with a typed error and do nothing", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp({ config: { lifecycle: Config.BrowserSession({ rememberMe: "30 days" }) } })
      const browser = yield* signedIn(app)
      const socket = yield* browser.socket
      for (const call of [socket.Renew(), socket.Remember(), socket.Login({ name: "corro" })]) {
        assert.strictEqual(yield* reasonOf(call), "SessionInsertError: NeedsCookie")
      }
      assert.notInclude(app.calls, "renew")
      const stranger = yield* app.browser().socket
      for (
        const call of [stranger.Login({ name: "corro" }), stranger.Count(), stranger.Put({ key: "a", value: "b" })]
      ) {
        assert.strictEqual(yield* reasonOf(call), "SessionInsertError: NeedsCookie")
      }
      assert.strictEqual(
        yield* reasonOf(Stream.runCollect(stranger.NoTicks())),
        "SessionInsertError: NeedsCookie"
      )
      yield* stranger.Logout()
      assert.notInclude(app.calls, "save")
      assert.deepStrictEqual(app.logged, [])
    }))

  it.scopedLive("end a session in whose place they cannot begin another", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const socket = yield* browser.socket
      assert.strictEqual(yield* reasonOf(socket.Anew({ name: "corro" })), "SessionInsertError: NeedsCookie")
      assert.deepStrictEqual(yield* (yield* browser.http).All(), {})
    }))

  it.scopedLive("read a session that is kept in its cookie, and cannot change or end it", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp({ store: CookieSessionStore.layer })
      const browser = yield* signedIn(app)
      const socket = yield* browser.socket
      assert.strictEqual(yield* socket.Me(), "ferris")
      for (const call of [socket.Count(), socket.Logout()]) {
        assert.strictEqual(yield* reasonOf(call), "SessionInsertError: NeedsCookie")
      }
      // What is there already is no change.
      yield* socket.Put({ key: "user", value: "ferris" })
      assert.strictEqual(yield* reasonOf(Stream.runCollect(socket.Ticks())), "SessionInsertError: NeedsCookie")
      assert.deepStrictEqual(yield* (yield* browser.http).All(), { user: "ferris" })
    }))

  it.scopedLive("of a key that was renewed by itself go on in its grace, and raise no alarm after it", () =>
    Effect.gen(function*() {
      const clock = new HandClock()
      const lifecycle = Config.BrowserSession({ renewEvery: "15 minutes" })
      const app = yield* rpcApp({ clock, config: { lifecycle } })
      const browser = app.browser()
      const http = yield* browser.http
      yield* http.Login({ name: "ada" })
      const socket = yield* browser.socket
      const before = browser.cookie()
      clock.moveOn(900_000)
      assert.strictEqual(yield* socket.Count(), 1)
      assert.strictEqual(yield* http.Me(), "ada")
      assert.notStrictEqual(browser.cookie(), before)
      assert.strictEqual(yield* http.Count(), 2)
      assert.strictEqual(yield* socket.Count(), 3)
      clock.moveOn(60_000)
      const error = yield* Effect.flip(socket.Count())
      assert.deepStrictEqual([error._tag, "reason" in error && error.reason], ["SessionInsertError", "NeedsCookie"])
      assert.isNull(yield* socket.Me())
      assert.strictEqual(yield* http.Me(), "ada")
      assert.strictEqual(yield* http.Count(), 4)
    }))

  it.scopedLive("of a key that a renewal has replaced change nothing, and say so", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const socket = yield* browser.socket
      const inFlight = yield* Effect.fork(reasonOf(socket.HeldCount()))
      yield* app.held
      yield* (yield* browser.http).Login({ name: "corro" })
      yield* app.go
      assert.strictEqual(yield* Fiber.join(inFlight), "SessionInsertError: WritesLost")
      assert.isNull(yield* socket.Me())
      assert.deepStrictEqual(yield* (yield* browser.http).All(), { user: "corro" })
    }))

  for (const isWrapped of [true, false]) {
    it.scopedLive(`end their session also when their socket has gone, ${isWrapped ? "with" : "without"} a middleware`, () =>
      Effect.gen(function*() {
        const app = yield* rpcApp({ isWrapped })
        const browser = yield* signedIn(app)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Effect.forkDaemon((yield* browser.socket).LateLogout())
          yield* app.held
        }))
        yield* app.deserted
        yield* app.go
        const http = yield* browser.http
        yield* until(Effect.map(http.All(), (all) => Object.keys(all).length === 0))
      }))
  }

  it.scopedLive("are answered with success all the same where the app prefers the old answer", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp({ config: { lostWrites: "Ignore" } })
      const browser = yield* signedIn(app)
      const socket = yield* browser.socket
      const inFlight = yield* Effect.fork(socket.HeldCount())
      yield* app.held
      yield* (yield* browser.http).Logout()
      yield* app.go
      assert.strictEqual(yield* Fiber.join(inFlight), 1)
      assert.deepStrictEqual(yield* socket.All(), {})
    }))

  it.scopedLive("send no chunk of a stream whose changes are not kept", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const socket = yield* browser.socket
      app.away.add("update")
      const seen: Array<string> = []
      const exit = yield* Effect.exit(Stream.runForEach(socket.Ticks(), (tick) => Effect.sync(() => seen.push(tick))))
      assert.deepStrictEqual(seen, [])
      const error = Option.getOrThrow(Cause.failureOption(Exit.isFailure(exit) ? exit.cause : Cause.empty))
      assert.strictEqual((error as Session.SessionInsertError).reason, "StoreUnavailable")
      app.away.clear()
      assert.strictEqual(yield* socket.Me(), "ferris")
    }))

  it.scopedLive("extend their session each, where each request does", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp({
        config: { lifecycle: Config.BrowserSession({ ttlExtension: "OnEveryRequest" }) }
      })
      const browser = yield* signedIn(app)
      const socket = yield* browser.socket
      app.calls.length = 0
      yield* socket.Untouched()
      yield* socket.Untouched()
      assert.deepStrictEqual(app.calls, ["updateTtl", "updateTtl"])
      app.away.add("updateTtl")
      assert.strictEqual(yield* socket.Untouched(), "hello")
      assert.match(app.logged.join(), /could not be refreshed/)
    }))

  it.scopedLive("that are not what they should be leave the socket and the session as they are", () =>
    Effect.gen(function*() {
      const app = yield* rpcApp()
      const browser = yield* signedIn(app)
      const socket = new WebSocket(`ws://${app.origin}/socket`, { headers: { cookie: browser.cookie() } })
      yield* Effect.addFinalizer(() => Effect.sync(() => socket.terminate()))
      yield* Effect.promise(() => once(socket, "open"))
      const say = (text: string) =>
        Effect.promise(async () => {
          const answer = once(socket, "message")
          socket.send(text)
          return String((await answer)[0])
        })
      assert.include(yield* say(messages([["Login", { name: 7 }]])), "Die")
      assert.include(yield* say(messages([["Nobody"]])), "Unknown request tag")
      assert.include(yield* say(messages([["Me"]], [["cookie", "x"]])), "ferris")
      assert.deepStrictEqual(yield* (yield* browser.http).All(), { user: "ferris" })
    }))
})

describe("an app whose protocol knows nothing of sessions", () => {
  class Ask extends RpcGroup.make(Rpc.make("Me", { success: Schema.String })).middleware(SessionRpc.Sessions) {}

  const AskLive = Ask.toLayer({ Me: () => Effect.as(Session.Session, "me") })

  const built = (
    rpcs: Layer.Layer<never, never, any>
  ): Effect.Effect<Exit.Exit<unknown, unknown>> =>
    Effect.exit(
      Effect.scoped(
        Layer.build(
          rpcs.pipe(
            Layer.provide([AskLive, RpcSerialization.layerNdjson, HttpLayerRouter.layer]),
            Layer.provide(SessionMiddleware.layer({ keys: Config.generateKey() })),
            Layer.provide(MemorySessionStore.layer())
          ) as Layer.Layer<never, unknown>
        )
      )
    )

  for (const protocol of ["http", "websocket"] as const) {
    it.live(`fails when it is built, and says what is missing: ${protocol}`, () =>
      Effect.gen(function*() {
        const exit = yield* built(
          RpcServer.layerHttpRouter({ group: Ask, path: "/rpc", protocol }).pipe(
            Layer.provide(SessionRpc.Sessions.layer as Layer.Layer<SessionRpc.Sessions, never, any>)
          )
        )
        assert.isTrue(Exit.isFailure(exit))
        assert.match(String(exit), /Put SessionRpc\.protocol around it/)
      }))
  }

  it.live("is built with one that does", () =>
    Effect.gen(function*() {
      const exit = yield* built(
        RpcServer.layer(Ask).pipe(
          Layer.provide(SessionRpc.Sessions.layer),
          Layer.provide(SessionRpc.protocol(RpcServer.layerProtocolHttpRouter({ path: "/rpc" })))
        )
      )
      assert.isTrue(Exit.isSuccess(exit), String(exit))
    }))

  it.live("fails when it is built without the session's own middleware", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(
        Effect.scoped(
          Layer.build(
            RpcServer.layer(Ask).pipe(
              Layer.provide([AskLive, SessionRpc.Sessions.layer]),
              Layer.provide(SessionRpc.protocol(RpcServer.layerProtocolHttpRouter({ path: "/rpc" }))),
              Layer.provide([RpcSerialization.layerNdjson, HttpLayerRouter.layer])
            ) as unknown as Layer.Layer<never, unknown>
          )
        )
      )
      assert.isTrue(Exit.isFailure(exit))
      assert.match(
        Cause.pretty(Exit.isFailure(exit) ? exit.cause : Cause.empty),
        /Service not found: effect-session\/SessionMiddleware/
      )
    }))
})
