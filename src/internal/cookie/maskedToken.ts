/**
 * A secret that is written differently each time, so that an answer which is compressed does not tell it bit by bit to whoever
 * can watch its length (BREACH): a mask of random bytes, and the secret under that mask.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { randomBytes } from "node:crypto"
import { decodeCanonical } from "./canonicalBase64.js"

/**
 * How many bytes such a secret has.
 *
 * @internal
 */
export const secretBytes = 32

const xor = (left: Uint8Array, right: Uint8Array): Buffer => Buffer.from(left.map((byte, at) => byte ^ right[at]!))

/**
 * A token of the secret: 86 characters of base64url.
 *
 * @internal
 */
export const maskSecret = (secret: Uint8Array): string => {
  const mask = randomBytes(secretBytes)
  return Buffer.concat([mask, xor(mask, secret)]).toString("base64url")
}

/**
 * The secret of a token; `undefined` for what is no token.
 *
 * @internal
 */
export const unmaskSecret = (token: string): Buffer | undefined => {
  const bytes = token.length === tokenLength ? decodeCanonical(token, "base64url") : undefined
  return bytes === undefined ? undefined : xor(bytes.subarray(0, secretBytes), bytes.subarray(secretBytes))
}

const tokenLength = Math.ceil(2 * secretBytes * 4 / 3)
