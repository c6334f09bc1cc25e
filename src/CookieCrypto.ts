/**
 * Seals a cookie's value so that a browser can keep it and nobody but the server can make or, if you want, read it.
 * A ring of keys makes rotation a matter of putting a new key in front: the first seals, all of them open.
 *
 * The formats are written down to the byte in `docs/cookie-format.md`. Everything here is synchronous and pure but for
 * the random nonce.
 *
 * @example
 * ```ts
 * import * as Option from "effect/Option"
 * import * as Redacted from "effect/Redacted"
 * import * as CookieCrypto from "effect-session/CookieCrypto"
 * import { randomBytes } from "node:crypto"
 *
 * const crypto = CookieCrypto.make({
 *   name: "__Host-id",
 *   keys: [Redacted.make(randomBytes(32))],
 *   contentSecurity: "Private"
 * })
 *
 * const value = crypto.seal("hello")
 * console.log(Option.map(crypto.open(value), (opened) => opened.plaintext)) // Some("hello")
 * console.log(crypto.open(value + "A")) // None
 * ```
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import {
  cookieRsKeyBytes,
  cookieRsPrivateScheme,
  cookieRsSignedScheme,
  expandCookieRsKey
} from "./internal/cookie/cookieRs.js"
import { isCookieName, isCookieRsName } from "./internal/cookie/cookieRules.js"
import { privateScheme, signedScheme } from "./internal/cookie/cookieSeal.js"
import type { SealScheme } from "./internal/cookie/sealScheme.js"

/**
 * What a cookie's value gives away to whoever holds the browser.
 *
 * - `Private`: nothing but its length. Encrypted and authenticated with AES-256-GCM.
 * - `Signed`: everything, but it cannot be changed. Authenticated with HMAC-SHA256.
 *
 * @since 0.1.0
 * @category models
 */
export type ContentSecurity = "Private" | "Signed"

/**
 * How a sealed value is written.
 *
 * - `EffectSession`: this library's own format. It binds the cookie's name, and needs no escaping in a header.
 * - `CookieRs`: the seal of Rust's cookie-rs, and so of actix-session: what one side sealed the other one opens. The texts
 *   inside are each side's own, so that sessions are not shared. Its `Signed` form does not bind the cookie's name: under
 *   one key, a value may be moved between two cookies.
 *
 * @since 0.1.0
 * @category models
 */
export type CookieFormat = "EffectSession" | "CookieRs"

/**
 * What an authentic cookie value held.
 *
 * @since 0.1.0
 * @category models
 */
export interface Opened {
  /** The text that was sealed. */
  readonly plaintext: string
  /**
   * `false` when an older key of the ring had sealed it, or any key as what `formerContentSecurity` says: time to seal it again.
   */
  readonly sealedByNewest: boolean
}

/**
 * Seals and opens the value of one cookie.
 *
 * @since 0.1.0
 * @category models
 */
export interface CookieCrypto {
  /**
   * Seals a text with the newest key. The result is a `cookie-value` as RFC 6265bis §4.1.1 has it, ready for the
   * header. A lone surrogate, which UTF-8 cannot express, becomes U+FFFD; text made by `JSON.stringify` never holds
   * one.
   *
   * A `Private` value differs from call to call, also for the same text. One key should not seal more than 2^32 of
   * them.
   */
  readonly seal: (plaintext: string) => string
  /**
   * How many bytes a sealed value of the text counts with. It depends on the text alone, so that what was accepted once is
   * accepted when it is sealed again, also where the size of a value varies from seal to seal (`CookieRs`). `seal` never
   * exceeds 4096 bytes, the name included, where this does not.
   */
  readonly sealedSize: (plaintext: string) => number
  /**
   * Opens a value as it stood in the `Cookie` header, one character a byte. It never throws, and every value that is
   * not authentic has the same outcome, whatever is wrong with it.
   */
  readonly open: (value: string) => Option.Option<Opened>
}

/**
 * The fewest bytes a key of that format must have: 32 for `EffectSession`, 64 for `CookieRs`.
 *
 * @since 0.1.0
 * @category constants
 */
export const minimumKeyBytes = (format: CookieFormat): number => format === "CookieRs" ? cookieRsKeyBytes : 32

/** One content security with the keys of the ring, prepared for it. */
interface SealRing {
  readonly seal: (plaintext: string) => string
  readonly maxSize: (plaintext: string) => number
  readonly open: (value: string) => Opened | undefined
}

const ringFor = <Key>(scheme: SealScheme<Key>, keys: Arr.NonEmptyReadonlyArray<Uint8Array>): SealRing => {
  const newest = scheme.prepareKey(keys[0])
  const ring = [newest, ...keys.slice(1).map(scheme.prepareKey)]
  return {
    seal: (plaintext) => scheme.seal(newest, plaintext),
    maxSize: scheme.maxSize,
    open: (value) => {
      const sealed = scheme.decode(value)
      if (sealed === undefined) {
        return undefined
      }
      for (const key of ring) {
        const plaintext = scheme.open(key, sealed)
        if (plaintext !== undefined) {
          return { plaintext, sealedByNewest: key === newest }
        }
      }
      return undefined
    }
  }
}

