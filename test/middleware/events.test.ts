import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as SessionEvent from "effect-session/SessionEvent"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMetrics from "effect-session/SessionMetrics"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as TestSession from "effect-session/testing/TestSession"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import { inspect } from "node:util"
import { pause } from "../support/breathing.js"
import { eventsDuring } from "../support/heardEvents.js"
import { settle, until } from "../support/settle.js"
import { waiting } from "../support/waitingStore.js"
import { Counter, handle, type Handler, makeWebApp, User } from "../support/webApp.js"

const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const read = handle((session) => Effect.asVoid(session.entries))
const renew = handle((session) => session.renew)
const purge = handle((session) => session.purge)

const answering = (handler: Handler) => Effect.orDie(handler)

const AuditedApp = HttpRouter.empty.pipe(
  HttpRouter.get("/read", answering(read)),
  HttpRouter.get("/in", answering(handle((session) => Effect.zipRight(session.renew, session.insert(User, "ada"))))),
  HttpRouter.get("/out", answering(purge)),
  SessionMiddleware.session,
  HttpServer.serve(),
  Layer.provideMerge(TestSession.layerMiddleware()),
  Layer.provideMerge(NodeHttpServer.layerTest)
)

const tags = (events: ReadonlyArray<SessionEvent.SessionEvent>) => events.map((event) => event._tag)

describe("session events", () => {
  it.scoped("tell the life of a session, under one id", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      const events = yield* eventsDuring(
        app,
        Effect.gen(function*() {
          yield* browser.visit(increment)
          yield* browser.visit(read)
          yield* browser.visit(increment)
          yield* browser.visit(renew)
          yield* browser.visit(purge)
        })
      )
      assert.deepStrictEqual(tags(events), ["Created", "Renewed", "Purged"])
      assert.strictEqual(new Set(events.map((event) => "id" in event && event.id)).size, 1)
    }))

  it.scoped("tell of keys that open nothing, and why", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const { config, contentSecurity, crypto } = app.middleware
      const browser = app.browser()
      yield* browser.visit(increment)
      const old = browser.cookie()
      yield* browser.visit(renew)
      const other = app.browser()
      yield* other.visit(increment)
      const foreign = CookieCrypto.make({
        name: "other",
        keys: config.keys,
        contentSecurity,
        format: config.cookieFormat
      })
      const named = (value: string) => `__Host-id=${value}`
      const cookies: Record<string, string> = {
        "KeySuperseded": old,
        "KeyExpired": named(crypto.seal(SessionKey.toText(SessionKey.mint()))),
        "KeyRefused: BrokenSeal": named("forged"),
        "KeyRefused: BrokenSeal, for another name": named(foreign.seal(SessionKey.toText(SessionKey.mint()))),
        "KeyRefused: MalformedKey": named(crypto.seal("no key")),
        "KeyRefused: Ambiguous": `${browser.cookie()}; ${other.cookie()}`,
        "KeyRefused: TooManyCookies": Array.from({ length: 17 }, (_, i) => named(String(i))).join("; ")
      }
      for (const [expected, cookie] of Object.entries(cookies)) {
        const events = yield* eventsDuring(app, app.request(read, cookie))
        const told = events.map((event) => event._tag === "KeyRefused" ? `KeyRefused: ${event.reason}` : event._tag)
        assert.deepStrictEqual(told, [expected.split(",")[0]])
      }
    }))

  it.scoped("tell of sessions that ended under a request, of conflicts and of a store that is away", () =>
    Effect.gen(function*() {
      let isAway = false
      const app = yield* makeWebApp({
        wrap: (store) => ({
          ...store,
          load: (key, now) =>
            isAway
              ? Effect.fail(new SessionStore.LoadError({ reason: "Unavailable", message: "away" }))
              : store.load(key, now)
        })
      })
      const browser = app.browser()
      yield* browser.visit(increment)
      const cookie = browser.cookie()
      const during = (meanwhile: typeof read, work: typeof read) =>
        Effect.andThen(read, Effect.zipRight(Effect.orDie(app.request(meanwhile, cookie)), work))
      const conflict = yield* eventsDuring(
        app,
        app.request(
          handle((session) =>
            session.update(Counter, (n) => n + 1).pipe(Effect.zipLeft(app.request(increment, cookie)))
          ),
          cookie
        )
      )
      assert.deepStrictEqual(tags(conflict), ["Conflict"])
      const gone = yield* eventsDuring(app, app.request(during(purge, increment), cookie))
      assert.deepStrictEqual(tags(gone), ["Purged", "Gone", "WritesLost"])
      assert.deepInclude(gone.at(-1), { reason: "Ended" })
      isAway = true
      const away = yield* eventsDuring(app, app.request(read, cookie))
      assert.deepStrictEqual(away, [{ _tag: "StoreUnavailable", during: "load" }])
    }))

  it.scoped("tell of writes that a replaced key did not keep, and of none where it asked for none", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      yield* browser.visit(increment)
      const cookie = browser.cookie()
      const inFlight = yield* eventsDuring(
        app,
        app.request(Effect.andThen(read, Effect.zipRight(Effect.orDie(browser.visit(renew)), increment)), cookie)
      )
      assert.deepStrictEqual(tags(inFlight), ["Renewed", "WritesLost"])
      assert.deepInclude(inFlight.at(-1), { reason: "Superseded" })
      const late = yield* eventsDuring(app, app.request(increment, cookie))
      assert.deepStrictEqual(tags(late), ["KeySuperseded", "WritesLost"])
      assert.deepInclude(late.at(-1), { reason: "Superseded" })
      assert.deepStrictEqual(tags(yield* eventsDuring(app, app.request(read, cookie))), ["KeySuperseded"])
    }))

  it.scoped("carry neither key nor value", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const browser = app.browser()
      const secrets: Array<string> = []
      const events = yield* eventsDuring(
        app,
        Effect.gen(function*() {
          yield* browser.visit(handle((session) => session.insert(User, "planted")))
          secrets.push(browser.jar.get("__Host-id")!)
          yield* browser.visit(renew)
          secrets.push(browser.jar.get("__Host-id")!)
          yield* browser.visit(purge)
        })
      )
      const printed = inspect(events, { depth: 9 }) + JSON.stringify(events)
      for (const cookie of secrets) {
        const key = Option.getOrThrow(app.middleware.crypto.open(cookie)).plaintext
        assert.notInclude(printed, key.split(".")[1]!)
        assert.notInclude(printed, cookie)
      }
      assert.notInclude(printed, "planted")
    }))

  it.scoped("a listener that fails, dies or never takes anything harms neither requests nor other listeners", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const failing = yield* Effect.fork(Stream.runForEach(app.middleware.events, () => Effect.fail("listener")))
      const dying = yield* Effect.fork(Stream.runForEach(app.middleware.events, () => Effect.die("listener")))
      yield* Effect.fork(Stream.runForEach(app.middleware.events, () => Effect.never))
      const events = yield* eventsDuring(
        app,
        Effect.forEach(
          Array.from({ length: 3_000 }),
          (_, round) => Effect.zipLeft(app.request(read, "__Host-id=forged"), pause(round))
        )
      )
      const refusals = events.filter(SessionEvent.$is("KeyRefused"))
      assert.strictEqual(refusals.reduce((sum, { count }) => sum + count, 0), 3_000)
      assert.isTrue(Exit.isFailure(yield* Fiber.await(failing)))
      assert.isTrue(Exit.isFailure(yield* Fiber.await(dying)))
    }))
})

