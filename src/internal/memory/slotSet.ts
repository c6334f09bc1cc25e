/**
 * A set of numbered slots that knows its size: one bit a slot.
 *
 * @internal
 */

/** @internal */
export class SlotSet {
  size = 0
  private readonly bits: Uint8Array

  constructor(slots: number) {
    this.bits = new Uint8Array(Math.ceil(slots / 8))
  }

  has(slot: number): boolean {
    return (this.bits[slot >> 3]! & (1 << (slot & 7))) !== 0
  }

  /** Puts in a slot that is not there. */
  add(slot: number): void {
    this.bits[slot >> 3]! |= 1 << (slot & 7)
    this.size++
  }

  /** Takes out a slot that is there. */
  delete(slot: number): void {
    this.bits[slot >> 3]! &= ~(1 << (slot & 7))
    this.size--
  }
}
