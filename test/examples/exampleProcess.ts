/**
 * The examples as their users run them: each in a process of its own, on a free port.
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { until } from "../support/settle.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
const heldDelays = new URL("../support/heldDelays.ts", import.meta.url).href

export interface ExampleProcess {
  readonly output: () => { readonly stdout: string; readonly stderr: string }
  /** Waits until it has printed this to its standard output, and dies where it ends before. */
  readonly printed: (text: RegExp) => Effect.Effect<string>
  readonly signal: (signal: NodeJS.Signals) => void
  /** Waits until a wait of `heldLimit` has begun in the example that nobody has waited for here yet. */
  readonly waiting: Effect.Effect<void>
  /** Ends all waits of `heldLimit` in the example. */
  readonly endWaits: Effect.Effect<void>
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
    Effect.map(Queue.unbounded<void>(), (waits) => {
      // Nothing of the environment of the tests but the way to programs: a SESSION_KEYS there must not come in here.
      const child = spawn(process.execPath, ["--import", "tsx", "--import", heldDelays, `examples/${file}`], {
        cwd: root,
        env: { PATH: process.env["PATH"], PORT: "0", ...env },
        stdio: ["ignore", "pipe", "pipe", "ipc"]
      })
      child.on("message", () => waits.unsafeOffer())
      let stdout = ""
      let stderr = ""
      child.stdout!.setEncoding("utf8").on("data", (text: string) => stdout += text)
      child.stderr!.setEncoding("utf8").on("data", (text: string) => stderr += text)
      // A worker that ends without closing its scopes must not leave an example behind.
      const endWithWorker = () => child.kill("SIGKILL")
      process.once("exit", endWithWorker)
      const closed = once(child, "close").then(() => process.off("exit", endWithWorker))
      const ended = Effect.promise(() => closed.then(() => child.exitCode))
      return {
        output: () => ({ stdout, stderr }),
        printed: (text) =>
          Effect.raceFirst(
            Effect.map(until(Effect.sync(() => text.test(stdout))), () => text.exec(stdout)![0]),
            Effect.flatMap(ended, (code) => Effect.dieMessage(`${file} ended with ${code}: ${stderr}${stdout}`))
          ),
        signal: (signal: NodeJS.Signals) => {
          child.kill(signal)
        },
        waiting: Queue.take(waits),
        endWaits: Effect.sync(() => child.send("end")),
        ended
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
    // With what comes after it, since a number may come in two parts.
    const url = yield* example.printed(/http:\/\/[\w.]+:\d+(?=\D)/)
    return { ...example, url: url.replace("0.0.0.0", "127.0.0.1") }
  })
