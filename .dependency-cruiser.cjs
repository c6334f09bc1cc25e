/**
 * The import law: who may know whom. Type-only imports count like any other, except where a rule says "values".
 *
 *     internal, Config, SessionKey, CookieCrypto   the core: each other's types, and the values of internal
 *     SessionRecord, SessionEvent, SessionMetrics  words that the other rooms share: of the core too
 *     SessionStore                                 the core
 *     stores/*                                     SessionStore and the core; never Session, the middleware or each other
 *     Session                                      the core; no store, no HTTP
 *     internal/sessionBase                         the operations of a session: Session and the core
 *     internal/presentedSession                    what a request presents, asked of the store: SessionStore and the core
 *     internal/endedSession                        the end of sessions, in the store: what is presented, SessionStore and the core
 *     internal/requestSession                      a request's session without HTTP: Session, SessionStore and the core
 *     internal/httpSession                         that with a request and a response; for SessionMiddleware alone
 *     SessionStruct, SessionFlash, SessionGuard    what is built on Session: no store, no middleware
 *     SessionOrigin                                where a request comes from, which no session is asked for: the core
 *     SessionMiddleware                            all of them; known to the two below, index.ts and testing/ alone
 *     SessionHttpApi, SessionHttpLayerRouter       the middleware for other routers; known to index.ts and testing/
 *     testing                                      everything: it is what users run against their own code
 *     bin                                          the core
 */
const core =
  "^src/(internal/(?!(sessionBase|presentedSession|endedSession|requestSession|httpSession)\\.ts$).+|Config|SessionKey|CookieCrypto|SessionRecord|SessionEvent|SessionMetrics)\\.ts$"
const anySource = "^src/"
const routers = "^src/Session(HttpApi|HttpLayerRouter)\\.ts$"

/** How `import type { X } from` and `import("…").X` are told from imports of values. */
const typeOnly = ["type-only", "type-import"]

/**
 * A package as it is written in an import, whether it is installed or not.
 *
 * @param {string} name
 */
