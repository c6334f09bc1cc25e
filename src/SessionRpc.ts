/**
 * Sessions for `@effect/rpc`, over HTTP and over WebSockets: a middleware that provides the session to the handlers of a group,
 * a guard that demands a value, and their errors for the group's failure schema. It needs the optional peer `@effect/rpc`, and
 * is imported by its path.
 *
 * Over HTTP the calls of one request share its session, which is committed before the first byte of the answer; the cookie goes
 * out with it. Over a WebSocket each message has a view of its own of the session whose cookie came with the upgrade, and its
 * changes are stored before it is answered. The headers of a message, a `cookie` among them, are never looked at.
 *
 * @example
 * ```ts
 * import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
 * import * as Rpc from "@effect/rpc/Rpc"
 * import * as RpcGroup from "@effect/rpc/RpcGroup"
 * import * as RpcSerialization from "@effect/rpc/RpcSerialization"
 * import * as RpcServer from "@effect/rpc/RpcServer"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
 * import * as SessionRpc from "effect-session/SessionRpc"
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, string>() {}
 * const User = Session.entry("user", Schema.NonEmptyString)
 *
 * class RequireUser extends SessionRpc.Guard<RequireUser>()("RequireUser", { provides: CurrentUser, entry: User }) {}
 *
 * class Account extends RpcGroup.make(
 *   Rpc.make("Login", { payload: { name: Schema.NonEmptyString }, error: SessionRpc.Failure }),
 *   Rpc.make("Me", { success: Schema.String }).middleware(RequireUser)
 * ).middleware(SessionRpc.Sessions) {}
 *
 * const AccountLive = Account.toLayer({
 *   Login: ({ name }) =>
 *     Effect.gen(function*() {
 *       const session = yield* Session.Session
 *       yield* session.insert(User, name)
 *       yield* session.renew
 *     }),
 *   Me: () => CurrentUser
 * })
 *
 * const Rpcs = RpcServer.layer(Account).pipe(
 *   Layer.provide([AccountLive, SessionRpc.Sessions.layer, RequireUser.layer]),
 *   Layer.provide(SessionRpc.protocol(RpcServer.layerProtocolHttpRouter({ path: "/rpc" }))),
 *   Layer.provide(RpcSerialization.layerNdjson)
 * )
 *
 * const app = HttpLayerRouter.serve(Layer.merge(Rpcs, SessionHttpLayerRouter.layerGlobal))
 * ```
 *
 * @since 0.1.0
 */
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import type * as Rpc from "@effect/rpc/Rpc"
import * as RpcMiddleware from "@effect/rpc/RpcMiddleware"
import * as RpcSchema from "@effect/rpc/RpcSchema"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { RpcCall, type SessionError } from "./internal/request/rpcCall.js"
import * as Session from "./Session.js"
import * as SessionGuard from "./SessionGuard.js"
import * as SessionMiddleware from "./SessionMiddleware.js"

/**
 * That the calls come from an HTTP request, and by a protocol that knows of sessions: what `protocol` provides, and the layers
 * of this module ask for when the app is built.
 *
 * @since 0.1.0
 * @category tags
 */
export class SessionProtocol extends Context.Tag("effect-session/SessionRpc/SessionProtocol")<SessionProtocol, {
  /** Whether the calls are messages of a socket, whose HTTP response has gone out. */
  readonly isSocket: boolean
}>() {}

