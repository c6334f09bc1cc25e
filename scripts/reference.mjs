/**
 * Writes the API reference, `docs/api/`, from the comments in src/ with @effect/docgen: one page for each public module,
 * and a page that lists them. Where an export lacks part of its documentation, it is named and nothing is written.
 *
 * With `--check` it writes nothing, and fails where the pages are not those that it would write.
 */
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import { undocumentedExports } from "./documentedExports.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const pagesFolder = "docs/api"

/** @param {string} folder @param {string} extension */
const filesUnder = (folder, extension) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((file) => file.split("\\").join("/"))
      .filter((file) => file.endsWith(extension))
      .sort()
    : []

const publicSources = () =>
  filesUnder(join(root, "src"), ".ts").filter((file) => !/^(internal|testing\/internal|bin)\//.test(file))

const complaints = () =>
  publicSources().flatMap((file) =>
    undocumentedExports(readFileSync(join(root, "src", file), "utf8"))
      .map(({ line, message, name }) => `src/${file}:${line} - ${name} ${message}`)
  )

/** The folder that docgen fills, in a project of its own that has what docgen demands and ours does not. */
const runDocgen = (/** @type {string} */ project) => {
  for (const name of ["src", "tsconfig.json", "docgen.json"]) {
    cpSync(join(root, name), join(project, name), { recursive: true })
  }
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "effect-session", homepage: "none" }))
  const docgen = join(root, "node_modules/@effect/docgen/bin.cjs")
  // It takes the first two words for itself. It would run the examples, some of which serve until they are stopped;
  // that they compile is what scripts/checkExamples.mjs is for.
  const { error, status, stderr, stdout } = spawnSync(
    process.execPath,
    [docgen, "node", "docgen", "--no-run-examples"],
    { cwd: project, encoding: "utf8" }
  )
  if (error !== undefined || status !== 0) {
    throw new Error(`docgen failed: ${error?.message ?? `${stdout}${stderr}`}`)
  }
  return join(project, pagesFolder, "modules")
}

/**
 * A page for people who read it in the repository: without the front matter for a site generator, with headings that start
 * at the top.
 *
 * @param {string} markdown what docgen wrote
 * @param {string} module
 */
const pageOf = (markdown, module) => {
  const [, body = ""] = markdown.split(/^nav_order: .*\nparent: .*\n---\n/m)
  let isCode = false
  const lines = body.trim().split("\n").map((line) => {
    isCode = /^(```|~~~)/.test(line) ? !isCode : isCode
    return !isCode && /^#+ /.test(line) ? `#${line}` : line
  })
  const [, ...rest] = lines
  return `# effect-session/${module}\n${rest.join("\n")}\n`
    .replace(`<h2 class="text-delta">Table of contents</h2>`, "## Contents")
}

/** The first sentence of a page. @param {string} page */
const summaryOf = (page) => {
  const [, paragraph = ""] = page.split("\n\n")
  return (/^[^]*?\.(?=\s|$)/.exec(paragraph)?.[0] ?? paragraph).replace(/\s+/g, " ")
}

/** @returns {Map<string, string>} */
const makePages = () => {
  mkdirSync(join(root, ".cache"), { recursive: true })
  const project = mkdtempSync(join(root, ".cache", "reference-"))
  try {
    const folder = runDocgen(project)
    /** @type {Map<string, string>} */
    const pages = new Map()
    for (const file of filesUnder(folder, ".ts.md").filter((file) => file !== "index.ts.md")) {
      const module = file.slice(0, -".ts.md".length)
      pages.set(`${module}.md`, pageOf(readFileSync(join(folder, file), "utf8"), module))
    }
    const list = [...pages].map(([file, page]) => `- [${file.slice(0, -".md".length)}](${file}): ${summaryOf(page)}`)
    return pages.set(
      "README.md",
      "# API reference\n\nMade from the comments in `src/` by `npm run docs:api`: edit those, not these pages.\n\n" +
        `${list.join("\n")}\n`
    )
  } finally {
    rmSync(project, { recursive: true, force: true })
  }
}

/** The pages that are not there, differ, or belong to nothing. @param {ReadonlyMap<string, string>} pages */
const stalePages = (pages) => {
  const folder = join(root, pagesFolder)
  const present = filesUnder(folder, ".md")
  return [...new Set([...pages.keys(), ...present])].filter((file) =>
    !present.includes(file) || readFileSync(join(folder, file), "utf8") !== pages.get(file)
  )
}

/** @param {ReadonlyMap<string, string>} pages */
const writePages = (pages) => {
  rmSync(join(root, pagesFolder), { recursive: true, force: true })
  for (const [file, page] of pages) {
    const path = join(root, pagesFolder, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, page)
  }
}

const main = () => {
  const lacking = complaints()
  if (lacking.length > 0) {
    return [...lacking, `${lacking.length} exports are not documented`]
  }
  const pages = makePages()
  if (process.argv.includes("--check")) {
    const stale = stalePages(pages).map((file) => `${pagesFolder}/${file} is not what src/ says`)
    console.log(`${pages.size} pages, ${stale.length} of them stale`)
    return stale.length === 0 ? [] : [...stale, "Write them anew with: npm run docs:api"]
  }
  writePages(pages)
  console.log(`${pages.size} pages in ${pagesFolder}`)
  return []
}

const errors = main()
for (const error of errors) {
  console.error(error)
}
process.exitCode = errors.length === 0 ? 0 : 1
