import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { startExample } from "./exampleProcess.js"

const guide = readFileSync(new URL("../../docs/guides/rotating-keys.md", import.meta.url), "utf8")

const story = [
  "old key:           1 visits, cookie set: true",
  "new key in front:  1 visits, cookie set: false",
  "at the next write: 2 visits, cookie set: true",
  "old key dropped:   2 visits with the new cookie",
  "                   no session with the old cookie"
].join("\n")

describe("key rotation example", () => {
  it.scopedLive(
    "opens an old cookie, seals it anew at the next write, and no longer opens it once its key is dropped",
    () =>
      Effect.gen(function*() {
        const example = yield* startExample("rotatingKeys.ts")
        assert.strictEqual(yield* example.ended, 0, example.output().stderr)
        assert.strictEqual(example.output().stdout, `${story}\n`)
      })
  )

  it("tells the guide's story", () => {
    assert.include(guide, `\`\`\`text\n${story}\n\`\`\``)
  })
})
