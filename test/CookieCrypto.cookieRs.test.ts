import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { Buffer } from "node:buffer"
import { createHash, randomBytes } from "node:crypto"
import * as CookieCrypto from "../src/CookieCrypto.js"
import {
  cookieRsPrivateScheme,
  cookieRsSignedScheme,
  expandCookieRsKey,
  percentDecode,
  percentEncode
} from "../src/internal/cookie/cookieRs.js"

const bytesFrom = (first: number, size: number) => Uint8Array.from({ length: size }, (_, index) => first + index)

const crypto = (contentSecurity: CookieCrypto.ContentSecurity, name: string, ...keys: Array<Uint8Array>) =>
  CookieCrypto.make({
    name,
    keys: keys.map((key) => Redacted.make(key)) as [Redacted.Redacted<Uint8Array>],
    contentSecurity,
    format: "CookieRs"
  })

// A header value as Node delivers it: one character a byte.
const wire = (text: string) => Buffer.from(text, "utf8").toString("latin1")

const opened = (crypto: CookieCrypto.CookieCrypto, value: string) =>
  Option.getOrUndefined(Option.map(crypto.open(value), (_) => _.plaintext))

const ringKey = Buffer.from(
  "59cac87de65ac5f5a6f922a9871f14c55e9afe4f3c1a088ffe18748a5ce19f3c" +
    "9d2987811fe2c410c6a886042a01c4183967f193c9b9e90ab4aabb59fc896e6b",
  "hex"
)

const countingKey = bytesFrom(0, 64)

const state = "{\"v\":1,\"state\":{\"counter\":1}}"

describe("keys", () => {
  it("derives as Key::derive_from does, by HKDF-Expand alone", () => {
    const derive = (master: Uint8Array) =>
      Buffer.from(Redacted.value(CookieCrypto.deriveCookieRsKey(Redacted.make(master)))).toString("hex")
    assert.strictEqual(
      derive(bytesFrom(0, 32)),
      "a059573eb7f8f08aef6b476f707c2f17cbe9bb1194a48cbd569e46071765df12" +
        "d207b57c35531044acbb96e4b8794616e2d6568350cae0aae4ffa445f70cf5b1"
    )
    assert.strictEqual(
      derive(bytesFrom(32, 32)),
      "17e9a5baee5fdb5a100b9b0853df8149c6e19c8422d304730429775e6e81e60c" +
        "4270d7df93820e6d923e8cd8eeb15da19190e286f6c5efde5bbf16ff12194e6c"
    )
    const master = createHash("sha256").update("Super secret!\n").digest()
    assert.strictEqual(master.toString("hex"), "1b1c6f1b319982770e05b605540bd9ea549f9a56f40f97dc6ef2898691e0a579")
    assert.strictEqual(derive(master), ringKey.toString("hex"))
  })

  it("takes a master of any length from 32 bytes on, and all of it", () => {
    const long = bytesFrom(0, 100)
    assert.notDeepEqual(expandCookieRsKey(long), expandCookieRsKey(long.subarray(0, 99)))
    assert.throws(() => CookieCrypto.deriveCookieRsKey(Redacted.make(bytesFrom(0, 31))), RangeError, "32 bytes")
  })

  it("has 64 bytes that make a usable key", () => {
    const key = CookieCrypto.deriveCookieRsKey(Redacted.make(randomBytes(32)))
    assert.strictEqual(Redacted.value(key).length, CookieCrypto.minimumKeyBytes("CookieRs"))
    const derived = crypto("Private", "id", Redacted.value(key))
    assert.strictEqual(opened(derived, derived.seal("text")), "text")
  })

  it("counts the first 64 bytes of a longer key, as Key::from does", () => {
    const longer = Uint8Array.from([...countingKey, 1, 2, 3])
    for (const contentSecurity of ["Private", "Signed"] as const) {
      const value = crypto(contentSecurity, "id", longer).seal("text")
      assert.strictEqual(opened(crypto(contentSecurity, "id", countingKey), value), "text")
    }
  })

  it("signs with the first half and encrypts with the second", () => {
    const signs = Uint8Array.from([...countingKey.subarray(0, 32), ...randomBytes(32)])
    const encrypts = Uint8Array.from([...randomBytes(32), ...countingKey.subarray(32)])
    const signed = crypto("Signed", "id", countingKey).seal("text")
    const encrypted = crypto("Private", "id", countingKey).seal("text")
    assert.strictEqual(opened(crypto("Signed", "id", signs), signed), "text")
    assert.strictEqual(opened(crypto("Signed", "id", encrypts), signed), undefined)
    assert.strictEqual(opened(crypto("Private", "id", encrypts), encrypted), "text")
    assert.strictEqual(opened(crypto("Private", "id", signs), encrypted), undefined)
  })
})

