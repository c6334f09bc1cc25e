import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto"
import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import * as CookieCrypto from "../src/CookieCrypto.js"
import { cookieSize, isCookieValue, maxCookieBytes } from "../src/internal/cookie/cookieRules.js"
import { privateScheme, signedScheme } from "../src/internal/cookie/cookieSeal.js"
import type { SealScheme } from "../src/internal/cookie/sealScheme.js"

type Key = Redacted.Redacted<Uint8Array>

const name = "__Host-id"
const securities: ReadonlyArray<CookieCrypto.ContentSecurity> = ["Private", "Signed"]
const formats: ReadonlyArray<CookieCrypto.CookieFormat> = ["EffectSession", "CookieRs"]

const newKey = (): Key => Redacted.make(randomBytes(64))

const cryptoWith = (
  contentSecurity: CookieCrypto.ContentSecurity,
  keys: readonly [Key, ...Array<Key>],
  format?: CookieCrypto.CookieFormat | undefined,
  cookieName = name
) => CookieCrypto.make({ name: cookieName, keys, contentSecurity, format })

const assertOpens = (crypto: CookieCrypto.CookieCrypto, value: string, plaintext: string, sealedByNewest = true) =>
  assert.deepStrictEqual(crypto.open(value), Option.some({ plaintext, sealedByNewest }))

const assertRefused = (crypto: CookieCrypto.CookieCrypto, value: string) =>
  assert.isTrue(Option.isNone(crypto.open(value)), `opened: ${JSON.stringify(value)}`)

const flipBit = (bytes: Uint8Array, bit: number): Buffer => {
  const flipped = Buffer.from(bytes)
  flipped[bit >> 3]! ^= 1 << (bit & 7)
  return flipped
}

// Any UTF-16 string, lone surrogates included.
const anyText = FastCheck.oneof(
  FastCheck.string(),
  FastCheck.fullUnicodeString(),
  FastCheck.string16bits(),
  FastCheck.json()
)

const wellFormed = (text: string) => Buffer.from(text, "utf8").toString("utf8")

// The rows of the tables in the document, cells as they stand between the bars, backticks taken off.
const tablesOf = (document: string): ReadonlyArray<ReadonlyArray<string>> =>
  document.split("\n").filter((line) => line.startsWith("|")).map((line) =>
    line.split("|").slice(1, -1).map((cell) => cell.trim().replace(/^`(.*)`$/, "$1"))
  )

const rows = tablesOf(readFileSync(new URL("../docs/cookie-format.md", import.meta.url), "utf8"))

const documentedKeys = new Map(
  rows.filter((row) => row.length === 4 && /^[0-9a-f]{64,}$/.test(row[1]!)).map((row) => [row[0]!, row])
)

const vectors = rows.filter((row) => row.length === 6 && documentedKeys.has(row[0]!)).map((row) => ({
  key: Buffer.from(documentedKeys.get(row[0]!)![1]!, "hex"),
  keyName: row[0]!,
  contentSecurity: row[1] as CookieCrypto.ContentSecurity,
  cookieName: row[2]!,
  nonce: Buffer.from(row[3]!, "hex"),
  plaintext: JSON.parse(row[4]!) as string,
  value: row[5]!
}))

const context = (version: number) =>
  Buffer.concat([Buffer.from("effect-session:cookie"), Buffer.of(version, 0, name.length), Buffer.from(name)])

