/**
 * Sessions for `HttpLayerRouter`, as Layers: for some routes, for all of them, and with a guard.
 *
 * @example
 * ```ts
 * import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
 *
 * const Counter = Session.entry("counter", Schema.NonNegativeInt)
 *
 * const Routes = HttpLayerRouter.add(
 *   "GET",
 *   "/",
 *   Effect.gen(function*() {
 *     const session = yield* Session.Session
 *     return HttpServerResponse.text(`Visit ${yield* session.updateOr(Counter, 1, (n) => n + 1)}`)
 *   })
 * ).pipe(Layer.provide(SessionHttpLayerRouter.layer))
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Types from "effect/Types"
import type { SessionConfigError } from "./Config.js"
import { respondWith } from "./internal/http/errorResponse.js"
import * as Session from "./Session.js"
import * as SessionAccount from "./SessionAccount.js"
import * as SessionCsrf from "./SessionCsrf.js"
import * as SessionGuard from "./SessionGuard.js"
import * as SessionMiddleware from "./SessionMiddleware.js"
import * as SessionOrigin from "./SessionOrigin.js"

/**
 * A route middleware that provides a session and leaves the errors of its routes alone.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionRouteMiddleware<Self> extends
  HttpLayerRouter.Middleware<{
    provides: Self
    handles: never
    error: never
    requires: never
    layerError: never
    layerRequires: SessionMiddleware.SessionMiddleware<Self>
  }>
{}

/**
 * A route middleware that provides a value of a session, and the session.
 *
 * @since 0.1.0
 * @category models
 */
export interface GuardRouteMiddleware<Id, Self, E> extends
  HttpLayerRouter.Middleware<{
    provides: Id | Self
    handles: never
    error: E
    requires: never
    layerError: never
    layerRequires: SessionMiddleware.SessionMiddleware<Self>
  }>
{}

/**
 * A route middleware that provides a session and refuses requests without a token for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface CsrfRouteMiddleware<Self> extends
  HttpLayerRouter.Middleware<{
    provides: Self
    handles: never
    error: SessionCsrf.CsrfTokenError
    requires: never
    layerError: SessionConfigError
    layerRequires: SessionMiddleware.SessionMiddleware<Self>
  }>
{}

const wrap = <Self>(session: Context.Tag<Self, Session.Session>) =>
  Effect.map(
    SessionMiddleware.forSession(session),
    (middleware) =>
      SessionMiddleware.sessionWith(middleware) as (
        app: HttpApp.Default<HttpLayerRouter.unhandled, Self>
      ) => HttpApp.Default<HttpLayerRouter.unhandled>
  )

/**
 * The route middleware of the given kind of session.
 *
 * @since 0.1.0
 * @category middleware
 */
export const middlewareFor = <Self>(session: Context.Tag<Self, Session.Session>): SessionRouteMiddleware<Self> =>
  HttpLayerRouter.middleware<{ provides: Self }>()(wrap(session))

/**
 * The middleware of the given kind of session for all routes, and for requests that no route answers.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerGlobalFor = <Self>(
  session: Context.Tag<Self, Session.Session>
): Layer.Layer<
  | HttpLayerRouter.Request.From<"Requires", Self>
  | HttpLayerRouter.Request.From<"GlobalRequires", Self>,
  never,
  HttpLayerRouter.HttpRouter | SessionMiddleware.SessionMiddleware<Self>
> => HttpLayerRouter.middleware<{ provides: Self }>()(wrap(session), { global: true })

/**
 * The route middleware, for `combine` with others.
 *
 * @since 0.1.0
 * @category middleware
 */
export const middleware: SessionRouteMiddleware<Session.Session> = middlewareFor(Session.Session)

/**
 * The session for the routes that it is provided to.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<
  HttpLayerRouter.Request.From<"Requires", Session.Session>,
  never,
  SessionMiddleware.SessionMiddleware
> = middleware.layer

/**
 * The session for all routes, and for requests that no route answers.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerGlobal: Layer.Layer<
  | HttpLayerRouter.Request.From<"Requires", Session.Session>
  | HttpLayerRouter.Request.From<"GlobalRequires", Session.Session>,
  never,
  HttpLayerRouter.HttpRouter | SessionMiddleware.SessionMiddleware
> = layerGlobalFor(Session.Session)

/**
 * `SessionOrigin.guard` for all routes, and for requests that no route answers. Fails when it is built where an option is wrong.
 *
 * @since 0.1.0
 * @category layers
 */
export const originGuard = (
  options?: SessionOrigin.Options | undefined
): Layer.Layer<never, SessionConfigError, HttpLayerRouter.HttpRouter> =>
  HttpLayerRouter.middleware(
    Effect.map(SessionOrigin.make(options), (policy) => {
      const checked = SessionOrigin.check(policy)
      // Nobody stands outside of a global middleware who could handle an error.
      return (app: HttpApp.Default<HttpLayerRouter.unhandled>) =>
        Effect.matchEffect(checked, { onFailure: () => respondWith(403), onSuccess: () => app })
    }),
    { global: true }
  )