describe("the vectors of cookie-rs and of an independent computation", () => {
  const signed: ReadonlyArray<readonly [key: Uint8Array, raw: string, plaintext: string, header?: string]> = [
    [ringKey, "3tdHXEQ2kf6fxC7dWzBGmpSLMtJenXLKrZ9cHkSsl1w=Tamper-proof", "Tamper-proof"],
    [new Uint8Array(64), "o6bJIMkebyb9ib0q1RoTkE3DH3XIQ1s7b4oZ0WOElh0=val", "val"],
    [
      countingKey,
      "hktMehW+lEhzaYjuU5C83SlE8aSe3Udz7nJp5mOimc8=value",
      "value",
      "hktMehW+lEhzaYjuU5C83SlE8aSe3Udz7nJp5mOimc8%3Dvalue"
    ],
    [countingKey, "04tCCW2A9F+Ca0Sp1WB95ySWpBXT9KGoyI47udqNwcs=", ""],
    [
      countingKey,
      `334u8I4Y/zu/ihpUGBuimJn/PPtquLR3/TcDS6dFJUo=${state}`,
      state,
      "334u8I4Y%2Fzu%2FihpUGBuimJn%2FPPtquLR3%2FTcDS6dFJUo%3D" +
      "%7B%22v%22%3A1%2C%22state%22%3A%7B%22counter%22%3A1%7D%7D"
    ],
    [countingKey, "0oDhfPCxl5q4hSH+jpM6Pie/idWkWvbYKL7DOr7bDlk={\"counter\":\"1\"}", "{\"counter\":\"1\"}"],
    [
      countingKey,
      "JEWh/l6m46aniPzXaUri5mChtXZpvRA5ksnOppee7c0=é",
      "é",
      "JEWh%2Fl6m46aniPzXaUri5mChtXZpvRA5ksnOppee7c0%3D%C3%A9"
    ]
  ]

  const sealed: ReadonlyArray<
    readonly [key: Uint8Array, name: string, nonce: string, raw: string, plaintext: string]
  > = [
    [
      ringKey,
      "encrypted_with_ring014",
      "94e6de649a2b195c9e496500",
      "lObeZJorGVyeSWUA8khTO/8UCzFVBY9g0MGU6/J3NN1R5x11dn2JIA==",
      "Tamper-proof"
    ],
    [
      ringKey,
      "encrypted_with_ring016",
      "494d6e8dc7882f23018377d1",
      "SU1ujceILyMBg3fReqRmA9HUtAIoSPZceOM/CUpObROHEujXIjonkA==",
      "Tamper-proof"
    ],
    [countingKey, "id", "000102030405060708090a0b", "AAECAwQFBgcICQoLKjMx0i+2H+QzFVQkjyT+jmE5BZKc", "value"],
    [countingKey, "id", "000102030405060708090a0b", "AAECAwQFBgcICQoLBNn0+CYcTqdtfJsga3mF/g==", ""],
    [
      countingKey,
      "id",
      "000102030405060708090a0b",
      "AAECAwQFBgcICQoLJ3ArhXAEx87PjaiyQ1FkRzEThhEEZcNjBjfix8bIKwa9snDv7YZN6DO5VIZt",
      state
    ],
    [countingKey, "other", "000102030405060708090a0b", "AAECAwQFBgcICQoLKjMx0i8TD0Wk2tguKvC76o5ninG1", "value"]
  ]

  it("sign to the byte, and open raw as well as percent-encoded", () => {
    for (const [key, raw, plaintext, header] of signed) {
      const value = cookieRsSignedScheme.seal(cookieRsSignedScheme.prepareKey(key), plaintext)
      assert.strictEqual(value, header ?? percentEncode(raw))
      assert.strictEqual(decodeURIComponent(value), raw)
      const signedCrypto = crypto("Signed", "signed_with_ring014", key)
      assert.strictEqual(signedCrypto.seal(plaintext), value)
      assert.strictEqual(opened(signedCrypto, value), plaintext)
      assert.strictEqual(opened(signedCrypto, wire(raw)), plaintext)
    }
  })

  it("encrypt to the byte, and open raw as well as percent-encoded", () => {
    for (const [key, name, nonce, raw, plaintext] of sealed) {
      const scheme = cookieRsPrivateScheme(name)
      const value = scheme.seal(scheme.prepareKey(key), plaintext, Buffer.from(nonce, "hex"))
      assert.strictEqual(value, raw.replaceAll("/", "%2F").replaceAll("=", "%3D"))
      assert.strictEqual(opened(crypto("Private", name, key), value), plaintext)
      assert.strictEqual(opened(crypto("Private", name, key), raw), plaintext)
    }
  })

  it("do not open under another name when Private", () => {
    for (const [key, name, , raw] of sealed) {
      for (const other of ["id", "other", "encrypted_with_ring014", "encrypted_with_ring016"]) {
        assert.strictEqual(Option.isSome(crypto("Private", other, key).open(raw)), other === name)
      }
    }
  })

  it("refuse a value whose 44th byte is inside a character, without a throw", () => {
    const zero = crypto("Signed", "x", new Uint8Array(64))
    assert.strictEqual(opened(zero, wire(`${"y".repeat(43)}£`)), undefined)
    assert.strictEqual(opened(zero, `${"y".repeat(43)}%C2%A3`), undefined)
    assert.strictEqual(opened(zero, `${"y".repeat(43)}\u00a3`), undefined)
  })
})

