import { defineConfig } from "eslint/config"
import tseslint from "typescript-eslint"

const barrels = ["effect", "@effect/platform", "@effect/platform-node"]

const notSkipped = "A test runs or is deleted."

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
      "no-console": "error",
      "no-var": "error",
      "prefer-const": "error",
      "object-shorthand": "error",
      "eqeqeq": "error",
      "no-restricted-imports": ["error", {
        paths: barrels.map((name) => ({
          name,
          message: `Import the module (${name}/…): the barrel loads everything.`
        }))
      }],
      "no-restricted-syntax": [
        "error",
        {
          selector: "CallExpression[callee.property.name='push'] > SpreadElement.arguments",
          message: "A spread of many values overflows the stack: use concat or a loop."
        }
      ],
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
    // Nothing untyped leaves or crosses the library; a test may look at a parsed body without a type.
    files: ["src/**/*.ts"],
    rules: {
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unsafe-argument": "error",
      "@typescript-eslint/no-unsafe-assignment": "error",
      "@typescript-eslint/no-unsafe-call": "error",
      "@typescript-eslint/no-unsafe-member-access": "error",
      "@typescript-eslint/no-unsafe-return": "error"
    }
  },
  {
    files: ["test/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector:
            "MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(skip|skipIf|only|todo|fails)$/]",
          message: notSkipped
        },
        {
          selector:
            "MemberExpression[object.object.name=/^(it|test|describe)$/][property.name=/^(skip|skipIf|only|todo|fails)$/]",
          message: notSkipped
        },
        { selector: "CallExpression[callee.name=/^(xit|xtest|xdescribe)$/]", message: notSkipped }
      ]
    }
  },
  {
    // What a person runs at a terminal may speak to that terminal.
    files: ["examples/**/*.ts", "scripts/**/*.{ts,mjs}"],
    rules: { "no-console": "off" }
  }
)
