/**
 * What `npm test` says of errors that no test caught.
 */
import { assert, describe, it } from "@effect/vitest"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { outcomeOf, root } from "../package/packed.js"

/** The last line of `npm test` for one test that passes, and leaves that line behind. */
const lastLineFor = async (leftBehind: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "effect-session-unhandled-"))
  try {
    await writeFile(
      join(folder, "one.test.mjs"),
      `it("passes", async () => { ${leftBehind}; await new Promise((done) => setTimeout(done, 20)) })`
    )
    const args = [join(root, "scripts/test.mjs"), "--root", folder, "--globals"]
    const { code, output } = await outcomeOf(process.execPath, args, root)
    return `${code}: ${output.split("\n").filter((line) => line.includes("passed, ")).at(-1)}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe("npm test", () => {
  it("passes where all tests do", async () => {
    assert.strictEqual(await lastLineFor(""), "0: 1 passed, 0 failed")
  })

  it("fails for an error that no test caught", async () => {
    assert.strictEqual(await lastLineFor("Promise.reject(new Error(\"lost\"))"), "1: 1 passed, 1 failed")
    assert.strictEqual(await lastLineFor("setTimeout(() => { throw new Error(\"lost\") })"), "1: 1 passed, 1 failed")
  })

  it("does not fail for a progress message of the test runner's that was late", async () => {
    assert.strictEqual(
      await lastLineFor("Promise.reject(new Error('[vitest-worker]: Timeout calling \"onTaskUpdate\"'))"),
      "0: 1 passed, 0 failed"
    )
  })

  it("fails for a test that did not run", async () => {
    assert.strictEqual(
      await lastLineFor("}); const { skip } = it; skip(\"later\", () => {}); it(\"too\", async () => {"),
      "1: 2 passed, 1 failed"
    )
  })
})
