/**
 * The room where sessions meet HTTP: it turns the session cookie of a request into a `Session`, and what the handler did
 * to that session into a store call and a `Set-Cookie`.
 *
 * `session` is an ordinary `HttpMiddleware`. It works around a router, on single routes, and as the last argument of
 * `HttpServer.serve`, and sees every outcome of the handler. A request that does not touch its session costs no store
 * call, and its cookie is not opened.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServer from "@effect/platform/HttpServer"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import { createServer } from "node:http"
 * import * as Config from "effect-session/Config"
 * import * as Session from "effect-session/Session"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 * import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
 *
 * const Counter = Session.entry("counter", Schema.NonNegativeInt)
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.get(
 *     "/",
 *     Effect.gen(function*() {
 *       const session = yield* Session.Session
 *       return HttpServerResponse.text(`Visit ${yield* session.updateOr(Counter, 1, (n) => n + 1)}`)
 *     })
 *   ),
 *   SessionMiddleware.session,
 *   HttpServer.serve(),
 *   Layer.provide(NodeHttpServer.layer(createServer, { port: 3000 })),
 *   Layer.provide(SessionMiddleware.layerConfig(Config.fromEnv)),
 *   Layer.provide(MemorySessionStore.layer())
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import type * as FiberStatus from "effect/FiberStatus"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SessionConfig from "./Config.js"
import * as CookieCrypto from "./CookieCrypto.js"
import { haveCommonSigningKey } from "./internal/cookie/cookieRs.js"
import { nowOn } from "./internal/effect/clockOf.js"
import { onExit } from "./internal/effect/onExit.js"
import { updateFiberRefs } from "./internal/effect/setFiberRef.js"
import { countEvent } from "./internal/events/countEvent.js"
import { EventHub } from "./internal/events/eventHub.js"
import { type AnyFiber, responding, setHooks } from "./internal/http/responseHooks.js"
import { makeBearerTransport } from "./internal/request/bearerTransport.js"
import { resolveContentSecurity } from "./internal/request/contentSecurity.js"
import { HttpSession, PendingCommit } from "./internal/request/httpSession.js"
import { namesOf } from "./internal/request/openedCookie.js"
import * as Session from "./Session.js"
import * as SessionEvent from "./SessionEvent.js"
import * as SessionStore from "./SessionStore.js"

/**
 * Marks the objects that are session middlewares.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId = "~effect-session/SessionMiddleware"

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * Checked configuration, prepared cookie crypto and store: what the middleware of one kind of session needs. `Self` says
 * which kind: `Session`, or a class made with `Tag`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionMiddleware<in out Self = Session.Session> {
  readonly [TypeId]: TypeId
  /** What handlers yield. */
  readonly session: Context.Tag<Self, Session.Session>
  readonly config: SessionConfig.SessionConfig
  /** How the cookie is sealed: as the configuration says or, where it does not, by what the store puts into the cookie. */
  readonly contentSecurity: CookieCrypto.ContentSecurity
  readonly crypto: CookieCrypto.CookieCrypto
  /** What opens the cookies of the names that the cookie had before, by name. */
  readonly retiredCrypto: ReadonlyMap<string, CookieCrypto.CookieCrypto>
  /** What takes the cookie's place for clients that keep none; `undefined` where the option `bearer` is off. */
  readonly bearer: BearerTransport | undefined
  readonly store: SessionStore.SessionStore
  /**
   * Tells those who listen, and counts (`SessionMetrics.events`). Never waits and never fails.
   */
  readonly tell: (event: SessionEvent.Happening) => void
  /**
   * What happens to sessions from now on. For each listener 1024 events of each kind are kept while it is busy, and refusals
   * of one reason are counted together; it is told of what it missed. One that fails harms nobody else.
   */
  readonly events: Stream.Stream<SessionEvent.SessionEvent>
}

/**
 * What a session is read from and written to where its key travels in headers.
 *
 * @since 0.1.0
 * @category models
 */
export interface BearerTransport {
  /** The response header that gives a key out, in lower case. */
  readonly header: string
  /** The configuration as it is for bearers: no cookie of before, and no `Max-Age`. */
  readonly config: SessionConfig.SessionConfig
  /** What seals bearers, and opens them. It opens no cookie. */
  readonly crypto: CookieCrypto.CookieCrypto
  /** What opens the bearers that were given out under the names that the cookie had before, by name. */
  readonly retiredCrypto: ReadonlyMap<string, CookieCrypto.CookieCrypto>
}

