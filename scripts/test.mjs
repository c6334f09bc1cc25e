/**
 * Runs every check of the project in order and stops at the first that fails; the last line is `N passed, N failed`.
 *
 * Arguments go to vitest and leave the other checks out: `npm test -- test/SessionKey.test.ts`.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const vitestArgs = process.argv.slice(2)

/**
 * @typedef {object} Step
 * @property {string} title
 * @property {ReadonlyArray<() => ReadonlyArray<string>>} commands read when their turn comes: some look at what an earlier one made
 */

/** The public modules behind the `*` of package.json's exports, which attw does not expand itself. */
const wildcardEntrypoints = () =>
  ["stores", "testing"].flatMap((room) =>
    readdirSync(join(root, "dist", room))
      .filter((file) => file.endsWith(".js"))
      .map((file) => `./${room}/${file.slice(0, -".js".length)}`)
  )

/** @type {ReadonlyArray<Step>} */
const checks = [
  { title: "system", commands: [() => ["node", "scripts/ensureSystem.mjs"]] },
  { title: "types", commands: [() => ["tsc", "--noEmit"]] },
  { title: "format", commands: [() => ["dprint", "check"]] },
  { title: "lint", commands: [() => ["eslint", ".", "--max-warnings", "0"]] },
  { title: "import law", commands: [() => ["depcruise", "src", "--config", "--output-type", "err-long"]] },
  {
    title: "package",
    commands: [
      () => ["npm", "run", "--silent", "build"],
      () => ["tsc", "-p", "tsconfig.dist.json"],
      () => ["publint", "--strict"],
      () => [
        ...["attw", "--pack", ".", "--profile", "esm-only", "--format", "table-flipped", "--no-summary"],
        ...["--include-entrypoints", ...wildcardEntrypoints()]
      ]
    ]
  },
  { title: "docs examples", commands: [() => ["node", "scripts/checkExamples.mjs"]] },
  { title: "reference", commands: [() => ["node", "scripts/reference.mjs", "--check"]] }
]

/** @param {ReadonlyArray<string>} words */
const run = ([command = "", ...args]) => {
  const { error, status } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env.PATH ?? ""}` }
  })
  if (error !== undefined) {
    console.error(`${command} did not run: ${error.message}`)
  }
  return status === 0
}

/**
 * @template A
 * @param {string} title
 * @param {() => { readonly ok: boolean } & A} body
 */
const timed = (title, body) => {
  const start = performance.now()
  console.log(`\n== ${title}`)
  const result = body()
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(result.ok ? `== ${title}: ok, ${seconds} s` : `== ${title}: FAILED after ${seconds} s`)
  return result
}

/** @param {string} file @returns {{ passed: number, failed: number }} */
const readCounts = (file) => {
  try {
    const report = JSON.parse(readFileSync(file, "utf8"))
    // A file that breaks before its first test has no test to count.
    const brokenFiles = report.testResults.filter((
      /** @type {{ status: string, assertionResults: Array<unknown> }} */
      result
    ) => result.status === "failed" && result.assertionResults.length === 0)
    // A test that was begun and never heard of again did not pass either.
    const { numFailedTests, numPassedTests, numPendingTests } = report
    return { passed: numPassedTests, failed: numFailedTests + numPendingTests + brokenFiles.length }
  } catch {
    return { passed: 0, failed: 0 }
  }
}

/** What the suites counted: runs, interleavings, faults, inputs, findings. @param {string} folder */
const printFigures = (folder) => {
  const lines = readdirSync(folder).flatMap((file) => readFileSync(join(folder, file), "utf8").trim().split("\n"))
  const suites = lines.map((line) => JSON.parse(line)).sort((left, right) => left.name < right.name ? -1 : 1)
  if (suites.length > 0) {
    console.log("\nFigures")
  }
  for (const { figures, name } of suites) {
    const pairs = Object.entries(figures).map(([figure, value]) => `${figure} ${value}`)
    console.log(`  ${name}: ${pairs.join(", ")}`)
  }
}

const runVitest = () => {
  const folder = mkdtempSync(join(tmpdir(), "effect-session-test-"))
  try {
    const report = join(folder, "report.json")
    const figures = join(folder, "figures")
    mkdirSync(figures)
    process.env.FIGURES_DIR = figures
    const exitedWell = run([
      ...["vitest", "run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
      ...[`--reporter=${join(root, "scripts/unhandledErrors.mjs")}`, "--dangerouslyIgnoreUnhandledErrors"],
      ...vitestArgs
    ])
    printFigures(figures)
    const { failed, passed } = readCounts(report)
    const ok = exitedWell && failed === 0 && passed > 0
    // Whatever else vitest stumbles over, such as an unhandled error or no test at all, is a failure too.
    return { ok, passed, failed: ok ? 0 : Math.max(failed, 1) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const main = () => {
  for (const { commands, title } of vitestArgs.length > 0 ? [] : checks) {
    const { ok } = timed(title, () => ({ ok: commands.every((command) => run(command())) }))
    if (!ok) {
      return { passed: 0, failed: 1 }
    }
  }
  return timed("tests", runVitest)
}

// The last line is owed whatever happens, a mistake in this file included.
const attempt = () => {
  try {
    return main()
  } catch (error) {
    console.error(error)
    return { passed: 0, failed: 1 }
  }
}

const { failed, passed } = attempt()
process.exitCode = failed === 0 ? 0 : 1
console.log(`\n${passed} passed, ${failed} failed`)
