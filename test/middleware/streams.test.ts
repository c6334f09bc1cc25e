import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { type Options, serve, StoreCalls } from "../acceptance/servedApp.js"
import { Counter, User } from "../support/webApp.js"

type Work = (session: Session.Session) => Effect.Effect<unknown, unknown>

const read: Work = (session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries))
const login: Work = (session) => session.insert(User, "ferris")
const nothing: Work = () => Effect.void

/** An app that does `before` in its handler and each of `during` in an event of the body it streams. */
const streaming = (before: Work, during: ReadonlyArray<Work>, options: Options = {}) =>
  Effect.gen(function*() {
    const handler = Effect.gen(function*() {
      const session = yield* Session.Session
      const request = yield* HttpServerRequest.HttpServerRequest
      if (request.url === "/login") {
        yield* login(session)
        return HttpServerResponse.empty()
      }
      yield* before(session)
      const events = Stream.fromIterable(during).pipe(
        Stream.mapEffect((work) => Effect.either(work(session))),
        Stream.map((outcome) =>
          `data: ${JSON.stringify(outcome._tag === "Right" ? outcome.right ?? null : outcome.left)}\n\n`
        ),
        Stream.encodeText
      )
      return HttpServerResponse.stream(events, { contentType: "text/event-stream" })
    })
    const context = yield* Layer.build(serve(Effect.orDie(handler), options))
    const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
    const port = address._tag === "TcpAddress" ? address.port : 0
    const visit = (path: string, cookie?: string, signal: AbortSignal | null = null) =>
      Effect.promise(async () => {
        // A kept connection may be closed by the server just when it is used again: each request has one of its own.
        const headers = { connection: "close", ...cookie === undefined ? {} : { cookie } }
        const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers, signal })
        const line = response.headers.getSetCookie()[0]
        return { line, cookie: line?.split(";")[0], response }
      })
    return {
      calls: yield* Effect.provide(StoreCalls, context),
      login: Effect.map(visit("/login"), ({ cookie }) => cookie!),
      open: (cookie?: string, signal?: AbortSignal) => visit("/", cookie, signal),
      events: (cookie?: string) =>
        Effect.flatMap(visit("/", cookie), ({ line, response }) =>
          Effect.promise(async () => ({
            line,
            status: response.status,
            events: (await response.text()).trim().split("\n\n").map((event): unknown => JSON.parse(event.slice(6)))
          })))
    }
  })