const ringOf = (
  format: CookieFormat,
  contentSecurity: ContentSecurity,
  name: string,
  keys: Arr.NonEmptyReadonlyArray<Uint8Array>
): SealRing => {
  switch (`${format}/${contentSecurity}` as const) {
    case "EffectSession/Private":
      return ringFor(privateScheme(name), keys)
    case "EffectSession/Signed":
      return ringFor(signedScheme(name), keys)
    case "CookieRs/Private":
      return ringFor(cookieRsPrivateScheme(name), keys)
    case "CookieRs/Signed":
      return ringFor(cookieRsSignedScheme, keys)
    default:
      throw new RangeError(
        "CookieCrypto.make: format must be \"EffectSession\" or \"CookieRs\", contentSecurity and formerContentSecurity "
          + "\"Private\" or \"Signed\""
      )
  }
}

/**
 * Prepares the keys, once, and returns the two functions that work with them.
 *
 * The first key of the ring seals; all of them open. Rotate by putting a new key in front and dropping the old one when
 * the last cookie it sealed has expired. A key must be drawn at random: 32 bytes or more for `EffectSession`, 64 or
 * more for `CookieRs`, of which the first 64 count (`Key::from`). Passwords are no keys.
 *
 * `formerContentSecurity` is what the cookie's values were sealed as before: those open, too, with the same keys, and count as
 * sealed by an older key. Left out, a value opens as what `contentSecurity` says and as nothing else.
 *
 * It throws a `RangeError` that names what is wrong, and never shows the key, when a key is too short, the ring is
 * empty, or the name is none that a cookie of that format may have. `format` is `EffectSession` if left out.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: {
  readonly name: string
  readonly keys: readonly [Redacted.Redacted<Uint8Array>, ...Array<Redacted.Redacted<Uint8Array>>]
  readonly contentSecurity: ContentSecurity
  readonly formerContentSecurity?: ContentSecurity | undefined
  readonly format?: CookieFormat | undefined
}): CookieCrypto => {
  const { format = "EffectSession", name } = options
  checkName(name)
  if (format === "CookieRs" && !isCookieRsName(name)) {
    throw new RangeError("CookieCrypto.make: name must not contain any of # % ^ ` |, which cookie-rs writes escaped")
  }
  return makeFor(name, format, options)
}

/**
 * Prepares the keys for what travels in a header in the place of the cookie of that name: the bearer of clients that keep no
 * cookies. It is sealed as `EffectSession`, whose characters a header may hold, for a name that no cookie can have. So a
 * bearer opens in no cookie, and what stood in a cookie is no bearer.
 *
 * It throws as `make` does.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBearer = (options: {
  readonly name: string
  readonly keys: readonly [Redacted.Redacted<Uint8Array>, ...Array<Redacted.Redacted<Uint8Array>>]
  readonly contentSecurity: ContentSecurity
  readonly formerContentSecurity?: ContentSecurity | undefined
}): CookieCrypto => {
  checkName(options.name)
  return makeFor(`${options.name}:bearer`, "EffectSession", options)
}

const checkName = (name: string): void => {
  if (!isCookieName(name)) {
    throw new RangeError("CookieCrypto.make: name must be a cookie name: one or more of A-Z a-z 0-9 !#$%&'*+-.^_`|~")
  }
}

const makeFor = (
  name: string,
  format: CookieFormat,
  { contentSecurity, formerContentSecurity, keys }: Parameters<typeof makeBearer>[0]
): CookieCrypto => {
  const [newest, ...older] = keys.map((redacted, index) => {
    const key = Redacted.value(redacted)
    const position = `key ${index + 1} of ${keys.length}`
    if (!(key instanceof Uint8Array)) {
      throw new RangeError(`CookieCrypto.make: ${position} is not a Uint8Array`)
    }
    const needed = minimumKeyBytes(format)
    if (key.length < needed) {
      throw new RangeError(
        `CookieCrypto.make: ${position} has ${key.length} bytes, format ${format} needs ${needed} or more`
      )
    }
    return key
  })
  if (newest === undefined) {
    throw new RangeError("CookieCrypto.make: keys is empty, one or more are needed")
  }
  const ring = ringOf(format, contentSecurity, name, [newest, ...older])
  const formerRing = formerContentSecurity === undefined
    ? undefined
    : ringOf(format, formerContentSecurity, name, [newest, ...older])
  return {
    seal: ring.seal,
    sealedSize: ring.maxSize,
    open: (value) => {
      const opened = ring.open(value)
      if (opened !== undefined) {
        return Option.some(opened)
      }
      const former = formerRing?.open(value)
      return former === undefined ? Option.none() : Option.some({ ...former, sealedByNewest: false })
    }
  }
}

/**
 * Stretches a master key to the 64 bytes a `CookieRs` key has, as cookie-rs' `Key::derive_from` does: for apps whose
 * Rust side derives its key. The master must be 32 random bytes or more; it throws a `RangeError` if it is shorter.
 *
 * @since 0.1.0
 * @category constructors
 */
export const deriveCookieRsKey = (master: Redacted.Redacted<Uint8Array>): Redacted.Redacted<Uint8Array> => {
  const bytes = Redacted.value(master)
  if (!(bytes instanceof Uint8Array) || bytes.length < 32) {
    throw new RangeError("CookieCrypto.deriveCookieRsKey: the master must be a Uint8Array of 32 bytes or more")
  }
  return Redacted.make(expandCookieRsKey(bytes))
}
