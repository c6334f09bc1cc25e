/**
 * The credential of a session: a public half that names the record in the store and a secret half that proves ownership.
 *
 * The text in the cookie is `<id>.<secret>`: 128 and 256 random bits, both base64url without padding. A store finds the
 * record by the id and compares SHA-256 digests of the secret, so that a copy of the store opens no session and
 * look-up timing tells nothing about a secret.
 *
 * @example
 * ```ts
 * import * as Option from "effect/Option"
 * import * as SessionKey from "effect-session/SessionKey"
 *
 * const key = SessionKey.mint()
 * const text = SessionKey.toText(key) // goes into the sealed cookie and nowhere else
 * const back = SessionKey.fromText(text)
 *
 * console.log(key.id, Option.isSome(back)) // the id may be logged
 * ```
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import * as crypto from "node:crypto"

/**
 * The public half of a session key, 22 characters of base64url. It names a session in logs, spans and device lists,
 * stays the same when the session is renewed, and proves nothing.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionId = string & Brand.Brand<"SessionId">

/**
 * The SHA-256 digest of a key's secret half, 43 characters of base64url: what a store keeps instead of the secret.
 *
 * @since 0.1.0
 * @category models
 */
export type SecretDigest = string & Brand.Brand<"SecretDigest">

/**
 * The content of the session cookie. Whoever presents it owns the session, so the secret half is `Redacted`.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionKey {
  readonly id: SessionId
  readonly secret: Redacted.Redacted<string>
}

/**
 * The length of a `SessionId` in characters.
 *
 * @since 0.1.0
 * @category constants
 */
export const idLength = 22

const idBytes = 16
const secretBytes = 32

// The last character of either half carries spare bits. Only their zero form is accepted: one key, one text.
const idPattern = /^[A-Za-z0-9_-]{21}[AQgw]$/
const secretPattern = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/

/**
 * Puts a key together from its halves, without looking at them: for a store that keeps something else than a random
 * secret in the second half, as `CookieSessionStore` does.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (id: SessionId, secret: string): SessionKey => new Key(id, secret)

/**
 * The key that has this digest, as far as it can be known without its secret: a store finds and ends the session by it, and
 * no text of it is the text of a key.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromDigest = (id: SessionId, digest: SecretDigest): SessionKey => new Key(id, "", digest)

// Every request with a cookie has one, so what few ask for is made when they ask: the secret as `Redacted`, which enters
// each into a registry, and the digest, which a read and write need twice.
class Key implements SessionKey {
  readonly #secret: string
  #digest: SecretDigest | undefined

  constructor(readonly id: SessionId, secret: string, digest?: SecretDigest) {
    this.#secret = secret
    this.#digest = digest
  }

  get secret(): Redacted.Redacted<string> {
    return Redacted.make(this.#secret)
  }

  static secretOf(key: SessionKey): string {
    return key instanceof Key ? key.#secret : Redacted.value(key.secret)
  }

  static digestOf(key: SessionKey): SecretDigest {
    return key instanceof Key ? key.#digest ??= digestOf(key.#secret) : digestOf(Redacted.value(key.secret))
  }
}

const digestOf = (secret: string): SecretDigest => sha256(secret) as SecretDigest

/**
 * SHA-256 as base64url. One call costs half of what an object for the hash does. Node has it since 20.12.
 *
 * @internal
 */
export const sha256: (text: string) => string = typeof crypto.hash === "function"
  ? (text) => crypto.hash("sha256", text, "base64url")
  : (text) => crypto.createHash("sha256").update(text).digest("base64url")

/**
 * Draws a new session id: 128 random bits.
 *
 * @since 0.1.0
 * @category constructors
 */
export const mintId = (): SessionId => crypto.randomBytes(idBytes).toString("base64url") as SessionId

/**
 * Draws a new secret for the session named `id`: 256 random bits. This is how a session is renewed.
 *
 * @since 0.1.0
 * @category constructors
 */
export const mintSecret = (id: SessionId): SessionKey => make(id, crypto.randomBytes(secretBytes).toString("base64url"))

/**
 * Draws a new key, both halves (ASVS 7.2.3: unique, from a CSPRNG, at least 128 bits).
 *
 * @since 0.1.0
 * @category constructors
 */
export const mint = (): SessionKey => mintSecret(mintId())

/**
 * Whether a text has the form of a session id.
 *
 * @since 0.1.0
 * @category guards
 */
export const isSessionId = (text: string): text is SessionId => idPattern.test(text)

/**
 * Splits a text into id and the rest, and checks the id alone. `none` when the text does not start with a session id
 * and a dot.
 *
 * @since 0.1.0
 * @category conversions
 */
export const split = (text: string): Option.Option<SessionKey> => {
  const id = text.slice(0, idLength)
  return text[idLength] === "." && isSessionId(id)
    ? Option.some(make(id, text.slice(idLength + 1)))
    : Option.none()
}

/**
 * Reads a key from its text. Strict: exact lengths, the base64url alphabet, no spare bits; anything else is `none`.
 *
 * @since 0.1.0
 * @category conversions
 */
export const fromText = (text: string): Option.Option<SessionKey> =>
  secretPattern.test(text.slice(idLength + 1)) ? split(text) : Option.none()

/**
 * The text of a key, `<id>.<secret>`. It is the credential in clear: seal it, never log it.
 *
 * @since 0.1.0
 * @category conversions
 */
export const toText = (key: SessionKey): string => `${key.id}.${Key.secretOf(key)}`

/**
 * The digest of the key's secret half that a store keeps. A fast hash suffices, since the secret is 256 random bits.
 *
 * @since 0.1.0
 * @category conversions
 */
export const digest = (key: SessionKey): SecretDigest => Key.digestOf(key)

/**
 * Compares two digests in constant time.
 *
 * @since 0.1.0
 * @category predicates
 */
export const digestsEqual = (left: SecretDigest, right: SecretDigest): boolean => {
  const a = Buffer.from(left)
  const b = Buffer.from(right)
  return a.length === b.length && crypto.timingSafeEqual(a, b)
}