describe("a streamed body", () => {
  it.scopedLive("reads the session that the handler had read", () =>
    Effect.gen(function*() {
      const app = yield* streaming(read, [read, (session) => session.get(User), (session) => session.status])
      const { events } = yield* app.events(yield* app.login)
      assert.deepStrictEqual(events, [
        { user: "ferris" },
        { _id: "Option", _tag: "Some", value: "ferris" },
        "Unchanged"
      ])
      assert.deepStrictEqual(app.calls, ["save", "load"])
    }))

  for (
    const [what, lifecycle] of [
      ["", undefined],
      [", which was refreshed", Config.PersistentSession({ ttlExtension: "OnEveryRequest" })],
      [
        ", which was refreshed by what it is",
        Config.BrowserSession({ ttlExtension: "OnEveryRequest", rememberMe: "9 days" })
      ]
    ] as const
  ) {
    it.scopedLive(`reads a session that the handler had not touched${what}`, () =>
      Effect.gen(function*() {
        const app = yield* streaming(nothing, [read, read, (session) => session.contains("nothing")], {
          config: lifecycle === undefined ? {} : { lifecycle }
        })
        const { events } = yield* app.events(yield* app.login)
        assert.deepStrictEqual(events, [{ user: "ferris" }, { user: "ferris" }, false])
        assert.strictEqual(app.calls.filter((verb) => verb === "load").length, 1)
      }))
  }

  it.scopedLive("of a stranger reads an empty session", () =>
    Effect.gen(function*() {
      const app = yield* streaming(nothing, [read, (session) => session.id])
      const { events, line } = yield* app.events()
      assert.deepStrictEqual(events, [{}, { _id: "Option", _tag: "None" }])
      assert.isUndefined(line)
      assert.deepStrictEqual(app.calls, [])
    }))

  it.scopedLive("reads what the handler wrote, which was stored and has its cookie", () =>
    Effect.gen(function*() {
      const count: Work = (session) => session.updateOr(Counter, 1, (n) => n + 1)
      const app = yield* streaming(count, [read])
      const first = yield* app.events()
      assert.deepStrictEqual(first.events, [{ counter: 1 }])
      const second = yield* app.events(first.line!.split(";")[0])
      assert.deepStrictEqual(second.events, [{ counter: 2 }])
      assert.isUndefined(second.line)
      assert.deepStrictEqual(app.calls, ["save", "load", "update"])
    }))

  it.scopedLive("reads the state that the handler left in the cookie store", () =>
    Effect.gen(function*() {
      const count: Work = (session) => session.updateOr(Counter, 1, (n) => n + 1)
      const app = yield* streaming(count, [read], { store: CookieSessionStore.layer })
      const first = yield* app.events()
      const second = yield* app.events(first.line!.split(";")[0])
      assert.deepStrictEqual(second.events, [{ counter: 2 }])
      assert.isDefined(second.line)
    }))

  it.scopedLive("finds nothing after the handler's purge, whose cookie is removed", () =>
    Effect.gen(function*() {
      const app = yield* streaming((session) => session.purge, [read])
      const { events, line } = yield* app.events(yield* app.login)
      assert.deepStrictEqual(events, [{}])
      assert.include(line!, "Max-Age=0")
    }))

  const writes: ReadonlyArray<readonly [name: string, work: Work]> = [
    ["insert", (session) => session.insert(User, "corro")],
    ["update", (session) => session.update(User, (name) => `${name}!`)],
    ["updateOr", (session) => session.updateOr(Counter, 1, (n) => n + 1)],
    ["remove", (session) => session.remove(User)],
    ["removeAs", (session) => session.removeAs(User)],
    ["clear", (session) => session.clear],
    ["purge", (session) => session.purge],
    ["purgeWith", (session) => session.purgeWith({ clearSiteData: ["*"] })],
    ["renew", (session) => session.renew],
    ["remember", (session) => session.remember()]
  ]
  for (const [position, before] of [["has read", read], ["has not touched", nothing]] as const) {
    it.scopedLive(`cannot write to a session that the handler ${position}: a typed error, and the stream goes on`, () =>
      Effect.gen(function*() {
        const app = yield* streaming(before, [...writes.map(([, work]) => work), read], {
          config: { lifecycle: Config.BrowserSession({ rememberMe: "30 days" }) }
        })
        const cookie = yield* app.login
        const { events, line, status } = yield* app.events(cookie)
        assert.strictEqual(status, 200)
        assert.isUndefined(line)
        writes.forEach(([name], index) => {
          assert.deepInclude(events[index] as object, { _tag: "SessionInsertError", reason: "ResponseSent" }, name)
        })
        assert.deepStrictEqual(events[writes.length], { user: "ferris" })
        assert.deepStrictEqual((yield* app.events(cookie)).events[writes.length], { user: "ferris" })
        assert.deepStrictEqual(app.calls.filter((verb) => verb !== "load"), ["save"])
      }))
  }

  it.scopedLive("that dies breaks off its own response and nothing else", () =>
    Effect.gen(function*() {
      const app = yield* streaming(nothing, [read, () => Effect.die("a defect in the stream"), read])
      const cookie = yield* app.login
      for (let round = 0; round < 2; round++) {
        const { events, status } = yield* app.events(cookie)
        assert.strictEqual(status, 200)
        assert.deepStrictEqual(events, [{ user: "ferris" }])
      }
    }))

  it.scopedLive("may be left by its reader, and the cookie of before was set", () =>
    Effect.gen(function*() {
      const isOver = yield* Deferred.make<void>()
      const endless: Work = () => Effect.onInterrupt(Effect.never, () => Deferred.succeed(isOver, undefined))
      const app = yield* streaming(login, [read, endless])
      const leave = new AbortController()
      const { cookie, response } = yield* app.open(undefined, leave.signal)
      const first = yield* Effect.promise(() => response.body!.getReader().read())
      assert.strictEqual(new TextDecoder().decode(first.value), "data: {\"user\":\"ferris\"}\n\n")
      leave.abort()
      yield* Deferred.await(isOver)
      assert.isDefined(cookie)
      assert.deepStrictEqual(app.calls, ["save"])
    }))
})