describe("an audit that takes its time", () => {
  it.scopedLive("hears of every sign-in and sign-out among bogus cookies, over sockets, and of each of those in a count", () =>
    Effect.gen(function*() {
      const gate = yield* Effect.makeSemaphore(0)
      const heard: Array<SessionEvent.SessionEvent> = []
      const middleware = yield* SessionMiddleware.SessionMiddleware
      yield* Effect.forkScoped(
        Stream.runForEach(middleware.events, (event) =>
          Effect.zipRight(
            gate.take(1),
            Effect.sync(() => heard.push(event))
          ))
      )
      yield* Effect.forkScoped(
        Stream.runForEach(
          middleware.events,
          (event) => event._tag === "Missed" ? Effect.dieMessage("this listener is not slow") : Effect.void
        )
      )
      yield* settle
      const bogus = (count: number) =>
        Effect.forEach(
          Array.from({ length: count }),
          (_, index) =>
            TestBrowser.send("/read", { headers: { cookie: `${middleware.config.cookie.name}=bogus-${index}` } }),
          { concurrency: 16, discard: true }
        )
      const visitors = yield* Effect.forEach(Array.from({ length: 20 }), () => TestBrowser.make)
      yield* bogus(1_200)
      yield* Effect.forEach(visitors, (visitor) => visitor.get("/in"))
      yield* bogus(1_200)
      yield* Effect.forEach(visitors, (visitor) => visitor.get("/out"))
      yield* gate.release(10_000)
      yield* until(Effect.sync(() => heard.filter(SessionEvent.$is("Purged")).length === 20))
      assert.strictEqual(heard.filter(SessionEvent.$is("Created")).length, 20)
      assert.strictEqual(
        heard.filter(SessionEvent.$is("KeyRefused")).reduce((sum, { count }) => sum + count, 0),
        2_400
      )
      assert.deepStrictEqual(heard.filter(SessionEvent.$is("Missed")), [])
    }).pipe(Effect.provide(AuditedApp)))
})

