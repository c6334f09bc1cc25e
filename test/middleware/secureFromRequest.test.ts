import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Http from "node:http"
import * as Https from "node:https"
import { generate } from "selfsigned"
import { User } from "../support/webApp.js"

const certificate = generate([{ name: "commonName", value: "localhost" }], { algorithm: "sha256", keySize: 2048 })

const quiet = Logger.minimumLogLevel(LogLevel.Error)

type TrustedProxies = Config.SessionOptions["trustedProxies"]

const options = (trustedProxies: TrustedProxies): Config.SessionOptions => ({
  keys: Config.generateKey(),
  cookie: { name: "id", secure: "FromRequest" },
  trustedProxies
})

/** `/login` begins a session, `/logout` ends it; either answers the peer's address as the app sees it. */
const app = Effect.gen(function*() {
  const session = yield* Session.Session
  const request = yield* HttpServerRequest.HttpServerRequest
  yield* request.url.endsWith("/logout") ? session.purge : session.insert(User, "ferris")
  return HttpServerResponse.text(Option.getOrElse(request.remoteAddress, () => "unknown"))
}).pipe(Effect.orDie)

interface Visit {
  readonly path?: string
  readonly headers?: Http.OutgoingHttpHeaders
}

interface Visited {
  readonly body: string
  readonly isSecure: boolean
  readonly setCookie: string
}

const serve = (
  trustedProxies: TrustedProxies,
  { isTls = false, middleware = (app) => app }: {
    readonly isTls?: boolean
    readonly middleware?: HttpMiddleware.HttpMiddleware
  } = {}
) =>
  Effect.gen(function*() {
    const createServer = () =>
      isTls
        ? Https.createServer({ key: certificate.private, cert: certificate.cert })
        : Http.createServer()
    const context = yield* Layer.build(
      HttpServer.serve(SessionMiddleware.session(app), middleware).pipe(
        Layer.provide(SessionMiddleware.layer(options(trustedProxies))),
        Layer.provide(MemorySessionStore.layer()),
        // Without a host the server takes IPv6 where there is such a thing, and 127.0.0.1 comes as ::ffff:127.0.0.1.
        Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0 })),
        Layer.provide(quiet)
      )
    )
    const { address } = yield* Effect.provide(HttpServer.HttpServer, context)
    const port = address._tag === "TcpAddress" ? address.port : 0
    return ({ headers = {}, path = "/login" }: Visit = {}) =>
      Effect.promise(() =>
        new Promise<Visited>((resolve, reject) => {
          const target = { agent: false, headers, host: "127.0.0.1", path, port, rejectUnauthorized: false }
          const request = isTls ? Https.request(target) : Http.request(target)
          request.on("error", reject)
          request.on("response", (response) => {
            let body = ""
            response.on("data", (chunk) => body += String(chunk))
            response.on("end", () => {
              const lines = response.headers["set-cookie"] ?? []
              assert.strictEqual(lines.length, 1)
              const setCookie = lines[0]!
              resolve({ body, setCookie, isSecure: /; Secure(;|$)/.test(setCookie) })
            })
          })
          request.end()
        })
      )
  })

const saysHttps = { "x-forwarded-proto": "https" }

