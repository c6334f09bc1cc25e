/**
 * HTML that cannot be injected into: a template escapes whatever it is given, except what another template made.
 */

/** HTML that is safe to send. Only `html` makes it. */
export class Html {
  constructor(readonly text: string) {}
}

type Content = string | number | Html | ReadonlyArray<Html> | undefined

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  "\"": "&quot;",
  "'": "&#39;"
}

const render = (content: Content): string => {
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

/** For text between tags and in attributes, which have to be in quotes. `undefined` is nothing. */
export const html = (template: TemplateStringsArray, ...contents: ReadonlyArray<Content>): Html =>
  new Html(template.reduce((text, part, index) => text + render(contents[index - 1]) + part))
