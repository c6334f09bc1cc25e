/**
 * The reader of the `Cookie` header against a reader that is too simple to be wrong, on headers written to be misread.
 */
import { afterAll, assert, describe, it } from "@effect/vitest"
import { maxCandidates, readCookieValues, tooManyCandidates } from "../../src/internal/cookie/cookieHeader.js"
import { repeat } from "../support/breathing.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { builtIns } from "./builtIns.js"
import { mostCandidates, readAsDocumented, readEveryValue } from "./cookieAutomaton.js"
import { askedNames, costlyShapes, hugeHeader, longHeader, ownName, shortHeader } from "./headers.js"
import { makeRandom } from "./random.js"

const before = builtIns()

const agree = (header: string, name: string, seed: number): ReadonlyArray<string> => {
  const values = readCookieValues(header, name)
  const expected = readAsDocumented(header, name)
  if (values.length !== expected.length || values.some((value, index) => value !== expected[index])) {
    assert.deepStrictEqual(values, expected, `seed ${seed}, name ${name}, ${JSON.stringify(header.slice(0, 4_000))}`)
  }
  return values
}

describe("the cookie header, fuzzed", () => {
  it("reads what the documented rules say, on short, long and huge headers of every byte there is", async () => {
    const headers = scaled(200_000, 1_000_000)
    const random = makeRandom()
    let found = 0
    let foundNothing = 0
    let overfull = 0
    await repeat(headers, (i) => {
      const header = i % 20_000 === 0 ? hugeHeader(random) : i % 2_000 === 0 ? longHeader(random) : shortHeader(random)
      const values = agree(header, random.pick(askedNames), random.seed)
      if (values === tooManyCandidates) {
        overfull++
      } else if (values.length === 0) {
        foundNothing++
      } else {
        found++
      }
    })
    // A fuzzer whose inputs all end in the same branch would prove nothing.
    assert.strictEqual(maxCandidates, mostCandidates)
    assert.isAbove(found, headers / 10)
    assert.isAbove(foundNothing, headers / 10)
    assert.isAbove(overfull, 10)
    report("hostile cookie headers", {
      seed: random.seed,
      headers,
      disagreements: 0,
      "with the cookie": found,
      "without it": foundNothing,
      "too many": overfull
    })
  })

  it("reads every byte as itself: 256 bytes in 12 places of a header", () => {
    for (let byte = 0; byte < 256; byte++) {
      const character = String.fromCharCode(byte)
      for (
        const header of [
          `${character}__Host-id=T`,
          `__Host-id${character}=T`,
          `__Host-id=${character}T`,
          `__Host-id=T${character}`,
          `__Host-id=T${character}U`,
          `__Host${character}id=T`,
          `__Host-i${character}=T`,
          `a=1${character}__Host-id=T`,
          `a=1;${character}__Host-id=T`,
          `a=1${character};__Host-id=T`,
          `a=${character}; __Host-id=T; b=${character}`,
          `${character}=1; __Host-id=T; ${character}=2`
        ]
      ) {
        agree(header, ownName, 0)
      }
    }
  })

  it("finds the same values in whatever order the pairs stand", async () => {
    const random = makeRandom()
    const rounds = scaled(10_000, 100_000)
    await repeat(rounds, () => {
      const pairs = shortHeader(random).split(";")
      const shuffled = [...pairs]
      for (let at = shuffled.length - 1; at > 0; at--) {
        const other = random.below(at + 1)
        const kept = shuffled[at]!
        shuffled[at] = shuffled[other]!
        shuffled[other] = kept
      }
      assert.deepStrictEqual(
        [...readCookieValues(shuffled.join(";"), ownName)].sort(),
        [...readCookieValues(pairs.join(";"), ownName)].sort(),
        `seed ${random.seed}, ${JSON.stringify(pairs)}`
      )
    })
  })

  it("never loses the true cookie to whatever stands beside it, short of too many of its name", async () => {
    const random = makeRandom()
    const rounds = scaled(10_000, 100_000)
    await repeat(rounds, () => {
      const hostile = shortHeader(random)
      const own = readEveryValue(hostile, ownName)
      for (const header of [`${ownName}=T;${hostile}`, `${hostile};${ownName}=T`]) {
        const values = readCookieValues(header, ownName)
        assert.strictEqual(values.length, own.length + 1 > mostCandidates ? 0 : own.length + 1)
        assert.isTrue(values === tooManyCandidates || values.includes("T"), `seed ${random.seed}, ${header}`)
      }
    })
  })

  describe("a header of a megabyte", () => {
    const megabyte = 1_000_000
    const shapes = costlyShapes(megabyte)
    let worst = 0

    /** What this process works at something, in milliseconds: what others make it wait does not count. */
    const workOf = (work: () => unknown): number => {
      const before = process.cpuUsage()
      work()
      const { system, user } = process.cpuUsage(before)
      return (system + user) / 1_000
    }

    const lookAtEach = (text: string): number => {
      let sum = 0
      for (let i = 0; i < text.length; i++) {
        sum += text.charCodeAt(i)
      }
      return sum
    }

    for (const [title, shape] of shapes) {
      // A quadratic reader would take a million times as long as one look at each character, whatever the machine.
      it(`is read with no more work than a thousand looks at each character when it is made of ${title}`, () => {
        for (const header of [shape, `${shape};${ownName}=T`, `${ownName}=T;${shape}`]) {
          let values: ReadonlyArray<string> = []
          const millis = workOf(() => {
            values = readCookieValues(header, ownName)
          })
          const looks = workOf(() => lookAtEach(header))
          worst = Math.max(worst, millis)
          assert.isBelow(millis, 1_000 * Math.max(1, looks))
          assert.deepStrictEqual(values, readAsDocumented(header, ownName))
        }
      })
    }

    afterAll(() => {
      report("a cookie header of 1 MB", { shapes: shapes.length * 3, "slowest, ms": Number(worst.toFixed(2)) })
    })
  })

  it("leaves the built-in prototypes as they were", () => {
    assert.deepStrictEqual(builtIns(), before)
  })
})
