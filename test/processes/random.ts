/** Random numbers that a seed repeats (mulberry32). */
export interface Random {
  /** A whole number from 0 to `below - 1`. */
  readonly whole: (below: number) => number
  readonly isLikely: (probability: number) => boolean
  readonly pick: <A>(weighted: ReadonlyArray<readonly [weight: number, value: A]>) => A
}

export const makeRandom = (seed: number): Random => {
  let state = seed >>> 0
  const next = (): number => {
    state = state + 0x6d2b79f5 >>> 0
    let mixed = Math.imul(state ^ state >>> 15, state | 1)
    mixed = mixed + Math.imul(mixed ^ mixed >>> 7, mixed | 61) ^ mixed
    return ((mixed ^ mixed >>> 14) >>> 0) / 2 ** 32
  }
  return {
    whole: (below) => Math.floor(next() * below),
    isLikely: (probability) => next() < probability,
    pick: (weighted) => {
      let left = next() * weighted.reduce((sum, [weight]) => sum + weight, 0)
      for (const [weight, value] of weighted) {
        left -= weight
        if (left < 0) {
          return value
        }
      }
      return weighted[weighted.length - 1]![1]
    }
  }
}
