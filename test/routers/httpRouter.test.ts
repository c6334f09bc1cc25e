/**
 * Guards of `HttpRouter`: on a route, on a mounted router, with somewhere else to go, over real sockets.
 */
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Session from "effect-session/Session"
import * as SessionGuard from "effect-session/SessionGuard"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import {
  collect,
  countVisit,
  CurrentUser,
  Server,
  Sessions,
  signIn,
  Store,
  type StoreProbe,
  takeCalls,
  UserEntry,
  visit
} from "./app.js"

const RequireUser = SessionGuard.make({ provides: CurrentUser, entry: UserEntry })

const orLogin = SessionGuard.make({
  provides: CurrentUser,
  entry: UserEntry,
  orElse: HttpServerResponse.redirect("/login", { status: 303 })
})

const name = Effect.map(CurrentUser, (user) => HttpServerResponse.text(user.name))

const account = HttpRouter.empty.pipe(
  HttpRouter.get("/", name),
  HttpRouter.get("/count", Effect.map(countVisit, (visits) => HttpServerResponse.text(String(visits)))),
  HttpRouter.use(RequireUser)
)

const routes = HttpRouter.empty.pipe(
  HttpRouter.get("/login", HttpServerResponse.text("Who are you?")),
  HttpRouter.post("/login", signIn(Session.Session, "Ada")),
  HttpRouter.get("/count", Effect.map(countVisit, (visits) => HttpServerResponse.text(String(visits)))),
  HttpRouter.get("/route", RequireUser(name)),
  HttpRouter.get("/redirected", orLogin(name)),
  HttpRouter.mount("/account", account),
  HttpRouter.mountApp("/app", RequireUser(Effect.orDie(name)))
)

const installed = {
  "a router with the session around it": HttpServer.serve(routes.pipe(SessionMiddleware.session)),
  "a router that uses the session": HttpServer.serve(routes.pipe(HttpRouter.use(SessionMiddleware.session))),
  "a served app with the session as its middleware": HttpServer.serve(routes, SessionMiddleware.session)
}

const Backend = Layer.mergeAll(Layer.provideMerge(Sessions, Store), Server)

for (const [which, app] of Object.entries(installed)) {
  describe(`guards in ${which}`, () => {
    const scenario = (title: string, body: Effect.Effect<void, never, HttpServer.HttpServer | StoreProbe>) =>
      it.scopedLive(title, () => Effect.provide(body, Layer.provideMerge(app, Backend)))

    for (const path of ["/route", "/account/", "/account/count", "/app"]) {
      scenario(
        `let nobody to ${path} who is not signed in, with a session or without`,
        Effect.gen(function*() {
          const { browser, probe } = yield* visit
          const refused = yield* browser.get(path)
          assert.deepStrictEqual([refused.status, refused.body, refused.setCookies], [401, "", []])
          assert.deepStrictEqual(takeCalls(probe), [])
          yield* browser.get("/count")
          assert.strictEqual((yield* browser.get(path)).status, 401)
        })
      )
    }

    scenario(
      "hand the value to the handlers, from the session that these use themselves",
      Effect.gen(function*() {
        const { browser, probe } = yield* visit
        yield* browser.post("/login")
        for (const path of ["/route", "/redirected", "/account/", "/app"]) {
          takeCalls(probe)
          assert.strictEqual((yield* browser.get(path)).body, "Ada")
          assert.deepStrictEqual(takeCalls(probe), ["load"])
        }
        assert.strictEqual((yield* browser.get("/account/count")).body, "1")
        assert.deepStrictEqual(takeCalls(probe), ["load", "update"])
      })
    )

    scenario(
      "send who is not signed in where they say",
      Effect.gen(function*() {
        const { browser } = yield* visit
        const sent = yield* browser.get("/redirected")
        assert.deepStrictEqual([sent.status, sent.headers.get("location")], [303, "/login"])
        assert.strictEqual(sent.headers.get("vary"), "Cookie")
      })
    )

    scenario(
      "take a store that is away neither for a stranger nor for a friend",
      Effect.gen(function*() {
        const { browser, probe } = yield* visit
        yield* browser.post("/login")
        probe.isAway = true
        for (const path of ["/route", "/redirected", "/account/", "/app"]) {
          const answer = yield* browser.get(path)
          assert.deepStrictEqual([answer.status, answer.body, answer.setCookies], [503, "", []])
        }
      })
    )
  })
}

describe("a guard outside of the session's middleware", () => {
  const outside = RequireUser(HttpRouter.empty.pipe(HttpRouter.get("/", name), SessionMiddleware.session))

  it("is a type error where it is served", () => {
    const served = HttpServer.serve(outside)
    // @ts-expect-error: nobody provides the Session that the guard asks
    const complete: Layer.Layer<never, never, HttpServer.HttpServer | SessionMiddleware.SessionMiddleware> = served
    void complete
  })

  it.scopedLive("says what to mend when a cast brings it there all the same", () => {
    const said: Array<string> = []
    const app = HttpServer.serve(
      outside as Effect.Effect<
        Effect.Effect.Success<typeof outside>,
        Effect.Effect.Error<typeof outside>,
        Exclude<Effect.Effect.Context<typeof outside>, Session.Session>
      >,
      HttpMiddleware.logger
    ).pipe(Layer.provide(Logger.replace(Logger.defaultLogger, collect(said, LogLevel.Info))))
    return Effect.gen(function*() {
      const { browser } = yield* visit
      assert.strictEqual((yield* browser.get("/")).status, 500)
      assert.include(
        said.join("\n"),
        "The guard of test/CurrentUser is not inside the middleware that provides effect-session/Session. " +
          "Put the session middleware around it"
      )
    }).pipe(Effect.provide(Layer.provideMerge(app, Backend)))
  })
})

describe("types", () => {
  it("a handler yields the guarded value behind the guard alone", () => {
    const served = HttpServer.serve(
      HttpRouter.empty.pipe(HttpRouter.get("/", name), SessionMiddleware.session)
    )
    // @ts-expect-error: no guard provides CurrentUser
    const complete: Layer.Layer<never, never, HttpServer.HttpServer | SessionMiddleware.SessionMiddleware> = served
    void complete
  })

  it("a handler yields the session inside the session's middleware alone", () => {
    const served = HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.post("/", signIn(Session.Session, "Ada"))))
    // @ts-expect-error: nobody provides Session
    const complete: Layer.Layer<never, never, HttpServer.HttpServer> = served
    void complete
  })
})
