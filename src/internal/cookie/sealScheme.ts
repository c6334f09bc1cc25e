/**
 * The shape every way of sealing a cookie value has, so that the key ring is written once for all of them.
 *
 * @internal
 */
import type { Buffer } from "node:buffer"

/**
 * One way to seal a cookie value, already bound to a cookie's name. `Key` is what it makes of a key of the ring.
 *
 * `decode` is apart from `open` because it does not depend on a key: a ring of five keys decodes the text once.
 *
 * @internal
 */
export interface SealScheme<Key> {
  /** Derives or cuts out the one key this scheme works with. Done once a key, never per request. */
  readonly prepareKey: (key: Uint8Array) => Key
  /** Seals a text. The nonce is for test vectors only; without it every call draws a new one. */
  readonly seal: (key: Key, plaintext: string, nonce?: Uint8Array | undefined) => string
  /** How many bytes a sealed value of that text has at most. It is the same for every seal of the text, whatever the key. */
  readonly maxSize: (plaintext: string) => number
  /** The bytes that were sealed, or `undefined` when the text cannot be a value of this scheme. */
  readonly decode: (value: string) => Buffer | undefined
  /** The text, or `undefined` when this key did not seal those bytes. */
  readonly open: (key: Key, sealed: Buffer) => string | undefined
}
