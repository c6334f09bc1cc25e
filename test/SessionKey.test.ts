import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import { inspect } from "node:util"

describe("SessionKey", () => {
  it("a minted key has 128 and 256 random bits and reads back as itself", () => {
    const key = SessionKey.mint()
    const text = SessionKey.toText(key)
    assert.match(text, /^[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/)
    const back = Option.getOrThrow(SessionKey.fromText(text))
    assert.strictEqual(back.id, key.id)
    assert.strictEqual(SessionKey.toText(back), text)
  })

  it("100 000 minted keys share neither an id nor a secret", () => {
    const seen = new Set<string>()
    for (let i = 0; i < 100_000; i++) {
      const [id, secret] = SessionKey.toText(SessionKey.mint()).split(".")
      seen.add(id!).add(secret!)
    }
    assert.strictEqual(seen.size, 200_000)
  })

  it("a new secret for an id leaves the id alone", () => {
    const key = SessionKey.mint()
    const renewed = SessionKey.mintSecret(key.id)
    assert.strictEqual(renewed.id, key.id)
    assert.notStrictEqual(SessionKey.toText(renewed), SessionKey.toText(key))
    assert.isFalse(SessionKey.digestsEqual(SessionKey.digest(renewed), SessionKey.digest(key)))
  })

  const text = SessionKey.toText(SessionKey.mint())
  const malformed: Record<string, string> = {
    "the empty string": "",
    "no dot": text.replace(".", ""),
    "another separator": text.replace(".", "-"),
    "a missing character": text.slice(0, -1),
    "an additional character": `${text}A`,
    "padding": `${text}=`,
    "a line break at the end": `${text}\n`,
    "a space in front": ` ${text}`,
    "standard base64": `${"+".repeat(22)}.${"/".repeat(43)}`,
    "NUL": text.replace(/^./, "\0"),
    "CRLF": text.replace(/^../, "\r\n"),
    "a path": `${"../".repeat(7)}A.${"A".repeat(43)}`,
    "spare bits in the id": `${"A".repeat(21)}B.${"A".repeat(43)}`,
    "spare bits in the secret": `${"A".repeat(22)}.${"A".repeat(42)}B`,
    "a megabyte": "A".repeat(1_000_000)
  }
  for (const [what, bad] of Object.entries(malformed)) {
    it(`a text with ${what} is no key`, () => {
      assert.isTrue(Option.isNone(SessionKey.fromText(bad)))
    })
  }

  it("whatever reads as a key is the very text of that key", () => {
    const character = FastCheck.constantFrom(..."ABCQgw048_-.=+ \0é")
    FastCheck.assert(FastCheck.property(
      FastCheck.array(character, { minLength: 60, maxLength: 70 }).map((chars) => chars.join("")),
      (candidate) => {
        const key = SessionKey.fromText(candidate)
        assert.isTrue(Option.isNone(key) || SessionKey.toText(key.value) === candidate)
      }
    ))
  })

  it("a key prints its id and hides its secret", () => {
    const key = SessionKey.mint()
    const secret = SessionKey.toText(key).split(".")[1]!
    for (const printed of [inspect(key, { depth: 9 }), JSON.stringify(key), String(key.secret)]) {
      assert.notInclude(printed, secret)
    }
    assert.include(JSON.stringify(key), key.id)
  })

  it("digests of different lengths are different, without an exception", () => {
    const digest = SessionKey.digest(SessionKey.mint())
    assert.isFalse(SessionKey.digestsEqual(digest, "" as SessionKey.SecretDigest))
  })
})
