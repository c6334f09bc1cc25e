import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { maxCandidates, readCookieValues, tooManyCandidates } from "../../../src/internal/cookie/cookieHeader.js"

// The rules of docs/cookie-format.md, one after the other, with no thought of speed.
const readNaively = (header: string, name: string): ReadonlyArray<string> => {
  const strip = (pair: string): string => {
    let start = 0
    let end = pair.length
    while (start < end && " \t".includes(pair[start]!)) start++
    while (end > start && " \t".includes(pair[end - 1]!)) end--
    return pair.slice(start, end)
  }
  const values: Array<string> = []
  for (const part of header.split(";")) {
    const pair = strip(part)
    const equals = pair.indexOf("=")
    if (equals > 0 && pair.slice(0, equals) === name) {
      values.push(pair.slice(equals + 1))
    }
  }
  return values.length > 16 ? [] : values
}

const name = "__Host-id"

const table: ReadonlyArray<readonly [title: string, header: string, expected: ReadonlyArray<string>]> = [
  ["an empty header", "", []],
  ["the cookie alone", "__Host-id=T", ["T"]],
  ["the cookie among others", "a=1; __Host-id=T; b=2", ["T"]],
  ["no space after the semicolon", "a=1;__Host-id=T;b=2", ["T"]],
  ["spaces and tabs around the pair", "a=1; \t __Host-id=T \t ;b=2", ["T"]],
  ["spaces at both ends of the header", "  __Host-id=T  ", ["T"]],
  ["semicolons at both ends", ";;__Host-id=T;;", ["T"]],
  ["an empty value", "__Host-id=", [""]],
  ["a value of nothing but blanks", "__Host-id= \t ; a=1", [""]],
  ["an equals sign in the value", "__Host-id=T==", ["T=="]],
  ["equal names, in order, duplicates kept", "__Host-id=A; __Host-id=B; x=1; __Host-id=A", ["A", "B", "A"]],
  ["CVE-2022-2860: a nameless pair that carries the name", "=__Host-id=x", []],
  ["CVE-2023-23934: several equals signs before the name", "==__Host-id=x; ==x", []],
  ["a nameless pair after blanks", " \t=__Host-id=x", []],
  ["a name without an equals sign", "__Host-id; __Host-id", []],
  ["a name that ends with the header", "a=1; __Host-id", []],
  ["U+00A0 before the name", "\u00a0__Host-id=evil; __Host-id=T", ["T"]],
  ["U+00A0 before the name, alone", "\u00a0__Host-id=evil", []],
  ["U+00A0 behind the name", "__Host-id\u00a0=evil", []],
  ["U+00A0 around the value", "__Host-id=\u00a0T\u00a0", ["\u00a0T\u00a0"]],
  ["U+00A0 sent as UTF-8", "\u00c2\u00a0__Host-id=evil", []],
  ["U+FEFF, U+2003 and U+3000 before the name", "\ufeff__Host-id=a; \u2003__Host-id=b; \u3000__Host-id=c", []],
  ["U+0085 before the name", "\u0085__Host-id=evil", []],
  ["vertical tab and form feed before the name", "\v__Host-id=a; \f__Host-id=b", []],
  ["a space behind the name", "__Host-id =evil", []],
  ["a tab behind the name", "__Host-id\t=evil", []],
  ["a space before the value", "__Host-id= T", [" T"]],
  ["a space inside the value", "__Host-id=T U", ["T U"]],
  ["CR and LF around the pair", "a=1;\r\n__Host-id=evil\r\n", []],
  ["CR and LF behind the value", "__Host-id=T\r\n", ["T\r\n"]],
  ["NUL before the name", "\0__Host-id=evil", []],
  ["NUL inside the name", "__Host-\0id=evil", []],
  ["NUL in the value", "__Host-id=T\0", ["T\0"]],
  ["CVE-2023-26049: quotes do not swallow a semicolon", "a=\"x; __Host-id=T; b=\"", ["T"]],
  ["a quoted value", "__Host-id=\"T\"", ["\"T\""]],
  ["an unbalanced quote in the value", "__Host-id=\"T; a=\"", ["\"T"]],
  ["a quoted semicolon in the value", "__Host-id=\"T;U\"", ["\"T"]],
  ["a quoted name", "\"__Host-id\"=evil", []],
  ["a backslash before a semicolon", "a=\\; __Host-id=T", ["T"]],
  ["CVE-2023-4639: a $Version sandwich", "$Version=1; a=\"x; __Host-id=T; $Path=/; b=y\"", ["T"]],
  ["attributes of RFC 2109 behind the value", "$Version=\"1\"; __Host-id=T; $Path=\"/\"; $Domain=x", ["T"]],
  ["CVE-2020-8184: an escaped name", "%5f%5fHost-id=evil; __Host-%69d=evil; __Host-id%3Devil", []],
  ["escapes in the value", "__Host-id=%54%3B%20", ["%54%3B%20"]],
  ["the name in other cases", "__HOST-id=a; __host-id=b; __Host-ID=c; __hOsT-iD=d", []],
  ["CVE-2022-31629: what PHP takes for underscores", "..Host-id=a; _.Host-id=b; [_Host-id=c; _ Host-id=d", []],
  ["a longer name that ends with ours", "x__Host-id=a; x-__Host-id=b", []],
  ["a longer name that begins with ours", "__Host-id2=a; __Host-id-=b; __Host-id.x=c", []],
  ["the pair in another pair's value", "a=__Host-id=x; b= __Host-id=y; c=1 __Host-id=z", []],
  ["a comma instead of a semicolon", "a=1, __Host-id=x", []],
  ["a comma in the value", "__Host-id=T, b=1", ["T, b=1"]],
  ["an ampersand instead of a semicolon", "a=1&__Host-id=x", []],
  ["a fullwidth semicolon and equals sign", "a=1\uff1b__Host-id=x; __Host-id\uff1dx", []],
  ["a name that only a cut-down character makes ours", "__Host-i\u0164=evil", []],
  ["a pair of bytes beyond ASCII", "\u00ff=\u00fe; __Host-id=\u00ff", ["\u00ff"]],
  ["the name, twice, then a value", "__Host-id__Host-id=x; __Host-id=__Host-id=T", ["__Host-id=T"]]
]

