import { assert, describe, it } from "@effect/vitest"
import { undocumentedExports } from "../../scripts/documentedExports.mjs"

const module = (...statements: ReadonlyArray<string>): string =>
  ["/**\n * A module.\n *\n * @since 0.1.0\n */", ...statements].join("\n\n")

const complaintsOf = (...statements: ReadonlyArray<string>): ReadonlyArray<string> =>
  undocumentedExports(module(...statements)).map(({ line, message, name }) => `${line} ${name} ${message}`)

const full = "/**\n * Says what it is.\n *\n * @since 0.1.0\n * @category models\n */"

describe("the documentation of exports", () => {
  it("is content with a description, a version and a category", () => {
    const declarations = [
      "export const a = 1",
      "export type A = 1",
      "export interface I {}",
      "export class C {}",
      "export function f() {}"
    ]
    assert.deepStrictEqual(complaintsOf(...declarations.map((declaration) => `${full}\n${declaration}`)), [])
  })

  it("names each export that lacks part of it, and says which", () => {
    assert.deepStrictEqual(
      complaintsOf(
        "/**\n * @since 0.1.0\n * @category models\n */\nexport const described = 1",
        "/** Is there. @category models */\nexport interface Versioned {}",
        "/**\n * Is there.\n *\n * @since 0.1.0\n */\nexport class Sorted {}",
        "/**\n * Is there.\n *\n * @since soon\n * @category models\n */\nexport type Late = 1",
        "export function nothing() {}"
      ).map((complaint) => complaint.replace(/^\d+ /, "")),
      [
        "described lacks a description",
        "Versioned lacks @since with a version",
        "Sorted lacks @category",
        "Late lacks @since with a version",
        "nothing lacks a description and @since with a version and @category"
      ]
    )
  })

  it("stands at the name itself where an export comes from another file", () => {
    const above = `${full}\nexport type { A } from "./a.js"`
    assert.deepStrictEqual(complaintsOf(above), [
      "13 A lacks a description and @since with a version and @category"
    ])
    assert.deepStrictEqual(complaintsOf(`export type {\n${full}\nA\n} from "./a.js"`), [])
  })

  it("cannot be read off a pattern", () => {
    assert.deepStrictEqual(complaintsOf(`${full}\nexport const { a, b } = c`), [
      "13 a, b is a pattern: declare each name by itself"
    ])
  })

  it("is not asked of what is internal, or not exported, or a module that documents itself", () => {
    assert.deepStrictEqual(
      complaintsOf(
        "const hidden = 1",
        "/** @internal */\nexport const internal = 1",
        "/**\n * @since 0.1.0\n */\nexport * as A from \"./A.js\""
      ),
      []
    )
  })

  it("is asked of the module, in the first comment of its file", () => {
    assert.deepStrictEqual(
      undocumentedExports(`/**\n * @since 0.1.0\n */\n\n${full}\nexport const a = 1\n`),
      [{ line: 1, name: "the module", message: "lacks a description" }]
    )
  })
})
