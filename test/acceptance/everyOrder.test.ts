/**
 * What becomes of requests that wait, overtake each other, come late, come twice or are given up, on real sockets. Each
 * test says what the visitor and whoever else holds a cookie of theirs find afterwards.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { randomUUID } from "node:crypto"
import type { ClientRequest } from "node:http"
import { createServer, IncomingMessage, request as httpRequest } from "node:http"
import { RedisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"
import { waiting } from "../support/waitingStore.js"

// -- the app: it does what the path says, once the body has ended

const operations: Readonly<Record<string, (session: Session.Session) => Effect.Effect<unknown, unknown>>> = {
  read: (session) => session.entries,
  renew: (session) => session.renew,
  purge: (session) => session.purge,
  clear: (session) => session.clear,
  count: (session) => session.updateOr("n", Schema.Number, 1, (n) => n + 1)
}

const perform = (session: Session.Session, operation: string): Effect.Effect<unknown, unknown> => {
  const [name, value] = operation.split("=") as [string, string | undefined]
  return value === undefined ? operations[name]!(session) : session.insert(name, Schema.String, value)
}

interface Reply {
  readonly status: number
  readonly body: string
  /** `name=value` of the cookies that the answer sets; an emptied one where it takes one away. */
  readonly cookies: ReadonlyArray<string>
}

/** A request whose body has not ended. */
interface OpenRequest {
  readonly end: Effect.Effect<Reply>
}

interface App {
  readonly visit: (operations: string, cookie?: string) => Effect.Effect<Reply>
  /** Sends a request without the end of its body, and resolves once its handler has read the session. */
  readonly open: (operations: string, cookie: string) => Effect.Effect<OpenRequest>
  /** Sends a request whole, waits for nothing, and hands back how to hang up. */
  readonly begin: (operations: string, cookie: string) => Effect.Effect<Effect.Effect<void>>
  /** The values of the session that a cookie opens. */
  readonly stateOf: (cookie: string) => Effect.Effect<unknown>
  /** One item for each handler that has done what it was asked for. */
  readonly done: Queue.Dequeue<void>
}

type Wrap = (app: HttpApp.Default<unknown>) => HttpApp.Default<unknown>

interface Options {
  readonly config?: Partial<Config.SessionOptions>
  /** Goes around the middleware. */
  readonly around?: Wrap
  /** What the handler does after its operations. */
  readonly last?: Effect.Effect<void, never, HttpServerRequest.HttpServerRequest>
}

