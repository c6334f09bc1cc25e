import * as Cookies from "@effect/platform/Cookies"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type CookieAttributes,
  cookieSize,
  isCookieDomain,
  isCookieName,
  isCookiePath,
  isCookieRsName,
  isCookieValue,
  maxCookieBytes,
  violatedCookieRule
} from "../../../src/internal/cookie/cookieRules.js"
import {
  maxCookieAgeSeconds,
  removalCookie,
  type SetCookie,
  setCookie
} from "../../../src/internal/cookie/setCookie.js"
import { cookiesToSet } from "../../../src/internal/http/responseCookies.js"

/** The line that platform writes. */
const lineOf = (cookie: SetCookie): string => Cookies.toSetCookieHeaders(cookiesToSet([cookie]))[0]!

const lineThatSets = (...args: Parameters<typeof setCookie>): string => lineOf(setCookie(...args))

const lineThatRemoves = (...args: Parameters<typeof removalCookie>): string => lineOf(removalCookie(...args))

const plain: CookieAttributes = {
  path: "/",
  domain: undefined,
  secure: true,
  httpOnly: true,
  sameSite: "Lax",
  partitioned: false
}

const everything: CookieAttributes = {
  path: "/app",
  domain: "example.com",
  secure: true,
  httpOnly: true,
  sameSite: "None",
  partitioned: true
}

const bare: CookieAttributes = { ...plain, secure: false, httpOnly: false, sameSite: "Strict" }

const ascii = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))

const nameArbitrary = FastCheck.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,40}$/).filter(isCookieName)
const valueArbitrary = FastCheck.stringMatching(/^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,80}$/)
const pathArbitrary = FastCheck.stringMatching(/^\/[\x20-\x3a\x3c-\x7e]{0,80}$/).filter(isCookiePath)
const domainArbitrary = FastCheck.domain()
const attributesArbitrary: FastCheck.Arbitrary<CookieAttributes> = FastCheck.record({
  path: pathArbitrary,
  domain: FastCheck.option(domainArbitrary, { nil: undefined }),
  secure: FastCheck.boolean(),
  httpOnly: FastCheck.boolean(),
  sameSite: FastCheck.constantFrom("Strict", "Lax", "None"),
  partitioned: FastCheck.boolean()
})

const assertReadsBack = (cookie: SetCookie): void => {
  const line = lineOf(cookie)
  const read = Cookies.fromSetCookie(line)
  assert.deepStrictEqual(Cookies.toSetCookieHeaders(read), [line])
  const [toSet, asRead] = [cookiesToSet([cookie]), read].map(({ cookies }) => cookies[cookie.name]!)
  assert.strictEqual(toSet!.value, asRead!.value)
  assert.strictEqual(toSet!.valueEncoded, asRead!.valueEncoded)
  // What is not so is not written, and so not read.
  const given = Object.entries(toSet!.options!).filter(([, value]) => value !== false)
  assert.deepStrictEqual(Object.fromEntries(given), { ...asRead!.options })
}

describe("setCookie", () => {
  it("writes the attributes in the platform's order", () => {
    assert.strictEqual(
      lineThatSets("id", "value", everything, 60),
      "id=value; Max-Age=60; Domain=example.com; Path=/app; HttpOnly; Secure; Partitioned; SameSite=None"
    )
    assert.strictEqual(
      lineThatSets("__Host-id", "value", plain),
      "__Host-id=value; Path=/; HttpOnly; Secure; SameSite=Lax"
    )
    assert.strictEqual(lineThatSets("id", "", bare), "id=; Path=/; SameSite=Strict")
  })

  it("writes Max-Age as digits, whatever the number", () => {
    const maxAgeOf = (seconds: number) => /Max-Age=(.*?);/.exec(lineThatSets("id", "v", plain, seconds))?.[1]
    const table: ReadonlyArray<readonly [number, string]> = [
      [1, "1"],
      [1.9, "1"],
      [0, "0"],
      [0.5, "0"],
      [-1, "0"],
      [-Infinity, "0"],
      [NaN, "0"],
      [34_560_000, "34560000"],
      [34_560_001, "34560000"],
      [1e300, "34560000"],
      [Infinity, "34560000"]
    ]
    for (const [seconds, expected] of table) {
      assert.strictEqual(maxAgeOf(seconds), expected, String(seconds))
    }
    assert.strictEqual(maxCookieAgeSeconds, 400 * 24 * 60 * 60)
  })

  it.prop(
    "is to platform what it would read in the line that it writes",
    [nameArbitrary, valueArbitrary, attributesArbitrary, FastCheck.option(FastCheck.double(), { nil: undefined })],
    ([name, value, attributes, maxAge]) => {
      assertReadsBack(setCookie(name, value, attributes, maxAge))
    },
    { fastCheck: { numRuns: 2000 } }
  )

  it.prop(
    "writes no attribute twice and no byte that could end the header",
    [nameArbitrary, valueArbitrary, attributesArbitrary, FastCheck.nat()],
    ([name, value, attributes, maxAge]) => {
      const line = lineThatSets(name, value, attributes, maxAge)
      assert.match(line, /^[\x20-\x7e]+$/)
      const names = line.split("; ").slice(1).map((attribute) => attribute.split("=")[0])
      assert.strictEqual(new Set(names).size, names.length)
    },
    { fastCheck: { numRuns: 500 } }
  )
})

