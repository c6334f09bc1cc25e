import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"

const src = fileURLToPath(new URL("src", import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^effect-session$/, replacement: `${src}/index.ts` },
      { find: /^effect-session\/(.*)$/, replacement: `${src}/$1.ts` }
    ]
  },
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: ["test/support/comparedOptions.ts"],
    // Limits for what hangs, not for what is slow: a busy machine fails no test.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    teardownTimeout: 900_000,
    pool: "forks",
    poolOptions: { forks: { maxForks: 2 } }
  }
})
