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
  "Session.ts": "",
  "SessionHttpApi.ts": "",
  "SessionKey.ts": "",
  "SessionMiddleware.ts": "",
  "SessionRecord.ts": "",
  "SessionStore.ts": "",
  "index.ts": "",
  "stores/CookieSessionStore.ts": "",
  "testing/TestSession.ts": ""
}

describe("the import law", () => {
  it("allows what the rooms need of each other", async () => {
    const broken = await brokenRules({
      ...emptyRooms,
      "internal/json.ts": `import type { x as y } from "../SessionRecord.js"\nexport type Y = typeof y`,
      "internal/errorResponse.ts": `export * from "@effect/platform/HttpServerResponse"`,
      "SessionKey.ts": `import "node:crypto"\nimport "node:buffer"`,
      "SessionRecord.ts": `import "./SessionKey.js"`,
      "SessionStore.ts": `import "./SessionRecord.js"\nimport "./internal/errorResponse.js"`,
      "Session.ts": `import "./internal/json.js"\nimport "./internal/errorResponse.js"\nimport "effect/Effect"`,
      "stores/RedisSessionStore.ts": `import "../SessionStore.js"\nimport "ioredis"`,
      "stores/MemorySessionStore.ts": `import "../SessionStore.js"`,
      "SessionMiddleware.ts": `import "./Session.js"\nimport "./SessionStore.js"\nimport "@effect/platform/HttpApp"`,
      "index.ts": `export * from "./SessionMiddleware.js"`,
      "bin/generateKey.ts": `import "../Config.js"\nimport "node:process"`,
      "testing/TestSession.ts":
        `import "../SessionMiddleware.js"\nimport "../stores/MemorySessionStore.js"\nimport "node:http"\n` +
        `import "@effect/vitest"\nimport "@effect/platform/HttpServer"`
    })
    assert.deepStrictEqual([...broken], [])
  })

  const violations: ReadonlyArray<readonly [rule: string, file: string, text: string]> = [
    ["no-circular", "internal/egg.ts", `import type { x as y } from "./hen.js"\nexport type Y = typeof y`],
    ["core-knows-only-core", "internal/a.ts", `import type { x as y } from "../Session.js"\nexport type Y = typeof y`],
    ["core-shares-only-types", "internal/b.ts", `import "../SessionRecord.js"`],
    ["core-shares-only-types", "CookieCrypto.ts", `import "./SessionKey.js"`],
    ["store-port-knows-only-core", "SessionStore.ts", `export type Y = typeof import("./Session.js")`],
    [
      "stores-know-only-the-port",
      "stores/A.ts",
      `import type { x as y } from "../Session.js"\nexport type Y = typeof y`
    ],
    ["stores-know-only-the-port", "stores/B.ts", `import "./CookieSessionStore.js"`],
    ["stores-know-only-the-port", "stores/C.ts", `import "effect-session/SessionMiddleware"`],
    ["session-knows-no-store-and-no-http", "Session.ts", `import "./SessionStore.js"`],
    [
      "platform-only-at-the-edge",
      "Session.ts",
      `import type * as A from "@effect/platform/HttpApp"\nexport type { A }`
    ],
    ["session-base-is-the-session-at-work", "internal/sessionBase.ts", `import "../SessionStore.js"`],
    [
      "request-session-is-the-middleware-without-http",
      "internal/requestSession.ts",
      `import "../stores/CookieSessionStore.js"`
    ],
    ["presented-session-asks-the-store", "internal/presentedSession.ts", `import "../stores/CookieSessionStore.js"`],
    ["only-the-request-session-knows-what-it-presents", "stores/G.ts", `import "../internal/presentedSession.js"`],
    ["only-the-http-session-knows-the-request-session", "stores/E.ts", `import "../internal/requestSession.js"`],
    [
      "http-session-is-the-request-session-with-http",
      "internal/httpSession.ts",
      `import "../stores/CookieSessionStore.js"`
    ],
    ["only-the-middleware-knows-the-http-session", "stores/F.ts", `import "../internal/httpSession.js"`],
    ["nobody-knows-the-middleware", "stores/D.ts", `import "../SessionMiddleware.js"`],
    ["built-on-session", "SessionStruct.ts", `import "./SessionMiddleware.js"`],
    ["nobody-knows-the-other-routers", "SessionMiddleware.ts", `import "./SessionHttpApi.js"`],
    ["nobody-knows-testing", "SessionMiddleware.ts", `import "./testing/TestSession.js"`],
    ["no-barrel-inside", "internal/c.ts", `import "../index.js"`],
    ["index-only-names-the-rooms", "index.ts", `export * from "./stores/CookieSessionStore.js"`],
    ["bin-knows-only-core", "bin/serve.ts", `import "../SessionStore.js"`],
    ["ioredis-only-in-its-store", "internal/d.ts", `import type { Redis } from "ioredis"\nexport type { Redis }`],
    ["ipaddr-only-for-proxies", "Config.ts", `import "ipaddr.js"`],
    ["only-declared-packages", "internal/f.ts", `import "tsx"`],
    ["no-node-builtins", "internal/g.ts", `import type { Socket } from "node:net"\nexport type { Socket }`],
    ["no-node-builtins", "internal/h.ts", `export const fs = () => import("fs")`],
    ["no-unresolvable", "internal/i.ts", `import "./nowhere.js"`]
  ]

  it("catches each breach, type-only imports included", async () => {
    const files: Record<string, string> = { ...emptyRooms, "internal/hen.ts": `import "./egg.js"` }
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
