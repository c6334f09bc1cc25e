import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"

type Files = Readonly<Record<string, string>>

/** The rules that a small project with these files in `src` breaks, each as `rule: file`. */
const brokenRules = async (files: Files): Promise<ReadonlySet<string>> => {
  const folder = await mkdtemp(join(tmpdir(), "import-law-"))
  try {
    await symlink(resolve("node_modules"), join(folder, "node_modules"))
    for (const file of ["package.json", "tsconfig.json", ".dependency-cruiser.cjs"]) {
      await cp(file, join(folder, file))
    }
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, "src", file)), { recursive: true })
      await writeFile(join(folder, "src", file), `${text}\nexport const x = 1\n`)
    }
    const report = await new Promise<string>((resolve) =>
      // Violations are an exit code too; what matters is the report.
      execFile(
        join(folder, "node_modules", ".bin", "depcruise"),
        ["src", "--config", ".dependency-cruiser.cjs", "--output-type", "json"],
        { cwd: folder, maxBuffer: 64 * 1024 * 1024 },
        (_, stdout) => resolve(stdout)
      )
    )
    const { summary } = JSON.parse(report) as {
      readonly summary: {
        readonly violations: ReadonlyArray<{ readonly from: string; readonly rule: { readonly name: string } }>
      }
    }
    return new Set(summary.violations.map(({ from, rule }) => `${rule.name}: ${from}`))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const emptyRooms: Files = {
  "Config.ts": "",
  "CookieCrypto.ts": "",
  "Session.ts": "",
  "SessionEvent.ts": "",
  "SessionHttpApi.ts": "",
  "SessionKey.ts": "",
  "SessionMiddleware.ts": "",
  "SessionRecord.ts": "",
  "SessionStore.ts": "",
  "index.ts": "",
  "internal/config/a.ts": "",
  "internal/events/a.ts": "",
  "internal/memory/a.ts": "",
  "internal/origin/a.ts": "",
  "internal/port/a.ts": "",
  "internal/redis/a.ts": "",
  "internal/request/a.ts": "",
  "internal/session/a.ts": "",
  "internal/sql/a.ts": "",
  "stores/CookieSessionStore.ts": "",
  "testing/TestSession.ts": ""
}

/** An import of a type alone, which counts like any other. */
const typeOf = (path: string): string => `import type { x as y } from "${path}"\nexport type Y = typeof y`