describe("the documented vectors", () => {
  it("are all found in docs/cookie-format.md", () => {
    assert.strictEqual(documentedKeys.size, 2)
    assert.strictEqual(vectors.filter((vector) => vector.contentSecurity === "Private").length, 5)
    assert.strictEqual(vectors.filter((vector) => vector.contentSecurity === "Signed").length, 5)
  })

  it("derive the sub-keys that the document names", () => {
    for (const [, key, privateKey, signedKey] of documentedKeys.values()) {
      const bytes = Buffer.from(key!, "hex")
      assert.strictEqual(privateScheme(name).prepareKey(bytes).export().toString("hex"), privateKey)
      const mac = createHmac("sha256", Buffer.from(signedKey!, "hex")).update(context(0x12)).update("text").digest(
        "base64"
      )
      assert.strictEqual(signedScheme(name).prepareKey(bytes)(Buffer.from("text"), "base64"), mac)
    }
  })

  it("are sealed and opened byte for byte", () => {
    for (const { contentSecurity, cookieName, key, nonce, plaintext, value } of vectors) {
      const sealed = <Prepared>(scheme: SealScheme<Prepared>) => scheme.seal(scheme.prepareKey(key), plaintext, nonce)
      assert.strictEqual(
        contentSecurity === "Private" ? sealed(privateScheme(cookieName)) : sealed(signedScheme(cookieName)),
        value
      )
      const crypto = cryptoWith(contentSecurity, [Redacted.make(key)], undefined, cookieName)
      assertOpens(crypto, value, plaintext)
    }
  })

  it("are refused under any other name, key or content security", () => {
    for (const contentSecurity of securities) {
      for (const cookieName of ["id", "__Host-id"]) {
        for (const [keyName, row] of documentedKeys) {
          const key = Redacted.make(Buffer.from(row[1]!, "hex"))
          const crypto = cryptoWith(contentSecurity, [key], undefined, cookieName)
          for (const vector of vectors) {
            const same = vector.keyName === keyName && vector.contentSecurity === contentSecurity &&
              vector.cookieName === cookieName
            assert.strictEqual(Option.isSome(crypto.open(vector.value)), same)
          }
        }
      }
    }
  })
})

