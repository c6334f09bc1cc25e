import type { Vitest } from "@effect/vitest"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Redis } from "ioredis"
import { heldMillis } from "../support/handTimers.js"
import { RedisServer } from "../support/redisServer.js"
import { freePort } from "../support/serverProcess.js"
import { databaseNames, makeDatabase } from "../support/sqlDatabases.js"
import type { DatabaseName } from "../support/sqlDatabases.js"
import { generous } from "../support/timeLimits.js"
import type { Visitor } from "./cookieJar.js"
import { send, visitor } from "./cookieJar.js"
import type { RunningExample } from "./exampleProcess.js"
import { runExample, startExample } from "./exampleProcess.js"

class Workbench extends Context.Tag("test/Workbench")<Workbench, RunningExample>() {}

const limits = { SESSION_STORE_TIMEOUT: generous, REDIS_TIMEOUT: generous, DATABASE_TIMEOUT: generous }

const workbenchOn = (env: Readonly<Record<string, string>>) =>
  Layer.scoped(Workbench, runExample("workbench.ts", { ...limits, ...env }))

const onRedis = Layer.provideMerge(
  Layer.unwrapEffect(Effect.map(RedisServer, ({ url }) => workbenchOn({ SESSION_STORE: "redis", REDIS_URL: url }))),
  RedisServer.layer()
)

const onDatabase = (name: DatabaseName) =>
  Layer.unwrapScoped(
    Effect.map(makeDatabase(name), ({ url }) => workbenchOn({ SESSION_STORE: name, DATABASE_URL: url }))
  )

const newVisitor = Effect.map(Workbench, ({ url }) => visitor(url))

/** A visitor whose session holds `{"a": 1}`. */
const knownVisitor = Effect.tap(newVisitor, (visitor) => expectStatus(visitor, "PUT /entries/a", 204, 1))

const expectJson = (visitor: Visitor, line: string, expected: unknown, body?: unknown) =>
  Effect.map(visitor.send(line, body), (reply) => {
    assert.strictEqual(reply.status, 200, `${line}: ${reply.text}`)
    assert.deepStrictEqual(reply.json(), expected, line)
  })

const expectStatus = (visitor: Visitor, line: string, status: number, body?: unknown) =>
  Effect.map(visitor.send(line, body), (reply) => {
    assert.strictEqual(reply.status, status, line)
    assert.strictEqual(reply.text, "", line)
    return reply
  })

const statusOf = (visitor: Visitor) =>
  Effect.map(visitor.send("GET /status"), (reply) => reply.json() as { readonly status: string; readonly id: string })

const pathOf = (key: string): string => `/entries/${encodeURIComponent(key)}`

const hostileKeys = [
  "__proto__",
  "constructor",
  "toString",
  "hasOwnProperty",
  "increment",
  "größe ☕ 𝄞",
  "a/b",
  "//",
  "/",
  "%",
  "%2F",
  "100%25",
  "a b+c&d=e?f#g;h",
  "\0\r\n\t",
  "\"'<>\\",
  "",
  "k".repeat(300)
]

type Methods<R> = Vitest.MethodsNonLive<R, true>