describe("the import law", () => {
  it("allows what the rooms need of each other", async () => {
    const broken = await brokenRules({
      ...emptyRooms,
      "internal/effect/chain.ts": `import "effect/Effect"`,
      "internal/http/errorResponse.ts": `export * from "@effect/platform/HttpServerResponse"`,
      "internal/http/trustedProxies.ts": `import "ipaddr.js"`,
      "SessionKey.ts": `import "node:crypto"\nimport "node:buffer"`,
      "SessionRecord.ts": `import "./SessionKey.js"`,
      "internal/port/observedCall.ts": `import "../effect/chain.js"`,
      "SessionStore.ts":
        `import "./SessionRecord.js"\nimport "./internal/http/errorResponse.js"\nimport "./internal/port/observedCall.js"`,
      "Session.ts": `import "./SessionKey.js"\nimport "./internal/http/errorResponse.js"\nimport "effect/Effect"`,
      "internal/session/json.ts": typeOf("../../SessionRecord.js"),
      "internal/session/sessionBase.ts": `import "../../Session.js"\nimport "./json.js"`,
      "internal/redis/redisConnection.ts": `import "ioredis"`,
      "stores/RedisSessionStore.ts":
        `import "../SessionStore.js"\nimport "ioredis"\nimport "../internal/redis/redisConnection.js"`,
      "internal/sql/sqlCalls.ts": `import "../../SessionStore.js"\nimport "@effect/sql/SqlClient"`,
      "stores/SqlSessionStore.ts":
        `import "./CompareAndSwapSessionStore.js"\nimport "@effect/sql/SqlClient"\nimport "../internal/sql/sqlCalls.js"`,
      "stores/CompareAndSwapSessionStore.ts": `import "../SessionStore.js"`,
      "stores/MemorySessionStore.ts": `import "../SessionStore.js"\nimport "../internal/memory/a.js"`,
      "internal/request/commit.ts":
        `import "../../SessionStore.js"\nimport "../session/sessionBase.js"\nimport "../cookie/setCookie.js"`,
      "internal/cookie/setCookie.ts": "",
      "SessionMiddleware.ts":
        `import "./internal/request/commit.js"\nimport "./SessionStore.js"\nimport "@effect/platform/HttpApp"`,
      "SessionSignIn.ts": `import "./SessionRecord.js"`,
      "SessionAccounts.ts":
        `import "./SessionGuard.js"\nimport "./internal/session/a.js"\nimport "./internal/events/a.js"\nimport "./internal/request/a.js"`,
      "SessionAccount.ts":
        `import "./SessionAccounts.js"\nimport "./internal/session/a.js"\nimport "@effect/platform/HttpApp"`,
      "SessionGuard.ts": "",
      "SessionRpc.ts":
        `import "./SessionMiddleware.js"\nimport "./internal/request/commit.js"\nimport "@effect/rpc/Rpc"`,
      "index.ts": `export * from "./SessionMiddleware.js"`,
      "bin/generateKey.ts": `import "../Config.js"\nimport "node:process"`,
      "testing/TestSession.ts":
        `import "../SessionMiddleware.js"\nimport "../stores/MemorySessionStore.js"\nimport "node:http"\n` +
        `import "@effect/vitest"\nimport "@effect/platform/HttpServer"`
    })
    assert.deepStrictEqual([...broken], [])
  })

  const violations: ReadonlyArray<readonly [rule: string, file: string, text: string]> = [
    ["no-circular", "internal/effect/egg.ts", typeOf("./hen.js")],
    ["floor-of-internal-effect", "internal/effect/a.ts", typeOf("../../SessionKey.js")],
    ["floor-of-SessionKey", "SessionKey.ts", typeOf("./SessionRecord.js")],
    ["floor-of-SessionRecord", "SessionRecord.ts", typeOf("./SessionEvent.js")],
    ["floor-of-SessionSignIn", "SessionSignIn.ts", typeOf("./SessionEvent.js")],
    ["floor-of-SessionEvent", "SessionEvent.ts", `import "./Config.js"`],
    ["floor-of-SessionMetrics", "SessionMetrics.ts", `import "./SessionEvent.js"`],
    ["floor-of-internal-http", "internal/http/a.ts", typeOf("../../Session.js")],
    ["floor-of-internal-cookie", "internal/cookie/a.ts", typeOf("../../CookieCrypto.js")],
    ["floor-of-internal-events", "internal/events/b.ts", `import "../http/a.js"`],
    ["floor-of-CookieCrypto", "CookieCrypto.ts", `export type Y = typeof import("./Config.js")`],
    ["floor-of-internal-config", "internal/config/b.ts", typeOf("../../Config.js")],
    ["floor-of-Config", "Config.ts", `import "./SessionStore.js"`],
    ["floor-of-internal-port", "internal/port/b.ts", typeOf("../../SessionStore.js")],
    ["floor-of-SessionStore", "SessionStore.ts", `import "./Session.js"`],
    ["floor-of-internal-memory", "internal/memory/b.ts", `import "../redis/a.js"`],
    ["floor-of-internal-redis", "internal/redis/b.ts", typeOf("../../stores/CookieSessionStore.js")],
    ["floor-of-internal-sql", "internal/sql/b.ts", `import "../redis/a.js"`],
    [
      "floor-of-stores-CompareAndSwapSessionStore",
      "stores/CompareAndSwapSessionStore.ts",
      `import "./CookieSessionStore.js"`
    ],
    ["floor-of-stores-CookieSessionStore", "stores/CookieSessionStore.ts", `import "effect-session/SessionMiddleware"`],
    ["floor-of-stores-MemorySessionStore", "stores/MemorySessionStore.ts", `import "./CookieSessionStore.js"`],
    ["floor-of-stores-RedisSessionStore", "stores/RedisSessionStore.ts", `import "../Session.js"`],
    ["floor-of-stores-SqlSessionStore", "stores/SqlSessionStore.ts", `import "./CookieSessionStore.js"`],
    ["floor-of-Session", "Session.ts", `import "./SessionStore.js"`],
    ["floor-of-internal-session", "internal/session/b.ts", typeOf("../../SessionStore.js")],
    ["floor-of-SessionStruct", "SessionStruct.ts", `import "./SessionMiddleware.js"`],
    ["floor-of-SessionFlash", "SessionFlash.ts", `import "./SessionStruct.js"`],
    ["floor-of-SessionGuard", "SessionGuard.ts", `import "./stores/CookieSessionStore.js"`],
    ["floor-of-internal-origin", "internal/origin/b.ts", `import "../../Session.js"`],
    ["floor-of-SessionOrigin", "SessionOrigin.ts", `import "./Session.js"`],
    ["floor-of-bin", "bin/serve.ts", `import "../SessionStore.js"`],
    ["floor-of-internal-request", "internal/request/b.ts", `import "../../SessionMiddleware.js"`],
    ["floor-of-SessionMiddleware", "SessionMiddleware.ts", `import "./SessionHttpApi.js"`],
    ["floor-of-SessionCsrf", "SessionCsrf.ts", `import "./SessionMiddleware.js"`],
    ["floor-of-SessionAccounts", "SessionAccounts.ts", `import "./SessionMiddleware.js"`],
    ["floor-of-SessionAccount", "SessionAccount.ts", `import "./SessionHttpApi.js"`],
    ["floor-of-SessionHttpApi", "SessionHttpApi.ts", `import "./testing/TestSession.js"`],
    ["floor-of-SessionHttpLayerRouter", "SessionHttpLayerRouter.ts", `import "./SessionHttpApi.js"`],
    ["floor-of-SessionRpc", "SessionRpc.ts", `import "./SessionHttpApi.js"`],
    ["floor-of-index", "index.ts", `export * from "./testing/TestSession.js"`],
    ["floor-of-testing", "testing/a.ts", `import "../index.js"`],
    ["every-file-has-a-room", "internal/a.ts", `import "../SessionKey.js"`],
    ["every-file-has-a-room", "stores/A.ts", `import "../SessionStore.js"`],
    ["face-of-internal-events", "internal/request/c.ts", `import "../events/a.js"`],
    ["face-of-internal-config", "internal/session/c.ts", `import "../config/a.js"`],
    ["face-of-internal-port", "stores/CookieSessionStore.ts", `import "../internal/port/a.js"`],
    ["face-of-internal-memory", "stores/CookieSessionStore.ts", `import "../internal/memory/a.js"`],
    ["face-of-internal-redis", "testing/a.ts", `import "../internal/redis/a.js"`],
    ["face-of-internal-sql", "stores/CookieSessionStore.ts", `import "../internal/sql/a.js"`],
    ["face-of-internal-session", "SessionFlash.ts", `import "./internal/session/a.js"`],
    ["face-of-internal-origin", "SessionMiddleware.ts", `import "./internal/origin/a.js"`],
    ["face-of-internal-request", "SessionHttpApi.ts", `import "./internal/request/a.js"`],
    ["index-only-names-the-rooms", "index.ts", `export * from "./stores/CookieSessionStore.js"`],
    [
      "effect-platform-in-its-place",
      "Session.ts",
      `import type * as A from "@effect/platform/HttpApp"\nexport type { A }`
    ],
    ["effect-rpc-in-its-place", "SessionHttpApi.ts", `import type * as R from "@effect/rpc/Rpc"\nexport type { R }`],
    [
      "effect-sql-in-its-place",
      "stores/CompareAndSwapSessionStore.ts",
      `import type * as S from "@effect/sql/SqlClient"\nexport type { S }`
    ],
    ["ioredis-in-its-place", "internal/redis/c.ts", `import type { Redis } from "ioredis"\nexport type { Redis }`],
    ["ipaddr-js-in-its-place", "Config.ts", `import "ipaddr.js"`],
    ["only-declared-packages", "internal/effect/f.ts", `import "tsx"`],
    ["no-node-builtins", "internal/effect/g.ts", `import type { Socket } from "node:net"\nexport type { Socket }`],
    ["no-node-builtins", "internal/effect/h.ts", `export const fs = () => import("fs")`],
    ["no-unresolvable", "internal/effect/i.ts", `import "./nowhere.js"`]
  ]

  it("catches each breach, type-only imports included", async () => {
    const files: Record<string, string> = { ...emptyRooms, "internal/effect/hen.ts": `import "./egg.js"` }
    for (const [, file, text] of violations) {
      files[file] = `${files[file] ?? ""}\n${text}`
    }
    const broken = await brokenRules(files)
    assert.deepStrictEqual(
      violations.map(([rule, file]) => `${rule}: src/${file}`).filter((each) => !broken.has(each)),
      []
    )
  })

  it("has a breach in the list above for every rule", async () => {
    const { default: law } = await import("../.dependency-cruiser.cjs") as {
      readonly default: { readonly forbidden: ReadonlyArray<{ readonly name: string }> }
    }
    assert.deepStrictEqual(
      [...new Set(law.forbidden.map(({ name }) => name))].sort(),
      [...new Set(violations.map(([rule]) => rule))].sort()
    )
  })
})
