import { assert, describe, it } from "@effect/vitest"
import type { BuildOptions, Metafile } from "esbuild"
import { build } from "esbuild"
import { cp, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import type { PackedPackage, PublicModule } from "./packed.js"
import { linkedProject, manifestOf, pack, publicModulesOf, root, run } from "./packed.js"

describe("a bundle of the package", () => {
  let folder: string
  let packed: PackedPackage
  let modules: ReadonlyArray<PublicModule>
  let others: Array<string>

  beforeAll(async () => {
    packed = await pack()
    modules = await publicModulesOf(packed)
    folder = await mkdtemp(join(tmpdir(), "effect-session-bundle-"))
    const { dependencies, peerDependencies } = await manifestOf(packed)
    await linkedProject(packed, folder, Object.keys(peerDependencies))
    others = Object.keys({ ...dependencies, ...peerDependencies }).flatMap((name) => [name, `${name}/*`])
  }, 240_000)

  afterAll(() => rm(folder, { recursive: true, force: true }))

  const metafileOf = async (options: BuildOptions): Promise<Metafile> => {
    const { metafile } = await build({
      ...options,
      absWorkingDir: folder,
      bundle: true,
      format: "esm",
      logLevel: "silent",
      metafile: true,
      outdir: "bundle",
      platform: "node",
      target: "node20",
      write: false
    })
    return metafile
  }

  const bundle = (code: string, options: BuildOptions = {}): Promise<Metafile> =>
    metafileOf({ stdin: { contents: code, resolveDir: folder }, ...options })

  /** Every file of every package that the bundler had to read. */
  const readFor = async (code: string): Promise<ReadonlyArray<string>> => Object.keys((await bundle(code)).inputs)

  const ownFile = (file: string): string => `node_modules/effect-session/${file}`

  /** The package's own files that the bundler had to read, and what they import of other packages. */
  const ownReadFor = async (code: string): Promise<ReadonlyArray<string>> => {
    const { inputs } = await bundle(code, { external: others })
    return Object.entries(inputs).flatMap(([file, { imports }]) => [
      file,
      ...imports.filter(({ external }) => external).map(({ path }) => path)
    ])
  }

  /** The package's own files that left something in the bundle. */
  const keptFor = async (code: string): Promise<ReadonlyArray<string>> => {
    const { outputs } = await bundle(code, { external: others })
    return Object.values(outputs).flatMap(({ inputs }) =>
      Object.entries(inputs)
        .filter(([file, { bytesInOutput }]) => file.startsWith(ownFile("")) && bytesInOutput > 0)
        .map(([file]) => file)
    )
  }

  const isRedis = (file: string): boolean => /ioredis|redis/i.test(file)
  const isSql = (file: string): boolean => /@effect\/sql|internal\/sql/.test(file)
  const isRpc = (file: string): boolean => /@effect\/rpc|SessionRpc/.test(file)
  const isTesting = (file: string): boolean => /vitest|\/testing\//.test(file)
  const isStore = (file: string): boolean => file.startsWith(ownFile("dist/stores/"))

  const useOf = ({ specifier }: PublicModule): string => `import * as Module from "${specifier}"\nconsole.log(Module)\n`

  it("of the memory store reads no Redis code, no SQL and nothing of the tests", async () => {
    const files = await readFor(
      `import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
       console.log(MemorySessionStore.layer())`
    )
    assert.include(files, ownFile("dist/stores/MemorySessionStore.js"))
    assert.deepStrictEqual(files.filter((file) => isRedis(file) || isSql(file) || isTesting(file)), [])
  })

  it("of the Redis store does read Redis code", async () => {
    const files = await readFor(
      `import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
       console.log(RedisSessionStore.layer({ url: "redis://localhost" }))`
    )
    assert.isAbove(files.filter((file) => /ioredis/.test(file)).length, 0)
  })

  it("of one name from the barrel reads no store, no optional peer and nothing of the tests", async () => {
    const files = await readFor(`import { Session } from "effect-session"\nconsole.log(Session.entry)`)
    assert.include(files, ownFile("dist/Session.js"))
    assert.deepStrictEqual(
      files.filter((file) => isRedis(file) || isSql(file) || isRpc(file) || isTesting(file) || isStore(file)),
      []
    )
  })

  it("of one name from the barrel keeps what the module itself would", async () => {
    for (const { file, specifier } of modules.filter(({ file }) => /^dist\/(?!index|SessionRpc)\w+\.js$/.test(file))) {
      const name = specifier.slice("effect-session/".length)
      const fromBarrel = await keptFor(`import { ${name} } from "effect-session"\nconsole.log(${name})`)
      const alone = await keptFor(`import * as ${name} from "${specifier}"\nconsole.log(${name})`)
      assert.include(alone, ownFile(file))
      assert.deepStrictEqual([...fromBarrel].sort(), [...alone].sort(), name)
    }
  })

  it("of one module outside stores and testing reads no store, no Redis code, no SQL and nothing of the tests", async () => {
    const wrong: Array<string> = []
    for (const module of modules.filter(({ file }) => !/^dist\/(stores|testing)\//.test(file))) {
      const files = await ownReadFor(useOf(module))
      wrong.push(
        ...files.filter((file) => isRedis(file) || isSql(file) || isTesting(file) || isStore(file)).map((file) =>
          `${module.specifier}: ${file}`
        )
      )
    }
    assert.deepStrictEqual(wrong, [])
  })

  it("of one store reads no other but the one that it is built on", async () => {
    const foundations: Readonly<Record<string, string>> = {
      "dist/stores/SqlSessionStore.js": "dist/stores/CompareAndSwapSessionStore.js"
    }
    for (const { file, ...module } of modules.filter(({ file }) => file.startsWith("dist/stores/"))) {
      const expected = [file, foundations[file] ?? []].flat().map(ownFile)
      assert.sameMembers((await ownReadFor(useOf({ file, ...module }))).filter(isStore), expected)
    }
  })

  it("holds nothing of a module that nobody uses", async () => {
    assert.deepStrictEqual(await keptFor(modules.map(({ specifier }) => `import "${specifier}"\n`).join("")), [])
  })

  /** The packages and built-in modules that each file of the package imports. */
  const foreignImports = async (): Promise<ReadonlyArray<readonly [file: string, specifier: string]>> => {
    const { inputs } = await metafileOf({
      entryPoints: packed.files.filter((file) => /^dist\/.*\.js$/.test(file)).map(ownFile),
      packages: "external"
    })
    return Object.entries(inputs).flatMap(([file, { imports }]) =>
      imports.filter(({ external }) => external).map(({ path }) => [file, path] as const)
    )
  }

  it("asks for each optional peer in its store or module alone, and for vitest in testing alone", async () => {
    const imports = await foreignImports()
    const importers = (
      name: RegExp
    ) => [...new Set(imports.filter(([, path]) => name.test(path)).map(([file]) => file))]
    assert.deepStrictEqual(importers(/^ioredis(\/|$)/), [ownFile("dist/internal/redis/redisConnection.js")])
    assert.deepStrictEqual(importers(/^@effect\/rpc(\/|$)/), [ownFile("dist/SessionRpc.js")])
    const sql = importers(/^@effect\/sql(\/|$)/)
    assert.include(sql, ownFile("dist/stores/SqlSessionStore.js"))
    assert.deepStrictEqual(sql.filter((file) => !isSql(file) && !file.endsWith("/SqlSessionStore.js")), [])
    const vitest = importers(/^(@effect\/)?vitest(\/|$)/)
    assert.isAbove(vitest.length, 0)
    assert.deepStrictEqual(vitest.filter((file) => !file.startsWith(ownFile("dist/testing/"))), [])
  })

  it("may leave a module out, because loading one changes nothing outside it", async () => {
    const foreign = [...new Set((await foreignImports()).map(([, path]) => path))]
    // vitest refuses to load outside of a test run, and what needs it cannot be watched here.
    const watched = modules.filter(({ file }) => !file.startsWith("dist/testing/"))
    const script = join(folder, "watchLoading.mjs")
    await cp(join(root, "test/package/watchLoading.mjs"), script)
    const lists = [foreign.filter((path) => !path.includes("vitest")), watched.map(({ specifier }) => specifier)]
    const printed = await run(process.execPath, [script, ...lists.map((list) => JSON.stringify(list))], folder)
    assert.strictEqual(printed, "[]")
  })
})
