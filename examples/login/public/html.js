/**
 * HTML that cannot be injected into: a template escapes whatever it is given, except what another template made.
 */

/** HTML that is safe to show. Only `html` makes it. */
export class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text
  }
}

/** @typedef {string | number | Html | ReadonlyArray<Html> | undefined} Content */

/** @type {Readonly<Record<string, string>>} */
const escapes = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\"": "&quot;",
  "'": "&#39;"
}

/** @param {Content} content @returns {string} */
const render = (content) => {
  if (content === undefined) {
    return ""
  }
  if (content instanceof Html) {
    return content.text
  }
  return typeof content === "object"
    ? content.map(({ text }) => text).join("")
    : String(content).replace(/[&<>"']/g, (character) => escapes[character] ?? "")
}

/**
 * For text between tags and in attributes, which have to be in quotes. `undefined` is nothing.
 *
 * @param {TemplateStringsArray} template
 * @param {ReadonlyArray<Content>} contents
 */
export const html = (template, ...contents) =>
  new Html(template.reduce((text, part, index) => text + render(contents[index - 1]) + part))
