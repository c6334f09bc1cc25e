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
import * as OpenApi from "@effect/platform/OpenApi"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import * as Config from "./Config.js"
import * as Session from "./Session.js"
import * as SessionAccount from "./SessionAccount.js"
import * as SessionCsrf from "./SessionCsrf.js"
import * as SessionGuard from "./SessionGuard.js"
import * as SessionMiddleware from "./SessionMiddleware.js"
import * as SessionOrigin from "./SessionOrigin.js"

const SessionError = Schema.Union(
  Schema.typeSchema(Session.SessionGetError),
  Schema.typeSchema(Session.SessionInsertError)
)

type SessionError = typeof SessionError.Type

/** Errors that travel as a status and nothing else. The server never decodes, the client never encodes. */
const withEmptyBody = (options: {
  readonly status: number
  readonly description: string
  readonly holds: (error: SessionError) => boolean
  readonly inClient: () => SessionError
}) =>
  Schema.transformOrFail(
    Schema.Void.annotations({ description: options.description }),
    SessionError.pipe(Schema.filter(options.holds)),
    {
      // An API may have an error of its own with this status, whose body is its own.
      decode: (body: unknown, _options, ast) =>
        body === undefined
          ? ParseResult.succeed(options.inClient())
          : ParseResult.fail(new ParseResult.Type(ast, body)),
      encode: () => ParseResult.succeed(undefined)
    }
  ).annotations(
    HttpApiSchema.annotations({
      status: options.status,
      description: options.description,
      [HttpApiSchema.AnnotationEmptyDecodeable]: true
    })
  )

const failures = [
  withEmptyBody({
    status: 503,
    description: "The session store is not available",
    holds: (error) => error.reason === "StoreUnavailable",
    inClient: () =>
      new Session.SessionGetError({
        reason: "StoreUnavailable",
        message: "The server answered 503, as it does when its session store is not available"
      })
  }),
  withEmptyBody({
    status: 500,
    description: "The session could not be read or changed",
    holds: (error) => error.reason !== "StoreUnavailable",
    inClient: () =>
      new Session.SessionGetError({
        reason: "DecodeFailed",
        message: "The server answered 500, as it does when a session cannot be read or changed"
      })
  })
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
  /**
   * The name of the security scheme in the API's description; `session` for the default session, else the tag's key, in
   * which `_` takes the place of what OpenAPI allows in no such name.
   */
  readonly scheme?: string | undefined
  /** What the API's description says of the scheme. */
  readonly description?: string | undefined
  /**
   * Where the option `bearer` of the sessions is on: the name of a second security scheme in the API's description, for clients
   * that keep no cookies, such as `sessionBearer`. Left out, the description shows the cookie alone.
   */
  readonly bearerScheme?: string | undefined
}

/**
 * What the platform is told about a middleware that provides a session.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionTagOptions<SessionSelf> {
  readonly provides: Context.Tag<SessionSelf, Session.Session>
  readonly failure: typeof Failure
  readonly security: Record<string, HttpApiSecurity.ApiKey | HttpApiSecurity.Bearer>
}

/**
 * The class that such a middleware extends: its tag, with its Layer.
 *
 * @since 0.1.0
 * @category models
 */
