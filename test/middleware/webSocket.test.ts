import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Socket from "@effect/platform/Socket"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Queue from "effect/Queue"
import { serve, StoreCalls } from "../acceptance/servedApp.js"
import { HandClock } from "../support/handClock.js"
import { Counter, User } from "../support/webApp.js"
import { type Client, connect } from "../support/webSocketClient.js"

type Work = (session: Session.Session) => Effect.Effect<unknown, unknown>

interface Options {
  readonly store?: Layer.Layer<SessionStore.SessionStore, unknown>
  readonly config?: Partial<Config.SessionOptions>
  readonly clock?: Layer.Layer<never>
}

/**
 * An app that greets at `/plain`, refuses an upgrade at `/401` and the like, and upgrades at `/socket`, where each
 * message runs the work of that name. `/fails` fails inside the socket with the first message.
 */
const appWith = (works: Record<string, Work>, options: Options = {}) =>
  Effect.gen(function*() {
    const ended = yield* Queue.unbounded<void>()
    const warnings: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) {
        warnings.push(String(message))
      }
    })
    const work = (name: string, session: Session.Session) =>
      Effect.map(works[name]!(session), (result) => JSON.stringify(result ?? null))
    const handler = Effect.gen(function*() {
      const session = yield* Session.Session
      const request = yield* HttpServerRequest.HttpServerRequest
      const { pathname, searchParams } = new URL(request.url, "http://app.test")
      if (pathname === "/socket" || pathname === "/fails") {
        // The scope of a request, which platform provides, ends after its commit.
        yield* Effect.addFinalizer(() => Queue.offer(ended, undefined))
        const socket = yield* request.upgrade
        const write = yield* socket.writer
        yield* socket.runRaw((message) =>
          message === "bye" ? write(new Socket.CloseEvent(1000)) : work(String(message), session).pipe(
            Effect.flatMap(write),
            Effect.zipRight(pathname === "/fails" ? Effect.fail("failed inside the socket") : Effect.void)
          )
        )
        return HttpServerResponse.empty()
      }
      const text = yield* work(searchParams.get("work")!, session)
      return HttpServerResponse.text(text, { status: Number(pathname.slice(1)) })
    }).pipe(Effect.orDie) as HttpApp.Default<never, Session.Session>
    const context = yield* Layer.build(
      serve(handler, options).pipe(
        Layer.provide(Logger.replace(Logger.defaultLogger, logger)),
        Layer.provide(options.clock ?? Layer.empty)
      )
    )
    const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
    const port = address._tag === "TcpAddress" ? address.port : 0
    const calls = yield* Effect.provide(StoreCalls, context)
    warnings.length = 0
    return {
      warnings,
      calls,
      /** Waits until a request that was upgraded is committed. */
      ended: Queue.take(ended),
      get: (name: string, cookie?: string) =>
        Effect.promise(async () => {
          // A kept connection may be closed by the server just when it is used again: each request has one of its own.
          const headers = { connection: "close", ...cookie === undefined ? {} : { cookie } }
          const response = await fetch(`http://127.0.0.1:${port}/200?work=${name}`, { headers })
          return {
            body: JSON.parse(await response.text()) as unknown,
            cookies: response.headers.getSetCookie(),
            cookie: response.headers.getSetCookie()[0]?.split(";")[0]
          }
        }),
      connect: (path: string, cookie?: string) =>
        Effect.acquireRelease(
          Effect.promise(() => connect(port, path, cookie)),
          (client) => Effect.sync(() => client.status === 101 && client.destroy())
        )
    }
  })

const say = (client: Client, message: string) =>
  Effect.promise(() => {
    client.send(message)
    return client.next()
  })

const works: Record<string, Work> = {
  count: (session) => session.updateOr(Counter, 1, (n) => n + 1),
  read: (session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries)),
  login: (session) => session.insert(User, "ferris"),
  renew: (session) => session.renew,
  purge: (session) => session.purge,
  remember: (session) => session.remember()
}

/** All the ways in which a socket ends, by the path of the handler. */
const endings: ReadonlyArray<readonly [what: string, path: "/socket" | "/fails", end: (client: Client) => unknown]> = [
  ["is closed by the client", "/socket", (client) => client.close(1000)],
  ["is left by a page that goes away", "/socket", (client) => client.close(1001)],
  ["is closed by the handler", "/socket", (client) => {
    client.send("bye")
    return client.next()
  }],
  ["is cut off", "/socket", (client) => client.destroy()],
  ["ends with a handler that fails", "/fails", () => {}]
]

