/**
 * The smallest session app there is, for tests that send it tens of thousands of requests: a web handler without
 * sockets, on a clock that is set by hand, with the middleware of the caller's choice for each request.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as Config from "effect-session/Config"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type { Handler } from "./operations.js"

/** What the response says about the session cookie. */
export type CookieNews =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Removal" }
  | { readonly _tag: "Value"; readonly value: string; readonly maxAge: number | undefined }

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly news: CookieNews
  readonly vary: string | null
  readonly cacheControl: string | null
}

export interface SessionApp {
  /** Milliseconds since the epoch; whoever holds the app moves it on. */
  now: number
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Promise<A>
  readonly request: (
    middleware: SessionMiddleware.SessionMiddleware,
    handler: Handler,
    cookieHeader: string | undefined
  ) => Promise<Answer>
}

export const makeSessionApp = (start: number): SessionApp => {
  const live = Clock.make()
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => app.now,
    unsafeCurrentTimeNanos: () => BigInt(app.now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => app.now),
    currentTimeNanos: Effect.sync(() => BigInt(app.now) * 1_000_000n),
    sleep: (duration) => live.sleep(duration)
  }
  const runtime = Effect.runSync(
    Effect.runtime<never>().pipe(
      Effect.withClock(clock),
      Logger.withMinimumLogLevel(LogLevel.None),
      // A span per request costs more than all the rest of it.
      Effect.locally(HttpMiddleware.currentTracerDisabledWhen, () => true)
    )
  )
  const serve = HttpApp.toWebHandlerRuntime(runtime)
  const app: SessionApp = {
    now: start,
    run: (effect) => Effect.runPromise(Effect.withClock(effect, clock)),
    request: async (middleware, handler, cookieHeader) => {
      const response = await serve(SessionMiddleware.sessionWith(middleware)(Effect.orDie(handler)))(
        new Request("https://app.test/", cookieHeader === undefined ? {} : { headers: { cookie: cookieHeader } })
      )
      const text = await response.text()
      return {
        status: response.status,
        body: text === "" ? undefined : JSON.parse(text),
        news: readNews(response.headers.getSetCookie()),
        vary: response.headers.get("vary"),
        cacheControl: response.headers.get("cache-control")
      }
    }
  }
  return app
}

const readNews = (lines: ReadonlyArray<string>): CookieNews => {
  const [line, ...more] = lines
  if (line === undefined) {
    return { _tag: "Nothing" }
  }
  if (more.length > 0 || !line.startsWith(`${cookieName}=`)) {
    throw new Error(`One session cookie and no other was expected: ${lines.join(" | ")}`)
  }
  const [pair = "", ...attributes] = line.split("; ")
  const value = pair.slice(cookieName.length + 1)
  const maxAge = attributes.find((attribute) => attribute.startsWith("Max-Age="))?.slice("Max-Age=".length)
  return maxAge === "0"
    ? { _tag: "Removal" }
    : { _tag: "Value", value, maxAge: maxAge === undefined ? undefined : Number(maxAge) }
}

export const cookieName = Config.defaults.cookie.name

export const cookieHeaderOf = (values: ReadonlyArray<string>): string | undefined =>
  values.length === 0 ? undefined : values.map((value) => `${cookieName}=${value}`).join("; ")

export const makeMiddleware = (
  store: SessionStore.SessionStore,
  options: Config.SessionOptions
): SessionMiddleware.SessionMiddleware =>
  Effect.runSync(SessionMiddleware.make(options).pipe(Effect.provideService(SessionStore.SessionStore, store)))

/** The store with something done before each call to it, which goes by the time that it is then. */
export const beforeEachCall = (
  store: SessionStore.SessionStore,
  before: (verb: Verb) => Effect.Effect<void>
): SessionStore.SessionStore => {
  const inner = SessionStore.withClock(store)
  return {
    ...store,
    load: (key) => Effect.zipRight(before("load"), inner.load(key)),
    save: (state, lifetime) => Effect.zipRight(before("save"), inner.save(state, lifetime)),
    update: (key, change, lifetime) => Effect.zipRight(before("update"), inner.update(key, change, lifetime)),
    updateTtl: (key, lifetime) => Effect.zipRight(before("updateTtl"), inner.updateTtl(key, lifetime)),
    renew: (key, change, lifetime) => Effect.zipRight(before("renew"), inner.renew(key, change, lifetime)),
    delete: (key, _now, successor) => Effect.zipRight(before("delete"), inner.delete(key, successor))
  }
}

/** The store, as prompt as it was, with somebody who is told of each call to it. */
export const tellingOfCalls = (
  store: SessionStore.SessionStore,
  tell: (verb: Verb) => void
): SessionStore.SessionStore => {
  const told =
    <Args extends ReadonlyArray<unknown>, A>(verb: Verb, call: (...args: Args) => A) => (...args: Args): A => {
      tell(verb)
      return call(...args)
    }
  return {
    ...store,
    load: told("load", store.load),
    save: told("save", store.save),
    update: told("update", store.update),
    updateTtl: told("updateTtl", store.updateTtl),
    renew: told("renew", store.renew),
    delete: told("delete", store.delete)
  }
}

export type Verb = Exclude<keyof SessionStore.SessionStoreVerbs, "readKey" | "cookieHolds" | "endings">
