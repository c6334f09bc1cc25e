/**
 * A browser as small as the test of an app needs: it sends requests over a real socket to the `HttpServer` of the test,
 * and keeps cookies between them.
 *
 * Cookies are read and written as raw header lines, so that a test sees what went over the wire. Unlike a real browser it
 * sends Secure cookies over plain HTTP, which is all that a test server speaks, and takes every Domain for its own.
 *
 * @example
 * ```ts
 * import * as HttpRouter from "@effect/platform/HttpRouter"
 * import * as HttpServer from "@effect/platform/HttpServer"
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
 * import { assert, it } from "@effect/vitest"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 * import * as Schema from "effect/Schema"
 * import * as Session from "effect-session/Session"
 * import * as SessionMiddleware from "effect-session/SessionMiddleware"
 * import * as TestBrowser from "effect-session/testing/TestBrowser"
 * import * as TestSession from "effect-session/testing/TestSession"
 *
 * const Counter = Session.entry("counter", Schema.NonNegativeInt)
 *
 * const App = HttpRouter.empty.pipe(
 *   HttpRouter.get(
 *     "/",
 *     Effect.gen(function*() {
 *       const session = yield* Session.Session
 *       return HttpServerResponse.text(String(yield* session.updateOr(Counter, 1, (n) => n + 1)))
 *     })
 *   ),
 *   SessionMiddleware.session,
 *   HttpServer.serve(),
 *   Layer.provide(TestSession.layerMiddleware()),
 *   Layer.provideMerge(NodeHttpServer.layerTest)
 * )
 *
 * it.scopedLive("the second visit counts two", () =>
 *   Effect.gen(function*() {
 *     const browser = yield* TestBrowser.make
 *     yield* browser.get("/")
 *     assert.strictEqual((yield* browser.get("/")).body, "2")
 *   }).pipe(Effect.provide(App)))
 * ```
 *
 * @since 0.1.0
 */
import * as HttpServer from "@effect/platform/HttpServer"
import * as Effect from "effect/Effect"

/**
 * A request. `body` is sent as it is.
 *
 * @since 0.1.0
 * @category models
 */
export interface Request {
  readonly method?: string | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body?: string | undefined
}

/**
 * A response with its body read to the end. Redirects are not followed.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
  /** The `Set-Cookie` lines, in the order of the wire. */
  readonly setCookies: ReadonlyArray<SetCookie>
}

/**
 * A `Set-Cookie` line. The names of `attributes` are in lower case; one without a value, like `Secure`, has `""`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SetCookie {
  readonly line: string
  readonly name: string
  readonly value: string
  readonly attributes: ReadonlyMap<string, string>
}

/**
 * A browser without a window: it sends requests to the server of the test and keeps the cookies it is given.
 *
 * @since 0.1.0
 * @category models
 */
export interface TestBrowser {
  /** Sends a request with the cookies that are kept for its path, and keeps those that the answer sets. */
  readonly request: (path: string, request?: Request) => Effect.Effect<Answer>
  readonly get: (path: string) => Effect.Effect<Answer>
  /** Sends a POST whose body is the JSON of `body`, or empty. */
  readonly post: (path: string, body?: unknown) => Effect.Effect<Answer>
  /** The `Cookie` header that goes with a request of that path, if any. */
  readonly cookieHeader: (path: string) => string | undefined
  /**
   * Another browser that holds the same cookies at this moment: a second tab to keep what the first one loses, or a thief.
   */
  readonly copy: () => TestBrowser
}

/**
 * Reads a `Set-Cookie` line, as RFC 6265bis §5.6 splits it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const readSetCookie = (line: string): SetCookie => {
  const [pair = "", ...attributes] = line.split(";")
  const [name, value] = splitPair(pair)
  return {
    line,
    name,
    value,
    attributes: new Map(attributes.map((attribute) => {
      const [name, value] = splitPair(attribute)
      return [name.toLowerCase(), value]
    }))
  }
}

const splitPair = (text: string): readonly [name: string, value: string] => {
  const equals = text.indexOf("=")
  return equals === -1 ? [text.trim(), ""] : [text.slice(0, equals).trim(), text.slice(equals + 1).trim()]
}

/**
 * Sends one request to the `HttpServer`, with exactly the headers given. A `Cookie` header is sent byte for byte, one
 * character a byte.
 *
 * @since 0.1.0
 * @category requests
 */
export const send = (path: string, request: Request = {}): Effect.Effect<Answer, never, HttpServer.HttpServer> =>
  Effect.flatMap(HttpServer.HttpServer, (server) => sendTo(server, path, request))

const sendTo = (server: HttpServer.HttpServer, path: string, request: Request): Effect.Effect<Answer> =>
  Effect.promise(async (signal) => {
    const response = await fetch(urlOf(server, path), {
      method: request.method ?? "GET",
      // A kept connection may be closed by the server just when it is used again: each request has one of its own.
      headers: { connection: "close", ...request.headers },
      redirect: "manual",
      signal,
      ...(request.body === undefined ? {} : { body: request.body })
    })
    return {
      status: response.status,
      headers: response.headers,
      body: await response.text(),
      setCookies: response.headers.getSetCookie().map(readSetCookie)
    }
  })

