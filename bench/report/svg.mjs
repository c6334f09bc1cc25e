/**
 * Draws a plot as an SVG file that carries its own background, and so is readable on a light page and a dark one.
 */
import * as Plot from "@observablehq/plot"
import { parseHTML } from "linkedom"

/** Blue for what one reads, orange for what one writes, grey for what one leaves alone: told apart by all eyes. */
export const palette = { untouched: "var(--quiet)", read: "var(--blue)", write: "var(--orange)" }

const style = `
  svg { --back: #ffffff; --edge: #d0d7de; --ink: #1f2328; --faint: #6e7781; --line: #d8dee4;
    --quiet: #8c959f; --blue: #0969da; --orange: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    svg { --back: #161b22; --edge: #30363d; --ink: #e6edf3; --faint: #9198a1; --line: #30363d;
      --quiet: #7d8590; --blue: #58a6ff; --orange: #f0883e; }
  }
  text { font-family: system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; }
`

const margin = 20
const headHeight = 64

const escapeText = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

const legendMarks = (legend, width) => {
  let x = width - margin
  return legend.toReversed().map(({ color, title }) => {
    // About what a letter takes at this size.
    x -= title.length * 6.6 + 26
    return `<circle cx="${x + 6}" cy="30" r="5" fill="${color}"/>` +
      `<text x="${x + 16}" y="34" font-size="12" fill="var(--ink)">${escapeText(title)}</text>`
  }).join("")
}

/**
 * @param {{ title: string, subtitle: string, legend: ReadonlyArray<{ title: string, color: string }> }} frame
 * @param {import("@observablehq/plot").PlotOptions} options
 * @returns {string}
 */
export const drawSvg = ({ legend, subtitle, title }, options) => {
  const { document } = parseHTML("<!doctype html><html><body></body></html>")
  const plot = Plot.plot({
    ...options,
    document,
    style: { color: "var(--ink)", background: "none", fontSize: "12px" },
    className: "plot"
  })
  const [width, height] = ["width", "height"].map((name) => Number(plot.getAttribute(name)))
  plot.setAttribute("x", String(margin))
  plot.setAttribute("y", String(headHeight))
  // Its rules are for a page; here they would reach outside.
  plot.querySelector("style")?.remove()
  plot.setAttribute("overflow", "visible")
  const [fullWidth, fullHeight] = [width + 2 * margin, height + headHeight + margin]
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${fullWidth}" height="${fullHeight}" `,
    `viewBox="0 0 ${fullWidth} ${fullHeight}" role="img" aria-label="${escapeText(title)}">`,
    `<style>${style}</style>`,
    `<rect x="0.5" y="0.5" width="${fullWidth - 1}" height="${
      fullHeight - 1
    }" rx="8" fill="var(--back)" stroke="var(--edge)"/>`,
    `<text x="${margin}" y="32" font-size="16" font-weight="600" fill="var(--ink)">${escapeText(title)}</text>`,
    `<text x="${margin}" y="51" font-size="12" fill="var(--faint)">${escapeText(subtitle)}</text>`,
    legendMarks(legend, fullWidth),
    plot.outerHTML.replaceAll("&nbsp;", "\u00a0"),
    "</svg>\n"
  ].join("")
}
