/**
 * AES-256-GCM in the layout both cookie formats use: nonce, ciphertext, tag, one after the other in one buffer.
 *
 * @internal
 */
import { Buffer, isUtf8 } from "node:buffer"
import { createCipheriv, createDecipheriv, type KeyObject, randomFillSync } from "node:crypto"

/** @internal */
export const nonceBytes = 12

/** @internal */
export const tagBytes = 16

const algorithm = "aes-256-gcm"

// Without it Node takes tags of four bytes and up, which can be guessed (CVE-2025-47275).
const fullTag = { authTagLength: tagBytes }

/**
 * Encrypts the UTF-8 bytes of `plaintext` into a new buffer of which the first `offset` bytes are left to the caller to
 * fill. A fresh random nonce is drawn unless one is given.
 *
 * @internal
 */
export const encrypt = (
  key: KeyObject,
  additionalData: Uint8Array,
  plaintext: string,
  offset: number,
  nonce?: Uint8Array | undefined
): Buffer => {
  const textStart = offset + nonceBytes
  const size = Buffer.byteLength(plaintext, "utf8")
  const sealed = Buffer.allocUnsafe(textStart + size + tagBytes)
  if (nonce === undefined) {
    randomFillSync(sealed, offset, nonceBytes)
  } else {
    sealed.set(nonce, offset)
  }
  const cipher = createCipheriv(algorithm, key, sealed.subarray(offset, textStart), fullTag)
  cipher.setAAD(additionalData)
  sealed.set(cipher.update(plaintext, "utf8"), textStart)
  cipher.final()
  sealed.set(cipher.getAuthTag(), textStart + size)
  return sealed
}

/**
 * Reverses {@link encrypt}; `undefined` when the key, the additional data or any byte from `offset` on is another one.
 *
 * @internal
 */
export const decrypt = (
  key: KeyObject,
  additionalData: Uint8Array,
  sealed: Buffer,
  offset: number
): string | undefined => {
  const textStart = offset + nonceBytes
  const textEnd = sealed.length - tagBytes
  if (textEnd < textStart) {
    return undefined
  }
  try {
    const decipher = createDecipheriv(algorithm, key, sealed.subarray(offset, textStart), fullTag)
    decipher.setAAD(additionalData)
    decipher.setAuthTag(sealed.subarray(textEnd))
    const plaintext = decipher.update(sealed.subarray(textStart, textEnd))
    // Checks the tag, and throws when it is wrong: nothing of the plaintext may be looked at before.
    decipher.final()
    return isUtf8(plaintext) ? plaintext.toString("utf8") : undefined
  } catch {
    return undefined
  }
}
