/**
 * What accounts promise, over real sockets, for each store that knows them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import type * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import { App, type AppOptions, appOver, type Device, type Visitor, visitor, visitorWith } from "./accountApp.js"

const labelsOf = (devices: number | ReadonlyArray<Device>) =>
  typeof devices === "number" ? devices : devices.map(({ label }) => label)

/** Sends a request that is held where its handler is done, and waits until it is there. */
const begin = (who: Visitor, path: string, gate: string, body?: unknown) =>
  Effect.gen(function*() {
    const { gates } = yield* App
    const answer = yield* Effect.fork(who.browser.post(`${path}?hold=${gate}`, body))
    yield* gates.reached(gate)
    return Effect.zipRight(gates.open(gate), Effect.map(Fiber.join(answer), ({ status }) => status))
  })

export const accountSuite = <E>(name: string, store: () => Layer.Layer<SessionStore.SessionStore, E>): void => {
  const check = (title: string, body: Effect.Effect<void, never, any>, options?: AppOptions) =>
    it.scopedLive(title, () => Effect.provide(body as Effect.Effect<void, never, App>, appOver(store(), options)))

  describe(`${name}: a sign-in`, () => {
    check(
      "is seen by the next request, with its times and its facts",
      Effect.gen(function*() {
        const { clock } = yield* App
        const ada = yield* visitor
        assert.isNull(yield* ada.account)
        const at = clock.unsafeCurrentTimeMillis()
        assert.strictEqual(yield* ada.signIn("ada", "Firefox"), 200)
        clock.moveOn(1_000)
        assert.deepStrictEqual(yield* ada.current, {
          account: "ada",
          label: "Firefox",
          signedInAt: at,
          authenticatedAt: at
        })
      })
    )

    check(
      "renews the key of an anonymous session and keeps its values",
      Effect.gen(function*() {
        const ada = yield* visitor
        yield* ada.post("/value/cart")
        const thief = visitorWith(ada.browser.copy())
        assert.strictEqual(yield* ada.signIn("ada"), 200)
        assert.strictEqual(yield* ada.get("/value"), "cart")
        assert.isNull(yield* thief.account)
        assert.isNull(yield* thief.get("/value"))
      })
    )

    check(
      "to the same account keeps the session, since when, and the facts where none are given",
      Effect.gen(function*() {
        const { clock } = yield* App
        const ada = yield* visitor
        const at = clock.unsafeCurrentTimeMillis()
        yield* ada.signIn("ada", "Firefox")
        clock.moveOn(60_000)
        assert.strictEqual(yield* ada.signIn("ada"), 200)
        assert.deepStrictEqual(yield* ada.current, {
          account: "ada",
          label: "Firefox",
          signedInAt: at,
          authenticatedAt: at + 60_000
        })
        assert.deepStrictEqual(labelsOf(yield* ada.devices), ["Firefox"])
      })
    )

    check(
      "to another account ends the session, and takes nothing of it along",
      Effect.gen(function*() {
        const visit = yield* visitor
        yield* visit.signIn("ada", "Firefox")
        yield* visit.post("/value/secret")
        const before = visitorWith(visit.browser.copy())
        assert.strictEqual(yield* visit.signIn("bob"), 200)
        assert.strictEqual(yield* visit.account, "bob")
        assert.isNull(yield* visit.get("/value"))
        assert.isNull(yield* before.account)
        const ada = yield* visitor
        yield* ada.signIn("ada", "Other")
        assert.deepStrictEqual(labelsOf(yield* ada.devices), ["Other"])
      })
    )

    check(
      "of two to different accounts in one session gives each its own, or nothing",
      Effect.gen(function*() {
        const one = yield* visitor
        yield* one.post("/value/cart")
        const two = visitorWith(one.browser.copy())
        const ada = yield* begin(one, "/signin", "a", { account: "ada" })
        const bob = yield* begin(two, "/signin", "b", { account: "bob" })
        assert.strictEqual(yield* ada, 200)
        assert.strictEqual(yield* bob, 200)
        assert.strictEqual(yield* one.account, "ada")
        assert.strictEqual(yield* two.account, "bob")
        assert.isNull(yield* two.get("/value"))
      })
    )

    check(
      "that lost a race for the key of a session that was signed in begins no other",
      Effect.gen(function*() {
        const one = yield* visitor
        yield* one.signIn("ada", "Firefox")
        const two = visitorWith(one.browser.copy())
        const first = yield* begin(one, "/signin", "a", { account: "ada" })
        const second = yield* begin(two, "/signin", "b", { account: "ada" })
        assert.strictEqual(yield* first, 200)
        assert.strictEqual(yield* second, 409)
        assert.deepStrictEqual(labelsOf(yield* one.devices), ["Firefox"])
      })
    )

    check(
      "in a session that ends meanwhile comes to nothing",
      Effect.gen(function*() {
        const one = yield* visitor
        yield* one.post("/value/cart")
        const two = visitorWith(one.browser.copy())
        const signIn = yield* begin(one, "/signin", "held", { account: "ada" })
        yield* two.post("/signout")
        assert.strictEqual(yield* signIn, 409)
        assert.isNull(yield* one.account)
        yield* two.signIn("ada", "two")
        assert.deepStrictEqual(labelsOf(yield* two.devices), ["two"])
      })
    )

    check(
      "with an id that is too long fails, and leaves nothing",
      Effect.gen(function*() {
        const ada = yield* visitor
        assert.strictEqual(yield* ada.signIn("x".repeat(600)), 500)
        assert.isNull(yield* ada.account)
        assert.isUndefined(ada.browser.cookieHeader("/"))
      })
    )
  })

  describe(`${name}: what needs an account`, () => {
    check(
      "is a 401 without one, and without a fresh one",
      Effect.gen(function*() {
        const { clock } = yield* App
        const ada = yield* visitor
        assert.strictEqual(yield* ada.devices, 401)
        assert.strictEqual(yield* ada.get("/fresh"), 401)
        yield* ada.signIn("ada")
        assert.strictEqual(yield* ada.get("/fresh"), "ada")
        clock.moveOn(599_999)
        assert.strictEqual(yield* ada.get("/fresh"), "ada")
        clock.moveOn(1)
        assert.strictEqual(yield* ada.get("/fresh"), 401)
        const before = visitorWith(ada.browser.copy())
        yield* ada.post("/reauthenticate")
        assert.strictEqual(yield* ada.get("/fresh"), "ada")
        assert.isNull(yield* before.account)
      })
    )

    check(
      "lets nobody prove again who he is that has not signed in",
      Effect.gen(function*() {
        const visit = yield* visitor
        assert.strictEqual(yield* visit.post("/reauthenticate"), 401)
        assert.strictEqual(yield* visit.post("/end-others"), 401)
      })
    )
  })

  describe(`${name}: the sessions of an account`, () => {
    check(
      "are listed with the oldest sign-in first, and the one that asks",
      Effect.gen(function*() {
        const { clock } = yield* App
        const [one, two, other] = yield* Effect.all([visitor, visitor, visitor])
        yield* one.signIn("ada", "one")
        clock.moveOn(1)
        yield* two.signIn("ada", "two")
        yield* other.signIn("bob", "other")
        const devices = yield* two.devices
        assert.deepStrictEqual(labelsOf(devices), ["one", "two"])
        assert.deepStrictEqual((devices as ReadonlyArray<Device>).map(({ isCurrent }) => isCurrent), [false, true])
      })
    )

    check(
      "end one by one, and never that of another account",
      Effect.gen(function*() {
        const [one, two, other] = yield* Effect.all([visitor, visitor, visitor])
        yield* one.signIn("ada", "one")
        yield* two.signIn("ada", "two")
        yield* other.signIn("bob", "other")
        const devices = yield* two.devices as Effect.Effect<ReadonlyArray<Device>>
        const id = devices.find(({ label }) => label === "one")!.id
        assert.strictEqual(yield* other.end(id), false)
        assert.strictEqual(yield* other.end("nonsense"), false)
        assert.strictEqual(yield* one.account, "ada")
        assert.strictEqual(yield* two.end(id), true)
        assert.strictEqual(yield* two.end(id), false)
        assert.isNull(yield* one.account)
        assert.deepStrictEqual(labelsOf(yield* two.devices), ["two"])
      })
    )

    check(
      "end all at once, the one that asks included",
      Effect.gen(function*() {
        const [one, two, other] = yield* Effect.all([visitor, visitor, visitor])
        for (const who of [one, two]) {
          yield* who.signIn("ada")
        }
        yield* other.signIn("bob")
        assert.strictEqual(yield* one.post("/end-all"), 2)
        assert.isNull(yield* one.account)
        assert.isNull(yield* two.account)
        assert.strictEqual(yield* other.account, "bob")
        yield* one.signIn("ada", "again")
        assert.deepStrictEqual(labelsOf(yield* one.devices), ["again"])
      })
    )

    check(
      "end all but the one that asks",
      Effect.gen(function*() {
        const [one, two, three] = yield* Effect.all([visitor, visitor, visitor])
        for (const who of [one, two, three]) {
          yield* who.signIn("ada")
        }
        assert.strictEqual(yield* two.post("/end-others"), 2)
        assert.deepStrictEqual(
          yield* Effect.all([one.account, two.account, three.account]),
          [null, "ada", null]
        )
      })
    )

    check(
      "that signs in and ends all others in one request stays",
      Effect.gen(function*() {
        const [one, two] = yield* Effect.all([visitor, visitor])
        yield* one.signIn("ada")
        const { body, status } = yield* two.browser.post("/signin-alone", { account: "ada" })
        assert.deepStrictEqual([status, body], [200, "1"])
        assert.deepStrictEqual(yield* Effect.all([one.account, two.account]), [null, "ada"])
      })
    )

    check(
      "are no longer listed when they have signed out or expired",
      Effect.gen(function*() {
        const { clock } = yield* App
        const [one, two, three] = yield* Effect.all([visitor, visitor, visitor])
        for (const who of [one, two]) {
          yield* who.signIn("ada")
        }
        yield* two.post("/signout")
        assert.strictEqual((yield* one.devices as Effect.Effect<ReadonlyArray<Device>>).length, 1)
        clock.moveOn(59_000)
        yield* three.signIn("ada", "three")
        clock.moveOn(1_000)
        assert.deepStrictEqual(labelsOf(yield* three.devices), ["three"])
      }),
      { config: { lifecycle: Config.BrowserSession({ ttl: "1 minute" }) } }
    )
  })

  describe(`${name}: once all sessions of an account were ended`, () => {
    check(
      "a sign-in that had begun comes to nothing, and is told so",
      Effect.gen(function*() {
        const [one, two] = yield* Effect.all([visitor, visitor])
        yield* one.signIn("ada")
        const late = yield* begin(two, "/signin", "late", { account: "ada" })
        assert.strictEqual(yield* one.post("/end-all"), 1)
        assert.strictEqual(yield* late, 409)
        assert.isNull(yield* two.account)
        assert.isUndefined(two.browser.cookieHeader("/"))
        yield* one.signIn("ada", "one")
        assert.deepStrictEqual(labelsOf(yield* one.devices), ["one"])
      })
    )

    check(
      "a sign-in that had begun in an anonymous session comes to nothing",
      Effect.gen(function*() {
        const [one, two] = yield* Effect.all([visitor, visitor])
        yield* one.signIn("ada")
        yield* two.post("/value/cart")
        const late = yield* begin(two, "/signin", "late", { account: "ada" })
        assert.strictEqual(yield* one.post("/end-all"), 1)
        assert.strictEqual(yield* late, 409)
        assert.isNull(yield* two.account)
      })
    )

    check(
      "a sign-in whose password was being looked at comes to nothing, and a wrong one leaves nothing",
      Effect.gen(function*() {
        const [one, two] = yield* Effect.all([visitor, visitor])
        yield* one.signIn("ada")
        const late = yield* begin(two, "/signin-with", "password", { account: "ada", label: "ada" })
        assert.strictEqual(yield* one.post("/end-all"), 1)
        assert.strictEqual(yield* late, 409)
        assert.isNull(yield* two.account)
        const wrong = yield* two.browser.post("/signin-with", { account: "ada", label: "bob" })
        assert.deepStrictEqual([wrong.status, wrong.setCookies.length], [500, 0])
        const right = yield* two.browser.post("/signin-with", { account: "ada", label: "ada" })
        assert.deepStrictEqual([right.status, right.body], [200, "\"ada\""])
        assert.strictEqual(yield* two.account, "ada")
      })
    )

    check(
      "no renewal, write or sign-in that was under way brings one back",
      Effect.gen(function*() {
        for (const path of ["/renew", "/value/x", "/reauthenticate"]) {
          const [one, two] = yield* Effect.all([visitor, visitor])
          yield* one.signIn("ada")
          yield* two.signIn("ada")
          const late = yield* begin(two, path, path)
          assert.strictEqual(yield* one.post("/end-all"), 2)
          yield* late
          assert.isNull(yield* two.account, path)
        }
      })
    )

    check(
      "that was by one which signs in as well, a sign-in of another that had begun comes to nothing",
      Effect.gen(function*() {
        const [one, two] = yield* Effect.all([visitor, visitor])
        const late = yield* begin(two, "/signin", "late", { account: "ada" })
        const { status } = yield* one.browser.post("/signin-alone", { account: "ada" })
        assert.strictEqual(status, 200)
        assert.strictEqual(yield* late, 409)
        assert.deepStrictEqual(yield* Effect.all([one.account, two.account]), ["ada", null])
      })
    )
  })

  describe(`${name}: a limit`, () => {
    check(
      "ends the oldest sign-ins",
      Effect.gen(function*() {
        const { clock } = yield* App
        const visitors = yield* Effect.all([visitor, visitor, visitor, visitor])
        for (const [i, who] of visitors.entries()) {
          assert.strictEqual(yield* who.signIn("ada", String(i)), 200)
          clock.moveOn(1)
        }
        assert.deepStrictEqual(labelsOf(yield* visitors[3].devices), ["2", "3"])
        assert.deepStrictEqual(
          yield* Effect.all(visitors.map(({ account }) => account)),
          [null, null, "ada", "ada"]
        )
      }),
      { accounts: { maxPerAccount: 2 } }
    )

    check(
      "refuses a sign-in, and leaves its session as it was",
      Effect.gen(function*() {
        const [one, two] = yield* Effect.all([visitor, visitor])
        yield* one.signIn("ada")
        yield* two.signIn("bob")
        assert.strictEqual(yield* two.signIn("ada"), 409)
        assert.strictEqual(yield* two.account, "bob")
        assert.strictEqual(yield* one.signIn("ada"), 200)
        yield* one.post("/signout")
        assert.strictEqual(yield* two.signIn("ada"), 200)
      }),
      { accounts: { maxPerAccount: 1, onLimit: "Refuse" } }
    )

    for (const onLimit of ["EndOldest", "Refuse"] as const) {
      check(
        `holds for parallel sign-ins (${onLimit})`,
        Effect.gen(function*() {
          const visitors = yield* Effect.all(Array.from({ length: 8 }, () => visitor))
          const begun = yield* Effect.forEach(
            visitors,
            (who, i) => begin(who, "/signin", `gate${i}`, { account: "ada", label: String(i) })
          )
          yield* Effect.all(begun, { concurrency: "unbounded" })
          const accounts = yield* Effect.all(visitors.map(({ account }) => account))
          const alive = accounts.filter((account) => account !== null).length
          assert.isAtMost(alive, 3)
          if (onLimit === "EndOldest") {
            assert.strictEqual(alive, 3)
          }
        }),
        { accounts: { maxPerAccount: 3, onLimit } }
      )
    }
  })
}