const urlOf = (server: HttpServer.HttpServer, path: string): string => {
  if (server.address._tag === "UnixAddress") {
    throw new Error("TestBrowser needs a server that listens on a TCP port, as NodeHttpServer.layerTest does")
  }
  return `http://127.0.0.1:${server.address.port}${path}`
}

/** The cookies that a browser keeps, by what it tells them apart by, the oldest first. */
type Jar = ReadonlyMap<string, SetCookie>

const pathOf = (cookie: SetCookie): string => cookie.attributes.get("path") ?? "/"

const placeOf = (cookie: SetCookie): string =>
  [
    cookie.name,
    cookie.attributes.get("domain")?.toLowerCase(),
    pathOf(cookie),
    cookie.attributes.has("partitioned")
  ].join(";")

const withCookies = (jar: Jar, cookies: ReadonlyArray<SetCookie>): Jar => {
  const next = new Map(jar)
  for (const cookie of cookies) {
    const place = placeOf(cookie)
    if (Number(cookie.attributes.get("max-age") ?? 1) > 0) {
      next.set(place, cookie)
    } else {
      next.delete(place)
    }
  }
  return next
}

// RFC 6265bis §5.1.4
const isBelow = (path: string, cookiePath: string): boolean =>
  path === cookiePath ||
  (path.startsWith(cookiePath) && (cookiePath.endsWith("/") || path[cookiePath.length] === "/"))

// Cookies of longer paths come first (RFC 6265bis §5.8.3).
const headerOf = (jar: Jar, target: string): string | undefined => {
  const path = target.split(/[?#]/, 1)[0]!
  const cookies = Array.from(jar.values())
    .filter((cookie) => isBelow(path, pathOf(cookie)))
    .sort((one, other) => pathOf(other).length - pathOf(one).length)
  return cookies.length === 0 ? undefined : cookies.map(({ name, value }) => `${name}=${value}`).join("; ")
}

const postOf = (body: unknown): Request => ({
  method: "POST",
  ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) })
})

const makeWith = (server: HttpServer.HttpServer, initial: Jar): TestBrowser => {
  let jar = initial
  const request = (path: string, request: Request = {}) =>
    Effect.suspend(() => {
      const cookie = headerOf(jar, path)
      return sendTo(server, path, {
        ...request,
        headers: { ...(cookie === undefined ? {} : { cookie }), ...request.headers }
      })
    }).pipe(
      Effect.tap((answer) =>
        Effect.sync(() => {
          jar = withCookies(jar, answer.setCookies)
        })
      )
    )
  return {
    request,
    get: (path) => request(path),
    post: (path, body) => request(path, postOf(body)),
    cookieHeader: (path) => headerOf(jar, path),
    copy: () => makeWith(server, jar)
  }
}

/**
 * Opens a browser without cookies on the `HttpServer` of the test.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<TestBrowser, never, HttpServer.HttpServer> = Effect.map(
  HttpServer.HttpServer,
  (server) => makeWith(server, new Map())
)

/**
 * A client that keeps no cookies, as a mobile app or a program is one: it sends its key as `Authorization: Bearer`, for an app
 * whose option `bearer` is on.
 *
 * @since 0.1.0
 * @category models
 */
export interface BearerClient {
  /** Sends a request with what is kept as its `Authorization`, and keeps what the answer puts into its place. */
  readonly request: (path: string, request?: Request) => Effect.Effect<Answer>
  readonly get: (path: string) => Effect.Effect<Answer>
  /** Sends a POST whose body is the JSON of `body`, or empty. */
  readonly post: (path: string, body?: unknown) => Effect.Effect<Answer>
  /** What goes with the next request: `Bearer` and a key, or `Bearer` alone where there is none. */
  readonly authorization: () => string
  /** Another client that holds the same key at this moment. */
  readonly copy: () => BearerClient
}

/**
 * A client without a key. `header` is the response header that the app gives keys out in, `authorization` by default.
 *
 * @example
 * ```ts
 * import { assert } from "@effect/vitest"
 * import * as Effect from "effect/Effect"
 * import * as TestBrowser from "effect-session/testing/TestBrowser"
 *
 * const signsInAndOut = Effect.gen(function*() {
 *   const client = yield* TestBrowser.makeBearerClient()
 *   yield* client.post("/login")
 *   assert.match(client.authorization(), /^Bearer .+/)
 *   yield* client.post("/logout")
 *   assert.strictEqual(client.authorization(), "Bearer")
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBearerClient = (
  header = "authorization"
): Effect.Effect<BearerClient, never, HttpServer.HttpServer> =>
  Effect.map(HttpServer.HttpServer, (server) => makeBearerWith(server, header, "Bearer"))

const makeBearerWith = (server: HttpServer.HttpServer, header: string, initial: string): BearerClient => {
  let authorization = initial
  const request = (path: string, request: Request = {}) =>
    Effect.suspend(() => sendTo(server, path, { ...request, headers: { authorization, ...request.headers } })).pipe(
      Effect.tap((answer) =>
        Effect.sync(() => {
          authorization = answer.headers.get(header) ?? authorization
        })
      )
    )
  return {
    request,
    get: (path) => request(path),
    post: (path, body) => request(path, postOf(body)),
    authorization: () => authorization,
    copy: () => makeBearerWith(server, header, authorization)
  }
}
