/**
 * Secrets that were planted, and the search for them in whatever an app prints, in every form that text and bytes are
 * printed in.
 */
import { randomBytes } from "node:crypto"

export interface Vault {
  /** Remembers a secret. What is searched for is its beginning and its end: printers cut short what is long. */
  readonly plant: (name: string, secret: string) => string
  /** Remembers bytes that are written as this base64url text. */
  readonly plantKey: (name: string, base64url: string) => string
  /** The secrets that are in the text, each by its name and the form that it was found in. */
  readonly findIn: (text: string) => ReadonlyArray<string>
  readonly size: () => number
}

/** A text that nobody has written before. */
export const unique = (word: string): string => `${word}-${randomBytes(12).toString("hex")}`

const pieceLength = 16

const endsOf = (text: string): ReadonlyArray<string> =>
  text.length <= pieceLength ? [text] : [text.slice(0, pieceLength), text.slice(-pieceLength)]

const formsOfText = (text: string): Readonly<Record<string, ReadonlyArray<string>>> => {
  const bytes = Buffer.from(text)
  return {
    "as it is": endsOf(text),
    "as a URL has it": endsOf(encodeURIComponent(text)),
    "as JSON has it": endsOf(JSON.stringify(text).slice(1, -1)),
    ...formsOfBytes(bytes)
  }
}

// The last characters of a base64 text depend on where it ends, the others on where it begins.
const formsOfBytes = (bytes: Buffer): Readonly<Record<string, ReadonlyArray<string>>> => ({
  "in base64": [bytes.toString("base64").slice(0, pieceLength)],
  "in base64url": [bytes.toString("base64url").slice(0, pieceLength)],
  "in hexadecimal": endsOf(bytes.toString("hex")),
  "as a list of numbers": [Array.from(bytes.subarray(0, 12)).join()]
})

export const makeVault = (): Vault => {
  const forms: Array<readonly [name: string, pieces: ReadonlyArray<string>]> = []
  let size = 0
  const add = (name: string, found: Readonly<Record<string, ReadonlyArray<string>>>) => {
    size++
    for (const [form, pieces] of Object.entries(found)) {
      forms.push([`${name} ${form}`, pieces])
    }
  }
  return {
    plant: (name, secret) => {
      add(name, formsOfText(secret))
      return secret
    },
    plantKey: (name, base64url) => {
      add(name, formsOfText(base64url))
      add(`the bytes of ${name}`, formsOfBytes(Buffer.from(base64url, "base64url")))
      return base64url
    },
    findIn: (text) => {
      // Bytes are printed with blanks and in lines of their own.
      const dense = text.replace(/\s/g, "")
      return forms.filter(([, pieces]) => pieces.some((piece) => text.includes(piece) || dense.includes(piece)))
        .map(([name]) => name)
    },
    size: () => size
  }
}