describe("the session of a WebSocket", () => {
  it.scopedLive("can be read inside the socket, also for the first time", () =>
    Effect.gen(function*() {
      const app = yield* appWith(works)
      const { cookie } = yield* app.get("count")
      const client = yield* app.connect("/socket", cookie)
      assert.strictEqual(client.status, 101)
      app.calls.length = 0
      assert.strictEqual(yield* say(client, "read"), "{\"counter\":1}")
      assert.strictEqual(yield* say(client, "read"), "{\"counter\":1}")
      assert.deepStrictEqual(app.calls, ["load"])
      const stranger = yield* app.connect("/socket")
      assert.strictEqual(yield* say(stranger, "read"), "{}")
      client.close(1000)
      yield* app.ended
      assert.deepStrictEqual(app.warnings, [])
    }))

  for (const [what, path, end] of endings) {
    it.scopedLive(`is stored as it was changed when the socket ${what}`, () =>
      Effect.gen(function*() {
        const app = yield* appWith(works)
        const { cookie } = yield* app.get("login")
        const client = yield* app.connect(path, cookie)
        assert.strictEqual(yield* say(client, "count"), "1")
        if (path === "/socket") {
          assert.deepStrictEqual((yield* app.get("read", cookie)).body, { user: "ferris" })
        }
        end(client)
        yield* app.ended
        assert.deepStrictEqual((yield* app.get("read", cookie)).body, { user: "ferris", counter: 1 })
        assert.deepStrictEqual(app.warnings.filter((line) => line.includes("cookie")), [])
      }))

    it.scopedLive(`keeps its key when it was renewed in a socket that ${what}, and a warning says so`, () =>
      Effect.gen(function*() {
        const app = yield* appWith({
          ...works,
          both: (session) => Effect.zipRight(session.renew, session.insert(User, "corro"))
        })
        const { cookie } = yield* app.get("count")
        const client = yield* app.connect(path, cookie)
        yield* say(client, "both")
        end(client)
        yield* app.ended
        assert.notInclude(app.calls, "renew")
        assert.deepStrictEqual((yield* app.get("read", cookie)).body, { counter: 1, user: "corro" })
        assert.strictEqual(app.warnings.filter((line) => /can set no session cookie.*\(Renew\)/.test(line)).length, 1)
      }))

    it.scopedLive(`is not begun in a socket that ${what}, and a warning says so`, () =>
      Effect.gen(function*() {
        const app = yield* appWith(works)
        const client = yield* app.connect(path)
        yield* say(client, "login")
        end(client)
        yield* app.ended
        assert.deepStrictEqual(app.calls, [])
        assert.strictEqual(app.warnings.filter((line) => /can set no session cookie.*\(Save\)/.test(line)).length, 1)
      }))
  }

  it.scopedLive("ends with a purge, which needs no cookie", () =>
    Effect.gen(function*() {
      const app = yield* appWith(works)
      const { cookie } = yield* app.get("login")
      const client = yield* app.connect("/socket", cookie)
      yield* say(client, "purge")
      client.close(1000)
      yield* app.ended
      assert.deepStrictEqual((yield* app.get("read", cookie)).body, {})
      assert.deepStrictEqual(app.warnings, [])
    }))

  it.scopedLive("ends with a purge that a new session should have followed, and a warning says what is missing", () =>
    Effect.gen(function*() {
      const app = yield* appWith({
        ...works,
        anew: (session) => Effect.zipRight(session.purge, session.insert(User, "corro"))
      })
      const { cookie } = yield* app.get("login")
      const client = yield* app.connect("/socket", cookie)
      yield* say(client, "anew")
      client.close(1000)
      yield* app.ended
      assert.deepStrictEqual((yield* app.get("read", cookie)).body, {})
      assert.strictEqual(app.calls.filter((verb) => verb === "save").length, 1)
      assert.match(app.warnings.join(), /\(Replace\)/)
    }))

  it.scopedLive("that another request has ended stays ended", () =>
    Effect.gen(function*() {
      const app = yield* appWith(works)
      const { cookie } = yield* app.get("login")
      const client = yield* app.connect("/socket", cookie)
      yield* say(client, "count")
      yield* app.get("purge", cookie)
      client.close(1000)
      yield* app.ended
      assert.deepStrictEqual((yield* app.get("read", cookie)).body, {})
    }))

  it.scopedLive("with a Max-Age is stored without a warning, though its cookie is not refreshed", () =>
    Effect.gen(function*() {
      const app = yield* appWith(works, { config: { lifecycle: Config.PersistentSession() } })
      const { cookie } = yield* app.get("login")
      const client = yield* app.connect("/socket", cookie)
      yield* say(client, "count")
      client.close(1000)
      yield* app.ended
      assert.deepStrictEqual((yield* app.get("read", cookie)).body, { user: "ferris", counter: 1 })
      assert.deepStrictEqual(app.warnings, [])
    }))

  it.scopedLive("is extended once in a while when the socket ends, by the time that has passed until then", () =>
    Effect.gen(function*() {
      const clock = new HandClock()
      const lifecycle = Config.PersistentSession({ ttl: "1 hour", ttlExtension: { every: "5 minutes" } })
      for (const store of [MemorySessionStore.layer(), CookieSessionStore.layer]) {
        const app = yield* appWith(works, { clock: Layer.setClock(clock), config: { lifecycle }, store })
        const { cookie } = yield* app.get("login")
        for (const [passed, calls] of [[0, "load"], [300_000, "load updateTtl"]] as const) {
          const client = yield* app.connect("/socket", cookie)
          app.calls.length = 0
          assert.strictEqual(yield* say(client, "read"), "{\"user\":\"ferris\"}")
          clock.moveOn(passed)
          client.close(1000)
          yield* app.ended
          assert.strictEqual(app.calls.join(" "), calls)
        }
        assert.deepStrictEqual(app.warnings, [])
      }
    }))

  it.scopedLive("is remembered in the store, and a warning says that the cookie does not know", () =>
    Effect.gen(function*() {
      const app = yield* appWith(works, { config: { lifecycle: Config.BrowserSession({ rememberMe: "30 days" }) } })
      const { cookie } = yield* app.get("login")
      const client = yield* app.connect("/socket", cookie)
      yield* say(client, "remember")
      client.close(1000)
      yield* app.ended
      assert.strictEqual(app.warnings.length, 1)
      assert.match((yield* app.get("count", cookie)).cookies[0]!, /Max-Age=2592000/)
    }))

  it.scopedLive("in the cookie store cannot be changed, and a warning says so", () =>
    Effect.gen(function*() {
      const app = yield* appWith(works, { store: CookieSessionStore.layer })
      const { cookie } = yield* app.get("login")
      const client = yield* app.connect("/socket", cookie)
      assert.strictEqual(yield* say(client, "read"), "{\"user\":\"ferris\"}")
      yield* say(client, "count")
      client.close(1000)
      yield* app.ended
      assert.deepStrictEqual((yield* app.get("read", cookie)).body, { user: "ferris" })
      assert.match(app.warnings.join(), /can set no session cookie.*\(Update\)/)
    }))

  it.scopedLive("leaves nothing unhandled behind when clients go away at any moment", () =>
    Effect.gen(function*() {
      const unhandled: Array<unknown> = []
      const note = (reason: unknown) => unhandled.push(reason)
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          process.on("unhandledRejection", note)
          process.on("uncaughtExceptionMonitor", note)
        }),
        () =>
          Effect.sync(() => {
            process.off("unhandledRejection", note)
            process.off("uncaughtExceptionMonitor", note)
          })
      )
      const app = yield* appWith(works)
      const { cookie } = yield* app.get("login")
      for (let round = 0; round < 10; round++) {
        const [idle, busy, talking] = yield* Effect.all([0, 1, 2].map(() => app.connect("/socket", cookie)), {
          concurrency: "unbounded"
        })
        idle!.destroy()
        busy!.send("count")
        busy!.destroy()
        yield* say(talking!, "count")
        talking!.destroy()
        yield* app.ended
        yield* app.ended
        yield* app.ended
      }
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
      assert.deepStrictEqual(unhandled, [])
      assert.strictEqual(((yield* app.get("read", cookie)).body as { readonly user: string }).user, "ferris")
    }))
})

