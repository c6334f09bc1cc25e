/**
 * What a session has to say of a response, whatever else the app does to it: other hooks, caches of their own kind, web
 * responses and bodies that are made while they are sent. Over real sockets and in web handlers.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as Etag from "@effect/platform/Etag"
import type * as FileSystem from "@effect/platform/FileSystem"
import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import type * as HttpPlatform from "@effect/platform/HttpPlatform"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as Path from "@effect/platform/Path"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionHttpApi from "effect-session/SessionHttpApi"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import { createReadStream } from "node:fs"
import { createServer } from "node:http"
import { Readable } from "node:stream"
import { type Handler, User } from "../support/webApp.js"

const login = Effect.flatMap(Session.Session, (session) => session.insert(User, "ferris"))
const look = Effect.flatMap(Session.Session, (session) => session.get(User))
const ok = HttpServerResponse.text("ok")

const away = new SessionStore.SaveError({ reason: "Unavailable", message: "the store is away" })

/** A store that begins no session where `isAway`. */
const store = (isAway: boolean) =>
  Layer.map(MemorySessionStore.layer(), (context) => {
    const [[key, store]] = Array.from(context.unsafeMap) as [[string, SessionStore.SessionStore]]
    return { ...context, unsafeMap: new Map([[key, isAway ? { ...store, save: () => Effect.fail(away) } : store]]) }
  }) as typeof MemorySessionStore.layer extends (...args: any) => infer L ? L : never

const sessions = (isAway: boolean) =>
  SessionMiddleware.layer({ keys: Config.generateKey() }).pipe(Layer.provide(store(isAway)))

type App = Layer.Layer<
  never,
  unknown,
  | HttpServer.HttpServer
  | HttpPlatform.HttpPlatform
  | Etag.Generator
  | FileSystem.FileSystem
  | Path.Path
  | SessionMiddleware.SessionMiddleware
>

const cors = HttpMiddleware.cors({ allowedOrigins: ["https://a.test", "https://b.test"], credentials: true })
const corsOptions = { allowedOrigins: ["https://a.test", "https://b.test"], credentials: true }

class Api extends HttpApi.make("api").add(
  HttpApiGroup.make("all").add(HttpApiEndpoint.get("one", "/"))
).middleware(SessionHttpApi.Sessions) {}

/** An `HttpApi` whose one endpoint is this handler. */
const api = (handler: Handler): Layer.Layer<HttpApi.Api, never, SessionMiddleware.SessionMiddleware> =>
  HttpApiBuilder.api(Api).pipe(
    Layer.provide(
      HttpApiBuilder.group(Api, "all", (handlers) => handlers.handleRaw("one", () => Effect.orDie(handler)))
    ),
    Layer.provide(SessionHttpApi.Sessions.layer)
  )

/** Every place for a session beside CORS, in either order. */
const withCors: Readonly<Record<string, (handler: Handler) => App>> = {
  "HttpRouter, CORS inside": (handler) =>
    HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.get("/", handler), cors, SessionMiddleware.session)),
  "HttpRouter, CORS outside": (handler) =>
    HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.get("/", handler), SessionMiddleware.session, cors)),
  "HttpRouter, the session where it is served": (handler) =>
    HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.get("/", handler), cors), SessionMiddleware.session),
  "HttpRouter.use, CORS inside": (handler) =>
    HttpServer.serve(
      HttpRouter.empty.pipe(
        HttpRouter.get("/", handler),
        HttpRouter.use(cors),
        HttpRouter.use(SessionMiddleware.session)
      )
    ),
  "HttpApi with middlewareCors": (handler) =>
    HttpApiBuilder.serve().pipe(
      Layer.provide(HttpApiBuilder.middlewareCors(corsOptions)),
      Layer.provide(api(handler))
    ),
  "HttpApi with CORS in the handler": (handler) =>
    HttpApiBuilder.serve().pipe(Layer.provide(api(cors(handler) as Handler))),
  "HttpLayerRouter, CORS outside": (handler) =>
    HttpLayerRouter.serve(
      HttpLayerRouter.add("GET", "/", Effect.orDie(handler)).pipe(
        Layer.provide(SessionHttpLayerRouter.layer),
        Layer.provide(HttpLayerRouter.cors(corsOptions))
      ),
      { disableLogger: true }
    ),
  "HttpLayerRouter, CORS inside": (handler) =>
    HttpLayerRouter.serve(
      HttpLayerRouter.add("GET", "/", cors(Effect.orDie(handler)) as typeof handler).pipe(
        Layer.provide(SessionHttpLayerRouter.layer)
      ) as Layer.Layer<never>,
      { disableLogger: true }
    )
}

