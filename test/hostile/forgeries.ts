/**
 * Ways to make a sealed cookie value out of others that were sealed in earnest.
 */
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import type { Random } from "./random.js"

export interface Target {
  readonly title: string
  readonly format: CookieCrypto.CookieFormat
  readonly contentSecurity: CookieCrypto.ContentSecurity
  readonly crypto: CookieCrypto.CookieCrypto
  /** Under the same key: the other policy, the other format, other names. */
  readonly siblings: ReadonlyArray<CookieCrypto.CookieCrypto>
  /** Under other keys: drawn anew, or this one with a bit turned. */
  readonly strangers: ReadonlyArray<CookieCrypto.CookieCrypto>
}

export const formats: ReadonlyArray<CookieCrypto.CookieFormat> = ["EffectSession", "CookieRs"]
export const securities: ReadonlyArray<CookieCrypto.ContentSecurity> = ["Private", "Signed"]

const ownName = "__Host-id"
const otherNames = ["__Host-i", "__Host-id2", "__host-id", "id", "__Secure-id", "_"]

interface Policy {
  readonly contentSecurity: CookieCrypto.ContentSecurity
  readonly formerContentSecurity?: CookieCrypto.ContentSecurity
}

const policies: ReadonlyArray<Policy> = [
  ...securities.map((contentSecurity) => ({ contentSecurity })),
  // As a key is sealed where nobody says how.
  { contentSecurity: "Signed", formerContentSecurity: "Private" }
]

export const targetsWith = (random: Random): ReadonlyArray<Target> =>
  formats.flatMap((format) =>
    policies.map((policy) => {
      const { contentSecurity, formerContentSecurity } = policy
      const key = random.bytes(64)
      const make = (
        name: string,
        bytes: Uint8Array,
        otherFormat = format,
        otherSecurity = contentSecurity
      ): CookieCrypto.CookieCrypto =>
        CookieCrypto.make({
          name,
          keys: [Redacted.make(bytes)],
          contentSecurity: otherSecurity,
          format: otherFormat
        })
      // The one thing that is documented not to be bound: the name, in what cookie-rs signs.
      const bindsName = format === "EffectSession" || contentSecurity === "Private"
      return {
        title: `${format}, ${contentSecurity}${
          formerContentSecurity === undefined ? "" : `, ${formerContentSecurity} before`
        }`,
        format,
        contentSecurity,
        crypto: CookieCrypto.make({ ...policy, name: ownName, keys: [Redacted.make(key)], format }),
        siblings: [
          ...(bindsName ? otherNames.map((name) => make(name, key)) : []),
          ...otherNames.map((name) => make(name, key, format, "Private")),
          ...formats.flatMap((otherFormat) =>
            securities
              .filter((otherSecurity) =>
                otherFormat !== format || ![contentSecurity, formerContentSecurity].includes(otherSecurity)
              )
              .map((otherSecurity) => make(ownName, key, otherFormat, otherSecurity))
          )
        ],
        strangers: [
          ...securities.map((otherSecurity) => make(ownName, random.bytes(64), format, otherSecurity)),
          ...[0, 31, 32, 63].filter((at) => takesPart(format, contentSecurity, at)).map((at) => {
            const turned = Buffer.from(key)
            turned[at]! ^= 1 << random.below(8)
            return make(ownName, turned)
          })
        ]
      }
    })
  )

// Of a key for cookie-rs one half signs and the other encrypts.
const takesPart = (
  format: CookieCrypto.CookieFormat,
  contentSecurity: CookieCrypto.ContentSecurity,
  at: number
): boolean => format === "EffectSession" || (contentSecurity === "Signed") === (at < 32)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=%"

const encode = (target: Target, bytes: Buffer): string =>
  target.format === "EffectSession"
    ? bytes.toString("base64url")
    : encodeURIComponent(bytes.toString("base64"))

const decode = (target: Target, value: string): Buffer =>
  target.format === "EffectSession"
    ? Buffer.from(value, "base64url")
    : Buffer.from(decodeURIComponent(value), "base64")