describe("a cookie that is as secure as its request", () => {
  it.scopedLive("is Secure over TLS, whatever a header says", () =>
    Effect.gen(function*() {
      const visit = yield* serve(undefined, { isTls: true })
      assert.isTrue((yield* visit()).isSecure)
      assert.isTrue((yield* visit({ headers: { "x-forwarded-proto": "http" } })).isSecure)
      const behindItself = yield* serve(["127.0.0.1"], { isTls: true })
      assert.isTrue((yield* behindItself({ headers: { "x-forwarded-proto": "http" } })).isSecure)
    }))

  it.scopedLive("is not Secure over plain HTTP, and believes nobody by default", () =>
    Effect.gen(function*() {
      const visit = yield* serve(undefined)
      assert.isFalse((yield* visit()).isSecure)
      for (
        const headers of [
          saysHttps,
          { "x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1", "x-forwarded-host": "app.example" },
          { forwarded: "for=127.0.0.1;proto=https" },
          { "x-forwarded-ssl": "on", "front-end-https": "on", "x-url-scheme": "https" }
        ]
      ) {
        assert.isFalse((yield* visit({ headers })).isSecure)
      }
    }))

  for (const proxy of ["127.0.0.1", "127.0.0.0/8", "::ffff:127.0.0.1", "::ffff:127.0.0.0/104", "0.0.0.0/0"]) {
    it.scopedLive(`goes by what a trusted proxy says, which is ${proxy}`, () =>
      Effect.gen(function*() {
        const visit = yield* serve(["192.0.2.1", proxy])
        assert.isTrue((yield* visit({ headers: saysHttps })).isSecure)
        assert.isFalse((yield* visit({ headers: { "x-forwarded-proto": "http" } })).isSecure)
        assert.isFalse((yield* visit()).isSecure)
      }))
  }

  for (const proxies of [["10.0.0.0/8"], ["::1"], ["127.0.0.2"], []]) {
    it.scopedLive(`takes no word from a peer outside ${JSON.stringify(proxies)}`, () =>
      Effect.gen(function*() {
        const visit = yield* serve(proxies)
        assert.isFalse((yield* visit({ headers: saysHttps })).isSecure)
      }))
  }

  it.scopedLive("takes everybody's word where all are trusted", () =>
    Effect.gen(function*() {
      const visit = yield* serve("All")
      assert.isTrue((yield* visit({ headers: saysHttps })).isSecure)
      assert.isFalse((yield* visit()).isSecure)
    }))

  it.scopedLive("goes by the nearest proxy where several have added their word, in one line or in two", () =>
    Effect.gen(function*() {
      const visit = yield* serve(["127.0.0.1"])
      assert.isTrue((yield* visit({ headers: { "x-forwarded-proto": "http, https" } })).isSecure)
      assert.isTrue((yield* visit({ headers: { "x-forwarded-proto": ["http", "https"] } })).isSecure)
      assert.isFalse((yield* visit({ headers: { "x-forwarded-proto": "https, http" } })).isSecure)
      assert.isFalse((yield* visit({ headers: { "x-forwarded-proto": ["https", "http"] } })).isSecure)
    }))

  it.scopedLive("is not fooled by a forged X-Forwarded-For, though the app believes it", () =>
    Effect.gen(function*() {
      const visit = yield* serve(["10.0.0.1"], { middleware: HttpMiddleware.xForwardedHeaders })
      const forged = { ...saysHttps, "x-forwarded-for": "10.0.0.1", "x-forwarded-host": "app.example" }
      const { body, isSecure } = yield* visit({ headers: forged })
      assert.strictEqual(body, "10.0.0.1")
      assert.isFalse(isSecure)
      const trusting = yield* serve(["127.0.0.1"], { middleware: HttpMiddleware.xForwardedHeaders })
      assert.isTrue((yield* trusting({ headers: { ...forged, "x-forwarded-for": "203.0.113.9" } })).isSecure)
    }))

  it.scopedLive("is not fooled by a request target that is a whole https URL", () =>
    Effect.gen(function*() {
      const visit = yield* serve(["10.0.0.0/8"])
      assert.isFalse((yield* visit({ path: "https://app.example/login" })).isSecure)
      assert.isFalse(
        (yield* visit({ path: "https://app.example/login", headers: { host: "app.example:443" } })).isSecure
      )
    }))

  it.scopedLive("is removed with the same Secure", () =>
    Effect.gen(function*() {
      const visit = yield* serve(["127.0.0.1"])
      for (const headers of [{}, saysHttps]) {
        const { isSecure, setCookie } = yield* visit({ headers })
        const removal = yield* visit({ path: "/logout", headers: { ...headers, cookie: setCookie.split(";")[0]! } })
        assert.include(removal.setCookie, "Max-Age=0")
        assert.strictEqual(removal.isSecure, isSecure)
      }
    }))

  it.scoped("goes by the URL of a web request, and knows no peer to trust by its address", () =>
    Effect.gen(function*() {
      const isSecure = (trustedProxies: TrustedProxies, url: string, headers: Record<string, string> = {}) =>
        Effect.gen(function*() {
          const middleware = yield* Effect.provide(
            SessionMiddleware.make(options(trustedProxies)),
            Layer.merge(MemorySessionStore.layer(), quiet)
          )
          const handler = HttpApp.toWebHandler(SessionMiddleware.sessionWith(middleware)(app))
          const response = yield* Effect.promise(() => handler(new Request(url, { headers })))
          return /; Secure(;|$)/.test(response.headers.getSetCookie()[0]!)
        })
      assert.isTrue(yield* isSecure(undefined, "https://app.test/login"))
      assert.isFalse(yield* isSecure(undefined, "http://app.test/login"))
      assert.isFalse(yield* isSecure(undefined, "http://app.test/login", saysHttps))
      assert.isFalse(yield* isSecure(["0.0.0.0/0", "::/0"], "http://app.test/login", saysHttps))
      assert.isTrue(yield* isSecure("All", "http://app.test/login", saysHttps))
    }))

  for (
    const [trustedProxies, sentences] of [
      [undefined, [/"FromRequest": whoever comes over plain HTTP/]],
      [["10.0.0.0/8"], [/"FromRequest": whoever comes over plain HTTP/]],
      ["All", [/"FromRequest": whoever comes over plain HTTP/, /trustedProxies is "All": whoever reaches this server/]]
    ] as const
  ) {
    it.scoped(`is warned of when the app starts, with proxies ${JSON.stringify(trustedProxies)}`, () =>
      Effect.gen(function*() {
        const lines: Array<string> = []
        const logger = Logger.make(({ logLevel, message }) => {
          lines.push(`${logLevel.label} ${String(message)}`)
        })
        yield* Effect.provide(
          SessionMiddleware.make(options(trustedProxies)),
          Layer.merge(MemorySessionStore.layer(), Logger.replace(Logger.defaultLogger, logger))
        )
        assert.strictEqual(lines.length, sentences.length)
        sentences.forEach((sentence, index) => {
          assert.match(lines[index]!, /^WARN /)
          assert.match(lines[index]!, sentence)
        })
      }))
  }
})
