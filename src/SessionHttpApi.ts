/**
 * Sessions for `HttpApi`: a middleware that provides the session and shows its cookie in OpenAPI, and a guard that demands a
 * value and answers a documented 401 without it.
 *
 * @example
 * ```ts
 * import * as HttpApi from "@effect/platform/HttpApi"
 * import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
 * import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
 * import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionHttpApi from "effect-session/SessionHttpApi"
 *
 * class User extends Schema.Class<User>("User")({ name: Schema.NonEmptyString }) {}
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, User>() {}
 * const UserEntry = Session.entry("user", User)
 *
 * class RequireUser extends SessionHttpApi.Guard<RequireUser>()("RequireUser", {
 *   provides: CurrentUser,
 *   entry: UserEntry
 * }) {}
 *
 * class Account extends HttpApiGroup.make("account")
 *   .add(HttpApiEndpoint.post("login", "/login").setPayload(User))
 *   .add(HttpApiEndpoint.get("me", "/me").addSuccess(User).middleware(RequireUser))
 * {}
 *
 * class Api extends HttpApi.make("api").add(Account).middleware(SessionHttpApi.Sessions) {}
 *
 * const AccountLive = HttpApiBuilder.group(Api, "account", (handlers) =>
 *   handlers
 *     .handle("login", ({ payload }) =>
 *       Effect.gen(function*() {
 *         const session = yield* Session.Session
 *         yield* session.insert(UserEntry, payload)
 *         yield* session.renew
 *       }))
 *     .handle("me", () => CurrentUser))
 *
 * const ApiLive = HttpApiBuilder.api(Api).pipe(
 *   Layer.provide(AccountLive),
 *   Layer.provide([SessionHttpApi.Sessions.layer, RequireUser.layer])
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as HttpApiSchema from "@effect/platform/HttpApiSchema"
import * as HttpApiSecurity from "@effect/platform/HttpApiSecurity"
import type * as HttpRouter from "@effect/platform/HttpRouter"
import * as OpenApi from "@effect/platform/OpenApi"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Config from "./Config.js"
import * as Session from "./Session.js"
import * as SessionGuard from "./SessionGuard.js"
import * as SessionMiddleware from "./SessionMiddleware.js"

const SessionError = Schema.Union(
  Schema.typeSchema(Session.SessionGetError),
  Schema.typeSchema(Session.SessionInsertError)
)

const failures = [
  HttpApiSchema.asEmpty(
    SessionError.pipe(
      Schema.filter((error) => error.reason === "StoreUnavailable"),
      Schema.annotations({ description: "The session store is not available" })
    ),
    {
      status: 503,
      decode: () =>
        new Session.SessionGetError({
          reason: "StoreUnavailable",
          message: "The server's session store is not available"
        })
    }
  ),
  HttpApiSchema.asEmpty(
    SessionError.pipe(
      Schema.filter((error) => error.reason !== "StoreUnavailable"),
      Schema.annotations({ description: "The session could not be read or changed" })
    ),
    {
      status: 500,
      decode: () =>
        new Session.SessionGetError({
          reason: "DecodeFailed",
          message: "The server could not read or change the session"
        })
    }
  )
] as const

/**
 * The errors of a session as an API's errors, so that handlers need not handle them: 503 with an empty body when the store
 * is away, 500 with an empty body for the others. What a client decodes says no more than that.
 *
 * @since 0.1.0
 * @category errors
 */
export const Failure: Schema.Schema<Session.SessionGetError | Session.SessionInsertError, void> = Schema.Union(
  ...failures
)

/**
 * What an API says of its session.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionApiOptions<Self> {
  /** The session that is provided, where it is not the default one. */
  readonly session?: Context.Tag<Self, Session.Session> | undefined
  /** The name of the session cookie in the API's description; `__Host-id` by default. */
  readonly cookieName?: string | undefined
  /** The name of the security scheme in the API's description; `session` for the default session, else the tag's key. */
  readonly scheme?: string | undefined
  /** What the API's description says of the scheme. */
  readonly description?: string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface SessionTagOptions<SessionSelf> {
  readonly provides: Context.Tag<SessionSelf, Session.Session>
  readonly failure: typeof Failure
  readonly security: Record<string, HttpApiSecurity.ApiKey>
}

/**
 * @since 0.1.0
 * @category models
 */
export type TagClass<Self, Name extends string, SessionSelf> =
  & HttpApiMiddleware.TagClass<Self, Name, SessionTagOptions<SessionSelf>>
  & {
    /**
     * The middleware at work. Logs a warning where the API's description names another cookie than the configuration.
     */
    readonly layer: Layer.Layer<Self, never, SessionMiddleware.SessionMiddleware<SessionSelf>>
  }

