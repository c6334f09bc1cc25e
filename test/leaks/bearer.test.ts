/**
 * Keys that travel in headers, over real sockets: platform writes the headers of requests and responses on its spans, and
 * whoever logs a request or a response shows them. None of it shows a key.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Headers from "@effect/platform/Headers"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { createServer } from "node:http"
import { answer } from "../acceptance/servedApp.js"
import { Counter, User } from "../support/webApp.js"
import type { Printed } from "./printed.js"
import { makePrinted } from "./printed.js"
import { makeVault, unique } from "./vault.js"

const routes = (value: string) =>
  HttpRouter.empty.pipe(
    HttpRouter.post("/login", answer((session) => Effect.zipRight(session.renew, session.insert(User, value)))),
    HttpRouter.post("/count", answer((session) => session.updateOr(Counter, 1, (n) => n + 1))),
    HttpRouter.get("/id", answer((session) => session.id)),
    HttpRouter.get("/broken", answer((session) => session.get(User.key, Counter.schema))),
    HttpRouter.get(
      "/logged",
      Effect.gen(function*() {
        const { headers } = yield* HttpServerRequest.HttpServerRequest
        const session = yield* Session.Session
        yield* Effect.log("the headers", Headers.redact(headers, yield* Headers.currentRedactedNames), session)
        return yield* answer(() => session.contains(User))
      })
    ),
    HttpRouter.post("/logout", answer((session) => session.purge))
  )

const serve = (printed: Printed, options: Partial<Config.SessionOptions>, value: string, isCookie: boolean) =>
  routes(value).pipe(
    SessionMiddleware.session,
    HttpServer.serve(HttpMiddleware.logger),
    Layer.provideMerge(SessionMiddleware.layer({ keys: Config.generateKey(), ...options })),
    Layer.provideMerge(isCookie ? CookieSessionStore.layer : Layer.orDie(MemorySessionStore.layer())),
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provide(printed.layer)
  )

const configurations: ReadonlyArray<readonly [about: string, header: string, bearer: Config.BearerOptions | true]> = [
  ["the header that it has by default", "authorization", true],
  ["a header of the app's own", "session-token", { header: "session-token" }]
]

describe.each(configurations)("no key is printed that is given out in %s", (_, header, bearer) => {
  it.scopedLive.each([["memory", false], ["cookie", true]] as const)("by an app that keeps sessions in the %s", (
    [, isCookie]
  ) => {
    const vault = makeVault()
    const printed = makePrinted()
    return Effect.gen(function*() {
      const value = vault.plant("a session value", unique("value"))
      const layer = serve(printed, { bearer, telemetry: "SessionId" }, value, isCookie)
      yield* Effect.gen(function*() {
        const middleware = yield* SessionMiddleware.SessionMiddleware
        yield* Effect.forkScoped(
          Stream.runForEach(middleware.events, (event) => Effect.sync(() => printed.print("event", event)))
        )
        const client = yield* TestBrowser.makeBearerClient(header)
        const plant = Effect.sync(() => {
          const token = client.authorization().slice("Bearer ".length)
          if (token !== "") {
            vault.plant("a bearer", token)
            const { plaintext } = Option.getOrThrow(middleware.bearer!.crypto.open(token))
            vault.plant("the secret half of a key", plaintext.slice(plaintext.indexOf(".") + 1))
          }
        })
        const visit = (path: string, method = "GET", status = 200) =>
          Effect.gen(function*() {
            const answer = yield* client.request(path, { method })
            assert.strictEqual(answer.status, status, path)
            yield* plant
          })
        yield* visit("/login", "POST")
        yield* visit("/count", "POST")
        yield* visit("/id")
        yield* visit("/logged")
        yield* visit("/broken", "GET", 500)
        yield* visit("/login", "POST")
        const held = client.authorization()
        const forgeries = [`${held}x`, `${held} ${held}`, `${held},${held}`, `bearer ${held.slice(7)}`]
        for (const authorization of forgeries) {
          yield* client.copy().request("/count", { method: "POST", headers: { authorization } })
        }
        const both = yield* client.copy().request("/id", { headers: { cookie: "__Host-id=x" } })
        assert.strictEqual(both.status, 400)
        yield* visit("/logout", "POST")
        assert.strictEqual(client.authorization(), "Bearer")
        printed.print("the middleware", middleware)
        printed.print("the transport", middleware.bearer)
      }).pipe(Effect.provide(layer))
      const places = printed.places()
      const spans = places.get("span, its attributes, inspected")
      assert.include(spans, "http.request.header.authorization")
      assert.include(spans, `http.response.header.${header}`)
      assert.include(spans, "'session.id'")
      const found = Array.from(places).flatMap(([place, text]) =>
        vault.findIn(text).map((secret) => `${place}: ${secret}`)
      )
      assert.deepStrictEqual(Array.from(new Set(found)), [])
      assert.isAbove(vault.size(), 4)
    }).pipe(Effect.provide(printed.layer))
  })
})

describe("the names of headers that are hidden", () => {
  const namesIn = (bearer: Config.BearerOptions | boolean, before?: ReadonlyArray<string>) =>
    Effect.flatMap(
      SessionMiddleware.SessionMiddleware,
      () => FiberRef.get(Headers.currentRedactedNames)
    )
      .pipe(
        Effect.provide(
          SessionMiddleware.layer({ keys: Config.generateKey(), bearer }).pipe(
            Layer.provide(MemorySessionStore.layer())
          )
        ),
        before === undefined ? (self) => self : Effect.locally(Headers.currentRedactedNames, before)
      )

  it.effect("are the platform's own where nothing is to be added, and more where it is", () =>
    Effect.gen(function*() {
      const own = yield* FiberRef.get(Headers.currentRedactedNames)
      assert.deepStrictEqual(yield* namesIn(false), own)
      assert.deepStrictEqual(yield* namesIn(true), own)
      assert.deepStrictEqual(yield* namesIn({ header: "session-token" }), [...own, "session-token"])
      assert.deepStrictEqual(yield* namesIn(false, ["cookie"]), ["cookie"])
      assert.deepStrictEqual(yield* namesIn(true, ["cookie"]), ["cookie", "authorization"])
      assert.deepStrictEqual(yield* FiberRef.get(Headers.currentRedactedNames), own)
    }))
})
