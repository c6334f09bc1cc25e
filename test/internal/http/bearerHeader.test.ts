import { assert, describe, it } from "@effect/vitest"
import { bearerOf, readBearer } from "../../../src/internal/http/bearerHeader.js"

const token = (token: string) => ({ _tag: "Token" as const, token })

describe("readBearer", () => {
  it.each([
    ["no header", undefined],
    ["nothing", ""],
    ["another scheme", "Basic dXNlcjpwYXNz"],
    ["another scheme that begins alike", "Bearer2 abc"],
    ["another scheme that begins alike, with a hyphen", "Bearer-Token abc"],
    ["a scheme in the wrong place", " Bearer abc"],
    ["another scheme before it", "Basic dXNlcjpwYXNz, Bearer abc"],
    ["only half of it", "Bear"]
  ])("is none: %s", (_, header) => {
    assert.isUndefined(readBearer(header))
  })

  it.each(["Bearer", "bearer", "BEARER", "Bearer ", "Bearer    "])("is empty: %j", (header) => {
    assert.deepStrictEqual(readBearer(header), { _tag: "Empty" })
  })

  it.each([
    ["Bearer abc", "abc"],
    ["bearer abc", "abc"],
    ["bEARER abc", "abc"],
    ["Bearer   abc  ", "abc"],
    ["Bearer Az09-._~+/==", "Az09-._~+/=="],
    [`Bearer ${"a".repeat(4096)}`, "a".repeat(4096)]
  ])("is a token: %j", (header, text) => {
    assert.deepStrictEqual(readBearer(header), token(text))
  })

  it.each([
    "Bearer abc def",
    "Bearer abc,def",
    "Bearer abc, Bearer def",
    "Bearer, Bearer abc",
    "Bearer\tabc",
    "Bearer \"abc\"",
    "Bearer a=bc",
    "Bearer =",
    "Bearer token=abc",
    "Bearer é",
    "Bearer a\u0000b",
    "Bearer:abc",
    `Bearer ${"a".repeat(4097)}`,
    `Bearer ${" ".repeat(5000)}`,
    `Bearer ${"a".repeat(1_000_000)}`
  ])("is malformed: %j", (header) => {
    assert.deepStrictEqual(readBearer(header), { _tag: "Malformed" })
  })
})

describe("bearerOf", () => {
  const of = (...lines: ReadonlyArray<readonly [name: string, value: string]>) =>
    bearerOf({ headers: { authorization: lines[0]?.[1] }, source: { rawHeaders: lines.flat() } })

  it("takes the one header that Node shows", () => {
    assert.deepStrictEqual(of(["authorization", "Bearer abc"]), token("abc"))
    assert.deepStrictEqual(bearerOf({ headers: { authorization: "Bearer abc" }, source: {} }), token("abc"))
    assert.isUndefined(of())
  })

  it("takes none of several, in whatever case their names are and whatever they say", () => {
    assert.deepStrictEqual(of(["authorization", "Bearer abc"], ["authorization", "Bearer abc"]), { _tag: "Malformed" })
    assert.deepStrictEqual(of(["Authorization", "Bearer abc"], ["AUTHORIZATION", "Basic x"]), { _tag: "Malformed" })
    assert.deepStrictEqual(of(["authorization", "Bearer"], ["authorization", "Bearer abc"]), { _tag: "Malformed" })
  })

  it("counts names of headers, and not what they hold", () => {
    assert.deepStrictEqual(of(["authorization", "Bearer abc"], ["x-note", "authorization"]), token("abc"))
  })
})
