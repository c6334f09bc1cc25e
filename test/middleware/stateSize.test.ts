import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { handle, makeWebApp } from "../support/webApp.js"

const insert = (key: string, text: string) =>
  handle((session) =>
    session.insert(key, Schema.String, text).pipe(
      Effect.as("kept"),
      Effect.catchAll((error) => Effect.succeed(error.reason))
    )
  )
const sizes = handle((session) =>
  Effect.map(session.entries, (entries) => Array.from(entries, ([key, value]) => [key, String(value).length]))
)

describe("a session's size", () => {
  it.scoped("ends at maxStateBytes, with a typed error and before the store hears of it", () =>
    Effect.gen(function*() {
      // A key of one byte and a text in its quotes: 100 bytes hold 97 letters.
      const app = yield* makeWebApp({ config: { maxStateBytes: 100 } })
      const browser = app.browser()
      assert.strictEqual((yield* browser.visit(insert("a", "x".repeat(98)))).body, "TooLarge")
      assert.deepStrictEqual(app.calls, [])
      assert.strictEqual((yield* browser.visit(insert("a", "x".repeat(97)))).body, "kept")
      assert.strictEqual((yield* browser.visit(insert("b", ""))).body, "TooLarge")
      assert.deepStrictEqual((yield* browser.visit(sizes)).body, [["a", 97]])
    }))

  it.scoped("counts bytes, not letters, of values and of keys", () =>
    Effect.gen(function*() {
      const browser = (yield* makeWebApp({ config: { maxStateBytes: 12 } })).browser()
      assert.strictEqual((yield* browser.visit(insert("é", "ééééé"))).body, "TooLarge")
      assert.strictEqual((yield* browser.visit(insert("é", "éééé"))).body, "kept")
      assert.strictEqual((yield* browser.visit(insert("é", "eeeeeeee"))).body, "kept")
      assert.strictEqual((yield* browser.visit(insert("é", "eeeeeeeee"))).body, "TooLarge")
    }))

  it.scoped("holds for update and updateOr, and leaves the value as it was", () =>
    Effect.gen(function*() {
      const browser = (yield* makeWebApp({ config: { maxStateBytes: 20 } })).browser()
      const grow = handle((session) =>
        session.updateOr("a", Schema.String, "x", (text) => text + text).pipe(
          Effect.catchAll((error) => Effect.succeed(error._tag === "SessionInsertError" ? error.reason : error._tag))
        )
      )
      const answers: Array<unknown> = []
      for (let i = 0; i < 7; i++) {
        answers.push((yield* browser.visit(grow)).body)
      }
      assert.deepStrictEqual(answers, ["x", "xx", "xxxx", "xxxxxxxx", "xxxxxxxxxxxxxxxx", "TooLarge", "TooLarge"])
      assert.deepStrictEqual((yield* browser.visit(sizes)).body, [["a", 16]])
    }))

  it.scoped("may be larger already: it can be read, and shrink, and end, and not grow", () =>
    Effect.gen(function*() {
      const config = { keys: Config.generateKey() }
      const generous = yield* makeWebApp({ config, store: CookieSessionStore.layer })
      const browser = generous.browser()
      yield* browser.visit(insert("a", "x".repeat(200)))
      const strict = yield* makeWebApp({ config: { ...config, maxStateBytes: 100 }, store: CookieSessionStore.layer })
      const visit = (handler: Parameters<typeof strict.request>[0]) => strict.request(handler, browser.cookie())
      assert.deepStrictEqual((yield* visit(sizes)).body, [["a", 200]])
      assert.strictEqual((yield* visit(insert("a", "x".repeat(199)))).body, "kept")
      assert.strictEqual((yield* visit(insert("a", "x".repeat(201)))).body, "TooLarge")
      assert.strictEqual((yield* visit(insert("b", "x"))).body, "TooLarge")
      assert.strictEqual((yield* visit(handle((session) => session.purge))).status, 200)
    }))

  it.effect("is what its keys and texts have in bytes, whatever was written in which order", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(
            FastCheck.tuple(
              FastCheck.constantFrom("a", "b", "é"),
              FastCheck.string({ unit: "grapheme", maxLength: 12 })
            ),
            { maxLength: 12 }
          ),
          async (writes) => {
            const max = 40
            const kept = new Map<string, string>()
            const bytes = () =>
              Array.from(kept).reduce(
                (sum, [k, v]) => sum + Buffer.byteLength(k) + Buffer.byteLength(JSON.stringify(v)),
                0
              )
            const expected = writes.map(([key, text]) => {
              const before = kept.get(key)
              const size = bytes()
              kept.set(key, text)
              if (bytes() > max && bytes() > size) {
                if (before === undefined) {
                  kept.delete(key)
                } else {
                  kept.set(key, before)
                }
                return "TooLarge"
              }
              return "kept"
            })
            const handler = handle((session) =>
              Effect.forEach(writes, ([key, text]) =>
                session.insert(key, Schema.String, text).pipe(
                  Effect.as("kept"),
                  Effect.catchAll((error) => Effect.succeed(error.reason))
                ))
            )
            const answer = await Effect.runPromise(Effect.scoped(
              Effect.flatMap(makeWebApp({ config: { maxStateBytes: max } }), (app) => app.request(handler))
            ))
            assert.deepStrictEqual(answer.body, expected)
          }
        ),
        { numRuns: 50 }
      )
    ))
})
