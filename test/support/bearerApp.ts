/**
 * A web app whose sessions may come as a bearer, for requests with any headers.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as Config from "effect-session/Config"
import type * as Session from "effect-session/Session"
import type { Happening } from "effect-session/SessionEvent"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { counting } from "./countingStore.js"

export type App = HttpApp.Default<unknown, Session.Session>

export const makeBearerApp = (options: {
  readonly config?: Partial<Config.SessionOptions>
  readonly store?: Layer.Layer<SessionStore.SessionStore, unknown>
} = {}) =>
  Effect.gen(function*() {
    const inner = Context.get(
      yield* Effect.orDie(Layer.build(options.store ?? MemorySessionStore.layer())),
      SessionStore.SessionStore
    )
    const { calls, store } = counting(inner)
    const made = yield* SessionMiddleware.make({ keys: Config.generateKey(), bearer: true, ...options.config }).pipe(
      Effect.provideService(SessionStore.SessionStore, store)
    )
    const told: Array<Happening> = []
    const { bearer } = made
    const opened: Array<string> = []
    const middleware: SessionMiddleware.SessionMiddleware = {
      ...made,
      tell: (event) => told.push(event),
      bearer: bearer && {
        ...bearer,
        crypto: {
          ...bearer.crypto,
          open: (value) => {
            opened.push(value)
            return bearer.crypto.open(value)
          }
        }
      }
    }
    const runtime = yield* Effect.runtime<never>()
    const send = (app: App, headers: Record<string, string> = {}) =>
      Effect.promise(async () => {
        const web = HttpApp.toWebHandlerRuntime(runtime)(SessionMiddleware.sessionWith(middleware)(Effect.orDie(app)))
        const response = await web(new Request("https://app.test/", { headers }))
        return { status: response.status, body: await response.text(), headers: response.headers }
      })
    /** Keeps what the response header says. */
    const client = (header = "authorization") => {
      const kept = { authorization: "Bearer" }
      const visit = (app: App) =>
        Effect.tap(Effect.suspend(() => send(app, { ...kept })), ({ headers }) =>
          Effect.sync(() => {
            kept.authorization = headers.get(header) ?? kept.authorization
          }))
      return { kept, visit }
    }
    return { calls, told, opened, middleware, send, client }
  })
