/**
 * An app of procedures on a real socket, over HTTP at `/rpc` and over WebSockets at `/socket`, with clients of `@effect/rpc`
 * for either, and a store that counts its calls and can be away.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Socket from "@effect/platform/Socket"
import * as Rpc from "@effect/rpc/Rpc"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionRpc from "effect-session/SessionRpc"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import { WebSocket } from "ws"
import { counting } from "../support/countingStore.js"
import { settle, until } from "../support/settle.js"
import { cookieHeaderOf, Counter, keepCookies, User } from "../support/webApp.js"

export class CurrentUser extends Context.Tag("test/rpc/CurrentUser")<CurrentUser, string>() {}

export class RequireUser extends SessionRpc.Guard<RequireUser>()("test/rpc/RequireUser", {
  provides: CurrentUser,
  entry: User
}) {}

export class AdminSession extends SessionMiddleware.Tag("test/rpc/AdminSession")<AdminSession>() {}

export class AdminSessions extends SessionRpc.Tag<AdminSessions>()("test/rpc/AdminSessions", {
  session: AdminSession
}) {}

export class RequireAdmin extends SessionRpc.Guard<RequireAdmin>()("test/rpc/RequireAdmin", {
  session: AdminSession,
  provides: CurrentUser,
  entry: User
}) {}

const error = SessionRpc.Failure
const name = { name: Schema.String }

export class Calls extends RpcGroup.make(
  Rpc.make("Untouched", { success: Schema.String }),
  Rpc.make("Login", { payload: name, error }),
  Rpc.make("Logout", { error }),
  Rpc.make("Renew", { error }),
  Rpc.make("Remember", { error }),
  Rpc.make("Anew", { payload: name, error }),
  Rpc.make("Me", { success: Schema.NullOr(Schema.String), error }),
  Rpc.make("Count", { success: Schema.Number, error }),
  Rpc.make("Put", { payload: { key: Schema.String, value: Schema.String }, error }),
  Rpc.make("All", { success: Schema.Record({ key: Schema.String, value: Schema.Unknown }), error }),
  /** Counts, and lets nobody know before the test says so. */
  Rpc.make("HeldCount", { success: Schema.Number, error }),
  /** Ends the session, and then never comes to an end by itself. */
  Rpc.make("HeldLogout", { error }),
  /** Waits for the test, and then writes. */
  Rpc.make("LateCount", { success: Schema.Number, error }),
  /** Waits for the test, whoever hangs up, and then ends the session. */
  Rpc.make("LateLogout", { error }),
  /** Writes, and then fails. */
  Rpc.make("Fails", { error: Schema.String }),
  Rpc.make("Who", { success: Schema.String }).middleware(RequireUser),
  Rpc.make("WriteAsUser", { success: Schema.String, error }).middleware(RequireUser),
  /** Writes, sends how that went, writes again once the test says so, sends how that went. */
  Rpc.make("Ticks", { success: Schema.String, error, stream: true }),
  Rpc.make("NoTicks", { success: Schema.String, error, stream: true }),
  Rpc.make("AdminLogin", { payload: name, error }),
  Rpc.make("Both", { success: Schema.Tuple(Schema.NullOr(Schema.String), Schema.NullOr(Schema.String)), error }),
  Rpc.make("PutBoth", { payload: name, error }),
  Rpc.make("Admin", { success: Schema.String }).middleware(RequireAdmin)
).middleware(SessionRpc.Sessions).middleware(AdminSessions) {}

export const serializations = {
  json: RpcSerialization.layerJson,
  ndjson: RpcSerialization.layerNdjson,
  msgpack: RpcSerialization.layerMsgPack
} as const

export type Serialization = keyof typeof serializations

type Verb = keyof typeof errors

interface Options {
  readonly serialization?: Serialization
  readonly config?: Partial<Config.SessionOptions>
  readonly store?: Layer.Layer<SessionStore.SessionStore, unknown>
  /** The clock of the server; the real one by default. */
  readonly clock?: Clock.Clock
  /** Whether the session middleware stands around the routes; it does by default. */
  readonly isWrapped?: boolean
  /** What stands around the whole app. */
  readonly around?: (app: HttpApp.Default<HttpLayerRouter.unhandled>) => HttpApp.Default<HttpLayerRouter.unhandled>
}

const errors = {
  load: SessionStore.LoadError,
  save: SessionStore.SaveError,
  update: SessionStore.UpdateError,
  updateTtl: SessionStore.UpdateError,
  renew: SessionStore.UpdateError,
  delete: SessionStore.DeleteError
} as const

