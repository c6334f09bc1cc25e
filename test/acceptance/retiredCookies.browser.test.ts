/**
 * A cookie whose scope changes with a deploy, in a real browser: it keeps the old one beside the new one, and shows both.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, layer } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import type { Browser, Page } from "playwright-core"
import { launchChromium } from "../support/chromium.js"
import { RedisServer } from "../support/redisServer.js"
import { generous } from "../support/timeLimits.js"

const Counter = Session.entry("counter", Schema.NonNegativeInt)
const User = Session.entry("user", Schema.String)

const answer = <A, E, R>(operation: (session: Session.Session) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(Session.Session, (session) =>
    Effect.zipRight(
      operation(session),
      Effect.map(session.entries, (entries) => HttpServerResponse.unsafeJson(Object.fromEntries(entries)))
    ))

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/shop/read", answer(() => Effect.void)),
  HttpRouter.get("/shop/count", answer((session) => session.updateOr(Counter, 1, (n) => n + 1))),
  HttpRouter.get("/shop/in", answer((session) => Effect.zipRight(session.renew, session.insert(User, "ada")))),
  HttpRouter.get("/shop/out", answer((session) => session.purge))
)

const keys = Config.generateKey()

/** One deployment of the app, on a port of its own: browsers do not tell cookies apart by the port. */
const deploy = (cookie: Config.CookieOptions, store: Layer.Layer<SessionStore.SessionStore>) =>
  Effect.map(
    Layer.build(
      routes.pipe(
        SessionMiddleware.session,
        HttpServer.serve(),
        Layer.provide(SessionMiddleware.layer({ keys, cookie }).pipe(Layer.provide(store), Layer.orDie)),
        Layer.provideMerge(Layer.orDie(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))),
        // Plain HTTP is what each of these apps warns of.
        Layer.provide(Logger.minimumLogLevel(LogLevel.Error))
      )
    ),
    (context) => {
      const { address } = Context.get(context, HttpServer.HttpServer)
      return address._tag === "TcpAddress" ? address.port : 0
    }
  )

const visitorOf = (tab: Page, host: string) => ({
  visit: (port: number, page: "read" | "count" | "in" | "out") =>
    Effect.promise(async (): Promise<unknown> => {
      const response = await tab.goto(`http://${host}:${port}/shop/${page}`)
      return response?.json()
    }),
  cookies: Effect.promise(async () =>
    (await tab.context().cookies()).map(({ domain, name, partitionKey, path }) =>
      `${name} ${domain}${path}${partitionKey === undefined ? "" : " partitioned"}`
    )
  )
})

const plain = { name: "id", secure: false } as const

/** What a deploy does to the cookie, with what a browser holds before and after it. */
const changes: Readonly<
  Record<string, {
    readonly host: string
    readonly before: Config.CookieOptions
    readonly after: Config.CookieOptions
    readonly held: readonly [before: string, after: string]
  }>
> = {
  "a domain is added": {
    host: "shop.example.test",
    before: plain,
    after: { ...plain, domain: "example.test" },
    held: ["id shop.example.test/", "id .example.test/"]
  },
  "a domain is taken away": {
    host: "shop.example.test",
    before: { ...plain, domain: "example.test" },
    after: plain,
    held: ["id .example.test/", "id shop.example.test/"]
  },
  "the path becomes wider": {
    host: "shop.example.test",
    before: { ...plain, path: "/shop" },
    after: plain,
    held: ["id shop.example.test/shop", "id shop.example.test/"]
  },
  "the path becomes narrower": {
    host: "shop.example.test",
    before: plain,
    after: { ...plain, path: "/shop" },
    held: ["id shop.example.test/", "id shop.example.test/shop"]
  },
  "another name": {
    host: "localhost",
    before: plain,
    after: {},
    held: ["id localhost/", "__Host-id localhost/"]
  },
  "a partition": {
    host: "localhost",
    before: {},
    after: { partitioned: true },
    held: ["__Host-id localhost/", "__Host-id localhost/ partitioned"]
  },
  "a partition no more": {
    host: "localhost",
    before: { partitioned: true },
    after: {},
    held: ["__Host-id localhost/ partitioned", "__Host-id localhost/"]
  }
}

