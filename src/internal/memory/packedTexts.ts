/**
 * A list of texts kept as one, each with its length before it. In memory a text of its own costs 16 bytes beside its
 * characters, its place in a list another 8, and what `JSON.stringify` or `+` made is a tree of pieces that can take
 * twice its characters.
 *
 * @internal
 */

/** @internal */
export type PackedTexts = string | ReadonlyArray<string>

// Beyond this, copying the characters costs more time than the bytes that it saves are worth.
const maxPacked = 4_096

// A length is written in base 128, the lowest digit first; 128 is added to each digit that another one follows.
const base = 128

/** @internal */
export const packTexts = (texts: ReadonlyArray<string>): PackedTexts => {
  const pieces: Array<string> = []
  let total = 0
  for (const text of texts) {
    pieces.push(packLength(text.length), text)
    total += text.length
  }
  // Unlike `+`, `join` writes the characters out in one piece.
  return total > maxPacked ? texts : pieces.join("")
}

const packLength = (length: number): string =>
  length < base
    ? String.fromCharCode(length)
    : String.fromCharCode(base + length % base) + packLength(Math.floor(length / base))

/** @internal */
export const unpackTexts = (packed: PackedTexts): ReadonlyArray<string> => {
  if (typeof packed !== "string") {
    return packed
  }
  const texts: Array<string> = []
  let at = 0
  while (at < packed.length) {
    let length = 0
    let unit = 1
    let digit = packed.charCodeAt(at++)
    for (; digit >= base; digit = packed.charCodeAt(at++)) {
      length += (digit - base) * unit
      unit *= base
    }
    length += digit * unit
    texts.push(packed.slice(at, at += length))
  }
  return texts
}
