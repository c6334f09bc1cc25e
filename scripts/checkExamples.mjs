/**
 * Compiles every TypeScript example that the documentation shows, with the project's own strictness and paths: the ts
 * fences of README.md and docs/, and those in the JSDoc of src/. An error is reported where the example stands.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import process from "node:process"
import { fileURLToPath } from "node:url"
import ts from "typescript"
import { fencesOfMarkdown, fencesOfSource } from "./codeFences.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
// Inside the project, so that the examples resolve packages as a file of the project does.
const folder = join(root, ".cache", "examples")

/** @param {string} path @param {string} extension */
const filesUnder = (path, extension) =>
  existsSync(join(root, path))
    ? readdirSync(join(root, path), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(extension))
      .map((name) => `${path}/${name}`)
      .sort()
    : []

const found = [
  ...filesUnder("src", ".ts").map((file) => ({ file, read: fencesOfSource })),
  ...["README.md"].filter((file) => existsSync(join(root, file))).map((file) => ({ file, read: fencesOfMarkdown })),
  // The reference repeats the examples of src, beside signatures that stand for themselves.
  ...filesUnder("docs", ".md").filter((file) => !file.startsWith("docs/api/")).map((file) => ({
    file,
    read: fencesOfMarkdown
  }))
].map(({ file, read }) => ({ file, ...read(readFileSync(join(root, file), "utf8")) }))

/** @type {Array<string>} */
const errors = found.flatMap(({ complaints, file }) =>
  complaints.map(({ line, message }) => `${file}:${line} - ${message}`)
)

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const examples = new Map(
  found.flatMap(({ fences, file }) =>
    fences.map((fence) => {
      const path = join(folder, `${file.replace(/\W+/g, "_")}_${fence.line}.ts`)
      writeFileSync(path, `${fence.code.join("\n")}\n`)
      return [path, { file, fence }]
    })
  )
)

/** @param {string} path */
const readOptions = (path) => {
  const { config, error } = ts.readConfigFile(path, ts.sys.readFile)
  const parsed = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const problem = error ?? parsed.errors[0]
  if (problem !== undefined) {
    throw new Error(ts.flattenDiagnosticMessageText(problem.messageText, "\n"))
  }
  return parsed.options
}

/**
 * An example may end in a constant that nobody reads; an import that nobody uses is a fault there too.
 *
 * @param {ts.Diagnostic} diagnostic
 */
const isUnusedDeclaration = ({ file, reportsUnnecessary, start = 0 }) => {
  if (file === undefined || reportsUnnecessary === undefined) {
    return false
  }
  const statement = file.statements.find((statement) => statement.getStart(file) <= start && start < statement.end)
  return statement !== undefined && !ts.isImportDeclaration(statement)
}

const program = ts.createProgram([...examples.keys()], readOptions(join(root, "tsconfig.json")))

for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
  const message = `TS${diagnostic.code}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n")}`
  const { file, start = 0 } = diagnostic
  const example = file && examples.get(file.fileName)
  if (file === undefined || example === undefined) {
    errors.push(`${file?.fileName ?? "tsconfig.json"} - ${message}`)
  } else if (!isUnusedDeclaration(diagnostic)) {
    const { character, line } = file.getLineAndCharacterOfPosition(start)
    const { column, line: firstLine } = example.fence
    errors.push(`${example.file}:${firstLine + line}:${column + character + 1} - ${message}`)
  }
}

for (const error of errors) {
  console.error(error)
}
console.log(`${examples.size} examples, ${errors.length} errors`)
process.exitCode = errors.length === 0 ? 0 : 1