/** What holds on every store. */
const contract = (it: Methods<Workbench>) => {
  it.scoped("an unknown visitor reads zero and is given no session", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* expectJson(visitor, "GET /", { counter: 0, user_id: null })
      yield* expectJson(visitor, "GET /entries", {})
      yield* expectJson(visitor, "GET /status", { status: "Unchanged", id: null })
      assert.strictEqual(visitor.cookie(), "")
    }))

  it.scoped("do_something counts one up for each visitor on their own", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      const other = yield* newVisitor
      yield* expectJson(visitor, "POST /do_something", { counter: 1, user_id: null })
      yield* expectJson(visitor, "POST /do_something", { counter: 2, user_id: null })
      yield* expectJson(other, "POST /do_something", { counter: 1, user_id: null })
      yield* expectJson(visitor, "GET /", { counter: 2, user_id: null })
    }))

  it.scoped("a login keeps the counter and gives the browser another cookie", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* visitor.send("POST /do_something")
      const before = visitor.cookie()
      const { id } = yield* statusOf(visitor)
      yield* expectJson(visitor, "POST /login", { counter: 1, user_id: "ferris" }, { user_id: "ferris" })
      assert.notStrictEqual(visitor.cookie(), before)
      assert.strictEqual((yield* statusOf(visitor)).id, id)
      yield* expectJson(visitor, "GET /", { counter: 1, user_id: "ferris" })
    }))

  it.scoped("a logout names the user once and takes the cookie away", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* visitor.send("POST /login", { user_id: "ferris" })
      assert.strictEqual((yield* visitor.send("POST /logout")).text, "Logged out: ferris")
      assert.strictEqual(visitor.cookie(), "")
      assert.strictEqual((yield* visitor.send("POST /logout")).text, "Could not log out anonymous user")
      yield* expectJson(visitor, "GET /", { counter: 0, user_id: null })
    }))

  it.scoped("an anonymous visitor who logs out keeps the session", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* visitor.send("POST /do_something")
      assert.strictEqual((yield* visitor.send("POST /logout")).text, "Could not log out anonymous user")
      yield* expectJson(visitor, "GET /", { counter: 1, user_id: null })
    }))

  it.scoped("the protected count is for users only", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* visitor.send("POST /do_something")
      yield* expectStatus(visitor, "GET /protected/count", 401)
      yield* visitor.send("POST /login", { user_id: "" })
      yield* expectJson(visitor, "GET /protected/count", { counter: 1, user_id: "" })
    }))

  it.scoped("an entry takes any JSON, gives it back, and can be removed", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      const values = {
        null: null,
        false: false,
        zero: 0,
        tiny: 5e-324,
        text: "ü \u0000 \u2028",
        list: [1, [], {}],
        object: { a: { b: null } }
      }
      for (const [key, value] of Object.entries(values)) {
        yield* expectStatus(visitor, `PUT ${pathOf(key)}`, 204, value)
        yield* expectJson(visitor, `GET ${pathOf(key)}`, { value })
      }
      yield* expectJson(visitor, "GET /entries", values)
      for (const key of Object.keys(values)) {
        yield* expectStatus(visitor, `DELETE ${pathOf(key)}`, 204)
        yield* expectStatus(visitor, `GET ${pathOf(key)}`, 404)
      }
      yield* expectStatus(visitor, "DELETE /entries/never", 204)
      yield* expectJson(visitor, "GET /entries", {})
    }))

  it.scoped("a key named __proto__ inside of a value stays an ordinary key", () =>
    Effect.gen(function*() {
      const { url } = yield* Workbench
      const visitor = yield* knownVisitor
      const body = "{\"__proto__\":{\"admin\":true}}"
      const headers = { cookie: visitor.cookie() }
      const reply = yield* send(`${url}/entries/value`, { method: "PUT", body, headers })
      assert.strictEqual(reply.status, 204)
      const [cookie = headers.cookie] = reply.headers.getSetCookie().map((line) => line.slice(0, line.indexOf(";")))
      const answer = yield* send(`${url}/entries/value`, { headers: { cookie } })
      assert.strictEqual(answer.text, `{"value":${body}}`)
    }))

  it.scoped("any text is a key, percent-decoded once", () =>
    Effect.gen(function*() {
      for (const key of hostileKeys) {
        const visitor = yield* newVisitor
        yield* expectStatus(visitor, `PUT ${pathOf(key)}`, 204, 41)
        yield* expectJson(visitor, `GET ${pathOf(key)}`, { value: 41 })
        yield* expectJson(visitor, `POST ${pathOf(key)}/increment`, { value: 42 })
        const entries = (yield* visitor.send("GET /entries")).json() as object
        assert.deepStrictEqual(Object.entries(entries), [[key, 42]])
        yield* expectStatus(visitor, `DELETE ${pathOf(key)}`, 204)
        yield* expectStatus(visitor, `GET ${pathOf(key)}`, 404)
      }
    }))

  it.scoped("keys and values come back as they went in, whatever they are", () =>
    Effect.gen(function*() {
      // A URL parser drops the two path segments that mean folders, encoded or not.
      const key = FastCheck.string({ unit: "binary", maxLength: 20 }).filter((key) => key !== "." && key !== "..")
      const value = FastCheck.jsonValue({ maxDepth: 2 })
      for (const [name, put] of FastCheck.sample(FastCheck.tuple(key, value), 30)) {
        const visitor = yield* newVisitor
        yield* expectStatus(visitor, `PUT ${pathOf(name)}`, 204, put)
        // JSON has no negative zero.
        yield* expectJson(visitor, `GET ${pathOf(name)}`, { value: JSON.parse(JSON.stringify(put)) })
      }
    }))

  it.scoped("an increment begins at zero, and refuses what is not a number", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* expectJson(visitor, "POST /entries/n/increment", { value: 1 })
      yield* expectJson(visitor, "POST /entries/n/increment", { value: 2 })
      yield* visitor.send("PUT /entries/text", "one")
      yield* expectStatus(visitor, "POST /entries/text/increment", 500)
      yield* expectJson(visitor, "GET /entries", { n: 2, text: "one" })
    }))

  it.scoped("clear empties the session and leaves it standing", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      const { id } = yield* statusOf(visitor)
      yield* expectStatus(visitor, "POST /clear", 204)
      yield* expectJson(visitor, "GET /entries", {})
      yield* expectJson(visitor, "GET /status", { status: "Unchanged", id })
    }))

  it.scoped("purge ends the session and takes the cookie away", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      yield* expectStatus(visitor, "POST /purge", 204)
      assert.strictEqual(visitor.cookie(), "")
      yield* expectJson(visitor, "GET /status", { status: "Unchanged", id: null })
    }))

  it.scoped("renew changes the cookie and nothing else", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      const before = visitor.cookie()
      const status = yield* statusOf(visitor)
      yield* expectStatus(visitor, "POST /renew", 204)
      assert.notStrictEqual(visitor.cookie(), before)
      assert.deepStrictEqual(yield* statusOf(visitor), status)
      yield* expectJson(visitor, "GET /entries", { a: 1 })
    }))

  it.scoped("a route that looks at no session says so to caches, and sets no cookie", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      for (const line of ["GET /untouched", "GET /untouched?delay=1"]) {
        const reply = yield* expectStatus(visitor, line, 204)
        assert.isNull(reply.headers.get("vary"))
        assert.deepStrictEqual(reply.headers.getSetCookie(), [])
      }
    }))

  it.scoped("a request that cannot be understood is answered 400 and changes nothing", () =>
    Effect.gen(function*() {
      const { url } = yield* Workbench
      const visitor = yield* knownVisitor
      const headers = { cookie: visitor.cookie() }
      const badBodies = ["", "{", "undefined", "NaN", "{'a':1}", "1 2"]
      const wrongUsers = ["{}", "null", "{\"user_id\":1}", "\"ferris\""]
      for (const body of badBodies) {
        assert.strictEqual((yield* send(`${url}/entries/a`, { method: "PUT", headers, body })).status, 400, body)
      }
      for (const body of [...badBodies, ...wrongUsers]) {
        assert.strictEqual((yield* send(`${url}/login`, { method: "POST", headers, body })).status, 400, body)
      }
      for (const delay of ["", "soon", "-1", "NaN", "Infinity", "1e99"]) {
        yield* expectStatus(visitor, `POST /entries/a/increment?delay=${delay}`, 400)
      }
      yield* expectJson(visitor, "GET /entries", { a: 1 })
      yield* expectJson(visitor, "GET /", { counter: 0, user_id: null })
    }))

  it.scoped("what a handler changed before it failed is kept", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* expectStatus(visitor, "PUT /entries/a?fail=1", 500, "kept")
      yield* expectJson(visitor, "GET /entries", { a: "kept" })
      yield* expectStatus(visitor, "POST /do_something?fail=1", 500)
      yield* expectJson(visitor, "GET /", { counter: 1, user_id: null })
      yield* expectStatus(visitor, "POST /purge?fail=1", 500)
      assert.strictEqual(visitor.cookie(), "")
    }))

  it.scoped("paths and methods that are not there are answered 404", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      for (const line of ["GET /nowhere", "GET /purge", "POST /", "GET /entries/a/b", "GET /entries/%zz"]) {
        yield* expectStatus(visitor, line, 404)
      }
    }))

  it.scoped("a cookie that is not ours opens nothing, and the next write begins a session of its own", () =>
    Effect.gen(function*() {
      const { url } = yield* Workbench
      const owner = yield* knownVisitor
      const { id } = yield* statusOf(owner)
      const [name = "", value = ""] = owner.cookie().split("=")
      const stranger = yield* knownVisitor
      const foreign = CookieCrypto.make({
        name,
        keys: Effect.runSync(Config.make({ keys: Config.generateKey() })).keys,
        contentSecurity: "Private",
        format: "EffectSession"
      })
      const flip = (at: number) => value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1)
      const cookies = {
        "tampered at the start": `${name}=${flip(0)}`,
        "tampered in the middle": `${name}=${flip(value.length >> 1)}`,
        "truncated": `${name}=${value.slice(0, -1)}`,
        "longer": `${name}=${value}A`,
        "empty": `${name}=`,
        "quoted": `${name}="${value}"`,
        "percent-encoded": `${name}=%${value.charCodeAt(0).toString(16)}${value.slice(1)}`,
        "under a name that differs in case": `${name.toLowerCase()}=${value}`,
        "under a name that decodes to ours": `%5F%5FHost-id=${value}`,
        "sealed with another app's key": `${name}=${foreign.seal(`${id}.${"A".repeat(43)}`)}`,
        "the session id in clear": `${name}=${id}`,
        "not sealed": `${name}=${id}.${"A".repeat(43)}`,
        "oversized": `${name}=${"A".repeat(12_000)}`,
        "two sessions at once": `${owner.cookie()}; ${stranger.cookie()}`,
        "two sessions at once, the other way round": `${stranger.cookie()}; ${owner.cookie()}`,
        "too many to look at": Array.from({ length: 40 }, () => owner.cookie()).join("; ")
      }
      for (const [kind, cookie] of Object.entries(cookies)) {
        const read = yield* send(`${url}/entries`, { headers: { cookie } })
        assert.strictEqual(read.status, 200, kind)
        assert.deepStrictEqual(read.json(), {}, kind)
        assert.deepStrictEqual(read.headers.getSetCookie(), [], kind)
        const written = yield* send(`${url}/do_something`, { method: "POST", headers: { cookie } })
        assert.deepStrictEqual(written.json(), { counter: 1, user_id: null }, kind)
        const [line = ""] = written.headers.getSetCookie()
        assert.isTrue(line.startsWith(`${name}=`), kind)
        const fresh = yield* send(`${url}/status`, { headers: { cookie: line.slice(0, line.indexOf(";")) } })
        assert.notStrictEqual((fresh.json() as { readonly id: string }).id, id, kind)
      }
      yield* expectJson(owner, "GET /entries", { a: 1 })
      yield* expectJson(stranger, "GET /entries", { a: 1 })
    }))

  it.scoped("the same cookie twice, or among others, is the one session", () =>
    Effect.gen(function*() {
      const { url } = yield* Workbench
      const visitor = yield* knownVisitor
      const [name = ""] = visitor.cookie().split("=")
      const cookie = `theme=dark; ${name}=junk; ${visitor.cookie()};${visitor.cookie()}; ${name}=; =;`
      assert.deepStrictEqual((yield* send(`${url}/entries`, { headers: { cookie } })).json(), { a: 1 })
    }))
}

