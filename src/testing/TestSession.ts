/**
 * Sessions for the tests of your own app: a `Session` without HTTP for a single handler, and everything that the
 * middleware needs in one Layer for a whole app.
 *
 * @example
 * ```ts
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import { assert, it } from "@effect/vitest"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as TestSession from "effect-session/testing/TestSession"
 *
 * const User = Session.entry("user", Schema.String)
 *
 * const logout = Effect.gen(function*() {
 *   const session = yield* Session.Session
 *   yield* session.purge
 *   return HttpServerResponse.empty()
 * })
 *
 * it.effect("logging out ends the session", () =>
 *   Effect.gen(function*() {
 *     const response = yield* logout
 *     assert.strictEqual(response.status, 204)
 *
 *     const session = yield* Session.Session
 *     assert.strictEqual(yield* session.status, "Purged")
 *     assert.isFalse(yield* session.contains(User))
 *   }).pipe(Effect.provide(TestSession.layer({ user: "ferris" }))))
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Config from "../Config.js"
import { SessionBase } from "../internal/session/sessionBase.js"
import * as Session from "../Session.js"
import * as SessionKey from "../SessionKey.js"
import * as SessionMiddleware from "../SessionMiddleware.js"
import type * as SessionRecord from "../SessionRecord.js"
import type * as SessionStore from "../SessionStore.js"
import * as MemorySessionStore from "../stores/MemorySessionStore.js"

/**
 * A typed value that the session holds when the handler starts. Made by `value`.
 *
 * @since 0.1.0
 * @category models
 */
export interface GivenValue<out R = never> {
  /** Writes the value as a request does, which is how an earlier one put it there. */
  readonly writeTo: (session: Session.Session) => Effect.Effect<void, Session.SessionInsertError, R>
}

/**
 * What the session holds when the handler starts: a record of JSON, as a store has it, or a list of typed values, which
 * their Schemas encode.
 *
 * @since 0.1.0
 * @category models
 */
export type Given<R = never> = { readonly [key: string]: Session.Json } | Iterable<GivenValue<R>>

/**
 * Says that the session holds a value of an entry. What does not encode makes the session, or its Layer, fail with a
 * `SessionInsertError`.
 *
 * @example
 * ```ts
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as TestSession from "effect-session/testing/TestSession"
 *
 * const Counter = Session.entry("counter", Schema.NonNegativeInt)
 * const LoggedInAt = Session.entry("loggedInAt", Schema.Date)
 *
 * const Visitor = TestSession.layer([TestSession.value(Counter, 3), TestSession.value(LoggedInAt, new Date(0))])
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const value = <A, I, R>(entry: Session.SessionEntry<A, I, R>, value: A): GivenValue<R> => ({
  writeTo: (session) => session.insert(entry, value)
})

const writeGiven = <R>(session: Session.Session, given: Given<R>): Effect.Effect<void, Session.SessionInsertError, R> =>
  Predicate.isIterable(given)
    ? Effect.forEach(given, (value) => value.writeTo(session), { discard: true })
    : Effect.forEach(Object.entries(given), ([key, json]) => session.insert(key, Schema.Unknown, json), {
      discard: true
    })

/**
 * What else there is to say about the session. Everything left out is taken from `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** The session's public id. A random one if left out. */
  readonly id?: SessionKey.SessionId | undefined
  /** How long ago the session was created. A bare number is milliseconds. */
  readonly age?: Duration.DurationInput | undefined
  /** In how long the session expires. A bare number is milliseconds. */
  readonly ttl?: Duration.DurationInput | undefined
}

/**
 * A session that began just now and has all of its life before it.
 *
 * @since 0.1.0
 * @category defaults
 */
export const defaults = {
  age: 0,
  ttl: Config.lifecycleDefaults.ttl
} as const satisfies Omit<Options, "id">

/** A session over a record that is there, or that cannot be had, without a store and without HTTP. */
class DetachedSession extends SessionBase {
  readonly #found: Effect.Effect<SessionRecord.SessionRecord | undefined, Session.SessionGetError>

