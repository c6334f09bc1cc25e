/**
 * Who is signed in, on a session of its own, on another store than it was told, and from before accounts were there.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionAccount from "effect-session/SessionAccount"
import * as SessionAccounts from "effect-session/SessionAccounts"
import type * as SessionEvent from "effect-session/SessionEvent"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestSession from "effect-session/testing/TestSession"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { counting } from "./support/countingStore.js"
import { settle } from "./support/settle.js"
import { cookieHeaderOf, keepCookies } from "./support/webApp.js"

const UserEntry = Session.entry("user", Schema.NonEmptyString)

class Account extends SessionAccount.Tag<Account>()("test/Account", {
  id: Schema.NonEmptyString,
  facts: Schema.Struct({ label: Schema.String }),
  before: UserEntry
}) {}

class Numbered extends SessionAccount.Tag<Numbered>()("test/Numbered", { id: Schema.Int.pipe(Schema.positive()) }) {}

class Employee extends SessionAccount.Tag<Employee>()("test/Employee", { id: Schema.Int.pipe(Schema.positive()) }) {}

type Handler = Effect.Effect<unknown, unknown, Session.Session | SessionAccounts.SessionAccounts>

/** An app whose handlers are given with each request, and whose store calls are counted. */
const makeApp = (options?: SessionAccounts.Options) =>
  Effect.gen(function*() {
    const { calls, store } = counting(yield* Effect.orDie(MemorySessionStore.make()))
    const verbs = Object.fromEntries(
      Object.entries(store.accounts!).map(([verb, call]: [string, (...args: ReadonlyArray<any>) => any]) => [
        verb,
        (...args: ReadonlyArray<any>) => {
          calls.push(verb)
          return call(...args)
        }
      ])
    ) as unknown as SessionStore.AccountVerbs
    const provided = { ...store, accounts: verbs }
    const services = yield* Effect.orDie(Layer.build(
      Layer.merge(
        Layer.effect(SessionMiddleware.SessionMiddleware, SessionMiddleware.make({ keys: Config.generateKey() })),
        SessionAccounts.layer(options)
      ).pipe(Layer.provideMerge(Layer.succeed(SessionStore.SessionStore, provided)))
    ))
    const runtime = yield* Effect.runtime<never>()
    const browser = () => {
      const jar = new Map<string, string>()
      return {
        jar,
        visit: (handler: Handler, headers: Record<string, string> = {}) =>
          Effect.promise(async () => {
            const app = SessionMiddleware.session(
              Effect.map(Effect.orDie(handler), (value) => HttpServerResponse.unsafeJson(value ?? null))
            )
            const cookie = cookieHeaderOf(jar)
            const response = await HttpApp.toWebHandlerRuntime(runtime)(Effect.provide(app, services))(
              new Request("https://app.test/", { headers: cookie === "" ? headers : { ...headers, cookie } })
            )
            keepCookies(jar, response.headers.getSetCookie())
            const text = await response.text()
            return { status: response.status, body: text === "" ? undefined : JSON.parse(text) as unknown }
          })
      }
    }
    return { calls, browser, services }
  })

const whoIs = Effect.map(Account.current, (current) => Option.getOrNull(Option.map(current, ({ id }) => id)))
const callsOf = (calls: Array<string>) => calls.splice(0)

