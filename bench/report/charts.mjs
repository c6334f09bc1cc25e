/**
 * The charts of the page.
 */
import * as Plot from "@observablehq/plot"
import { scenarios } from "../plan.mjs"
import { classesOf } from "./addedCost.mjs"
import { count, figure } from "./markdown.mjs"
import { addedBySize } from "./scaleSection.mjs"
import { drawSvg, palette } from "./svg.mjs"

const shown = scenarios.filter(({ id }) => id in palette)

const decades = [1, 10, 100, 1_000, 10_000]

const compact = new Intl.NumberFormat("en", { notation: "compact" })

// Where a figure is within the noise of nothing, a logarithm has no place for it.
const smallest = 0.5

/** Who adds how much, from the least to the most, in the classes that can be compared. */
export const addedCostChart = (added) => {
  const rows = []
  for (const { includes, title } of classesOf(added)) {
    const variants = Array.from(new Set(added.filter((row) => includes(row.variant)).map(({ variant }) => variant)))
    const writeOf = (variant) =>
      added.find((row) => row.variant === variant && row.scenario === "write")?.micros?.median ?? Infinity
    rows.push({ label: title, isHead: true })
    rows.push(
      ...variants.toSorted((left, right) => writeOf(left) - writeOf(right)).map((variant) => ({
        label: variant.title,
        isOurs: variant.id.startsWith("effect-"),
        variant
      }))
    )
  }
  const domain = rows.map((_, i) => i)
  const dots = rows.flatMap(({ variant }, y) =>
    variant === undefined ? [] : added
      .filter((row) => row.variant === variant && row.error === undefined && row.scenario in palette)
      .map(({ micros, scenario }) => ({
        y,
        scenario,
        value: Math.max(smallest, micros.median),
        low: Math.max(smallest, micros.low),
        high: Math.max(smallest, micros.high),
        text: figure(micros.median)
      }))
  )
  const labels = rows.map((row, y) => ({ ...row, y }))
  const left = 236
  return drawSvg(
    {
      title: "What sessions add to a request",
      subtitle:
        "Microseconds of CPU time over sockets, logarithmic; dots are medians, lines the middle half of the rounds",
      legend: shown.map(({ id, title }) => ({ title, color: palette[id] }))
    },
    {
      width: 860,
      height: rows.length * 24 + 44,
      marginLeft: left,
      marginRight: 64,
      marginTop: 8,
      x: { type: "log", label: null },
      y: { domain, axis: null, padding: 0 },
      marks: [
        Plot.gridX(decades, { stroke: "var(--line)", strokeOpacity: 1 }),
        Plot.axisX(decades, { tickSize: 0, label: null, color: "var(--faint)", tickFormat: (value) => count(value) }),
        Plot.ruleY(labels.filter(({ isHead }) => !isHead), { y: "y", stroke: "var(--line)", strokeDasharray: "1 3" }),
        Plot.ruleY(dots, {
          y: "y",
          x1: "low",
          x2: "high",
          stroke: ({ scenario }) => palette[scenario],
          strokeWidth: 2
        }),
        Plot.dot(dots, { y: "y", x: "value", r: 4.5, fill: ({ scenario }) => palette[scenario] }),
        Plot.text(dots.filter(({ scenario }) => scenario === "write"), {
          y: "y",
          x: ({ y }) => Math.max(...dots.filter((dot) => dot.y === y).map(({ high }) => high)),
          text: "text",
          textAnchor: "start",
          dx: 9,
          fill: "var(--orange)"
        }),
        ...[
          [labels.filter(({ isHead }) => isHead), { fontWeight: 600, fill: "var(--faint)", dx: -left }],
          [labels.filter(({ isHead, isOurs }) => !isHead && isOurs), {
            fontWeight: 700,
            fill: "var(--ink)",
            dx: 12 - left
          }],
          [labels.filter(({ isHead, isOurs }) => !isHead && !isOurs), { fill: "var(--ink)", dx: 12 - left }]
        ].map(([data, options]) =>
          Plot.text(data, { ...options, y: "y", text: "label", frameAnchor: "left", textAnchor: "start" })
        )
      ]
    }
  )
}

