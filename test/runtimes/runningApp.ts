/**
 * The app in a process of each runtime, from the library as npm installs it: a package in node_modules with its
 * `exports`, one JavaScript file a module.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { Readable } from "node:stream"
import { fileURLToPath } from "node:url"
import type { FoundRuntime } from "../../scripts/runtimePrograms.mjs"
import type { ServedApp } from "./behaviour.js"
import type { Environment } from "./webHandler.js"

const root = fileURLToPath(new URL("../..", import.meta.url))

/**
 * A folder with what the runtimes are told to run. It lies inside the project, so that the packages beside the library are
 * found where they are installed, and goes away with the scope.
 */
export const builtApps: Effect.Effect<string, never, Scope.Scope> = Effect.gen(function*() {
  const folder = yield* Effect.acquireRelease(
    Effect.promise(async () => {
      const parent = join(root, ".cache", "runtimes")
      await mkdir(parent, { recursive: true })
      return mkdtemp(join(parent, "apps-"))
    }),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
  )
  yield* Effect.promise(() => buildApps(folder))
  return folder
})

const buildApps = async (folder: string): Promise<void> => {
  const modules = { format: "esm", target: "es2022", platform: "node" } as const
  const library = join(folder, "node_modules", "effect-session")
  const sources = (await readdir(join(root, "src"), { recursive: true })).filter((file) => file.endsWith(".ts"))
  await build({
    ...modules,
    entryPoints: sources.map((file) => join(root, "src", file)),
    outbase: join(root, "src"),
    outdir: join(library, "dist")
  })
  await copyFile(join(root, "package.json"), join(library, "package.json"))
  await writeFile(join(folder, "package.json"), JSON.stringify({ private: true, type: "module" }))
  await build({
    ...modules,
    entryPoints: ["app", "server", "worker", "workerPerRequest"].map((name) =>
      join(root, "test/runtimes", `${name}.ts`)
    ),
    outdir: folder
  })
  for (const name of ["worker", "workerPerRequest"]) {
    // workerd loads no packages: an app for it is bundled, as wrangler does.
    await build({
      ...modules,
      bundle: true,
      conditions: ["workerd", "worker"],
      // ioredis asks for Node's modules with `require`.
      banner: {
        js:
          "import { createRequire } from \"node:module\"; const require = createRequire(import.meta.url ?? \"file:///\");"
      },
      logLevel: "error",
      entryPoints: [join(folder, `${name}.js`)],
      outfile: join(folder, `${name}.bundle.js`)
    })
    await writeFile(join(folder, `${name}.capnp`), workerdConfig(`${name}.bundle.js`))
  }
}

const variables = ["STORE", "REDIS_URL", "SESSION_KEYS", "SESSION_CONTENT_SECURITY"]

const workerdConfig = (bundle: string): string =>
  `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "app", worker = .app),
    (name = "internet", network = (allow = ["public", "private"]))
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "app")]
);

const app :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "${bundle}")],
  compatibilityDate = "2026-11-01",
  bindings = [
${variables.map((name) => `    (name = "${name}", fromEnvironment = "${name}")`).join(",\n")}
  ]
);
`

/** The words that make the runtime serve the app on a free port and print which one it is. */
const commandFor = ({ kind, program }: FoundRuntime, { STORE }: Environment): ReadonlyArray<string> => {
  switch (kind) {
    case "node":
      return [program, "server.js"]
    case "bun":
      return [program, "--port", "0", "worker.js"]
    case "deno":
      return [program, "serve", "--allow-env", "--allow-net", "--host", "127.0.0.1", "--port", "0", "worker.js"]
    case "workerd":
      return [program, "serve", "--control-fd=1", STORE === "redis" ? "workerPerRequest.capnp" : "worker.capnp"]
  }
}

/** Starts the app in a process of the runtime. The scope ends it. */
export const runApp = (
  folder: string,
  runtime: FoundRuntime,
  environment: Environment
): Effect.Effect<ServedApp, never, Scope.Scope> =>
  Effect.gen(function*() {
    const command = commandFor(runtime, environment)
    let running = yield* Effect.promise(() => start(folder, command, environment))
    const end = Effect.promise(() => running.end())
    yield* Effect.addFinalizer(() => end)
    return {
      send: (path, init) => fetch(running.url + path, init),
      restart: Effect.zipRight(
        end,
        Effect.promise(async () => {
          running = await start(folder, command, environment)
        })
      )
    }
  })

interface RunningProcess {
  readonly url: string
  readonly end: () => Promise<void>
}

const start = async (
  cwd: string,
  [program = "", ...args]: ReadonlyArray<string>,
  environment: Environment
): Promise<RunningProcess> => {
  const child = spawn(program, args, {
    cwd,
    // Nothing of the tests' own environment but the way to programs: a SESSION_KEYS there must not come in here.
    env: {
      PATH: `${dirname(program)}:/usr/bin:/bin`,
      HOME: cwd,
      NO_COLOR: "1",
      HOST: "127.0.0.1",
      PORT: "0",
      ...environment
    },
    stdio: ["ignore", "pipe", "pipe"]
  })
  let said = ""
  // A worker that ends without closing its scopes must not leave a server behind.
  const endWithWorker = () => child.kill("SIGKILL")
  process.once("exit", endWithWorker)
  const closed = once(child, "close").then(() => process.off("exit", endWithWorker))
  const listening = new Promise<string>((resolve, reject) => {
    const listen = (stream: Readable) =>
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text
        // With what comes after it, since a number may come in two parts: `Listening on http://127.0.0.1:40715`, `http://localhost:35733`, or workerd's `"port":33545`
        const port = /(?:http:\/\/[\w.]+:|"port":)(\d+)(?=\D)/.exec(said)?.[1]
        if (port !== undefined) {
          resolve(`http://127.0.0.1:${port}`)
        }
      })
    listen(child.stdout)
    listen(child.stderr)
    child.once("error", reject)
    void closed.then(() => reject(new Error(`${program} ${args.join(" ")} ended before it listened:\n${said}`)))
  })
  return {
    url: await listening,
    end: async () => {
      child.kill("SIGKILL")
      await closed
    }
  }
}