const created = Metric.value(Metric.tagged(SessionMetrics.events, "event", "Created"))
const calls = (verb: string) => Metric.value(Metric.tagged(SessionMetrics.storeLatency, "verb", verb))

describe("metrics", () => {
  it.scoped("count events by kind and measure store calls by verb", () =>
    Effect.gen(function*() {
      const before = [(yield* created).count, (yield* calls("load")).count] as const
      const app = yield* makeWebApp({ wrap: waiting })
      const browser = app.browser()
      yield* browser.visit(increment)
      yield* browser.visit(read)
      assert.strictEqual((yield* created).count - before[0], 1)
      assert.strictEqual((yield* calls("load")).count - before[1], 1)
    }))

  it.scoped("count an event with the labels of the fiber that caused it", () =>
    Effect.gen(function*() {
      const ofTenant = Metric.value(
        Metric.tagged(Metric.tagged(SessionMetrics.events, "event", "Created"), "tenant", "events.test")
      )
      const app = yield* Effect.tagMetrics(makeWebApp(), "tenant", "events.test")
      yield* app.request(increment)
      assert.strictEqual((yield* ofTenant).count, 1)
    }))
})

/** A tracer, and the spans that it has begun. */
const recording = () => {
  const spans: Array<Tracer.Span> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: String(spans.length),
        traceId: "trace",
        parent,
        context,
        status: { _tag: "Started", startTime },
        attributes,
        links,
        sampled: true,
        kind,
        end: () => {},
        attribute: (key, value) => void attributes.set(key, value),
        event: () => {},
        addLinks: () => {}
      }
      spans.push(span)
      return span
    },
    context: (f) => f()
  })
  return { spans, tracer }
}

describe("spans", () => {
  it.scoped("each store call has one where there is a tracer, with the session's id and no secret", () => {
    const { spans, tracer } = recording()
    return Effect.gen(function*() {
      const app = yield* makeWebApp({ wrap: waiting })
      const browser = app.browser()
      yield* browser.visit(increment)
      yield* browser.visit(increment)
      yield* TestClock.adjust("1 second")
      const calls = spans.filter((span) => span.name.startsWith("SessionStore."))
      assert.deepStrictEqual(calls.map((span) => span.name), [
        "SessionStore.save",
        "SessionStore.load",
        "SessionStore.update"
      ])
      const id = calls[1]!.attributes.get("session.id")
      assert.isTrue(typeof id === "string" && SessionKey.isSessionId(id))
      const printed = inspect(spans.map((span) => [span.name, ...span.attributes]), { depth: 9 })
      const key = Option.getOrThrow(app.middleware.crypto.open(browser.jar.get("__Host-id")!)).plaintext
      assert.notInclude(printed, key.split(".")[1]!)
      assert.notInclude(printed, browser.jar.get("__Host-id")!)
    }).pipe(Effect.withTracer(tracer))
  })
})

describe("a store that answers at once", () => {
  for (const [name, store] of [["memory", MemorySessionStore.layer()], ["cookie", CookieSessionStore.layer]] as const) {
    it.scoped(`is neither measured nor has spans: ${name}`, () => {
      const { spans, tracer } = recording()
      return Effect.gen(function*() {
        const counts = Effect.forEach(
          ["load", "save", "update", "updateTtl", "renew", "delete"],
          (verb) => Effect.map(calls(verb), ({ count }) => count)
        )
        const before = yield* counts
        const app = yield* makeWebApp({
          store,
          config: { lifecycle: Config.PersistentSession({ ttlExtension: "OnEveryRequest" }) }
        })
        const browser = app.browser()
        yield* Effect.forEach([increment, read, increment, renew, purge], browser.visit)
        assert.sameMembers(app.calls, [
          "save",
          ...["load", "updateTtl"],
          ...["load", "update"],
          ...["load", "renew"],
          ...["load", "delete"]
        ])
        assert.deepStrictEqual(yield* counts, before)
        assert.deepStrictEqual(spans.filter((span) => span.name.startsWith("SessionStore.")), [])
      }).pipe(Effect.withTracer(tracer))
    })
  }
})