export type TagClass<Self, Name extends string, SessionSelf> =
  & HttpApiMiddleware.TagClass<Self, Name, SessionTagOptions<SessionSelf>>
  & {
    /**
     * The middleware at work. Logs a warning where the API's description names another cookie than the configuration, or a bearer
     * that is not taken.
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
  const scheme = options.scheme ?? (options.session === undefined ? "session" : schemeName(options.session.key))
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
    security: options.bearerScheme === undefined ? { [scheme]: cookie } : {
      [scheme]: cookie,
      [options.bearerScheme]: bearer
    }
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
      if (options.bearerScheme !== undefined && middleware.bearer === undefined) {
        yield* Effect.logWarning(
          `The API's description says that its session may come as a bearer, and none is taken. Turn the option bearer on, or ` +
            `give ${id} no bearerScheme.`
        )
      }
      const open = SessionMiddleware.open(middleware)
      return Object.fromEntries(Object.keys(tagOptions.security).map((scheme) => [scheme, () => open]))
    })
  )
  return Object.assign(tag, { layer })
}

const bearer = HttpApiSecurity.bearer.pipe(
  HttpApiSecurity.annotate(
    OpenApi.Description,
    "The session key of a client that keeps no cookies: Bearer alone at first, then what the server says in a response header."
  )
)

// OpenAPI 3.1, Components Object: keys match ^[a-zA-Z0-9.\-_]+$
const schemeName = (key: string): string => key.replaceAll(/[^\w.-]+/g, "_")

/**
 * The `HttpApiMiddleware` of the default session.
 *
 * @since 0.1.0
 * @category tags
 */
export class Sessions extends Tag<Sessions>()("effect-session/SessionHttpApi/Sessions") {}

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
 * What a guard demands, and of which session.
 *
 * @since 0.1.0
 * @category models
 */
export interface GuardOptions<Id, A, SessionSelf> {
  /** What the handlers behind the guard yield. */
  readonly provides: Context.Tag<Id, A>
  /** The value that the session must have. */
  readonly entry: Session.SessionEntry<A, any>
  /**
   * The class made with `Tag` whose session is asked, and whose cookie the API's description shows at what is guarded;
   * `Sessions` by default.
   */
  readonly sessions?: SessionTag<SessionSelf> | undefined
}

/**
 * What a guard needs to know of a class made with `Tag`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionTag<SessionSelf> extends SessionTagOptions<SessionSelf> {
  readonly layer: Layer.Layer<any, never, SessionMiddleware.SessionMiddleware<SessionSelf>>
}

/**
 * What the platform is told about a middleware that demands a value in the session.
 *
 * @since 0.1.0
 * @category models
 */
export interface GuardTagOptions<Id, A> {
  readonly provides: Context.Tag<Id, A>
  readonly failure: typeof GuardFailure
  readonly security: Record<string, HttpApiSecurity.ApiKey | HttpApiSecurity.Bearer>
}

/**
 * The class that such a guard extends: its tag, with its Layer.
 *
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
 * without one. Put it on an API, a group or an endpoint, before or after the middleware that provides the session, or where
 * there is none: handlers that yield the value alone need no more than the guard.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionHttpApi from "effect-session/SessionHttpApi"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * class AdminSession extends SessionMiddleware.Tag("AdminSession")<AdminSession>() {}
 *
 * class AdminSessions extends SessionHttpApi.Tag<AdminSessions>()("AdminSessions", {
 *   session: AdminSession,
 *   cookieName: "__Host-admin"
 * }) {}
 *
 * class CurrentAdmin extends Context.Tag("CurrentAdmin")<CurrentAdmin, string>() {}
 *
 * class RequireAdmin extends SessionHttpApi.Guard<RequireAdmin>()("RequireAdmin", {
 *   sessions: AdminSessions,
 *   provides: CurrentAdmin,
 *   entry: Session.entry("admin", Schema.NonEmptyString)
 * }) {}
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export const Guard = <Self>() =>
<const Name extends string, Id, A, SessionSelf = Session.Session>(
  id: Name,
  options: GuardOptions<Id, A, SessionSelf>
): GuardClass<Self, Name, Id, A, SessionSelf> => {
  const { entry, provides } = options
  const sessions = options.sessions ?? (Sessions as SessionTag<any>)
  const tagOptions: GuardTagOptions<Id, A> = { provides, failure: GuardFailure, security: sessions.security }
  const tag = HttpApiMiddleware.Tag<Self>()(id, tagOptions)
  const layer = Layer.effect(
    tag as unknown as Context.Tag<Self, unknown>,
    Effect.map(SessionMiddleware.forSession<SessionSelf>(sessions.provides), (middleware) => {
      const value = Effect.flatMap(
        SessionMiddleware.open(middleware),
        (session) => SessionGuard.valueOf(session, entry)
      )
      return Object.fromEntries(Object.keys(sessions.security).map((scheme) => [scheme, () => value]))
    })
  )
  // With the session's own layer, which warns of another cookie name, and is built once however many need it.
  return Object.assign(tag, { layer: Layer.provide(layer, sessions.layer) })
}

/**
 * What a guard of an account answers with: a documented 401 that says whether a password would do, and the errors of its session.
 *
 * @since 0.1.0
 * @category errors
 */
export const AccountFailure: Schema.Schema<
  SessionAccount.AccountRequired | Session.SessionGetError | Session.SessionInsertError,
  { readonly _tag: "AccountRequired"; readonly reason: "NotSignedIn" | "NotFresh" } | void
> = Schema.Union(
  SessionAccount.AccountRequired.annotations(
    HttpApiSchema.annotations({
      status: 401,
      description: "Nobody is signed in (NotSignedIn), or has to say once more who he is (NotFresh)"
    })
  ),
  ...failures
)

/**
 * A refused sign-in as an API's error: a documented 409.
 *
 * @since 0.1.0
 * @category errors
 */
export const AccountLimitFailure: Schema.Schema<
  SessionAccount.AccountLimitError,
  { readonly _tag: "AccountLimitError"; readonly max: number; readonly message: string }
> = SessionAccount.AccountLimitError.annotations(
  HttpApiSchema.annotations({ status: 409, description: "The account has as many sessions as it may have" })
)

/**
 * Which account a guard demands, and how fresh.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountGuardOptions<AccountSelf, Id, Facts, SessionSelf> extends SessionAccount.Demand {
  /** The class made with `SessionAccount.Tag`, which the handlers behind the guard yield. */
  readonly account: SessionAccount.AccountTag<AccountSelf, Id, Facts, SessionSelf>
  /**
   * The class made with `Tag` that provides the session of the account, whose cookie the API's description shows at what is guarded;
   * `Sessions` by default.
   */
  readonly sessions?: SessionTag<SessionSelf> | undefined
}

