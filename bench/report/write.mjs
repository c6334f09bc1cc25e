/**
 * From results to the page: tables and charts between its markers, nothing of it typed by hand.
 */
import { spawnSync } from "node:child_process"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { appNames, loadApp } from "../apps/contract.mjs"
import { addedCosts } from "./addedCost.mjs"
import { addedCostChart, scaleChart, stateSizeChart } from "./charts.mjs"
import { fill } from "./markdown.mjs"
import { resultsSection } from "./resultsSection.mjs"
import { scaleSection } from "./scaleSection.mjs"

const root = new URL("../../", import.meta.url)
const template = new URL("docs/performance.md", root)

/** Where results and page go. A quick pass is for development and leaves the real ones alone. @param {boolean} isQuick */
export const placesOf = (isQuick) =>
  isQuick
    ? {
      results: new URL("bench/.quick/results/", root),
      page: new URL("bench/.quick/performance.md", root),
      charts: new URL("bench/.quick/performance/", root)
    }
    : { results: new URL("bench/results/", root), page: template, charts: new URL("docs/performance/", root) }

/** @param {URL} folder @param {Record<string, unknown>} results */
export const writeResults = (folder, results) => {
  mkdirSync(folder, { recursive: true })
  for (const [name, value] of Object.entries(results)) {
    writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(value, roundNumber, 1)}\n`)
  }
}

// Nobody needs the sixth digit of a noisy figure, and the files are kept.
const roundNumber = (_key, value) => typeof value === "number" ? Number(value.toPrecision(5)) : value

/** @param {URL} folder */
const readResults = (folder) =>
  Object.fromEntries(
    readdirSync(folder).filter((file) => file.endsWith(".json")).map((file) => [
      file.slice(0, -".json".length),
      JSON.parse(readFileSync(new URL(file, folder), "utf8"))
    ])
  )

const format = (file) => {
  const { status } = spawnSync(
    fileURLToPath(new URL("node_modules/.bin/dprint", root)),
    ["fmt", "--allow-no-files", fileURLToPath(file)],
    { cwd: fileURLToPath(root), stdio: "inherit" }
  )
  if (status !== 0) {
    throw new Error("dprint could not format the page")
  }
}

/** @param {boolean} isQuick */
export const writePage = async (isQuick) => {
  const places = placesOf(isQuick)
  const stored = readResults(places.results)
  const results = {
    ...stored,
    sockets: await addedCosts(stored.sockets),
    inProcess: await addedCosts(stored["in-process"]),
    commands: stored["redis-commands"],
    statements: stored["sql-statements"],
    bySize: stored["state-size"]
  }
  const apps = await Promise.all(appNames.map(loadApp))
  const titles = new Map(apps.flatMap(({ variants }) => variants.map(({ id, title }) => [id, title])))
  const charts = {
    addedCost: {
      alt: "What sessions add to a request, by library",
      file: "performance/added-cost.svg",
      svg: addedCostChart(results.sockets)
    },
    scale: {
      alt: "Cost of an operation by the number of sessions",
      file: "performance/scale.svg",
      svg: scaleChart(results.scale)
    },
    stateSize: {
      alt: "What sessions add to a request by the size of their state",
      file: "performance/state-size.svg",
      svg: stateSizeChart(results.bySize)
    }
  }
  mkdirSync(places.charts, { recursive: true })
  for (const { file, svg } of Object.values(charts)) {
    writeFileSync(new URL(file.slice("performance/".length), places.charts), svg)
  }
  const page = readFileSync(template, "utf8")
  const withResults = fill(page, "results", await resultsSection(results, charts))
  writeFileSync(places.page, fill(withResults, "scale", scaleSection(results, charts, titles)))
  if (!isQuick) {
    format(places.page)
  }
}