const serveOn = (store: SessionStore.SessionStore, options: Options = {}): Effect.Effect<App, unknown, Scope.Scope> =>
  Effect.gen(function*() {
    const arrivals = yield* Queue.unbounded<void>()
    const done = yield* Queue.unbounded<void>()
    const handler = Effect.gen(function*() {
      const session = yield* Session.Session
      const request = yield* HttpServerRequest.HttpServerRequest
      if (request.method === "PUT") {
        yield* session.entries
        yield* Queue.offer(arrivals, undefined)
        yield* request.text
      }
      const names = decodeURIComponent(request.url.slice(1)).split(",")
      const results = yield* Effect.forEach(names, (name) => perform(session, name))
      yield* Queue.offer(done, undefined)
      yield* options.last ?? Effect.void
      const last = results.at(-1)
      return HttpServerResponse.unsafeJson(last instanceof Map ? Object.fromEntries(last) : null)
    })
    const middleware = yield* Effect.provideService(
      SessionMiddleware.make({ keys, ...options.config }),
      SessionStore.SessionStore,
      store
    )
    // As a router would have it: a server runs what it serves without interruption.
    const app = SessionMiddleware.sessionWith(middleware)(Effect.interruptible(handler))
    const context = yield* Layer.build(
      HttpServer.serve(options.around === undefined ? app : options.around(app)).pipe(
        Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    assert(address._tag === "TcpAddress")
    const { port } = address

    const send = (method: string, operations: string, cookie: string | undefined) => {
      const client = httpRequest({
        port,
        host: "127.0.0.1",
        method,
        path: `/${encodeURIComponent(operations)}`,
        headers: cookie === undefined ? {} : { cookie }
      })
      const reply = new Promise<Reply>((resolve, reject) => {
        client.once("error", reject).once("response", (response) => {
          let body = ""
          response.setEncoding("utf8").on("data", (chunk: string) => body += chunk).once("end", () =>
            resolve({
              status: response.statusCode!,
              body,
              cookies: (response.headers["set-cookie"] ?? []).map((line) => line.slice(0, line.indexOf(";")))
            }))
        })
      })
      reply.catch(() => {})
      return [client, reply] as readonly [ClientRequest, Promise<Reply>]
    }
    const visit: App["visit"] = (operations, cookie) =>
      Effect.promise(() => {
        const [client, reply] = send("POST", operations, cookie)
        client.end()
        return reply
      })
    return {
      visit,
      done,
      open: (operations, cookie) =>
        Effect.suspend(() => {
          const [client, reply] = send("PUT", operations, cookie)
          client.write("the beginning")
          return Effect.as(Queue.take(arrivals), {
            end: Effect.promise(() => {
              client.end()
              return reply
            })
          })
        }),
      begin: (operations, cookie) =>
        Effect.sync(() => {
          const [client] = send("POST", operations, cookie)
          client.end()
          return Effect.sync(() => client.destroy())
        }),
      stateOf: (cookie) => Effect.map(visit("read", cookie), ({ body }) => JSON.parse(body))
    }
  })

const keys = Config.generateKey()

/** The cookie that an answer sets: what a browser sends from then on. */
const cookieOf = ({ cookies, status }: Reply): string => {
  assert.deepStrictEqual([status, cookies.length], [200, 1])
  assert.notMatch(cookies[0]!, /=$/, "a cookie was taken away")
  return cookies[0]!
}

/** Says that nothing was kept, and gives no cookie. */
const isRefused = (reply: Reply): void => {
  assert.deepStrictEqual(reply, { status: 409, body: "", cookies: [] })
}

const login = "user=alice,renew"

// -- the stores

type AnyStore = Effect.Effect<SessionStore.SessionStore, unknown, Scope.Scope | RedisServer>

const memory = Effect.map(Layer.build(MemorySessionStore.layer()), Context.get(SessionStore.SessionStore))

/** As the author of a store of one's own would write it: with the time limit that `make` brings. */
// What answers at once is no call that could have a time limit.
const withDefaults = Effect.map(memory, (store) => SessionStore.make(waiting(store)))

const redis = Effect.flatMap(RedisServer, ({ url }) =>
  Effect.map(
    Layer.build(RedisSessionStore.layer({ url, prefix: `${randomUUID()}:`, timeout: generous })),
    Context.get(SessionStore.SessionStore)
  ))

const stores: ReadonlyArray<readonly [name: string, store: AnyStore]> = [
  ["memory", memory],
  ["a store with the defaults of make", withDefaults],
  ["Redis", redis]
]

it.layer(RedisServer.layer())("on real sockets", (it) => {
  const onEach = (
    title: string,
    check: (store: SessionStore.SessionStore) => Effect.Effect<void, unknown, Scope.Scope>
  ) => {
    for (const [name, store] of stores) {
      it.scoped(`${title} (${name})`, () =>
        TestClock.setTime(0).pipe(
          Effect.zipRight(Effect.flatMap(store, check)),
          Logger.withMinimumLogLevel(LogLevel.None)
        ))
    }
  }

  describe("a planted key", () => {
    for (const work of ["renew", "payoutAccount=mallory", "payoutAccount=mallory,renew", "clear", "count"]) {
      for (const victim of [login, `clear,${login}`]) {
        onEach(
          `does not reach the session of who signs in with it: ${work} around ${victim}`,
          (store) =>
            Effect.gen(function*() {
              const app = yield* serveOn(store)
              const planted = cookieOf(yield* app.visit("basket=apples"))
              const attacker = yield* app.open(work, planted)
              const victims = cookieOf(yield* app.visit(victim, planted))
              const found = yield* app.stateOf(victims)
              const reply = yield* attacker.end
              for (const cookie of reply.cookies) {
                assert.deepStrictEqual(yield* app.stateOf(cookie), { payoutAccount: "mallory" })
              }
              assert.deepStrictEqual(yield* app.stateOf(victims), found)
              assert.propertyVal(found, "user", "alice")
              assert.deepStrictEqual(yield* app.stateOf(planted), {})
            })
        )
      }
    }
  })

  describe("a logout", () => {
    for (const work of [login, "purge,user=alice", "user=bob", "user=bob,renew", "count", "clear"]) {
      onEach(
        `is not undone by a request in flight, which is answered with 409: ${work}`,
        (store) =>
          Effect.gen(function*() {
            const app = yield* serveOn(store)
            const cookie = cookieOf(yield* app.visit(login))
            const inFlight = yield* app.open(work, cookie)
            assert.strictEqual((yield* app.visit("purge", cookie)).status, 200)
            isRefused(yield* inFlight.end)
            assert.deepStrictEqual(yield* app.stateOf(cookie), {})
          })
      )
    }

    onEach("with the key of a moment ago ends the session", (store) =>
      Effect.gen(function*() {
        const app = yield* serveOn(store)
        const old = cookieOf(yield* app.visit("user=alice"))
        const renewed = cookieOf(yield* app.visit("renew", old))
        const reply = yield* app.visit("purge", old)
        assert.deepStrictEqual([reply.status, reply.cookies], [200, ["__Host-id="]])
        assert.deepStrictEqual(yield* app.stateOf(renewed), {})
        assert.deepStrictEqual(yield* app.stateOf(old), {})
      }))

    // Whoever may set a cookie for this host can put one of their own beside the visitor's, in either order.
    for (
      const [what, replace] of [["renewed", "renew"], ["in whose place another began", "purge,user=alice"]] as const
    ) {
      for (const isFirst of [true, false]) {
        onEach(
          `ends the session that was ${what}, too, where another's cookie stands ${isFirst ? "before" : "after"} it`,
          (store) =>
            Effect.gen(function*() {
              const app = yield* serveOn(store)
              const old = cookieOf(yield* app.visit(login))
              const newer = cookieOf(yield* app.visit(replace, old))
              const another = cookieOf(yield* app.visit("user=mallory"))
              const reply = yield* app.visit("purge", isFirst ? `${another}; ${old}` : `${old}; ${another}`)
              assert.deepStrictEqual([reply.status, reply.cookies], [200, ["__Host-id="]])
              for (const cookie of [old, newer, another]) {
                assert.deepStrictEqual(yield* app.stateOf(cookie), {})
              }
            })
        )
      }
    }

    onEach("ends a session that was renewed and one in whose place another began", (store) =>
      Effect.gen(function*() {
        const app = yield* serveOn(store)
        const [one, other] = [cookieOf(yield* app.visit(login)), cookieOf(yield* app.visit(login))]
        const renewed = cookieOf(yield* app.visit("renew", one))
        const next = cookieOf(yield* app.visit("purge,user=alice", other))
        assert.strictEqual((yield* app.visit("purge", `${other}; ${one}`)).status, 200)
        assert.deepStrictEqual([yield* app.stateOf(renewed), yield* app.stateOf(next)], [{}, {}])
      }))

    onEach(
      "leaves the session that one cookie leads to by way of another to the sign-in of both",
      (store) =>
        Effect.gen(function*() {
          const app = yield* serveOn(store)
          const old = cookieOf(yield* app.visit(login))
          const newer = cookieOf(yield* app.visit("purge,user=alice", old))
          const newest = cookieOf(yield* app.visit("purge,user=alice", `${old}; ${newer}`))
          assert.deepStrictEqual(yield* app.stateOf(newest), { user: "alice" })
          assert.deepStrictEqual(yield* app.stateOf(newer), {})
        })
    )

    for (const work of ["purge,user=alice", login]) {
      onEach(
        `is not undone by a sign-in that came too late for a session that gave way: ${work}`,
        (store) =>
          Effect.gen(function*() {
            const app = yield* serveOn(store)
            const old = cookieOf(yield* app.visit(login))
            const logout = yield* app.open("purge", old)
            const newer = cookieOf(yield* app.visit("purge,user=alice", old))
            const late = yield* app.open(work, old)
            assert.strictEqual((yield* logout.end).status, 200)
            isRefused(yield* late.end)
            assert.deepStrictEqual(yield* app.stateOf(newer), {})
          })
      )
    }

    onEach("that was in flight during a renewal ends the session", (store) =>
      Effect.gen(function*() {
        const app = yield* serveOn(store)
        const old = cookieOf(yield* app.visit("user=alice"))
        const logout = yield* app.open("purge", old)
        const renewed = cookieOf(yield* app.visit("renew", old))
        assert.strictEqual((yield* logout.end).status, 200)
        assert.deepStrictEqual(yield* app.stateOf(renewed), {})
      }))

    for (const isInFlight of [true, false]) {
      const when = isInFlight ? "that was in flight" : "with the key of before"
      onEach(
        `${when} ends the session that a purge and an insert put in the place of its own, and what follows`,
        (store) =>
          Effect.gen(function*() {
            const app = yield* serveOn(store)
            const old = cookieOf(yield* app.visit(login))
            const logout = isInFlight ? (yield* app.open("purge", old)).end : app.visit("purge", old)
            const second = cookieOf(yield* app.visit("purge,user=bob", old))
            const third = cookieOf(yield* app.visit("purge,user=carol", second))
            const fourth = cookieOf(yield* app.visit("renew", third))
            const reply = yield* logout
            assert.deepStrictEqual([reply.status, reply.cookies], [200, ["__Host-id="]])
            for (const cookie of [old, second, third, fourth]) {
              assert.deepStrictEqual(yield* app.stateOf(cookie), {})
            }
          })
      )
    }
  })

  describe("a write with the key of a moment ago", () => {
    for (const work of ["b=1", "count", "clear"]) {
      onEach(`is not kept, and not answered as if it were: ${work}`, (store) =>
        Effect.gen(function*() {
          const app = yield* serveOn(store)
          const old = cookieOf(yield* app.visit("a=1"))
          const inFlight = yield* app.open(work, old)
          const renewed = cookieOf(yield* app.visit("renew", old))
          isRefused(yield* app.visit(work, old))
          isRefused(yield* inFlight.end)
          assert.deepStrictEqual(yield* app.stateOf(renewed), { a: "1" })
        }))
    }

    onEach(
      "whose session gave way to another begins none, whose cookie would cover the new one's",
      (store) =>
        Effect.gen(function*() {
          const app = yield* serveOn(store)
          const old = cookieOf(yield* app.visit("a=1"))
          const inFlight = yield* app.open("b=1", old)
          const next = cookieOf(yield* app.visit("purge,user=alice", old))
          isRefused(yield* app.visit("b=1", old))
          isRefused(yield* inFlight.end)
          assert.deepStrictEqual(yield* app.stateOf(next), { user: "alice" })
          assert.deepStrictEqual((yield* app.visit("read", old)).cookies, [])
          const beside = cookieOf(yield* app.visit("purge,user=bob", old))
          assert.deepStrictEqual(yield* app.stateOf(beside), { user: "bob" })
          yield* TestClock.adjust("10 seconds")
          const later = cookieOf(yield* app.visit("b=1", old))
          assert.deepStrictEqual(yield* app.stateOf(later), { b: "1" })
        })
    )

    onEach("is answered as the handler likes with `lostWrites: \"Ignore\"`", (store) =>
      Effect.gen(function*() {
        const app = yield* serveOn(store, { config: { lostWrites: "Ignore" } })
        const old = cookieOf(yield* app.visit("a=1"))
        const renewed = cookieOf(yield* app.visit("renew", old))
        const reply = yield* app.visit("b=1", old)
        assert.deepStrictEqual([reply.status, reply.cookies], [200, []])
        assert.deepStrictEqual(yield* app.stateOf(renewed), { a: "1" })
      }))
  })

  describe("signing in", () => {
    for (const work of [login, "purge,user=alice"]) {
      onEach(
        `twice signs in, whose answer the browser threw away the first time: ${work}`,
        (store) =>
          Effect.gen(function*() {
            const app = yield* serveOn(store)
            const cookie = cookieOf(yield* app.visit("basket=apples"))
            yield* app.visit(login, cookie)
            assert.propertyVal(yield* app.stateOf(cookieOf(yield* app.visit(work, cookie))), "user", "alice")
          })
      )
    }

    onEach("twice at once signs in with either answer", (store) =>
      Effect.gen(function*() {
        const app = yield* serveOn(store)
        const cookie = cookieOf(yield* app.visit("basket=apples"))
        const both = [yield* app.open(login, cookie), yield* app.open(login, cookie)]
        for (const request of both) {
          assert.propertyVal(yield* app.stateOf(cookieOf(yield* request.end)), "user", "alice")
        }
      }))

    onEach(
      "works at the next try where the store carried the first one out and its answer got lost",
      (store) =>
        Effect.gen(function*() {
          let isLost = false
          const inner = SessionStore.withClock(store)
          const app = yield* serveOn({
            ...store,
            renew: (key, change, lifetime) =>
              Effect.flatMap(inner.renew(key, change, lifetime), (result) =>
                isLost
                  ? Effect.fail(new SessionStore.UpdateError({ reason: "Unavailable", message: "no answer" }))
                  : Effect.succeed(result))
          })
          const cookie = cookieOf(yield* app.visit("basket=apples"))
          isLost = true
          const first = yield* app.visit(login, cookie)
          assert.deepStrictEqual([first.status, first.cookies], [503, []])
          isLost = false
          assert.propertyVal(yield* app.stateOf(cookieOf(yield* app.visit(login, cookie))), "user", "alice")
        })
    )

    onEach("with cookies of two live sessions sticks, and ends both of them", (store) =>
      Effect.gen(function*() {
        let saved = 0
        const app = yield* serveOn({
          ...store,
          save: (state, lifetime, now) => {
            saved++
            return store.save(state, lifetime, now)
          }
        })
        const [one, other] = [cookieOf(yield* app.visit("a=1")), cookieOf(yield* app.visit("a=2"))]
        saved = 0
        const next = cookieOf(yield* app.visit(login, `${one}; ${other}`))
        assert.deepStrictEqual(yield* app.stateOf(next), { user: "alice" })
        // The browser replaces one of the two, and goes on sending the other beside it.
        assert.deepStrictEqual(yield* app.stateOf(`${one}; ${next}`), { user: "alice" })
        assert.deepStrictEqual(yield* app.stateOf(one), {})
        assert.deepStrictEqual(yield* app.stateOf(other), {})
        assert.strictEqual(saved, 1)
      }))
  })

  describe("a purge whose handler is cut off", () => {
    const outer: ReadonlyArray<readonly [name: string, around: Wrap]> = [
      ["a time limit", (app) =>
        Effect.timeoutTo(app, {
          duration: "1 second",
          onTimeout: () => HttpServerResponse.empty({ status: 504 }),
          onSuccess: (response) => response
        })],
      [
        "a race",
        (app) => Effect.race(app, Effect.delay(Effect.succeed(HttpServerResponse.empty({ status: 504 })), "1 second"))
      ]
    ]
    for (const [name, around] of outer) {
      onEach(`by ${name} outside the middleware ends the session`, (store) =>
        Effect.gen(function*() {
          const plain = yield* serveOn(store)
          const app = yield* serveOn(store, { around, last: Effect.never })
          const cookie = cookieOf(yield* plain.visit("user=alice"))
          const logout = yield* app.open("purge", cookie)
          const reply = yield* Effect.fork(logout.end)
          yield* Queue.take(app.done)
          yield* TestClock.adjust("1 second")
          assert.strictEqual((yield* reply).status, 504)
          assert.deepStrictEqual(yield* plain.stateOf(cookie), {})
        }))
    }

    for (const verb of ["load", "delete"] as const) {
      onEach(
        `by a client that hangs up during the ${verb} of its commit ends the session`,
        (store) =>
          Effect.gen(function*() {
            const inner = SessionStore.withClock(store)
            const reached = yield* Deferred.make<void>()
            const gate = yield* Deferred.make<void>()
            const settled = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
            const gone = yield* Deferred.make<void>()
            const held = <A, E>(call: Effect.Effect<A, E>) =>
              Deferred.succeed(reached, undefined).pipe(
                Effect.zipRight(Deferred.await(gate)),
                Effect.zipRight(call),
                Effect.onExit((exit) => Exit.isFailure(exit) ? Deferred.succeed(settled, exit) : Effect.void)
              )
            const app = yield* serveOn(
              // A store whose calls wait, with the time limit that `make` brings.
              SessionStore.make({
                ...store,
                load: (key) => verb === "load" ? held(inner.load(key)) : inner.load(key),
                delete: (key, _now, successor) =>
                  Effect.onExit(
                    verb === "delete" ? held(inner.delete(key, successor)) : inner.delete(key, successor),
                    (exit) => Deferred.succeed(settled, exit)
                  )
              }),
              {
                last: Effect.map(HttpServerRequest.HttpServerRequest, ({ source }) => {
                  assert(source instanceof IncomingMessage)
                  source.socket.once("close", () => Effect.runFork(Deferred.succeed(gone, undefined)))
                })
              }
            )
            const plain = yield* serveOn(store)
            const cookie = cookieOf(yield* plain.visit("user=alice"))
            const hangUp = yield* app.begin("purge", cookie)
            yield* Deferred.await(reached)
            yield* hangUp
            yield* Deferred.await(gone)
            // What the server makes of it comes after the socket's own end.
            yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
            yield* Deferred.succeed(gate, undefined)
            assert.isTrue(Exit.isSuccess(yield* Deferred.await(settled)))
            assert.deepStrictEqual(yield* plain.stateOf(cookie), {})
          })
      )
    }
  })

  describe("limits", () => {
    const lifecycle = Config.PersistentSession
    onEach(
      "that a deployment brings or shortens hold for sessions that were begun before",
      (store) =>
        Effect.gen(function*() {
          const before = yield* serveOn(store, { config: { lifecycle: lifecycle({ ttl: "30 days" }) } })
          const after = yield* serveOn(store, {
            config: { lifecycle: lifecycle({ ttl: "30 days", maxLifetime: "8 hours" }) }
          })
          const stricter = yield* serveOn(store, { config: { lifecycle: lifecycle({ ttl: "1 hour" }) } })
          const refreshing = yield* serveOn(store, {
            config: { lifecycle: lifecycle({ ttl: "30 days", maxLifetime: "8 hours", ttlExtension: "OnEveryRequest" }) }
          })
          const cookie = cookieOf(yield* before.visit("user=alice"))
          yield* TestClock.adjust("7 hours")
          assert.deepStrictEqual(yield* after.stateOf(cookie), { user: "alice" })
          assert.deepStrictEqual(yield* stricter.stateOf(cookie), {})
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual(yield* after.stateOf(cookie), {})
          assert.deepStrictEqual((yield* refreshing.visit("read", cookie)).cookies, [])
          assert.notStrictEqual(cookieOf(yield* after.visit("user=bob", cookie)), cookie)
          assert.deepStrictEqual(yield* before.stateOf(cookie), { user: "alice" })
        })
    )
  })

  describe("parallel updates of one value", () => {
    const callsOf = (store: SessionStore.SessionStore, requests: number) =>
      Effect.gen(function*() {
        let calls = 0
        const app = yield* serveOn({
          ...store,
          load: (key, now) => {
            calls++
            return store.load(key, now)
          },
          update: (key, change, lifetime, now) => {
            calls++
            return store.update(key, change, lifetime, now)
          }
        })
        const cookie = cookieOf(yield* app.visit("count"))
        // All have read the same value before the first of them writes.
        const opened = yield* Effect.forEach(Array.from({ length: requests }), () => app.open("count", cookie))
        const replies = yield* Effect.all(opened.map(({ end }) => end), { concurrency: "unbounded" })
        assert.deepStrictEqual(new Set(replies.map(({ status }) => status)), new Set([200]))
        const all = calls
        assert.deepStrictEqual(yield* app.stateOf(cookie), { n: requests + 1 })
        return all
      })

    onEach(
      "all count, 200 of one process, and each costs a few calls however many there are",
      (store) =>
        Effect.gen(function*() {
          for (const requests of [20, 200]) {
            assert.isAtMost(yield* callsOf(store, requests), 4 * requests)
          }
        })
    )
  })
})
