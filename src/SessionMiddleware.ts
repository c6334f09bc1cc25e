/**
 * The room where sessions meet HTTP: it turns the session cookie of a request into a `Session`, and what the handler did
 * to that session into a store call and a `Set-Cookie`.
 *
 * `session` is an ordinary `HttpMiddleware`. It works around a router, on single routes, and as the last argument of
 * `HttpServer.serve`, and sees every outcome of the handler. A request that does not touch its session costs no store
 * call and no decryption.
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
 *   Layer.provide(SessionMiddleware.layerConfig(Config.fromEnv)),
 *   Layer.provide(MemorySessionStore.layer()),
 *   Layer.provide(NodeHttpServer.layer(createServer, { port: 3000 }))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as Cookies from "@effect/platform/Cookies"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerRespondable from "@effect/platform/HttpServerRespondable"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as SessionConfig from "./Config.js"
import * as CookieCrypto from "./CookieCrypto.js"
import { emptyResponse } from "./internal/errorResponse.js"
import { type CommitOutcome, RequestSession } from "./internal/requestSession.js"
import { cacheControlWithCookie, varyByCookie } from "./internal/responseHeaders.js"
import * as Session from "./Session.js"
import type * as SessionEvent from "./SessionEvent.js"
import * as SessionMetrics from "./SessionMetrics.js"
import * as SessionStore from "./SessionStore.js"

/**
 * @since 0.1.0
 * @category type ids
 */
export const TypeId = "~effect-session/SessionMiddleware"

/**
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * Checked configuration, prepared cookie crypto and store: what `session` needs.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionMiddleware {
  readonly [TypeId]: TypeId
  readonly config: SessionConfig.SessionConfig
  readonly crypto: CookieCrypto.CookieCrypto
  readonly store: SessionStore.SessionStore
  /**
   * Tells those who listen. Never waits and never fails.
   */
  readonly publish: (event: SessionEvent.SessionEvent) => Effect.Effect<void>
  /**
   * What happens to sessions from now on. A listener that falls 1024 events behind loses the oldest; one that fails
   * harms nobody else.
   */
  readonly events: Stream.Stream<SessionEvent.SessionEvent>
}

/**
 * @since 0.1.0
 * @category tags
 */
export const SessionMiddleware: Context.Tag<SessionMiddleware, SessionMiddleware> = Context.GenericTag<
  SessionMiddleware
>("effect-session/SessionMiddleware")

/**
 * Checks the options and prepares the middleware: keys are derived here, once. Logs a warning for whatever is allowed
 * but dangerous. Fails with a `SessionConfigError` that names the option and the mend.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: SessionConfig.SessionOptions
): Effect.Effect<SessionMiddleware, SessionConfig.SessionConfigError, SessionStore.SessionStore> =>
  Effect.gen(function*() {
    const config = yield* SessionConfig.make(options)
    const store = yield* SessionStore.SessionStore
    yield* Effect.forEach(config.warnings, (warning) => Effect.logWarning(warning), { discard: true })
    const crypto = CookieCrypto.make({
      name: config.cookie.name,
      keys: config.keys,
      contentSecurity: config.contentSecurity,
      format: config.cookieFormat
    })
    const hub = yield* PubSub.sliding<SessionEvent.SessionEvent>(eventsKept)
    return {
      [TypeId]: TypeId,
      config,
      crypto,
      store,
      publish: (event) => Effect.zipRight(countEvent(event._tag), PubSub.publish(hub, event)),
      events: Stream.fromPubSub(hub)
    }
  })

const eventsKept = 1_024

const counters = new Map<string, Metric.Metric.Counter<number>>()

const countEvent = (tag: SessionEvent.SessionEvent["_tag"]): Effect.Effect<void> => {
  let counter = counters.get(tag)
  if (counter === undefined) {
    counter = Metric.tagged(SessionMetrics.events, "event", tag)
    counters.set(tag, counter)
  }
  return Metric.increment(counter)
}

/**
 * What happens to sessions from now on, as a stream that does not end: run it in a fiber of its own.
 *
 * @since 0.1.0
 * @category events
 */
export const events: Stream.Stream<SessionEvent.SessionEvent, never, SessionMiddleware> = Stream.unwrap(
  Effect.map(SessionMiddleware, (middleware) => middleware.events)
)

/**
 * The middleware with the given options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (
  options: SessionConfig.SessionOptions
): Layer.Layer<SessionMiddleware, SessionConfig.SessionConfigError, SessionStore.SessionStore> =>
  Layer.effect(SessionMiddleware, make(options))

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
export const layerConfig = (
  options: Config.Config.Wrap<SessionConfig.SessionOptions>
): Layer.Layer<
  SessionMiddleware,
  SessionConfig.SessionConfigError | ConfigError.ConfigError,
  SessionStore.SessionStore
> => Layer.effect(SessionMiddleware, Effect.flatMap(Config.unwrap(options), make))

/**
 * Gives each request its `Session`, and commits it when the handler is done, whatever became of it: what a handler had
 * changed before it failed is kept; the changes of an interrupted handler are dropped, except that its `purge` is
 * carried out. Installing it twice does no harm.
 *
 * When the store cannot carry out the commit, the response becomes a 503 with an empty body and sets no cookie.
 *
 * @since 0.1.0
 * @category middleware
 */
export const session = <E, R>(
  app: HttpApp.Default<E, R>
): HttpApp.Default<E, Exclude<R, Session.Session> | SessionMiddleware> =>
  Effect.flatMap(SessionMiddleware, (middleware) => sessionWith(middleware)(app))

