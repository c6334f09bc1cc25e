import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionFlash from "effect-session/SessionFlash"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as TestSession from "effect-session/testing/TestSession"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Schema from "effect/Schema"
import { inspect } from "node:util"
import { expectTypeOf } from "vitest"
import { handle, type Handler, makeWebApp } from "./support/webApp.js"

const Notices = SessionFlash.make("notices", Schema.String)

const given = (state: { readonly [key: string]: Session.Json } = {}) => Effect.provide(TestSession.layer(state))

const stored = Effect.flatMap(
  Session.Session,
  (session) => Effect.map(session.entries, (entries): Record<string, Session.Json> => Object.fromEntries(entries))
)

describe("SessionFlash", () => {
  it.effect("take answers what was added, in that order, and only once", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 12 }, (_, i) => `message ${i}`)
      yield* Effect.forEach(many, Notices.add)
      assert.deepStrictEqual(yield* Notices.take, many)
      assert.deepStrictEqual(yield* Notices.take, [])
    }).pipe(given()))

  it.effect("peek answers the same and leaves it", () =>
    Effect.gen(function*() {
      yield* Notices.add("Saved")
      assert.deepStrictEqual(yield* Notices.peek, ["Saved"])
      assert.deepStrictEqual(yield* Notices.peek, ["Saved"])
      assert.deepStrictEqual(yield* Notices.take, ["Saved"])
    }).pipe(given()))

  it.effect("nothing remains once all is taken, and taking nothing is no change", () =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      assert.deepStrictEqual(yield* Notices.take, [])
      assert.deepStrictEqual(yield* Notices.peek, [])
      assert.strictEqual(yield* session.status, "Unchanged")
      yield* Notices.add("Saved")
      yield* Notices.take
      assert.deepStrictEqual(yield* stored, { user: "ferris" })
    }).pipe(given({ user: "ferris" })))

  it.effect("messages of another name, and keys that only look alike, are left alone", () =>
    Effect.gen(function*() {
      const Errors = SessionFlash.make("errors", Schema.String)
      const Nested = SessionFlash.make("notices#0-AAAAAAAA", Schema.String)
      const alike = { notices: "x", "notices#": "x", "notices#0": "x", "notices#a-AAAAAAAA": "x", "#0-AAAAAAAA": "x" }
      yield* Effect.forEach(Object.entries(alike), ([key, value]) =>
        Effect.flatMap(Session.Session, (session) => session.insert(key, Schema.String, value)))
      yield* Errors.add("Wrong password")
      yield* Nested.add("nested")
      yield* Notices.add("Saved")
      assert.deepStrictEqual(yield* Notices.take, ["Saved"])
      assert.deepStrictEqual(yield* Errors.take, ["Wrong password"])
      assert.deepStrictEqual(yield* Nested.take, ["nested"])
      assert.deepStrictEqual(yield* stored, alike)
    }).pipe(given()))

  it.effect("messages are typed and encoded by their Schema", () =>
    Effect.gen(function*() {
      const Seen = SessionFlash.make("seen", Schema.Struct({ level: Schema.Literal("info", "error"), at: Schema.Date }))
      yield* Seen.add({ level: "info", at: new Date(0) })
      assert.deepStrictEqual(Object.values(yield* stored), [{ level: "info", at: "1970-01-01T00:00:00.000Z" }])
      assert.deepStrictEqual(yield* Seen.take, [{ level: "info", at: new Date(0) }])
    }).pipe(given()))

  it.effect("a message that does not encode is a typed error and leaves nothing", () =>
    Effect.gen(function*() {
      const Short = SessionFlash.make("short", Schema.String.pipe(Schema.maxLength(3)))
      assert.strictEqual((yield* Effect.flip(Short.add("too long"))).reason, "EncodeFailed")
      assert.deepStrictEqual(yield* stored, {})
    }).pipe(given()))

  it.effect("a message that does not decode any more is dropped by take, with a warning that does not quote it", () =>
    Effect.gen(function*() {
      const warnings: Array<string> = []
      const logger = Logger.replace(
        Logger.defaultLogger,
        Logger.make(({ logLevel, message }) => void warnings.push(`${logLevel.label} ${inspect(message)}`))
      )
      const Numbers = SessionFlash.make("notices", Schema.Number)
      yield* Numbers.add(1)
      yield* Notices.add("s3cr3t")
      yield* Numbers.add(2)
      assert.deepStrictEqual(yield* Effect.provide(Numbers.peek, logger), [1, 2])
      assert.deepStrictEqual(warnings, [])
      assert.deepStrictEqual(yield* Effect.provide(Numbers.take, logger), [1, 2])
      assert.strictEqual(warnings.length, 1)
      assert.match(warnings[0]!, /WARN.*"notices"/)
      assert.notInclude(warnings[0]!, "s3cr3t")
      assert.deepStrictEqual(yield* stored, {})
    }).pipe(given()))

  it.effect("two fibers of one request share the messages between them", () =>
    Effect.gen(function*() {
      const Slow = SessionFlash.make(
        "slow",
        Schema.transformOrFail(Schema.Number, Schema.Number, {
          strict: true,
          decode: (n) => Effect.as(Effect.yieldNow(), n),
          encode: (n) => Effect.as(Effect.yieldNow(), n)
        })
      )
      const numbers = Array.from({ length: 20 }, (_, i) => i)
      yield* Effect.forEach(numbers, Slow.add, { concurrency: "unbounded" })
      const taken = yield* Effect.all([Slow.take, Slow.take, Slow.take], { concurrency: "unbounded" })
      assert.deepStrictEqual(taken.flat().sort((left, right) => left - right), numbers)
    }).pipe(given()))

  it.effect("a take that is interrupted while it decodes has removed nothing", () =>
    Effect.gen(function*() {
      let decodes = 0
      const Stuck = SessionFlash.make(
        "notices",
        Schema.transformOrFail(Schema.String, Schema.String, {
          strict: true,
          decode: (text) => decodes++ === 0 ? Effect.succeed(text) : Effect.never,
          encode: Effect.succeed
        })
      )
      yield* Effect.forEach(["a", "b"], Notices.add)
      const fiber = yield* Effect.fork(Stuck.take)
      while (decodes < 2) {
        yield* Effect.yieldNow()
      }
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* Notices.take, ["a", "b"])
    }).pipe(given()))

  it.effect("over another session tag it leaves the default session alone, and of works on the one that one has", () =>
    Effect.gen(function*() {
      class AdminSession extends Context.Tag("AdminSession")<AdminSession, Session.Session>() {}
      const AdminNotices = SessionFlash.make("notices", Schema.String, AdminSession)
      expectTypeOf(AdminNotices.take).toEqualTypeOf<
        Effect.Effect<ReadonlyArray<string>, Session.SessionGetError | Session.SessionInsertError, AdminSession>
      >()
      yield* Effect.gen(function*() {
        yield* AdminNotices.add("for admins")
        assert.deepStrictEqual(yield* Notices.peek, [])
        const session = yield* AdminSession
        assert.deepStrictEqual(yield* Notices.of(session).peek, ["for admins"])
        yield* Notices.of(session).add("for admins too")
        assert.deepStrictEqual(yield* AdminNotices.take, ["for admins", "for admins too"])
      }).pipe(Effect.provide(Layer.effect(AdminSession, TestSession.make())))
      assert.deepStrictEqual(yield* stored, {})
    }).pipe(given()))

  it("the services of the Schema are asked for in the types", () => {
    class Factor extends Context.Tag("Factor")<Factor, number>() {}
    const Scaled = SessionFlash.make(
      "scaled",
      Schema.transformOrFail(Schema.Number, Schema.Number, {
        strict: true,
        decode: (n) => Effect.map(Factor, (factor) => n * factor),
        encode: (n) => Effect.map(Factor, (factor) => n / factor)
      })
    )
    expectTypeOf(Scaled.peek).toEqualTypeOf<
      Effect.Effect<ReadonlyArray<number>, Session.SessionGetError, Factor | Session.Session>
    >()
    expectTypeOf(Notices.peek).toEqualTypeOf<
      Effect.Effect<ReadonlyArray<string>, Session.SessionGetError, Session.Session>
    >()
    assert.strictEqual(Scaled.name, "scaled")
  })

  it.effect("a store that is away is a typed error", () =>
    Effect.gen(function*() {
      for (const failure of [Notices.add("Saved"), Effect.asVoid(Notices.take), Effect.asVoid(Notices.peek)]) {
        assert.strictEqual((yield* Effect.flip(failure)).reason, "StoreUnavailable")
      }
    }).pipe(Effect.provide(TestSession.layerUnavailable)))
})

