import { assert, describe, it } from "@effect/vitest"
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "./packed.js"

interface Changeset {
  readonly id: string
  readonly summary: string
}

interface ReleasePlan {
  readonly changesets: ReadonlyArray<Changeset>
  readonly releases: ReadonlyArray<{ readonly name: string; readonly newVersion: string }>
}

// What `npx changeset version` goes by. The command itself asks git, which a shallow clone leaves without an answer.
const ofChangesets = createRequire(createRequire(import.meta.url).resolve("@changesets/cli/package.json"))
const { default: releasePlanOf } = ofChangesets("@changesets/get-release-plan") as {
  readonly default: (folder: string) => Promise<ReleasePlan>
}

const { name, version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
  readonly name: string
  readonly version: string
}

/** The plan of a checkout that is as this one, with these changesets and no other. */
const planWith = async (changesets: Readonly<Record<string, string>>): Promise<ReleasePlan> => {
  const folder = await mkdtemp(join(tmpdir(), "effect-session-changesets-"))
  try {
    for (const file of ["package.json", "package-lock.json", ".changeset/config.json", ".changeset/changelog.cjs"]) {
      await cp(join(root, file), join(folder, file))
    }
    await symlink(join(root, "node_modules"), join(folder, "node_modules"))
    for (const [id, text] of Object.entries(changesets)) {
      await writeFile(join(folder, ".changeset", `${id}.md`), text)
    }
    return await releasePlanOf(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe("the changesets", () => {
  it("that wait for a release name this package, and say in words what changed", async () => {
    const { changesets, releases } = await releasePlanOf(root)
    assert.deepStrictEqual(releases.filter((release) => release.name !== name), [])
    assert.deepStrictEqual(changesets.filter(({ summary }) => !/\w+ \w+/.test(summary)), [])
  })

  it("make the next version by the largest of them", async () => {
    const { releases } = await planWith({
      small: `---\n"${name}": patch\n---\n\nA mended thing.\n`,
      large: `---\n"${name}": minor\n---\n\nA new thing.\n`
    })
    const [major = "", minor = ""] = version.split(".")
    assert.deepStrictEqual(releases.map(({ newVersion }) => newVersion), [`${major}.${Number(minor) + 1}.0`])
  })

  it("are refused when they name another package", async () => {
    const refused = await planWith({ stray: `---\n"effect-sessions": minor\n---\n\nA new thing.\n` })
      .then(() => "nothing", String)
    assert.match(refused, /effect-sessions/)
  })

  it("become items of the changelog in their own words alone", async () => {
    const changelog = createRequire(import.meta.url)("../../.changeset/changelog.cjs") as {
      readonly getReleaseLine: (changeset: Changeset) => Promise<string>
    }
    assert.strictEqual(
      await changelog.getReleaseLine({ id: "new-thing", summary: "A new thing.\n\nMore of it,\nand more.\n" }),
      "- A new thing.\n\n  More of it,\n  and more."
    )
  })

  it("find their place above the versions that were, under the title of the changelog", async () => {
    // The tool puts a new version below the first line, whatever that line is.
    const [title, empty, newest = ""] = (await readFile(join(root, "CHANGELOG.md"), "utf8")).split("\n")
    assert.strictEqual(title, "# Changes")
    assert.strictEqual(empty, "")
    assert.strictEqual(newest, `## ${version}`)
  })
})
