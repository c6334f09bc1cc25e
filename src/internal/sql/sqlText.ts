/**
 * The text of a record as it stands in the table: JSON in ASCII, so that it survives every encoding of a database and of its
 * connections, and the bytes that some of them refuse in a text (a NUL, half of a surrogate pair) are written out.
 *
 * @internal
 */

/**
 * JSON has what is not ASCII in strings alone, where it may be escaped.
 *
 * @internal
 */
export const asciiJson = (json: string): string =>
  json.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)

/**
 * A column of text as a driver answers it. What is none is no record's, and reads as the empty text.
 *
 * @internal
 */
export const textOf = (value: unknown): string => typeof value === "string" ? value : ""