/**
 * The middleware with its service given, for where a middleware is made once and may ask for nothing per request.
 *
 * @example
 * ```ts
 * import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
 * import * as Effect from "effect/Effect"
 * import type * as Session from "effect-session/Session"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * const Sessions = HttpLayerRouter.middleware<{ provides: Session.Session }>()(
 *   Effect.gen(function*() {
 *     return SessionMiddleware.sessionWith(yield* SessionMiddleware.SessionMiddleware)
 *   })
 * ).layer
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const sessionWith =
  (middleware: SessionMiddleware) =>
  <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E, Exclude<R, Session.Session>> =>
    Effect.withFiberRuntime((fiber) => {
      const context = fiber.currentContext
      const request = requestOf(context)
      const outer = outerSession(middleware, request, context)
      if (outer !== undefined) {
        return app as HttpApp.Default<E, Exclude<R, Session.Session>>
      }
      const session = new HttpSession(middleware, request)
      return Effect.zipRight(
        commitBeforeResponse(session),
        Effect.provideService(
          Effect.tapErrorCause(app, (cause) => session.handlerFailed(cause)),
          Session.Session,
          session
        )
      )
    })

/**
 * Opens the session of the current request and sees to its commit, for an `HttpApiMiddleware`, which cannot wrap the
 * handler. Where the request has its session already, that is the answer.
 *
 * @since 0.1.0
 * @category middleware
 */
export const open = (
  middleware: SessionMiddleware
): Effect.Effect<Session.Session, never, HttpServerRequest.HttpServerRequest> =>
  Effect.withFiberRuntime((fiber) => {
    const request = requestOf(fiber.currentContext)
    const outer = outerSession(middleware, request, fiber.currentContext)
    if (outer !== undefined) {
      return Effect.succeed(outer)
    }
    const session = new HttpSession(middleware, request)
    return Effect.as(commitBeforeResponse(session), session)
  })

const requestOf = (context: Context.Context<never>): HttpServerRequest.HttpServerRequest =>
  Context.unsafeGet(context, HttpServerRequest.HttpServerRequest)

const outerSession = (
  middleware: SessionMiddleware,
  request: HttpServerRequest.HttpServerRequest,
  context: Context.Context<never>
): HttpSession | undefined => {
  const outer: unknown = context.unsafeMap.get(Session.Session.key)
  return outer instanceof HttpSession && outer.belongsTo(middleware, request) ? outer : undefined
}

// The only way to write a cookie on every outcome and from every position: platform runs it on the final response.
const commitBeforeResponse = (session: HttpSession): Effect.Effect<void> =>
  HttpApp.appendPreResponseHandler((_request, response) => session.commitTo(response))

// Platform answers an interruption with one of these two objects, in every position of a middleware.
const interruptedResponses = [FiberId.none, HttpServerError.clientAbortFiberId].map((fiberId) =>
  Effect.runSync(HttpServerError.causeResponse(Cause.interrupt(fiberId)))[0]
)

/** A request's session with the request and the response around it. */
class HttpSession extends RequestSession {
  private isInterrupted = false

  constructor(
    private readonly middleware: SessionMiddleware,
    private readonly request: HttpServerRequest.HttpServerRequest
  ) {
    super(middleware, request.headers["cookie"])
  }

  // Mounting and proxies' headers make new request objects; `source` is the one below them all.
  belongsTo(middleware: SessionMiddleware, request: HttpServerRequest.HttpServerRequest): boolean {
    return this.middleware === middleware && this.request.source === request.source
  }

  handlerFailed(cause: Cause.Cause<unknown>): Effect.Effect<void> {
    return Effect.sync(() => {
      this.isInterrupted = Cause.isInterruptedOnly(cause)
    })
  }

  /**
   * Settles the session and lets the response carry the result. Never fails, whatever happens: platform would run it
   * again, and leave the socket hanging when that fails too.
   */
  commitTo(response: HttpServerResponse.HttpServerResponse): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    return Effect.suspend(() => this.wasInterrupted(response)).pipe(
      Effect.flatMap((wasInterrupted) => this.settle(wasInterrupted)),
      Effect.flatMap((outcome) => this.apply(outcome, response)),
      Effect.catchAllCause((cause) =>
        Effect.as(Effect.logError("The session could not be put into the response", cause), emptyResponse(500))
      )
    )
  }

  private wasInterrupted(response: HttpServerResponse.HttpServerResponse): Effect.Effect<boolean> {
    if (this.isInterrupted || interruptedResponses.includes(response)) {
      return Effect.succeed(true)
    }
    return response.status === 499 || response.status === 503
      ? Effect.map(FiberRef.get(FiberRef.interruptedCause), (cause) => !Cause.isEmpty(cause))
      : Effect.succeed(false)
  }

  private apply(
    outcome: CommitOutcome,
    response: HttpServerResponse.HttpServerResponse
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    if (outcome._tag === "Fail") {
      return HttpServerRespondable.toResponseOrElse(outcome.error, emptyResponse(500))
    }
    const varied = this.isTouched
      ? HttpServerResponse.setHeader(response, "vary", varyByCookie(response.headers["vary"]))
      : response
    return Effect.succeed(
      outcome._tag === "Keep" ? varied : varied.pipe(
        HttpServerResponse.setHeader("cache-control", cacheControlWithCookie(response.headers["cache-control"])),
        HttpServerResponse.mergeCookies(Cookies.fromSetCookie(outcome.line))
      )
    )
  }
}
