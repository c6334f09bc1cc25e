/**
 * Which of several requests takes the next step: all orders there are, or one that is drawn.
 */

/** Picks one of `ready` requests that can go on, by its place among them. */
export type Choose = (ready: number) => number

/**
 * Calls `run` once for every order there is, until it answers `false`. What it can choose from may depend on nothing but
 * what was chosen before. Answers how many orders there were.
 */
export const everyOrder = async (run: (choose: Choose) => Promise<boolean>): Promise<number> => {
  let begun: ReadonlyArray<number> = []
  for (let orders = 1;; orders++) {
    const picks: Array<number> = []
    const choices: Array<number> = []
    const isWell = await run((ready) => {
      const pick = begun[picks.length] ?? 0
      picks.push(pick)
      choices.push(ready)
      return pick
    })
    let last = picks.length - 1
    while (last >= 0 && picks[last]! + 1 === choices[last]) {
      last--
    }
    if (last < 0 || !isWell) {
      return orders
    }
    begun = [...picks.slice(0, last), picks[last]! + 1]
  }
}

/** The order that a list of drawn numbers stands for; what comes after its end is the first request's turn. */
export const drawnOrder = (drawn: ReadonlyArray<number>): Choose => {
  let step = 0
  return (ready) => (drawn[step++] ?? 0) % ready
}