describe("what the format promises, and what it does not", () => {
  const flipBit = (value: string, bit: number): string => {
    const bytes = Buffer.from(value, "latin1")
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    return bytes.toString("latin1")
  }

  const texts = ["", "t", "te", "text", state, "é🍪"]

  for (const contentSecurity of ["Private", "Signed"] as const) {
    it(`refuses a ${contentSecurity} value with any one bit turned before percent-encoding`, () => {
      const ours = crypto(contentSecurity, "id", randomBytes(64))
      for (const text of texts) {
        const raw = wire(decodeURIComponent(ours.seal(text)))
        assert.strictEqual(opened(ours, raw), text)
        for (let bit = 0; bit < raw.length * 8; bit++) {
          assert.strictEqual(opened(ours, flipBit(raw, bit)), undefined)
        }
      }
    })

    it(`refuses a ${contentSecurity} value with any one bit turned, save for the case of an escape's digit`, () => {
      const ours = crypto(contentSecurity, "id", randomBytes(64))
      for (const text of texts) {
        const value = ours.seal(text)
        for (let bit = 0; bit < value.length * 8; bit++) {
          const at = bit >> 3
          const isEscapeLetter = at >= 1 && /^%[A-F]/.test(value.slice(at - 1)) ||
            at >= 2 && /^%[0-9A-F][A-F]/.test(value.slice(at - 2))
          const sameByte = isEscapeLetter && (bit & 7) === 5
          assert.strictEqual(opened(ours, flipBit(value, bit)), sameByte ? text : undefined)
        }
      }
    })

    it(`refuses a ${contentSecurity} value cut anywhere`, () => {
      const ours = crypto(contentSecurity, "id", randomBytes(64))
      for (const text of texts) {
        const value = ours.seal(text)
        for (let size = 0; size < value.length; size++) {
          assert.strictEqual(opened(ours, value.slice(0, size)), undefined)
          assert.strictEqual(opened(ours, value.slice(value.length - size)), undefined)
        }
      }
    })
  }

  it("opens a Signed value under any cookie's name, since cookie-rs does not sign the name", () => {
    const key = randomBytes(64)
    const value = crypto("Signed", "id", key).seal("text")
    assert.strictEqual(opened(crypto("Signed", "other", key), value), "text")
  })

  it("reads base64 as strictly as cookie-rs: standard alphabet, full padding, no stray bits", () => {
    const raw = "AAECAwQFBgcICQoLBNn0+CYcTqdtfJsga3mF/g=="
    const ours = crypto("Private", "id", countingKey)
    assert.strictEqual(opened(ours, raw), "")
    const spellings = [
      raw.slice(0, -1),
      raw.slice(0, -2),
      `${raw}=`,
      raw.replace("+", "-"),
      raw.replace("/", "_"),
      raw.replace("+", " "),
      raw.replace("g==", "h=="),
      ` ${raw}`,
      `${raw} `,
      `\u00a0${raw}`,
      `"${raw}"`,
      `${raw}\n`
    ]
    for (const spelling of spellings) {
      assert.strictEqual(opened(ours, spelling), undefined, spelling)
    }
    const signed = "hktMehW+lEhzaYjuU5C83SlE8aSe3Udz7nJp5mOimc8=value"
    const signs = crypto("Signed", "id", countingKey)
    for (const [from, to] of [["+", "-"], ["8=", "9="], ["=", ""], ["hkt", " hkt"]] as const) {
      const spelling = signed.replace(from, to)
      assert.strictEqual(opened(signs, spelling), undefined, spelling)
    }
  })

  it("refuses a character that is no byte, even one whose lowest byte is the right one", () => {
    const raw = "hktMehW+lEhzaYjuU5C83SlE8aSe3Udz7nJp5mOimc8=value"
    const ours = crypto("Signed", "id", countingKey)
    assert.strictEqual(opened(ours, String.fromCharCode(raw.charCodeAt(0) + 0x100) + raw.slice(1)), undefined)
    assert.strictEqual(opened(ours, `${raw.slice(0, -1)}${String.fromCharCode(0x165)}`), undefined)
  })
})

