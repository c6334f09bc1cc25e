/**
 * Whole apps on a real socket, over a store whose calls are recorded.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"

export type Verb = Exclude<keyof SessionStore.SessionStoreVerbs, "readKey" | "cookieHolds" | "endings">

/** Which verbs of the store were called, in order. */
export class StoreCalls extends Context.Tag("test/StoreCalls")<StoreCalls, Array<Verb>>() {}

const recorded = (
  store: SessionStore.SessionStore,
  calls: Array<Verb>
): SessionStore.SessionStore => {
  const called =
    <Args extends ReadonlyArray<unknown>, A>(verb: Verb, call: (...args: Args) => A) => (...args: Args): A => {
      calls.push(verb)
      return call(...args)
    }
  return {
    [SessionStore.TypeId]: SessionStore.TypeId,
    readKey: store.readKey,
    load: called("load", store.load),
    save: called("save", store.save),
    update: called("update", store.update),
    updateTtl: called("updateTtl", store.updateTtl),
    renew: called("renew", store.renew),
    delete: called("delete", store.delete)
  }
}

const recording = (
  store: Layer.Layer<SessionStore.SessionStore, unknown>
): Layer.Layer<SessionStore.SessionStore | StoreCalls, unknown> =>
  Layer.map(store, (context) => {
    const calls: Array<Verb> = []
    return Context.make(StoreCalls, calls).pipe(
      Context.add(SessionStore.SessionStore, recorded(Context.get(context, SessionStore.SessionStore), calls))
    )
  })

export interface Options {
  readonly config?: Partial<Config.SessionOptions> | undefined
  readonly store?: Layer.Layer<SessionStore.SessionStore, unknown> | undefined
}

export const serve = <E>(app: HttpApp.Default<E, Session.Session>, options: Options = {}) =>
  app.pipe(
    SessionMiddleware.session,
    HttpServer.serve(),
    Layer.provideMerge(SessionMiddleware.layer({ keys: Config.generateKey(), ...options.config })),
    Layer.provideMerge(recording(options.store ?? MemorySessionStore.layer())),
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
  )

/** Answers the result of an operation on the session as JSON. */
export const answer = <A, E>(operation: (session: Session.Session) => Effect.Effect<A, E>) =>
  Effect.flatMap(
    Session.Session,
    (session) => Effect.map(operation(session), (result) => HttpServerResponse.unsafeJson(result ?? null))
  )

export const entriesOf = (session: Session.Session) =>
  Effect.map(session.entries, (entries) => Object.fromEntries(entries))
