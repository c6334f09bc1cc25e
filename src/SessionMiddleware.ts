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
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as SessionConfig from "./Config.js"
import * as CookieCrypto from "./CookieCrypto.js"
import * as commitDecision from "./internal/commitDecision.js"
import { readCookieValues, tooManyCandidates } from "./internal/cookieHeader.js"
import { cookieSize, maxCookieBytes } from "./internal/cookieRules.js"
import { emptyResponse } from "./internal/errorResponse.js"
import { cacheControlWithCookie, varyByCookie } from "./internal/responseHeaders.js"
import { serializeRemovalCookie, serializeSetCookie } from "./internal/setCookie.js"
import * as Session from "./Session.js"
import * as SessionEvent from "./SessionEvent.js"
import * as SessionKey from "./SessionKey.js"
import * as SessionMetrics from "./SessionMetrics.js"
import * as SessionRecord from "./SessionRecord.js"
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
      const session = new RequestSession(middleware, request)
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
    const session = new RequestSession(middleware, request)
    return Effect.as(commitBeforeResponse(session), session)
  })

const requestOf = (context: Context.Context<never>): HttpServerRequest.HttpServerRequest =>
  Context.unsafeGet(context, HttpServerRequest.HttpServerRequest)

const outerSession = (
  middleware: SessionMiddleware,
  request: HttpServerRequest.HttpServerRequest,
  context: Context.Context<never>
): RequestSession | undefined => {
  const outer = context.unsafeMap.get(Session.Session.key)
  return outer instanceof RequestSession && outer.belongsTo(middleware, request) ? outer : undefined
}

// The only way to write a cookie on every outcome and from every position: platform runs it on the final response.
const commitBeforeResponse = (session: RequestSession): Effect.Effect<void> =>
  HttpApp.appendPreResponseHandler((_request, response) => session.commit(response))

/** A key that came in the session cookie, sealed by us. */
interface PresentedKey {
  readonly key: SessionKey.SessionKey
  readonly sealedByNewest: boolean
}

/** What the request presented. There is no record where the store was not asked. */
type Presented =
  | { readonly _tag: Exclude<commitDecision.Presented, "Valid"> }
  | PresentedSession

interface PresentedSession extends PresentedKey {
  readonly _tag: "Valid"
  readonly record: SessionRecord.SessionRecord | undefined
}

const none: Presented = { _tag: "None" }
const refused: Presented = { _tag: "Refused" }
const superseded: Presented = { _tag: "Superseded" }

/** What the commit came to. It is computed once and may be applied twice: platform retries a response that broke. */
type Outcome =
  | { readonly _tag: "Keep" }
  | { readonly _tag: "SetCookie"; readonly line: string }
  | { readonly _tag: "Fail"; readonly response: HttpServerResponse.HttpServerResponse }

const keep: Outcome = { _tag: "Keep" }

// Platform answers an interruption with one of these two objects, in every position of a middleware.
const interruptedResponses = [FiberId.none, HttpServerError.clientAbortFiberId].map((fiberId) =>
  Effect.runSync(HttpServerError.causeResponse(Cause.interrupt(fiberId)))[0]
)

class RequestSession extends Session.SessionBase {
  private presented: Presented | undefined = undefined
  private committed: Outcome | undefined = undefined
  private isInterrupted = false

  constructor(
    private readonly middleware: SessionMiddleware,
    private readonly request: HttpServerRequest.HttpServerRequest
  ) {
    super()
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

  protected load(): Effect.Effect<SessionRecord.SessionRecord | undefined, Session.SessionGetError> {
    return Effect.mapBoth(this.present(this.openCookie()), {
      onSuccess: (presented) => presented._tag === "Valid" ? presented.record : undefined,
      onFailure: (cause) =>
        new Session.SessionGetError({
          reason: "StoreUnavailable",
          message: `The session store could not say whether there is a session: ${cause.message}`,
          cause
        })
    })
  }

  /** Settles the session and lets the response carry the result. Never fails, and does its work once. */
  commit(response: HttpServerResponse.HttpServerResponse): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    if (this.committed !== undefined) {
      return Effect.succeed(this.apply(this.committed, response))
    }
    this.log.isCommitted = true
    return Effect.flatMap(this.wasInterrupted(response), (wasInterrupted) => {
      if (wasInterrupted) {
        this.log.dropWrites()
      }
      const settled = this.isIdle
        ? Effect.succeed(keep)
        : Effect.catchAllCause(this.settle(), (cause) => this.commitFailed(cause))
      return Effect.map(settled, (outcome) => this.apply(this.committed = outcome, response))
    })
  }

