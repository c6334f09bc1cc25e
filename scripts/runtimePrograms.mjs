/**
 * The JavaScript runtimes that the suite in test/runtimes runs on: which versions `npm run test:runtimes` fetches, and
 * which of them are on this machine.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readdirSync } from "node:fs"
import { delimiter, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

/**
 * @typedef {"node" | "bun" | "deno" | "workerd"} RuntimeKind
 *
 * @typedef {object} FetchedRuntime
 * @property {RuntimeKind} kind
 * @property {string} name what a person calls it
 * @property {string} folder its folder in node_modules
 * @property {string} specifier its npm package and exact version
 * @property {string} program where its program is in node_modules; the `*` is a package for this platform
 *
 * @typedef {object} FoundRuntime
 * @property {RuntimeKind} kind
 * @property {string} name
 * @property {string} version as the program itself says it
 * @property {string} program the path of the program
 */

const nodePackage = `node-${process.platform}-${process.arch}`

/** @param {string} version @returns {FetchedRuntime} */
const node = (version) => {
  const folder = `node-${version.split(".", 1)[0]}`
  return {
    kind: "node",
    name: "Node",
    folder,
    specifier: `npm:${nodePackage}@${version}`,
    program: `${folder}/bin/node`
  }
}

/**
 * Each of these brings its program with it, in a package for this platform, so that no install script has to run.
 *
 * @type {ReadonlyArray<FetchedRuntime>}
 */
export const fetchedRuntimes = [
  node("20.20.2"),
  node("22.23.3"),
  node("24.21.0"),
  { kind: "bun", name: "Bun", folder: "bun", specifier: "1.4.5", program: "@oven/*/bin/bun" },
  { kind: "deno", name: "Deno", folder: "deno", specifier: "2.9.6", program: "@deno/*/deno" },
  {
    kind: "workerd",
    name: "workerd",
    folder: "workerd",
    specifier: "1.20261117.1",
    program: "@cloudflare/*/bin/workerd"
  }
]

/** Where they are kept between runs. Not in the project's node_modules, which `npm ci` empties. */
export const runtimesFolder = fileURLToPath(new URL("../.cache/runtimes", import.meta.url))

const modulesFolder = join(runtimesFolder, "node_modules")

/**
 * The program of a runtime that was fetched; undefined where it was not.
 *
 * @param {FetchedRuntime} runtime
 * @returns {string | undefined}
 */
const fetchedProgram = ({ program }) => {
  const [folder = "", inPackage] = program.split("/*/").map((part) => join(part))
  const scope = join(modulesFolder, folder)
  const packages = inPackage !== undefined && existsSync(scope) ? readdirSync(scope) : []
  const files = inPackage === undefined ? [scope] : packages.map((name) => join(scope, name, inPackage))
  return files.find((file) => existsSync(file))
}

/**
 * The runtime behind a program; undefined where it does not run.
 *
 * @param {RuntimeKind} kind @param {string} name @param {string} program
 * @returns {FoundRuntime | undefined}
 */
const ask = (kind, name, program) => {
  const { status, stdout } = spawnSync(program, ["--version"], { encoding: "utf8" })
  const version = /\d+[.-]\d+[.-]\d+/.exec(stdout ?? "")?.[0]
  return status === 0 && version !== undefined ? { kind, name, version, program } : undefined
}

/** @param {string} name */
const onPath = (name) =>
  (process.env.PATH ?? "").split(delimiter).filter(Boolean).map((folder) => join(folder, name)).find(existsSync)

/** The runtimes that were fetched and run here, in the order of `fetchedRuntimes`. */
export const findFetched = () =>
  fetchedRuntimes.flatMap((runtime) => {
    const program = fetchedProgram(runtime)
    const found = program === undefined ? undefined : ask(runtime.kind, runtime.name, program)
    return found === undefined ? [] : [found]
  })

/** @returns {ReadonlyArray<FoundRuntime>} */
const findInstalled = () =>
  fetchedRuntimes.filter(({ kind }) => kind !== "node").flatMap(({ kind, name }) => {
    const program = onPath(kind)
    const found = program === undefined ? undefined : ask(kind, name, program)
    return found === undefined ? [] : [found]
  })

/**
 * The runtimes that are there: the Node that runs this, those that were fetched, and those on the PATH; each version once.
 *
 * @returns {ReadonlyArray<FoundRuntime>}
 */
export const findRuntimes = () => {
  const self = {
    kind: /** @type {const} */ ("node"),
    name: "Node",
    version: process.versions.node,
    program: process.execPath
  }
  /** @type {Map<string, FoundRuntime>} */
  const found = new Map()
  for (const runtime of [self, ...findFetched(), ...findInstalled()]) {
    const title = titleOf(runtime)
    found.set(title, found.get(title) ?? runtime)
  }
  return [...found.values()]
}

/** @param {FoundRuntime} runtime */
export const titleOf = ({ name, version }) => `${name} ${version}`