describe("a hostile header", () => {
  for (const [title, header, expected] of table) {
    it(`${title}: ${JSON.stringify(header)}`, () => {
      assert.deepStrictEqual(readCookieValues(header, name), expected)
      assert.deepStrictEqual(readNaively(header, name), expected)
    })
  }

  it("finds the good value wherever a tossed cookie stands", () => {
    assert.deepStrictEqual([...readCookieValues("__Host-id=evil; __Host-id=T", name)].sort(), ["T", "evil"])
    assert.deepStrictEqual([...readCookieValues("__Host-id=T; __Host-id=evil", name)].sort(), ["T", "evil"])
  })

  it("takes names of object members for plain names", () => {
    for (const member of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      assert.deepStrictEqual(readCookieValues(`a=1; ${member}=x`, member), ["x"])
      assert.deepStrictEqual(readCookieValues("a=1", member), [])
    }
  })

  it("finds nothing for an empty name", () => {
    assert.deepStrictEqual(readCookieValues("=a; b=c; ;", ""), [])
  })
})

describe("a cookie bomb", () => {
  const header = (count: number) => Array.from({ length: count }, (_, index) => `id=${index}`).join("; ")

  it("is read up to the limit of candidates, and counts as no cookie beyond it", () => {
    assert.strictEqual(maxCandidates, 16)
    assert.strictEqual(readCookieValues(header(16), "id").length, 16)
    assert.strictEqual(readCookieValues(header(17), "id"), tooManyCandidates)
    assert.strictEqual(readCookieValues(header(100_000), "id"), tooManyCandidates)
    assert.deepStrictEqual(tooManyCandidates, [])
    assert.notStrictEqual(readCookieValues("a=1", "id"), tooManyCandidates)
  })

  it("has the same outcome wherever the good value stands", () => {
    for (let position = 0; position <= 16; position++) {
      const values = Array.from({ length: 17 }, (_, index) => index === position ? "id=T" : "id=evil")
      assert.strictEqual(readCookieValues(values.join(";"), "id"), tooManyCandidates)
    }
  })

  it("does not count cookies of other names", () => {
    assert.deepStrictEqual(readCookieValues(`${header(1000)}; __Host-id=T`, name), ["T"])
  })

  // A quadratic reader would need 10^12 steps for these and run into the test's time limit.
  it("of a megabyte, in every shape that invites backtracking, still yields the cookie", () => {
    const million = 1_000_000
    const fillings = [
      "a=1;".repeat(million / 4),
      ";".repeat(million),
      " ".repeat(million) + ";",
      `x${" ".repeat(million)}__Host-id=no;`,
      `${" \t".repeat(million / 2)}x;`,
      "=".repeat(million) + ";",
      "_".repeat(million) + ";",
      "__Host-i".repeat(million / 8) + ";",
      "__Host-id".repeat(million / 9) + ";",
      " __Host-id=x".repeat(million / 12).replace(" ", "y=") + ";",
      "\"".repeat(million) + ";"
    ]
    for (const filling of fillings) {
      assert.deepStrictEqual(readCookieValues(`${filling}__Host-id=T`, name), ["T"])
      assert.deepStrictEqual(readCookieValues(`__Host-id=T;${filling}`, name), ["T"])
    }
  })
})

describe("the reader", () => {
  // Few characters and short names, so that near misses are the rule.
  const piece = FastCheck.constantFrom(
    ..."aAb=;=; \t\"%_-$,\\\u00a0\u0085\r\n\0é\u0141",
    "id",
    "id",
    "id=",
    "; id=",
    "__Host-id=",
    "%69d=",
    "Id=",
    "; ",
    " =",
    "= "
  )
  const header = FastCheck.array(piece, { maxLength: 60 }).map((pieces) => pieces.join(""))
  const cookieName = FastCheck.constantFrom("id", "a", "aa", "__Host-id", "b", "_", "idid", "$")

  it.prop("agrees with a naive reader of the same rules", [header, cookieName], ([header, name]) => {
    assert.deepStrictEqual(readCookieValues(header, name), readNaively(header, name))
  }, { fastCheck: { numRuns: 20_000 } })

  it.prop("agrees with it on any string", [FastCheck.fullUnicodeString(), cookieName], ([header, name]) => {
    assert.deepStrictEqual(readCookieValues(header, name), readNaively(header, name))
  }, { fastCheck: { numRuns: 2000 } })

  const pair = FastCheck.tuple(cookieName, FastCheck.stringMatching(/^[A-Za-z0-9=._-]{0,12}$/))

  it.prop("returns what a browser was told to keep", [FastCheck.array(pair, { maxLength: 16 }), cookieName], (
    [pairs, name]
  ) => {
    const header = pairs.map(([key, value]) => `${key}=${value}`).join("; ")
    const expected = pairs.filter(([key]) => key === name).map(([, value]) => value)
    assert.deepStrictEqual(readCookieValues(header, name), expected)
  }, { fastCheck: { numRuns: 2000 } })
})
