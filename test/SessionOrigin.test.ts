import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import { assert, describe, it } from "@effect/vitest"
import * as SessionOrigin from "effect-session/SessionOrigin"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"

interface Sent {
  readonly method?: string
  readonly target?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly from?: string
  readonly isEncrypted?: boolean
}

/** A request as Node's server hands it over, on a connection that the test says. */
const isRefused = (options: SessionOrigin.Options, { from, headers, isEncrypted, method, target }: Sent) => {
  const request = new Request(`http://elsewhere.test${target ?? "/transfer"}`, { method: method ?? "POST" })
  const parts = HttpServerRequest.fromWeb(request)
  const node = new Proxy(parts, {
    get: (_, name) =>
      name === "headers"
        ? { host: "app.test", ...headers }
        : name === "source"
        ? { socket: { remoteAddress: from ?? "203.0.113.9", encrypted: isEncrypted ?? false } }
        : name === "originalUrl"
        ? target ?? "/transfer"
        : Reflect.get(parts, name, parts) as unknown
  })
  const checked = SessionOrigin.check(Either.getOrThrow(SessionOrigin.make(options))).pipe(
    Effect.provideService(HttpServerRequest.HttpServerRequest, node)
  )
  return Either.isLeft(Effect.runSync(Effect.either(checked)))
}

type Row = readonly [about: string, sent: Sent, isRefused: boolean]

const rows: ReadonlyArray<Row> = [
  ["a page of this app", { headers: { "sec-fetch-site": "same-origin", origin: "http://app.test" } }, false],
  ["the address bar", { headers: { "sec-fetch-site": "none" } }, false],
  ["another site", { headers: { "sec-fetch-site": "cross-site", origin: "https://evil.test" } }, true],
  ["another site that hides itself", { headers: { "sec-fetch-site": "cross-site", origin: "null" } }, true],
  ["a subdomain next door", { headers: { "sec-fetch-site": "same-site", origin: "https://blog.app.test" } }, true],
  ["a word that no browser sends", { headers: { "sec-fetch-site": "Same-Origin" } }, true],
  ["an empty word", { headers: { "sec-fetch-site": "" } }, true],
  ["two answers in one header", { headers: { "sec-fetch-site": "same-origin, cross-site" } }, true],
  ["neither header", {}, false],
  // An older browser, or one on a plain connection.
  ["this origin", { headers: { origin: "http://app.test" } }, false],
  ["this origin, encrypted by somebody in front", { headers: { origin: "https://app.test" } }, false],
  ["this origin on its port", { headers: { host: "app.test:3000", origin: "http://app.test:3000" } }, false],
  ["a host in capitals", { headers: { host: "App.Test", origin: "http://app.test" } }, false],
  ["a port that goes without saying", { headers: { host: "app.test:443", origin: "https://app.test" } }, false],
  ["another port", { headers: { host: "app.test:3000", origin: "http://app.test:3001" } }, true],
  ["another host", { headers: { origin: "https://evil.test" } }, true],
  ["a host that begins like this one", { headers: { origin: "https://app.test.evil.test" } }, true],
  ["a host that ends like this one", { headers: { origin: "https://evilapp.test" } }, true],
  ["an opaque origin (a sandboxed frame, a redirect, data:)", { headers: { origin: "null" } }, true],
  ["this host as somebody's name", { headers: { origin: "https://app.test@evil.test" } }, true],
  ["this host in a path", { headers: { origin: "https://evil.test/app.test" } }, true],
  ["a path after this origin", { headers: { origin: "http://app.test/" } }, true],
  ["two origins", { headers: { origin: "http://app.test, https://evil.test" } }, true],
  ["spaces", { headers: { origin: " http://app.test" } }, true],
  ["another scheme", { headers: { origin: "ftp://app.test" } }, true],
  ["no origin at all, said", { headers: { origin: "" } }, true],
  ["a plain origin on an encrypted connection", { isEncrypted: true, headers: { origin: "http://app.test" } }, true],
  ["no host", { headers: { host: "", origin: "http://app.test" } }, true],
  ["a host that is none", { headers: { host: "evil.test#@app.test", origin: "http://app.test" } }, true],
  // What changes nothing passes, but for a socket.
  ["a GET of another site", { method: "GET", headers: { "sec-fetch-site": "cross-site" } }, false],
  ["a HEAD of another site", { method: "HEAD", headers: { "sec-fetch-site": "cross-site" } }, false],
  ["a preflight", { method: "OPTIONS", headers: { origin: "https://evil.test" } }, false],
  ["a DELETE of another site", { method: "DELETE", headers: { "sec-fetch-site": "cross-site" } }, true],
  [
    "a socket that another site opens",
    { method: "GET", headers: { upgrade: "websocket", origin: "https://evil.test" } },
    true
  ],
  ["a socket in other letters", { method: "GET", headers: { upgrade: "h2c, WebSocket", origin: "null" } }, true],
  ["a socket of this app", { method: "GET", headers: { upgrade: "websocket", origin: "http://app.test" } }, false]
]