/** What holds where the server keeps the sessions. */
const promises = (it: Methods<Workbench>) => {
  it.scoped("parallel requests that write different keys keep both", () =>
    Effect.gen(function*() {
      const visitor = yield* newVisitor
      yield* visitor.send("POST /entries/n/increment")
      const workbench = yield* Workbench
      const slow = yield* Effect.fork(visitor.copy().send(`PUT /entries/a?delay=${heldMillis}`, "slow"))
      yield* workbench.waiting
      yield* visitor.copy().send("PUT /entries/b", "fast")
      yield* workbench.endWaits
      yield* Fiber.join(slow)
      yield* expectJson(visitor, "GET /entries", { n: 1, a: "slow", b: "fast" })
    }))

  it.scoped("fifty parallel increments count fifty", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      const workbench = yield* Workbench
      const increment = Effect.suspend(() => visitor.copy().send(`POST /entries/n/increment?delay=${heldMillis}`))
      const increments = yield* Effect.fork(Effect.replicateEffect(increment, 50, { concurrency: "unbounded" }))
      yield* Effect.replicateEffect(workbench.waiting, 50)
      yield* workbench.endWaits
      const replies = yield* Fiber.join(increments)
      assert.deepStrictEqual(replies.map(({ status }) => status), Array.from({ length: 50 }, () => 200))
      yield* expectJson(visitor, "GET /entries", { a: 1, n: 50 })
    }))

  for (const ending of ["POST /logout", "POST /purge"]) {
    it.scoped(`${ending} wins over a write in flight`, () =>
      Effect.gen(function*() {
        const visitor = yield* newVisitor
        yield* visitor.send("POST /login", { user_id: "ferris" })
        const tab = visitor.copy()
        const thief = visitor.copy()
        const workbench = yield* Workbench
        const write = yield* Effect.fork(tab.send(`PUT /entries/a?delay=${heldMillis}`, 1))
        yield* workbench.waiting
        yield* visitor.send(ending)
        yield* workbench.endWaits
        const late = yield* Fiber.join(write)
        assert.deepStrictEqual([late.status, late.text], [409, ""])
        assert.deepStrictEqual(late.headers.getSetCookie(), [])
        yield* expectJson(thief, "GET /status", { status: "Unchanged", id: null })
        yield* expectJson(tab, "GET /entries", {})
      }))
  }

  for (const renewal of ["POST /renew", "POST /login"]) {
    it.scoped(`${renewal} makes the old cookie void`, () =>
      Effect.gen(function*() {
        const visitor = yield* knownVisitor
        const thief = visitor.copy()
        yield* visitor.send(renewal, { user_id: "ferris" })
        yield* expectJson(thief, "GET /entries", {})
        yield* expectStatus(thief, "PUT /entries/a", 409, "stolen")
        assert.strictEqual((yield* visitor.send("GET /entries/a")).text, "{\"value\":1}")
      }))
  }

  it.scoped("a purge makes every copy of the cookie void", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      const thief = visitor.copy()
      yield* visitor.send("POST /purge")
      yield* expectJson(thief, "GET /entries", {})
    }))
}