/**
 * The tag of the middleware that serves the given kind of session.
 *
 * @since 0.1.0
 * @category tags
 */
export const forSession = <Self>(
  session: Context.Tag<Self, Session.Session>
): Context.Tag<SessionMiddleware<Self>, SessionMiddleware<Self>> =>
  Context.GenericTag<SessionMiddleware<Self>>(`effect-session/SessionMiddleware/${session.key}`)

/**
 * The middleware of the default session, as `layer` provides it.
 *
 * @since 0.1.0
 * @category tags
 */
export const SessionMiddleware: Context.Tag<SessionMiddleware, SessionMiddleware> = forSession(Session.Session)

/**
 * Checks the options and prepares the middleware: keys are derived here, once. Logs a warning for whatever is allowed
 * but dangerous. Fails with a `SessionConfigError` that names the option and the mend.
 *
 * A `bearer.header` of your own has to be hidden by you where you make the middleware yourself: platform's spans and logs show
 * what is not in `Headers.currentRedactedNames`. The layers add it there.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: SessionConfig.SessionOptions
): Effect.Effect<SessionMiddleware, SessionConfig.SessionConfigError, SessionStore.SessionStore> =>
  makeFor(Session.Session, options)

const makeFor = <Self>(
  session: Context.Tag<Self, Session.Session>,
  options: SessionConfig.SessionOptions
): Effect.Effect<SessionMiddleware<Self>, SessionConfig.SessionConfigError, SessionStore.SessionStore> =>
  Effect.gen(function*() {
    const config = yield* SessionConfig.make(options)
    const store = yield* SessionStore.SessionStore
    if (config.lifecycle.rotation !== undefined && store.rotate === undefined) {
      return yield* noRotation
    }
    yield* Effect.forEach(config.warnings, (warning) => Effect.logWarning(warning), { discard: true })
    const resolved = resolveContentSecurity(config.contentSecurity, config.cookieFormat, store)
    const cryptoOf = (name: string) =>
      CookieCrypto.make({ ...resolved, name, keys: config.keys, format: config.cookieFormat })
    const names = namesOf(config.cookie)
    for (const name of claimsOf(config)) {
      made.set(name, (made.get(name) ?? 0) + 1)
    }
    const hub = new EventHub()
    return {
      [TypeId]: TypeId,
      session,
      config,
      contentSecurity: resolved.contentSecurity,
      crypto: cryptoOf(config.cookie.name),
      retiredCrypto: new Map(names.slice(1).map((name) => [name, cryptoOf(name)])),
      bearer: makeBearerTransport(config, resolved),
      store,
      tell: (event) => {
        countEvent(event._tag)
        hub.publish(event)
      },
      events: hub.events
    }
  })

const noRotation = new SessionConfig.SessionConfigError({
  option: "lifecycle.renewEvery",
  message:
    "lifecycle.renewEvery asks for a store that can rotate keys, which this one cannot: a store in the cookie makes no copy "
    + "void, and one of your own needs the verb rotate. Leave renewEvery out, or use another store"
})

/**
 * A session of one's own beside the default one, as a class that is its tag: with a cookie, keys, lifecycle and store of
 * its own, and the layers and the middleware that belong to it. A request can have both. The name of the cookie is part of its
 * seal, so that neither session ever opens the other's; where it is not (`CookieRs` with `Signed`), they may share no key.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as Config from "effect-session/Config"
 * import * as Session from "effect-session/Session"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 * import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
 *
 * class AdminSession extends SessionMiddleware.Tag("AdminSession")<AdminSession>() {}
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.get(
 *     "/admin",
 *     Effect.gen(function*() {
 *       const admin = yield* AdminSession
 *       const visitor = yield* Session.Session
 *       const isAdmin = yield* admin.get("admin", Schema.Boolean)
 *       return HttpServerResponse.unsafeJson({ isAdmin, cart: yield* visitor.contains("cart") })
 *     })
 *   ),
 *   AdminSession.middleware,
 *   SessionMiddleware.session
 * )
 *
 * const AdminSessions = AdminSession.layer({
 *   keys: Config.generateKey(),
 *   cookie: { name: "__Host-admin", sameSite: "Strict" },
 *   lifecycle: Config.BrowserSession({ ttl: "15 minutes" })
 * }).pipe(Layer.provide(MemorySessionStore.layer()))
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <const Id extends string>(id: Id) => <Self>(): TagClass<Self, Id> => {
  const tag = Context.Tag(id)<Self, Session.Session>()
  return Object.assign(tag, servicesFor<Self>(tag))
}

/**
 * What `Tag` makes: the tag of a session of one's own, together with what belongs to that session.
 *
 * @since 0.1.0
 * @category models
 */
