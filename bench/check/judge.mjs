/**
 * Figures against their bounds.
 */

/** Three digits of a figure. @param {number} value */
export const rounded = (value) => Number(value.toPrecision(3))

/**
 * A line for each figure that is over its bound, has none, or was not measured. None: the gate is open.
 *
 * @param {ReadonlyMap<string, number>} figures
 * @param {ReadonlyMap<string, number>} bounds
 * @returns {ReadonlyArray<string>}
 */
export const problemsOf = (figures, bounds) => {
  const problems = []
  for (const [figure, value] of figures) {
    const bound = bounds.get(figure)
    if (bound === undefined) {
      problems.push(`${figure}: it has no bound in bounds.json; its value is ${rounded(value)}`)
    } else if (!(value <= bound)) {
      problems.push(`${figure}: its bound is ${bound}, its value ${rounded(value)}`)
    }
  }
  for (const figure of bounds.keys()) {
    if (!figures.has(figure)) {
      problems.push(`${figure}: it has a bound in bounds.json and was not measured`)
    }
  }
  return problems
}
