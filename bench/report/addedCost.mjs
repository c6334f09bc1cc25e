/**
 * From rounds to what the session layer adds: each round against the round of the same app without sessions that was
 * taken beside it.
 */
import { appNames, loadApp } from "../apps/contract.mjs"
import { median, summarize } from "../rounds.mjs"

/**
 * @typedef {object} Added
 * @property {string} app whose server without sessions it is compared with
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
              app: name,
              variant,
              scenario: cell.scenario,
              bare: median(bare.micros),
              micros: summarize(cell.micros.map((value, round) => value - bare.micros[round])),
              share: median(cell.micros.map((value, round) => value / bare.micros[round])) - 1
            }
            : { app: name, variant, scenario: cell.scenario, error }
        )
      }
    }
  }
  return added
}

/** The results are older than the variant, or of a run without it. */
export class NotMeasured extends Error {}

/** @param {ReadonlyArray<Added>} added @param {string} variant @param {string} scenario */
export const find = (added, variant, scenario) => {
  const found = added.find((each) => each.variant.id === variant && each.scenario === scenario)
  if (found === undefined) {
    throw new NotMeasured("not measured")
  }
  if (found.error !== undefined) {
    throw new Error(`there is no figure for ${variant}, ${scenario}: ${found.error}`)
  }
  return found
}

const classes = [
  { title: "Memory", includes: ({ store }) => store === "memory" },
  { title: "Cookie, encrypted", includes: ({ seal }) => seal === "encrypted" },
  { title: "Cookie, signed", includes: ({ seal }) => seal === "signed" },
  { title: "Redis", includes: ({ store }) => store === "redis" },
  { title: "PostgreSQL", includes: ({ store }) => store === "postgres" },
  { title: "SQLite", includes: ({ store }) => store === "sqlite" }
]

/**
 * What can be compared: the same place for the state and, in a cookie, the same protection. Results may be older than a class.
 *
 * @param {ReadonlyArray<Added>} added
 */
export const classesOf = (added) => classes.filter(({ includes }) => added.some(({ variant }) => includes(variant)))

/**
 * The libraries that can be compared with effect-session in a scenario. Where nothing of one runs there is nothing to
 * compare.
 *
 * @param {ReadonlyArray<Added>} added
 * @param {(variant: import("../apps/contract.mjs").Variant) => boolean} includes
 * @param {import("../plan.mjs").Scenario} scenario
 */
export const peersOf = (added, includes, scenario) =>
  added.filter(({ error, scenario: id, variant }) =>
    error === undefined && id === scenario.id && includes(variant) && variant.isFloor !== true &&
    !variant.id.startsWith("effect-") && !(variant.isExplicit && scenario.path === "/plain")
  )

/** @param {ReadonlyArray<Added>} rows @returns {Added | undefined} the one that adds least, if there is any */
export const leastOf = (rows) => rows.toSorted((left, right) => left.micros.median - right.micros.median)[0]

/** The hand-written variant of a class in the given app. */
export const floorOf = (added, includes, scenario, app) =>
  added.find((row) =>
    row.app === app && row.variant.isFloor && includes(row.variant) && row.scenario === scenario.id &&
    row.error === undefined
  )

/**
 * What one adds as a multiple of what another adds, each over the bare server of its own platform. There is none where
 * either of them cannot be told from nothing.
 *
 * @param {Added | undefined} row
 * @param {Added | undefined} other
 */
export const ratioOf = (row, other) =>
  row?.micros?.low > 0 && other?.micros?.low > 0 ? row.micros.median / other.micros.median : undefined