describe("SessionAccount", () => {
  it.scoped("a sign-in costs two calls more than a renewal, and a request of who is signed in none", () =>
    Effect.gen(function*() {
      const { browser, calls } = yield* makeApp({ maxPerAccount: 5 })
      const ada = browser()
      yield* ada.visit(Account.signIn("ada"))
      assert.deepStrictEqual(callsOf(calls), ["enlist", "save", "confirm"])
      yield* ada.visit(Effect.flatMap(Session.Session, (session) => session.insert("a", Schema.Number, 1)))
      assert.deepStrictEqual(callsOf(calls), ["load", "update"])
      yield* ada.visit(Account.demand())
      assert.deepStrictEqual(callsOf(calls), ["load"])
      yield* ada.visit(Account.signIn("ada"))
      assert.deepStrictEqual(callsOf(calls), ["load", "enlist", "renew", "confirm"])
      yield* ada.visit(Account.reauthenticate)
      assert.deepStrictEqual(callsOf(calls), ["load", "renew"])
      yield* ada.visit(Account.signOut)
      assert.deepStrictEqual(callsOf(calls), ["load", "delete"])
    }))

  it.scoped("a session that was signed in before accounts were there is the account's from its next request on", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_800_000_000_000)
      const { browser, calls, services } = yield* makeApp()
      const ada = browser()
      yield* ada.visit(Effect.flatMap(Session.Session, (session) => session.insert(UserEntry, "ada")))
      const count = Effect.provide(SessionAccounts.count(Account, "ada"), services)
      assert.strictEqual(yield* count, 0)
      callsOf(calls)
      assert.strictEqual((yield* ada.visit(whoIs)).body, "ada")
      assert.deepStrictEqual(callsOf(calls), ["load", "enlist", "update", "confirm"])
      assert.strictEqual(yield* count, 1)
      callsOf(calls)
      assert.strictEqual((yield* ada.visit(whoIs)).body, "ada")
      assert.deepStrictEqual(callsOf(calls), ["load"])
      const fresh = yield* ada.visit(Effect.either(Account.demand({ fresh: "1000 weeks" })))
      assert.propertyVal((fresh.body as { left: object }).left, "reason", "NotFresh")
      assert.strictEqual(yield* Effect.provide(SessionAccounts.endAll(Account, "ada"), services), 1)
      assert.isNull((yield* ada.visit(whoIs)).body)
    }))

  it.scoped("accounts of two declarations are two, with one id as well", () =>
    Effect.gen(function*() {
      const { browser, services } = yield* makeApp()
      const customer = browser()
      yield* customer.visit(Numbered.signIn(7))
      const asEmployee = yield* customer.visit(Effect.all({
        current: Effect.map(Employee.current, Option.isSome),
        demanded: Effect.isSuccess(Employee.demand()),
        proved: Effect.isSuccess(Employee.reauthenticate),
        others: Effect.isSuccess(SessionAccounts.endOthers(Employee)),
        listed: Effect.map(SessionAccounts.list(Employee, 7), (sessions) => sessions.length),
        ended: SessionAccounts.endAll(Employee, 7)
      }))
      assert.deepStrictEqual(asEmployee.body, {
        current: false,
        demanded: false,
        proved: false,
        others: false,
        listed: 0,
        ended: 0
      })
      assert.strictEqual((yield* customer.visit(Effect.map(Numbered.demand(), ({ id }) => id))).body, 7)
      yield* customer.visit(Employee.signIn(7))
      assert.strictEqual((yield* customer.visit(Effect.map(Employee.demand(), ({ id }) => id))).body, 7)
      assert.strictEqual(yield* Effect.provide(SessionAccounts.count(Numbered, 7), services), 0)
    }))

  it.scoped("one that is signed in to another account then leaves the value of before behind", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp()
      const visitor = browser()
      yield* visitor.visit(Effect.flatMap(Session.Session, (session) => session.insert(UserEntry, "ada")))
      yield* visitor.visit(Account.signIn("bob"))
      assert.strictEqual((yield* visitor.visit(whoIs)).body, "bob")
      const entries = yield* visitor.visit(Effect.flatMap(Session.Session, (session) => session.contains("user")))
      assert.strictEqual(entries.body, false)
    }))

  it.scoped("parallel requests of such a session all succeed, and lose nothing that they write", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp()
      const ada = browser()
      yield* ada.visit(Effect.flatMap(Session.Session, (session) => session.insert(UserEntry, "ada")))
      const writes = (key: string) =>
        Effect.zipRight(
          whoIs,
          Effect.flatMap(Session.Session, (session) =>
            Effect.zipRight(Effect.yieldNow(), session.insert(key, Schema.Number, 1)))
        )
      const answers = yield* Effect.all(["a", "b", "c"].map((key) => ada.visit(writes(key))), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(answers.map(({ status }) => status), [200, 200, 200])
      const found = yield* ada.visit(
        Effect.flatMap(Session.Session, (session) => Effect.forEach(["a", "b", "c"], (key) => session.contains(key)))
      )
      assert.deepStrictEqual(found.body, [true, true, true])
    }))

  it.scoped("an id of a number is an account of its own, and one that is none fails before anything changes", () =>
    Effect.gen(function*() {
      const { browser, calls } = yield* makeApp()
      const visitor = browser()
      const refused = yield* visitor.visit(Effect.either(Numbered.signIn(-1)))
      assert.propertyVal((refused.body as { left: object }).left, "reason", "EncodeFailed")
      assert.deepStrictEqual(callsOf(calls), [])
      yield* visitor.visit(Numbered.signIn(7))
      const current = yield* visitor.visit(Effect.map(Numbered.current, Option.map(({ id }) => id)))
      assert.propertyVal(current.body, "value", 7)
    }))

  it.scoped("what the app keeps under any key is no sign-in", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp()
      const visitor = browser()
      yield* visitor.visit(Account.signIn("bob"))
      yield* visitor.visit(Effect.flatMap(Session.Session, (session) => session.clear))
      assert.strictEqual((yield* visitor.visit(whoIs)).body, "bob")
    }))

  it.scoped("signs nobody in where no cookie can be set any more, and keeps nothing of it", () =>
    Effect.gen(function*() {
      const { browser, services } = yield* makeApp()
      const visitor = browser()
      yield* visitor.visit(Effect.flatMap(Session.Session, (session) => session.insert("a", Schema.Number, 1)))
      const upgrade = { upgrade: "websocket" }
      yield* visitor.visit(Account.signIn("ada"), upgrade)
      assert.isNull((yield* visitor.visit(whoIs)).body)
      assert.strictEqual(yield* Effect.provide(SessionAccounts.count(Account, "ada"), services), 0)
      yield* visitor.visit(Account.signIn("ada"))
      const before = (yield* visitor.visit(Effect.map(Account.demand(), ({ authenticatedAt }) => authenticatedAt))).body
      yield* TestClock.adjust(1_000)
      yield* visitor.visit(Account.reauthenticate, upgrade)
      const after = (yield* visitor.visit(Effect.map(Account.demand(), ({ authenticatedAt }) => authenticatedAt))).body
      assert.deepStrictEqual(after, before)
    }))

  it.scoped("dies where accounts have another store than the session", () =>
    Effect.gen(function*() {
      const { services } = yield* makeApp()
      const other = yield* Effect.orDie(
        Layer.build(SessionAccounts.layer().pipe(Layer.provide(MemorySessionStore.layer())))
      )
      const app = SessionMiddleware.session(
        Effect.as(Effect.provide(Account.signIn("ada"), other), HttpServerResponse.empty())
      )
      const handler = HttpApp.toWebHandlerRuntime(yield* Effect.runtime<never>())(
        Effect.provide(Effect.sandbox(app).pipe(Effect.mapError((cause) => new Error(String(cause)))), services)
      )
      const response = yield* Effect.promise(() => handler(new Request("https://app.test/")))
      assert.strictEqual(response.status, 500)
    }))

  it.scoped("signs in on a session of a test, which has no store", () =>
    Effect.gen(function*() {
      yield* Account.signIn("ada", { label: "test" })
      const current = Option.getOrThrow(yield* Account.current)
      assert.strictEqual(current.id, "ada")
      assert.deepStrictEqual(current.facts, Option.some({ label: "test" }))
      assert.strictEqual(yield* Effect.flatMap(Session.Session, ({ status }) => status), "Renewed")
    }).pipe(
      Effect.provide(Layer.merge(
        TestSession.layer(),
        SessionAccounts.layer().pipe(Layer.provide(MemorySessionStore.layer()))
      ))
    ))

  it.scoped("tells of sign-ins, sign-outs, ends and refusals", () =>
    Effect.gen(function*() {
      const { browser, services } = yield* makeApp({ maxPerAccount: 1, onLimit: "Refuse" })
      const seen: Array<string> = []
      const listen = (events: Stream.Stream<SessionEvent.SessionEvent>) =>
        Effect.fork(Stream.runForEach(events, (event) =>
          Effect.sync(() =>
            seen.push("by" in event ? `${event._tag} ${event.by}` : event._tag)
          )))
      const listeners = yield* Effect.all([
        listen(Stream.provideContext(SessionMiddleware.events, services)),
        listen(
          Stream.unwrap(Effect.map(SessionAccounts.SessionAccounts, ({ events }) =>
            events)).pipe(
              Stream.provideContext(services)
            )
        )
      ])
      yield* settle
      const [ada, other] = [browser(), browser()]
      yield* ada.visit(Account.signIn("ada"))
      yield* other.visit(Effect.either(Account.signIn("ada")))
      yield* ada.visit(Account.signOut)
      yield* other.visit(Account.signIn("ada"))
      yield* Effect.provide(SessionAccounts.endAll(Account, "ada"), services)
      yield* settle
      yield* Fiber.interruptAll(listeners)
      assert.deepStrictEqual(
        seen.filter((tag) => !["Created", "Purged"].includes(tag)),
        ["SignedIn", "LimitRefused", "SignedOut", "SignedIn", "Ended All"]
      )
    }))
})

