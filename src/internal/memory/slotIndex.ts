/**
 * Which slot has an id: a hash table of slot numbers that has its full size from the beginning. A `Map` moves all its
 * entries whenever it grows or shrinks, and nobody is served while a million of them move.
 *
 * Ids are drawn at random, and nobody else has a say in which of them are entered, so that a few of their characters
 * spread them well.
 *
 * @internal
 */
import type { SessionId } from "../../SessionKey.js"

// Beyond these, more characters tell no more than 32 bits can hold.
const hashedCharacters = 8

const hash = (id: string): number => {
  let bits = 0
  for (let i = 0; i < hashedCharacters; i++) {
    bits = Math.imul(bits, 31) + id.charCodeAt(i)
  }
  // What differs in the upper bits has to show in the lower ones, which choose the bucket.
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d)
  return bits ^ (bits >>> 12)
}

const none = -1

/** @internal */
export class SlotIndex {
  private readonly ids: Array<SessionId | undefined>
  /** The first slot of each bucket. There are twice as many as slots, or more, so that most have one or none. */
  private readonly firsts: Int32Array
  /** The slot behind each slot in its bucket. */
  private readonly next: Int32Array
  private readonly mask: number

  constructor(slots: number) {
    const buckets = 2 ** Math.ceil(Math.log2(2 * slots))
    this.ids = new Array<SessionId | undefined>(slots)
    this.firsts = new Int32Array(buckets).fill(none)
    this.next = new Int32Array(slots)
    this.mask = buckets - 1
  }

  slotOf(id: SessionId): number | undefined {
    let slot = this.firsts[hash(id) & this.mask]!
    while (slot !== none && this.ids[slot] !== id) {
      slot = this.next[slot]!
    }
    return slot === none ? undefined : slot
  }

  idOf(slot: number): SessionId {
    return this.ids[slot]!
  }

  /** Enters an id that is not there. */
  add(id: SessionId, slot: number): void {
    const bucket = hash(id) & this.mask
    this.ids[slot] = id
    this.next[slot] = this.firsts[bucket]!
    this.firsts[bucket] = slot
  }

  remove(slot: number): void {
    const bucket = hash(this.idOf(slot)) & this.mask
    const after = this.next[slot]!
    if (this.firsts[bucket] === slot) {
      this.firsts[bucket] = after
    } else {
      let before = this.firsts[bucket]!
      while (this.next[before] !== slot) {
        before = this.next[before]!
      }
      this.next[before] = after
    }
    this.ids[slot] = undefined
  }
}
