/**
 * Forged cookie values, many of them: none may open, in either format and either policy.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as Option from "effect/Option"
import { Buffer } from "node:buffer"
import { breathe, repeat } from "../support/breathing.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { forgeries, spelledOut, targetsWith } from "./forgeries.js"
import type { Target } from "./forgeries.js"
import { makeRandom } from "./random.js"

const random = makeRandom()
const targets = targetsWith(random)
const attempts = scaled(200_000, 1_000_000)

const texts = (): ReadonlyArray<string> => [
  SessionKey.toText(SessionKey.mint()),
  SessionKey.toText(SessionKey.mint()),
  "",
  "x",
  `${SessionKey.mintId()}.{"v":1,"c":0,"e":1,"s":{"a":1}}`
]

const assertRefused = (target: Target, forged: string, how: string) => {
  if (Option.isSome(target.crypto.open(forged))) {
    assert.fail(`accepted (${target.title}, ${how}, seed ${random.seed}): ${JSON.stringify(forged)}`)
  }
}

describe("sealed values, forged", () => {
  let refused = 0

  for (const target of targets) {
    const ways = Object.entries(forgeries)
    const share = Math.ceil(attempts / targets.length)

    it(`${target.title}: nothing that was changed after it was sealed opens`, async () => {
      const byWay = new Map<string, number>()
      let genuine: ReadonlyArray<string> = []
      let spellings: ReadonlySet<string> = new Set()
      for (let made = 0, round = 0; made < share; round++) {
        if (round % 500 === 0) {
          genuine = texts().map((text) => target.crypto.seal(text))
          spellings = new Set(genuine.map((value) => spelledOut(target, value)))
          await breathe()
        }
        const [how, forge] = ways[round % ways.length]!
        const value = random.pick(genuine)
        const forged = forge(target, random, value, random.pick(genuine))
        if (!spellings.has(spelledOut(target, forged))) {
          assertRefused(target, forged, how)
          byWay.set(how, (byWay.get(how) ?? 0) + 1)
          made++
          refused++
        }
      }
      // Each way has made its share, or it would prove nothing.
      for (const [how] of ways) {
        assert.isAbove(byWay.get(how) ?? 0, share / ways.length / 4, how)
      }
      // And the values that they started from do open.
      for (const value of genuine) {
        assert.isTrue(Option.isSome(target.crypto.open(value)))
      }
    })

    it(`${target.title}: nothing sealed with another key, for another name, policy or format opens`, async () => {
      const rounds = scaled(150, 3_000)
      await repeat(rounds, () => {
        for (const text of texts()) {
          for (const other of [...target.siblings, ...target.strangers]) {
            assertRefused(target, other.seal(text), "sealed elsewhere")
            refused++
          }
        }
      })
    })
  }

  it("draws another nonce for each of a hundred thousand values, also of one text", async () => {
    const [target] = targets.filter(({ title }) => title === "EffectSession, Private")
    const nonces = new Set<string>()
    await repeat(scaled(100_000, 1_000_000), () => {
      nonces.add(Buffer.from(target!.crypto.seal("one text"), "base64url").toString("latin1", 1, 13))
    })
    assert.strictEqual(nonces.size, scaled(100_000, 1_000_000))
  })

  it("has tried as many as it says", () => {
    assert.isAtLeast(refused, attempts)
    report("forged sealed values", { seed: random.seed, tried: refused, accepted: 0 })
  })
})
