/**
 * The project's own sealed cookie value, version 1, as `docs/cookie-format.md` writes it down.
 *
 * @internal
 */
import { Buffer, isUtf8 } from "node:buffer"
import { createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from "node:crypto"
import { decrypt, encrypt, nonceBytes, tagBytes } from "./aesGcm.js"
import { decodeCanonical } from "./canonicalBase64.js"
import { type HmacSha256, hmacSha256, macBytes } from "./hmacSha256.js"
import type { SealScheme } from "./sealScheme.js"

// First byte of a sealed value: format version in the upper half, content security in the lower.
const privateVersion = 0x11

const signedVersion = 0x12

const deriveKey = (key: Uint8Array, purpose: string): Buffer =>
  Buffer.from(hkdfSync("sha256", key, new Uint8Array(0), purpose, 32))

// The name is preceded by its length so that no name and payload together read like another name and payload
// (the separator mistake of CVE-2019-10911).
const contextOf = (name: string, version: number): Buffer => {
  const nameBytes = Buffer.from(name, "utf8")
  const head = Buffer.from("effect-session:cookie\0\0\0", "latin1")
  head.writeUInt8(version, head.length - 3)
  head.writeUInt16BE(nameBytes.length, head.length - 2)
  return Buffer.concat([head, nameBytes])
}

// Base64url without padding, of which no character is escaped.
const sizeOf = (plaintext: string, addedBytes: number): number =>
  Math.ceil((4 * (Buffer.byteLength(plaintext, "utf8") + addedBytes)) / 3)

const decodeVersion = (value: string, version: number): Buffer | undefined => {
  const sealed = decodeCanonical(value, "base64url")
  return sealed !== undefined && sealed[0] === version ? sealed : undefined
}

/**
 * `Private`: version, 12 bytes of nonce, AES-256-GCM ciphertext, 16 bytes of tag.
 *
 * @internal
 */
export const privateScheme = (name: string): SealScheme<KeyObject> => {
  const context = contextOf(name, privateVersion)
  return {
    prepareKey: (key) => createSecretKey(deriveKey(key, "effect-session cookie v1 Private AES-256-GCM")),
    seal: (key, plaintext, nonce) => {
      const sealed = encrypt(key, context, plaintext, 1, nonce)
      sealed[0] = privateVersion
      return sealed.toString("base64url")
    },
    maxSize: (plaintext) => sizeOf(plaintext, 1 + nonceBytes + tagBytes),
    decode: (value) => decodeVersion(value, privateVersion),
    open: (key, sealed) => decrypt(key, context, sealed, 1)
  }
}

/**
 * `Signed`: version, 32 bytes of HMAC-SHA256, the text.
 *
 * @internal
 */
export const signedScheme = (name: string): SealScheme<HmacSha256> => {
  const context = contextOf(name, signedVersion)
  const textStart = 1 + macBytes
  const expected = Buffer.alloc(macBytes)
  return {
    prepareKey: (key) => hmacSha256(deriveKey(key, "effect-session cookie v1 Signed HMAC-SHA256"), context),
    seal: (macOf, plaintext) => {
      const sealed = Buffer.allocUnsafe(textStart + Buffer.byteLength(plaintext, "utf8"))
      sealed[0] = signedVersion
      sealed.write(plaintext, textStart, "utf8")
      sealed.write(macOf(sealed.subarray(textStart), "binary"), 1, "binary")
      return sealed.toString("base64url")
    },
    maxSize: (plaintext) => sizeOf(plaintext, textStart),
    decode: (value) => decodeVersion(value, signedVersion),
    open: (macOf, sealed) => {
      if (sealed.length < textStart) {
        return undefined
      }
      const text = sealed.subarray(textStart)
      expected.write(macOf(text, "binary"), 0, "binary")
      return timingSafeEqual(expected, sealed.subarray(1, textStart)) && isUtf8(text)
        ? text.toString("utf8")
        : undefined
    }
  }
}