/**
 * Lets a protocol of `RpcServer` know of sessions, so that what was done to a session is kept before an answer begins. For
 * `layerProtocolHttpRouter`, `layerProtocolWebsocketRouter`, `layerProtocolHttp` and `layerProtocolWebsocket`, and what
 * `makeProtocolWithHttpApp` makes. Workers, plain sockets and standard input have no HTTP request, and so no cookie: a call dies there.
 *
 * @example
 * ```ts
 * import * as RpcServer from "@effect/rpc/RpcServer"
 * import * as SessionRpc from "effect-session/SessionRpc"
 *
 * const Http = SessionRpc.protocol(RpcServer.layerProtocolHttpRouter({ path: "/rpc" }))
 * const Sockets = SessionRpc.protocol(RpcServer.layerProtocolWebsocketRouter({ path: "/socket" }))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const protocol = <E, R>(
  layer: Layer.Layer<RpcServer.Protocol, E, R>
): Layer.Layer<RpcServer.Protocol | SessionProtocol, E, R> =>
  Layer.map(layer, (context) => {
    const inner = Context.get(context, RpcServer.Protocol)
    // A socket waits for the client's acknowledgement of what it streams, which a response cannot get.
    const sessions: SessionProtocol["Type"] = { isSocket: inner.supportsAck }
    return Context.make(SessionProtocol, sessions).pipe(
      Context.add(RpcServer.Protocol, {
        ...inner,
        run: (f) => inner.run((id, message) => Effect.provideService(f(id, message), SessionProtocol, sessions)),
        send: (id, response, transferables) =>
          response._tag === "Chunk"
            ? Effect.zipRight(beforeChunk, inner.send(id, response, transferables))
            : inner.send(id, response, transferables)
      })
    )
  })

/** The call that a fiber works for, which it shares with the middlewares of its rpc and with what it calls itself. */
class CurrentCall extends Context.Tag("effect-session/SessionRpc/CurrentCall")<CurrentCall, RpcCall>() {}

// A chunk is sent by the fiber of the call whose stream it comes from.
const beforeChunk: Effect.Effect<void> = Effect.withFiberRuntime((fiber) => {
  const call = find(fiber.currentContext, CurrentCall)
  return call === undefined ? Effect.void : call.beginStream(fiber)
})

const find = <I, S>(context: Context.Context<never>, tag: Context.Tag<I, S>): S | undefined =>
  context.unsafeMap.get(tag.key) as S | undefined

/** Runs one call, or what its middlewares leave of it: the outermost of them sees to the end of its sessions. */
const inCall = <A, E, R>(
  rpc: Rpc.AnyWithProps,
  run: (call: RpcCall) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | SessionError, R> =>
  Effect.withFiberRuntime((fiber) => {
    const context = fiber.currentContext
    const outer = find(context, CurrentCall)
    if (outer !== undefined) {
      return run(outer)
    }
    const request = find(context, HttpServerRequest.HttpServerRequest)
    const sessions = find(context, SessionProtocol)
    if (request === undefined || sessions === undefined) {
      return Effect.dieMessage(
        request === undefined
          ? `${rpc._tag} was called without an HTTP request: it can have no session.`
          : withoutProtocol
      )
    }
    const call = new RpcCall(request, sessions.isSocket)
    return call.answer(
      Effect.provideService(run(call), CurrentCall, call),
      RpcSchema.isStreamSchema(rpc.successSchema)
    )
  })

const withoutProtocol =
  "The protocol of this RpcServer knows nothing of sessions, and their changes would be lost. Put " +
  "SessionRpc.protocol around it: SessionRpc.protocol(RpcServer.layerProtocolHttpRouter({ path: \"/rpc\" }))"

// The types say so too, until somebody casts them away.
const demandProtocol: Effect.Effect<void, never, SessionProtocol> = Effect.contextWithEffect(
  (context: Context.Context<SessionProtocol>) =>
    find(context as Context.Context<never>, SessionProtocol) === undefined
      ? Effect.dieMessage(withoutProtocol)
      : Effect.void
)

/**
 * The session of a call. It is opened over HTTP, where nobody has done so yet, and begun anew for each message of a socket.
 */
const sessionOf = <Self>(
  call: RpcCall,
  middleware: SessionMiddleware.SessionMiddleware<Self>
): Effect.Effect<Session.Session> =>
  call.isSocket
    ? Effect.withFiberRuntime((fiber) => {
      const session = call.messageSession(middleware, find(fiber.currentContext, middleware.session))
      return session.bringsCookieAndBearer() ? Effect.dieMessage(bothCame) : Effect.succeed(session)
    })
    : Effect.tap(
      Effect.provideService(SessionMiddleware.open(middleware), HttpServerRequest.HttpServerRequest, call.request),
      (session) => call.uses(session)
    )

const bothCame = "The request that opened the socket brought a session cookie and a bearer, of which nobody chooses one"

const failureOf = <A extends SessionError, I>(
  error: Schema.Schema<A, I>,
  encoded: Schema.Schema<{ readonly _tag: A["_tag"]; readonly reason: A["reason"] }, EncodedError<A>>,
  decode: (reason: A["reason"]) => A
): Schema.Schema<A, EncodedError<A>> =>
  Schema.transform(encoded, Schema.typeSchema(error), {
    strict: true,
    decode: ({ reason }) => decode(reason),
    encode: ({ _tag, reason }) => ({ _tag, reason })
  })

interface EncodedError<A extends SessionError> {
  readonly _tag: A["_tag"]
  readonly reason: A["reason"]
}

const message = (reason: string): string => `The server could not read or change the session: ${reason}`

const failures = [
  failureOf(
    Session.SessionGetError,
    Schema.Struct({
      _tag: Schema.Literal("SessionGetError"),
      reason: Session.SessionGetError.fields.reason
    }),
    (reason) => new Session.SessionGetError({ reason, message: message(reason) })
  ),
  failureOf(
    Session.SessionInsertError,
    Schema.Struct({
      _tag: Schema.Literal("SessionInsertError"),
      reason: Session.SessionInsertError.fields.reason
    }),
    (reason) => new Session.SessionInsertError({ reason, message: message(reason) })
  )
] as const

/**
 * The errors of a session as they travel: which one it is and its reason, and nothing of what the server knows besides. The
 * middlewares of this module bring it along. Name it as the `error` of an rpc whose handler lets such errors pass.
 *
 * @since 0.1.0
 * @category errors
 */
export const Failure: Schema.Schema<
  Session.SessionGetError | Session.SessionInsertError,
  | { readonly _tag: "SessionGetError"; readonly reason: Session.SessionGetError["reason"] }
  | { readonly _tag: "SessionInsertError"; readonly reason: Session.SessionInsertError["reason"] }
> = Schema.Union(...failures)

/**
 * Which session a middleware provides.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionRpcOptions<Self> {
  /** The session that is provided, where it is not the default one. */
  readonly session?: Context.Tag<Self, Session.Session> | undefined
}

