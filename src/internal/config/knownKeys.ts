/**
 * Keys that are long enough and yet known to others: published ones, text, and what somebody typed. Each rule says how
 * often it refuses a key that was drawn at random; all of them together less than once in 10^9 keys.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { createHash } from "node:crypto"

/**
 * What is wrong with a key that others may know, or `undefined`. `text` is the key as it was given, in base64url.
 *
 * @internal
 */
export const whyKnown = (text: string, bytes: Uint8Array): string | undefined => {
  const decoded = Buffer.from(bytes)
  if (isPublished(decoded)) {
    return "is published as an example"
  }
  const inner = decoded.toString("latin1")
  const spellings = [text, inner]
  if (spellings.some(isWords)) {
    return "is made of words"
  }
  if (isTextual(inner) && !hexText.test(inner)) {
    return "is text that was encoded, not random bytes"
  }
  return [...spellings.map((spelling) => Buffer.from(spelling, "latin1")), decoded, ...spellings.flatMap(fromHex)]
      .some(isCounted)
    ? "is counted up, not random"
    : undefined
}

// SHA-256 of 32 bytes each: a key that stands here in clear would be copied from here. The other keys of this package's own
// documentation and tests, and those of other packages' that reach 32 bytes, are counted, repeated, or words.
const published = new Set([
  // The key of the test vectors of Rust's `cookie` crate, either half.
  "25ab287ade1bb69ebfff0b0cc5c07d40854f0d76f049994634f0994ae55de541",
  "2e1ebf160f357e3e6287c2436cb8e88fedc8e2b01e8831c76d3c32603bb47576"
])

const publishedBytes = 32

// Never a random key: 2^-255.
const isPublished = (bytes: Buffer): boolean =>
  [0, publishedBytes].some((start) => {
    const part = bytes.subarray(start, start + publishedBytes)
    return part.length === publishedBytes && published.has(createHash("sha256").update(part).digest("hex"))
  })

// At least eight letters, so that a random key has one of them once in 10^9: 79 places, ten words, 2^-40 each.
const words = [
  "changeme",
  "changethis",
  "replaceme",
  "replacethis",
  "password",
  "passphrase",
  "insecure",
  "secretkey",
  "sessionkey",
  "sessionsecret"
]

// A random key of 43 letters, digits and two other signs is without digits and without one of the cases: 2^-50.
const oneCase = /^(?:[a-z_-]+|[A-Z_-]+)$/

const isWords = (text: string): boolean => {
  const letters = text.toLowerCase().replace(/[-_ .]/g, "")
  return words.some((word) => letters.includes(word)) || oneCase.test(text)
}

// 32 random bytes are all printable with a probability of 2^-44, a longer key's still more rarely.
const isTextual = (text: string): boolean => /^[\t\n\r\x20-\x7e]+$/.test(text)

// Random bytes are written so by many a tool, and the digits are then encoded, or taken for base64url, as they are.
const hexText = /^(?:[0-9a-f]{2})+\s*$|^(?:[0-9A-F]{2})+\s*$/

const fromHex = (text: string): ReadonlyArray<Buffer> => hexText.test(text) ? [Buffer.from(text.trim(), "hex")] : []

/**
 * Whether each is followed by the next one, or by itself, in two thirds of all places: what is counted, or typed along the
 * alphabet or the digits, up or down. Of 63 random digits in hexadecimal that many are with a probability below 2^-45; of
 * any other random key, far more rarely.
 */
const isCounted = (bytes: Buffer): boolean => {
  let near = 0
  for (let i = 1; i < bytes.length; i++) {
    near += Math.abs(bytes[i]! - bytes[i - 1]!) <= 1 ? 1 : 0
  }
  return bytes.length > 1 && near >= (2 / 3) * (bytes.length - 1)
}
