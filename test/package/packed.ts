/**
 * The package as its users get it: built from the sources as they are, packed by npm, and unpacked again. What `dist` holds
 * at the moment plays no part.
 */
import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync } from "node:fs"
import {
  cp,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile
} from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { fileURLToPath } from "node:url"

export const root = fileURLToPath(new URL("../..", import.meta.url))

export interface PackedPackage {
  /** The path of the tarball. */
  readonly tarball: string
  /** The path of what the tarball holds, unpacked: users have it as `node_modules/effect-session`. */
  readonly folder: string
  /** The tarball's files, with `/` between the names of their folders. */
  readonly files: ReadonlyArray<string>
  /** In bytes. */
  readonly size: number
  /** In bytes. */
  readonly unpackedSize: number
}

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, null | string | { readonly types: string; readonly default: string }>>
  readonly bin: Readonly<Record<string, string>>
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

/** What a checkout has and a build does not read, or makes. */
const isMade = (name: string): boolean =>
  ["node_modules", ".git", ".cache", "dist", "coverage"].includes(name) || name.endsWith(".tgz")

const filesOf = async (folder: string): Promise<ReadonlyArray<string>> => {
  const found = await Promise.all(
    (await readdir(folder, { withFileTypes: true })).filter(({ name }) => !isMade(name)).map((entry) =>
      entry.isDirectory() ? filesOf(join(folder, entry.name)) : Promise.resolve([join(folder, entry.name)])
    )
  )
  return found.flat().sort()
}

const digestOf = async (files: ReadonlyArray<string>): Promise<string> => {
  const hash = createHash("sha256")
  for (const file of files) {
    const content = await readFile(file)
    hash.update(`${relative(root, file)}\0${content.length}\0`).update(content)
  }
  return hash.digest("hex").slice(0, 16)
}

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  /** What went to stdout and to stderr. */
  readonly output: string
}

/** Runs a program to its end. */
export const outcomeOf = (program: string, args: ReadonlyArray<string>, cwd: string): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] })
    let stdout = ""
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.once("error", reject).once("close", (code) => resolve({ code, stdout, output }))
  })

/** Runs a program that has to succeed, and answers what it printed. */
export const run = async (program: string, args: ReadonlyArray<string>, cwd: string): Promise<string> => {
  const { code, output, stdout } = await outcomeOf(program, args, cwd)
  if (code !== 0) {
    throw new Error(`${program} ${args.join(" ")} ended with ${code}\n${output}`)
  }
  return stdout
}

const npmPack = async (source: string, destination: string): Promise<Omit<PackedPackage, "folder">> => {
  const stdout = await run("npm", ["pack", "--json", "--pack-destination", destination], source)
  const [{ filename, files, size, unpackedSize }] = JSON.parse(stdout) as [
    Pick<PackedPackage, "size" | "unpackedSize"> & {
      readonly filename: string
      readonly files: ReadonlyArray<{ readonly path: string }>
    }
  ]
  return { tarball: join(destination, filename), files: files.map(({ path }) => path).sort(), size, unpackedSize }
}

