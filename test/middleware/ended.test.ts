import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestSession from "effect-session/testing/TestSession"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { remoteTexts } from "../support/remoteTexts.js"
import { settle } from "../support/settle.js"
import { Counter, handle, type Handler, makeWebApp, User, type WebApp } from "../support/webApp.js"

const login = handle((session) => Effect.zipRight(session.renew, session.insert(User, "ferris")))
const count = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
const renew = handle((session) => session.renew)
const purge = handle((session) => session.purge)
const anew = handle((session) => Effect.zipRight(session.purge, session.insert(User, "corro")))
const nothing = handle(() => Effect.void)

interface Wait {
  /** Whether it has come to its end. */
  readonly isOver: Effect.Effect<boolean>
  readonly fiber: Fiber.RuntimeFiber<void, unknown>
}

/** Waits for the end of a session in a fiber that outlives its request, as a streamed body does. */
const waitFor = (
  app: WebApp,
  cookie: string | undefined,
  before: Handler = nothing,
  region: <A, E, R>(wait: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R> = Effect.interruptible
) =>
  Effect.gen(function*() {
    let fiber: Fiber.RuntimeFiber<void, unknown> | undefined
    yield* app.request(
      Effect.gen(function*() {
        const session = yield* Session.Session
        const response = yield* before
        fiber = yield* Effect.forkDaemon(region(session.ended))
        return response
      }),
      cookie
    )
    yield* settle
    const wait: Wait = { fiber: fiber!, isOver: Effect.zipRight(settle, Effect.map(Fiber.poll(fiber!), Option.isSome)) }
    yield* Effect.addFinalizer(() => Fiber.interrupt(wait.fiber))
    return wait
  })

/** The verbs that a store must have, and no more. */
const plain = Layer.map(MemorySessionStore.layer(), (context) => {
  const { endings: _, ...verbs } = Context.get(context, SessionStore.SessionStore)
  return Context.make(SessionStore.SessionStore, SessionStore.make(verbs, { timeout: "none" }))
})

const pollEvery = SessionStore.defaultPollEvery

const stores: ReadonlyArray<
  readonly [name: string, store: Layer.Layer<SessionStore.SessionStore, unknown>, isTold: boolean]
> = [
  ["in memory", MemorySessionStore.layer(), true],
  [
    "in a store over compare and swap",
    Layer.sync(
      SessionStore.SessionStore,
      () => CompareAndSwapSessionStore.make(remoteTexts(new Map()), { timeout: "none" })
    ),
    false
  ],
  ["in a store without the verb", plain, false]
]

for (const [name, store, isTold] of stores) {
  describe(`the end of a session ${name}`, () => {
    const open = Effect.map(makeWebApp({ store }), (app) => ({ app, browser: app.browser() }))
    const asked = isTold ? Effect.void : TestClock.adjust(pollEvery)

    for (const [what, end] of [["a purge", purge], ["a purge that another session follows", anew]] as const) {
      it.scoped(`comes with ${what} in another request`, () =>
        Effect.gen(function*() {
          const { app, browser } = yield* open
          yield* browser.visit(login)
          const waits = [
            yield* waitFor(app, browser.cookie()),
            yield* waitFor(app, browser.cookie()),
            yield* waitFor(app, browser.cookie(), nothing, Effect.uninterruptible)
          ]
          yield* TestClock.adjust("1 minute")
          assert.deepStrictEqual(yield* Effect.forEach(waits, ({ isOver }) => isOver), [false, false, false])
          yield* browser.visit(end)
          yield* asked
          assert.deepStrictEqual(yield* Effect.forEach(waits, ({ isOver }) => isOver), [true, true, true])
          for (const { fiber } of waits) {
            yield* Fiber.join(fiber)
          }
        }))
    }

    it.scoped("comes with a purge of its own request", () =>
      Effect.gen(function*() {
        const { app, browser } = yield* open
        yield* browser.visit(login)
        assert.isTrue(yield* (yield* waitFor(app, browser.cookie(), purge)).isOver)
      }))

    it.scoped("has come where there is none, and where one has only begun", () =>
      Effect.gen(function*() {
        const { app, browser } = yield* open
        assert.isTrue(yield* (yield* waitFor(app, undefined)).isOver)
        assert.isTrue(yield* (yield* waitFor(app, "__Host-id=nonsense")).isOver)
        assert.isTrue(yield* (yield* waitFor(app, undefined, login)).isOver)
        yield* browser.visit(login)
        const cookie = browser.cookie()
        yield* browser.visit(purge)
        assert.isTrue(yield* (yield* waitFor(app, cookie)).isOver)
      }))

    it.scoped("does not come with writes and renewals, whoever makes them, and comes after them", () =>
      Effect.gen(function*() {
        const { app, browser } = yield* open
        yield* browser.visit(login)
        const wait = yield* waitFor(app, browser.cookie())
        for (const work of [count, renew, count, renew, renew]) {
          yield* browser.visit(work)
          yield* TestClock.adjust("30 seconds")
          assert.isFalse(yield* wait.isOver)
        }
        yield* browser.visit(purge)
        yield* asked
        assert.isTrue(yield* wait.isOver)
      }))

    it.scoped("does not come with a renewal of its own request", () =>
      Effect.gen(function*() {
        const { app, browser } = yield* open
        yield* browser.visit(login)
        const cookie = browser.cookie()
        const wait = yield* waitFor(app, cookie, renew)
        yield* TestClock.adjust("1 minute")
        assert.isFalse(yield* wait.isOver)
      }))

    it.scoped("comes when it expires, and not before, however often it was put off", () =>
      Effect.gen(function*() {
        const { app, browser } = yield* Effect.map(
          makeWebApp({ store, config: { lifecycle: Config.BrowserSession({ ttl: "1 minute" }) } }),
          (app) => ({ app, browser: app.browser() })
        )
        yield* browser.visit(login)
        const wait = yield* waitFor(app, browser.cookie())
        for (let n = 0; n < 3; n++) {
          yield* TestClock.adjust("59 seconds")
          assert.isFalse(yield* wait.isOver)
          yield* browser.visit(count)
        }
        yield* TestClock.adjust(59_999)
        assert.isFalse(yield* wait.isOver)
        yield* TestClock.adjust(1)
        assert.isTrue(yield* wait.isOver)
      }))

    it.scoped("costs nobody a call who does not ask for it", () =>
      Effect.gen(function*() {
        const { app, browser } = yield* open
        yield* browser.visit(login)
        app.calls.length = 0
        yield* browser.visit(count)
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(app.calls, ["load", "update"])
      }))
  })
}

describe("the end of a session", () => {
  it.scoped("comes in memory when its record makes room for others", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ store: MemorySessionStore.layer({ capacity: 5 }) })
      const browser = app.browser()
      yield* browser.visit(login)
      const wait = yield* waitFor(app, browser.cookie())
      for (let n = 0; n < 20; n++) {
        const other = app.browser()
        yield* other.visit(login)
        yield* other.visit(count)
      }
      assert.isTrue(yield* wait.isOver)
    }))

  it.scoped("comes by the limits that hold now", () =>
    Effect.gen(function*() {
      const shared = yield* Effect.map(Layer.build(MemorySessionStore.layer()), Layer.succeedContext)
      const keys = Config.generateKey()
      const appWith = (maxLifetime: "3 hours" | "1 hour") =>
        makeWebApp({
          store: shared,
          config: { keys, lifecycle: Config.BrowserSession({ ttl: "30 minutes", maxLifetime }) }
        })
      const [before, after] = [yield* appWith("3 hours"), yield* appWith("1 hour")]
      const browser = before.browser()
      yield* browser.visit(login)
      yield* TestClock.adjust("25 minutes")
      yield* browser.visit(count)
      yield* TestClock.adjust("25 minutes")
      yield* browser.visit(count)
      const waits = [yield* waitFor(before, browser.cookie()), yield* waitFor(after, browser.cookie())]
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* Effect.forEach(waits, ({ isOver }) => isOver), [false, true])
    }))

  it.scoped("is not taken from a store that is away, which is asked again", () =>
    Effect.gen(function*() {
      let isAway = false
      const unavailable = new SessionStore.LoadError({ reason: "Unavailable", message: "away" })
      for (const layer of [stores[1]![1], plain]) {
        isAway = false
        const app = yield* makeWebApp({
          store: layer,
          config: { lifecycle: Config.BrowserSession({ ttl: "1 minute" }) },
          wrap: (inner) => ({
            ...inner,
            load: (key, now) => isAway ? Effect.fail(unavailable) : inner.load(key, now),
            update: (key, change, lifetime, now) =>
              isAway
                ? Effect.fail(new SessionStore.UpdateError({ reason: "Unavailable", message: "away" }))
                : inner.update(key, change, lifetime, now),
            endings: inner.endings && {
              ...inner.endings,
              find: (id, now) => isAway ? Effect.fail(unavailable) : inner.endings!.find(id, now)
            }
          })
        })
        const browser = app.browser()
        yield* browser.visit(login)
        const wait = yield* waitFor(app, browser.cookie())
        isAway = true
        // Longer than the session lives if nobody comes: somebody may have.
        yield* TestClock.adjust("2 minutes")
        assert.isFalse(yield* wait.isOver)
        isAway = false
        yield* TestClock.adjust(pollEvery)
        assert.isTrue(yield* wait.isOver)
      }
    }))

  it.scoped("cannot be awaited where the store could not say whether there is a session", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      const error = yield* Effect.flip(session.ended)
      assert.strictEqual(error.reason, "StoreUnavailable")
    }).pipe(Effect.provide(TestSession.layerUnavailable)))

  it.scoped("comes when what the store holds is no record any more", () =>
    Effect.gen(function*() {
      const texts = new Map<string, string>()
      const app = yield* makeWebApp({
        store: Layer.sync(SessionStore.SessionStore, () =>
          CompareAndSwapSessionStore.make(remoteTexts(texts), { timeout: "none" }))
      })
      const browser = app.browser()
      yield* browser.visit(login)
      const wait = yield* waitFor(app, browser.cookie())
      for (const id of texts.keys()) {
        texts.set(id, "spoilt")
      }
      yield* TestClock.adjust(pollEvery)
      assert.isTrue(yield* wait.isOver)
    }))

  it.scoped("is asked for in one call every so often, which is up to the store, and not all at once", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const app = yield* makeWebApp({
        store: Layer.sync(
          SessionStore.SessionStore,
          () =>
            CompareAndSwapSessionStore.make(remoteTexts(new Map(), calls), { timeout: "none", pollEvery: "1 minute" })
        )
      })
      const browser = app.browser()
      yield* browser.visit(login)
      const waits = yield* Effect.replicateEffect(waitFor(app, browser.cookie()), 20)
      calls.length = 0
      const asked: Array<number> = []
      for (let n = 0; n < 300; n++) {
        yield* TestClock.adjust("2 seconds")
        yield* Effect.repeatN(Effect.promise(() => new Promise((resolve) => setImmediate(resolve))), 4)
        asked.push(calls.length)
      }
      assert.deepStrictEqual(calls, calls.map(() => "get"))
      const each = calls.length / waits.length
      assert.isAtLeast(each, 10)
      assert.isAtMost(each, 14)
      const most = Math.max(...asked.slice(60).map((count, i) => count - asked[59 + i]!))
      assert.isBelow(most, waits.length, "how many asked together")
    }))

  it.scoped("is no more waited for once it was interrupted, however often", () =>
    Effect.gen(function*() {
      let listening = 0
      const app = yield* makeWebApp({
        wrap: (inner) => ({
          ...inner,
          endings: {
            ...inner.endings!,
            listen: (id, notify) =>
              Effect.zipRight(
                inner.endings!.listen!(id, notify),
                Effect.acquireRelease(Effect.sync(() => listening++), () => Effect.sync(() => listening--))
              )
          }
        })
      })
      const browser = app.browser()
      yield* browser.visit(login)
      for (let n = 0; n < 50; n++) {
        const waits = yield* Effect.replicateEffect(waitFor(app, browser.cookie()), 2)
        assert.strictEqual(listening, 2)
        yield* Fiber.interruptAll(waits.map(({ fiber }) => fiber))
        assert.strictEqual(listening, 0)
      }
      const wait = yield* waitFor(app, browser.cookie())
      yield* browser.visit(purge)
      assert.isTrue(yield* wait.isOver)
      assert.strictEqual(listening, 0)
    }))

  it.scoped("comes in the cookie store when the cookie of the request expires", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({
        store: CookieSessionStore.layer,
        config: { lifecycle: Config.BrowserSession({ ttl: "90 days", maxLifetime: "200 days" }) }
      })
      const browser = app.browser()
      yield* browser.visit(login)
      const wait = yield* waitFor(app, browser.cookie())
      yield* browser.visit(purge)
      yield* TestClock.adjust("89 days")
      assert.isFalse(yield* wait.isOver)
      yield* TestClock.adjust("1 day")
      assert.isTrue(yield* wait.isOver)
    }))

  it.scoped("comes in a store without the verb an hour after a renewal, when nobody remembers the key", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ store: plain })
      const browser = app.browser()
      yield* browser.visit(login)
      const wait = yield* waitFor(app, browser.cookie())
      yield* browser.visit(renew)
      yield* TestClock.adjust(SessionRecord.supersededRetention.millis - 1)
      assert.isFalse(yield* wait.isOver)
      yield* TestClock.adjust(pollEvery + 1)
      assert.isTrue(yield* wait.isOver)
    }))

  it.scoped("comes in a test of a handler when the session expires on its clock", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      const fiber = yield* Effect.fork(session.ended)
      yield* TestClock.adjust("59 minutes")
      assert.isTrue(Option.isNone(yield* Fiber.poll(fiber)))
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(TestSession.layer({ user: "ferris" }, { ttl: "1 hour" }))))
})