/**
 * What the platform is told about a middleware that demands an account.
 *
 * @since 0.1.0
 * @category models
 */
export interface AccountGuardTagOptions<AccountSelf, Id, Facts> {
  readonly provides: Context.Tag<AccountSelf, SessionAccount.SignedIn<Id, Facts>>
  readonly failure: typeof AccountFailure
  readonly security: Record<string, HttpApiSecurity.ApiKey | HttpApiSecurity.Bearer>
}

/**
 * The class that such a guard extends: its tag, with its Layer.
 *
 * @since 0.1.0
 * @category models
 */
export type AccountGuardClass<Self, Name extends string, AccountSelf, Id, Facts, SessionSelf> =
  & HttpApiMiddleware.TagClass<Self, Name, AccountGuardTagOptions<AccountSelf, Id, Facts>>
  & {
    /**
     * The guard at work. It finds the session of its request, or opens it, so that it works wherever it stands.
     */
    readonly layer: Layer.Layer<Self, never, SessionMiddleware.SessionMiddleware<SessionSelf>>
  }

/**
 * An `HttpApiMiddleware` that demands an account and provides it: no handler behind it is reached without one. Put it on an API, a
 * group or an endpoint, as `Guard`.
 *
 * @example
 * ```ts
 * import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
 * import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
 * import * as Schema from "effect/Schema"
 * import * as SessionAccount from "effect-session/SessionAccount"
 * import * as SessionHttpApi from "effect-session/SessionHttpApi"
 *
 * class Account extends SessionAccount.Tag<Account>()("Account", { id: Schema.NonEmptyString }) {}
 *
 * class RequireAccount extends SessionHttpApi.AccountGuard<RequireAccount>()("RequireAccount", { account: Account }) {}
 * class RequireFresh extends SessionHttpApi.AccountGuard<RequireFresh>()("RequireFresh", {
 *   account: Account,
 *   fresh: "5 minutes"
 * }) {}
 *
 * class Profile extends HttpApiGroup.make("profile")
 *   .add(HttpApiEndpoint.get("show", "/profile").addSuccess(Schema.String).middleware(RequireAccount))
 *   .add(HttpApiEndpoint.post("changePassword", "/password").middleware(RequireFresh))
 * {}
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export const AccountGuard = <Self>() =>
<const Name extends string, AccountSelf, Id, Facts, SessionSelf>(
  id: Name,
  options: AccountGuardOptions<AccountSelf, Id, Facts, SessionSelf>
): AccountGuardClass<Self, Name, AccountSelf, Id, Facts, SessionSelf> => {
  const { account, fresh } = options
  const sessions: SessionTag<SessionSelf> = options.sessions ?? (Sessions as SessionTag<any>)
  const tagOptions: AccountGuardTagOptions<AccountSelf, Id, Facts> = {
    provides: account,
    failure: AccountFailure,
    security: sessions.security
  }
  const tag = HttpApiMiddleware.Tag<Self>()(id, tagOptions)
  const demanded = account.demand({ fresh })
  const layer = Layer.effect(
    tag as unknown as Context.Tag<Self, unknown>,
    Effect.map(SessionMiddleware.forSession<SessionSelf>(account.session), (middleware) => {
      const value = Effect.flatMap(
        SessionMiddleware.open(middleware),
        (session) => Effect.provideService(demanded, account.session, session)
      )
      return Object.fromEntries(Object.keys(sessions.security).map((scheme) => [scheme, () => value]))
    })
  )
  return Object.assign(tag, { layer: Layer.provide(layer, sessions.layer) })
}

/**
 * What a cross-site request is answered with: a documented 403.
 *
 * @since 0.1.0
 * @category errors
 */