interface ShownSession {
  readonly id: string
  readonly createdAt: string
  readonly expiresAt: string
  readonly isCurrent: boolean
  readonly label: string | null
}

const sessionsOf = (visitor: Visitor) =>
  Effect.map(visitor.send("GET /account/sessions"), (reply) => {
    assert.strictEqual(reply.status, 200)
    return (reply.json() as { readonly sessions: ReadonlyArray<ShownSession> }).sessions
  })

const accountOf = (visitor: Visitor) =>
  Effect.map(
    visitor.send("GET /account"),
    (reply) => reply.json() as { readonly account: string | null; readonly authenticatedAt: string | null }
  )

/** A visitor who has signed in, and what it was given. */
const signedIn = (account: string, label?: string) =>
  Effect.tap(newVisitor, (visitor) => expectStatus(visitor, "POST /signin", 204, { account, label }))

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** What holds where the store knows accounts. Each test has accounts of its own. */
const accounts = (it: Methods<Workbench>) => {
  it.scoped("nobody is signed in at first, and what needs an account is answered 401", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      yield* expectJson(visitor, "GET /account", { account: null, authenticatedAt: null })
      for (
        const line of [
          "GET /account/sessions",
          "DELETE /account/sessions/x",
          "POST /account/end-others",
          "POST /account/end-all",
          "GET /account/fresh?seconds=60"
        ]
      ) {
        yield* expectStatus(visitor, line, 401)
      }
      yield* expectJson(visitor, "GET /entries", { a: 1 })
    }))

  it.scoped("a sign-in keeps the values, and makes the old cookie void", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      const thief = visitor.copy()
      yield* expectStatus(visitor, "POST /signin", 204, { account: "ada-1" })
      const { account, authenticatedAt } = yield* accountOf(visitor)
      assert.strictEqual(account, "ada-1")
      assert.match(authenticatedAt!, isoTime)
      yield* expectJson(visitor, "GET /entries", { a: 1 })
      yield* expectJson(thief, "GET /account", { account: null, authenticatedAt: null })
    }))

  it.scoped("a sign-in to another account begins a session with nothing of the one before", () =>
    Effect.gen(function*() {
      const visitor = yield* signedIn("ada-2")
      yield* visitor.send("PUT /entries/a", 1)
      const before = visitor.copy()
      yield* expectStatus(visitor, "POST /signin", 204, { account: "bob-2" })
      assert.strictEqual((yield* accountOf(visitor)).account, "bob-2")
      yield* expectJson(visitor, "GET /entries", {})
      assert.isNull((yield* accountOf(before)).account)
    }))

  it.scoped("the sessions of an account are listed, the oldest sign-in first, and end one by one", () =>
    Effect.gen(function*() {
      const one = yield* signedIn("ada-3", "one")
      const two = yield* signedIn("ada-3")
      const other = yield* signedIn("bob-3", "other")
      const shown = yield* sessionsOf(two)
      assert.deepStrictEqual(
        shown.map(({ isCurrent, label }) => [label, isCurrent]).sort(),
        [[null, true], ["one", false]]
      )
      for (const { createdAt, expiresAt } of shown) {
        assert.match(createdAt, isoTime)
        assert.match(expiresAt, isoTime)
      }
      const { id } = shown.find(({ label }) => label === "one")!
      assert.strictEqual((yield* statusOf(one)).id, id)
      yield* expectStatus(other, `DELETE /account/sessions/${id}`, 404)
      yield* expectStatus(two, "DELETE /account/sessions/nonsense", 404)
      assert.strictEqual((yield* accountOf(one)).account, "ada-3")
      yield* expectStatus(two, `DELETE /account/sessions/${id}`, 204)
      yield* expectStatus(two, `DELETE /account/sessions/${id}`, 404)
      assert.isNull((yield* accountOf(one)).account)
      assert.lengthOf(yield* sessionsOf(two), 1)
    }))

  it.scoped("all others end, or all, and each is counted once", () =>
    Effect.gen(function*() {
      const [one, two, three] = [yield* signedIn("ada-4"), yield* signedIn("ada-4"), yield* signedIn("ada-4")]
      const other = yield* signedIn("bob-4")
      yield* expectJson(one, "POST /account/end-others", { ended: 2 })
      for (const ended of [two, three]) {
        assert.isNull((yield* accountOf(ended)).account)
      }
      const four = yield* signedIn("ada-4")
      yield* expectJson(four, "POST /account/end-all", { ended: 2 })
      for (const ended of [one, four]) {
        assert.isNull((yield* accountOf(ended)).account)
      }
      assert.strictEqual((yield* accountOf(other)).account, "bob-4")
    }))

  it.scoped("end-all wins over a write in flight, and over a renewal", () =>
    Effect.gen(function*() {
      const visitor = yield* signedIn("ada-5")
      const workbench = yield* Workbench
      // A renewal that comes too late has nothing to lose.
      for (const [line, status] of [["PUT /entries/a", 409], ["POST /renew", 204], ["POST /signin", 409]] as const) {
        const tab = yield* signedIn("ada-5")
        const late = yield* Effect.fork(tab.send(`${line}?delay=${heldMillis}`, { account: "ada-5" }))
        yield* workbench.waiting
        yield* visitor.copy().send("POST /account/end-others")
        yield* workbench.endWaits
        assert.strictEqual((yield* Fiber.join(late)).status, status, line)
        assert.isNull((yield* accountOf(tab)).account, line)
      }
      assert.lengthOf(yield* sessionsOf(visitor), 1)
    }))

  it.scoped("what needs a fresh sign-in is answered 401 with a stale one", () =>
    Effect.gen(function*() {
      const visitor = yield* signedIn("ada-6")
      yield* expectStatus(visitor, "GET /account/fresh?seconds=100000", 204)
      yield* expectStatus(visitor, "GET /account/fresh?seconds=0", 401)
      for (const query of ["", "?seconds=", "?seconds=soon", "?seconds=-1"]) {
        yield* expectStatus(visitor, `GET /account/fresh${query}`, 400)
      }
    }))

  it.scoped("no key of a session's values reaches who is signed in", () =>
    Effect.gen(function*() {
      const visitor = yield* knownVisitor
      for (const key of ["~effect-session/account", "~effect-session/sign-in"]) {
        yield* expectStatus(visitor, `PUT ${pathOf(key)}`, 204, "root")
        yield* expectJson(visitor, `GET ${pathOf(key)}`, { value: "root" })
      }
      yield* expectJson(visitor, "GET /account", { account: null, authenticatedAt: null })
      yield* expectStatus(visitor, "POST /signin", 204, { account: "ada-7" })
      for (const key of ["~effect-session/account", "~effect-session/sign-in"]) {
        yield* expectStatus(visitor, `DELETE ${pathOf(key)}`, 204)
      }
      yield* expectStatus(visitor, "POST /clear", 204)
      assert.strictEqual((yield* accountOf(visitor)).account, "ada-7")
    }))

  it.scoped("a sign-in that cannot be understood is answered 400 and signs nobody in", () =>
    Effect.gen(function*() {
      const { url } = yield* Workbench
      for (const body of ["", "{", "{}", "null", "{\"account\":1}", "{\"account\":\"ada\",\"label\":1}"]) {
        const reply = yield* send(`${url}/signin`, { method: "POST", body })
        assert.strictEqual(reply.status, 400, body)
        assert.deepStrictEqual(reply.headers.getSetCookie(), [], body)
      }
    }))
}

