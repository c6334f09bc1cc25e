/**
 * What a key of the ring may be.
 *
 * @internal
 */
import type * as Arr from "effect/Array"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import type { CookieFormat } from "../../CookieCrypto.js"
import { decodeCanonical } from "../cookie/canonicalBase64.js"
import { cookieRsKeyBytes } from "../cookie/cookieRs.js"
import { whyKnown } from "./knownKeys.js"
import { type Checked, isGiven } from "./optionChecks.js"

const minKeyBytes: { readonly [Format in CookieFormat]: number } = { EffectSession: 32, CookieRs: cookieRsKeyBytes }

/** @internal */
export const checkKeys = (
  keys: unknown,
  format: CookieFormat
): Checked<Arr.NonEmptyReadonlyArray<Redacted.Redacted<Uint8Array>>> =>
  Either.gen(function*() {
    const texts = (yield* Either.all(Array.from(Array.isArray(keys) ? keys : [keys], revealText)))
      .flatMap((text) => text.split(","))
    const ring: Array<Uint8Array> = []
    for (const [index, text] of texts.entries()) {
      const nth = texts.length === 1 ? "the key" : `key ${index + 1} of ${texts.length}`
      // A secret that was mounted as a file ends with a line break.
      const bytes = yield* Either.mapLeft(checkKey(text.trim(), format), (problem) => `are refused: ${nth} ${problem}`)
      const twin = ring.findIndex((other) => usedPart(other, format).equals(usedPart(bytes, format)))
      if (twin !== -1) {
        return yield* Either.left(`are refused: ${nth} is the same as key ${twin + 1}. Remove one of them`)
      }
      ring.push(bytes)
    }
    const [first, ...rest] = ring.map((bytes) => Redacted.make(bytes))
    return first === undefined
      ? yield* Either.left(`are missing: ${bringKey}`)
      : [first, ...rest] as const
  })

/** @internal */
export const bringKey = "bring at least one, for instance from generateKey()"

const revealText = (key: unknown): Checked<string> => {
  if (!isGiven(key)) {
    return Either.left(`are missing: ${bringKey}`)
  }
  if (!Redacted.isRedacted(key)) {
    return Either.left("are not Redacted: wrap each key in Redacted.make, or read them with fromEnv")
  }
  return Either.flatMap(
    Either.try({ try: () => Redacted.value(key), catch: () => "are refused: a key was wiped before it could be read" }),
    (value) => typeof value === "string" ? Either.right(value) : Either.left("are refused: a key is not a string")
  )
}

const checkKey = (text: string, format: CookieFormat): Checked<Uint8Array> => {
  if (text === "") {
    return Either.left(`is empty: ${bringKey}, and leave no empty part between commas`)
  }
  const bytes = decodeCanonical(text, "base64url")
  if (bytes === undefined) {
    return Either.left(
      "is not base64url without padding. From base64, write - for + and _ for / and drop the = at the end"
    )
  }
  if (bytes.length < minKeyBytes.EffectSession) {
    return Either.left(
      `has ${bytes.length} bytes, but at least ${minKeyBytes[format]} are needed. Draw a new one with generateKey()`
    )
  }
  if (bytes.length < minKeyBytes[format]) {
    return Either.left(
      `has ${bytes.length} bytes, but the format CookieRs needs at least ${minKeyBytes[format]}. Draw a new one with `
        + "generateKey(), or, where the Rust app calls Key::derive_from, expand the master key with deriveCookieRsKey "
        + "of CookieCrypto and bring the result as base64url"
    )
  }
  if (isWeak(bytes, format)) {
    return Either.left("is not random: its bytes repeat, so that it can be guessed. Draw a new one with generateKey()")
  }
  const known = whyKnown(text, bytes)
  if (known !== undefined) {
    return Either.left(`${known}, so that it can be guessed. Draw a new one with generateKey()`)
  }
  // A copy, because a small Buffer is a window on memory that it shares with others.
  return Either.right(new Uint8Array(bytes))
}

// Fewer are a sign of a key that was typed rather than drawn: a random key of 32 bytes has fewer than 12 distinct ones
// with a probability of 2^-83, a longer one less often still. The bound is not higher because random text in
// hexadecimal digits, which people do encode once more, has no more than 16.
const minDistinctBytes = 12

const isWeak = (bytes: Uint8Array, format: CookieFormat): boolean => {
  const used = usedPart(bytes, format)
  // A key of cookie-rs is two keys side by side, and each has to be one.
  const parts = format === "CookieRs" ? [used.subarray(0, used.length / 2), used.subarray(used.length / 2)] : [used]
  return repeatsItself(used) || parts.some((part) => new Set(part).size < minDistinctBytes)
}

// A key that was made longer by writing it twice; in CookieRs both its halves would be equal. A random key of 32 bytes
// looks so with a probability below 2^-127.
const repeatsItself = (bytes: Uint8Array): boolean => {
  for (let period = 1; period <= bytes.length / 2; period++) {
    if (bytes.every((byte, index) => index < period || byte === bytes[index - period])) {
      return true
    }
  }
  return false
}

// What decides whether two keys are one: CookieRs takes the first 64 bytes and ignores the rest.
const usedPart = (bytes: Uint8Array, format: CookieFormat): Buffer =>
  Buffer.from(format === "CookieRs" ? bytes.subarray(0, cookieRsKeyBytes) : bytes)
