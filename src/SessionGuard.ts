/**
 * A middleware for routes that need a value in the session, such as the signed-in user: it hands the value to the handler,
 * which cannot be reached without one.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionGuard from "effect-session/SessionGuard"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * class User extends Schema.Class<User>("User")({ name: Schema.NonEmptyString }) {}
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, User>() {}
 *
 * const RequireUser = SessionGuard.make({ provides: CurrentUser, entry: Session.entry("user", User) })
 *
 * const account = HttpRouter.empty.pipe(
 *   HttpRouter.get("/", Effect.map(CurrentUser, (user) => HttpServerResponse.text(`Hello, ${user.name}`))),
 *   HttpRouter.use(RequireUser)
 * )
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.mount("/account", account),
 *   SessionMiddleware.session
 * )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { respondable, respondWith } from "./internal/http/errorResponse.js"
import * as Session from "./Session.js"

/**
 * The session has no such value. Unhandled, it becomes a 401 with an empty body.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unauthorized extends Schema.TaggedError<Unauthorized>("effect-session/Unauthorized")("Unauthorized", {}) {
  /**
   * 401 with an empty body.
   *
   * @since 0.1.0
   */
  [respondable]() {
    return respondWith(401)
  }
}

/**
 * What a guard asks of a session.
 *
 * @since 0.1.0
 * @category models
 */
export interface Demand<Id, A, Self = Session.Session, R = never> {
  /** What the handlers behind the guard yield. */
  readonly provides: Context.Tag<Id, A>
  /** The value that the session must have. */
  readonly entry: Session.SessionEntry<A, any, R>
  /** The session to ask, where it is not the default one. */
  readonly session?: Context.Tag<Self, Session.Session> | undefined
}

/**
 * The value that is asked for, from a session at hand. Fails with `Unauthorized` where it is absent, and with a
 * `SessionGetError` where nobody can say.
 *
 * @since 0.1.0
 * @category accessors
 */
export const valueOf = <A, I, R>(
  session: Session.Session,
  entry: Session.SessionEntry<A, I, R>
): Effect.Effect<A, Unauthorized | Session.SessionGetError, R> =>
  Effect.flatMap(
    session.get(entry),
    Option.match({ onNone: () => Effect.fail(new Unauthorized()), onSome: Effect.succeed })
  )

/**
 * The guard for a route, a mounted router or a whole app. Without the value it answers with `orElse`, such as a redirect to
 * the login page, and fails with `Unauthorized` where there is none. It stands inside the middleware that provides the session.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionGuard from "effect-session/SessionGuard"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, string>() {}
 *
 * const orLogin = SessionGuard.make({
 *   provides: CurrentUser,
 *   entry: Session.entry("user", Schema.String),
 *   orElse: HttpServerResponse.redirect("/login", { status: 303 })
 * })
 *
 * const app = HttpRouter.empty.pipe(
 *   HttpRouter.get("/account", orLogin(Effect.map(CurrentUser, (name) => HttpServerResponse.text(`Hello, ${name}`)))),
 *   HttpRouter.get("/login", HttpServerResponse.text("Who are you?")),
 *   SessionMiddleware.session
 * )
 * ```
 *
 * @since 0.1.0
 * @category middleware
 */
export const make: {
  <Id, A, E2, R2, Self = Session.Session, RV = never>(
    demand: Demand<Id, A, Self, RV> & { readonly orElse: HttpApp.Default<E2, R2> }
  ): <E, R>(
    app: HttpApp.Default<E, R>
  ) => HttpApp.Default<E | E2 | Session.SessionGetError, Exclude<R, Id> | R2 | Self | RV>
  <Id, A, Self = Session.Session, RV = never>(
    demand: Demand<Id, A, Self, RV>
  ): <E, R>(
    app: HttpApp.Default<E, R>
  ) => HttpApp.Default<E | Unauthorized | Session.SessionGetError, Exclude<R, Id> | Self | RV>
} = <Id, A, RV>(
  { entry, orElse, provides, session = Session.Session }: Demand<Id, A, any, RV> & {
    readonly orElse?: HttpApp.Default<any, any>
  }
) =>
<E, R>(app: HttpApp.Default<E, R>): HttpApp.Default<any, any> =>
  Effect.matchEffect(Effect.flatMap(sessionInReach(session, provides), (session) => valueOf(session, entry)), {
    onSuccess: (value) => Effect.provideService(app, provides, value),
    onFailure: (error) => error._tag === "Unauthorized" && orElse !== undefined ? orElse : Effect.fail(error)
  })

// The types say so too, until somebody casts them away.
const sessionInReach = (
  session: Context.Tag<any, Session.Session>,
  provides: Context.Tag<any, any>
): Effect.Effect<Session.Session> =>
  Effect.contextWithEffect((context: Context.Context<never>) => {
    const found = Context.getOption(context, session)
    return found._tag === "Some" ? Effect.succeed(found.value) : Effect.dieMessage(
      `The guard of ${provides.key} is not inside the middleware that provides ${session.key}. ` +
        "Put the session middleware around it: guarded.pipe(SessionMiddleware.session), or the middleware of the session's own class"
    )
  })
