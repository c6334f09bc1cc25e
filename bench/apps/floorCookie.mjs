/**
 * What both floors know of cookies: a random id, and the state under AES-256-GCM or HMAC-SHA256 by node:crypto directly.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, randomFillSync, timingSafeEqual } from "node:crypto"

export const newId = () => randomBytes(32).toString("base64url")

export const newKey = () => randomBytes(32)

export const seal = (key, text) => {
  const size = Buffer.byteLength(text)
  const sealed = Buffer.allocUnsafe(12 + size + 16)
  randomFillSync(sealed, 0, 12)
  const cipher = createCipheriv("aes-256-gcm", key, sealed.subarray(0, 12))
  sealed.set(cipher.update(text, "utf8"), 12)
  cipher.final()
  sealed.set(cipher.getAuthTag(), 12 + size)
  return sealed.toString("base64url")
}

export const unseal = (key, value) => {
  const sealed = Buffer.from(value, "base64url")
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12), { authTagLength: 16 })
  decipher.setAuthTag(sealed.subarray(-16))
  const text = decipher.update(sealed.subarray(12, -16), undefined, "utf8")
  return text + decipher.final("utf8")
}

export const sign = (key, text) =>
  `${Buffer.from(text).toString("base64url")}.${createHmac("sha256", key).update(text).digest("base64url")}`

export const unsign = (key, value) => {
  const dot = value.indexOf(".")
  const text = Buffer.from(value.slice(0, dot), "base64url")
  const mac = createHmac("sha256", key).update(text).digest()
  return timingSafeEqual(mac, Buffer.from(value.slice(dot + 1), "base64url")) ? text.toString() : undefined
}
