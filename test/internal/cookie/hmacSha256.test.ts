import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import * as crypto from "node:crypto"
import { createRequire, syncBuiltinESMExports } from "node:module"
import { vi } from "vitest"
import * as CookieCrypto from "../../../src/CookieCrypto.js"
import { hmacOfHashes, hmacOfObjects, hmacSha256, type PrepareHmac } from "../../../src/internal/cookie/hmacSha256.js"

const ways: Readonly<Record<string, PrepareHmac>> = { hmacOfHashes, hmacOfObjects }
const encodings = ["binary", "base64"] as const

const noContext = new Uint8Array(0)

const reference = (key: Uint8Array, ...parts: ReadonlyArray<Uint8Array>) => {
  const hmac = crypto.createHmac("sha256", key)
  parts.forEach((part) => hmac.update(part))
  return hmac.digest()
}

// RFC 4231 §4. The fifth case has its MAC cut off.
const longKeyText =
  "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed "
  + "before being used by the HMAC algorithm."
const vectors: ReadonlyArray<readonly [key: Buffer, data: Buffer, mac: string]> = [
  [
    Buffer.alloc(20, 0x0b),
    Buffer.from("Hi There"),
    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
  ],
  [
    Buffer.from("Jefe"),
    Buffer.from("what do ya want for nothing?"),
    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
  ],
  [
    Buffer.alloc(20, 0xaa),
    Buffer.alloc(50, 0xdd),
    "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
  ],
  [
    Buffer.from(Array.from({ length: 25 }, (_, index) => index + 1)),
    Buffer.alloc(50, 0xcd),
    "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
  ],
  [Buffer.alloc(20, 0x0c), Buffer.from("Test With Truncation"), "a3b6167473100ee06e0c796c2955552b"],
  [
    Buffer.alloc(131, 0xaa),
    Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First"),
    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
  ],
  [
    Buffer.alloc(131, 0xaa),
    Buffer.from(longKeyText),
    "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
  ]
]

for (const [name, prepare] of Object.entries(ways)) {
  const macOf = (key: Uint8Array, context: Uint8Array, message: Uint8Array) =>
    Buffer.from(prepare(key, context)(message, "binary"), "binary")

  describe(name, () => {
    it("makes the MACs of RFC 4231", () => {
      for (const [key, data, mac] of vectors) {
        assert.strictEqual(macOf(key, noContext, data).toString("hex").slice(0, mac.length), mac)
        assert.strictEqual(macOf(key, data.subarray(0, 5), data.subarray(5)).toString("hex").slice(0, mac.length), mac)
      }
    })

    it("agrees with createHmac for keys of every length from 0 to 200", () => {
      for (let length = 0; length <= 200; length++) {
        const [key, message] = [crypto.randomBytes(length), crypto.randomBytes(length * 7 % 150)]
        assert.deepStrictEqual(macOf(key, noContext, message), reference(key, message))
      }
    })

    const bytes = (maxLength: number) => FastCheck.uint8Array({ maxLength })
    it.prop(
      "agrees with createHmac for any key, context and messages, in both encodings, one after the other",
      [bytes(200), bytes(80), FastCheck.array(FastCheck.oneof(bytes(200), bytes(5000)), { maxLength: 8 })],
      ([key, context, messages]) => {
        const macOf = prepare(key, context)
        for (const message of [...messages, ...messages.reverse()]) {
          for (const encoding of encodings) {
            assert.strictEqual(macOf(message, encoding), reference(key, context, message).toString(encoding))
          }
        }
      },
      { fastCheck: { numRuns: 300 } }
    )

    it.prop("agrees with createHmac for any text", [FastCheck.fullUnicodeString()], ([text]) => {
      const [key, message] = [crypto.randomBytes(32), Buffer.from(text, "utf8")]
      assert.deepStrictEqual(macOf(key, noContext, message), reference(key, message))
    }, { fastCheck: { numRuns: 300 } })

    it("agrees with createHmac for messages around what it keeps room for, and far beyond", () => {
      const key = crypto.randomBytes(32)
      const context = Buffer.from("context")
      const macOf = prepare(key, context)
      for (const length of [0, 1, 4095, 4096, 4097, 4096, 100_000, 0]) {
        const message = crypto.randomBytes(length)
        assert.strictEqual(macOf(message, "base64"), reference(key, context, message).toString("base64"))
      }
    })

    it("keeps nothing of what it was given that others could change", () => {
      const [key, context, message] = [crypto.randomBytes(32), Buffer.from("context"), Buffer.from("message")]
      const expected = reference(key, context, message).toString("base64")
      const macOf = prepare(key, context)
      key.fill(0)
      context.fill(0)
      assert.strictEqual(macOf(message, "base64"), expected)
    })

    it("keys and contexts do not get into each other's way", () => {
      const keys = Array.from({ length: 5 }, () => crypto.randomBytes(32))
      const prepared = keys.map((key, index) => prepare(key, Buffer.from(`context ${index}`)))
      for (const message of [Buffer.from("one"), Buffer.from("another")]) {
        prepared.forEach((macOf, index) => {
          const expected = reference(keys[index]!, Buffer.from(`context ${index}`), message)
          assert.strictEqual(macOf(message, "base64"), expected.toString("base64"))
        })
      }
    })
  })
}

describe("what a runtime has decides which of the two is taken", () => {
  const builtIn = createRequire(import.meta.url)("node:crypto") as { hash?: unknown }

  it("a runtime with crypto.hash takes that", () => {
    assert.isFunction(builtIn.hash)
    assert.strictEqual(hmacSha256, hmacOfHashes)
  })

  it("one without it seals and opens what the other does", async () => {
    const texts = ["", "text", "é🍪", "x".repeat(5000)]
    const keys = [Redacted.make(crypto.randomBytes(64))] as const
    const sealAndOpen = ({ make }: typeof CookieCrypto) =>
      (["EffectSession", "CookieRs"] as const).flatMap((format) => {
        const { open, seal } = make({ name: "id", keys, contentSecurity: "Signed", format })
        return texts.map((text) => ({ value: seal(text), opened: open(seal(text)), forged: open(seal(text).slice(1)) }))
      })
    const expected = sealAndOpen(CookieCrypto)
    const { hash } = builtIn
    try {
      builtIn.hash = undefined
      syncBuiltinESMExports()
      vi.resetModules()
      const { hmacOfObjects, hmacSha256 } = await import("../../../src/internal/cookie/hmacSha256.js")
      assert.strictEqual(hmacSha256, hmacOfObjects)
      assert.deepStrictEqual(sealAndOpen(await import("../../../src/CookieCrypto.js")), expected)
    } finally {
      builtIn.hash = hash
      syncBuiltinESMExports()
      vi.resetModules()
    }
  })
})