const answer = (app: App, isAway = false) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(
      app.pipe(
        Layer.provide(sessions(isAway)),
        Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
    const port = address._tag === "TcpAddress" ? address.port : 0
    return yield* Effect.promise(async () => {
      const response = await fetch(`http://127.0.0.1:${port}/`, {
        headers: { origin: "https://a.test" },
        redirect: "manual"
      })
      return { status: response.status, headers: response.headers, body: await response.text() }
    })
  }).pipe(Effect.scoped, Logger.withMinimumLogLevel(LogLevel.None))

const plain = (handler: Handler): App =>
  HttpServer.serve(HttpRouter.empty.pipe(HttpRouter.get("/", handler), SessionMiddleware.session))

/** In a web handler, with the session around the handler. */
const answerInWeb = (handler: Handler) =>
  Effect.promise(async () => {
    const { dispose, handler: web } = HttpApp.toWebHandlerLayer(
      SessionMiddleware.session(Effect.orDie(handler)),
      sessions(false)
    )
    const response = await web(new Request("https://app.test/"))
    const answered = { status: response.status, headers: response.headers, body: await response.text() }
    await dispose()
    return answered
  })

const words = (header: string | null): ReadonlyArray<string> =>
  header === null ? [] : header.split(",").map((word) => word.trim().toLowerCase())

describe("other hooks of the response", () => {
  const hooked = HttpApp.appendPreResponseHandler((_request, response) =>
    Effect.succeed(HttpServerResponse.setHeaders(response, { "cache-control": "public, max-age=60", vary: "Origin" }))
  )

  for (const [place, serve] of Object.entries(withCors)) {
    it.live(`leave what the session says: ${place}`, () =>
      Effect.gen(function*() {
        const { headers, status } = yield* answer(serve(Effect.as(login, ok)))
        assert.strictEqual(status, 200)
        assert.strictEqual(headers.getSetCookie().length, 1)
        assert.include(words(headers.get("vary")), "cookie")
        assert.include(words(headers.get("vary")), "origin")
        assert.include(words(headers.get("cache-control")), "no-store")
        assert.strictEqual(headers.get("access-control-allow-origin"), "https://a.test")
      }))

    it.live(`leave what the session says, when the handler fails or hooks for itself: ${place}`, () =>
      Effect.gen(function*() {
        const failed = yield* answer(serve(Effect.zipRight(look, Effect.fail("failed"))))
        assert.strictEqual(failed.status, 500)
        assert.include(words(failed.headers.get("vary")), "cookie")
        const { headers } = yield* answer(serve(Effect.as(Effect.zipRight(login, hooked), ok)))
        assert.include(words(headers.get("vary")), "cookie")
        assert.include(words(headers.get("cache-control")), "no-store")
      }))

    it.live(`a commit that fails keeps the headers of the app: ${place}`, () =>
      Effect.gen(function*() {
        const page = HttpServerResponse.html("<p>private</p>").pipe(
          HttpServerResponse.setHeaders({
            "strict-transport-security": "max-age=1",
            "x-request-id": "7",
            etag: "\"1\"",
            location: "/next",
            "content-encoding": "identity",
            "x-accel-redirect": "/private",
            "cache-control": "public, max-age=60"
          }),
          HttpServerResponse.unsafeSetCookie("theme", "dark")
        )
        const { body, headers, status } = yield* answer(serve(Effect.as(login, page)), true)
        assert.strictEqual(status, 503)
        assert.strictEqual(body, "")
        assert.strictEqual(headers.get("access-control-allow-origin"), "https://a.test")
        assert.strictEqual(headers.get("access-control-allow-credentials"), "true")
        assert.strictEqual(headers.get("strict-transport-security"), "max-age=1")
        assert.strictEqual(headers.get("x-request-id"), "7")
        assert.deepStrictEqual(headers.getSetCookie(), ["theme=dark"])
        assert.strictEqual(headers.get("cache-control"), "no-store")
        for (const name of ["content-type", "etag", "location", "content-encoding", "x-accel-redirect"]) {
          assert.isNull(headers.get(name), name)
        }
      }))
  }
})

