import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  cameOverHttps,
  type Connection,
  parseRange,
  type TrustedProxies
} from "../../../src/internal/http/trustedProxies.js"

const ranges = (...texts: ReadonlyArray<string>): TrustedProxies =>
  texts.map((text) => {
    const range = parseRange(text)
    assert(range !== undefined, text)
    return range
  })

const forwarded = (remoteAddress: string | undefined, forwardedProto: string | undefined = "https"): Connection => ({
  isEncrypted: false,
  remoteAddress,
  forwardedProto
})

const isTrusted = (proxy: string, peer: string): boolean => cameOverHttps(forwarded(peer), ranges(proxy))

const octet = FastCheck.integer({ min: 0, max: 255 })
const address4 = FastCheck.tuple(octet, octet, octet, octet)

describe("an address or a range", () => {
  const cases: ReadonlyArray<readonly [proxy: string, inside: string, outside: string]> = [
    ["127.0.0.1", "127.0.0.1", "127.0.0.2"],
    ["10.0.0.0/8", "10.255.255.255", "11.0.0.0"],
    ["10.1.2.3/8", "10.200.0.1", "11.1.2.3"],
    ["192.0.2.128/25", "192.0.2.200", "192.0.2.127"],
    ["0.0.0.0/0", "203.0.113.9", "2001:db8::1"],
    ["::1", "::1", "::2"],
    ["0:0:0:0:0:0:0:1", "::1", "0.0.0.1"],
    ["2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"],
    ["2001:DB8::/32", "2001:db8::1", "2001:db9::1"],
    ["::/0", "2001:db8::1", "127.0.0.1"],
    ["fe80::/10", "fe80::1%eth0", "fec0::1"]
  ]
  for (const [proxy, inside, outside] of cases) {
    it(`${proxy} holds ${inside} and not ${outside}`, () => {
      assert.isTrue(isTrusted(proxy, inside))
      assert.isFalse(isTrusted(proxy, outside))
    })
  }

  it("in IPv4 is the same when it comes mapped into IPv6, on either side", () => {
    for (const proxy of ["10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:a00:0/104"]) {
      for (const [inside, outside] of [["10.9.9.9", "11.0.0.0"], ["::ffff:10.9.9.9", "::ffff:11.0.0.0"]] as const) {
        assert.isTrue(isTrusted(proxy, inside), `${proxy} ${inside}`)
        assert.isFalse(isTrusted(proxy, outside), `${proxy} ${outside}`)
      }
    }
    assert.isTrue(isTrusted("::ffff:127.0.0.1", "127.0.0.1"))
    assert.isFalse(isTrusted("::ffff:127.0.0.1", "127.0.0.2"))
    assert.isTrue(isTrusted("::ffff:0:0/96", "203.0.113.9"))
  })

  it("of any prefix length holds exactly the addresses that begin with its bits", () => {
    const bits = (parts: ReadonlyArray<number>) => parts.map((part) => part.toString(2).padStart(8, "0")).join("")
    FastCheck.assert(FastCheck.property(
      address4,
      FastCheck.integer({ min: 0, max: 32 }),
      FastCheck.nat({ max: 0xffffffff }),
      (network, length, noise) => {
        // A peer that agrees with the network in a random number of leading bits.
        const flipped = network.map((part, index) => part ^ ((noise >>> (24 - 8 * index)) & 255))
        const expected = bits(flipped).slice(0, length) === bits(network).slice(0, length)
        assert.strictEqual(isTrusted(`${network.join(".")}/${length}`, flipped.join(".")), expected)
      }
    ))
  })

  for (
    const text of [
      "",
      " ",
      "localhost",
      "proxy.example",
      "10.0.0.1:80",
      "[::1]",
      "10.0.0",
      "10/8",
      "0/0",
      "010.0.0.0/8",
      "010.0.0.1",
      "0x0a.0.0.0/8",
      "0x7f000001",
      "2130706433",
      "256.0.0.1",
      "10.0.0.0/33",
      "10.0.0.0/08",
      "10.0.0.0/-1",
      "10.0.0.0/",
      "10.0.0.0/8/8",
      "10.0.0.0/ 8",
      "10.0.0.0/255.0.0.0",
      "10.0.0.*",
      "10.0.0.1-10.0.0.9",
      "::1/129",
      "::ffff:10.0.0.0/95",
      "1::2::3",
      "12345::",
      "10.0.0.1, 10.0.0.2"
    ]
  ) {
    it(`${JSON.stringify(text)} is neither`, () => {
      assert.isUndefined(parseRange(text))
    })
  }

  it("nothing that is read makes the reader throw", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.oneof(FastCheck.string(), FastCheck.stringMatching(/^[0-9a-fx:./%]{0,24}$/)),
      (text) => {
        const range = parseRange(text)
        cameOverHttps(forwarded(text), range === undefined ? [] : [range])
      }
    ))
  })
})

describe("a request came over HTTPS", () => {
  it("when its connection is encrypted, whatever a header says", () => {
    for (const forwardedProto of [undefined, "http", "https"]) {
      const connection: Connection = { isEncrypted: true, remoteAddress: "203.0.113.9", forwardedProto }
      assert.isTrue(cameOverHttps(connection, []))
      assert.isTrue(cameOverHttps(connection, ranges("127.0.0.1")))
    }
  })

  it("when a trusted proxy says so, and from nobody else's word", () => {
    const proxies = ranges("127.0.0.1", "10.0.0.0/8")
    assert.isTrue(cameOverHttps(forwarded("127.0.0.1"), proxies))
    assert.isTrue(cameOverHttps(forwarded("10.1.2.3"), proxies))
    assert.isFalse(cameOverHttps(forwarded("203.0.113.9"), proxies))
    assert.isFalse(cameOverHttps(forwarded("127.0.0.1"), []))
  })

  it("from the word of the nearest proxy, which stands last", () => {
    const proxies = ranges("127.0.0.1")
    const cases: ReadonlyArray<readonly [header: string | undefined, isHttps: boolean]> = [
      ["https", true],
      ["HTTPS", true],
      [" https ", true],
      ["http, https", true],
      ["https, http", false],
      ["https,", false],
      ["http", false],
      ["", false],
      [undefined, false],
      ["httpsx", false],
      ["wss", false]
    ]
    for (const [header, isHttps] of cases) {
      assert.strictEqual(cameOverHttps({ ...forwarded("127.0.0.1"), forwardedProto: header }, proxies), isHttps, header)
    }
  })

  it("a peer without an address, or with one that is none, is trusted only where all are", () => {
    for (const peer of [undefined, "", "unix", "/tmp/app.sock", "0x7f000001", "127.1"]) {
      assert.isFalse(cameOverHttps(forwarded(peer), ranges("0.0.0.0/0", "::/0")), String(peer))
      assert.isTrue(cameOverHttps(forwarded(peer), "All"), String(peer))
      assert.isFalse(cameOverHttps(forwarded(peer, "http"), "All"), String(peer))
    }
  })
})