// Redis keeps a session as memory does, whatever its cookie: one change of scope and one of the name are enough.
const withRedis = new Set(["a domain is added", "another name"])

class Chromium extends Context.Tag("test/Chromium")<Chromium, Browser>() {
  static readonly layer = Layer.scoped(
    Chromium,
    launchChromium({ args: ["--host-resolver-rules=MAP *.example.test 127.0.0.1, MAP localhost 127.0.0.1"] })
  )
}

const stores: Readonly<Record<string, Layer.Layer<SessionStore.SessionStore, never, RedisServer>>> = {
  memory: Layer.orDie(MemorySessionStore.layer()),
  cookie: CookieSessionStore.layer,
  Redis: Layer.unwrapEffect(
    Effect.map(RedisServer, ({ url }) => Layer.orDie(RedisSessionStore.layer({ url, timeout: generous })))
  )
}

const visit = (store: string, { after, before, host }: typeof changes[string]) =>
  Effect.gen(function*() {
    const shared = Layer.succeedContext(yield* Layer.build(stores[store]!))
    const deployed = {
      before: yield* deploy(before, shared),
      after: yield* deploy({ ...after, retired: [before] }, shared),
      // A deploy that forgot to say what the cookie was.
      hasty: yield* deploy(after, shared)
    }
    // The browser leaves before the servers close, which wait for its connections.
    const context = yield* Effect.flatMap(Chromium, (browser) =>
      Effect.acquireRelease(
        Effect.promise(() => browser.newContext()),
        (context) => Effect.promise(() => context.close())
      ))
    return { ...deployed, visitor: visitorOf(yield* Effect.promise(() => context.newPage()), host) }
  })

describe("a cookie whose scope changes with a deploy, in a browser", () => {
  layer(Layer.merge(Chromium.layer, RedisServer.layer()), { excludeTestServices: true, timeout: "15 minutes" })(
    (it) => {
      for (const store of Object.keys(stores)) {
        for (
          const [name, change] of Object.entries(changes).filter(([name]) => store !== "Redis" || withRedis.has(name))
        ) {
          it.scoped(`${store}, ${name}: the session lives on, and ends with one cookie, and then with none`, () =>
            Effect.gen(function*() {
              const { after, before, visitor } = yield* visit(store, change)
              yield* visitor.visit(before, "count")
              assert.deepStrictEqual(yield* visitor.cookies, [change.held[0]])
              assert.deepStrictEqual(yield* visitor.visit(after, "read"), { counter: 1 })
              assert.deepStrictEqual(yield* visitor.visit(after, "count"), { counter: 2 })
              assert.deepStrictEqual(yield* visitor.cookies, [change.held[1]])
              assert.deepStrictEqual(yield* visitor.visit(after, "in"), { counter: 2, user: "ada" })
              assert.deepStrictEqual(yield* visitor.visit(after, "read"), { counter: 2, user: "ada" })
              assert.deepStrictEqual(yield* visitor.cookies, [change.held[1]])
              yield* visitor.visit(after, "out")
              assert.deepStrictEqual(yield* visitor.cookies, [])
              assert.deepStrictEqual(yield* visitor.visit(after, "read"), {})
            }))

          it.scoped(`${store}, ${name}: a sign-in sticks and a logout holds where a browser has both cookies already`, () =>
            Effect.gen(function*() {
              const { after, before, hasty, visitor } = yield* visit(store, change)
              yield* visitor.visit(before, "count")
              yield* visitor.visit(hasty, "in")
              yield* visitor.visit(hasty, "count")
              yield* visitor.visit(after, "in")
              assert.deepStrictEqual(yield* visitor.cookies, [change.held[1]])
              assert.propertyVal(yield* visitor.visit(after, "read"), "user", "ada")
              // Servers of before are still about while a deploy goes on.
              yield* visitor.visit(before, "count")
              assert.propertyVal(yield* visitor.visit(after, "read"), "user", "ada")
              yield* visitor.visit(after, "out")
              assert.deepStrictEqual(yield* visitor.cookies, [])
              assert.deepStrictEqual(yield* visitor.visit(after, "read"), {})
              assert.deepStrictEqual(yield* visitor.visit(before, "read"), {})
            }))
        }
      }
    }
  )
})
