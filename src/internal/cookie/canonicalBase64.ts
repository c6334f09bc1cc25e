/**
 * Base64 that accepts one spelling a value. Node's decoder is lenient (it takes either alphabet, skips what it does not
 * know, and ignores missing padding and stray trailing bits), so that many texts would open as one cookie.
 *
 * @internal
 */
import { Buffer } from "node:buffer"

/**
 * The bytes that `text` spells, or `undefined` when `text` is not exactly what an encoder would have written for them
 * (RFC 4648 §3.5). `base64url` is read without padding, `base64` with it.
 *
 * @internal
 */
export const decodeCanonical = (text: string, alphabet: "base64" | "base64url"): Buffer | undefined => {
  const bytes = Buffer.from(text, alphabet)
  return bytes.toString(alphabet) === text ? bytes : undefined
}
