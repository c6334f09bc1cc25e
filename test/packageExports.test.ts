import { assert, describe, it } from "@effect/vitest"
import { readdirSync, readFileSync } from "node:fs"

const publicModules = readdirSync("src").filter((file) => file.endsWith(".ts") && file !== "index.ts").map((file) =>
  file.slice(0, -".ts".length)
)

const { exports } = JSON.parse(readFileSync("package.json", "utf8"))

describe("package.json", () => {
  it("gives every public module a path of its own, with its types", () => {
    const named = Object.keys(exports).filter((path) => /^\.\/\w+$/.test(path))
    assert.deepStrictEqual(named.sort(), publicModules.map((name) => `./${name}`).sort())
    for (const name of publicModules) {
      assert.deepStrictEqual(exports[`./${name}`], { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` })
    }
  })

  it("keeps internal modules out of reach", () => {
    assert.isNull(exports["./internal/*"])
    assert.isNull(exports["./testing/internal/*"])
  })
})

describe("index.ts", () => {
  it("names every public module after its file, but for one that needs an optional peer", () => {
    const index = readFileSync("src/index.ts", "utf8")
    const named = [...index.matchAll(/^export \* as (\w+) from "\.\/(\w+)\.js"$/gm)]
    // What needs an optional peer is imported by its path, so that this loads without.
    const withoutOptionalPeer = publicModules.filter((name) => name !== "SessionRpc")
    assert.deepStrictEqual(named.map(([, name]) => name).sort(), withoutOptionalPeer.sort())
    assert.isTrue(named.every(([, name, file]) => name === file))
  })
})
