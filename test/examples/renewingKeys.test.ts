import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { startExample } from "./exampleProcess.js"

const guide = readFileSync(new URL("../../docs/guides/renewing-keys.md", import.meta.url), "utf8")

const story = [
  "two tabs:      ada and ada, new cookies: 1",
  "answer lost:   ada, another new cookie: true",
  "new cookie:    ada",
  "in the grace:  ada with the old cookie",
  "after it:      nobody with the old cookie",
  "               nobody with the new one, and an alarm"
].join("\n")

describe("the example of keys that are renewed by themselves", () => {
  it.scopedLive("is noticed by no visitor, and by a thief", () =>
    Effect.gen(function*() {
      const example = yield* startExample("renewingKeys.ts")
      assert.strictEqual(yield* example.ended, 0, example.output().stderr)
      assert.strictEqual(example.output().stdout, `${story}\n`)
    }))

  it("tells the guide's story", () => {
    assert.include(guide, `\`\`\`text\n${story}\n\`\`\``)
  })
})
