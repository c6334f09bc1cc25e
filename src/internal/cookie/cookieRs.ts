/**
 * The seal of Rust's `cookie` crate (cookie-rs), and with it of actix-session: what one side sealed the other one opens.
 *
 * @internal
 */
import { Buffer, isUtf8 } from "node:buffer"
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from "node:crypto"
import { decrypt, encrypt, nonceBytes, tagBytes } from "./aesGcm.js"
import { decodeCanonical } from "./canonicalBase64.js"
import { maxCookieBytes } from "./cookieRules.js"
import { type HmacSha256, hmacSha256 } from "./hmacSha256.js"
import type { SealScheme } from "./sealScheme.js"

// A `Key` of cookie-rs is 32 bytes for signing, then 32 for encryption. Whatever follows is ignored, as `Key::from`
// does.
const halfBytes = 32

/** @internal */
export const cookieRsKeyBytes = 2 * halfBytes

const expandInfo = Buffer.from("COOKIE;SIGNED:HMAC-SHA256;PRIVATE:AEAD-AES-256-GCM", "latin1")

/**
 * The expand half of HKDF-SHA256 (RFC 5869 §2.3) for 64 bytes, which is what `Key::derive_from` does: the master takes
 * the place of the extracted key, so Node's `hkdfSync`, which always extracts, cannot do it.
 *
 * @internal
 */
export const expandCookieRsKey = (master: Uint8Array): Uint8Array => {
  const first = createHmac("sha256", master).update(expandInfo).update(Uint8Array.of(1)).digest()
  const second = createHmac("sha256", master).update(first).update(expandInfo).update(Uint8Array.of(2)).digest()
  return Uint8Array.from([...first, ...second])
}

// Every byte that cookie-rs does not leave alone. In JavaScript's terms: `encodeURIComponent` without `$ & +`, and with
// the two parentheses.
const plainBytes = new Set(
  Buffer.from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!$&'*+-._~", "latin1")
)

const encodedBytes: ReadonlyArray<string> = Array.from(
  { length: 256 },
  (_, byte) => plainBytes.has(byte) ? String.fromCharCode(byte) : "%" + byte.toString(16).toUpperCase().padStart(2, "0")
)

/**
 * Percent-encodes the UTF-8 bytes of a text as `Cookie::encoded()` does.
 *
 * @internal
 */
export const percentEncode = (text: string): string => {
  let encoded = ""
  for (const byte of Buffer.from(text, "utf8")) {
    encoded += encodedBytes[byte]
  }
  return encoded
}

const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined) {
    return -1
  }
  if (byte >= 0x30 && byte <= 0x39) {
    return byte - 0x30
  }
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/**
 * Percent-decodes a header value, given as one character a byte. A `%` that no two hex digits follow stays, so does
 * `+`. `undefined` when the bytes are not UTF-8, or when a character is no byte at all.
 *
 * @internal
 */
export const percentDecode = (value: string): Buffer | undefined => {
  const bytes = Buffer.from(value, "latin1")
  // The conversion above cuts a wider character down to its lowest byte: another spelling of the same value.
  if (bytes.toString("latin1") !== value) {
    return undefined
  }
  let size = bytes.length
  if (value.includes("%")) {
    size = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      const high = byte === 0x25 ? hexDigit(bytes[at + 1]) : -1
      const low = high === -1 ? -1 : hexDigit(bytes[at + 2])
      if (low === -1) {
        bytes[size++] = byte
      } else {
        bytes[size++] = high * 16 + low
        at += 2
      }
    }
  }
  const decoded = bytes.subarray(0, size)
  return isUtf8(decoded) ? decoded : undefined
}

// What percent-encoding adds for one character.
const escapeBytes = 2

// How often a text is sealed until it fits. Each time it does with a probability of 1/2 or more, see `privateMaxSize`:
// that none of them fits has one below 2^-128.
const maxSeals = 128

