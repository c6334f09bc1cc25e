/**
 * What has to be there before anything runs: the packages of the benchmark, the built library, and one copy of Effect.
 */
import { spawnSync } from "node:child_process"
import { statSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"

const bench = fileURLToPath(new URL(".", import.meta.url))
const root = fileURLToPath(new URL("..", import.meta.url))

const run = (cwd, ...args) => {
  const { status } = spawnSync("npm", args, { cwd, stdio: ["ignore", "inherit", "inherit"] })
  if (status !== 0) {
    throw new Error(`npm ${args.join(" ")} failed`)
  }
}

const modifiedAt = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0

const isInstalled = () =>
  modifiedAt(`${bench}node_modules/.package-lock.json`) >= modifiedAt(`${bench}package-lock.json`)

// Two copies would be two worlds: services of one are unknown to the other, and both would be measured.
const requireOneEffect = () => {
  for (const name of ["effect", "@effect/platform", "@effect/platform-node", "@effect/sql", "ioredis"]) {
    const [here, there] = [bench, root].map((folder) => createRequire(folder).resolve(`${name}/package.json`))
    if (here !== there) {
      throw new Error(`${name} is installed twice: ${here} and ${there}`)
    }
  }
}

/** @param {boolean} keepBuild whether `dist` is good as it is */
export const prepare = (keepBuild) => {
  if (!isInstalled()) {
    run(bench, "ci", "--no-audit", "--no-fund")
  }
  requireOneEffect()
  if (!keepBuild) {
    run(root, "run", "--silent", "build")
  }
}
