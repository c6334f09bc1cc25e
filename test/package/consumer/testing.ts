/** What users run against their own handlers and stores. */
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"
import * as StoreContract from "effect-session/testing/StoreContract"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as TestSession from "effect-session/testing/TestSession"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const Counter = Session.entry("counter", Schema.NonNegativeInt)

const handler = Effect.gen(function*() {
  const session = yield* Session.Session
  return HttpServerResponse.text(String(yield* session.updateOr(Counter, 1, (n) => n + 1)))
})

export const alone = handler.pipe(Effect.provide(TestSession.layer({ counter: 3 }, { id: undefined, age: undefined })))

export const served = Effect.gen(function*() {
  const browser = yield* TestBrowser.make
  const { body, setCookies } = yield* browser.get("/")
  return { body, names: setCookies.map(({ name }) => name), cookie: browser.cookieHeader("/") }
})

export const app = HttpRouter.empty.pipe(
  HttpRouter.get("/", handler),
  SessionMiddleware.session,
  HttpServer.serve(),
  Layer.provide(TestSession.layerMiddleware({ lifecycle: undefined }))
)

const options = { store: MemorySessionStore.layer(), canInvalidate: true }

StoreContract.suite("memory", options)
AcceptanceSuite.suite("memory", options)

export const titles = StoreContract.cases(options).map(({ group, title }) => `${group}: ${title}`)