/**
 * How long the value is depends on how many `/` its base64 happens to have, so that what fitted once might not fit when
 * it is merely sealed again. So this counts as many as a random text has on average, rounded up: half of all seals, or
 * more, have no more than that (a binomial distribution's median is below its mean, rounded up), and `seal` draws another
 * nonce where that matters.
 */
const privateMaxSize = (plaintext: string): number => {
  const bytes = nonceBytes + Buffer.byteLength(plaintext, "utf8") + tagBytes
  // The last one before the padding is not full, and never a `/`.
  const fullCharacters = Math.floor((4 * bytes) / 3)
  const characters = 4 * Math.ceil(bytes / 3)
  const padding = (3 - bytes % 3) % 3
  return characters + escapeBytes * (padding + Math.ceil(fullCharacters / 64))
}

/**
 * The private jar: base64 of nonce, AES-256-GCM ciphertext and tag, with the cookie's name as additional data.
 *
 * @internal
 */
export const cookieRsPrivateScheme = (name: string): SealScheme<KeyObject> => {
  const nameBytes = Buffer.from(name, "utf8")
  const room = maxCookieBytes - nameBytes.length
  const sealOnce = (key: KeyObject, plaintext: string, nonce?: Uint8Array | undefined): string =>
    percentEncode(encrypt(key, nameBytes, plaintext, 0, nonce).toString("base64"))
  return {
    prepareKey: (key) => createSecretKey(key.subarray(halfBytes, cookieRsKeyBytes)),
    seal: (key, plaintext, nonce) => {
      let value = sealOnce(key, plaintext, nonce)
      if (value.length > room && nonce === undefined && privateMaxSize(plaintext) <= room) {
        for (let seals = 1; value.length > room && seals < maxSeals; seals++) {
          value = sealOnce(key, plaintext)
        }
      }
      return value
    },
    maxSize: privateMaxSize,
    decode: (value) => {
      const text = percentDecode(value)
      return text === undefined ? undefined : decodeCanonical(text.toString("latin1"), "base64")
    },
    open: (key, sealed) => decrypt(key, nameBytes, sealed, 0)
  }
}

const macTextBytes = 44

// The last two of its characters are the padding and one that is not full. All others may be a `/`: a text has one MAC, so
// that nothing could be drawn again, and another expiry has another.
const macTextMaxSize = macTextBytes + escapeBytes * (macTextBytes - 1)

const noContext = new Uint8Array(0)

/**
 * The signed jar: 44 characters of base64 with the value's HMAC-SHA256, then the value itself. The name is not part of
 * what is signed: a value may be moved to another cookie under the same key.
 *
 * @internal
 */
export const cookieRsSignedScheme: SealScheme<HmacSha256> = {
  prepareKey: (key) => hmacSha256(key.subarray(0, halfBytes), noContext),
  seal: (macOf, plaintext) => percentEncode(macOf(Buffer.from(plaintext, "utf8"), "base64") + plaintext),
  maxSize: (plaintext) => macTextMaxSize + percentEncode(plaintext).length,
  decode: percentDecode,
  open: (macOf, signed) => {
    if (signed.length < macTextBytes) {
      return undefined
    }
    // A MAC has one canonical spelling, so comparing the spellings is the strict decoding and the check in one.
    const expected = Buffer.from(macOf(signed.subarray(macTextBytes), "base64"), "latin1")
    return timingSafeEqual(expected, signed.subarray(0, macTextBytes))
      ? signed.toString("utf8", macTextBytes)
      : undefined
  }
}

/**
 * Whether two rings have a key in common, as far as signing goes.
 *
 * @internal
 */
export const haveCommonSigningKey = (one: ReadonlyArray<Uint8Array>, other: ReadonlyArray<Uint8Array>): boolean => {
  const signing = (key: Uint8Array) => Buffer.from(key.subarray(0, halfBytes))
  return one.some((key) => other.some((otherKey) => signing(key).equals(signing(otherKey))))
}