export const OriginFailure: Schema.Schema<SessionOrigin.CrossSiteRequest, { readonly _tag: "CrossSiteRequest" }> =
  SessionOrigin.CrossSiteRequest.annotations(
    HttpApiSchema.annotations({ status: 403, description: "Another site made the browser send the request" })
  )

/**
 * The cross-site guard of `SessionOrigin` as an `HttpApiMiddleware`, with its 403 in the API's description. Put it on the API.
 *
 * @example
 * ```ts
 * import * as HttpApi from "@effect/platform/HttpApi"
 * import * as SessionHttpApi from "effect-session/SessionHttpApi"
 *
 * class Api extends HttpApi.make("api").middleware(SessionHttpApi.Sessions).middleware(SessionHttpApi.OriginGuard) {}
 *
 * const Guarded = SessionHttpApi.OriginGuard.layer({ trustedOrigins: ["https://admin.example.com"] })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class OriginGuard extends HttpApiMiddleware.Tag<OriginGuard>()("effect-session/SessionHttpApi/OriginGuard", {
  failure: OriginFailure
}) {
  /**
   * The guard at work. Fails when it is built where an option is wrong.
   *
   * @since 0.1.0
   */
  static readonly layer = (
    options?: SessionOrigin.Options | undefined
  ): Layer.Layer<OriginGuard, Config.SessionConfigError> =>
    Layer.effect(OriginGuard, Effect.map(SessionOrigin.make(options), SessionOrigin.check))
}

/**
 * A missing or wrong token of `SessionCsrf` as an `HttpApi` error with status 403.
 *
 * @since 0.1.0
 * @category errors
 */
export const CsrfFailure: Schema.Schema<
  SessionCsrf.CsrfTokenError,
  { readonly _tag: "CsrfTokenError"; readonly reason: "Missing" | "Invalid" }
> = SessionCsrf.CsrfTokenError.annotations(
  HttpApiSchema.annotations({ status: 403, description: "The request has no token that is good for its session" })
)

/**
 * The check of `SessionCsrf` for the default session as an `HttpApiMiddleware`, with its 403 in the API's description. Put it
 * on the API, or on the groups and endpoints whose clients get tokens.
 *
 * @example
 * ```ts
 * import * as HttpApi from "@effect/platform/HttpApi"
 * import * as SessionHttpApi from "effect-session/SessionHttpApi"
 *
 * class Api extends HttpApi.make("api").middleware(SessionHttpApi.Sessions).middleware(SessionHttpApi.CsrfGuard) {}
 *
 * const Guarded = SessionHttpApi.CsrfGuard.layer({ headerName: "x-xsrf-token" })
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export class CsrfGuard extends HttpApiMiddleware.Tag<CsrfGuard>()("effect-session/SessionHttpApi/CsrfGuard", {
  failure: CsrfFailure
}) {
  /**
   * The guard at work. Fails when it is built where an option is wrong.
   *
   * @since 0.1.0
   */
  static readonly layer = (
    options?: Omit<SessionCsrf.Options, "session"> | undefined
  ): Layer.Layer<CsrfGuard, Config.SessionConfigError, SessionMiddleware.SessionMiddleware> =>
    Layer.effect(
      CsrfGuard,
      Effect.zipWith(
        SessionMiddleware.SessionMiddleware,
        SessionCsrf.make(options),
        (middleware, policy) =>
          Effect.flatMap(SessionMiddleware.open(middleware), (session) => SessionCsrf.checkOf(session, policy))
      )
    )
}
