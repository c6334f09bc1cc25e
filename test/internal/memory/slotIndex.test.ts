import { assert, describe, it } from "@effect/vitest"
import type * as SessionKey from "effect-session/SessionKey"
import * as FastCheck from "effect/FastCheck"
import { SlotIndex } from "../../../src/internal/memory/slotIndex.js"

const slots = 8

// Few enough that they meet in one bucket, and come back.
const id = FastCheck.constantFrom(...Array.from({ length: 64 }, (_, n) => `id${n}` as SessionKey.SessionId))

describe("SlotIndex", () => {
  it.prop("knows what a Map would know", [
    FastCheck.array(FastCheck.tuple(id, FastCheck.nat({ max: slots - 1 })), { maxLength: 200 })
  ], ([steps]) => {
    const index = new SlotIndex(slots)
    const model = new Map<SessionKey.SessionId, number>()
    for (const [id, slot] of steps) {
      const holder = Array.from(model).find(([, taken]) => taken === slot)?.[0]
      if (holder !== undefined) {
        assert.strictEqual(index.idOf(slot), holder)
        index.remove(slot)
        model.delete(holder)
      }
      if (!model.has(id)) {
        index.add(id, slot)
        model.set(id, slot)
      }
      for (const [known, slot] of model) {
        assert.strictEqual(index.slotOf(known), slot)
      }
      assert.strictEqual(index.slotOf("unknown" as SessionKey.SessionId), undefined)
      if (holder !== undefined && !model.has(holder)) {
        assert.strictEqual(index.slotOf(holder), undefined)
      }
    }
  }, { fastCheck: { numRuns: 300 } })
})
