/**
 * Chance that can be had again: a small generator of pseudo-random numbers whose seed stands in the message of every
 * failure. Much faster than fast-check, which counts where a suite wants a million inputs.
 */

export interface Random {
  readonly seed: number
  /** A whole number of at least 0 and less than `limit`. */
  readonly below: (limit: number) => number
  /** True once in `n` times. */
  readonly oneIn: (n: number) => boolean
  readonly pick: <A>(items: ReadonlyArray<A>) => A
  readonly bytes: (length: number) => Buffer
}

/** The seed of a run: `FUZZ_SEED`, or a new one where the suite soaks, or always the same one. */
export const seedOfRun = (): number => {
  const given = Number(process.env["FUZZ_SEED"])
  return Number.isSafeInteger(given) && given > 0 ? given : process.env["SOAK"] === "1" ? Date.now() % 2 ** 31 : 20_260
}

export const makeRandom = (seed: number = seedOfRun()): Random => {
  let state = seed >>> 0
  // mulberry32: 32 bits of state, and every bit of its output is good enough to build inputs from.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const below = (limit: number): number => next() % limit
  return {
    seed,
    below,
    oneIn: (n) => below(n) === 0,
    pick: (items) => items[below(items.length)]!,
    bytes: (length) => {
      const bytes = Buffer.alloc(length)
      for (let i = 0; i < length; i++) {
        bytes[i] = next()
      }
      return bytes
    }
  }
}
