/**
 * Prints, as JSON, what TypeScript 5.4 says of each source file below a folder, in the project of a tsconfig.json: `files`, all
 * that it looked at, and `faults`. A process of its own, since a compiler lets nothing else have a turn.
 *
 * Arguments: the tsconfig.json, the folder.
 */
import { dirname } from "node:path"
import process from "node:process"
import ts from "typescript-5.4"

const [config = "", folder = ""] = process.argv.slice(2)

const { fileNames, options } = ts.parseJsonConfigFileContent(
  ts.readConfigFile(config, ts.sys.readFile).config,
  ts.sys,
  dirname(config)
)
const program = ts.createProgram(fileNames, options)
const sources = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(folder))
const faults = sources.flatMap((source) =>
  ts.getPreEmitDiagnostics(program, source)
    .map(({ messageText }) => `${source.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`)
)
process.stdout.write(JSON.stringify({ files: sources.map(({ fileName }) => fileName), faults }))
