/**
 * A hundred thousand cookies that open nothing, through the whole middleware: not one of them reaches the store.
 */
import { assert, describe, it } from "@effect/vitest"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as SessionKey from "effect-session/SessionKey"
import * as Effect from "effect/Effect"
import { pause } from "../support/breathing.js"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"
import { makeWebApp } from "../support/webApp.js"
import type { WebApp } from "../support/webApp.js"
import { builtIns } from "./builtIns.js"
import { ownName, shortHeader } from "./headers.js"
import { observed, operations } from "./operations.js"
import type { Result } from "./operations.js"
import { makeRandom } from "./random.js"
import type { Random } from "./random.js"

const before = builtIns()

/** A text that is nearly a session key. */
const nearlyKey = (random: Random): string => {
  const text = SessionKey.toText(SessionKey.mint())
  const at = random.below(text.length)
  const odd = random.pick(["", "=", "+", "/", " ", "\u0000", "\r\n", "*", "?", "..", "é", "%", ":", "\ud800"])
  switch (random.below(8)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(at + 1)
    case 2:
      return text + random.pick(["A", "=", "\n", ".", `.${text}`])
    case 3:
      return text.replace(".", odd === "" ? "" : odd)
    case 4:
      // The last character of either half, with bits set that no encoder sets.
      return random.oneIn(2) ? `${text.slice(0, 21)}B${text.slice(22)}` : `${text.slice(0, 65)}B`
    case 5:
      return `${"../".repeat(7)}a.${text.slice(23)}`
    case 6:
      return random.bytes(random.below(100)).toString("latin1")
    default:
      return text.slice(0, at) + (odd === "" ? "~" : odd) + text.slice(at + 1)
  }
}

/** What may stand behind the name in a header without ending the pair. */
const inHeader = (text: string): string => text.replace(/[;\r\n\0]/g, "").replace(/[^\x00-\xff]/g, "?")

/** Cookie values that hold no key, of every kind there is. */
const brokenValue = (random: Random, app: WebApp, stranger: CookieCrypto.CookieCrypto): string => {
  const { crypto } = app.middleware
  switch (random.below(6)) {
    case 0:
      return inHeader(random.bytes(random.below(200)).toString("latin1"))
    case 1:
      return inHeader(SessionKey.toText(SessionKey.mint()))
    case 2: {
      const value = crypto.seal(SessionKey.toText(SessionKey.mint()))
      const at = random.below(value.length)
      return value.slice(0, at) + (value[at] === "A" ? "B" : "A") + value.slice(at + 1)
    }
    case 3:
      return stranger.seal(SessionKey.toText(SessionKey.mint()))
    default:
      return crypto.seal(nearlyKey(random))
  }
}

describe("cookies that open nothing, through the middleware", () => {
  it.scoped(
    "cost no store call, set no cookie and crash nothing, whatever the handler does",
    () =>
      Effect.gen(function*() {
        const random = makeRandom()
        const app = yield* makeWebApp()
        const stranger = CookieCrypto.make({
          name: "__Host-other",
          keys: [app.middleware.config.keys[0]],
          contentSecurity: "Signed"
        })
        const names = Object.keys(operations)
        const wanted = scaled(100_000, 300_000)
        let cookies = 0
        let requests = 0
        while (cookies < wanted) {
          // Up to one more than are tried, so that the limit is met as well.
          const count = 1 + random.below(17)
          const pairs = Array.from({ length: count }, () => `${ownName}=${brokenValue(random, app, stranger)}`)
          const header = [...pairs, inHeader(shortHeader(random)).trim()].join("; ")
          const name = names[requests % names.length]!
          const results: Array<Result> = []
          const { body, setCookies, status } = yield* app.request(
            observed(name, (result) => results.push(result)),
            header
          )
          const about = `seed ${random.seed}, ${name}, ${JSON.stringify(header)}`
          assert.strictEqual(results[0]?._tag, "Value", about)
          assert.deepStrictEqual([status, body, setCookies], [204, undefined, []], about)
          assert.deepStrictEqual(app.calls, [], about)
          yield* pause(requests)
          cookies += count
          requests++
        }
        report("cookies that open nothing", { seed: random.seed, cookies, requests, "store calls": app.calls.length })
      })
  )

  it("leaves the built-in prototypes as they were", () => {
    assert.deepStrictEqual(builtIns(), before)
  })
})