describe("SessionOrigin", () => {
  for (const [about, sent, isRight] of rows) {
    it(`${isRight ? "refuses" : "lets through"} ${about}`, () => {
      assert.strictEqual(isRefused({}, sent), isRight)
    })
  }

  it("lets trusted origins through, to the letter", () => {
    const options = { trustedOrigins: ["https://admin.example.test", "capacitor://localhost", "http://[::1]:8080"] }
    for (const origin of options.trustedOrigins) {
      assert.isFalse(isRefused(options, { headers: { origin } }))
      assert.isFalse(isRefused(options, { headers: { origin, "sec-fetch-site": "cross-site" } }))
    }
    for (
      const origin of ["http://admin.example.test", "https://admin.example.test:8443", "https://a.admin.example.test"]
    ) {
      assert.isTrue(isRefused(options, { headers: { origin, "sec-fetch-site": "cross-site" } }))
    }
  })

  it("excepts paths as they were sent, and none that is spelled otherwise", () => {
    const options = { exceptPaths: ["/callback", "/hooks/*"] }
    const headers = { "sec-fetch-site": "cross-site" }
    for (const target of ["/callback", "/callback?code=1", "/hooks/a", "/hooks/a/b?c"]) {
      assert.isFalse(isRefused(options, { target, headers }), target)
    }
    for (
      const target of [
        "/callbacks",
        "/callback/",
        "/hooks",
        "/hooksfoo",
        "/hooks/../transfer",
        "/hooks/%2e%2e/transfer",
        "/hooks//transfer",
        "/hooks/./a",
        "/hooks\\..\\transfer",
        "//hooks/a",
        "/transfer?/hooks/a",
        "http://app.test/hooks/a"
      ]
    ) {
      assert.isTrue(isRefused(options, { target, headers }), target)
    }
  })

  it("refuses what has neither header where it is told to", () => {
    assert.isTrue(isRefused({ unmarked: "Refuse" }, {}))
    assert.isFalse(isRefused({ unmarked: "Refuse" }, { headers: { "sec-fetch-site": "same-origin" } }))
    assert.isFalse(isRefused({ unmarked: "Refuse" }, { headers: { origin: "http://app.test" } }))
    assert.isFalse(isRefused({ unmarked: "Refuse" }, { method: "GET" }))
    assert.isTrue(isRefused({ unmarked: "Refuse" }, { method: "GET", headers: { upgrade: "websocket" } }))
    assert.isFalse(isRefused({ unmarked: "Refuse", exceptPaths: ["/hooks/*"] }, { target: "/hooks/a" }))
  })

  it("lets what has a bearer and no cookie through where it is told to, wherever it comes from", () => {
    const options = { bearer: "Allow", unmarked: "Refuse" } as const
    const elsewhere = { "sec-fetch-site": "cross-site", origin: "https://evil.test" }
    for (const authorization of ["Bearer abc", "bearer", "BEARER abc"]) {
      assert.isFalse(isRefused(options, { headers: { ...elsewhere, authorization } }))
      assert.isFalse(isRefused(options, { headers: { authorization } }))
      for (const cookie of ["__Host-id=x", "theme=dark", ""]) {
        assert.isTrue(isRefused(options, { headers: { ...elsewhere, authorization, cookie } }))
        assert.isTrue(isRefused(options, { headers: { authorization, cookie } }))
      }
      for (const bearer of ["Check", undefined] as const) {
        assert.isTrue(isRefused({ bearer }, { headers: { ...elsewhere, authorization } }))
        assert.isTrue(isRefused({ bearer, unmarked: "Refuse" }, { headers: { authorization } }))
      }
    }
    for (const authorization of ["Basic dXNlcjpwYXNz", "Bearers abc", "Basic x, Bearer abc", ""]) {
      assert.isTrue(isRefused(options, { headers: { ...elsewhere, authorization } }))
      assert.isTrue(isRefused(options, { headers: { authorization } }))
    }
  })

  it("believes a proxy that is trusted, and nobody else, which host the browser asked for", () => {
    const options = { trustedProxies: ["10.0.0.0/8"] }
    const forwarded = (host: string, proto = "https") => ({
      host: "backend:8080",
      origin: "https://app.test",
      "x-forwarded-host": host,
      "x-forwarded-proto": proto
    })
    assert.isFalse(isRefused(options, { from: "10.1.2.3", headers: forwarded("app.test") }))
    assert.isFalse(isRefused(options, { from: "10.1.2.3", headers: forwarded("evil.test, app.test") }))
    assert.isTrue(isRefused(options, { from: "10.1.2.3", headers: forwarded("app.test, evil.test") }))
    assert.isTrue(isRefused(options, { from: "203.0.113.9", headers: forwarded("app.test") }))
    assert.isTrue(isRefused({}, { from: "10.1.2.3", headers: forwarded("app.test") }))
    const plain = { ...forwarded("app.test"), origin: "http://app.test" }
    assert.isTrue(isRefused(options, { from: "10.1.2.3", headers: plain }))
    assert.isFalse(isRefused(options, { from: "10.1.2.3", headers: { ...plain, "x-forwarded-proto": "http" } }))
  })

  const wrong: ReadonlyArray<readonly [options: unknown, option: string, problem: string]> = [
    [{ trustedOrigins: "https://a.test" }, "trustedOrigins", "is no list"],
    ...["null", "a.test", "https://a.test/", "https://A.test", "https://a.test:443", "https://u@a.test", "*", 7, ""]
      .map(
        (origin) => [{ trustedOrigins: ["https://b.test", origin] }, "trustedOrigins", "number 2"] as const
      ),
    ...["callback", "/*", "/a/*/b", "/a*", "/a?b", "/a/../b", "/%61", "//a", "", null].map((path) =>
      [{ exceptPaths: [path] }, "exceptPaths", "number 1"] as const
    ),
    [{ unmarked: "Maybe" }, "unmarked", "\"Allow\", \"Refuse\""],
    [{ bearer: true }, "bearer", "\"Allow\", \"Check\""],
    [{ trustedProxies: ["localhost"] }, "trustedProxies", "number 1"],
    [{ trustedProxies: true }, "trustedProxies", "\"All\""]
  ]

  for (const [options, option, problem] of wrong) {
    it(`says what is wrong with ${JSON.stringify(options)}`, () => {
      const made = SessionOrigin.make(options as SessionOrigin.Options)
      assert(Either.isLeft(made))
      assert.strictEqual(made.left.option, option)
      assert.include(made.left.message, problem)
    })
  }

  it("takes what JSON and JavaScript leave out for left out", () => {
    for (const options of [undefined, null, {}, { trustedOrigins: null, exceptPaths: null, unmarked: null }]) {
      assert.isTrue(Either.isRight(SessionOrigin.make(options as SessionOrigin.Options)))
    }
  })
})