describe("an upgrade that is refused", () => {
  for (const status of [200, 302, 401, 403, 404, 500]) {
    it.scopedLive(`with ${status} answers like any other request: its changes are stored and its cookie is set`, () =>
      Effect.gen(function*() {
        const app = yield* appWith(works)
        const client = yield* app.connect(`/${status}?work=count`)
        assert.strictEqual(client.status, status)
        const cookie = client.setCookies[0]!.split(";")[0]!
        assert.deepStrictEqual((yield* app.get("read", cookie)).body, { counter: 1 })
        const renewed = yield* app.connect(`/${status}?work=renew`, cookie)
        assert.notStrictEqual(renewed.setCookies[0]!.split(";")[0], cookie)
        const key = renewed.setCookies[0]!.split(";")[0]!
        assert.match((yield* app.connect(`/${status}?work=purge`, key)).setCookies.join(), /Max-Age=0/)
        assert.deepStrictEqual((yield* app.get("read", key)).body, {})
        assert.deepStrictEqual(app.warnings, [])
      }))
  }
})

describe("an upgrade on a runtime that does not tell whether there was one", () => {
  const answered = (status: number) =>
    Effect.gen(function*() {
      const store = yield* Layer.build(MemorySessionStore.layer())
      const middleware = yield* Effect.provide(SessionMiddleware.make({ keys: Config.generateKey() }), store)
      const app = Effect.gen(function*() {
        const session = yield* Session.Session
        yield* session.insert(Counter, 1)
        return HttpServerResponse.empty({ status })
      })
      const handler = HttpApp.toWebHandlerRuntime(yield* Effect.runtime<never>())(
        SessionMiddleware.sessionWith(middleware)(app)
      )
      const request = new Request("https://app.test/", { headers: { upgrade: "WebSocket" } })
      const response = yield* Effect.promise(() => handler(request))
      return response.headers.has("set-cookie")
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))

  for (
    const [status, hasCookie] of [[200, false], [204, false], [302, true], [401, true], [403, true], [
      500,
      false
    ]] as const
  ) {
    it.scoped(`sets ${hasCookie ? "a" : "no"} cookie with ${status}`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* answered(status), hasCookie)
      }))
  }
})