export interface TagClass<Self, Id extends string>
  extends Context.TagClass<Self, Id, Session.Session>, SessionServices<Self>
{}

/**
 * What belongs to one kind of session: the same as this module's `layer`, `layerConfig`, `session` and `events`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionServices<Self> {
  /** As `layer`. */
  readonly layer: (
    options: SessionConfig.SessionOptions
  ) => Layer.Layer<SessionMiddleware<Self>, SessionConfig.SessionConfigError, SessionStore.SessionStore>
  /** As `layerConfig`. */
  readonly layerConfig: (
    options: Config.Config.Wrap<SessionConfig.SessionOptions>
  ) => Layer.Layer<
    SessionMiddleware<Self>,
    SessionConfig.SessionConfigError | ConfigError.ConfigError,
    SessionStore.SessionStore
  >
  /** As `session`. */
  readonly middleware: <E, R>(
    app: HttpApp.Default<E, R>
  ) => HttpApp.Default<E, Exclude<R, Self> | SessionMiddleware<Self>>
  /** As `events`. */
  readonly events: Stream.Stream<SessionEvent.SessionEvent, never, SessionMiddleware<Self>>
}

const servicesFor = <Self>(session: Context.Tag<Self, Session.Session>): SessionServices<Self> => {
  const tag = forSession(session)
  const build = (
    options: SessionConfig.SessionOptions
  ): Effect.Effect<
    SessionMiddleware<Self>,
    SessionConfig.SessionConfigError,
    SessionStore.SessionStore | InUse | Scope.Scope
  > =>
    makeFor(session, options).pipe(
      Effect.tap(register),
      Effect.tap(hideBearers)
    )
  return {
    layer: (options) => Layer.provide(Layer.scoped(tag, build(options)), inUse),
    layerConfig: (options) => Layer.provide(Layer.scoped(tag, Effect.flatMap(Config.unwrap(options), build)), inUse),
    middleware: (app) =>
      Effect.withFiberRuntime((fiber, status) =>
        provideSession(Context.unsafeGet(fiber.currentContext, tag), fiber, status, app)
      ),
    events: Stream.unwrap(Effect.map(tag, (middleware) => middleware.events))
  }
}

// Platform's spans and logs show headers, but for those whose names this ref holds. What a layer sets in it holds for the app that
// the layer is provided to.
const hideBearers = ({ bearer }: SessionMiddleware<any>): Effect.Effect<void, never, Scope.Scope> =>
  bearer === undefined
    ? Effect.void
    : Effect.locallyScopedWith(
      Headers.currentRedactedNames,
      (names) => [...names, ...new Set(["authorization", bearer.header].filter((name) => !names.includes(name)))]
    )

/** The middlewares that the app being built has in use, by the key of the session's tag. */
class InUse extends Context.Tag("effect-session/SessionMiddleware/InUse")<InUse, Map<string, Sealing>>() {}

/** What decides whether the cookies of two sessions could be swapped. */
type Sealing = Pick<SessionMiddleware, "config" | "contentSecurity">

// A layer of this one reference is built once for all middlewares of an app, and anew for the next app.
const inUse = Layer.sync(InUse, () => new Map<string, Sealing>())

/**
 * Refuses what would only show as sessions that come and go, two sessions under one cookie or two middlewares for one,
 * and two sessions whose cookies could be swapped.
 */
const register = <Self>(
  middleware: SessionMiddleware<Self>
): Effect.Effect<void, SessionConfig.SessionConfigError, InUse | Scope.Scope> =>
  Effect.flatMap(InUse, (others) => {
    const { config, session } = middleware
    return Effect.acquireRelease(
      Effect.suspend(() => {
        if (others.has(session.key)) {
          return Effect.fail(secondMiddleware(session.key))
        }
        for (const name of namesOf(config.cookie)) {
          const holder = Array.from(others).find(([, other]) => namesOf(other.config.cookie).includes(name))
          if (holder !== undefined) {
            return Effect.fail(secondReader(name, holder[0], session.key))
          }
        }
        const { bearer } = config
        const giver = bearer && Array.from(others).find(([, { config }]) => config.bearer?.header === bearer.header)
        if (giver !== undefined) {
          return Effect.fail(secondGiver(giver[0], session.key))
        }
        const interchangeable = Array.from(others).find(([, other]) => opensSealsOf(middleware, other))
        if (interchangeable !== undefined) {
          return Effect.fail(commonKey(session.key, interchangeable[0]))
        }
        others.set(session.key, middleware)
        return Effect.void
      }),
      () => Effect.sync(() => others.delete(session.key))
    )
  })