describe("removalCookie", () => {
  it("CVE-2025-55162: repeats every attribute, and ends the cookie by Max-Age and by Expires", () => {
    assert.strictEqual(
      lineThatRemoves("id", everything),
      "id=; Max-Age=0; Domain=example.com; Path=/app; Expires=Thu, 01 Jan 1970 00:00:00 GMT; " +
        "HttpOnly; Secure; Partitioned; SameSite=None"
    )
    assert.strictEqual(
      lineThatRemoves("id", bare),
      "id=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; SameSite=Strict"
    )
  })

  it.prop(
    "is to platform what it would read in the line that it writes",
    [nameArbitrary, attributesArbitrary],
    ([name, attributes]) => {
      assertReadsBack(removalCookie(name, attributes))
    },
    { fastCheck: { numRuns: 1000 } }
  )

  it.prop(
    "differs from the line that set the cookie in value and life alone",
    [nameArbitrary, valueArbitrary, attributesArbitrary],
    ([name, value, attributes]) => {
      const withoutLife = (line: string) =>
        line.replace("; Max-Age=0", "").replace("; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "")
      assert.strictEqual(
        withoutLife(lineThatRemoves(name, attributes)),
        lineThatSets(name, "", attributes)
      )
      assert.strictEqual(
        lineThatSets(name, value, attributes).slice(`${name}=${value}`.length),
        lineThatSets(name, "", attributes).slice(`${name}=`.length)
      )
    }
  )
})

describe("the rules for single fields", () => {
  it("let a name be a token and nothing else", () => {
    const allowed = "!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"
    assert.strictEqual(ascii.filter(isCookieName).join(""), allowed)
    for (const bad of ["", " id", "id ", "i d", "id;", "id=", "id\n", "é", "\u0141", "id\u00a0"]) {
      assert.isFalse(isCookieName(bad), bad)
    }
    assert.isTrue(isCookieName("__Host-Http-id"))
  })

  it("refuse __proto__ as a name, which a plain object of cookies loses", () => {
    assert.deepStrictEqual(Cookies.toSetCookieHeaders(Cookies.fromSetCookie("__proto__=x; Path=/")), [])
    assert.isFalse(isCookieName("__proto__"))
    for (const fine of ["constructor", "toString", "hasOwnProperty", "__proto", "__PROTO__"]) {
      assert.isTrue(isCookieName(fine), fine)
      assert.strictEqual(Cookies.toSetCookieHeaders(Cookies.fromSetCookie(`${fine}=x; Path=/`)).length, 1)
    }
  })

  it("keep names from cookie-rs that it would escape", () => {
    const kept = ascii.filter((character) => isCookieName(character) && !isCookieRsName(character))
    assert.deepStrictEqual(kept, ["#", "%", "^", "`", "|"])
  })

  it("let a value hold the octets of cookie-value, or none", () => {
    const allowed = ascii.slice(0x21, 0x7f).filter((character) => !"\",;\\".includes(character))
    assert.deepStrictEqual(ascii.filter(isCookieValue), allowed)
    assert.isTrue(isCookieValue(""))
    for (const bad of ["a b", "\"a\"", "a\n", "a\r\nb", "é", "\u0141"]) {
      assert.isFalse(isCookieValue(bad), JSON.stringify(bad))
    }
  })

  it("let a path be absolute printable ASCII without a semicolon, of at most 1024 bytes", () => {
    const allowed = ascii.slice(0x20, 0x7f).filter((character) => character !== ";")
    assert.deepStrictEqual(ascii.filter((character) => isCookiePath(`/${character}/`)), allowed)
    for (const good of ["/", "/a b", "/a=b", "/" + "x".repeat(1023)]) {
      assert.isTrue(isCookiePath(good), good)
    }
    for (const bad of ["", "a", " /", "/ ", "/a\n", "/é", "/" + "x".repeat(1024), "/;", "/\t"]) {
      assert.isFalse(isCookiePath(bad), JSON.stringify(bad))
    }
  })

  it("let a domain be a host name without a dot at either end", () => {
    const label = "a".repeat(63)
    const longest = `${label}.${label}.${label}.${"b".repeat(61)}`
    for (const good of ["example.com", "localhost", "a.b-c.d", "xn--nxasmq6b.example", "1.example", label, longest]) {
      assert.isTrue(isCookieDomain(good), good)
    }
    const bad = ["", ".", ".example.com", "example.com.", "a..b", "-a.b", "a-.b", "a_b.c", "a b", "é.com", "a;b", "a\n"]
    for (const domain of [...bad, `${label}a`, `${longest}b`, "a.b:80", "[::1]", "*.example.com"]) {
      assert.isFalse(isCookieDomain(domain), JSON.stringify(domain))
    }
  })

  it.prop("accept every real domain", [domainArbitrary], ([domain]) => {
    assert.isTrue(isCookieDomain(domain))
  })

  it("count a cookie's size in bytes of name and value", () => {
    assert.strictEqual(maxCookieBytes, 4096)
    assert.strictEqual(cookieSize("id", ""), 2)
    assert.strictEqual(cookieSize("id", "x".repeat(4094)), maxCookieBytes)
    assert.strictEqual(cookieSize("id", "é"), 4)
  })
})

describe("the rules between name and attributes", () => {
  const good: CookieAttributes = { ...plain, path: "/", domain: undefined, secure: true, httpOnly: true }
  const violated = (name: string, change: Partial<CookieAttributes>) => violatedCookieRule(name, { ...good, ...change })

  const secure = (demandedBy: string) => ({ demandedBy, option: "secure", required: "true" })
  const httpOnly = (demandedBy: string) => ({ demandedBy, option: "httpOnly", required: "true" })
  const path = (demandedBy: string) => ({ demandedBy, option: "path", required: "\"/\"" })
  const domain = (demandedBy: string) => ({ demandedBy, option: "domain", required: "undefined" })

  it("hold each prefix to what it promises", () => {
    const insecure = { secure: false }
    const scripted = { httpOnly: false }
    const elsewhere = { path: "/app" }
    const shared = { domain: "example.com" }
    const table: ReadonlyArray<readonly [string, Partial<CookieAttributes>, unknown]> = [
      ["__Secure-id", insecure, secure("__Secure-")],
      ["__Secure-id", { ...scripted, ...elsewhere, ...shared }, undefined],
      ["__Host-id", insecure, secure("__Host-")],
      ["__Host-id", elsewhere, path("__Host-")],
      ["__Host-id", shared, domain("__Host-")],
      ["__Host-id", scripted, undefined],
      ["__Http-id", insecure, secure("__Http-")],
      ["__Http-id", scripted, httpOnly("__Http-")],
      ["__Http-id", { ...elsewhere, ...shared }, undefined],
      ["__Host-Http-id", insecure, secure("__Host-Http-")],
      ["__Host-Http-id", scripted, httpOnly("__Host-Http-")],
      ["__Host-Http-id", elsewhere, path("__Host-Http-")],
      ["__Host-Http-id", shared, domain("__Host-Http-")],
      ["id", { ...insecure, ...scripted, ...elsewhere, ...shared }, undefined],
      ["Host-id", { ...insecure, ...elsewhere }, undefined],
      ["Host__id", { ...insecure, ...elsewhere }, undefined],
      ["x__Host-id", { ...insecure, ...elsewhere }, undefined]
    ]
    for (const [name, change, expected] of table) {
      assert.deepStrictEqual(violated(name, change), expected as never, `${name} ${JSON.stringify(change)}`)
    }
    for (const name of ["id", "__Host-id", "__Secure-id", "__Http-id", "__Host-Http-id"]) {
      assert.isUndefined(violated(name, {}))
    }
  })

  it("compare prefixes without regard to case, as user agents do", () => {
    assert.deepStrictEqual(violated("__hOsT-x", { path: "/app" }), path("__hOsT-") as never)
    assert.deepStrictEqual(violated("__SECURE-x", { secure: false }), secure("__SECURE-") as never)
    assert.deepStrictEqual(violated("__http-x", { httpOnly: false }), httpOnly("__http-") as never)
    assert.deepStrictEqual(violated("__HOST-HTTP-x", { httpOnly: false }), httpOnly("__HOST-HTTP-") as never)
  })

  it("demand Secure of SameSite=None and of Partitioned", () => {
    assert.deepStrictEqual(violated("id", { secure: false, sameSite: "None" }), secure("SameSite=None") as never)
    assert.deepStrictEqual(violated("id", { secure: false, partitioned: true }), secure("Partitioned") as never)
    assert.isUndefined(violated("id", { sameSite: "None", partitioned: true }))
    assert.isUndefined(violated("id", { secure: false, sameSite: "Lax" }))
    assert.isUndefined(violated("id", { secure: false, sameSite: "Strict" }))
  })

  it.prop(
    "are satisfied by doing what they say, in at most four steps",
    [
      FastCheck.constantFrom("id", "__Host-id", "__secure-id", "__HTTP-id", "__Host-Http-id", "__host-"),
      attributesArbitrary
    ],
    ([name, attributes]) => {
      const mends = {
        secure: { secure: true },
        httpOnly: { httpOnly: true },
        path: { path: "/" },
        domain: { domain: undefined }
      }
      let mended = attributes
      for (let step = 0; step < 4; step++) {
        const rule = violatedCookieRule(name, mended)
        mended = rule === undefined ? mended : { ...mended, ...mends[rule.option] }
      }
      assert.isUndefined(violatedCookieRule(name, mended))
    },
    { fastCheck: { numRuns: 500 } }
  )
})