/**
 * What `@effect/rpc` is told about a middleware that provides a session.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionTagOptions<SessionSelf> {
  readonly provides: Context.Tag<SessionSelf, Session.Session>
  readonly failure: typeof Failure
  readonly wrap: true
}

/**
 * The class that such a middleware extends: its tag, with its Layer.
 *
 * @since 0.1.0
 * @category models
 */
export type TagClass<Self, Name extends string, SessionSelf> =
  & RpcMiddleware.TagClass<Self, Name, SessionTagOptions<SessionSelf>>
  & {
    /**
     * The middleware at work. Dies when it is built without the `protocol` of this module.
     */
    readonly layer: Layer.Layer<Self, never, SessionMiddleware.SessionMiddleware<SessionSelf> | SessionProtocol>
  }

/**
 * An `RpcMiddleware` that provides a session, for one of one's own. Put it on a group or on an rpc.
 *
 * Its failures are those of `Failure`. Over a WebSocket a call whose changes are not kept fails with `WritesLost` where the session
 * has ended meanwhile, with `NeedsCookie` where they need a cookie, and with `StoreUnavailable`; over HTTP such a response
 * becomes what `SessionMiddleware.session` makes of it. What a handler changes after the first chunk of a stream fails with
 * `ResponseSent`.
 *
 * @example
 * ```ts
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 * import * as SessionRpc from "effect-session/SessionRpc"
 *
 * class AdminSession extends SessionMiddleware.Tag("AdminSession")<AdminSession>() {}
 *
 * class AdminSessions extends SessionRpc.Tag<AdminSessions>()("AdminSessions", { session: AdminSession }) {}
 * ```
 *
 * @since 0.1.0
 * @category tags
 */
export const Tag = <Self>() =>
<const Name extends string, SessionSelf = Session.Session>(
  id: Name,
  options: SessionRpcOptions<SessionSelf> = {}
): TagClass<Self, Name, SessionSelf> => {
  const session = options.session ?? (Session.Session as Context.Tag<any, Session.Session>)
  const tagOptions: SessionTagOptions<SessionSelf> = { provides: session, failure: Failure, wrap: true }
  const tag = RpcMiddleware.Tag<Self>()(id, tagOptions)
  const layer = middlewareLayer<Self, SessionSelf>(
    tag,
    session,
    (next, opened) => Effect.provideService(next, session, opened)
  )
  return Object.assign(tag, { layer })
}

