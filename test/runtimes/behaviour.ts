/**
 * What a session does for a visitor, seen from outside: the same sentences on every runtime, and for each store those
 * that it promises.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Answer, Send, Visitor } from "./visitor.js"
import { visitorOf } from "./visitor.js"

export type StoreName = "memory" | "cookie" | "redis"

export const storeNames: ReadonlyArray<StoreName> = ["memory", "cookie", "redis"]

export interface ServedApp {
  readonly send: Send
  /** Ends the app, and starts it again with the environment that it had. */
  readonly restart: Effect.Effect<void>
}

export interface Case {
  readonly title: string
  /** The stores that it is true for; all of them, if left out. */
  readonly stores?: ReadonlyArray<StoreName>
  readonly run: (app: ServedApp) => Effect.Effect<void>
}

const sessionCookie = "__Host-id"

const stateOf = (answer: Answer): unknown => {
  assert.strictEqual(answer.status, 200)
  return JSON.parse(answer.text)
}

const anonymous = { user: null, counter: 0 }

const setsNoCookie = (answer: Answer): void => assert.deepStrictEqual(answer.setCookies, [])

/** The sealed value, when the answer sets the session cookie and no other. */
const sealedValue = (answer: Answer): string => {
  assert.strictEqual(answer.setCookies.length, 1)
  const [name, value = ""] = answer.setCookies[0]!.split(";", 1)[0]!.split("=")
  assert.strictEqual(name, sessionCookie)
  return value
}

const attributesOf = (line: string): ReadonlyArray<string> => line.split("; ").slice(1).sort()

const setState = (visitor: Visitor, counter: number) =>
  Effect.gen(function*() {
    for (let n = 1; n <= counter; n++) {
      assert.deepStrictEqual(stateOf(yield* visitor.post("/increment")), { user: null, counter: n })
    }
  })

const together = <A>(count: number, request: Effect.Effect<A>): Effect.Effect<Array<A>> =>
  Effect.all(Array.from({ length: count }, () => request), { concurrency: "unbounded" })