describe("the own format", () => {
  it("is, when Private, what plain node:crypto calls decrypt", () => {
    const key = randomBytes(40)
    const bytes = Buffer.from(cryptoWith("Private", [Redacted.make(key)]).seal("tëxt"), "base64url")
    const subKey = hkdfSync("sha256", key, "", "effect-session cookie v1 Private AES-256-GCM", 32)
    const decipher = createDecipheriv("aes-256-gcm", Buffer.from(subKey), bytes.subarray(1, 13))
    decipher.setAAD(context(0x11)).setAuthTag(bytes.subarray(-16))
    const plaintext = Buffer.concat([decipher.update(bytes.subarray(13, -16)), decipher.final()])
    assert.strictEqual(bytes[0], 0x11)
    assert.strictEqual(plaintext.toString(), "tëxt")
  })

  it("is, when Signed, what plain node:crypto calls authenticate", () => {
    const key = randomBytes(40)
    const bytes = Buffer.from(cryptoWith("Signed", [Redacted.make(key)]).seal("tëxt"), "base64url")
    const subKey = hkdfSync("sha256", key, "", "effect-session cookie v1 Signed HMAC-SHA256", 32)
    const mac = createHmac("sha256", Buffer.from(subKey)).update(context(0x12)).update("tëxt").digest()
    assert.deepStrictEqual(bytes, Buffer.concat([Buffer.of(0x12), mac, Buffer.from("tëxt")]))
  })

  it("refuses bytes that are authentic but not UTF-8", () => {
    const key = randomBytes(32)
    const texts = [
      [Buffer.from("é"), true],
      [Buffer.of(0xc3), false],
      [Buffer.of(0xed, 0xa0, 0x80), false]
    ] as const
    for (const [text, opens] of texts) {
      const nonce = randomBytes(12)
      const cipher = createCipheriv("aes-256-gcm", privateScheme(name).prepareKey(key), nonce).setAAD(context(0x11))
      const ciphertext = Buffer.concat([cipher.update(text), cipher.final()])
      const encrypted = Buffer.concat([Buffer.of(0x11), nonce, ciphertext, cipher.getAuthTag()])
      const mac = signedScheme(name).prepareKey(key)(text, "binary")
      const signed = Buffer.concat([Buffer.of(0x12), Buffer.from(mac, "binary"), text])
      const opened = (contentSecurity: CookieCrypto.ContentSecurity, bytes: Buffer) =>
        Option.isSome(cryptoWith(contentSecurity, [Redacted.make(key)]).open(bytes.toString("base64url")))
      assert.strictEqual(opened("Private", encrypted), opens)
      assert.strictEqual(opened("Signed", signed), opens)
    }
  })

  it("takes the whole key into account, also beyond its 32nd byte", () => {
    const key = randomBytes(33)
    for (const contentSecurity of securities) {
      const value = cryptoWith(contentSecurity, [Redacted.make(key)]).seal("text")
      assertRefused(cryptoWith(contentSecurity, [Redacted.make(key.subarray(0, 32))]), value)
    }
  })

  it("hides the text when Private, and shows it when Signed", () => {
    const key = newKey()
    const sealed = (contentSecurity: CookieCrypto.ContentSecurity) =>
      Buffer.from(cryptoWith(contentSecurity, [key]).seal("a planted text"), "base64url").includes("a planted text")
    assert.isFalse(sealed("Private"))
    assert.isTrue(sealed("Signed"))
  })

  for (const contentSecurity of securities) {
    it(`refuses a ${contentSecurity} value with any one bit of its bytes turned`, () => {
      const crypto = cryptoWith(contentSecurity, [newKey()])
      for (const text of ["", "text", "é🍪"]) {
        const bytes = Buffer.from(crypto.seal(text), "base64url")
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          assertRefused(crypto, flipBit(bytes, bit).toString("base64url"))
        }
      }
    })

    it(`refuses a ${contentSecurity} value with any one bit of its characters turned`, () => {
      const crypto = cryptoWith(contentSecurity, [newKey()])
      for (const text of ["", "t", "te", "text", "é🍪"]) {
        const bytes = Buffer.from(crypto.seal(text), "latin1")
        for (let bit = 0; bit < bytes.length * 8; bit++) {
          assertRefused(crypto, flipBit(bytes, bit).toString("latin1"))
        }
      }
    })

    it(`CVE-2025-47275: refuses a ${contentSecurity} value cut anywhere, at either end`, () => {
      const crypto = cryptoWith(contentSecurity, [newKey()])
      const value = crypto.seal("some text")
      const bytes = Buffer.from(value, "base64url")
      for (let size = 0; size < value.length; size++) {
        assertRefused(crypto, value.slice(0, size))
        assertRefused(crypto, value.slice(value.length - size))
      }
      for (let size = 0; size < bytes.length; size++) {
        assertRefused(crypto, bytes.subarray(0, size).toString("base64url"))
      }
    })

    it(`refuses every spelling of a ${contentSecurity} value but the canonical one`, () => {
      const crypto = cryptoWith(contentSecurity, [newKey()])
      for (const text of ["", "a", "ab", "abc"]) {
        const value = crypto.seal(text)
        const padded = Buffer.from(value, "base64url").toString("base64")
        const spellings = [
          `${value}=`,
          `${value}==`,
          ` ${value}`,
          `${value} `,
          `${value}\n`,
          `\u00a0${value}`,
          `"${value}"`,
          `${value}A`,
          `${value}.`,
          `${value.slice(0, 8)}\r\n${value.slice(8)}`,
          `%${value.charCodeAt(0).toString(16)}${value.slice(1)}`,
          String.fromCharCode(value.charCodeAt(0) + 0x100) + value.slice(1),
          padded === value ? `${padded}=` : padded
        ]
        for (const spelling of spellings) {
          assertRefused(crypto, spelling)
        }
        assertOpens(crypto, value, text)
      }
    })

    it(`refuses stray bits in the last character of a ${contentSecurity} value`, () => {
      const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
      const crypto = cryptoWith(contentSecurity, [newKey()])
      for (const text of ["a", "ab", "abc"]) {
        const value = crypto.seal(text)
        for (const last of alphabet) {
          const other = value.slice(0, -1) + last
          assert.strictEqual(Option.isSome(crypto.open(other)), other === value)
        }
      }
    })

    it(`CVE-2026-39324: refuses every other version byte of a ${contentSecurity} value`, () => {
      const crypto = cryptoWith(contentSecurity, [newKey()])
      const bytes = Buffer.from(crypto.seal("text"), "base64url")
      const own = bytes[0]!
      for (let version = 0; version < 256; version++) {
        bytes[0] = version
        assert.strictEqual(Option.isSome(crypto.open(bytes.toString("base64url"))), version === own)
      }
    })
  }

  it("CVE-2019-10911: keeps names and texts apart that read the same when joined", () => {
    const key = newKey()
    const value = cryptoWith("Signed", [key], undefined, "id").seal("xtext")
    const bytes = Buffer.from(value, "base64url")
    const moved = Buffer.concat([bytes.subarray(0, 33), Buffer.from("text")]).toString("base64url")
    assertRefused(cryptoWith("Signed", [key], undefined, "idx"), moved)
  })

  it("takes the bytes of cookie that docs/cookie-format.md says", () => {
    const sizes = rows.filter((row) => row.length === 3 && row[0] === "EffectSession")
    assert.strictEqual(sizes.length, 2)
    const sessionKey = `${randomBytes(16).toString("base64url")}.${randomBytes(32).toString("base64url")}`
    for (const [, contentSecurity, size] of sizes) {
      const value = cryptoWith(contentSecurity as CookieCrypto.ContentSecurity, [newKey()]).seal(sessionKey)
      assert.strictEqual(value.length, Number(size))
    }
  })

  it("fits a text of the documented length into a cookie, and not one byte more", () => {
    const lengths = rows.filter((row) => row.length === 3 && /^\d+$/.test(row[1]!) && /^\d+$/.test(row[2]!))
    assert.strictEqual(lengths.length, 2)
    for (const [cookieName, longestPrivate, longestSigned] of lengths) {
      for (const [contentSecurity, longest] of [["Private", longestPrivate], ["Signed", longestSigned]] as const) {
        const crypto = cryptoWith(contentSecurity, [newKey()], undefined, cookieName)
        const sizeOf = (length: number) => cookieSize(cookieName!, crypto.seal("x".repeat(length)))
        assert.isAtMost(sizeOf(Number(longest)), maxCookieBytes)
        assert.isAbove(sizeOf(Number(longest) + 1), maxCookieBytes)
      }
    }
  })
})

