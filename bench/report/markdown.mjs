/**
 * Tables for Markdown.
 */

/** @param {ReadonlyArray<string>} head @param {ReadonlyArray<ReadonlyArray<string>>} rows */
export const table = (head, rows) => {
  const line = (cells) => `| ${cells.join(" | ")} |`
  // The first column says what, the others are figures.
  const rule = head.map((_, i) => i === 0 ? ":--" : "--:")
  return [line(head), line(rule), ...rows.map(line)].join("\n")
}

/** Three digits that mean something. @param {number} value */
export const figure = (value) => {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toFixed(digits)
}

/** @param {number} value */
export const count = (value) => value.toLocaleString("en")

/** Replaces what stands between two markers. @param {string} text @param {string} name @param {string} content */
export const fill = (text, name, content) => {
  const [open, close] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const start = text.indexOf(open)
  const end = text.indexOf(close)
  if (start === -1 || end < start) {
    throw new Error(`the page has no markers ${open} and ${close}`)
  }
  return `${text.slice(0, start + open.length)}\n\n${content.trim()}\n\n${text.slice(end)}`
}