const middlewareLayer = <Self, SessionSelf>(
  tag: RpcMiddleware.TagClassAny,
  session: Context.Tag<SessionSelf, Session.Session>,
  provide: (
    next: Effect.Effect<RpcMiddleware.SuccessValue, unknown, unknown>,
    session: Session.Session
  ) => Effect.Effect<RpcMiddleware.SuccessValue, unknown, unknown>
): Layer.Layer<Self, never, SessionMiddleware.SessionMiddleware<SessionSelf> | SessionProtocol> =>
  Layer.effect(
    tag as unknown as Context.Tag<Self, unknown>,
    Effect.zipRight(
      demandProtocol,
      Effect.map(
        SessionMiddleware.forSession<SessionSelf>(session),
        (middleware): RpcMiddleware.RpcMiddlewareWrap<unknown, unknown> => ({ next, rpc }) =>
          inCall(
            rpc,
            (call) => Effect.flatMap(sessionOf(call, middleware), (opened) => provide(next, opened))
          ) as Effect.Effect<RpcMiddleware.SuccessValue, unknown>
      )
    )
  )

/**
 * The `RpcMiddleware` of the default session.
 *
 * @since 0.1.0
 * @category tags
 */
export class Sessions extends Tag<Sessions>()("effect-session/SessionRpc/Sessions") {}

/**
 * What a guard answers with: `Unauthorized`, and the errors of its session.
 *
 * @since 0.1.0
 * @category errors
 */
export const GuardFailure: Schema.Schema<
  SessionGuard.Unauthorized | Session.SessionGetError | Session.SessionInsertError,
  { readonly _tag: "Unauthorized" } | typeof Failure.Encoded
> = Schema.Union(SessionGuard.Unauthorized, ...failures)

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
  /** The session that is asked, where it is not the default one. */
  readonly session?: Context.Tag<SessionSelf, Session.Session> | undefined
}

/**
 * What `@effect/rpc` is told about a middleware that demands a value in the session.
 *
 * @since 0.1.0
 * @category models
 */
export interface GuardTagOptions<Id, A> {
  readonly provides: Context.Tag<Id, A>
  readonly failure: typeof GuardFailure
  readonly wrap: true
}

/**
 * The class that such a guard extends: its tag, with its Layer.
 *
 * @since 0.1.0
 * @category models
 */
export type GuardClass<Self, Name extends string, Id, A, SessionSelf> =
  & RpcMiddleware.TagClass<Self, Name, GuardTagOptions<Id, A>>
  & {
    /**
     * The guard at work. It shares the session of its call with whatever stands beside it. Dies when it is built without the
     * `protocol` of this module.
     */
    readonly layer: Layer.Layer<Self, never, SessionMiddleware.SessionMiddleware<SessionSelf> | SessionProtocol>
  }

/**
 * An `RpcMiddleware` that demands a value in the session and provides it, decoded: no handler behind it is reached without one.
 * Put it on a group or on an rpc, before or after the middleware that provides the session, or where there is none. Fails with
 * `Unauthorized` where the value is absent, and with what `Failure` names. Over a WebSocket each message is asked anew.
 *
 * @example
 * ```ts
 * import * as Rpc from "@effect/rpc/Rpc"
 * import * as RpcGroup from "@effect/rpc/RpcGroup"
 * import * as Context from "effect/Context"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionRpc from "effect-session/SessionRpc"
 *
 * class CurrentUser extends Context.Tag("CurrentUser")<CurrentUser, string>() {}
 *
 * class RequireUser extends SessionRpc.Guard<RequireUser>()("RequireUser", {
 *   provides: CurrentUser,
 *   entry: Session.entry("user", Schema.NonEmptyString)
 * }) {}
 *
 * class Account extends RpcGroup.make(Rpc.make("Me", { success: Schema.String })).middleware(RequireUser) {}
 *
 * const AccountLive = Account.toLayer({ Me: () => CurrentUser })
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
  const session = options.session ?? (Session.Session as Context.Tag<any, Session.Session>)
  const tagOptions: GuardTagOptions<Id, A> = { provides, failure: GuardFailure, wrap: true }
  const tag = RpcMiddleware.Tag<Self>()(id, tagOptions)
  const layer = middlewareLayer<Self, SessionSelf>(
    tag,
    session,
    (next, opened) =>
      Effect.flatMap(
        SessionGuard.valueOf(opened, entry),
        (value) => Effect.provideService(next, provides, value)
      )
  )
  return Object.assign(tag, { layer })
}