/** One, two and five of each decade, or the decades alone where there are many. */
const ticksOver = (values) => {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  const exponents = Array.from({ length: 8 }, (_, i) => 10 ** (i - 1))
  const ticks = high / low > 200 ? exponents : exponents.flatMap((power) => [power, 2 * power, 5 * power])
  const from = ticks.findLastIndex((tick) => tick <= low)
  const to = ticks.findIndex((tick) => tick >= high)
  return ticks.slice(Math.max(0, from), to === -1 ? undefined : to + 1)
}

const lines = ({ data, facets, legend, seriesOf, subtitle, title, xLabel, xTicks }) => {
  const yTicks = ticksOver(data.map(({ y }) => y))
  return drawSvg({ title, subtitle, legend }, {
    width: 860,
    height: 330,
    marginLeft: 48,
    marginRight: 56,
    marginTop: 40,
    marginBottom: 40,
    fx: { domain: facets, label: null, padding: 0.18, axis: null },
    x: { type: "log", label: null },
    y: { type: "log", label: null, domain: [yTicks[0], yTicks.at(-1)] },
    marks: [
      Plot.gridY(yTicks, { stroke: "var(--line)", strokeOpacity: 1 }),
      Plot.axisY(yTicks, { tickSize: 0, label: null, color: "var(--faint)", tickFormat: (value) => count(value) }),
      Plot.axisX(xTicks, {
        tickSize: 4,
        label: xLabel,
        labelAnchor: "center",
        color: "var(--faint)",
        tickFormat: (value) => compact.format(value)
      }),
      ...[undefined, "2 4"].map((strokeDasharray) =>
        Plot.line(data.filter(({ dash }) => dash === strokeDasharray), {
          fx: "facet",
          x: "x",
          y: "y",
          z: "series",
          stroke: seriesOf,
          strokeWidth: 2,
          strokeDasharray
        })
      ),
      Plot.dot(data, { fx: "facet", x: "x", y: "y", fill: seriesOf, r: 3.5 }),
      Plot.text(facets, {
        fx: (facet) => facet,
        text: (facet) => facet,
        frameAnchor: "top-left",
        dy: -26,
        fontWeight: 600,
        fill: "var(--ink)"
      })
    ]
  })
}

/** What the number of sessions does to an operation. */
export const scaleChart = ({ memory, redis }) => {
  const facets = ["Memory", "Redis: this process and Redis together"]
  const data = [
    ...memory.flatMap(({ load, sessions, update }) => [
      { facet: facets[0], x: sessions, y: load.median, series: "read" },
      { facet: facets[0], x: sessions, y: update.median, series: "write" }
    ]),
    ...redis.flatMap(({ load, sessions, update }) => [
      { facet: facets[1], x: sessions, y: load.own.median + load.redis.median, series: "read" },
      { facet: facets[1], x: sessions, y: update.own.median + update.redis.median, series: "write" }
    ])
  ]
  return lines({
    title: "An operation of the store, by the number of sessions",
    subtitle: "Microseconds of CPU time, logarithmic",
    legend: [{ title: "load", color: palette.read }, { title: "update", color: palette.write }],
    data,
    facets,
    seriesOf: ({ series }) => palette[series],
    xLabel: "sessions",
    xTicks: memory.map(({ sessions }) => sessions)
  })
}

const familyOf = (variant) => variant.slice(variant.indexOf("-") + 1)

/** What the size of the state does to a request. */
export const stateSizeChart = (cells) => {
  const facets = { memory: "Memory", private: "Cookie, encrypted", redis: "Redis" }
  const data = addedBySize(cells).map(({ micros, scenario, stateBytes, variant }) => ({
    facet: facets[familyOf(variant)],
    x: stateBytes,
    y: Math.max(smallest, micros.median),
    series: `${variant} ${scenario}`,
    isFloor: !variant.startsWith("effect-"),
    dash: variant.startsWith("hand-") ? "2 4" : undefined,
    scenario
  }))
  return lines({
    title: "What sessions add to a request, by the size of their state",
    subtitle: "Microseconds of CPU time in process, logarithmic; the floor is faint, that on Effect dotted",
    legend: [{ title: "read one value", color: palette.read }, { title: "read and write", color: palette.write }],
    data,
    facets: Object.values(facets),
    seriesOf: ({ isFloor, scenario }) =>
      isFloor ? `color-mix(in srgb, ${palette[scenario]} 40%, var(--back))` : palette[scenario],
    xLabel: "bytes of JSON",
    xTicks: [100, 1_000, 10_000]
  })
}