describe("percent-encoding", () => {
  it("escapes what Cookie::encoded() escapes", () => {
    assert.strictEqual(percentEncode("foo !%?="), "foo%20!%25%3F%3D")
    assert.strictEqual(percentEncode("bar;;, a"), "bar%3B%3B%2C%20a")
    assert.strictEqual(percentEncode("é🍪"), "%C3%A9%F0%9F%8D%AA")
    const ascii = Buffer.from(bytesFrom(0, 128)).toString("latin1")
    const escaped = [...ascii].filter((character) => percentEncode(character) !== character).join("")
    assert.strictEqual(escaped.replaceAll(/[\0-\x1f\x7f]/g, ""), " \"#%(),/:;<=>?@[\\]^`{|}")
    assert.strictEqual(escaped.length, 33 + 23)
  })

  it("leaves a malformed escape and a plus as they are", () => {
    const decode = (value: string) => percentDecode(value)?.toString("utf8")
    const table: ReadonlyArray<readonly [string, string | undefined]> = [
      ["", ""],
      ["%", "%"],
      ["%4", "%4"],
      ["%zz", "%zz"],
      ["%4z", "%4z"],
      ["%z4", "%z4"],
      ["%%41", "%A"],
      ["%4%41", "%4A"],
      ["%41%", "A%"],
      ["%2541", "%41"],
      ["a+b", "a+b"],
      ["%2b", "+"],
      ["%2B", "+"],
      ["%00", "\0"],
      ["%@1", "%@1"],
      ["%1g", "%1g"],
      ["%G1", "%G1"],
      ["%/1", "%/1"],
      ["%:1", "%:1"],
      ["%`1", "%`1"],
      ["\u00c3\u00a9", "é"],
      ["\u00c3%A9", "é"],
      ["%ff", undefined],
      ["%C3", undefined],
      ["%C0%80", undefined],
      ["%ED%A0%80", undefined],
      ["\u00e9", undefined],
      ["\u0141", undefined]
    ]
    for (const [value, expected] of table) {
      assert.strictEqual(decode(value), expected, value)
    }
  })

  it.prop("is undone by decoding, ours and JavaScript's", [FastCheck.fullUnicodeString()], ([text]) => {
    assert.strictEqual(percentDecode(percentEncode(text))?.toString("utf8"), text)
    assert.strictEqual(decodeURIComponent(percentEncode(text)), text)
  }, { fastCheck: { numRuns: 1000 } })
})
