/**
 * Finds the TypeScript that the documentation shows: the ts fences of a Markdown file, and those in the JSDoc of a
 * source file.
 */
import ts from "typescript"

/**
 * @typedef {object} CodeFence
 * @property {number} line the line of its first code, counted from 1, in the file it stands in
 * @property {number} column how many characters stand before its code in each line
 * @property {ReadonlyArray<string>} code
 */

/**
 * @typedef {object} Complaint
 * @property {number} line counted from 1
 * @property {string} message
 */

/** @typedef {{ readonly fences: ReadonlyArray<CodeFence>, readonly complaints: ReadonlyArray<Complaint> }} Found */

const openingFence = /^(\s*)(`{3,}|~{3,})\s*(.*?)\s*$/

/** Names of TypeScript and JavaScript that would slip past the compiler when they were allowed. */
const otherSpellings = /^(typescript|tsx|mts|cts|js|javascript|jsx|mjs|cjs)\b/i

/**
 * @param {ReadonlyArray<string>} lines what is to be read as Markdown
 * @param {{ line: number, column: number }} origin where the first of the lines stands in its file
 * @returns {Found}
 */
const readFences = (lines, origin) => {
  /** @type {Array<CodeFence>} */
  const fences = []
  /** @type {Array<Complaint>} */
  const complaints = []
  for (let i = 0; i < lines.length; i++) {
    const [, indent = "", marker, info = ""] = openingFence.exec(lines[i] ?? "") ?? []
    if (marker === undefined) {
      continue
    }
    const closing = new RegExp(`^\\s*${marker[0]}{${marker.length},}\\s*$`)
    const start = i + 1
    let end = start
    while (end < lines.length && !closing.test(lines[end] ?? "")) {
      end++
    }
    if (end === lines.length) {
      complaints.push({ line: origin.line + i, message: "this fence is never closed" })
    }
    if (info === "ts") {
      const code = lines.slice(start, end).map((line) => line.slice(indent.length))
      fences.push({ line: origin.line + start, column: origin.column + indent.length, code })
    } else if (/^ts\b/i.test(info) || otherSpellings.test(info)) {
      complaints.push({
        line: origin.line + i,
        message: `write \`\`\`ts, not \`\`\`${info}: every example is compiled`
      })
    }
    i = end
  }
  return { fences, complaints }
}

/** @param {string} text @returns {Found} */
export const fencesOfMarkdown = (text) => readFences(text.split("\n"), { line: 1, column: 0 })

/**
 * The fences of every JSDoc comment. An `@example` without one is a complaint, because nobody would compile it.
 *
 * @param {string} text
 * @returns {Found}
 */
export const fencesOfSource = (text) => {
  /** @type {Array<Found>} */
  const found = []
  for (const { end, pos } of jsDocComments(text)) {
    // The first line holds the opening of the comment and is no place for a fence.
    const [, ...lines] = text.slice(pos, end).split("\n")
    const line = text.slice(0, pos).split("\n").length + 1
    const prefix = /^\s*\* ?/.exec(lines[0] ?? "")?.[0] ?? ""
    const body = lines.map((text) => text.replace(/^\s*\*(?!\/) ?/, ""))
    const inside = readFences(body, { line, column: prefix.length })
    found.push(inside)
    body.forEach((text, index) => {
      if (/^@example\b/.test(text)) {
        const next = body.findIndex((later, at) => at > index && /^@\w/.test(later))
        const until = line + (next === -1 ? body.length : next)
        if (!inside.fences.some((fence) => fence.line > line + index && fence.line <= until)) {
          found.push({ fences: [], complaints: [{ line: line + index, message: "this @example has no ```ts fence" }] })
        }
      }
    })
  }
  return {
    fences: found.flatMap((part) => part.fences),
    complaints: found.flatMap((part) => part.complaints)
  }
}

/**
 * TypeScript's own scanner tells a comment from a string or a template that looks like one.
 *
 * @param {string} text
 */
const jsDocComments = (text) => {
  const source = ts.createSourceFile("source.ts", text, ts.ScriptTarget.Latest, true)
  /** @type {Map<number, ts.CommentRange>} */
  const comments = new Map()
  /** @param {ts.Node} node */
  const visit = (node) => {
    // A token's leading comments hold every comment of the file, the last token's (the end of the file) included.
    if (node.getChildCount(source) === 0) {
      for (const range of ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []) {
        if (text.startsWith("/**", range.pos)) {
          comments.set(range.pos, range)
        }
      }
    }
    node.getChildren(source).forEach(visit)
  }
  visit(source)
  return [...comments.values()].sort((a, b) => a.pos - b.pos)
}
