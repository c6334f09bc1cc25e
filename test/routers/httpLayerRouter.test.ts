/**
 * Sessions and guards of `HttpLayerRouter`: for some routes and for all of them, on a socket and as a web handler.
 */
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import type * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import type * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  countVisit,
  CurrentUser,
  nameIn,
  Server,
  serveWeb,
  Sessions,
  signIn,
  Store,
  type StoreProbe,
  takeCalls,
  UserEntry,
  visit
} from "./app.js"

const text = <E, R>(body: Effect.Effect<string | number, E, R>) =>
  Effect.map(body, (body) => HttpServerResponse.text(String(body)))

const RequireUser = SessionHttpLayerRouter.guard({ provides: CurrentUser, entry: UserEntry })

const orLogin = SessionHttpLayerRouter.guard({
  provides: CurrentUser,
  entry: UserEntry,
  orElse: HttpServerResponse.redirect("/login", { status: 303 })
})

class Greeting extends Context.Tag("test/Greeting")<Greeting, string>() {}

/** A middleware of an app's own, which needs the session. */
const Greets = HttpLayerRouter.middleware<{ provides: Greeting }>()((app) =>
  Effect.flatMap(nameIn(Session.Session), (name) => Effect.provideService(app, Greeting, `Hello, ${name}`))
)

const name = Effect.map(CurrentUser, (user) => user.name)

const login = HttpLayerRouter.add("POST", "/login", signIn(Session.Session, "Ada"))
const count = HttpLayerRouter.add("GET", "/count", text(countVisit))
const plain = HttpLayerRouter.add("GET", "/plain", text(Effect.succeed("plain")))
const me = HttpLayerRouter.add("GET", "/me", text(name))
const meCounted = HttpLayerRouter.add("GET", "/me/counted", text(Effect.zipRight(name, countVisit)))
const member = HttpLayerRouter.add("GET", "/member", text(name))
const greeting = HttpLayerRouter.add("GET", "/greeting", text(Greeting))

const guarded = Layer.mergeAll(
  Layer.mergeAll(me, meCounted).pipe(Layer.provide(RequireUser.layer)),
  member.pipe(Layer.provide(orLogin.layer)),
  greeting.pipe(Layer.provide(Greets.combine(SessionHttpLayerRouter.middleware).layer))
)

const installed = {
  "the session for each route": Layer.mergeAll(
    Layer.mergeAll(login, count).pipe(Layer.provide(SessionHttpLayerRouter.layer)),
    plain,
    guarded
  ),
  "the session for all routes": Layer.mergeAll(login, count, plain, guarded).pipe(
    Layer.provide(SessionHttpLayerRouter.layerGlobal)
  )
}

type Needs = SessionMiddleware.SessionMiddleware | HttpServer.HttpServer | HttpRouter.HttpRouter.DefaultServices

const serving = {
  "HttpLayerRouter.serve": (routes: typeof installed[keyof typeof installed]): Layer.Layer<never, never, Needs> =>
    HttpLayerRouter.serve(routes, { disableLogger: true, disableListenLog: true }),

  "HttpLayerRouter.toWebHandler": (
    routes: typeof installed[keyof typeof installed]
  ): Layer.Layer<never, never, Needs> =>
    Layer.unwrapScoped(Effect.gen(function*() {
      const backend = yield* Effect.context<SessionMiddleware.SessionMiddleware>()
      const { dispose, handler } = HttpLayerRouter.toWebHandler(
        Layer.provide(routes, Layer.succeedContext(backend)),
        { disableLogger: true }
      )
      yield* Effect.addFinalizer(() => Effect.promise(dispose))
      return serveWeb(handler)
    }))
}

const Backend = Layer.mergeAll(Layer.provideMerge(Sessions, Store), Server)

