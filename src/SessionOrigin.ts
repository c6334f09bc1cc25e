/**
 * A middleware that refuses what another site made the browser send (cross-site request forgery): a request that may change
 * something, or that opens a WebSocket, and that does not come from a page of this app.
 *
 * It asks the browser, which says in `Sec-Fetch-Site` where a request comes from, or, where it is an older one or the
 * connection is not encrypted, in `Origin`. There is no token and no state, and a `GET` costs no more than the look at its method. `SameSite=Lax` alone keeps the
 * cookie from other sites, but not from the subdomains next door, and a forged login needs no cookie at all.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 * import * as SessionOrigin from "effect-session/SessionOrigin"
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.post("/transfer", HttpServerResponse.text("Done")),
 *   SessionMiddleware.session,
 *   SessionOrigin.guard
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { SessionConfigError } from "./Config.js"
import { connectionOf } from "./internal/http/connectionOf.js"
import { respondable, respondWith } from "./internal/http/errorResponse.js"
import { cameOverHttps } from "./internal/http/trustedProxies.js"
import { checkOriginOptions } from "./internal/origin/originOptions.js"
import { isRefused, mayDoHarm, type OriginRules } from "./internal/origin/requestOrigin.js"

/**
 * Another site made the browser send the request, or nobody can say that none did. Unhandled, it becomes a 403 with an empty
 * body.
 *
 * @since 0.1.0
 * @category errors
 */
export class CrossSiteRequest
  extends Schema.TaggedError<CrossSiteRequest>("effect-session/CrossSiteRequest")("CrossSiteRequest", {})
{
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
 * What is let through besides requests of the app's own pages.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * Other origins whose pages may send requests, as browsers write them: `https://admin.example.com`, `capacitor://localhost`.
   * Those that `HttpMiddleware.cors` allows with credentials belong here, too. Default none.
   */
  readonly trustedOrigins?: ReadonlyArray<string> | undefined
  /**
   * Paths that other sites may send to, such as a payment provider's `form_post`: `/callback`, or `/hooks/*` for all that
   * is below. Compared with the path as it was sent; one that is spelled with `%`, `..` or `//` is no exception. Default none.
   */
  readonly exceptPaths?: ReadonlyArray<string> | undefined
  /**
   * What to do with a request that has neither header. No browser of today sends one that may change something, so by default
   * it passes (`"Allow"`): it is a script's or another server's, which have nobody's cookies but their own. `"Refuse"` is for
   * apps that only browsers are to use.
   */
  readonly unmarked?: "Allow" | "Refuse" | undefined
  /**
   * What to do with a request that another site's page sends with an `Authorization: Bearer` and without any cookie, or that has
   * neither header and is `unmarked`. `"Allow"`: it passes, whoever sent it, since it speaks for nobody whom the browser knows and
   * not for the page. Say so where the option `bearer` of the sessions is on; where it is off, the answer to such a request could
   * leave a session cookie in the browser. Default `"Check"`: as any other. Programs and mobile apps need no such exception,
   * since they send neither header.
   */
  readonly bearer?: "Allow" | "Check" | undefined
  /**
   * The proxies whose `X-Forwarded-Host` and `X-Forwarded-Proto` say what the browser asked for: addresses and ranges, or
   * `"All"` where nobody else can reach this server. Needed only behind a proxy that changes `Host`. Default none.
   */
  readonly trustedProxies?: "All" | ReadonlyArray<string> | undefined
}

/**
 * Options that have been checked.
 *
 * @since 0.1.0
 * @category models
 */
export interface OriginPolicy extends OriginRules {}

/**
 * Checks options. Fails with the first `SessionConfigError` found, which names the option and the mend; never throws.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options = {}): Either.Either<OriginPolicy, SessionConfigError> =>
  Either.mapLeft(
    checkOriginOptions(options),
    ([option, problem]) => new SessionConfigError({ option, message: `${option} ${problem}` })
  )

/**
 * Fails where the request is refused by the policy, and does nothing else.
 *
 * @since 0.1.0
 * @category combinators
 */
export const check = (
  policy: OriginPolicy
): Effect.Effect<void, CrossSiteRequest, HttpServerRequest.HttpServerRequest> =>
  Effect.flatMap(
    HttpServerRequest.HttpServerRequest,
    (request) =>
      mayDoHarm(request.method, request.headers) && isRefused(factsOf(request, policy), policy)
        ? Effect.fail(new CrossSiteRequest())
        : Effect.void
  )

const factsOf = (request: HttpServerRequest.HttpServerRequest, { trustedProxies }: OriginPolicy) => {
  const connection = connectionOf(request)
  const url = request.source instanceof Request ? new URL(request.source.url) : undefined
  return {
    // A router that is mounted below a path takes the path off `url`, and a web request says the host as well.
    target: url?.pathname ?? request.originalUrl,
    headers: request.headers,
    host: url?.host,
    isHttps: cameOverHttps(connection, trustedProxies),
    remoteAddress: connection.remoteAddress
  }
}

/**
 * The middleware with options of one's own. Put it outside of the session middleware, so that what is refused opens no session.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 * import * as SessionOrigin from "effect-session/SessionOrigin"
 *
 * const app = Effect.gen(function*() {
 *   const policy = yield* SessionOrigin.make({
 *     trustedOrigins: ["https://admin.example.com"],
 *     exceptPaths: ["/hooks/*"]
 *   })
 *   return yield* HttpRouter.empty.pipe(
 *     HttpRouter.post("/transfer", HttpServerResponse.text("Done")),
 *     SessionMiddleware.session,
 *     SessionOrigin.guardWith(policy)
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const guardWith = (policy: OriginPolicy) => {
  const checked = check(policy)
  return <E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<E | CrossSiteRequest, R> => Effect.zipRight(checked, app)
}

/**
 * The middleware with the defaults: pages of this host, and what no browser sent, pass.
 *
 * @since 0.1.0
 * @category middleware
 */
export const guard: <E, R>(app: HttpApp.Default<E, R>) => HttpApp.Default<E | CrossSiteRequest, R> = guardWith(
  Either.getOrThrow(make())
)
