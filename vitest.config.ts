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
    testTimeout: process.env["SOAK"] === "1" ? 900_000 : 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    poolOptions: { forks: { maxForks: 2 } }
  }
})
