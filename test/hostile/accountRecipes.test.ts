/**
 * What docs/security.md tells apps to do about accounts, which this library knows nothing of: the recipes, as an app
 * would write them, against requests that try to get around them.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { randomUUID } from "node:crypto"
import type { Handler, WebApp } from "../support/webApp.js"
import { handle, makeWebApp } from "../support/webApp.js"

// -- the recipe: who is signed in stands in the session, and which sessions an account has stands with the account

const SignedIn = Session.entry(
  "signedIn",
  Schema.Struct({
    user: Schema.String,
    /** Names this session in the account's list. It proves nothing. */
    handle: Schema.String,
    /** When the password was last given, in milliseconds since the epoch. */
    authenticatedAt: Schema.Number,
    /** When the identity provider says that it is over, whatever the session's own life. */
    endsAt: Schema.optional(Schema.Number)
  })
)

const Elevated = Session.entry("elevatedUntil", Schema.Number)

interface LoginOptions {
  readonly endsAt?: number
}

/** The app's own table: the handles of an account's sessions, oldest first. */
const makeAccounts = (mostSessions: number) => {
  const handles = new Map<string, Array<string>>()
  const of = (user: string): ReadonlyArray<string> => handles.get(user) ?? []
  const keep = (user: string, isKept: (handle: string) => boolean) => {
    handles.set(user, of(user).filter(isKept))
  }

  const login = (user: string, options: LoginOptions = {}): Handler =>
    handle((session) =>
      Effect.gen(function*() {
        const name = randomUUID()
        handles.set(user, [...of(user), name].slice(-mostSessions))
        yield* session.clear
        yield* session.insert(SignedIn, {
          user,
          handle: name,
          authenticatedAt: yield* Clock.currentTimeMillis,
          ...options
        })
        yield* session.renew
        return name
      })
    )

  /** Who is signed in, `none` for everybody else; a session that was ended from afar ends here. */
  const whoIsThere = Effect.gen(function*() {
    const session = yield* Session.Session
    const signedIn = yield* session.get(SignedIn)
    if (Option.isNone(signedIn)) {
      return signedIn
    }
    const { endsAt = Infinity, handle, user } = signedIn.value
    if (of(user).includes(handle) && (yield* Clock.currentTimeMillis) < endsAt) {
      return signedIn
    }
    yield* session.purge
    return Option.none()
  })

  const page: Handler = Effect.map(whoIsThere, (who) =>
    Option.match(who, {
      onNone: () => HttpServerResponse.empty({ status: 401 }),
      onSome: ({ user }) => HttpServerResponse.unsafeJson(user)
    }))

  const changeAddress: Handler = Effect.gen(function*() {
    const who = yield* whoIsThere
    const now = yield* Clock.currentTimeMillis
    const isFresh = Option.exists(who, ({ authenticatedAt }) => now - authenticatedAt < 5 * 60_000)
    return HttpServerResponse.empty({ status: isFresh ? 204 : 401 })
  })

  const elevate = handle((session) =>
    Effect.gen(function*() {
      yield* session.insert(Elevated, (yield* Clock.currentTimeMillis) + 60_000)
      yield* session.renew
    })
  )

  const transferMoney: Handler = Effect.gen(function*() {
    const session = yield* Session.Session
    const until = Option.getOrElse(yield* session.get(Elevated), () => 0)
    const isAllowed = Option.isSome(yield* whoIsThere) && (yield* Clock.currentTimeMillis) < until
    return HttpServerResponse.empty({ status: isAllowed ? 204 : 403 })
  })

  return {
    login,
    page,
    changeAddress,
    elevate,
    transferMoney,
    list: of,
    end: (user: string, handle: string) => keep(user, (other) => other !== handle),
    endOthers: (user: string, handle: string) => keep(user, (other) => other === handle),
    endAll: (user: string) => keep(user, () => false)
  }
}

const statusOf = (app: WebApp, handler: Handler, cookie: string): Effect.Effect<number> =>
  Effect.map(app.request(handler, cookie), ({ status }) => status)

const signIn = (app: WebApp, login: Handler, cookie?: string) =>
  Effect.map(app.request(login, cookie), ({ body, setCookies }) => ({
    handle: body as string,
    cookie: setCookies[0]!.split(";")[0]!
  }))

