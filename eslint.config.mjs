import { defineConfig } from "eslint/config"
import tseslint from "typescript-eslint"

const barrels = ["effect", "@effect/platform", "@effect/platform-node"]

const spreadIntoPush = {
  selector: "CallExpression[callee.property.name='push'] > SpreadElement.arguments",
  message: "A spread of many values overflows the stack: use concat or a loop."
}

const wildcardAny = {
  selector: ":not(TSTypeParameterInstantiation) > TSAnyKeyword",
  message: "`any` only as a type argument: use unknown, or a type."
}

const skippers = "[property.name=/^(skip|skipIf|runIf|only|todo|fails)$/]"
const skippedTests = [
  `MemberExpression[object.name=/^(it|test|describe)$/]${skippers}`,
  `MemberExpression[object.object.name=/^(it|test|describe)$/]${skippers}`,
  "CallExpression[callee.name=/^(xit|xtest|xdescribe)$/]"
].map((selector) => ({ selector, message: "A test runs or is deleted." }))

export default defineConfig(
  { ignores: ["dist", "coverage", ".cache", "bench"] },
  {
    files: ["**/*.ts", "**/*.mts", "scripts/**/*.mjs"],
    extends: [tseslint.configs.base],
    linterOptions: { reportUnusedDisableDirectives: "error" },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname }
    },
    rules: {
      "eqeqeq": "error",
      "no-console": "error",
      "no-restricted-imports": ["error", {
        paths: barrels.map((name) => ({ name, message: `Import the module, ${name}/…: the barrel loads everything.` }))
      }],
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "@typescript-eslint/array-type": ["error", { default: "generic", readonly: "generic" }],
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/ban-ts-comment": "error",
      "@typescript-eslint/consistent-type-exports": "error",
      "@typescript-eslint/consistent-type-imports": ["error", { disallowTypeAnnotations: false }],
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }]
    }
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      // Schema is invariant, so a wildcard type argument has to be `any`; what it infects, the rules below catch.
      "no-restricted-syntax": ["error", spreadIntoPush, wildcardAny],
      "@typescript-eslint/no-unsafe-argument": "error",
      "@typescript-eslint/no-unsafe-assignment": "error",
      "@typescript-eslint/no-unsafe-call": "error",
      "@typescript-eslint/no-unsafe-member-access": "error",
      "@typescript-eslint/no-unsafe-return": "error"
    }
  },
  {
    files: ["test/**/*.ts"],
    rules: { "no-restricted-syntax": ["error", ...skippedTests] }
  },
  {
    // What a person runs at a terminal may speak to that terminal.
    files: ["examples/**/*.ts", "scripts/**/*.mjs"],
    rules: { "no-console": "off" }
  }
)
