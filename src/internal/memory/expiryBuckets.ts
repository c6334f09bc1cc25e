/**
 * Which slots fall due when, by buckets of time, so that expired records can go a few at a time without anybody asking
 * for them, without a timer, and without a scan. To find what is due costs what is found, also after a pause in which
 * everything fell due.
 *
 * @internal
 */
import { BucketHeap } from "./bucketHeap.js"
import { SlotRings } from "./slotRings.js"

const bucketMillis = 1_000

// What four bytes can hold: a slot that falls due after 2106 waits there.
const lastBucket = 2 ** 32 - 1

const bucketOf = (at: number): number => Math.min(Math.max(Math.ceil(at / bucketMillis), 0), lastBucket)

/** @internal */
export class ExpiryBuckets {
  private readonly filled = new BucketHeap()
  private readonly buckets: Uint32Array
  private readonly rings: SlotRings

  constructor(slots: number) {
    this.buckets = new Uint32Array(slots)
    this.rings = new SlotRings(slots)
  }

  /** Files a slot under the time it falls due. */
  add(slot: number, at: number): void {
    const bucket = bucketOf(at)
    this.buckets[slot] = bucket
    const before = this.filled.firstOf(bucket)
    const first = this.rings.append(before, slot)
    if (first !== before) {
      this.filled.set(bucket, first)
    }
  }

  /** Takes out a slot that was filed. */
  remove(slot: number): void {
    const bucket = this.buckets[slot]!
    const before = this.filled.firstOf(bucket)
    const first = this.rings.remove(before, slot)
    if (first !== before) {
      this.filled.set(bucket, first)
    }
  }

  /** Takes out at most `limit` slots whose buckets have passed, those of the earliest first. */
  take(now: number, limit: number): ReadonlyArray<number> {
    const current = Math.floor(now / bucketMillis)
    let bucket = this.filled.lowest()
    if (bucket === undefined || bucket > current) {
      return noSlots
    }
    const taken: Array<number> = []
    while (bucket !== undefined && bucket <= current && taken.length < limit) {
      const slot = this.filled.firstOf(bucket)!
      taken.push(slot)
      this.remove(slot)
      bucket = this.filled.lowest()
    }
    return taken
  }
}

const noSlots: ReadonlyArray<number> = []
