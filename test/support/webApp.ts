/**
 * A session app without sockets, for tests of what the middleware decides: a web handler on the test's own runtime
 * (so that `TestClock` reaches it), a store that counts its calls and can be held up or made to fail, and browsers
 * with cookie jars.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { counting } from "./countingStore.js"

export const Counter = Session.entry("counter", Schema.NonNegativeInt)
export const User = Session.entry("user", Schema.String)

export type Handler = Effect.Effect<
  HttpServerResponse.HttpServerResponse,
  unknown,
  Session.Session
>

/** Runs an operation on the session and answers its result as JSON. */
export const handle = <A, E>(operation: (session: Session.Session) => Effect.Effect<A, E>): Handler =>
  Effect.flatMap(
    Session.Session,
    (session) => Effect.map(operation(session), (result) => HttpServerResponse.unsafeJson(result ?? null))
  )

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
  readonly setCookies: ReadonlyArray<string>
}

export interface WebApp {
  /** Every store call so far, by verb. */
  readonly calls: Array<string>
  readonly request: (handler: Handler, cookie?: string) => Effect.Effect<Answer>
  readonly browser: () => Browser
  readonly middleware: SessionMiddleware.SessionMiddleware
}

/** Keeps cookies by name, as a browser does for one host. */
export interface Browser {
  readonly jar: Map<string, string>
  readonly visit: (handler: Handler) => Effect.Effect<Answer>
  readonly cookie: () => string
}

/** Puts the cookies of an answer into a browser's jar, or takes them out of it. */
export const keepCookies = (jar: Map<string, string>, setCookies: ReadonlyArray<string>): void => {
  for (const line of setCookies) {
    const [pair] = line.split(";") as [string]
    const name = pair.slice(0, pair.indexOf("="))
    if (line.includes("Max-Age=0")) {
      jar.delete(name)
    } else {
      jar.set(name, pair.slice(name.length + 1))
    }
  }
}

export const cookieHeaderOf = (jar: ReadonlyMap<string, string>): string =>
  Array.from(jar, ([name, value]) => `${name}=${value}`).join("; ")

export const makeWebApp = (options?: {
  readonly config?: Partial<Config.SessionOptions>
  readonly store?: Layer.Layer<SessionStore.SessionStore, unknown>
  readonly wrap?: (store: SessionStore.SessionStore) => SessionStore.SessionStore
}) =>
  Effect.gen(function*() {
    const context = yield* Effect.orDie(Layer.build(options?.store ?? MemorySessionStore.layer()))
    const inner = Context.get(context, SessionStore.SessionStore)
    const { calls, store: probed } = counting({
      ...(options?.wrap ?? ((store) => store))(inner),
      readKey: inner.readKey
    })
    const middleware = yield* SessionMiddleware.make({ keys: Config.generateKey(), ...options?.config }).pipe(
      Effect.provideService(SessionStore.SessionStore, probed),
      Effect.orDie
    )
    const runtime = yield* Effect.runtime<never>()
    const request: WebApp["request"] = (handler, cookie) =>
      Effect.promise(async () => {
        const app = SessionMiddleware.sessionWith(middleware)(Effect.orDie(handler))
        const response = await HttpApp.toWebHandlerRuntime(runtime)(app)(
          new Request("https://app.test/", cookie === undefined ? {} : { headers: { cookie } })
        )
        const text = await response.text()
        return {
          status: response.status,
          body: text === "" ? undefined : JSON.parse(text),
          headers: response.headers,
          setCookies: response.headers.getSetCookie()
        }
      })
    const browser = (): Browser => {
      const jar = new Map<string, string>()
      const cookie = () => cookieHeaderOf(jar)
      return {
        jar,
        cookie,
        visit: (handler) =>
          Effect.tap(
            Effect.suspend(() => request(handler, jar.size === 0 ? undefined : cookie())),
            (answer) => Effect.sync(() => keepCookies(jar, answer.setCookies))
          )
      }
    }
    const app: WebApp = { calls, request, browser, middleware }
    return app
  })
