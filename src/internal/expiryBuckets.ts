/**
 * Which slots fall due when, by buckets of time, so that expired records can go a few at a time without anybody asking
 * for them, without a timer, and without a scan.
 *
 * @internal
 */
import { SlotRings } from "./slotRings.js"

const bucketMillis = 1_000

// What four bytes can hold: a slot that falls due after 2106 waits there.
const lastBucket = 2 ** 32 - 1

const bucketOf = (at: number): number => Math.min(Math.ceil(at / bucketMillis), lastBucket)

/** @internal */
export class ExpiryBuckets {
  /** The first slot of each bucket that has any. */
  private readonly firsts = new Map<number, number>()
  private readonly buckets: Uint32Array
  private readonly rings: SlotRings
  private swept = -1

  constructor(slots: number) {
    this.buckets = new Uint32Array(slots)
    this.rings = new SlotRings(slots)
  }

  /** Files a slot under the time it falls due. */
  add(slot: number, at: number): void {
    const bucket = Math.max(bucketOf(at), this.swept + 1)
    this.buckets[slot] = bucket
    const first = this.firsts.get(bucket)
    if (first === undefined) {
      this.firsts.set(bucket, this.rings.append(first, slot))
    } else {
      this.rings.append(first, slot)
    }
  }

  /** Takes out a slot that was filed. */
  remove(slot: number): void {
    const bucket = this.buckets[slot]!
    const before = this.firsts.get(bucket)
    const first = this.rings.remove(before, slot)
    if (first === undefined) {
      this.firsts.delete(bucket)
    } else if (first !== before) {
      this.firsts.set(bucket, first)
    }
  }

  /** Takes out at most `limit` slots whose buckets have passed. */
  take(now: number, limit: number): ReadonlyArray<number> {
    const current = Math.floor(now / bucketMillis)
    if (current <= this.swept) {
      return noSlots
    }
    const taken: Array<number> = []
    for (const bucket of this.passed(current)) {
      for (let slot = this.firsts.get(bucket); slot !== undefined; slot = this.firsts.get(bucket)) {
        if (taken.length === limit) {
          return taken
        }
        taken.push(slot)
        this.remove(slot)
      }
    }
    this.swept = current
    return taken
  }

  // After a long pause there are more seconds to walk through than buckets to look at.
  private passed(current: number): ReadonlyArray<number> {
    if (current - this.swept > this.firsts.size) {
      return Array.from(this.firsts.keys()).filter((bucket) => bucket <= current)
    }
    const passed: Array<number> = []
    for (let bucket = this.swept + 1; bucket <= current; bucket++) {
      if (this.firsts.has(bucket)) {
        passed.push(bucket)
      }
    }
    return passed
  }
}

const noSlots: ReadonlyArray<number> = []
