/**
 * Tokens against cross-site request forgery: a page of the app gets one with each answer, and a request that may change
 * something has to bring it along, in a header or in a field of its form. A page of another site cannot read one.
 *
 * `SessionOrigin` refuses the same requests by what the browser says of them, and needs nothing in the page; that is enough for
 * the browsers of today. Tokens are for those who must serve browsers that send neither `Sec-Fetch-Site` nor `Origin`, or who
 * are asked for both.
 *
 * A token belongs to the session and to its key: it is void after a `renew` and a `purge`. Visitors without a session have tokens,
 * too. To check one asks no store, nor does it take one to hand one out, but for the first of a browser that has a session: what it is compared with is in a cookie beside the session cookie, named after it with
 * `-csrf` behind, sealed with the same keys, and bound to the session keys that it was handed out for.
 *
 * A request whose session is that of a bearer (`bearer` in the configuration) needs no token: it has nothing of a cookie, and no
 * browser sends an `Authorization: Bearer` by itself.
 *
 * Two pages that get the first tokens of one browser at the same moment get two secrets, and the browser keeps one: the form of the
 * other is refused once.
 *
 * What it rests on for a visitor without a session is that nobody else can set that cookie, which is what the prefix `__Host-` of
 * the default name is for. With `CookieSessionStore`, of which no copy can be made void, a token is bound to the session's
 * id, and a renewal takes it away from the browser alone.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as SessionCsrf from "effect-session/SessionCsrf"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * const form = Effect.map(
 *   SessionCsrf.token,
 *   (token) =>
 *     HttpServerResponse.html(
 *       `<form method="post" action="/transfer"><input type="hidden" name="csrf" value="${token}"><button>Go</button></form>`
 *     )
 * )
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.get("/", form),
 *   HttpRouter.post("/transfer", HttpServerResponse.text("Done")),
 *   SessionCsrf.guard,
 *   SessionMiddleware.session
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as UrlParams from "@effect/platform/UrlParams"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { SessionConfigError } from "./Config.js"
import { respondable, respondWith } from "./internal/http/errorResponse.js"
import { isSafeMethod } from "./internal/http/safeMethods.js"
import { HttpSession } from "./internal/request/httpSession.js"
import * as Session from "./Session.js"

/**
 * A request without a token that is good for its session. `Missing`: it brought none; `Invalid`: not one that was handed out
 * for this session, or one from before a renewal or a logout. Unhandled, it becomes a 403 with an empty body.
 *
 * @since 0.1.0
 * @category errors
 */
export class CsrfTokenError extends Schema.TaggedError<CsrfTokenError>("effect-session/CsrfTokenError")(
  "CsrfTokenError",
  { reason: Schema.Literal("Missing", "Invalid") }
) {
  /**
   * 403 with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(403)
  }
}

/**
 * Where the token stands in a request, and of which session it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<Self = Session.Session> {
  /** The header that is looked at first, in whatever case. Default `x-csrf-token`. */
  readonly headerName?: string | undefined
  /** The field of a form (`application/x-www-form-urlencoded`) that is looked at where there is no such header. Default `csrf`. */
  readonly fieldName?: string | undefined
  /** The session that the tokens belong to, where it is not the default one. */
  readonly session?: Context.Tag<Self, Session.Session> | undefined
}

/**
 * Options that have been checked.
 *
 * @since 0.1.0
 * @category models
 */
export interface CsrfPolicy<in out Self = Session.Session> {
  readonly headerName: string
  readonly fieldName: string
  readonly session: Context.Tag<Self, Session.Session>
}

const headerNamePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/**
 * Checks options. Fails with the first `SessionConfigError` found, which names the option and the mend; never throws.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: {
  (options?: Options): Either.Either<CsrfPolicy, SessionConfigError>
  <Self>(
    options: Options<Self> & { readonly session: Context.Tag<Self, Session.Session> }
  ): Either.Either<CsrfPolicy<Self>, SessionConfigError>
} = (options: Options<any> = {}): Either.Either<CsrfPolicy<any>, SessionConfigError> => {
  const { fieldName = "csrf", headerName = "x-csrf-token", session = Session.Session } = Object(options) as Options<any>
  return !Predicate.isString(headerName) || !headerNamePattern.test(headerName)
    ? refuse("headerName", "is no name of a header: letters, digits and hyphens, as in \"x-csrf-token\"")
    : !Predicate.isString(fieldName) || fieldName === ""
    ? refuse("fieldName", "is no name of a form field: a text that is not empty, as in \"csrf\"")
    : Either.right({ headerName: headerName.toLowerCase(), fieldName, session })
}

const refuse = (option: "headerName" | "fieldName", problem: string) =>
  Either.left(new SessionConfigError({ option, message: `${option} ${problem}` }))

const requestOf = (session: Session.Session): HttpSession => {
  if (session instanceof HttpSession) {
    return session
  }
  throw new TypeError("A CSRF token belongs to a request, and this session is not one that SessionMiddleware provides")
}

/**
 * A token of the given session for the page that is being made, 86 characters of base64url, different each time. Take it
 * after a `renew` or `purge` of the same request: one from before is void.
 *
 * Fails with `ResponseSent` where the response has gone and the token would have needed a cookie, as in a streamed body. Dies
 * where the session is not one of a request.
 *
 * @since 0.1.0
 * @category accessors
 */
