/**
 * A JSON value as a person types it: quotes around a text are not needed.
 */

/** @param {string} text @returns {unknown} */
export const valueOf = (text) => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/**
 * What to type for a value.
 *
 * @param {unknown} value
 */
export const textOf = (value) => typeof value === "string" && valueOf(value) === value ? value : JSON.stringify(value)
