/**
 * Rounds and what is said about them. Every round visits all variants, each time beginning with another one, so that what
 * drifts on the machine drifts for all of them.
 */

/** @template A @param {ReadonlyArray<A>} list @param {number} round @returns {ReadonlyArray<A>} */
export const rotated = (list, round) => list.map((_, i) => list[(i + round) % list.length])

/** @param {ReadonlyArray<number>} values @param {number} share */
export const quantile = (values, share) => {
  const sorted = values.toSorted((left, right) => left - right)
  const position = (sorted.length - 1) * share
  const low = sorted[Math.floor(position)]
  return low + (sorted[Math.ceil(position)] - low) * (position - Math.floor(position))
}

/** @param {ReadonlyArray<number>} values */
export const median = (values) => quantile(values, 0.5)

/**
 * The median and the middle half.
 *
 * @param {ReadonlyArray<number>} values
 */
export const summarize = (values) => ({
  median: median(values),
  low: quantile(values, 0.25),
  high: quantile(values, 0.75)
})