/** Every command that clients sent to Redis while `work` ran, by name; what a script did inside of Redis is not a call. */
const commandsDuring = <A, E, R>(work: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const { url } = yield* RedisServer
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new Redis(url)),
      (client) => Effect.sync(() => client.disconnect())
    )
    // Its own handshake is no command of the app's.
    yield* Effect.promise(() => client.ping())
    const monitor = yield* Effect.acquireRelease(
      Effect.promise(() => client.monitor()),
      (monitor) => Effect.sync(() => monitor.disconnect())
    )
    const seen: Array<string> = []
    // MONITOR reports in the order of execution: all is told once the marker is.
    const told = new Promise<void>((resolve) => {
      monitor.on("monitor", (_time: string, [command = "", argument]: Array<string>, source: string) => {
        if (command.toLowerCase() === "echo" && argument === "marker") {
          resolve()
        } else if (source !== "lua") {
          seen.push(command.toLowerCase())
        }
      })
    })
    yield* work
    yield* Effect.promise(() => client.echo("marker"))
    yield* Effect.promise(() => told)
    return seen
  }))

const costs = (it: Methods<Workbench | RedisServer>) => {
  const warm = Effect.gen(function*() {
    const visitor = yield* knownVisitor
    // Redis caches a script when it runs for the first time.
    yield* visitor.send("PUT /entries/a", 2)
    yield* visitor.send("POST /renew")
    yield* (yield* knownVisitor).send("POST /purge")
    return visitor
  })

  it.scoped("a request that does not touch its session makes no store call", () =>
    Effect.gen(function*() {
      const visitor = yield* warm
      assert.deepStrictEqual(yield* commandsDuring(visitor.send("GET /untouched")), [])
    }))

  it.scoped("a read is one command, however much is read", () =>
    Effect.gen(function*() {
      const visitor = yield* warm
      assert.deepStrictEqual(yield* commandsDuring(visitor.send("GET /entries")), ["hgetall"])
      assert.deepStrictEqual(yield* commandsDuring(visitor.send("GET /?delay=1")), ["hgetall"])
    }))

  it.scoped("a write that changes nothing costs no more than the read", () =>
    Effect.gen(function*() {
      const visitor = yield* warm
      assert.deepStrictEqual(yield* commandsDuring(visitor.send("PUT /entries/a", 2)), ["hgetall"])
    }))

  it.scoped("a write is one command more than the read, and so are the ends and beginnings of a session", () =>
    Effect.gen(function*() {
      const visitor = yield* warm
      const write = ["PUT /entries/b", "POST /entries/n/increment", "POST /do_something", "POST /renew", "POST /purge"]
      for (const line of write) {
        assert.deepStrictEqual(yield* commandsDuring(visitor.send(line, 1)), ["hgetall", "evalsha"], line)
      }
      assert.deepStrictEqual(yield* commandsDuring(visitor.send("PUT /entries/a", 1)), ["evalsha"])
    }))

  it.scoped("a sign-in is two commands more than a login by hand, and who is signed in costs the one read", () =>
    Effect.gen(function*() {
      yield* warm
      yield* signedIn("warm")
      const newcomer = yield* newVisitor
      const signIn = newcomer.send("POST /signin", { account: "ada-8" })
      assert.deepStrictEqual(yield* commandsDuring(signIn), ["evalsha", "evalsha", "evalsha"])
      assert.deepStrictEqual(yield* commandsDuring(newcomer.send("GET /account")), ["hgetall"])
      const visitor = yield* warm
      const login = yield* commandsDuring(visitor.send("POST /login", { user_id: "ada" }))
      const signInAgain = yield* commandsDuring(visitor.send("POST /signin", { account: "ada-8" }))
      assert.lengthOf(signInAgain, login.length + 2)
    }))

  it.scoped("strangers cost nothing, whatever their cookies hold", () =>
    Effect.gen(function*() {
      const { url } = yield* Workbench
      yield* warm
      const requests = ["__Host-id=junk", "__Host-id=", "other=1"].map((cookie) =>
        send(`${url}/entries`, { headers: { cookie } })
      )
      assert.deepStrictEqual(yield* commandsDuring(Effect.all([...requests, send(`${url}/entries`)])), [])
    }))
}