/**
 * An `HttpApiMiddleware` that provides a session: for a session of one's own, or another cookie name in the API's
 * description. Put it on the API, on a group or on an endpoint.
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <Self>() =>
<const Name extends string, SessionSelf = Session.Session>(
  id: Name,
  options: SessionApiOptions<SessionSelf> = {}
): TagClass<Self, Name, SessionSelf> => {
  const session = options.session ?? (Session.Session as Context.Tag<any, Session.Session>)
  const scheme = options.scheme ?? (options.session === undefined ? "session" : options.session.key)
  const cookieName = options.cookieName ?? Config.defaults.cookie.name
  const cookie = HttpApiSecurity.apiKey({ in: "cookie", key: cookieName }).pipe(
    HttpApiSecurity.annotate(
      OpenApi.Description,
      options.description ?? "The session cookie. The server sets it, and no client makes one."
    )
  )
  const tagOptions: SessionTagOptions<SessionSelf> = {
    provides: session,
    failure: Failure,
    security: { [scheme]: cookie }
  }
  const tag = HttpApiMiddleware.Tag<Self>()(id, tagOptions)
  const layer = Layer.effect(
    tag as unknown as Context.Tag<Self, unknown>,
    Effect.gen(function*() {
      const middleware = yield* SessionMiddleware.forSession<SessionSelf>(session)
      const { name } = middleware.config.cookie
      if (name !== cookieName) {
        yield* Effect.logWarning(
          `The API's description names the session cookie ${cookieName}, but its name is ${name}. ` +
            `Give ${id} the cookieName ${JSON.stringify(name)}, or change cookie.name.`
        )
      }
      const open = SessionMiddleware.open(middleware)
      return { [scheme]: () => open }
    })
  )
  return Object.assign(tag, { layer })
}

/**
 * The `HttpApiMiddleware` of the default session.
 *
 * @since 0.1.0
 * @category tags
 */
export class Sessions extends Tag<Sessions>()("effect-session/SessionHttpApi/Sessions") {}

/**
 * @since 0.1.0
 * @category models
 */
export interface GuardTagOptions<Id, A> {
  readonly provides: Context.Tag<Id, A>
  readonly failure: typeof GuardFailure
}

/**
 * What a guard answers with: a documented 401, and the errors of its session.
 *
 * @since 0.1.0
 * @category errors
 */
export const GuardFailure: Schema.Schema<
  SessionGuard.Unauthorized | Session.SessionGetError | Session.SessionInsertError,
  { readonly _tag: "Unauthorized" } | void
> = Schema.Union(
  SessionGuard.Unauthorized.annotations(
    HttpApiSchema.annotations({ status: 401, description: "The session has no such value: sign in first" })
  ),
  ...failures
)

/**
 * @since 0.1.0
 * @category models
 */
export type GuardClass<Self, Name extends string, Id, A, SessionSelf> =
  & HttpApiMiddleware.TagClass<Self, Name, GuardTagOptions<Id, A>>
  & {
    /**
     * The guard at work. It finds the session of its request, or opens it, so that it works wherever it stands.
     */
    readonly layer: Layer.Layer<Self, never, SessionMiddleware.SessionMiddleware<SessionSelf>>
  }

/**
 * An `HttpApiMiddleware` that demands a value in the session and provides it, decoded: no handler behind it is reached
 * without one. Put it on an API, a group or an endpoint.
 *
 * @since 0.1.0
 * @category tags
 */
export const Guard = <Self>() =>
<const Name extends string, Id, A, SessionSelf = Session.Session>(
  id: Name,
  { entry, provides, session = Session.Session as Context.Tag<any, Session.Session> }: SessionGuard.Demand<
    Id,
    A,
    SessionSelf
  >
): GuardClass<Self, Name, Id, A, SessionSelf> => {
  const tagOptions: GuardTagOptions<Id, A> = { provides, failure: GuardFailure }
  const tag = HttpApiMiddleware.Tag<Self>()(id, tagOptions)
  const layer = Layer.effect(
    tag as unknown as Context.Tag<Self, Effect.Effect<A, unknown, HttpRouter.HttpRouter.Provided>>,
    Effect.map(
      SessionMiddleware.forSession<SessionSelf>(session),
      (middleware) =>
        Effect.flatMap(SessionMiddleware.open(middleware), (session) => SessionGuard.valueOf(session, entry))
    )
  )
  return Object.assign(tag, { layer })
}
