/**
 * Lists of numbered slots, each linked to the next and the last to the first. The links lie in two arrays of integers:
 * eight bytes a slot, nothing to allocate and nothing to collect, whatever the lists do.
 *
 * A list is known by its first slot, `undefined` when it is empty. A slot is in one list at a time.
 *
 * @internal
 */

/** @internal */
export class SlotRings {
  private readonly next: Uint32Array
  private readonly previous: Uint32Array

  constructor(slots: number) {
    this.next = new Uint32Array(slots)
    this.previous = new Uint32Array(slots)
  }

  /** Puts a slot at the end of the list that starts with `first`, and answers what it starts with then. */
  append(first: number | undefined, slot: number): number {
    if (first === undefined) {
      this.link(slot, slot)
      return slot
    }
    this.link(this.previous[first]!, slot)
    this.link(slot, first)
    return first
  }

  /** Takes a slot out of the list that starts with `first`, and answers what it starts with then. */
  remove(first: number | undefined, slot: number): number | undefined {
    const next = this.next[slot]!
    if (next === slot) {
      return undefined
    }
    this.link(this.previous[slot]!, next)
    return slot === first ? next : first
  }

  private link(from: number, to: number): void {
    this.next[from] = to
    this.previous[to] = from
  }
}