for (const [how, serve] of Object.entries(serving)) {
  for (const [which, routes] of Object.entries(installed)) {
    describe(`${how}, ${which}`, () => {
      const scenario = (title: string, body: Effect.Effect<void, never, HttpServer.HttpServer | StoreProbe>) =>
        it.scopedLive(title, () => Effect.provide(body, Layer.provideMerge(serve(routes), Backend)))

      scenario(
        "keeps values between requests",
        Effect.gen(function*() {
          const { browser, probe } = yield* visit
          assert.strictEqual((yield* browser.get("/count")).body, "1")
          assert.strictEqual((yield* browser.get("/count")).body, "2")
          assert.deepStrictEqual(takeCalls(probe), ["save", "load", "update"])
        })
      )

      scenario(
        "refuses a guarded route with an empty 401, and no store call where there is no cookie",
        Effect.gen(function*() {
          const { browser, probe } = yield* visit
          const refused = yield* browser.get("/me")
          assert.deepStrictEqual([refused.status, refused.body, refused.setCookies], [401, "", []])
          assert.deepStrictEqual(takeCalls(probe), [])
          yield* browser.get("/count")
          assert.strictEqual((yield* browser.get("/me")).status, 401)
        })
      )

      scenario(
        "gives a guarded route its value, and the same session, which is loaded and committed once",
        Effect.gen(function*() {
          const { browser, probe } = yield* visit
          yield* browser.post("/login")
          takeCalls(probe)
          assert.strictEqual((yield* browser.get("/me")).body, "Ada")
          assert.deepStrictEqual(takeCalls(probe), ["load"])
          assert.strictEqual((yield* browser.get("/me/counted")).body, "1")
          assert.deepStrictEqual(takeCalls(probe), ["load", "update"])
        })
      )

      scenario(
        "sends who is not signed in to the login page, where the guard says so",
        Effect.gen(function*() {
          const { browser } = yield* visit
          const sent = yield* browser.get("/member")
          assert.deepStrictEqual([sent.status, sent.headers.get("location")], [303, "/login"])
          yield* browser.post("/login")
          assert.strictEqual((yield* browser.get("/member")).body, "Ada")
        })
      )

      scenario(
        "is under a middleware of the app's own that is combined with it",
        Effect.gen(function*() {
          const { browser } = yield* visit
          assert.strictEqual((yield* browser.get("/greeting")).body, "Hello, nobody")
          yield* browser.post("/login")
          assert.strictEqual((yield* browser.get("/greeting")).body, "Hello, Ada")
        })
      )

      scenario(
        "costs nothing on a route that leaves the session alone, and where there is no route",
        Effect.gen(function*() {
          const { browser, probe } = yield* visit
          yield* browser.post("/login")
          takeCalls(probe)
          for (const [path, status] of [["/plain", 200], ["/nowhere", 404]] as const) {
            const answer = yield* browser.get(path)
            assert.deepStrictEqual([answer.status, answer.setCookies, answer.headers.get("vary")], [status, [], null])
          }
          assert.deepStrictEqual(takeCalls(probe), [])
        })
      )

      scenario(
        "answers 503 with an empty body while the store is away",
        Effect.gen(function*() {
          const { browser, probe } = yield* visit
          yield* browser.post("/login")
          probe.isAway = true
          for (const path of ["/count", "/me", "/member"]) {
            const answer = yield* browser.get(path)
            assert.deepStrictEqual([answer.status, answer.body, answer.setCookies], [503, "", []])
          }
        })
      )
    })
  }
}

describe("types", () => {
  it("a route that yields the session needs the session's middleware", () => {
    const forgotten = HttpLayerRouter.serve(count)
    // @ts-expect-error: no middleware provides Session
    const complete: Layer.Layer<never, never, Needs> = forgotten
    void complete
  })

  it("a route that yields the guarded value needs the guard", () => {
    const unguarded = HttpLayerRouter.serve(me.pipe(Layer.provide(SessionHttpLayerRouter.layer)))
    // @ts-expect-error: no guard provides CurrentUser
    const complete: Layer.Layer<never, never, Needs> = unguarded
    void complete
  })

  it("a middleware that needs the session is combined with the session's", () => {
    // @ts-expect-error: nothing provides the Session that it needs
    const alone: Layer.Layer<any, any, any> = Greets.layer
    void alone
  })
})
