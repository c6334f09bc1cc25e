import { assert, describe, it } from "@effect/vitest"
import { existsSync, readdirSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { homedir } from "node:os"
import { dirname, join, relative, resolve } from "node:path"
import { report } from "../support/figures.js"
import { manifestOf, pack, publicModulesOf, root, withSlashes } from "./packed.js"

const sources = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => withSlashes(file).slice(0, -".ts".length))

const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} kB`

describe("the packed package", () => {
  it("holds the sources, what the compiler makes of each, and four files beside them", async () => {
    const packed = await pack()
    assert.deepStrictEqual(
      packed.files,
      [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "package.json",
        ...sources.flatMap((name) => [
          `src/${name}.ts`,
          ...[".js", ".js.map", ".d.ts", ".d.ts.map"].map((extension) => `dist/${name}${extension}`)
        ])
      ].sort()
    )
    report("package", {
      files: packed.files.length,
      packed: kilobytes(packed.size),
      unpacked: kilobytes(packed.unpackedSize)
    })
  })

  it("has a source beside every map, at the place that the map names", async () => {
    const { files, folder } = await pack()
    const lost: Array<string> = []
    for (const file of files.filter((file) => file.endsWith(".map"))) {
      const map = JSON.parse(await readFile(join(folder, file), "utf8")) as {
        readonly sources: ReadonlyArray<string>
        readonly sourceRoot?: string
      }
      assert.isAbove(map.sources.length, 0, file)
      for (const source of map.sources) {
        const path = withSlashes(relative(folder, join(folder, dirname(file), map.sourceRoot ?? "", source)))
        if (!files.includes(path)) {
          lost.push(`${file}: ${path}`)
        }
      }
    }
    assert.deepStrictEqual(lost, [])
  })

  it("has every file that its package.json names", async () => {
    const packed = await pack()
    const { bin } = await manifestOf(packed)
    const modules = await publicModulesOf(packed)
    const named = [...Object.values(bin), ...modules.flatMap(({ file }) => [file, file.replace(/\.js$/, ".d.ts")])]
    assert.deepStrictEqual(named.filter((file) => !existsSync(join(packed.folder, file))), [])
  })

  it("names nothing of the machine it was built on", async () => {
    const { files, folder } = await pack()
    const telling: Array<string> = []
    for (const file of files) {
      const text = await readFile(join(folder, file), "utf8")
      if ([resolve(root), folder, `${homedir()}/`].some((path) => text.includes(path))) {
        telling.push(file)
      }
    }
    assert.deepStrictEqual(telling, [])
  })
})