  constructor(found: Effect.Effect<SessionRecord.SessionRecord | undefined, Session.SessionGetError>) {
    super()
    this.#found = found
  }

  protected load() {
    return this.#found
  }

  get state(): SessionRecord.SessionState {
    return this.log().state()
  }
}

const anonymous = () => new DetachedSession(Effect.succeed(undefined))

/**
 * Makes a session that holds what is given, as a handler finds it when its visitor comes back. Without values and
 * options it is that of a new visitor: there is no record, and so no id.
 *
 * Nothing is committed: what the handler did shows in the `status` and the `entries` of the very same `Session`. Times are
 * those of the `Clock`, which stands at zero in `it.effect`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <R = never>(
  given: Given<R> = [],
  options?: Options
): Effect.Effect<Session.Session, Session.SessionInsertError, R> =>
  Effect.gen(function*() {
    const earlier = anonymous()
    yield* writeGiven(earlier, given)
    const state = earlier.state
    if (state.size === 0 && options === undefined) {
      return anonymous()
    }
    const now = yield* Clock.currentTimeMillis
    return new DetachedSession(Effect.succeed({
      id: options?.id ?? SessionKey.mintId(),
      state,
      createdAt: now - Duration.toMillis(options?.age ?? defaults.age),
      extendedAt: now,
      expiresAt: now + Duration.toMillis(options?.ttl ?? defaults.ttl)
    }))
  })

/**
 * The session of `make` as a Layer: provide it to handler and test together, and they share the one session.
 *
 * @example
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Session from "effect-session/Session"
 * import * as TestSession from "effect-session/testing/TestSession"
 *
 * const NewVisitor = TestSession.layer()
 *
 * const OldHand = TestSession.layer({ counter: 3 }, { age: "80 days" })
 *
 * const createdAt = Effect.flatMap(Session.Session, (session) => session.createdAt).pipe(Effect.provide(OldHand))
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <R = never>(
  given?: Given<R>,
  options?: Options
): Layer.Layer<Session.Session, Session.SessionInsertError, R> => Layer.effect(Session.Session, make(given, options))

/**
 * A session whose store is away: every operation that needs the state fails with the reason `StoreUnavailable`. For the
 * test of what a handler does then.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerUnavailable: Layer.Layer<Session.Session> = Layer.sync(
  Session.Session,
  () =>
    new DetachedSession(Effect.fail(
      new Session.SessionGetError({
        reason: "StoreUnavailable",
        message: "The session store could not say whether there is a session"
      })
    ))
)

/**
 * All that `SessionMiddleware.session` needs in the test of an app: a fresh key, the preset `Config.development`, and a
 * store in memory, which the test can ask as well. Options are spread over the preset; a `cookie` takes the place of the
 * preset's as a whole.
 *
 * Fails with a `SessionConfigError` when the options are refused.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServer from "@effect/platform/HttpServer"
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import * as Layer from "effect/Layer"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 * import * as TestSession from "effect-session/testing/TestSession"
 *
 * const TestApp = HttpRouter.empty.pipe(
 *   SessionMiddleware.session,
 *   HttpServer.serve(),
 *   Layer.provideMerge(TestSession.layerMiddleware()),
 *   Layer.provideMerge(NodeHttpServer.layerTest)
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMiddleware = (
  options?: Partial<Config.SessionOptions>
): Layer.Layer<SessionMiddleware.SessionMiddleware | SessionStore.SessionStore, Config.SessionConfigError> =>
  // Each test that the layer is built for has a key of its own.
  Effect.suspend(() =>
    SessionMiddleware.make({
      ...options,
      keys: options?.keys ?? Config.generateKey(),
      cookie: options?.cookie ?? Config.development.cookie
    })
  ).pipe(
    // The preset warns that it is none for production, which a test knows.
    Logger.withMinimumLogLevel(LogLevel.Error),
    Layer.effect(SessionMiddleware.SessionMiddleware),
    Layer.provideMerge(Layer.orDie(MemorySessionStore.layer()))
  )
