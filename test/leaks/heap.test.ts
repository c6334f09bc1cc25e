import { assert, describe, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { report } from "../support/figures.js"
import { scaled } from "../support/soak.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

describe("the heap", () => {
  it("does not grow with the number of requests and of sessions that ended", async () => {
    const requests = scaled(20_000, 200_000)
    const args = ["--expose-gc", "--import", "tsx", "scripts/heap.ts", String(requests)]
    // Rejects with what the script said when it finds that the heap has grown.
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root })
    const { after, before, growth } = JSON.parse(stdout.split("\n")[0]!) as Record<string, number>
    assert.isAbove(before!, 0)
    report("Heap", {
      requests,
      "KiB after warming up": Math.round(before! / 1024),
      "KiB at the end": Math.round(after! / 1024),
      "KiB grown": Math.round(growth! / 1024)
    })
  })
})
