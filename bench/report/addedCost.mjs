/**
 * From rounds to what the session layer adds: each round against the round of the same app without sessions that was
 * taken beside it.
 */
import { appNames, loadApp } from "../apps/contract.mjs"
import { median, summarize } from "../rounds.mjs"

/**
 * @typedef {object} Added
 * @property {import("../apps/contract.mjs").Variant} variant
 * @property {string} scenario
 * @property {string} [error]
 * @property {number} bare microseconds of CPU a request without sessions
 * @property {{ median: number, low: number, high: number }} micros what sessions add to that
 * @property {number} share the same as a share of the bare request
 */

/** @param {ReadonlyArray<{ variant: string, scenario: string, micros?: Array<number>, error?: string }>} cells */
export const addedCosts = async (cells) => {
  const added = []
  for (const name of appNames) {
    const { variants } = await loadApp(name)
    const bareVariant = variants.find(({ store }) => store === "none")
    for (const variant of variants.filter(({ store }) => store !== "none")) {
      for (const cell of cells.filter((cell) => cell.variant === variant.id)) {
        const bare = cells.find(({ scenario, variant }) => variant === bareVariant.id && scenario === cell.scenario)
        const error = cell.error ?? bare?.error
        added.push(
          error === undefined
            ? {
              variant,
              scenario: cell.scenario,
              bare: median(bare.micros),
              micros: summarize(cell.micros.map((value, round) => value - bare.micros[round])),
              share: median(cell.micros.map((value, round) => value / bare.micros[round])) - 1
            }
            : { variant, scenario: cell.scenario, error }
        )
      }
    }
  }
  return added
}

/** @param {ReadonlyArray<Added>} added @param {string} variant @param {string} scenario */
export const find = (added, variant, scenario) => {
  const found = added.find((each) => each.variant.id === variant && each.scenario === scenario)
  if (found === undefined || found.error !== undefined) {
    throw new Error(`there is no figure for ${variant}, ${scenario}: ${found?.error ?? "it was not measured"}`)
  }
  return found
}

/** What can be compared: the same place for the state and, in a cookie, the same protection. */
export const classes = [
  { title: "Memory", includes: ({ store }) => store === "memory" },
  { title: "Cookie, encrypted", includes: ({ seal }) => seal === "encrypted" },
  { title: "Cookie, signed", includes: ({ seal }) => seal === "signed" },
  { title: "Redis", includes: ({ store }) => store === "redis" }
]
