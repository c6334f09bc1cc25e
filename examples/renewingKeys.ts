/**
 * What visitors and a thief notice of keys that are renewed by themselves: docs/guides/renewing-keys.md goes through it. Run it with
 * `npx tsx examples/renewingKeys.ts`; it tells the story, by a clock of its own, and ends.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionEvent from "effect-session/SessionEvent"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Console from "effect/Console"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"

const User = Session.entry("user", Schema.NonEmptyString)

const signIn = Effect.gen(function*() {
  const session = yield* Session.Session
  yield* session.insert(User, "ada")
  yield* session.renew
  return HttpServerResponse.text("ada")
})

const look = Effect.gen(function*() {
  const session = yield* Session.Session
  return HttpServerResponse.text(Option.getOrElse(yield* session.get(User), () => "nobody"))
})

const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", look),
  HttpRouter.post("/", signIn),
  SessionMiddleware.session
)

const lifecycle = Config.BrowserSession({ ttl: "14 days", ttlExtension: "OnEveryRequest", renewEvery: "15 minutes" })

const story = Effect.gen(function*() {
  const handler = HttpApp.toWebHandlerRuntime(yield* Effect.runtime<SessionMiddleware.SessionMiddleware>())(app)
  const ask = (method: "GET" | "POST", cookie = "") =>
    Effect.promise(async () => {
      const response = await handler(new Request("http://localhost/", { method, headers: { cookie } }))
      const [line] = response.headers.getSetCookie()
      return { user: await response.text(), cookie: line?.split(";")[0] }
    })
  const alarm = yield* Deferred.make<void>()
  yield* SessionMiddleware.events.pipe(
    Stream.filter(SessionEvent.$is("KeyReused")),
    Stream.runForEach(() => Deferred.succeed(alarm, undefined)),
    Effect.fork
  )
  yield* Effect.yieldNow()

  const { cookie: first } = yield* ask("POST")
  yield* TestClock.adjust("15 minutes")
  const tabs = yield* Effect.all([ask("GET", first), ask("GET", first)], { concurrency: "unbounded" })
  yield* Console.log(
    `two tabs:      ${tabs.map(({ user }) => user).join(" and ")}, new cookies: ${
      tabs.filter(({ cookie }) => cookie !== undefined).length
    }`
  )

  yield* TestClock.adjust("1 hour")
  const again = yield* ask("GET", first)
  yield* Console.log(`answer lost:   ${again.user}, another new cookie: ${again.cookie !== undefined}`)

  yield* Console.log(`new cookie:    ${(yield* ask("GET", again.cookie)).user}`)
  yield* TestClock.adjust("59 seconds")
  yield* Console.log(`in the grace:  ${(yield* ask("GET", first)).user} with the old cookie`)

  yield* TestClock.adjust("1 second")
  yield* Console.log(`after it:      ${(yield* ask("GET", first)).user} with the old cookie`)
  yield* Deferred.await(alarm)
  yield* Console.log(`               ${(yield* ask("GET", again.cookie)).user} with the new one, and an alarm`)
})

const program = story.pipe(
  Effect.scoped,
  Effect.provide(SessionMiddleware.layer({ keys: Config.generateKey(), lifecycle })),
  Effect.provide(MemorySessionStore.layer()),
  Effect.provide(TestContext.TestContext)
)

NodeRuntime.runMain(program)
