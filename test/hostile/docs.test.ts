/**
 * docs/security.md names a test for each of its claims: they are all there, under those titles, and no row of the
 * standard is left out.
 */
import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import { cookies } from "../advisories/cookies.js"
import { fixation } from "../advisories/fixation.js"
import { injection } from "../advisories/injection.js"
import { isolation } from "../advisories/isolation.js"
import { noAdvisory } from "../advisories/noAdvisory.js"
import { secrets } from "../advisories/secrets.js"
import { sessionLife } from "../advisories/sessionLife.js"
import { storeAbuse } from "../advisories/storeAbuse.js"

const root = new URL("../../", import.meta.url)
const textOf = (path: string): string => readFileSync(new URL(path, root), "utf8")

const document = textOf("docs/security.md")

const rowsOf = (heading: string): ReadonlyArray<ReadonlyArray<string>> => {
  const section = document.split(/^###? /m).find((part) => part.startsWith(`${heading}\n`))
  assert(section !== undefined, `there is no section ${heading}`)
  return section.split("\n")
    .filter((line) => line.startsWith("|"))
    .slice(2)
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
}

const range = (chapter: string, count: number): ReadonlyArray<string> =>
  Array.from({ length: count }, (_, index) => `${chapter}.${index + 1}`)

const sections: { readonly [heading: string]: ReadonlyArray<string> } = {
  "V7 Session management": [
    ...range("7.1", 3),
    ...range("7.2", 4),
    ...range("7.3", 2),
    ...range("7.4", 5),
    ...range("7.5", 3),
    ...range("7.6", 2)
  ],
  "V3.3 Cookies": range("3.3", 5),
  "V3.5 Browser origin separation": range("3.5", 3),
  "V9 Self-contained tokens": [...range("9.1", 3), ...range("9.2", 4)],
  "Others that bind a session library": [
    ...["11.1.1–11.1.4", "11.2.2", "11.2.4", "11.2.5", "11.3.1–11.3.5", "11.5.1", "14.2.1", "14.3.1", "14.3.2"],
    ...["16.2.5", "16.3.1–16.3.4", "16.5.1", "16.5.2", "16.5.3"]
  ]
}

const rows = Object.keys(sections).flatMap(rowsOf)

/** Titles that stand in no file as they are, because a table makes them. */
const titlesOfAdvisories = new Set(
  [sessionLife, fixation, storeAbuse, secrets, injection, isolation, cookies, noAdvisory].flatMap((advisories) =>
    advisories.map(({ holds, id }) => `${id}: ${holds}`)
  )
)

const hasTest = (file: string, title: string): boolean =>
  file === "test/advisories/advisories.test.ts" ? titlesOfAdvisories.has(title) : textOf(file).includes(`"${title}"`)

describe("docs/security.md", () => {
  it("has a row for every requirement on sessions, and each row says who does what", () => {
    for (const [heading, numbers] of Object.entries(sections)) {
      assert.deepStrictEqual(rowsOf(heading).map(([number]) => number), [...numbers])
    }
    for (const row of rows) {
      assert.strictEqual(row.length, 5, row.join(" | "))
      assert.match(row[1]!, /^[123](–[123])?$/)
      assert.isAbove(row[2]!.length, 10, row[0])
    }
  })

  it("names tests that exist, at least one for each row", () => {
    let named = 0
    for (const [number, , , , tests] of rows) {
      const entries = tests!.split("<br>")
      for (const entry of entries) {
        const [, file, title] = /^`(test\/[^`]+\.test\.ts)`: (.+)$/.exec(entry.trim()) ?? []
        assert(file !== undefined && title !== undefined, `${number!}: ${entry}`)
        assert.isTrue(existsSync(new URL(file, root)), file)
        assert.isTrue(hasTest(file, title), `${number!}: there is no test called "${title}" in ${file}`)
        named++
      }
    }
    assert.isAbove(named, rows.length)
  })

  it("has a place for the figures of the long run", () => {
    assert.match(document, /<!-- figures -->[^]+<!-- \/figures -->/)
  })

  it("leads nowhere that is not there", () => {
    for (const page of ["docs/security.md", "SECURITY.md"]) {
      for (const [, target] of textOf(page).matchAll(/\]\(([^)]+)\)/g)) {
        const [path, anchor] = target!.split("#") as [string, string | undefined]
        const file = path === "" ? new URL(page, root) : new URL(path, new URL(page, root))
        assert.isTrue(existsSync(file), `${page}: ${target!}`)
        if (anchor !== undefined) {
          const headings = readFileSync(file, "utf8").split("\n")
            .filter((line) => line.startsWith("#"))
            .map((line) => line.replace(/^#+ /, "").toLowerCase().replace(/[^a-z0-9 -]/g, "").replaceAll(" ", "-"))
          assert.include(headings, anchor, `${page}: ${target!}`)
        }
      }
    }
  })
})
