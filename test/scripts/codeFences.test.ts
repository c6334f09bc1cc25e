import { assert, describe, it } from "@effect/vitest"
import { fencesOfMarkdown, fencesOfSource } from "../../scripts/codeFences.mjs"

const lines = (...text: ReadonlyArray<string>): string => text.join("\n")

describe("code fences of Markdown", () => {
  it("finds the ts fences and where their code stands", () => {
    const { complaints, fences } = fencesOfMarkdown(
      lines("# A", "```ts", "one()", "two()", "```", "```sh", "ls", "```")
    )
    assert.deepStrictEqual(fences, [{ line: 3, column: 0, code: ["one()", "two()"] }])
    assert.deepStrictEqual(complaints, [])
  })

  it("takes the indentation of a list off the code", () => {
    const { fences } = fencesOfMarkdown(lines("- item", "  ```ts", "  if (a) {", "    b()", "  }", "  ```"))
    assert.deepStrictEqual(fences, [{ line: 3, column: 2, code: ["if (a) {", "  b()", "}"] }])
  })

  it("takes a fence inside a longer fence for text", () => {
    const { fences } = fencesOfMarkdown(lines("````md", "```ts", "broken(", "```", "````"))
    assert.deepStrictEqual(fences, [])
  })

  for (const info of ["ts no-check", "ts title=\"x\"", "TS", "typescript", "tsx", "js", "javascript"]) {
    it(`refuses \`\`\`${info}, which would escape the compiler`, () => {
      const { complaints, fences } = fencesOfMarkdown(lines("", "```" + info, "x", "```"))
      assert.deepStrictEqual(complaints.map(({ line }) => line), [2])
      assert.deepStrictEqual(fences, [])
    })
  }

  it("refuses a fence that is never closed", () => {
    assert.deepStrictEqual(fencesOfMarkdown(lines("```ts", "x")).complaints.map(({ line }) => line), [1])
  })
})

describe("code fences of a source file", () => {
  it("finds the examples of its comments, indented ones too", () => {
    const { complaints, fences } = fencesOfSource(lines(
      "/**",
      " * @example",
      " * ```ts",
      " * first()",
      " * ```",
      " */",
      "class A {",
      "  /**",
      "   * ```ts",
      "   *   second()",
      "   * ```",
      "   */",
      "  b = 1",
      "}"
    ))
    assert.deepStrictEqual(fences, [
      { line: 4, column: 3, code: ["first()"] },
      { line: 10, column: 5, code: ["  second()"] }
    ])
    assert.deepStrictEqual(complaints, [])
  })

  it("leaves strings and templates that look like comments alone", () => {
    const { complaints, fences } = fencesOfSource("const a = `\n/**\n * ```ts\n * x(\n * ```\n */`")
    assert.deepStrictEqual({ complaints, fences }, { complaints: [], fences: [] })
  })

  it("refuses an @example without a ts fence", () => {
    const source = lines("/**", " * @example", " * call()", " *", " * @since 0.1.0", " */", "export {}")
    assert.deepStrictEqual(fencesOfSource(source).complaints.map(({ line }) => line), [2])
  })

  it("does not let one fence serve two @example tags", () => {
    const source = lines("/**", " * @example", " * call()", " * @example", " * ```ts", " * x()", " * ```", " */")
    assert.deepStrictEqual(fencesOfSource(source).complaints.map(({ line }) => line), [2])
  })
})