  private wasInterrupted(response: HttpServerResponse.HttpServerResponse): Effect.Effect<boolean> {
    if (this.isInterrupted || interruptedResponses.includes(response)) {
      return Effect.succeed(true)
    }
    return response.status === 499 || response.status === 503
      ? Effect.map(FiberRef.get(FiberRef.interruptedCause), (cause) => !Cause.isEmpty(cause))
      : Effect.succeed(false)
  }

  private get refreshesAlways(): boolean {
    return this.middleware.config.lifecycle.ttlExtension === "OnEveryRequest"
  }

  // Where the store could not be read and the handler went on without, it is not asked again for a mere refresh.
  private get isIdle(): boolean {
    return commitDecision.isIdle({
      status: this.log.status,
      hasWrites: this.log.hasWrites,
      refreshesAlways: this.refreshesAlways && this.outcome?._tag !== "Failure"
    })
  }

  private settle(): Effect.Effect<Outcome, CommitError> {
    return Effect.flatMap(this.presentedForCommit(), (presented) => {
      const plan = commitDecision.decideCommit({
        presented: presented._tag,
        status: this.log.status,
        hasWrites: this.log.hasWrites,
        hasValues: this.log.state().size > 0,
        refreshesAlways: this.refreshesAlways
      })
      return presented._tag === "Valid" ? this.carryOut(plan, presented) : this.carryOutAnonymous(plan)
    })
  }

  // Every verb but `updateTtl` acts for a request that has seen its session alive, so the others load it first.
  private presentedForCommit(): Effect.Effect<Presented, SessionStore.LoadError> {
    if (this.presented !== undefined) {
      return Effect.succeed(this.presented)
    }
    const cookie = this.openCookie()
    return this.log.status === "Unchanged" && cookie.keys.length === 1
      ? Effect.succeed({ _tag: "Valid", record: undefined, ...cookie.keys[0]! })
      : this.present(cookie)
  }

  private carryOutAnonymous(plan: commitDecision.CommitPlan): Effect.Effect<Outcome, CommitError> {
    switch (plan) {
      case "Save":
        return this.save()
      case "RemoveCookie":
        return Effect.succeed(this.removeCookie())
      default:
        return Effect.succeed(keep)
    }
  }

  private carryOut(plan: commitDecision.CommitPlan, presented: PresentedSession): Effect.Effect<Outcome, CommitError> {
    const { config: { lifecycle }, publish, store } = this.middleware
    switch (plan) {
      case "UpdateTtl":
        return Effect.flatMap(
          store.updateTtl(presented.key, lifecycle.ttlMillis),
          (result) => result._tag === "Saved" ? this.refreshCookie(result, presented) : this.gone(presented)
        )
      case "Update":
        return Effect.flatMap(
          this.merge(presented, (change) => store.update(presented.key, change, lifecycle.ttlMillis)),
          (result) => result._tag === "Saved" ? this.refreshCookie(result, presented) : this.gone(presented)
        )
      case "Renew":
        return Effect.flatMap(
          this.merge(presented, (change) => store.renew(presented.key, change, lifecycle.ttlMillis)),
          (result) =>
            result._tag === "Saved"
              ? Effect.zipRight(publish(SessionEvent.Renewed({ id: presented.key.id })), this.setCookie(result))
              : Effect.zipRight(this.gone(presented), this.startAnew())
        )
      case "Delete":
        return Effect.as(this.delete(presented), this.removeCookie())
      case "DeleteThenSave":
        return Effect.zipRight(this.delete(presented), this.save())
      default:
        return Effect.succeed(keep)
    }
  }

  /** Writes until no parallel request is faster, computing anew what depended on the values it changed. */
  private merge(
    presented: PresentedKey,
    write: (change: SessionRecord.SessionChange) => Effect.Effect<SessionStore.WriteResult, SessionStore.UpdateError>
  ): Effect.Effect<Exclude<SessionStore.WriteResult, { readonly _tag: "Conflict" }>, CommitError> {
    return Effect.flatMap(Clock.currentTimeMillis, (start) => {
      const { storeTimeoutMillis } = this.middleware.config
      const attempt: ReturnType<RequestSession["merge"]> = Effect.suspend(() =>
        Effect.flatMap(write(this.log.change()), (result) => {
          if (result._tag !== "Conflict") {
            return Effect.succeed(result)
          }
          return Effect.flatMap(Clock.currentTimeMillis, (now) =>
            now - start < storeTimeoutMillis
              ? Effect.zipRight(
                this.middleware.publish(SessionEvent.Conflict({ id: presented.key.id })),
                Effect.zipRight(this.rebase(result.record.state), attempt)
              )
              : Effect.fail(
                new SessionStore.UpdateError({
                  reason: "Unavailable",
                  message: `Parallel requests kept changing the same session value for ${storeTimeoutMillis} ms. ` +
                    "Raise storeTimeout, or keep such a value outside the session."
                })
              ))
        })
      )
      return attempt
    })
  }