const secondMiddleware = (key: string) =>
  new SessionConfig.SessionConfigError({
    option: "session",
    message:
      `session ${key} has a middleware in this app already. Build one layer and provide it to the whole app, or give the `
      + "other one a session of its own: "
      + "class OtherSession extends SessionMiddleware.Tag(\"OtherSession\")<OtherSession>() {}"
  })

const secondReader = (name: string, holder: string, key: string) =>
  new SessionConfig.SessionConfigError({
    option: "cookie.name",
    message:
      `cookie.name ${name} is the cookie of the session ${holder} in this app already. Choose another name for ${key}`
  })

const secondGiver = (holder: string, key: string) =>
  new SessionConfig.SessionConfigError({
    option: "bearer.header",
    message:
      `bearer.header is where the session ${holder} gives its keys out in this app already. Choose another name for ${key}`
  })

/** How many middlewares were made for each cookie name, those that a cookie had before included, and each response header. */
const made = new Map<string, number>()

// No cookie has a colon in its name.
const claimOf = (header: string): string => `${header}:`

const claimsOf = ({ bearer, cookie }: SessionConfig.SessionConfig): ReadonlyArray<string> => [
  ...namesOf(cookie),
  ...(bearer === undefined ? [] : [claimOf(bearer.header)])
]

const mayMeetAnother = ({ bearer, config: { cookie } }: SessionMiddleware<any>): boolean =>
  made.get(cookie.name) !== 1 || cookie.retired.some(({ name }) => made.get(name) !== 1) ||
  (bearer !== undefined && made.get(claimOf(bearer.header)) !== 1)

// Only who renews keys by themselves has to know it, and nobody else pays for the clock.
const arrivalOn = (fiber: Fiber.RuntimeFiber<unknown, unknown>, { config }: SessionMiddleware<any>): number =>
  config.lifecycle.rotation === undefined ? Number.POSITIVE_INFINITY : nowOn(fiber)

// Layers that are built apart, each in an `Effect.provide` of its own, know nothing of each other. Their sessions meet in a
// request, which only those look out for that may meet another.
const refuseClash = (
  middleware: SessionMiddleware<any>,
  request: HttpServerRequest.HttpServerRequest,
  others: Iterable<unknown>
): Effect.Effect<never> | undefined => {
  for (const other of others) {
    const clash = other instanceof HttpSession ? other.clashWith(middleware, request) : undefined
    if (clash !== undefined) {
      const { config: { cookie: { name } }, session: { key } } = middleware
      const { tag } = other as HttpSession
      const error = clash === "session"
        ? secondMiddleware(key)
        : clash === "cookie.name"
        ? secondReader(name, tag, key)
        : secondGiver(tag, key)
      return Effect.zipRight(Effect.logError(error.message), Effect.die(error))
    }
  }
  return undefined
}

const cookieAndBearer = HttpServerResponse.empty({
  status: 400,
  headers: { "cache-control": "no-store", "vary": "Cookie, Authorization" }
})

// A choice between the two would be that of whoever planted one of them, and with neither a logout would end nothing.
const refuseBoth = ({ tell }: SessionMiddleware<any>): Effect.Effect<HttpServerResponse.HttpServerResponse> =>
  Effect.sync(() => {
    tell(SessionEvent.KeyRefused({ reason: "CookieAndBearer", id: undefined, count: 1 }))
    return cookieAndBearer
  })

const commonKey = (key: string, other: string) =>
  new SessionConfig.SessionConfigError({
    option: "keys",
    message:
      `keys of ${key} and of ${other} have one in common, and the Signed seal of CookieRs does not bind the cookie's `
      + "name: a cookie of one would open as the other. Give each session keys of its own, or use contentSecurity Private "
      + "or cookieFormat EffectSession"
  })

/** Whether a value that is genuine in the cookie of one is in that of the other, for all that their names differ. */
const opensSealsOf = (one: Sealing, other: Sealing): boolean =>
  isUnbound(one) && isUnbound(other) &&
  haveCommonSigningKey(one.config.keys.map(Redacted.value), other.config.keys.map(Redacted.value))

