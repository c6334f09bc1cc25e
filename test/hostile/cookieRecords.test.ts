/**
 * A cookie that we sealed ourselves and that holds anything but a session record: a release of last year, a bug of
 * tomorrow, a key in the wrong hands. Anonymous or a typed error, never a crash.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { pause } from "../support/breathing.js"
import { report } from "../support/figures.js"
import { livingFor } from "../support/lifetimes.js"
import { scaled } from "../support/soak.js"
import { makeWebApp } from "../support/webApp.js"
import { builtIns } from "./builtIns.js"
import { observed, operations, resultOf } from "./operations.js"
import type { Result } from "./operations.js"
import { makeRandom } from "./random.js"
import { hugeRecordTexts, recordText } from "./records.js"

const store = SessionStore.withClock(CookieSessionStore.store)
const before = builtIns()
// Each of these records is worth a warning, and all of them together would be the whole log.
const silence = Logger.minimumLogLevel(LogLevel.None)
const change = { ...SessionRecord.noChange, set: new Map([["a", "1"]]) }

const assertNoDefect = (result: Result, about: string) => {
  if (result._tag === "Defect") {
    assert.fail(`${about}: ${result.what}`)
  }
}

const verbs: { readonly [verb: string]: (key: SessionKey.SessionKey) => Effect.Effect<unknown, unknown> } = {
  load: (key) => store.load(key),
  update: (key) => store.update(key, change, livingFor(60_000)),
  updateTtl: (key) => store.updateTtl(key, livingFor(60_000)),
  renew: (key) => store.renew(key, change, livingFor(60_000)),
  delete: (key) => store.delete(key)
}

const assertSafe = (id: SessionKey.SessionId, text: string, about: string) =>
  Effect.gen(function*() {
    const key = SessionKey.make(id, text)
    for (const [verb, call] of Object.entries(verbs)) {
      assertNoDefect(resultOf(yield* Effect.exit(call(key))), `${verb} of ${about}`)
    }
    const loaded = yield* Effect.either(store.load(key))
    if (loaded._tag === "Right" && loaded.right._tag === "Live") {
      const { record } = loaded.right
      assert.strictEqual(record.id, id)
      assert.isAbove(record.expiresAt, 0)
      // The state is what stands in the text, its own members and no inherited ones.
      const written = (JSON.parse(text) as { readonly s: object }).s
      assert.deepStrictEqual([...record.state.keys()], Object.keys(written))
      return true
    }
    return false
  })

describe("records in the cookie, fuzzed", () => {
  it.effect("each verb answers or fails with a typed error", () =>
    Effect.gen(function*() {
      const random = makeRandom()
      const records = scaled(4_000, 40_000)
      let live = 0
      for (let i = 0; i < records; i++) {
        const text = recordText(random)
        if (yield* assertSafe(SessionKey.mintId(), text, `seed ${random.seed}, ${text.slice(0, 300)}`)) {
          live++
        }
        yield* pause(i)
      }
      assert.isAbove(live, records / 100)
      assert.isBelow(live, records / 2)
      report("hostile records in the cookie", { seed: random.seed, records, live, defects: 0 })
    }))

  it.effect("so it does for ten megabytes of them, and for nesting that no stack holds", () =>
    Effect.gen(function*() {
      for (const text of hugeRecordTexts) {
        assert.isAbove(text.length, 9_999_999)
        const key = SessionKey.make(SessionKey.mintId(), text)
        const about = `${text.length} characters, ${text.slice(0, 60)}`
        assertNoDefect(resultOf(yield* Effect.exit(store.load(key))), about)
      }
    }))

  it.scoped(
    "a request with such a cookie is anonymous or gets a typed error, whatever its handler does",
    () =>
      Effect.gen(function*() {
        const random = makeRandom()
        const app = yield* makeWebApp({ store: CookieSessionStore.layer })
        const { crypto } = app.middleware
        const names = Object.keys(operations)
        const requests = scaled(1_500, 15_000)
        for (let i = 0; i < requests; i++) {
          yield* pause(i)
          const text = recordText(random)
          const cookie = `__Host-id=${crypto.seal(`${SessionKey.mintId()}.${text}`)}`
          const name = names[i % names.length]!
          const about = `seed ${random.seed}, ${name} of ${text.slice(0, 300)}`
          const results: Array<Result> = []
          const { body, status } = yield* app.request(observed(name, (result) => results.push(result)), cookie)
          assert.strictEqual(results.length, 1, about)
          assertNoDefect(results[0]!, about)
          // 500: the state that was there no longer fits into a cookie.
          assert.include([204, 500], status, about)
          assert.isUndefined(body)
        }
      }).pipe(Effect.provide(silence))
  )

  it.scoped("a time that no date can hold crashes no handler that asks for it", () =>
    Effect.gen(function*() {
      const app = yield* makeWebApp({ store: CookieSessionStore.layer })
      for (const time of [8_640_000_000_000_000, 8_640_000_000_000_001, Number.MAX_SAFE_INTEGER]) {
        const text = `${SessionKey.mintId()}.{"v":1,"c":${time},"e":${time},"s":{"a":1}}`
        for (const name of ["createdAt", "expiresAt"]) {
          const results: Array<Result> = []
          const cookie = `__Host-id=${app.middleware.crypto.seal(text)}`
          yield* app.request(observed(name, (result) => results.push(result)), cookie)
          assertNoDefect(results[0]!, `${name} of ${time}`)
        }
      }
    }))

  it("leaves the built-in prototypes as they were", () => {
    assert.deepStrictEqual(builtIns(), before)
  })
})