const answer = <A, E>(effect: Effect.Effect<A, E, Session.Session>): Handler =>
  handle((session) => Effect.provideService(effect, Session.Session, session))

const add = (...messages: ReadonlyArray<string>) =>
  answer(Effect.forEach(messages, (message) => Notices.add(message), { discard: true }))
const take = answer(Notices.take)
const peek = answer(Notices.peek)
const read = answer(stored)

/**
 * A browser with a session, whose store calls wait for their turn when they are told to: the parallel requests of a
 * browser meet there and nowhere else.
 */
const heldApp = (store?: Layer.Layer<SessionStore.SessionStore>) =>
  Effect.gen(function*() {
    const waiting: Array<Deferred.Deferred<void>> = []
    let isHeld = false
    const turn = <A, E>(call: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        if (!isHeld) {
          return call
        }
        const gate = Effect.runSync(Deferred.make<void>())
        waiting.push(gate)
        return Effect.zipRight(Deferred.await(gate), call)
      })
    const app = yield* makeWebApp({
      ...(store === undefined ? {} : { store }),
      wrap: (store) => {
        const inner = SessionStore.withClock(store)
        return {
          ...store,
          load: (key) => turn(inner.load(key)),
          update: (key, change, lifetime) => turn(inner.update(key, change, lifetime))
        }
      }
    })
    const browser = app.browser()
    yield* browser.visit(handle((session) => session.insert("user", Schema.String, "ferris")))

    /** Sends all requests at once and lets one store call at a time through, each time the one that `choose` says. */
    const inParallel = <A>(
      requests: ReadonlyArray<Effect.Effect<A>>,
      choose: (count: number) => number
    ): Effect.Effect<ReadonlyArray<A>> =>
      Effect.gen(function*() {
        isHeld = true
        let unfinished = requests.length
        const fibers = yield* Effect.forEach(
          requests,
          (request) => Effect.fork(Effect.ensuring(request, Effect.sync(() => unfinished--)))
        )
        while (unfinished > 0) {
          if (waiting.length < unfinished) {
            yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
          } else {
            const [gate] = waiting.splice(choose(waiting.length), 1)
            yield* Deferred.succeed(gate!, undefined)
          }
        }
        isHeld = false
        return yield* Fiber.join(Fiber.all(fibers))
      })

    return { app, browser, inParallel }
  })

