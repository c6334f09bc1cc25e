import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"

const requests = scaled(20_000, 200_000)

describe("memory", () => {
  it(`stays flat over ${requests} requests with sessions that expire`, { timeout: 600_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      ...["--expose-gc", "--import", "tsx", "scripts/heap.ts", String(requests)]
    ])
    const [, before, after] = /requests ([\d.]+ MB), after \d+ requests ([\d.]+ MB)/.exec(stdout) ?? []
    assert.isDefined(after, stdout)
    report("heap", { requests, before: before!, after: after! })
  })
})