const isUnbound = ({ config: { cookieFormat }, contentSecurity }: Sealing): boolean =>
  cookieFormat === "CookieRs" && contentSecurity === "Signed"

const services = servicesFor(Session.Session)

/**
 * What happens to sessions from now on, as a stream that does not end: run it in a fiber of its own.
 *
 * @since 0.1.0
 * @category events
 */
export const events: Stream.Stream<SessionEvent.SessionEvent, never, SessionMiddleware> = services.events

/**
 * The middleware with the given options. An app has one for each kind of session, no two under one cookie name, and no
 * two that share a key in the `Signed` form of `CookieRs`, whose cookies could be swapped: a second one fails the build.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: (
  options: SessionConfig.SessionOptions
) => Layer.Layer<SessionMiddleware, SessionConfig.SessionConfigError, SessionStore.SessionStore> = services.layer

/**
 * The middleware with options read from Effect's `Config`: `Config.fromEnv` of this package, or a record of your own.
 *
 * @example
 * ```ts
 * import * as Config from "effect/Config"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * const Sessions = SessionMiddleware.layerConfig({ keys: Config.redacted("SESSION_KEY") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig: (
  options: Config.Config.Wrap<SessionConfig.SessionOptions>
) => Layer.Layer<
  SessionMiddleware,
  SessionConfig.SessionConfigError | ConfigError.ConfigError,
  SessionStore.SessionStore
> = services.layerConfig

/**
 * Gives each request its `Session`, and commits it when the handler is done, whatever became of it: what a handler had
 * changed before it failed is kept; the changes of an interrupted handler are dropped, except that its `purge` is
 * carried out, also where a time limit or a race outside of the middleware interrupts it. Installing it twice does no harm.
 *
 * When the store cannot carry out the commit, the response becomes a 503 with an empty body and sets no cookie. When the
 * session has ended meanwhile, or a renewal has replaced the key that the request came with, what it wrote is not kept, and
 * a success (below 400) becomes a 409 with an empty body, unless `lostWrites` is `Ignore`.
 *
 * Such a response keeps the other headers of the app, and the cookies that it sets itself; what spoke of the body goes.
 *
 * Where the option `bearer` is on, a request with an `Authorization: Bearer` has the session of that one, and is answered in a
 * response header in the place of a cookie. One that brings a session cookie as well is answered 400 and never reaches the app.
 *
 * `Vary: Cookie` (`Cookie, Authorization` where bearers are taken) is added where the handler looked at the session, and to every body that is made while it is sent (a stream, or
 * a web `Response` with a body), since that may still look; `Cache-Control: no-store`, and the same in headers that some cache reads
 * in its place, where the cookie is set. Both are there in the end, whatever other hooks the response has.
 *
 * A request in which two middlewares meet that read one cookie, or serve one class of session, dies with a `SessionConfigError`,
 * where the build could not tell since their layers were built apart.
 *
 * A WebSocket upgrade has been answered before the handler is done: its session can be read, and an existing one
 * changed, but no cookie can be set, so that whatever needs one is dropped with a warning in the log.
 *
 * @since 0.1.0
 * @category middleware
 */
export const session: <E, R>(
  app: HttpApp.Default<E, R>
) => HttpApp.Default<E, Exclude<R, Session.Session> | SessionMiddleware> = services.middleware

