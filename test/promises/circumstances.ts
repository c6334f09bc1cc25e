/**
 * What no order of requests shows, but what goes on around them: another deployment, another cookie of the name, a body that is
 * made while it is sent, a fiber that answers nobody. Each is told by an outsider, who hears what is broken or nothing.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SessionOptions } from "effect-session/Config"
import type * as EffectSession from "effect-session/Session"
import type * as SessionStore from "effect-session/SessionStore"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { HandClock } from "../support/handClock.js"
import type { Library } from "./library.js"

type Handler = Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, EffectSession.Session>

const hour = 3_600_000
const name = "__Host-id"

const user = "user"

const storeOf = ({ MemorySessionStore }: Library): SessionStore.SessionStore =>
  Effect.runSync(MemorySessionStore.make())

/** One deployment of an app, as its clients see it. */
const deploy = (
  library: Library,
  options: SessionOptions,
  store: SessionStore.SessionStore,
  clock: Clock.Clock = new HandClock()
) => {
  const middleware = Effect.runSync(
    Effect.provideService(library.SessionMiddleware.make(options), library.SessionStore.SessionStore, store)
  )
  const runtime = Effect.runSync(
    Effect.runtime<never>().pipe(Effect.withClock(clock), Logger.withMinimumLogLevel(LogLevel.None))
  )
  const serve = (app: HttpApp.Default) => {
    const answer = HttpApp.toWebHandlerRuntime(runtime)(app)
    return (cookies: ReadonlyArray<string>) =>
      answer(
        new Request("https://app.test/", { headers: { cookie: cookies.map((value) => `${name}=${value}`).join("; ") } })
      )
  }
  return {
    middleware,
    serve,
    ask: (handler: Handler, cookies: ReadonlyArray<string> = []) =>
      serve(library.SessionMiddleware.sessionWith(middleware)(Effect.orDie(handler)))(cookies)
  }
}

const setBy = (response: Response): string | undefined => {
  const line = response.headers.getSetCookie().find((line) =>
    line.startsWith(`${name}=`) && !line.includes("Max-Age=0")
  )
  return line?.slice(name.length + 1, line.indexOf(";"))
}

const handlersOf = ({ Session: { Session } }: Library) => {
  const done = Effect.map((_: unknown) => HttpServerResponse.empty({ status: 200 }))
  return {
    signIn: done(
      Effect.flatMap(Session, (session) => Effect.zipRight(session.renew, session.insert(user, Schema.Number, 1)))
    ),
    count: done(Effect.flatMap(Session, (session) => session.updateOr("n", Schema.Number, 1, (n) => n + 1))),
    read: Effect.flatMap(
      Session,
      (session) => Effect.map(session.entries, (entries) => HttpServerResponse.unsafeJson(Object.fromEntries(entries)))
    )
  }
}

/** What is broken, or nothing. */
export type Circumstance = (library: Library) => Promise<string | undefined>

/** A limit on the whole life of a session that a deployment brings holds for the sessions that are there already. */
export const aLimitComesWithADeploy: Circumstance = async (library) => {
  const keys = library.Config.generateKey()
  const clock = new HandClock()
  const store = storeOf(library)
  const { count, read } = handlersOf(library)
  const before = deploy(library, { keys, lifecycle: library.Config.BrowserSession({ ttl: "2 hours" }) }, store, clock)
  const lifecycle = library.Config.BrowserSession({ ttl: "2 hours", maxLifetime: "8 hours" })
  const after = deploy(library, { keys, lifecycle }, store, clock)
  const cookies = [setBy(await before.ask(count))!]
  for (let hours = 0; hours < 9; hours++) {
    clock.moveOn(hour)
    await before.ask(count, cookies)
  }
  const opened: unknown = await (await after.ask(read, cookies)).json()
  return JSON.stringify(opened) === "{}" ? undefined : "a key of nine hours ago opens a session that may live for eight"
}

/** What was made of a session says so to caches. */
export const aBodyIsMadeWhileItIsSent: Circumstance = async (library) => {
  const { ask } = deploy(library, { keys: library.Config.generateKey() }, storeOf(library))
  const { signIn } = handlersOf(library)
  const cookies = [setBy(await ask(signIn))!]
  const streamed = Effect.map(
    library.Session.Session,
    (session) =>
      HttpServerResponse.stream(Stream.encodeText(Stream.fromEffect(
        Effect.map(session.get(user, Schema.Number), (value) => `user ${Option.getOrElse(value, () => 0)}`)
      )))
  )
  const answer = await ask(streamed, cookies)
  const varies = answer.headers.get("vary")?.toLowerCase().split(/\s*,\s*/).includes("cookie")
  return (await answer.text()) === "user 1" && varies !== true
    ? "a body shows what a session holds, and a cache may keep it for everybody"
    : undefined
}

/** Whoever was answered with success has written, in whichever fiber of the request that was. */
export const aFiberOfItsOwnOpensTheSession: Circumstance = async (library) => {
  const { ask, middleware, serve } = deploy(library, { keys: library.Config.generateKey() }, storeOf(library))
  const { read } = handlersOf(library)
  const writes = Effect.flatMap(
    library.SessionMiddleware.open(middleware),
    (session) => session.insert(user, Schema.Number, 1)
  )
  const inDaemon = Effect.forkDaemon(writes).pipe(
    Effect.flatMap(Fiber.await),
    Effect.flatMap((exit) => Effect.orDie(exit)),
    Effect.as(HttpServerResponse.empty({ status: 200 }))
  )
  const answer = await serve(inDaemon)([])
  const set = setBy(answer)
  const held: unknown = set === undefined ? {} : await (await ask(read, [set])).json()
  return answer.status < 400 && JSON.stringify(held) !== "{\"user\":1}"
    ? "a write was answered with success, and is nowhere"
    : undefined
}

/** Who signs in while another live session's cookie stands beside theirs is signed in, and leaves nothing behind. */
export const twoCookiesOfOneName: Circumstance = async (library) => {
  const { ask } = deploy(library, { keys: library.Config.generateKey() }, storeOf(library))
  const { count, read, signIn } = handlersOf(library)
  const ofThePath = setBy(await ask(count))!
  let ofTheHost = setBy(await ask(count))!
  const handedOut = [ofThePath, ofTheHost]
  for (let tries = 0; tries < 3; tries++) {
    ofTheHost = setBy(await ask(signIn, [ofThePath, ofTheHost])) ?? ofTheHost
    handedOut.push(ofTheHost)
  }
  const seen = await (await ask(read, [ofThePath, ofTheHost])).json() as { readonly user?: number }
  if (seen.user !== 1) {
    return "who was answered \"signed in\" and keeps cookies as a browser does is not"
  }
  const live = await Promise.all(
    Array.from(new Set(handedOut), async (cookie) => JSON.stringify(await (await ask(read, [cookie])).json()) !== "{}")
  )
  return live.filter((is) => is).length === 1 ? undefined : "a sign-in has left sessions behind"
}