/**
 * The check of `SessionCsrf`, which brings its session with it: routes that it is provided to have the session, and answer 403 to
 * requests that may change something and have no token that is good for it. Its layer fails where an option is wrong.
 *
 * @example
 * ```ts
 * import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as SessionCsrf from "effect-session/SessionCsrf"
 * import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
 *
 * const Forms = Layer.mergeAll(
 *   HttpLayerRouter.add("GET", "/form", Effect.map(SessionCsrf.token, (token) => HttpServerResponse.text(token))),
 *   HttpLayerRouter.add("POST", "/form", HttpServerResponse.text("Done"))
 * ).pipe(Layer.provide(SessionHttpLayerRouter.csrfGuard().layer))
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const csrfGuard: {
  (options?: SessionCsrf.Options): CsrfRouteMiddleware<Session.Session>
  <Self>(
    options: SessionCsrf.Options<Self> & { readonly session: Context.Tag<Self, Session.Session> }
  ): CsrfRouteMiddleware<Self>
} = <Self>(options: SessionCsrf.Options<Self> = {}): CsrfRouteMiddleware<Self> => {
  const session = options.session ?? (Session.Session as Context.Tag<any, Session.Session>)
  const checked = HttpLayerRouter.middleware()(
    Effect.map(SessionCsrf.make({ ...options, session }), SessionCsrf.guardWith)
  )
  return checked.combine(middlewareFor(session)) as unknown as CsrfRouteMiddleware<Self>
}

/**
 * A guard that brings its session with it: routes that it is provided to have the value and the session, and answer 401
 * without the value, or what `orElse` says, such as a redirect to the login page.
 *
 * @example
 * ```ts
 * import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, string>() {}
 *
 * const RequireUser = SessionHttpLayerRouter.guard({
 *   provides: CurrentUser,
 *   entry: Session.entry("user", Schema.String)
 * })
 *
 * const Account = HttpLayerRouter.add(
 *   "GET",
 *   "/account",
 *   Effect.map(CurrentUser, (name) => HttpServerResponse.text(`Hello, ${name}`))
 * ).pipe(Layer.provide(RequireUser.layer))
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const guard: {
  <Id, A, E2, Self = Session.Session>(
    demand: SessionGuard.Demand<Id, A, Self> & {
      readonly orElse: HttpApp.Default<E2, Types.NoInfer<Self> | HttpLayerRouter.Provided>
    }
  ): GuardRouteMiddleware<Id, Self, E2 | Session.SessionGetError>
  <Id, A, Self = Session.Session>(
    demand: SessionGuard.Demand<Id, A, Self>
  ): GuardRouteMiddleware<Id, Self, SessionGuard.Unauthorized | Session.SessionGetError>
} = (demand: SessionGuard.Demand<any, any, any>): GuardRouteMiddleware<any, any, any> =>
  HttpLayerRouter.middleware<{ provides: unknown }>()(SessionGuard.make(demand)).combine(
    middlewareFor(demand.session ?? (Session.Session as Context.Tag<any, Session.Session>))
  )

/**
 * A guard for routes that need an account, which brings its session with it: routes that it is provided to have the account and the
 * session, and answer 401 without the account, or without one that is as fresh as is demanded.
 *
 * @example
 * ```ts
 * import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as SessionAccount from "effect-session/SessionAccount"
 * import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
 *
 * class Account extends SessionAccount.Tag<Account>()("Account", { id: Schema.NonEmptyString }) {}
 *
 * const Profile = HttpLayerRouter.add(
 *   "GET",
 *   "/profile",
 *   Effect.map(Account, ({ id }) => HttpServerResponse.text(`Hello, ${id}`))
 * ).pipe(Layer.provide(SessionHttpLayerRouter.accountGuard(Account).layer))
 *
 * const Password = HttpLayerRouter.add("POST", "/password", HttpServerResponse.text("Changed")).pipe(
 *   Layer.provide(SessionHttpLayerRouter.accountGuard(Account, { fresh: "5 minutes" }).layer)
 * )
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const accountGuard = <Self, Id, Facts, SessionSelf>(
  account: SessionAccount.AccountTag<Self, Id, Facts, SessionSelf>,
  demand?: SessionAccount.Demand
): GuardRouteMiddleware<Self, SessionSelf, SessionAccount.AccountRequired | Session.SessionGetError> =>
  HttpLayerRouter.middleware<{ provides: Self }>()(SessionAccount.guard(account, demand)).combine(
    middlewareFor(account.session)
  ) as GuardRouteMiddleware<Self, SessionSelf, SessionAccount.AccountRequired | Session.SessionGetError>