/**
 * The middleware with its service given, for where a middleware is made once and may ask for nothing per request.
 *
 * @example
 * ```ts
 * import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
 * import * as Effect from "effect/Effect"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * const Sessions = HttpApiBuilder.middleware(
 *   Effect.map(SessionMiddleware.SessionMiddleware, (middleware) => SessionMiddleware.sessionWith(middleware))
 * )
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const sessionWith =
  <Self>(middleware: SessionMiddleware<Self>) =>
  <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, Exclude<R, Self>> =>
    Effect.withFiberRuntime((fiber, status) => provideSession(middleware, fiber, status, app))

// Every request of the app pays for this, so it does by hand and in one step, at a fraction of their cost, what
// `provideService` and `appendPreResponseHandler` do. The fiber ends with the request: its session stays in the context, unless it hid another.
const provideSession = <Self, E, R>(
  middleware: SessionMiddleware<Self>,
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  { runtimeFlags }: FiberStatus.Running,
  app: HttpApp.Default<E, R>
): HttpApp.Default<E, Exclude<R, Self>> => {
  const context = fiber.currentContext
  const request = requestOf(context)
  if (outerSession(middleware, request, context) !== undefined) {
    return app as HttpApp.Default<E, Exclude<R, Self>>
  }
  const hidesAnother = context.unsafeMap.has(middleware.session.key)
  if (hidesAnother || mayMeetAnother(middleware)) {
    const refused = refuseClash(middleware, request, context.unsafeMap.values())
    if (refused !== undefined) {
      return refused
    }
  }
  const session = new HttpSession(middleware, request, arrivalOn(fiber, middleware))
  if (session.bringsCookieAndBearer()) {
    return refuseBoth(middleware)
  }
  const pending = new PendingCommit(session)
  updateFiberRefs(fiber, [
    [HttpApp.currentPreResponseHandlers, [[fiber.id(), pending.hooksFor(fiber)]]],
    [FiberRef.currentContext, [[fiber.id(), Context.add(context, middleware.session, session)]]]
  ])
  const watched = onExit(app, (exit) => pending.appEnded(exit, fiber), runtimeFlags)
  return (
    hidesAnother ? Effect.ensuring(watched, FiberRef.set(FiberRef.currentContext, context)) : watched
  ) as HttpApp.Default<E, Exclude<R, Self>>
}

/**
 * The session of the current request, opened and seen to its commit where nobody has done so yet, for middleware that
 * cannot wrap the handler, such as an `HttpApiMiddleware` or an `RpcMiddleware`.
 *
 * It may run in any fiber that has the request in its context. The commit belongs to the fiber that answers the request; when
 * that one has answered already, the session can still be read, and writes fail with `ResponseSent`.
 *
 * Dies with the response to send, a 400, where the request brings a session cookie and a bearer.
 *
 * @since 0.1.0
 * @category middleware
 */
export const open = <Self>(
  middleware: SessionMiddleware<Self>
): Effect.Effect<Session.Session, never, HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    const request = requestOf(fiber.currentContext)
    const outer = outerSession(middleware, request, fiber.currentContext)
    if (outer !== undefined) {
      return Effect.succeed(outer)
    }
    const owner = responding(fiber, request)
    const sessions = openedOn(owner ?? fiber)
    const found = sessions.find((session) => session.belongsTo(middleware, request))
    if (found !== undefined) {
      return Effect.succeed(found)
    }
    const refused = refuseClash(middleware, request, [...fiber.currentContext.unsafeMap.values(), ...sessions])
    if (refused !== undefined) {
      return refused
    }
    const session = new HttpSession(middleware, request, arrivalOn(fiber, middleware))
    if (session.bringsCookieAndBearer()) {
      return Effect.flatMap(refuseBoth(middleware), Effect.die)
    }
    sessions.push(session)
    if (owner === undefined) {
      // The response is on its way: the session can be read, and whoever writes is told.
      session.close()
      return Effect.succeed(session)
    }
    const pending = new PendingCommit(session)
    // There is no handler to wrap here. An interrupted fiber hands its response hooks to nobody.
    pending.watch(fiber)
    // A fiber that is joined hands its hooks over in place of those that were there, so both have this one.
    const hooks = pending.hooksFor(fiber)
    if (owner !== fiber) {
      pending.watch(owner)
      setHooks(owner, pending.hooksFor(owner))
    }
    return Effect.as(FiberRef.set(HttpApp.currentPreResponseHandlers, hooks), session)
  })

// A guard and a session middleware that stand beside each other in one request share its session, in either order; two requests
// never do, not even when one and the same `Request` is handed in twice.
const opened = new WeakMap<AnyFiber, Array<HttpSession>>()

const openedOn = (fiber: AnyFiber): Array<HttpSession> => {
  let sessions = opened.get(fiber)
  if (sessions === undefined) {
    sessions = []
    opened.set(fiber, sessions)
  }
  return sessions
}

const requestOf = (context: Context.Context<never>): HttpServerRequest.HttpServerRequest =>
  Context.unsafeGet(context, HttpServerRequest.HttpServerRequest)

const outerSession = (
  middleware: SessionMiddleware<any>,
  request: HttpServerRequest.HttpServerRequest,
  context: Context.Context<never>
): HttpSession | undefined => {
  const outer: unknown = context.unsafeMap.get(middleware.session.key)
  return outer instanceof HttpSession && outer.belongsTo(middleware, request) ? outer : undefined
}