describe("SessionAccounts", () => {
  const failure = (layer: Layer.Layer<SessionAccounts.SessionAccounts, SessionStore.SessionStoreConfigError>) =>
    Effect.map(Effect.exit(Layer.build(layer)), (exit) => {
      assert(Exit.isFailure(exit) && exit.cause._tag === "Fail")
      return exit.cause.error
    })

  it.scoped("says when it is built that the cookie store knows no accounts, and what helps", () =>
    Effect.gen(function*() {
      const error = yield* failure(SessionAccounts.layer().pipe(Layer.provide(CookieSessionStore.layer)))
      assert.strictEqual(error.option, "store")
      assert.match(error.message, /Use a store on the server/)
    }))

  it.scoped("says which option is wrong", () =>
    Effect.gen(function*() {
      for (const maxPerAccount of [0, -1, 1.5, NaN, Infinity]) {
        const error = yield* failure(
          SessionAccounts.layer({ maxPerAccount }).pipe(Layer.provide(Layer.orDie(MemorySessionStore.layer())))
        )
        assert.strictEqual(error.option, "maxPerAccount")
      }
      const error = yield* failure(
        SessionAccounts.layer({ onLimit: "Ignore" as never }).pipe(
          Layer.provide(Layer.orDie(MemorySessionStore.layer()))
        )
      )
      assert.strictEqual(error.option, "onLimit")
    }))

  it.scoped("serves a job without a request: list, stream, count, end", () =>
    Effect.gen(function*() {
      const { browser, services } = yield* makeApp()
      for (let i = 0; i < 200; i++) {
        yield* browser().visit(Account.signIn("ada", { label: String(i) }))
      }
      yield* Effect.gen(function*() {
        const sessions = yield* SessionAccounts.list(Account, "ada")
        assert.strictEqual(sessions.length, 200)
        assert.isTrue(sessions.every(({ isCurrent }) => !isCurrent))
        const streamed = yield* Stream.runCollect(SessionAccounts.stream(Account, "ada"))
        assert.deepStrictEqual(
          Array.from(streamed, ({ id }) => id).sort(),
          sessions.map(({ id }) => id).sort()
        )
        assert.isTrue(yield* SessionAccounts.end(Account, "ada", sessions[0]!.id))
        assert.isFalse(yield* SessionAccounts.end(Account, "bob", sessions[1]!.id))
        assert.strictEqual(yield* SessionAccounts.count(Account, "ada"), 199)
        assert.deepStrictEqual(yield* SessionAccounts.list(Account, "x".repeat(600)), [])
        assert.strictEqual(yield* SessionAccounts.endAll(Account, "ada"), 199)
      }).pipe(Effect.provide(services))
    }))

  it.scoped("shows no key and no digest", () =>
    Effect.gen(function*() {
      const { browser, services } = yield* makeApp()
      yield* browser().visit(Account.signIn("ada", { label: "one" }))
      const [session] = yield* Effect.provide(SessionAccounts.list(Account, "ada"), services)
      assert.deepStrictEqual(Object.keys(session!).sort(), [
        "authenticatedAt",
        "createdAt",
        "expiresAt",
        "extendedAt",
        "facts",
        "id",
        "isCurrent",
        "signedInAt"
      ])
    }))
})
