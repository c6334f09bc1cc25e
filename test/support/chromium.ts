/**
 * A real browser for tests: the system's Chromium, driven through playwright-core, gone with the scope.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Browser, BrowserContext, BrowserContextOptions } from "playwright-core"
import { chromium as engine } from "playwright-core"
import { chromium, findProgram } from "../../scripts/systemPrograms.mjs"

/** The path of the browser's executable; dies with a line that says what to do when there is none. */
export const chromiumExecutable: Effect.Effect<string> = Effect.suspend(() => {
  const program = findProgram(chromium)
  return program === undefined
    ? Effect.dieMessage(`None of ${chromium.names.join(", ")} is on the PATH: run scripts/ensureSystem.mjs`)
    : Effect.succeed(program)
})

/** Quiet and offline: what the browser does on its own account would only disturb a test. */
const args = [
  // The sandbox needs rights that a container does not give; the pages are the tests' own.
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync"
]

export interface ChromiumOptions {
  /** More of the browser's arguments: `["--host-resolver-rules=MAP example.test 127.0.0.1"]`. */
  readonly args?: ReadonlyArray<string> | undefined
}

/** Playwright's own limits, for what hangs: shorter than those of the tests, since its messages say more. */
const patience = 600_000

export const launchChromium = (options: ChromiumOptions = {}): Effect.Effect<Browser, never, Scope.Scope> =>
  Effect.flatMap(chromiumExecutable, (executablePath) =>
    Effect.acquireRelease(
      Effect.promise(() =>
        engine.launch({ executablePath, args: [...args, ...options.args ?? []], timeout: patience })
      ),
      (browser) => Effect.promise(() => browser.close())
    ))

/** A visitor with cookies of its own, who waits for as long as it takes. Gone with the scope. */
export const newContext = (
  browser: Browser,
  options: BrowserContextOptions = {}
): Effect.Effect<BrowserContext, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const context = await browser.newContext(options)
      context.setDefaultTimeout(patience)
      return context
    }),
    (context) => Effect.promise(() => context.close())
  )
