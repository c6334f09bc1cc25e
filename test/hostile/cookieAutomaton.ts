/**
 * A second reader of the `Cookie` header, made to be obviously right: one character after the other, three states, no
 * search, no thought of speed. It follows the rules of docs/cookie-format.md and shares nothing with the library.
 */

type State = "before the pair" | "in the name" | "in the value"

const isBlank = (character: string): boolean => character === " " || character === "\t"

export const mostCandidates = 16

export const readEveryValue = (header: string, wanted: string): ReadonlyArray<string> => {
  const values: Array<string> = []
  let state: State = "before the pair"
  let name = ""
  let value = ""
  // Blanks may turn out to be inside of the value or at its end: they are kept back until it is known.
  let blanks = ""
  const endPair = () => {
    if (state === "in the value" && name !== "" && name === wanted) {
      values.push(value)
    }
    state = "before the pair"
    name = ""
    value = ""
    blanks = ""
  }
  for (let at = 0; at < header.length; at++) {
    const character = header[at]!
    if (character === ";") {
      endPair()
    } else if (state === "in the value") {
      if (isBlank(character)) {
        blanks += character
      } else {
        value += blanks + character
        blanks = ""
      }
    } else if (character === "=") {
      state = "in the value"
    } else if (state === "in the name" || !isBlank(character)) {
      state = "in the name"
      name += character
    }
  }
  endPair()
  return values
}

/** With the limit on candidates, beyond which there are none. */
export const readAsDocumented = (header: string, wanted: string): ReadonlyArray<string> => {
  const values = readEveryValue(header, wanted)
  return values.length > mostCandidates ? [] : values
}
