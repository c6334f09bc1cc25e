/**
 * The ids that were added lately: at least as many as a generation holds, at most twice as many.
 *
 * @internal
 */
export class RecentIds {
  private young = new Set<string>()
  private old: ReadonlySet<string> = new Set()

  constructor(private readonly generation: number) {}

  has(id: string): boolean {
    return this.young.has(id) || this.old.has(id)
  }

  add(id: string): void {
    if (this.young.size >= this.generation) {
      this.old = this.young
      this.young = new Set()
    }
    this.young.add(id)
  }
}
