/**
 * The examples as their users run them: each in a process of its own, on a free port.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

export interface ExampleProcess {
  readonly output: () => { readonly stdout: string; readonly stderr: string }
  readonly signal: (signal: NodeJS.Signals) => void
  /** The exit code, once the process has ended and said all it had to say; `null` when a signal killed it. */
  readonly ended: Effect.Effect<number | null>
}

/** An example that answers requests. */
export interface RunningExample extends ExampleProcess {
  readonly url: string
}

/** Starts an example and does not wait for it. The scope kills it. */
export const startExample = (
  file: string,
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<ExampleProcess, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      // Nothing of the environment of the tests but the way to programs: a SESSION_KEYS there must not come in here.
      const child = spawn(process.execPath, ["--import", "tsx", `examples/${file}`], {
        cwd: root,
        env: { PATH: process.env["PATH"], PORT: "0", ...env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let stdout = ""
      let stderr = ""
      child.stdout.setEncoding("utf8").on("data", (text: string) => stdout += text)
      child.stderr.setEncoding("utf8").on("data", (text: string) => stderr += text)
      // A worker that ends without closing its scopes must not leave an example behind.
      const endWithWorker = () => child.kill("SIGKILL")
      process.once("exit", endWithWorker)
      const closed = once(child, "close").then(() => process.off("exit", endWithWorker))
      return {
        output: () => ({ stdout, stderr }),
        signal: (signal: NodeJS.Signals) => {
          child.kill(signal)
        },
        ended: Effect.promise(() => closed.then(() => child.exitCode))
      }
    }),
    (example) => {
      example.signal("SIGKILL")
      return example.ended
    }
  )

/** Starts an example and waits for the first address it prints. */
export const runExample = (
  file: string,
  env: Readonly<Record<string, string>> = {}
): Effect.Effect<RunningExample, never, Scope.Scope> =>
  Effect.gen(function*() {
    const example = yield* startExample(file, env)
    const printed = Effect.suspend(() => {
      const url = /http:\/\/[\w.]+:\d+/.exec(example.output().stdout)?.[0]
      return url === undefined ? Effect.fail("not yet") : Effect.succeed(url)
    })
    const url = yield* Effect.raceFirst(
      Effect.orDie(Effect.retry(Effect.zipRight(pause(20), printed), { while: () => true })),
      Effect.flatMap(example.ended, (code) =>
        Effect.dieMessage(`${file} ended with ${code}: ${example.output().stderr}${example.output().stdout}`))
    )
    return { ...example, url: url.replace("0.0.0.0", "127.0.0.1") }
  })

/** Waits on the machine's clock, whatever clock the test has. */
export const pause = (millis: number): Effect.Effect<void> =>
  Effect.promise(() => new Promise((resolve) => setTimeout(resolve, millis)))