  private rebase(
    state: SessionRecord.SessionState
  ): Effect.Effect<void, Session.SessionGetError | Session.SessionInsertError> {
    return Effect.map(
      Effect.forEach(
        this.log.outdated(state),
        ({ derive, key }) => Effect.map(derive(state.get(key)), (value) => [key, value] as const)
      ),
      (values) => this.log.rebase(state, new Map(values))
    )
  }

  // The session is gone, but its user asked for a new secret: what this request wrote, and nothing that it had loaded,
  // begins a new one.
  private startAnew(): Effect.Effect<Outcome, CommitError> {
    return Effect.flatMap(
      this.rebase(new Map()),
      () => this.log.state().size > 0 ? this.save() : Effect.succeed(keep)
    )
  }

  private save(): Effect.Effect<Outcome, CommitError> {
    const { config: { lifecycle }, publish, store } = this.middleware
    return Effect.flatMap(
      store.save(this.log.state(), { ttl: lifecycle.ttlMillis, maxLifetime: lifecycle.maxLifetimeMillis }),
      (saved) => Effect.zipRight(publish(SessionEvent.Created({ id: saved.key.id })), this.setCookie(saved))
    )
  }

  private delete({ key }: PresentedKey): Effect.Effect<void, CommitError> {
    const { publish, store } = this.middleware
    return Effect.zipRight(store.delete(key), publish(SessionEvent.Purged({ id: key.id })))
  }

  private gone({ key }: PresentedKey): Effect.Effect<Outcome> {
    return Effect.as(this.middleware.publish(SessionEvent.Gone({ id: key.id })), keep)
  }

  private commitFailed(cause: Cause.Cause<CommitError>): Effect.Effect<Outcome> {
    const error = Option.getOrUndefined(Cause.failureOption(cause))
    const isUnavailable = error !== undefined && (error.reason === "Unavailable" || error.reason === "StoreUnavailable")
    return Effect.logError("The session could not be committed", cause).pipe(
      Effect.zipRight(
        isUnavailable
          ? this.middleware.publish(SessionEvent.StoreUnavailable({ during: "commit" }))
          : Effect.void
      ),
      Effect.zipRight(HttpServerRespondable.toResponseOrElse(error, emptyResponse(500))),
      Effect.map((response): Outcome => ({ _tag: "Fail", response }))
    )
  }

  /** Sends a cookie only where the browser learns something from it, and never an old key over a newer one. */
  private refreshCookie(saved: SessionStore.Saved, presented: PresentedKey): Effect.Effect<Outcome, CommitError> {
    const isNews = !presented.sealedByNewest ||
      this.middleware.config.lifecycle._tag === "PersistentSession" ||
      SessionKey.toText(saved.key) !== SessionKey.toText(presented.key)
    return saved.isCurrent && isNews ? this.setCookie(saved) : Effect.succeed(keep)
  }

  private setCookie(saved: SessionStore.Saved): Effect.Effect<Outcome, CommitError> {
    const { config, crypto } = this.middleware
    const value = crypto.seal(SessionKey.toText(saved.key))
    const size = cookieSize(config.cookie.name, value)
    if (size > maxCookieBytes) {
      return Effect.fail(
        new SessionStore.SaveError({
          reason: "TooLarge",
          message:
            `The session cookie would have ${size} bytes, and browsers drop cookies of more than ${maxCookieBytes}. ` +
            "Keep less in the session, or use a store that keeps the state on the server."
        })
      )
    }
    return Effect.map(Clock.currentTimeMillis, (now) => {
      const maxAge = config.lifecycle._tag === "PersistentSession"
        ? Math.max(1, Math.ceil((saved.expiresAt - now) / 1000))
        : undefined
      return {
        _tag: "SetCookie",
        line: serializeSetCookie(config.cookie.name, value, config.cookie.attributes, maxAge)
      }
    })
  }

  private removeCookie(): Outcome {
    const { attributes, name } = this.middleware.config.cookie
    return { _tag: "SetCookie", line: serializeRemovalCookie(name, attributes) }
  }

