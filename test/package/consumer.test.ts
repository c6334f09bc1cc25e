import { assert, describe, it } from "@effect/vitest"
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import { firstApp } from "./firstApp.js"
import type { PackedPackage } from "./packed.js"
import { linkedProject, manifestOf, outcomeOf, pack, publicModulesOf, root, run } from "./packed.js"

const compilers = {
  "5.4": "typescript-5.4",
  "5.9": "typescript",
  "6.0": "typescript-6",
  "7.0": "typescript-7"
} as const

interface Settings {
  readonly moduleResolution: "node16" | "nodenext" | "bundler"
  readonly exactOptionalPropertyTypes: boolean
  readonly skipLibCheck: boolean
}

const writeConfig = async (folder: string, { moduleResolution, ...settings }: Settings): Promise<string> => {
  const file = join(folder, "tsconfig.json")
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "ES2022",
    // The platform's own declarations name types of the DOM.
    lib: settings.skipLibCheck ? ["ES2022"] : ["ES2022", "DOM"],
    types: ["node"],
    module: moduleResolution === "bundler" ? "ESNext" : moduleResolution,
    moduleResolution,
    ...settings
  }
  await writeFile(file, JSON.stringify({ compilerOptions, include: ["*.ts"] }))
  return file
}

/** Compiles a project as its user would, and answers the complaints. */
const complaintsOf = async (
  folder: string,
  compiler: keyof typeof compilers,
  settings: Settings
): Promise<ReadonlyArray<string>> => {
  const tsc = join(root, "node_modules", compilers[compiler], "bin", "tsc")
  const args = [tsc, "--pretty", "false", "-p", await writeConfig(folder, settings)]
  const { code, output } = await outcomeOf(process.execPath, args, folder)
  const complaints = output.split("\n").filter((line) => line !== "")
  return code === 0 || complaints.length > 0 ? complaints : [`tsc ended with ${code}`]
}

const exportEach = (specifiers: ReadonlyArray<string>, comment = ""): string =>
  specifiers.map((specifier, index) => `${comment}export * as module${index} from "${specifier}"\n`).join("")

const withoutExtension = (file: string): string => file.slice("dist/".length, -".js".length)

/** A project that uses every module of the package, with every peer. */
const makeProject = async (packed: PackedPackage, folder: string): Promise<void> => {
  const { name, peerDependencies } = await manifestOf(packed)
  const modules = await publicModulesOf(packed)
  const publicFiles = modules.map(({ file }) => file)
  const internals = packed.files.filter((file) => /^dist\/.*\.js$/.test(file) && !publicFiles.includes(file))
  await linkedProject(packed, folder, [...Object.keys(peerDependencies), "@types/node"])
  await cp(join(root, "test/package/consumer"), folder, { recursive: true })
  await cp(join(root, "examples/ownStore.ts"), join(folder, "ownStore.ts"))
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  await writeFile(join(folder, "firstApp.ts"), firstApp(await readFile(join(root, "README.md"), "utf8")))
  await writeFile(join(folder, "everyModule.ts"), exportEach(modules.map(({ specifier }) => specifier)))
  await writeFile(
    join(folder, "internals.ts"),
    exportEach(internals.map((file) => `${name}/${withoutExtension(file)}`), "// @ts-expect-error: out of reach\n")
  )
}

// The slow compilers check corners; the fast one checks every combination, and every declaration besides.
const corners: ReadonlyArray<readonly [keyof typeof compilers, Settings]> = [
  ["5.4", { moduleResolution: "node16", exactOptionalPropertyTypes: true, skipLibCheck: true }],
  ["5.4", { moduleResolution: "bundler", exactOptionalPropertyTypes: false, skipLibCheck: true }],
  ["5.9", { moduleResolution: "bundler", exactOptionalPropertyTypes: false, skipLibCheck: true }],
  ["6.0", { moduleResolution: "nodenext", exactOptionalPropertyTypes: true, skipLibCheck: true }]
]

const combinations: ReadonlyArray<Settings> = (["node16", "nodenext", "bundler"] as const).flatMap((moduleResolution) =>
  [true, false].map((exactOptionalPropertyTypes) => ({
    moduleResolution,
    exactOptionalPropertyTypes,
    // Finds whatever it finds with the declarations skipped, and more.
    skipLibCheck: false
  }))
)

const phrase = ({ exactOptionalPropertyTypes, moduleResolution, skipLibCheck }: Settings): string =>
  `${moduleResolution}, exactOptionalPropertyTypes ${exactOptionalPropertyTypes ? "on" : "off"}, declarations ${
    skipLibCheck ? "not " : ""
  }checked`

describe("a project that uses the whole package", () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "effect-session-consumer-"))
    await makeProject(await pack(), folder)
  }, 240_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  for (const [compiler, settings] of corners) {
    it(`compiles with TypeScript ${compiler}: ${phrase(settings)}`, async () => {
      assert.deepStrictEqual(await complaintsOf(folder, compiler, settings), [])
    })
  }

  it("compiles with TypeScript 7.0 under each combination of settings", async () => {
    const complaints: Record<string, ReadonlyArray<string>> = {}
    for (const settings of combinations) {
      complaints[phrase(settings)] = await complaintsOf(folder, "7.0", settings)
    }
    assert.deepStrictEqual(Object.entries(complaints).filter(([, lines]) => lines.length > 0), [])
  })

  it("has declarations without a fault in TypeScript 5.4, which those of effect itself are not", async () => {
    // With skipLibCheck off tsc would stop at effect's own, which need 5.7. So each file is asked for by itself.
    const file = await writeConfig(folder, {
      moduleResolution: "nodenext",
      exactOptionalPropertyTypes: true,
      skipLibCheck: false
    })
    const own = join(folder, "node_modules/effect-session/")
    const declarations = (await publicModulesOf(await pack())).map(({ file }) =>
      join(own, file.replace(/\.js$/, ".d.ts"))
    )
    const script = join(root, "test/package/declarationFaults.mjs")
    const { faults, files } = JSON.parse(await run(process.execPath, [script, file, own], folder)) as {
      readonly files: ReadonlyArray<string>
      readonly faults: ReadonlyArray<string>
    }
    assert.includeMembers([...files], declarations)
    assert.deepStrictEqual(faults, [])
  })
})

describe("a project without the optional peers", () => {
  it("compiles with every module that does without them, declarations checked", async () => {
    const packed = await pack()
    const folder = await mkdtemp(join(tmpdir(), "effect-session-consumer-"))
    try {
      await linkedProject(packed, folder, ["effect", "@effect/platform", "@types/node"])
      const modules = (await publicModulesOf(packed)).map(({ specifier }) => specifier)
        .filter((specifier) => !/\/(testing\/.+|stores\/(Redis|Sql)SessionStore|SessionRpc)$/.test(specifier))
      assert.isAbove(modules.length, 10)
      await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }))
      await writeFile(join(folder, "everyModule.ts"), exportEach(modules))
      const settings = { moduleResolution: "nodenext", exactOptionalPropertyTypes: true, skipLibCheck: false } as const
      assert.deepStrictEqual(await complaintsOf(folder, "7.0", settings), [])
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
