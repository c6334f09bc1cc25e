/**
 * A session key as this library makes it. Every request with a cookie has one, so what few ask for is made when they ask:
 * the secret as `Redacted`, which enters each into a registry, and the digest, which a read and write need twice.
 *
 * @internal
 */
import * as Redacted from "effect/Redacted"
import * as crypto from "node:crypto"
import type { SecretDigest, SessionId, SessionKey } from "../SessionKey.js"

/** @internal */
export class Key implements SessionKey {
  readonly #secret: string
  #digest: SecretDigest | undefined = undefined

  constructor(readonly id: SessionId, secret: string) {
    this.#secret = secret
  }

  get secret(): Redacted.Redacted<string> {
    return Redacted.make(this.#secret)
  }

  static secretOf(key: Key): string {
    return key.#secret
  }

  static digestOf(key: Key): SecretDigest {
    return key.#digest ??= sha256(key.#secret)
  }
}

/** The secret half in clear. @internal */
export const secretOf = (key: SessionKey): string => key instanceof Key ? Key.secretOf(key) : Redacted.value(key.secret)

/** @internal */
export const digestOf = (key: SessionKey): SecretDigest =>
  key instanceof Key ? Key.digestOf(key) : sha256(Redacted.value(key.secret))

// One call costs half of what an object for the hash does. Node has it since 20.12.
const sha256: (text: string) => SecretDigest = typeof crypto.hash === "function"
  ? (text) => crypto.hash("sha256", text, "base64url") as SecretDigest
  : (text) => crypto.createHash("sha256").update(text).digest("base64url") as SecretDigest