export const cases: ReadonlyArray<Case> = [
  {
    title: "a request that does not touch its session sets no cookie, with a session or without",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        const before = yield* visitor.get("/untouched")
        assert.strictEqual(before.text, "untouched")
        setsNoCookie(before)
        yield* visitor.post("/increment")
        const after = yield* visitor.get("/untouched")
        setsNoCookie(after)
        assert.isNull(after.headers.get("vary"))
      })
  },
  {
    title: "the first write begins a session, with every attribute of a safe cookie",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        setsNoCookie(yield* visitor.get("/state"))
        const first = yield* visitor.post("/increment")
        assert.match(sealedValue(first), /^[\w.-]+$/)
        assert.deepStrictEqual(attributesOf(first.setCookies[0]!), ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"])
      })
  },
  {
    title: "a response that sets the cookie is not cached, and one that looked at the session varies with it",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        const written = yield* visitor.post("/increment")
        assert.strictEqual(written.headers.get("cache-control"), "no-store")
        assert.strictEqual(written.headers.get("vary")?.toLowerCase(), "cookie")
        const read = yield* visitor.get("/state")
        assert.isNull(read.headers.get("cache-control"))
        assert.strictEqual(read.headers.get("vary")?.toLowerCase(), "cookie")
      })
  },
  {
    title: "each visitor has a count of their own",
    run: ({ send }) =>
      Effect.gen(function*() {
        const one = visitorOf(send)
        const other = visitorOf(send)
        yield* setState(one, 2)
        yield* setState(other, 3)
        assert.deepStrictEqual(stateOf(yield* one.get("/state")), { user: null, counter: 2 })
      })
  },
  {
    title: "a cookie with any character changed is that of an anonymous visitor",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        yield* setState(visitor, 1)
        const sealed = visitor.jar.get(sessionCookie)!
        for (const at of [0, Math.floor(sealed.length / 2), sealed.length - 3]) {
          const forger = visitorOf(send)
          const changed = sealed[at] === "A" ? "B" : "A"
          forger.jar.set(sessionCookie, sealed.slice(0, at) + changed + sealed.slice(at + 1))
          const answer = yield* forger.get("/state")
          assert.deepStrictEqual(stateOf(answer), anonymous)
          setsNoCookie(answer)
        }
      })
  },
  {
    title: "a login renews the cookie and keeps the values",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        yield* setState(visitor, 1)
        const before = visitor.jar.get(sessionCookie)
        const login = yield* visitor.post("/login", { user: "Zoë 🦀" })
        assert.notStrictEqual(sealedValue(login), before)
        assert.deepStrictEqual(stateOf(login), { user: "Zoë 🦀", counter: 1 })
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), { user: "Zoë 🦀", counter: 1 })
      })
  },
  {
    title: "the cookie from before a login is void",
    stores: ["memory", "redis"],
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        yield* setState(visitor, 1)
        const thief = visitor.copy()
        yield* visitor.post("/login", { user: "ferris" })
        assert.deepStrictEqual(stateOf(yield* thief.get("/state")), anonymous)
        setsNoCookie(yield* thief.post("/increment"))
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), { user: "ferris", counter: 1 })
      })
  },
  {
    title: "a logout takes the cookie away",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        yield* visitor.post("/login", { user: "ferris" })
        const logout = yield* visitor.post("/logout")
        assert.strictEqual(sealedValue(logout), "")
        assert.includeMembers([...attributesOf(logout.setCookies[0]!)], ["Max-Age=0", "Path=/", "Secure"])
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), anonymous)
      })
  },
  {
    title: "a logout ends the session for every copy of the cookie",
    stores: ["memory", "redis"],
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        yield* visitor.post("/login", { user: "ferris" })
        const thief = visitor.copy()
        yield* visitor.post("/logout")
        assert.deepStrictEqual(stateOf(yield* thief.get("/state")), anonymous)
      })
  },
  {
    title: "twenty increments at once all count",
    stores: ["memory", "redis"],
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        yield* setState(visitor, 1)
        const answers = yield* together(20, visitor.post("/increment"))
        assert.deepStrictEqual(answers.map((answer) => answer.status), answers.map(() => 200))
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), { user: null, counter: 21 })
      })
  },
  {
    title: "the app's own cookie and the session's arrive as two lines",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        const answer = yield* visitor.post("/theme")
        assert.deepStrictEqual([...visitor.jar.keys()].sort(), [sessionCookie, "theme"])
        assert.strictEqual(answer.setCookies.length, 2)
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), { user: null, counter: 1 })
      })
  },
  {
    title: "a streamed body arrives whole, and the cookie with it",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        yield* setState(visitor, 2)
        const answer = yield* visitor.post("/lines")
        assert.strictEqual(answer.text, "1\n2\n3\n")
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), { user: null, counter: 3 })
      })
  },
  {
    title: "what a handler wrote before it failed is kept",
    run: ({ send }) =>
      Effect.gen(function*() {
        const visitor = visitorOf(send)
        const failure = yield* visitor.post("/fail")
        assert.strictEqual(failure.status, 500)
        sealedValue(failure)
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), { user: null, counter: 1 })
      })
  },
  {
    title: "an app that has just started answers many first requests at once",
    run: (app) =>
      Effect.gen(function*() {
        yield* app.restart
        const states = yield* together(8, Effect.suspend(() => visitorOf(app.send).post("/increment")))
        assert.deepStrictEqual(states.map(stateOf), states.map(() => ({ user: null, counter: 1 })))
      })
  },
  {
    title: "sessions outlive a restart of the app",
    stores: ["cookie", "redis"],
    run: (app) =>
      Effect.gen(function*() {
        const visitor = visitorOf(app.send)
        yield* visitor.post("/login", { user: "ferris" })
        yield* app.restart
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), { user: "ferris", counter: 0 })
        assert.deepStrictEqual(stateOf(yield* visitor.post("/increment")), { user: "ferris", counter: 1 })
      })
  },
  {
    title: "a restart of the app ends the sessions in its memory, and their visitors begin anew",
    stores: ["memory"],
    run: (app) =>
      Effect.gen(function*() {
        const visitor = visitorOf(app.send)
        yield* visitor.post("/login", { user: "ferris" })
        yield* app.restart
        assert.deepStrictEqual(stateOf(yield* visitor.get("/state")), anonymous)
        yield* setState(visitor, 2)
      })
  }
]

export const casesOf = (store: StoreName): ReadonlyArray<Case> =>
  cases.filter(({ stores = storeNames }) => stores.includes(store))