/** What a value says, however it is spelt: two cookie-rs values may differ in nothing but how bytes are escaped. */
export const spelledOut = (target: Target, value: string): string =>
  target.format === "EffectSession" || !value.includes("%")
    ? value
    : value.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 16)))

type Forge = (target: Target, random: Random, genuine: string, another: string) => string

const onBytes = (change: (bytes: Buffer, random: Random) => Buffer): Forge => (target, random, genuine) =>
  // Only the MAC of what cookie-rs signs is base64: the text behind it stands for itself.
  target.format === "CookieRs" && target.contentSecurity === "Signed"
    ? encodeURIComponent(change(Buffer.from(decodeURIComponent(genuine), "latin1"), random).toString("latin1"))
    : encode(target, change(decode(target, genuine), random))

export const forgeries: { readonly [title: string]: Forge } = {
  "a bit of the bytes turned": onBytes((bytes, random) => {
    const bit = random.below(bytes.length * 8)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    return bytes
  }),
  "a bit of the characters turned": (_, random, genuine) => {
    const bytes = Buffer.from(genuine, "latin1")
    const bit = random.below(bytes.length * 8)
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    return bytes.toString("latin1")
  },
  "another character of the alphabet": (_, random, genuine) => {
    const at = random.below(genuine.length)
    return genuine.slice(0, at) + alphabet[random.below(alphabet.length)]! + genuine.slice(at + 1)
  },
  "bytes cut off at either end": onBytes((bytes, random) => {
    const size = random.below(bytes.length)
    return random.oneIn(2) ? bytes.subarray(0, size) : bytes.subarray(bytes.length - size)
  }),
  "characters cut off at either end": (_, random, genuine) => {
    const size = random.below(genuine.length)
    return random.oneIn(2) ? genuine.slice(0, size) : genuine.slice(genuine.length - size)
  },
  "bytes cut out of the middle": onBytes((bytes, random) => {
    const from = random.below(bytes.length)
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(bytes.length))])
  }),
  "bytes added": onBytes((bytes, random) => {
    const at = random.pick([0, bytes.length, random.below(bytes.length)])
    return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(20)), bytes.subarray(at)])
  }),
  "characters added": (_, random, genuine) =>
    random.oneIn(2)
      ? genuine + random.pick(["A", "=", "==", " ", "\"", "%41", "."])
      : random.pick(["A", "\"", " "]) + genuine,
  "another version": onBytes((bytes, random) => {
    bytes[0] = bytes[0]! + 1 + random.below(255)
    return bytes
  }),
  "the head of one and the tail of another": (target, random, genuine, another) =>
    onBytes((bytes) => {
      const other = Buffer.from(onBytesOf(target, another))
      const cut = 1 + random.below(Math.min(bytes.length, other.length) - 1)
      return Buffer.concat([bytes.subarray(0, cut), other.subarray(cut)])
    })(target, random, genuine, another),
  "two bytes exchanged": onBytes((bytes, random) => {
    const [a, b] = [random.below(bytes.length), random.below(bytes.length)]
    const kept = bytes[a]!
    bytes[a] = bytes[b]!
    bytes[b] = kept
    return bytes
  }),
  "random bytes of the same length": onBytes((bytes, random) => random.bytes(bytes.length)),
  "random bytes behind the right version": onBytes((bytes, random) =>
    Buffer.concat([bytes.subarray(0, 1), random.bytes(bytes.length - 1)])
  ),
  "a run of equal bytes": onBytes((bytes, random) => {
    const from = random.below(bytes.length)
    return bytes.fill(
      random.pick([0, 0xff, random.below(256)]),
      from,
      Math.min(bytes.length, from + 1 + random.below(16))
    )
  })
}

const onBytesOf = (target: Target, value: string): Buffer =>
  target.format === "CookieRs" && target.contentSecurity === "Signed"
    ? Buffer.from(decodeURIComponent(value), "latin1")
    : decode(target, value)