export const tokenOf = (session: Session.Session): Effect.Effect<string, Session.SessionInsertError> =>
  Effect.suspend(() => requestOf(session).csrfToken())

/**
 * A token of the default session.
 *
 * @since 0.1.0
 * @category accessors
 */
export const token: Effect.Effect<string, Session.SessionInsertError, Session.Session> = Effect.flatMap(
  Session.Session,
  tokenOf
)

/**
 * Fails where the token is not good for the session of this request: for tokens that come in another way than `check` looks
 * for, as in a multipart form or a message of a socket. Compares in constant time and asks no store. Dies where the session is
 * not one of a request.
 *
 * @since 0.1.0
 * @category combinators
 */
export const verify = (session: Session.Session, token: string): Effect.Effect<void, CsrfTokenError> =>
  Effect.suspend(() =>
    needsNone(session) || requestOf(session).csrfTokens().accepts(token)
      ? Effect.void
      : Effect.fail(new CsrfTokenError({ reason: "Invalid" }))
  )

// Only a session that came as a bearer, or is to be handed out as one, is none of a cookie.
const needsNone = (session: Session.Session): boolean => requestOf(session).isOfBearer()

/**
 * Fails where a request that may change something (any but `GET`, `HEAD` and `OPTIONS`) has no token that is good for the
 * given session, and does nothing else. The form is read as the handler will read it, once.
 *
 * @since 0.1.0
 * @category combinators
 */
export const checkOf = (
  session: Session.Session,
  policy: Omit<CsrfPolicy, "session">
): Effect.Effect<void, CsrfTokenError, HttpServerRequest.HttpServerRequest> =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) =>
      isSafeMethod(request.method) || needsNone(session)
        ? Effect.void
        : Effect.flatMap(
          tokenIn(request, policy),
          (token) =>
            token === undefined ? Effect.fail(new CsrfTokenError({ reason: "Missing" })) : verify(session, token)
        )
  )

/**
 * The same for the session of the policy.
 *
 * @since 0.1.0
 * @category combinators
 */
export const check = <Self>(
  policy: CsrfPolicy<Self>
): Effect.Effect<void, CsrfTokenError, Self | HttpServerRequest.HttpServerRequest> =>
  Effect.flatMap(policy.session, (session) => checkOf(session, policy))

const tokenIn = (
  request: HttpServerRequest.HttpServerRequest,
  { fieldName, headerName }: Omit<CsrfPolicy, "session">
): Effect.Effect<string | undefined> => {
  const inHeader = request.headers[headerName]
  return inHeader !== undefined || !isForm(request.headers["content-type"])
    ? Effect.succeed(inHeader)
    : Effect.match(request.urlParamsBody, {
      // A form that cannot be read has no token in it.
      onFailure: () => undefined,
      onSuccess: (fields) => {
        const values = UrlParams.getAll(fields, fieldName)
        return values.length === 0 ? undefined : values.join()
      }
    })
}

const isForm = (contentType: string | undefined): boolean =>
  contentType?.split(";", 1)[0]!.trim().toLowerCase() === "application/x-www-form-urlencoded"

/**
 * The middleware with options of one's own. Put it inside of the session middleware.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as SessionCsrf from "effect-session/SessionCsrf"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * const app = Effect.gen(function*() {
 *   const policy = yield* SessionCsrf.make({ headerName: "x-xsrf-token", fieldName: "authenticity_token" })
 *   return yield* HttpRouter.empty.pipe(
 *     HttpRouter.post("/transfer", HttpServerResponse.text("Done")),
 *     SessionCsrf.guardWith(policy),
 *     SessionMiddleware.session
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const guardWith = <Self>(policy: CsrfPolicy<Self>) => {
  const checked = check(policy)
  return <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E | CsrfTokenError, R | Self> =>
    Effect.zipRight(checked, app)
}

/**
 * The middleware with the defaults.
 *
 * @since 0.1.0
 * @category middleware
 */
export const guard: <E, R>(app: HttpApp.Default<E, R>) => HttpApp.Default<E | CsrfTokenError, R | Session.Session> =
  guardWith(Either.getOrThrow(make()))
