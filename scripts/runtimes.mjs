/**
 * Fetches every runtime of `runtimePrograms.mjs` from npm, runs the suite in test/runtimes on each, prints what passed
 * where, and writes that table into docs/runtimes.md when all of it did.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { fetchedRuntimes, findFetched, runtimesFolder, titleOf } from "./runtimePrograms.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const page = join(root, "docs", "runtimes.md")
const [opening, closing] = ["<!-- results -->", "<!-- end of results -->"]

/** @param {string} cwd @param {string} command @param {ReadonlyArray<string>} args */
const run = (cwd, command, ...args) => spawnSync(command, args, { cwd, stdio: "inherit" }).status === 0

/** Install scripts are left out: the programs come in packages of their own. */
const fetchRuntimes = () => {
  mkdirSync(runtimesFolder, { recursive: true })
  const dependencies = Object.fromEntries(fetchedRuntimes.map(({ folder, specifier }) => [folder, specifier]))
  writeFileSync(join(runtimesFolder, "package.json"), JSON.stringify({ private: true, dependencies }))
  return run(runtimesFolder, "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund")
}

/** @typedef {{ passed: number, failed: number }} Count */

/**
 * Runs the suite and counts its tests by runtime and store, in the order they ran.
 *
 * @returns {{ ok: boolean, results: Map<string, Map<string, Count>> }}
 */
const runSuite = () => {
  const folder = mkdtempSync(join(tmpdir(), "effect-session-runtimes-"))
  try {
    const file = join(folder, "report.json")
    const vitest = join(root, "node_modules", ".bin", "vitest")
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]
    const ok = run(root, vitest, "run", "test/runtimes/runtimes.test.ts", ...reporters)
    const report = JSON.parse(readFileSync(file, "utf8"))
    /** @type {Map<string, Map<string, Count>>} */
    const results = new Map()
    for (const { assertionResults } of report.testResults) {
      for (const { ancestorTitles, status } of assertionResults) {
        const [runtime, store] = ancestorTitles.slice(-2)
        const byStore = results.get(runtime) ?? new Map()
        const { failed, passed } = byStore.get(store) ?? { passed: 0, failed: 0 }
        byStore.set(store, status === "passed" ? { passed: passed + 1, failed } : { passed, failed: failed + 1 })
        results.set(runtime, byStore)
      }
    }
    return { ok, results }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** @param {Map<string, Map<string, Count>>} results */
const tableOf = (results) => {
  const stores = [...new Set([...results.values()].flatMap((byStore) => [...byStore.keys()]))]
  const rows = [...results].map(([runtime, byStore]) => {
    const counts = stores.map((store) => byStore.get(store) ?? { passed: 0, failed: 0 })
    return [
      runtime,
      ...counts.map(({ failed, passed }) => `${passed} of ${passed + failed}`),
      String(counts.reduce((sum, { passed }) => sum + passed, 0)),
      String(counts.reduce((sum, { failed }) => sum + failed, 0))
    ]
  })
  const lines = [["runtime", ...stores, "passed", "failed"], ...rows]
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0))) ?? []
  const [head = "", ...body] = lines.map(
    (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`
  )
  return [head, `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`, ...body].join("\n")
}

/** @param {string} table */
const writePage = (table) => {
  const text = readFileSync(page, "utf8")
  const [before, after] = [text.indexOf(opening), text.indexOf(closing)]
  if (before === -1 || after < before) {
    throw new Error(`${page} has no place for the table: ${opening} and ${closing}, each on a line of its own`)
  }
  writeFileSync(page, `${text.slice(0, before)}${opening}\n\n${table}\n\n${text.slice(after)}`)
}

const main = () => {
  if (!fetchRuntimes()) {
    console.error("npm could not fetch the runtimes")
    return false
  }
  const found = findFetched()
  if (found.length < fetchedRuntimes.length) {
    console.error(`Of the fetched runtimes only these run here: ${found.map(titleOf).join(", ")}`)
    return false
  }
  const { ok, results } = runSuite()
  const table = tableOf(results)
  console.log(`\n${table}\n`)
  if (ok) {
    writePage(table)
  }
  return ok
}

process.exitCode = main() ? 0 : 1