const options = { excludeTestServices: true } as const

describe("workbench", () => {
  layer(workbenchOn({}), options)("without SESSION_STORE, in memory", (it) => {
    contract(it)
    promises(it)
    accounts(it)
  })

  layer(workbenchOn({ SESSION_STORE: "cookie" }), options)("SESSION_STORE=cookie", (it) => {
    contract(it)
    it.scoped("there are no accounts, since nothing knows which sessions there are", () =>
      Effect.gen(function*() {
        const visitor = yield* newVisitor
        for (const line of ["POST /signin", "GET /account", "GET /account/sessions", "POST /account/end-all"]) {
          yield* expectStatus(visitor, line, 404)
        }
      }))
  })

  layer(onRedis, options)("SESSION_STORE=redis", (it) => {
    contract(it)
    promises(it)
    accounts(it)
    costs(it)
  })

  for (const name of databaseNames) {
    layer(onDatabase(name), options)(`SESSION_STORE=${name}`, (it) => {
      contract(it)
      promises(it)
    })
  }

  layer(workbenchOn({ SESSION_MAX_PER_ACCOUNT: "2" }), options)("SESSION_MAX_PER_ACCOUNT=2", (it) => {
    it.scoped("the oldest sign-in goes for one more", () =>
      Effect.gen(function*() {
        const visitors = [
          yield* signedIn("ada", "one"),
          yield* signedIn("ada", "two"),
          yield* signedIn("bob"),
          yield* signedIn("ada", "three")
        ]
        assert.deepStrictEqual(
          yield* Effect.forEach(visitors, (visitor) => Effect.map(accountOf(visitor), ({ account }) => account)),
          [null, "ada", "bob", "ada"]
        )
        assert.lengthOf(yield* sessionsOf(visitors[3]!), 2)
      }))
  })

  describe("the process", () => {
    it.scopedLive("prints its address and nothing else, and warns of the random key elsewhere", () =>
      Effect.gen(function*() {
        const workbench = yield* runExample("workbench.ts")
        yield* visitor(workbench.url).send("POST /do_something?fail=1")
        workbench.signal("SIGTERM")
        yield* workbench.ended
        const { stderr, stdout } = workbench.output()
        assert.strictEqual(stdout, `listening on ${workbench.url}\n`)
        assert.include(stderr, "SESSION_KEYS is not set")
      }))

    it.scopedLive("takes keys and cookie from the environment, so that two of them share a session", () =>
      Effect.gen(function*() {
        const env = {
          SESSION_STORE: "cookie",
          SESSION_KEYS: Redacted.value(Config.generateKey()),
          SESSION_COOKIE_NAME: "id",
          SESSION_COOKIE_SECURE: "false"
        }
        const [one, two] = yield* Effect.all([runExample("workbench.ts", env), runExample("workbench.ts", env)], {
          concurrency: "unbounded"
        })
        const reply = yield* send(`${one.url}/do_something`, { method: "POST" })
        const [line = ""] = reply.headers.getSetCookie()
        assert.match(line, /^id=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)
        const cookie = line.slice(0, line.indexOf(";"))
        const other = yield* send(two.url, { headers: { cookie } })
        assert.deepStrictEqual(other.json(), { counter: 1, user_id: null })
        assert.notInclude(one.output().stderr, "SESSION_KEYS is not set")
      }))

    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      it.scopedLive(`ends on ${signal}, though a request still waits`, () =>
        Effect.gen(function*() {
          const workbench = yield* runExample("workbench.ts")
          const waiting = yield* Effect.fork(Effect.exit(visitor(workbench.url).send(`GET /?delay=${heldMillis}`)))
          yield* workbench.waiting
          workbench.signal(signal)
          yield* workbench.ended
          assert.strictEqual((yield* Fiber.join(waiting))._tag, "Failure")
        }))
    }

    it.scopedLive("starts, answers 503 and ends while Redis is away", () =>
      Effect.gen(function*() {
        const port = yield* freePort
        const env = { SESSION_STORE: "redis", REDIS_URL: `redis://127.0.0.1:${port}` }
        const workbench = yield* runExample("workbench.ts", env)
        const visitorOf = visitor(workbench.url)
        yield* expectStatus(visitorOf, "GET /untouched", 204)
        const refused = yield* expectStatus(visitorOf, "POST /do_something", 503)
        assert.deepStrictEqual(refused.headers.getSetCookie(), [])
        workbench.signal("SIGTERM")
        yield* workbench.ended
        assert.include(workbench.output().stderr, "is not reachable")
      }))

    it.scopedLive("a wrong setting or a taken port ends it with a word on standard error alone", () =>
      Effect.gen(function*() {
        const running = yield* runExample("workbench.ts")
        const failures: ReadonlyArray<readonly [env: Readonly<Record<string, string>>, word: string]> = [
          [{ SESSION_STORE: "mongo" }, "SESSION_STORE"],
          [{ SESSION_STORE: "postgres" }, "DATABASE_URL"],
          [{ SESSION_STORE: "sqlite", DATABASE_URL: "postgres://localhost" }, "DATABASE_URL"],
          [{ PORT: "65536" }, "PORT"],
          [{ SESSION_MAX_PER_ACCOUNT: "0" }, "maxPerAccount"],
          [{ SESSION_KEYS: "too-short" }, "SESSION_KEYS"],
          [{ SESSION_COOKIE_SECURE: "false" }, "cookie.secure"],
          [{ PORT: new URL(running.url).port }, "EADDRINUSE"]
        ]
        yield* Effect.forEach(failures, ([env, word]) =>
          Effect.gen(function*() {
            const workbench = yield* startExample("workbench.ts", env)
            assert.strictEqual(yield* workbench.ended, 1, word)
            assert.include(workbench.output().stderr, word)
            assert.strictEqual(workbench.output().stdout, "")
          }), { concurrency: 2 })
      }))
  })
})
