/**
 * HMAC-SHA256 (RFC 2104) without an object a call: two one-shot hashes, H(opad ‖ H(ipad ‖ message)), where the runtime has
 * them, and `createHmac` where it has not.
 *
 * An object of node:crypto costs the collector as much as it costs to use, and a digest that is asked for as text leaves
 * nothing else behind.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
// As a whole, since an import by name fails where there is no `hash` (Node before 20.12).
import * as crypto from "node:crypto"

/**
 * How many bytes a MAC has.
 *
 * @internal
 */
export const macBytes = 32

/**
 * The MAC of the prepared context and a message, as text: `binary` has one character a byte, `base64` has padding.
 *
 * @internal
 */
export type HmacSha256 = (message: Uint8Array, encoding: "binary" | "base64") => string

/**
 * Prepares a key, of any length, together with what stands before every message.
 *
 * @internal
 */
export type PrepareHmac = (key: Uint8Array, context: Uint8Array) => HmacSha256

const algorithm = "sha256"
const blockBytes = 64

// Longer messages than a cookie may hold are rare, and have a buffer of their own.
const roomBytes = 4096

// A key is filled up with zeros to the size of a block, or hashed first if it is longer (RFC 2104 §2).
const blockOf = (key: Uint8Array): Buffer => {
  const block = Buffer.alloc(blockBytes)
  block.set(key.length > blockBytes ? crypto.createHash(algorithm).update(key).digest() : key)
  return block
}

const padded = (block: Buffer, pad: number): Buffer => block.map((byte) => byte ^ pad) as Buffer

/**
 * By two calls of `crypto.hash`. Its buffers are written anew by each call and are never handed out; nothing waits between.
 *
 * @internal
 */
export const hmacOfHashes: PrepareHmac = (key, context) => {
  const block = blockOf(key)
  const start = blockBytes + context.length
  const inner = Buffer.alloc(start + roomBytes)
  inner.set(padded(block, 0x36))
  inner.set(context, blockBytes)
  const outer = Buffer.alloc(blockBytes + macBytes)
  outer.set(padded(block, 0x5c))
  // A view costs more than it shows. The session keys of a store are all of one length, and share one.
  let used = inner.subarray(0, start)
  const inputOf = (message: Uint8Array): Buffer => {
    if (message.length > roomBytes) {
      return Buffer.concat([inner.subarray(0, start), message])
    }
    inner.set(message, start)
    if (used.length !== start + message.length) {
      used = inner.subarray(0, start + message.length)
    }
    return used
  }
  return (message, encoding) => {
    outer.write(crypto.hash(algorithm, inputOf(message), "binary"), blockBytes, "binary")
    return crypto.hash(algorithm, outer, encoding)
  }
}

/**
 * By an object of `createHmac` for each call.
 *
 * @internal
 */
export const hmacOfObjects: PrepareHmac = (key, context) => {
  const secret = crypto.createSecretKey(key)
  const before = Buffer.from(context)
  return (message, encoding) => crypto.createHmac(algorithm, secret).update(before).update(message).digest(encoding)
}

/**
 * By what this runtime has.
 *
 * @internal
 */
export const hmacSha256: PrepareHmac = typeof crypto.hash === "function" ? hmacOfHashes : hmacOfObjects