describe("the recipes for accounts", () => {
  it.scoped("a list of session handles ends one session, all others, or all of an account, at its next request", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const accounts = makeAccounts(10)
      const [one, two, three, four] = yield* Effect.all(
        [1, 2, 3, 4].map(() => signIn(app, accounts.login("ferris")))
      )
      const other = yield* signIn(app, accounts.login("somebody else"))
      const who = (...visitors: ReadonlyArray<{ readonly cookie: string } | undefined>) =>
        Effect.forEach(visitors, (visitor) => statusOf(app, accounts.page, visitor!.cookie))

      assert.deepStrictEqual(yield* who(one, two, three, four, other), [200, 200, 200, 200, 200])
      accounts.end("ferris", two!.handle)
      assert.deepStrictEqual(yield* who(one, two, three, four, other), [200, 401, 200, 200, 200])
      accounts.endOthers("ferris", one!.handle)
      assert.deepStrictEqual(yield* who(one, two, three, four, other), [200, 401, 401, 401, 200])
      accounts.endAll("ferris")
      assert.deepStrictEqual(yield* who(one, two, three, four, other), [401, 401, 401, 401, 200])
      // A handle of somebody else's session ends nothing of it, and no handle is a credential.
      accounts.end("ferris", other.handle)
      assert.deepStrictEqual(yield* who(other), [200])
      assert.strictEqual(yield* statusOf(app, accounts.page, `__Host-id=${other.handle}`), 401)
    }))

  it.scoped("an ended session stays ended, though requests of it were under way and others follow", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const accounts = makeAccounts(10)
      const { cookie } = yield* signIn(app, accounts.login("ferris"))
      accounts.endAll("ferris")
      const statuses = yield* Effect.all(
        Array.from({ length: 50 }, () => statusOf(app, accounts.page, cookie)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(statuses), new Set([401]))
      yield* app.request(handle((session) => session.insert("late", Schema.String, "x")), cookie)
      assert.strictEqual(yield* statusOf(app, accounts.page, cookie), 401)
    }))

  it.scoped("an account has no more sessions than it may, however many sign in at once, and the oldest go", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const accounts = makeAccounts(3)
      const all = yield* Effect.all(
        Array.from({ length: 50 }, () => signIn(app, accounts.login("ferris"))),
        { concurrency: "unbounded" }
      )
      const alive = yield* Effect.filter(
        all,
        ({ cookie }) => Effect.map(statusOf(app, accounts.page, cookie), (status) => status === 200)
      )
      assert.deepStrictEqual(alive.map(({ handle }) => handle).sort(), [...accounts.list("ferris")].sort())
      assert.strictEqual(alive.length, 3)
    }))

  it.scoped("what wants a fresh login asks for one after its time, and gets it with a new key", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const accounts = makeAccounts(10)
      const first = yield* signIn(app, accounts.login("ferris"))
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual(yield* statusOf(app, accounts.changeAddress, first.cookie), 204)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* statusOf(app, accounts.changeAddress, first.cookie), 401)
      assert.strictEqual(yield* statusOf(app, accounts.page, first.cookie), 200)
      const again = yield* signIn(app, accounts.login("ferris"), first.cookie)
      assert.strictEqual(yield* statusOf(app, accounts.changeAddress, again.cookie), 204)
      assert.strictEqual(yield* statusOf(app, accounts.changeAddress, first.cookie), 401)
    }))

  it.scoped("an elevation comes with a new key, and ends by itself while the session goes on", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const accounts = makeAccounts(10)
      const plain = yield* signIn(app, accounts.login("ferris"))
      assert.strictEqual(yield* statusOf(app, accounts.transferMoney, plain.cookie), 403)
      const elevated = yield* signIn(app, accounts.elevate, plain.cookie)
      assert.strictEqual(yield* statusOf(app, accounts.transferMoney, elevated.cookie), 204)
      assert.strictEqual(yield* statusOf(app, accounts.transferMoney, plain.cookie), 403)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(yield* statusOf(app, accounts.transferMoney, elevated.cookie), 403)
      assert.strictEqual(yield* statusOf(app, accounts.page, elevated.cookie), 200)
    }))

  it.scoped("an end that an identity provider set holds beside the session's own", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp()
      const accounts = makeAccounts(10)
      const federated = yield* signIn(app, accounts.login("ferris", { endsAt: 60_000 }))
      const local = yield* signIn(app, accounts.login("ferris"))
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(yield* statusOf(app, accounts.page, federated.cookie), 200)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* statusOf(app, accounts.page, federated.cookie), 401)
      assert.strictEqual(yield* statusOf(app, accounts.page, local.cookie), 200)
    }))
})
