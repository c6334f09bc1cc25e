/**
 * Finds the exports of a public module that the reference would show without a description, `@since` or `@category`.
 */
import ts from "typescript"

/**
 * @typedef {object} Complaint
 * @property {number} line counted from 1
 * @property {string} name of the export
 * @property {string} message
 */

/** @typedef {{ readonly name: string, readonly node: ts.Node, readonly documented: ts.Node, readonly isNamespace: boolean }} Exported */

/** @param {ts.Node} node */
const isExported = (node) =>
  ts.canHaveModifiers(node) &&
  (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)

/** @param {ts.Statement} statement @returns {ReadonlyArray<Exported>} */
const exportsOf = (statement) => {
  if (ts.isExportDeclaration(statement)) {
    const { exportClause } = statement
    if (exportClause !== undefined && ts.isNamedExports(exportClause)) {
      return exportClause.elements.map((node) => ({
        ...{ name: node.name.text, node, documented: node, isNamespace: false }
      }))
    }
    const name = exportClause === undefined ? "*" : exportClause.name.text
    return [{ name, node: statement, documented: statement, isNamespace: true }]
  }
  if (!isExported(statement)) {
    return []
  }
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.map((node) => ({
      ...{ name: node.name.getText(), node, documented: statement, isNamespace: false }
    }))
  }
  const { name } = /** @type {{ readonly name?: ts.Node }} */ (/** @type {unknown} */ (statement))
  return [{ name: name?.getText() ?? "default", node: statement, documented: statement, isNamespace: false }]
}

/** @param {ts.Node} node */
const docOf = (node) => ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1)

/** @param {ts.JSDoc | undefined} doc @param {string} name */
const tagOf = (doc, name) => {
  const tag = doc?.tags?.find(({ tagName }) => tagName.text === name)
  return tag === undefined ? undefined : (ts.getTextOfJSDocComment(tag.comment) ?? "").trim()
}

/** @param {ts.JSDoc | undefined} doc */
const isDescribed = (doc) => (ts.getTextOfJSDocComment(doc?.comment) ?? "").trim() !== ""

/**
 * What a file says of itself: its first comment. The parser gives a statement the last of the comments above it, so the
 * first one is read by itself.
 *
 * @param {string} text
 */
const firstDocOf = (text) => {
  const comment = ts.getLeadingCommentRanges(text, 0)?.find(({ pos }) => text.startsWith("/**", pos))
  const source = `${comment === undefined ? "" : text.slice(comment.pos, comment.end)}\nexport const documented = 1\n`
  const [statement] = ts.createSourceFile("comment.ts", source, ts.ScriptTarget.Latest, true).statements
  return statement && docOf(statement)
}

const since = /^\d+\.\d+\.\d+$/

/**
 * @param {ts.JSDoc | undefined} doc
 * @param {{ readonly category: boolean, readonly description: boolean }} demanded
 */
const lacksOf = (doc, demanded) => [
  ...(demanded.description && !isDescribed(doc) ? ["a description"] : []),
  ...(since.test(tagOf(doc, "since") ?? "") ? [] : ["@since with a version"]),
  ...(demanded.category && (tagOf(doc, "category") ?? "") === "" ? ["@category"] : [])
]

/**
 * The exports of a module, and the module itself, that lack part of their documentation. What is marked `@internal` is no
 * part of the reference.
 *
 * @param {string} text the source of the module
 * @returns {ReadonlyArray<Complaint>}
 */
export const undocumentedExports = (text) => {
  const source = ts.createSourceFile("module.ts", text, ts.ScriptTarget.Latest, true)
  /** @param {ts.Node} node */
  const lineOf = (node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
  /** @type {Array<Complaint>} */
  const complaints = []
  const moduleDoc = firstDocOf(text)
  const lacks = lacksOf(moduleDoc, { description: true, category: false })
  if (lacks.length > 0) {
    complaints.push({ line: 1, name: "the module", message: `lacks ${lacks.join(" and ")}` })
  }
  for (const { documented, isNamespace, name, node } of source.statements.flatMap(exportsOf)) {
    const doc = docOf(documented)
    if (tagOf(doc, "internal") !== undefined) {
      continue
    }
    if (ts.isVariableDeclaration(node) && !ts.isIdentifier(node.name)) {
      const name = node.name.elements.flatMap((one) => "name" in one ? [one.name.getText()] : []).join(", ")
      complaints.push({ line: lineOf(node), name, message: "is a pattern: declare each name by itself" })
      continue
    }
    // A module that is exported whole says in its own first comment what it is.
    const lacks = lacksOf(doc, { description: !isNamespace, category: !isNamespace })
    if (lacks.length > 0) {
      complaints.push({ line: lineOf(node), name, message: `lacks ${lacks.join(" and ")}` })
    }
  }
  return complaints
}
