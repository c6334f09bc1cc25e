/**
 * What the tests of every router share: a visitor and an administrator with a session each, a store that says what it was
 * asked and can be away, and the same requests to an app on a real socket and to a web handler.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"

export class User extends Schema.Class<User>("User")({ name: Schema.NonEmptyString }) {}
export const UserEntry = Session.entry("user", User)
export class CurrentUser extends Context.Tag("test/CurrentUser")<CurrentUser, User>() {}

export const Counter = Session.entry("counter", Schema.NonNegativeInt)

export class AdminSession extends SessionMiddleware.Tag("test/AdminSession")<AdminSession>() {}
export class CurrentAdmin extends Context.Tag("test/CurrentAdmin")<CurrentAdmin, User>() {}

export const adminCookie = "__Host-admin"

export const countVisit = Effect.flatMap(
  Session.Session,
  (session) => session.updateOr(Counter, 1, (n) => n + 1)
)

/** Signs in under a name. */
export const signIn = <Self>(session: Context.Tag<Self, Session.Session>, user: string) =>
  Effect.gen(function*() {
    const opened = yield* session
    yield* opened.insert(UserEntry, new User({ name: user }))
    yield* opened.renew
    return HttpServerResponse.empty()
  })

/** Who the session says is there. */
export const nameIn = <Self>(session: Context.Tag<Self, Session.Session>) =>
  Effect.gen(function*() {
    const opened = yield* session
    return Option.match(yield* opened.get(UserEntry), { onNone: () => "nobody", onSome: (user) => user.name })
  })

/** What the store was asked, in order, and whether it answers. */
export class StoreProbe extends Context.Tag("test/StoreProbe")<StoreProbe, {
  calls: Array<string>
  isAway: boolean
}>() {}

export const Store: Layer.Layer<SessionStore.SessionStore | StoreProbe> = Layer.effectContext(
  Effect.gen(function*() {
    const store = yield* Effect.orDie(MemorySessionStore.make())
    const probe: StoreProbe["Type"] = { calls: [], isAway: false }
    const probed = <Args extends ReadonlyArray<unknown>, A, E>(
      verb: string,
      call: (...args: Args) => Effect.Effect<A, E>,
      error: new(fields: { reason: "Unavailable"; message: string }) => E
    ) =>
    (...args: Args) => {
      probe.calls.push(verb)
      return probe.isAway ? Effect.fail(new error({ reason: "Unavailable", message: "away" })) : call(...args)
    }
    return Context.make(StoreProbe, probe).pipe(
      Context.add(SessionStore.SessionStore, {
        ...store,
        load: probed("load", store.load, SessionStore.LoadError),
        save: probed("save", store.save, SessionStore.SaveError),
        update: probed("update", store.update, SessionStore.UpdateError),
        updateTtl: probed("updateTtl", store.updateTtl, SessionStore.UpdateError),
        renew: probed("renew", store.renew, SessionStore.UpdateError),
        delete: probed("delete", store.delete, SessionStore.DeleteError)
      })
    )
  })
)

/** One ring of keys for both sessions: only their names keep them apart. */
const keys = Config.generateKey()

export const Sessions = SessionMiddleware.layer({ keys })
export const AdminSessions = AdminSession.layer({
  keys,
  cookie: { name: adminCookie, sameSite: "Strict" },
  lifecycle: Config.BrowserSession({ ttl: "15 minutes" })
})

export const Server = NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })

/** A web handler on a real socket. */
export const serveWeb = (handler: (request: Request) => Promise<Response>) =>
  HttpServer.serve(
    Effect.gen(function*() {
      const request = yield* HttpServerRequest.toWeb(yield* HttpServerRequest.HttpServerRequest)
      return HttpServerResponse.fromWeb(yield* Effect.promise(() => handler(request)))
    })
  )

/** A browser on the app, and the probe of its store. */
export const visit = Effect.gen(function*() {
  return { browser: yield* TestBrowser.make, probe: yield* StoreProbe }
})

/** The calls since the last time that they were taken. */
export const takeCalls = (probe: StoreProbe["Type"]): Array<string> => probe.calls.splice(0)

/** Cookies of a `Cookie` header, by name. */
export const cookiesOf = (header: string | undefined): Record<string, string> =>
  Object.fromEntries((header ?? "").split("; ").map((pair) => pair.split(/=(.*)/s).slice(0, 2)))

/** The `Cookie` header of somebody who signed in elsewhere: not in the app that is under test. */
export const signedInCookie = (user: string) =>
  Effect.gen(function*() {
    const middleware = yield* SessionMiddleware.SessionMiddleware
    const signsIn = HttpApp.toWebHandler(
      SessionMiddleware.sessionWith(middleware)(Effect.orDie(signIn(Session.Session, user)))
    )
    const response = yield* Effect.promise(() => signsIn(new Request("http://localhost/")))
    return response.headers.getSetCookie()[0]!.split(";")[0]!
  })

/** Collects what is logged, causes included, from a level on. */
export const collect = (said: Array<string>, from: LogLevel.LogLevel): Logger.Logger<unknown, void> =>
  Logger.make(({ cause, logLevel, message }) => {
    if (LogLevel.greaterThanEqual(logLevel, from)) {
      said.push([String(message), ...(Cause.isEmpty(cause) ? [] : [Cause.pretty(cause)])].join(" "))
    }
  })