for (const format of formats) {
  for (const contentSecurity of securities) {
    describe(`${format}, ${contentSecurity}`, () => {
      const crypto = cryptoWith(contentSecurity, [newKey()], format)

      it.prop("opens whatever it sealed, as UTF-8 can express it", [anyText], ([text]) => {
        assertOpens(crypto, crypto.seal(text), wellFormed(text))
      }, { fastCheck: { numRuns: 1000 } })

      it.prop("seals into a cookie-value of RFC 6265bis", [anyText], ([text]) => {
        assert.isTrue(isCookieValue(crypto.seal(text)))
      }, { fastCheck: { numRuns: 1000 } })

      it("writes a lone surrogate as U+FFFD", () => {
        assertOpens(crypto, crypto.seal("a\ud800b\udc00"), "a\ufffdb\ufffd")
      })

      it("keeps a byte order mark", () => {
        assertOpens(crypto, crypto.seal("\ufefftext"), "\ufefftext")
      })

      it.prop("refuses garbage and never throws", [anyText], ([garbage]) => {
        assertRefused(crypto, garbage)
      }, { fastCheck: { numRuns: 1000 } })

      it.prop(
        "refuses garbage in the right alphabet",
        [FastCheck.uint8Array({ maxLength: 200 })],
        ([garbage]) => {
          const bytes = Buffer.from(garbage)
          assertRefused(crypto, bytes.toString("base64url"))
          assertRefused(crypto, bytes.toString("base64"))
          assertRefused(crypto, Buffer.concat([Buffer.of(0x11), bytes]).toString("base64url"))
          assertRefused(crypto, Buffer.concat([Buffer.of(0x12), bytes]).toString("base64url"))
        },
        { fastCheck: { numRuns: 1000 } }
      )

      it("refuses what the other content security or the other format sealed with the same key", () => {
        const key = newKey()
        const mine = cryptoWith(contentSecurity, [key], format)
        for (const otherFormat of formats) {
          for (const otherSecurity of securities) {
            const value = cryptoWith(otherSecurity, [key], otherFormat).seal("text")
            const same = otherFormat === format && otherSecurity === contentSecurity
            assert.strictEqual(Option.isSome(mine.open(value)), same)
          }
        }
      })

      it("refuses a value of another key", () => {
        assertRefused(crypto, cryptoWith(contentSecurity, [newKey()], format).seal("text"))
      })

      it("CVE-2025-47278: seals with the first key of the ring, opens with all, and tells the older ones", () => {
        const [oldest, older, newest, unknown] = [newKey(), newKey(), newKey(), newKey()]
        const ring = cryptoWith(contentSecurity, [newest, older, oldest], format)
        const only = (key: Key) => cryptoWith(contentSecurity, [key], format)
        assertOpens(only(newest), ring.seal("text"), "text")
        assertRefused(only(older), ring.seal("text"))
        assertRefused(only(oldest), ring.seal("text"))
        assertOpens(ring, only(newest).seal("text"), "text", true)
        assertOpens(ring, only(older).seal("text"), "text", false)
        assertOpens(ring, only(oldest).seal("text"), "text", false)
        assertRefused(ring, only(unknown).seal("text"))
      })

      it("does not change when the caller's key bytes are wiped afterwards", () => {
        const bytes = randomBytes(64)
        const same = Redacted.make(Uint8Array.from(bytes))
        const prepared = cryptoWith(contentSecurity, [Redacted.make(bytes)], format)
        bytes.fill(0)
        assertOpens(cryptoWith(contentSecurity, [same], format), prepared.seal("text"), "text")
      })

      it("shows no key to who prints it", () => {
        const key = randomBytes(64)
        const prepared = cryptoWith(contentSecurity, [Redacted.make(key)], format)
        const printed = inspect(prepared, { depth: null, showHidden: true }) + JSON.stringify(prepared)
        assert.notInclude(printed, key.toString("hex").slice(0, 8))
        assert.notInclude(printed, "Uint8Array")
        assert.notInclude(printed, "Buffer")
      })
    })
  }

  it(`${format}: opens what was sealed as before with any key of the ring, as if an older key had sealed it`, () => {
    const [newest, older, unknown] = [newKey(), newKey(), newKey()]
    const changed = CookieCrypto.make({
      name,
      keys: [newest, older],
      contentSecurity: "Signed",
      formerContentSecurity: "Private",
      format
    })
    assertOpens(changed, changed.seal("text"), "text", true)
    assertOpens(changed, cryptoWith("Signed", [newest], format).seal("text"), "text", true)
    assertOpens(changed, cryptoWith("Signed", [older], format).seal("text"), "text", false)
    assertOpens(changed, cryptoWith("Private", [newest], format).seal("text"), "text", false)
    assertOpens(changed, cryptoWith("Private", [older], format).seal("text"), "text", false)
    assertOpens(cryptoWith("Signed", [newest], format), changed.seal("text"), "text", true)
    assertRefused(cryptoWith("Private", [newest], format), changed.seal("text"))
    for (const contentSecurity of securities) {
      assertRefused(changed, cryptoWith(contentSecurity, [unknown], format).seal("text"))
    }
    assertRefused(changed, cryptoWith("Private", [newest], format, "id").seal("text"))
    assertRefused(changed, "")
    assertRefused(changed, "forged")
  })

  it(`${format}: refuses a Private value under another cookie's name`, () => {
    const key = newKey()
    const value = cryptoWith("Private", [key], format, "id").seal("text")
    for (const other of ["Id", "id2", "i", "__Host-id"]) {
      assertRefused(cryptoWith("Private", [key], format, other), value)
    }
  })

  it(`${format}: never draws a nonce twice in 10 000 seals`, () => {
    const crypto = cryptoWith("Private", [newKey()], format)
    const start = format === "EffectSession" ? 1 : 0
    const nonces = new Set<string>()
    for (let seal = 0; seal < 10_000; seal++) {
      const bytes = Buffer.from(decodeURIComponent(crypto.seal("text")), "base64")
      nonces.add(bytes.toString("hex", start, start + 12))
    }
    assert.strictEqual(nonces.size, 10_000)
  })
}