/** Chooses by a list of places among the calls that wait, then always the first. */
const inOrder = (choices: Iterable<number>) => {
  const rest = choices[Symbol.iterator]()
  return (count: number) => (rest.next().value ?? 0) % count
}

describe("SessionFlash over requests", () => {
  for (const [where, store] of [["memory", undefined], ["the cookie", CookieSessionStore.layer]] as const) {
    it.scoped(`what one request adds the next one takes, with sessions in ${where}`, () =>
      Effect.gen(function*() {
        const app = yield* makeWebApp(store === undefined ? {} : { store })
        const browser = app.browser()
        yield* browser.visit(add("Saved", "Sent"))
        yield* browser.visit(add("Paid"))
        assert.deepStrictEqual((yield* browser.visit(peek)).body, ["Saved", "Sent", "Paid"])
        assert.deepStrictEqual((yield* browser.visit(take)).body, ["Saved", "Sent", "Paid"])
        assert.deepStrictEqual((yield* browser.visit(take)).body, [])
        assert.deepStrictEqual((yield* browser.visit(read)).body, {})
      }))
  }

  it.scoped("taking costs no write where nothing is there, and no session where there is none", () =>
    Effect.gen(function*() {
      const { app, browser } = yield* heldApp()
      app.calls.length = 0
      assert.deepStrictEqual((yield* browser.visit(take)).body, [])
      assert.deepStrictEqual(app.calls, ["load"])
      app.calls.length = 0
      assert.deepStrictEqual((yield* app.request(take)).setCookies, [])
      assert.deepStrictEqual(app.calls, [])
    }))

  it.scoped("a message that is added after a purge is in the new session", () =>
    Effect.gen(function*() {
      const { browser } = yield* heldApp()
      yield* browser.visit(add("of before"))
      const logout = Effect.flatMap(Session.Session, (session) => session.purge)
      yield* browser.visit(answer(Effect.zipRight(logout, Notices.add("You are signed out"))))
      assert.deepStrictEqual((yield* browser.visit(take)).body, ["You are signed out"])
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
    }))

  it.scoped("a message survives a login that renews its session", () =>
    Effect.gen(function*() {
      const { browser } = yield* heldApp()
      yield* browser.visit(answer(
        Effect.zipRight(Notices.add("Welcome"), Effect.flatMap(Session.Session, (session) => session.renew))
      ))
      assert.deepStrictEqual((yield* browser.visit(take)).body, ["Welcome"])
    }))

  it.scoped("messages of two requests that had both read the same session both stay", () =>
    Effect.gen(function*() {
      const { app, browser, inParallel } = yield* heldApp()
      app.calls.length = 0
      yield* inParallel([browser.visit(add("a", "b")), browser.visit(add("c"))], inOrder([0, 0]))
      assert.deepStrictEqual(app.calls, ["load", "load", "update", "update"])
      const taken = (yield* browser.visit(take)).body as Array<string>
      assert.deepStrictEqual([...taken].sort(), ["a", "b", "c"])
      assert.isBelow(taken.indexOf("a"), taken.indexOf("b"))
    }))

  it.scoped("a take leaves what was added after it had read", () =>
    Effect.gen(function*() {
      const { browser, inParallel } = yield* heldApp()
      yield* browser.visit(add("a"))
      const [taken] = yield* inParallel([browser.visit(take), browser.visit(add("b"))], inOrder([0, 0, 1, 0]))
      assert.deepStrictEqual(taken!.body, ["a"])
      assert.deepStrictEqual((yield* browser.visit(take)).body, ["b"])
    }))

  it.scoped("a late take does not remove what was added after all was taken", () =>
    Effect.gen(function*() {
      const { browser, inParallel } = yield* heldApp()
      yield* browser.visit(add("a"))
      const afterwards = Effect.zipRight(browser.visit(take), browser.visit(add("b")))
      // The late one has read, the other requests run from end to end, and then it writes.
      yield* inParallel([browser.visit(take), afterwards], inOrder([0, 0, 1, 1, 1, 1, 0]))
      assert.deepStrictEqual((yield* browser.visit(peek)).body, ["b"])
    }))

  it.scoped("a clear in flight does not take along a message that it did not see", () =>
    Effect.gen(function*() {
      const { browser, inParallel } = yield* heldApp()
      yield* browser.visit(add("a"))
      const clear = answer(
        Effect.flatMap(Session.Session, (session) => Effect.zipRight(session.entries, session.clear))
      )
      yield* inParallel([browser.visit(clear), browser.visit(add("b"))], inOrder([0, 0, 1, 0]))
      assert.deepStrictEqual((yield* browser.visit(take)).body, ["b"])
      assert.deepStrictEqual((yield* browser.visit(read)).body, {})
    }))

  type Request = { readonly _tag: "Add"; readonly count: number } | { readonly _tag: "Take" }
  const anyRequest = FastCheck.oneof(
    FastCheck.record({ _tag: FastCheck.constant("Add" as const), count: FastCheck.integer({ min: 1, max: 3 }) }),
    FastCheck.constant({ _tag: "Take" as const })
  )
  const anyRounds = FastCheck.array(FastCheck.array(anyRequest, { minLength: 1, maxLength: 5 }), { maxLength: 3 })

  it.scoped("no order of parallel adds and takes loses, invents or repeats a message, or turns the order around", () =>
    Effect.gen(function*() {
      const runtime = yield* Effect.runtime<never>()
      const runPromise = <A>(effect: Effect.Effect<A>) => Effect.runPromise(Effect.provide(effect, runtime))

      const check = (rounds: ReadonlyArray<ReadonlyArray<Request>>, choices: ReadonlyArray<number>) =>
        Effect.scoped(Effect.gen(function*() {
          const { browser, inParallel } = yield* heldApp()
          const rest = inOrder(choices)
          const added: Array<string> = []
          const answers: Array<Array<string>> = []
          for (const [round, requests] of rounds.entries()) {
            const taken = yield* inParallel(
              requests.map((request, index) => {
                if (request._tag === "Take") {
                  return Effect.map(browser.visit(take), ({ body }) => body as Array<string>)
                }
                const messages = Array.from({ length: request.count }, (_, i) => `${round}.${index}.${i}`)
                messages.forEach((message) => added.push(message))
                return Effect.as(browser.visit(add(...messages)), [])
              }),
              rest
            )
            taken.forEach((messages) => answers.push(messages))
          }
          const remaining = (yield* browser.visit(peek)).body as Array<string>
          const shown = new Set(answers.flat())
          assert.deepStrictEqual([...new Set([...shown, ...remaining])].sort(), [...added].sort())
          assert.deepStrictEqual(remaining.filter((message) => shown.has(message)), [])
          for (const messages of [...answers, remaining]) {
            assert.strictEqual(new Set(messages).size, messages.length)
            for (const [place, message] of messages.entries()) {
              const [round, request] = message.split(".")
              for (const later of messages.slice(place + 1)) {
                const [laterRound, laterRequest] = later.split(".")
                assert.isTrue(round! <= laterRound!, "a message of an earlier round comes first")
                if (round === laterRound && request === laterRequest) {
                  assert.isBelow(added.indexOf(message), added.indexOf(later))
                }
              }
            }
          }
          yield* browser.visit(take)
          assert.deepStrictEqual((yield* browser.visit(read)).body, { user: "ferris" })
        }))

      yield* Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            anyRounds,
            FastCheck.array(FastCheck.nat(100), { maxLength: 30 }),
            (rounds, choices) => runPromise(check(rounds, choices))
          ),
          { numRuns: 100 }
        )
      )
    }))
})
