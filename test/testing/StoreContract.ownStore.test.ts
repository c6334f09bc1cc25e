/**
 * The store of the guide is a sound one, and it is the one that the guide shows.
 */
import * as AcceptanceSuite from "effect-session/testing/AcceptanceSuite"
import * as StoreContract from "effect-session/testing/StoreContract"
import { readFileSync } from "node:fs"
import { assert, describe, it } from "vitest"
import { layer } from "../../examples/ownStore.js"

StoreContract.suite("the store of the guide", { store: layer, canInvalidate: true })

AcceptanceSuite.suite("apps on the store of the guide", { store: layer, canInvalidate: true })

describe("docs/guides/writing-a-store.md", () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")

  it("shows examples/ownStore.ts, to the letter", () => {
    assert.include(read("docs/guides/writing-a-store.md"), `\`\`\`ts\n${read("examples/ownStore.ts")}\`\`\`\n`)
  })

  it("shows a store of less than 60 lines of code", () => {
    const lines = read("examples/ownStore.ts").split("\n")
    assert.isBelow(lines.filter((line) => !/^\s*$|^import |^\s*\/[/*]/.test(line)).length, 60)
  })
})