it("EffectSession: refuses a Signed value under another cookie's name", () => {
  const key = newKey()
  const value = cryptoWith("Signed", [key], undefined, "id").seal("text")
  for (const other of ["Id", "id2", "i", "__Host-id"]) {
    assertRefused(cryptoWith("Signed", [key], undefined, other), value)
  }
})

describe("make", () => {
  const keyOf = (size: number): Key => Redacted.make(new Uint8Array(size).fill(0x5a))

  const messageOf = (build: () => unknown): string => {
    try {
      build()
    } catch (error) {
      assert.instanceOf(error, RangeError)
      assert.notInclude(inspect(error), "90, 90")
      assert.notInclude(inspect(error), "5a5a")
      assert.notInclude(inspect(error), "ZZZZ")
      return (error as RangeError).message
    }
    return assert.fail("nothing was thrown")
  }

  it("refuses a key that is too short and says which one and how long it must be", () => {
    for (const contentSecurity of securities) {
      assert.include(
        messageOf(() => cryptoWith(contentSecurity, [keyOf(32), keyOf(31)])),
        "key 2 of 2 has 31 bytes, format EffectSession needs 32 or more"
      )
      assert.include(
        messageOf(() => cryptoWith(contentSecurity, [keyOf(63)], "CookieRs")),
        "key 1 of 1 has 63 bytes, format CookieRs needs 64 or more"
      )
      cryptoWith(contentSecurity, [keyOf(32)])
      cryptoWith(contentSecurity, [keyOf(64)], "CookieRs")
    }
  })

  it("refuses an empty ring", () => {
    const keys = [] as unknown as [Key]
    assert.include(messageOf(() => cryptoWith("Private", keys)), "keys is empty")
  })

  it("refuses a key that is text", () => {
    const text = Redacted.make("Z".repeat(64)) as unknown as Key
    assert.include(messageOf(() => cryptoWith("Private", [text])), "key 1 of 1 is not a Uint8Array")
  })

  it("refuses a format or content security that it does not know, rather than guess one", () => {
    const unknown = "signed" as CookieCrypto.ContentSecurity
    assert.include(messageOf(() => cryptoWith(unknown, [keyOf(64)])), "contentSecurity")
    const former = { name, keys: [keyOf(64)], contentSecurity: "Signed", formerContentSecurity: unknown } as const
    assert.include(messageOf(() => CookieCrypto.make(former)), "formerContentSecurity")
    assert.include(messageOf(() => cryptoWith("Private", [keyOf(64)], "Iron" as CookieCrypto.CookieFormat)), "format")
  })

  it("refuses what is no cookie name", () => {
    for (const bad of ["", "a b", "a;b", "a=b", "é", "a\n", "__proto__"]) {
      assert.include(messageOf(() => cryptoWith("Private", [keyOf(64)], undefined, bad)), "name must be a cookie name")
    }
  })

  it("refuses a name that cookie-rs would write escaped, in its format only", () => {
    for (const bad of ["a#", "a%", "a^", "a`", "a|"]) {
      assert.include(messageOf(() => cryptoWith("Private", [keyOf(64)], "CookieRs", bad)), "name must not contain")
      cryptoWith("Private", [keyOf(64)], "EffectSession", bad)
    }
  })
})