describe("caches with headers of their own", () => {
  const cached = HttpServerResponse.setHeaders(ok, {
    "cache-control": "public, max-age=60",
    "cdn-cache-control": "max-age=60",
    "cloudflare-cdn-cache-control": "max-age=60",
    "vercel-cdn-cache-control": "max-age=60",
    "netlify-cdn-cache-control": "public, s-maxage=60, durable",
    "another-cdn-cache-control": "no-store, max-age=0",
    "surrogate-control": "max-age=60",
    "edge-control": "cache-maxage=60",
    "x-accel-expires": "60",
    expires: "Fri, 01 Jan 2100 00:00:00 GMT"
  })

  it.live("keep no answer that sets the cookie", () =>
    Effect.gen(function*() {
      const { headers } = yield* answer(plain(Effect.as(login, cached)))
      assert.strictEqual(headers.get("cache-control"), "no-store")
      for (const cdn of ["", "cloudflare-", "vercel-", "netlify-"]) {
        assert.strictEqual(headers.get(`${cdn}cdn-cache-control`), "no-store", cdn)
      }
      assert.strictEqual(headers.get("another-cdn-cache-control"), "no-store, max-age=0")
      assert.strictEqual(headers.get("surrogate-control"), "no-store")
      assert.strictEqual(headers.get("edge-control"), "no-store")
      assert.strictEqual(headers.get("x-accel-expires"), "0")
      assert.strictEqual(headers.get("expires"), "0")
    }))

  it.live("keep any other as the app says, and nothing is added", () =>
    Effect.gen(function*() {
      const { headers } = yield* answer(plain(Effect.as(look, cached)))
      assert.strictEqual(headers.get("cdn-cache-control"), "max-age=60")
      assert.strictEqual(headers.get("expires"), "Fri, 01 Jan 2100 00:00:00 GMT")
      const fresh = yield* answer(plain(Effect.as(login, ok)))
      assert.isNull(fresh.headers.get("cdn-cache-control"))
      assert.isNull(fresh.headers.get("expires"))
    }))
})

describe("a body that is made while it is sent", () => {
  const bytes = () => Stream.make(new Uint8Array([111, 107]))
  const bodies: Readonly<Record<string, () => HttpServerResponse.HttpServerResponse>> = {
    "a Stream": () => HttpServerResponse.stream(bytes()),
    "a ReadableStream in a Response": () => HttpServerResponse.raw(new Response(Stream.toReadableStream(bytes()))),
    "a Node stream": () => HttpServerResponse.raw(Readable.from(["ok"]))
  }

  it.live("varies by the cookie, since it may read the session after the headers went out", () =>
    Effect.gen(function*() {
      for (const [name, body] of Object.entries(bodies)) {
        const { headers, body: text } = yield* answer(plain(Effect.sync(body)))
        assert.strictEqual(text, "ok", name)
        assert.strictEqual(headers.get("vary"), "Cookie", name)
      }
      for (
        const body of [
          () => HttpServerResponse.raw(Stream.toReadableStream(bytes())),
          bodies["a ReadableStream in a Response"]!,
          bodies["a Stream"]!
        ]
      ) {
        const { headers, body: text } = yield* answerInWeb(Effect.sync(body))
        assert.strictEqual(text, "ok")
        assert.strictEqual(headers.get("vary"), "Cookie")
      }
    }))

  it.live("is neither a file nor a body that is there already", () =>
    Effect.gen(function*() {
      for (
        const body of [
          () => ok,
          () => HttpServerResponse.empty(),
          () => HttpServerResponse.raw("ok"),
          () => HttpServerResponse.raw(createReadStream("package.json"))
        ]
      ) {
        assert.isNull((yield* answer(plain(Effect.sync(body)))).headers.get("vary"))
      }
    }))
})

describe("a web Response as the body", () => {
  const lines = [
    "other=a%2Bb; Path=/; HttpOnly; SameSite=Lax",
    "other=; Max-Age=0; Path=/old"
  ]
  const proxied = () => {
    const response = new Response("proxied", { status: 201, headers: { "x-from": "there", "content-type": "text/x" } })
    for (const line of lines) {
      response.headers.append("set-cookie", line)
    }
    return HttpServerResponse.raw(response)
  }
  const redirect = () => HttpServerResponse.raw(Response.redirect("https://app.test/next", 303))

  for (
    const [where, ask] of [
      ["over a socket", (handler: Handler) => answer(plain(handler))],
      ["in a web handler", answerInWeb]
    ] as const
  ) {
    it.live(`keeps its status, headers and cookies beside the session's: ${where}`, () =>
      Effect.gen(function*() {
        const { body, headers, status } = yield* ask(Effect.map(login, proxied))
        assert.strictEqual(status, 201)
        assert.strictEqual(body, "proxied")
        assert.strictEqual(headers.get("x-from"), "there")
        assert.strictEqual(headers.get("content-type"), "text/x")
        const cookies = headers.getSetCookie()
        assert.strictEqual(cookies.length, 3)
        assert.deepStrictEqual(cookies.filter((line) => line.startsWith("other=")).length, 2)
        assert.isTrue(cookies.some((line) => line.startsWith("other=a%2Bb; ")))
        assert.isTrue(cookies.some((line) => line.startsWith("other=; ") && line.includes("Path=/old")))
        assert.strictEqual(headers.get("cache-control"), "no-store")
      }))

    it.live(`may be immutable: ${where}`, () =>
      Effect.gen(function*() {
        const { headers, status } = yield* ask(Effect.map(login, redirect))
        assert.strictEqual(status, 303)
        assert.strictEqual(headers.get("location"), "https://app.test/next")
        assert.strictEqual(headers.getSetCookie().length, 1)
      }))
  }
})