const makePackage = async (files: ReadonlyArray<string>, folder: string): Promise<void> => {
  // The whole checkout goes along, so that whatever package.json lets through by mistake is there to be let through.
  const source = join(folder, "source")
  for (const file of files) {
    await cp(file, join(source, relative(root, file)))
  }
  await symlink(join(root, "node_modules"), join(source, "node_modules"))
  await run(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", "tsconfig.build.json"], source)
  const { tarball, ...packed } = await npmPack(source, folder)
  await run("tar", ["-xzf", tarball, "-C", folder], folder)
  await rm(source, { recursive: true })
  await writeFile(join(folder, "packed.json"), JSON.stringify({ tarball: relative(folder, tarball), ...packed }))
}

/**
 * Packs the package, once for each state of the sources: the test files that need it share what the first of them made.
 */
export const pack = (): Promise<PackedPackage> => packed ??= packOnce()

let packed: Promise<PackedPackage> | undefined = undefined

const packOnce = async (): Promise<PackedPackage> => {
  const files = await filesOf(root)
  const cache = join(root, ".cache", "package")
  const folder = join(cache, await digestOf(files))
  const lock = `${folder}.lock`
  await mkdir(cache, { recursive: true })
  while (!existsSync(folder)) {
    if (await symlink(String(process.pid), lock).then(() => true, () => false)) {
      try {
        // Whoever had the lock before may have made it since.
        if (!existsSync(folder)) {
          await removeOldPackages(cache)
          const making = await mkdtemp(join(cache, "making-"))
          await makePackage(files, making)
          await rename(making, folder)
        }
      } finally {
        await rm(lock, { force: true })
      }
    } else {
      await waitForOther(lock)
    }
  }
  const { tarball, ...packed } = JSON.parse(
    await readFile(join(folder, "packed.json"), "utf8")
  ) as Omit<PackedPackage, "folder">
  return { ...packed, tarball: join(folder, tarball), folder: join(folder, "package") }
}

/**
 * Another test file makes the same package, in the process that the lock names by its id. One that was killed on the way
 * leaves its lock, which is void then.
 */
const waitForOther = async (lock: string): Promise<void> => {
  await new Promise((resolve) => setTimeout(resolve, 100))
  const owner = await readlink(lock).then(Number, () => undefined)
  if (owner !== undefined && !isRunning(owner)) {
    await rm(lock, { force: true })
  }
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"
  }
}

const removeOldPackages = async (cache: string): Promise<void> => {
  for (const name of await readdir(cache)) {
    const path = join(cache, name)
    const { mtimeMs } = await lstat(path).catch(() => ({ mtimeMs: Infinity }))
    // An hour: nobody is at work with it any more.
    if (Date.now() - mtimeMs > 3_600_000) {
      await rm(path, { recursive: true, force: true })
    }
  }
}

export const manifestOf = async (packed: PackedPackage): Promise<Manifest> =>
  JSON.parse(await readFile(join(packed.folder, "package.json"), "utf8")) as Manifest

/** A module that users may import: `import "effect-session/stores/MemorySessionStore"`. */
export interface PublicModule {
  readonly specifier: string
  /** The file that the specifier leads to, inside the package: `dist/stores/MemorySessionStore.js`. */
  readonly file: string
}

/** Every module that package.json's exports let users import, those behind a `*` included. */
export const publicModulesOf = async (packed: PackedPackage): Promise<ReadonlyArray<PublicModule>> => {
  const { exports, name } = await manifestOf(packed)
  return Object.entries(exports).flatMap(([path, target]) => {
    if (target === null || typeof target === "string") {
      return []
    }
    const pattern = target.default.slice("./".length)
    const [before = "", after] = pattern.split("*")
    const specifier = name + path.slice(".".length)
    return after === undefined
      ? [{ specifier, file: pattern }]
      : packed.files
        .filter((file) => file.startsWith(before) && file.endsWith(after))
        .map((file) => ({ file, stem: file.slice(before.length, -after.length) }))
        .filter(({ stem }) => !stem.includes("/"))
        .map(({ file, stem }) => ({ specifier: specifier.replace("*", stem), file }))
  })
}

/**
 * A folder with nothing but the unpacked package and these peers in its `node_modules`. The peers are links to those of
 * this checkout, so nothing may be installed into it.
 */
export const linkedProject = async (
  packed: PackedPackage,
  folder: string,
  peers: ReadonlyArray<string>
): Promise<void> => {
  const modules = join(folder, "node_modules")
  await cp(packed.folder, join(modules, "effect-session"), { recursive: true })
  // Of its own dependencies npm would take care.
  const { dependencies } = await manifestOf(packed)
  for (const name of [...peers, ...Object.keys(dependencies)]) {
    await mkdir(join(modules, name, ".."), { recursive: true })
    await symlink(join(root, "node_modules", name), join(modules, name))
  }
}

/** The same path with `/` between the names, whatever the platform. */
export const withSlashes = (path: string): string => path.split(sep).join("/")