const packageNamed = (name) => `(^|node_modules/)${name}(/|$)`

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: "no-circular",
      comment: "A cycle means that two files are one: merge them, or give what they share a file of its own.",
      severity: "error",
      from: {},
      to: { circular: true }
    },
    {
      name: "core-knows-only-core",
      comment: "A core room knows no other room.",
      severity: "error",
      from: { path: core },
      to: { path: anySource, pathNot: core }
    },
    {
      name: "core-shares-only-types",
      comment:
        "Core rooms know each other's types, not each other's values; but SessionRecord builds on SessionKey, observedCall feeds SessionMetrics, the event hub makes the event of a loss, and the Redis scripts share the limits of SessionRecord.",
      severity: "error",
      from: { path: core, pathNot: "^src/(SessionRecord|internal/(eventHub|observedCall|redisScripts))\\.ts$" },
      to: { path: "^src/[^/]+\\.ts$", dependencyTypesNot: typeOnly }
    },
    {
      name: "store-port-knows-only-core",
      comment: "The store port knows the core, so that a store needs nothing else.",
      severity: "error",
      from: { path: "^src/SessionStore\\.ts$" },
      to: { path: anySource, pathNot: core }
    },
    {
      name: "stores-know-only-the-port",
      comment: "A store knows SessionStore and the core: never Session, SessionMiddleware or another store.",
      severity: "error",
      from: { path: "^src/stores/" },
      to: { path: anySource, pathNot: [core, "^src/SessionStore\\.ts$"] }
    },
    {
      name: "session-knows-no-store-and-no-http",
      comment: "What a handler yields knows the core: no store, no SessionStore, no middleware.",
      severity: "error",
      from: { path: "^src/Session\\.ts$" },
      to: { path: anySource, pathNot: core }
    },
    {
      name: "session-base-is-the-session-at-work",
      comment: "internal/sessionBase.ts does what Session.ts promises: it knows that and the core.",
      severity: "error",
      from: { path: "^src/internal/sessionBase\\.ts$" },
      to: { path: anySource, pathNot: [core, "^src/Session\\.ts$"] }
    },
    {
      name: "request-session-is-the-middleware-without-http",
      comment: "internal/requestSession.ts knows Session, its operations, SessionStore, what it presents and the core.",
      severity: "error",
      from: { path: "^src/internal/requestSession\\.ts$" },
      to: {
        path: anySource,
        pathNot: [core, "^src/(Session(Store)?|internal/(sessionBase|presentedSession|endedSession))\\.ts$"]
      }
    },
    {
      name: "presented-session-asks-the-store",
      comment:
        "internal/presentedSession.ts and endedSession.ts know SessionStore and the core; the halves of the request's session know them.",
      severity: "error",
      from: { path: "^src/internal/(presentedSession|endedSession)\\.ts$" },
      to: { path: anySource, pathNot: [core, "^src/(SessionStore|internal/presentedSession)\\.ts$"] }
    },
    {
      name: "only-the-request-session-knows-what-it-presents",
      comment: "internal/presentedSession.ts and endedSession.ts are parts of internal/requestSession.ts.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/internal/(endedSession|requestSession|httpSession)\\.ts$" },
      to: { path: "^src/internal/(presentedSession|endedSession)\\.ts$" }
    },
    {
      name: "http-session-is-the-request-session-with-http",
      comment: "internal/httpSession.ts puts a request and a response around it, and knows no store.",
      severity: "error",
      from: { path: "^src/internal/httpSession\\.ts$" },
      to: { path: anySource, pathNot: [core, "^src/internal/(requestSession|presentedSession)\\.ts$"] }
    },
    {
      name: "only-the-middleware-knows-the-http-session",
      comment: "internal/httpSession.ts is what the middleware gives to a request.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/SessionMiddleware\\.ts$" },
      to: { path: "^src/internal/httpSession\\.ts$" }
    },
    {
      name: "only-the-http-session-knows-the-request-session",
      comment: "internal/requestSession.ts is the HTTP session's other half.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/internal/httpSession\\.ts$" },
      to: { path: "^src/internal/requestSession\\.ts$" }
    },
    {
      name: "nobody-knows-the-middleware",
      comment: "Only the other routers, index.ts, testing/, the tests and the examples may import SessionMiddleware.",
      severity: "error",
      from: { path: anySource, pathNot: ["^src/(index\\.ts$|testing/)", routers] },
      to: { path: "^src/SessionMiddleware\\.ts$" }
    },
    {
      name: "built-on-session",
      comment: "SessionStruct, SessionFlash and SessionGuard work with any Session: they know it and the core.",
      severity: "error",
      from: { path: "^src/Session(Struct|Flash|Guard)\\.ts$" },
      to: { path: anySource, pathNot: [core, "^src/Session\\.ts$"] }
    },
    {
      name: "nobody-knows-the-other-routers",
      comment: "SessionHttpApi and SessionHttpLayerRouter are for apps: whoever imports one pays for that router.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/(index\\.ts$|testing/)" },
      to: { path: routers }
    },
    {
      name: "nobody-knows-testing",
      comment: "src/testing is for users' own tests; the library runs without it.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/testing/" },
      to: { path: "^src/testing/" }
    },
    {
      name: "no-barrel-inside",
      comment: "index.ts is for users; inside, import the module.",
      severity: "error",
      from: { path: anySource },
      to: { path: "^src/index\\.ts$" }
    },
    {
      name: "index-only-names-the-rooms",
      comment:
        "index.ts re-exports the public modules of src/ and nothing deeper: a store's driver must not load with it.",
      severity: "error",
      from: { path: "^src/index\\.ts$" },
      to: { pathNot: "^src/[^/]+\\.ts$" }
    },
    {
      name: "bin-knows-only-core",
      comment: "A command line tool needs the core and nothing that serves requests.",
      severity: "error",
      from: { path: "^src/bin/" },
      to: { path: anySource, pathNot: core }
    },
    {
      name: "platform-only-at-the-edge",
      comment:
        "@effect/platform is imported where sessions meet HTTP, in the internal files that speak of a request or a response, and in testing/ alone.",
      severity: "error",
      from: {
        path: anySource,
        pathNot: [
          "^src/Session(Middleware|Guard|Origin)\\.ts$",
          routers,
          "^src/internal/(connectionOf|errorResponse|httpSession|responseBody|responseCookies|responseHooks)\\.ts$",
          "^src/testing/"
        ]
      },
      to: { path: packageNamed("@effect/platform") }
    },
    {
      name: "ioredis-only-in-its-store",
      comment:
        "ioredis is an optional peer: stores/RedisSessionStore.ts and the connection that it makes alone need it.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/(stores/RedisSessionStore|internal/redisConnection)\\.ts$" },
      to: { path: packageNamed("ioredis") }
    },
    {
      name: "ipaddr-only-for-proxies",
      comment: "Only internal/trustedProxies.ts reads addresses.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/internal/trustedProxies\\.ts$" },
      to: { path: packageNamed("ipaddr\\.js") }
    },
    {
      name: "only-declared-packages",
      comment:
        "src imports effect and the packages that the rules above give a place; testing/ also those that tests run on.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/testing/" },
      to: {
        dependencyTypesNot: ["core"],
        pathNot: [anySource, ...["effect", "@effect/platform", "ioredis", "ipaddr\\.js"].map(packageNamed)]
      }
    },
    {
      name: "no-node-builtins",
      comment: "The library runs on node:crypto and node:buffer alone; bin/ and testing/ may use more.",
      severity: "error",
      from: { path: anySource, pathNot: "^src/(bin|testing)/" },
      to: { dependencyTypes: ["core"], pathNot: "^(node:)?(crypto|buffer)$" }
    },
    {
      name: "no-unresolvable",
      comment: "An import that leads nowhere breaks the published package.",
      severity: "error",
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: "specify",
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"]
    }
  }
}