/** The store, whose verbs fail while they are in the set. */
const withOutages = (store: SessionStore.SessionStore, away: ReadonlySet<Verb>): SessionStore.SessionStore => {
  const watched =
    <Args extends ReadonlyArray<unknown>, A>(verb: Verb, call: (...args: Args) => A) => (...args: Args): A =>
      away.has(verb)
        ? Effect.fail(new errors[verb]({ reason: "Unavailable", message: "secret host 10.1.2.3 is away" })) as A
        : call(...args)
  return {
    ...store,
    load: watched("load", store.load),
    save: watched("save", store.save),
    update: watched("update", store.update),
    updateTtl: watched("updateTtl", store.updateTtl),
    renew: watched("renew", store.renew),
    delete: watched("delete", store.delete)
  }
}

const session = Session.Session
const userOf = (session: Session.Session) => Effect.map(session.get(User), Option.getOrNull)

export const rpcApp = (options: Options = {}) =>
  Effect.gen(function*() {
    const serialization = serializations[options.serialization ?? "ndjson"]
    /** A turn for each time that a held handler has come to its wait. */
    const held = yield* Queue.unbounded<void>()
    const go = yield* Deferred.make<void>()
    const wait = Effect.zipRight(Queue.offer(held, undefined), Deferred.await(go))
    const logged: Array<string> = []
    const CallsLive = Calls.toLayer({
      Untouched: () => Effect.succeed("hello"),
      Login: ({ name }) =>
        Effect.flatMap(session, (session) => Effect.zipRight(session.insert(User, name), session.renew)),
      Logout: () => Effect.flatMap(session, (session) => session.purge),
      Renew: () => Effect.flatMap(session, (session) => session.renew),
      Remember: () => Effect.flatMap(session, (session) => session.remember()),
      Anew: ({ name }) =>
        Effect.flatMap(session, (session) => Effect.zipRight(session.purge, session.insert(User, name))),
      Me: () => Effect.flatMap(session, userOf),
      Count: () => Effect.flatMap(session, (session) => session.updateOr(Counter, 1, (n) => n + 1)),
      Put: ({ key, value }) => Effect.flatMap(session, (session) => session.insert(key, Schema.String, value)),
      All: () =>
        Effect.flatMap(session, (session) => Effect.map(session.entries, (entries) => Object.fromEntries(entries))),
      HeldCount: () =>
        Effect.flatMap(session, (session) => Effect.zipLeft(session.updateOr(Counter, 1, (n) => n + 1), wait)),
      HeldLogout: () => Effect.flatMap(session, (session) => Effect.zipRight(session.purge, wait)),
      LateCount: () =>
        Effect.zipRight(wait, Effect.flatMap(session, (session) => session.updateOr(Counter, 1, (n) => n + 1))),
      LateLogout: () => Rpc.uninterruptible(Effect.zipRight(wait, Effect.flatMap(session, (session) => session.purge))),
      Fails: () =>
        Effect.flatMap(session, (session) =>
          Effect.zipRight(Effect.orDie(session.insert(User, "kept")), Effect.fail("as it should"))),
      Who: () =>
        CurrentUser,
      WriteAsUser: () =>
        Effect.gen(function*() {
          yield* (yield* session).insert("seen", Schema.String, yield* CurrentUser)
          return yield* CurrentUser
        }),
      Ticks: () => {
        const write = Effect.flatMap(session, (session) =>
          Effect.match(session.insert(User, "streamed"), {
            onFailure: ({ reason }) => reason,
            onSuccess: () => "kept"
          }))
        const anew = Effect.flatMap(session, (session) =>
          Effect.match(session.insert("late", Schema.String, "x"), {
            onFailure: ({ reason }) => reason,
            onSuccess: () => "kept"
          }))
        return Stream.concat(Stream.fromEffect(write), Stream.fromEffect(anew))
      },
      NoTicks: () =>
        Stream.fromEffectOption(Effect.flatMap(session, (session) =>
          Effect.zipRight(
            Effect.mapError(session.insert(User, "without a chunk"), Option.some),
            Effect.fail(Option.none())
          ))),
      AdminLogin: ({ name }) => Effect.flatMap(AdminSession, (admin) => admin.insert(User, name)),
      Both: () => Effect.zip(Effect.flatMap(session, userOf), Effect.flatMap(AdminSession, userOf)),
      PutBoth: ({ name }) =>
        Effect.zipRight(
          Effect.flatMap(session, (session) => session.insert(User, name)),
          Effect.flatMap(AdminSession, (admin) => admin.insert(User, name))
        ),
      Admin: () => CurrentUser
    })
    const served = (
      protocol: Layer.Layer<RpcServer.Protocol, never, RpcSerialization.RpcSerialization | HttpLayerRouter.HttpRouter>
    ) =>
      RpcServer.layer(Calls).pipe(
        Layer.provide([
          CallsLive,
          SessionRpc.Sessions.layer,
          AdminSessions.layer,
          RequireUser.layer,
          RequireAdmin.layer
        ]),
        Layer.provide(SessionRpc.protocol(protocol))
      )
    const away = new Set<Verb>()
    const inner = Context.get(
      yield* Effect.orDie(Layer.build(options.store ?? MemorySessionStore.layer())),
      SessionStore.SessionStore
    )
    const { calls, store } = counting(withOutages(inner, away))
    const routes = Layer.mergeAll(
      served(RpcServer.layerProtocolHttpRouter({ path: "/rpc" })),
      served(RpcServer.layerProtocolWebsocketRouter({ path: "/socket" }))
    )
    const middlewares = Layer.merge(
      SessionMiddleware.layer({ ...Config.development, keys: Config.generateKey(), ...options.config }),
      AdminSession.layer({ cookie: { name: "admin", secure: false }, keys: Config.generateKey() })
    )
    const server = createServer()
    const context = yield* Layer.build(
      HttpLayerRouter.serve(
        options.isWrapped === false
          ? routes
          : Layer.mergeAll(
            routes,
            SessionHttpLayerRouter.layerGlobal,
            SessionHttpLayerRouter.layerGlobalFor(AdminSession)
          ).pipe(Layer.provide(HttpLayerRouter.middleware(options.around ?? ((app) => app), { global: true }))),
        { disableLogger: true, disableListenLog: true }
      ).pipe(
        Layer.provide(serialization),
        Layer.provideMerge(middlewares),
        Layer.provide(Layer.succeed(SessionStore.SessionStore, store)),
        Layer.provideMerge(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" })),
        Layer.provide(options.clock === undefined ? Layer.empty : Layer.setClock(options.clock)),
        Layer.provide(Logger.replace(Logger.defaultLogger, Logger.make(({ message }) => logged.push(String(message)))))
      )
    )
    logged.length = 0
    const { address } = Context.get(context, HttpServer.HttpServer)
    const origin = `127.0.0.1:${address._tag === "TcpAddress" ? address.port : 0}`

    /** A browser: a jar that its calls over HTTP fill, and sockets that it opens with what is in there. */
    const browser = () => {
      const jar = new Map<string, string>()
      const withJar = Layer.effect(
        HttpClient.HttpClient,
        Effect.map(HttpClient.HttpClient, (client) =>
          client.pipe(
            HttpClient.filterStatusOk,
            HttpClient.mapRequest((request) =>
              HttpClientRequest.setHeaders(request, { connection: "close", cookie: cookieHeaderOf(jar) })
            ),
            HttpClient.tap((response) =>
              Effect.sync(() => {
                const setCookies = response.headers["set-cookie"]
                keepCookies(jar, setCookies === undefined ? [] : setCookies.split(/, (?=\w+=)/))
              })
            )
          ))
      )
      const http = Effect.flatMap(
        Layer.build(
          RpcClient.layerProtocolHttp({ url: `http://${origin}/rpc` }).pipe(
            Layer.provide(withJar),
            Layer.provide([FetchHttpClient.layer, serialization])
          )
        ),
        (context) => Effect.provide(RpcClient.make(Calls), context)
      )
      const socket = Effect.flatMap(
        Effect.suspend(() => {
          const cookie = cookieHeaderOf(jar)
          return Layer.build(
            RpcClient.layerProtocolSocket().pipe(
              Layer.provide([
                Socket.layerWebSocket(`ws://${origin}/socket`).pipe(
                  Layer.provide(
                    Layer.succeed(
                      Socket.WebSocketConstructor,
                      (url) => new WebSocket(url, { headers: { cookie } }) as unknown as globalThis.WebSocket
                    )
                  )
                ),
                serialization
              ])
            )
          )
        }),
        (context) => Effect.provide(RpcClient.make(Calls), context)
      )
      return { jar, http, socket, cookie: () => cookieHeaderOf(jar) }
    }
    return {
      origin,
      calls,
      away,
      logged,
      browser,
      /** Waits until nobody is connected any more, and the server has taken note of it. */
      deserted: Effect.zipRight(
        until(
          Effect.promise(() =>
            new Promise<boolean>((resolve) => server.getConnections((_, count) => resolve(count === 0)))
          )
        ),
        settle
      ),
      /** Waits until a held handler has come to its wait. */
      held: Queue.take(held),
      /** Ends the waits of all held handlers. */
      go: Deferred.succeed(go, undefined)
    }
  })

export type RpcApp = Effect.Effect.Success<ReturnType<typeof rpcApp>>

/** A request as `@effect/rpc` writes it in ndjson. */
export const messages = (
  calls: ReadonlyArray<readonly [tag: string, payload?: unknown]>,
  headers: ReadonlyArray<readonly [string, string]> = []
): string =>
  calls.map(([tag, payload = null], index) =>
    `${JSON.stringify({ _tag: "Request", id: String(index + 1), tag, payload, headers })}\n`
  ).join("")
