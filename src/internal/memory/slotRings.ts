/**
 * Lists of numbered slots, each linked to the next and the last to the first. The links lie in an array of integers:
 * eight bytes a slot, nothing to allocate and nothing to collect, whatever the lists do.
 *
 * A list is known by its first slot, `undefined` when it is empty. A slot is in one list at a time.
 *
 * @internal
 */

/** @internal */
export class SlotRings {
  /** Of each slot the next and the previous one, side by side, since who needs one needs the other. */
  private readonly links: Uint32Array

  constructor(slots: number) {
    this.links = new Uint32Array(2 * slots)
  }

  /** Puts a slot at the end of the list that starts with `first`, and answers what it starts with then. */
  append(first: number | undefined, slot: number): number {
    if (first === undefined) {
      this.link(slot, slot)
      return slot
    }
    this.link(this.previous(first), slot)
    this.link(slot, first)
    return first
  }

  /** Takes a slot out of the list that starts with `first`, and answers what it starts with then. */
  remove(first: number | undefined, slot: number): number | undefined {
    const next = this.next(slot)
    if (next === slot) {
      return undefined
    }
    this.link(this.previous(slot), next)
    return slot === first ? next : first
  }

  private next(slot: number): number {
    return this.links[2 * slot]!
  }

  private previous(slot: number): number {
    return this.links[2 * slot + 1]!
  }

  private link(from: number, to: number): void {
    this.links[2 * from] = to
    this.links[2 * to + 1] = from
  }
}