  private apply(
    outcome: Outcome,
    response: HttpServerResponse.HttpServerResponse
  ): HttpServerResponse.HttpServerResponse {
    if (outcome._tag === "Fail") {
      return outcome.response
    }
    const varied = this.log.isTouched
      ? HttpServerResponse.setHeader(response, "vary", varyByCookie(response.headers["vary"]))
      : response
    if (outcome._tag === "Keep") {
      return varied
    }
    return varied.pipe(
      HttpServerResponse.setHeader("cache-control", cacheControlWithCookie(response.headers["cache-control"])),
      HttpServerResponse.mergeCookies(Cookies.fromSetCookie(outcome.line))
    )
  }

  /** Asks the store about what the cookie holds. */
  private present(cookie: OpenedCookie): Effect.Effect<Presented, SessionStore.LoadError> {
    const { keys, refusals } = cookie
    const presented = keys.length === 0
      ? Effect.succeed(refusals.length === 0 ? none : refused)
      : keys.length === 1
      ? this.ask(keys[0]!)
      : Effect.flatMap(Effect.forEach(keys, (key) => this.ask(key)), (all) => this.theOnlyLiveOne(all))
    return Effect.zipRight(
      Effect.forEach(refusals, (reason) => this.refuse(reason), { discard: true }),
      Effect.map(presented, (presented) => this.presented = presented)
    )
  }

  private ask(presented: PresentedKey): Effect.Effect<Presented, SessionStore.LoadError> {
    const { publish, store } = this.middleware
    const { id } = presented.key
    return Effect.matchEffect(store.load(presented.key), {
      onSuccess: (result): Effect.Effect<Presented> => {
        switch (result._tag) {
          case "Live":
            return Effect.succeed({ _tag: "Valid", record: result.record, ...presented })
          case "Superseded":
            return Effect.as(publish(SessionEvent.KeySuperseded({ id })), superseded)
          case "Absent":
            return Effect.as(publish(SessionEvent.KeyExpired({ id })), refused)
        }
      },
      // What is not a record opens no session today or ever, so the browser starts anew instead of failing for good.
      onFailure: (error) =>
        error.reason === "Malformed"
          ? Effect.logWarning("A session record is malformed and is ignored", error).pipe(
            Effect.zipRight(this.refuse("MalformedRecord", id)),
            Effect.as(refused)
          )
          : Effect.zipRight(publish(SessionEvent.StoreUnavailable({ during: "load" })), Effect.fail(error))
    })
  }

  // A parent domain's cookie of the same name can stand beside ours, in either order. A choice between two live sessions
  // would be an attacker's choice, so there is none.
  private theOnlyLiveOne(all: ReadonlyArray<Presented>): Effect.Effect<Presented> {
    const live = all.filter((presented) => presented._tag === "Valid")
    if (live.length === 1) {
      return Effect.succeed(live[0]!)
    }
    return live.length === 0
      ? Effect.succeed(all.includes(superseded) ? superseded : refused)
      : Effect.as(this.refuse("Ambiguous"), refused)
  }

  private refuse(reason: SessionEvent.RefusalReason, id?: SessionKey.SessionId): Effect.Effect<void> {
    return this.middleware.publish(SessionEvent.KeyRefused({ reason, id }))
  }

  /** The distinct keys in the cookies of this name that we sealed ourselves. */
  private openCookie(): OpenedCookie {
    const header = this.request.headers["cookie"]
    if (header === undefined) {
      return noCookie
    }
    const { config, crypto, store } = this.middleware
    const values = readCookieValues(header, config.cookie.name)
    if (values.length === 0) {
      return values === tooManyCandidates ? { keys: [], refusals: ["TooManyCookies"] } : noCookie
    }
    const keys = new Map<string, PresentedKey>()
    const refusals: Array<SessionEvent.RefusalReason> = []
    for (const value of values) {
      const opened = crypto.open(value)
      const key = Option.flatMap(opened, ({ plaintext }) => store.readKey(plaintext))
      if (Option.isNone(opened)) {
        refusals.push("BrokenSeal")
      } else if (Option.isNone(key)) {
        refusals.push("MalformedKey")
      } else {
        keys.set(opened.value.plaintext, { key: key.value, sealedByNewest: opened.value.sealedByNewest })
      }
    }
    return { keys: Array.from(keys.values()), refusals }
  }
}

/** Why a commit could not be carried out. */
type CommitError = SessionStore.SessionStoreError | Session.SessionGetError | Session.SessionInsertError

/** What is in the cookies of the configured name, before the store is asked. */
interface OpenedCookie {
  readonly keys: ReadonlyArray<PresentedKey>
  readonly refusals: ReadonlyArray<SessionEvent.RefusalReason>
}

const noCookie: OpenedCookie = { keys: [], refusals: [] }
