import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import type { ChildProcess } from "node:child_process"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { afterAll, beforeAll } from "vitest"
import { firstApp } from "./firstApp.js"
import { pack, root, run } from "./packed.js"

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, "close")
  return port
}

/** The words of the README's command that installs the package, with the tarball in the place of the package's name. */
const installCommand = (readme: string, tarball: string): ReadonlyArray<string> => {
  const command = /^npm install effect-session( .*)?$/m.exec(readme)?.[0]
  assert.isDefined(command, "The README does not say how to install the package")
  return command.split(" ").map((word) => word === "effect-session" ? tarball : word)
}

/** Asks until the app answers, and says what the app said where it ends before that. */
const ask = async (app: ChildProcess, said: () => string, url: string, cookie?: string): Promise<Response> => {
  while (app.exitCode === null && app.signalCode === null) {
    try {
      return await fetch(url, { headers: cookie === undefined ? {} : { cookie } })
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error(`The app ended before it answered:\n${said()}`)
}

describe("a newcomer with an empty folder", () => {
  let folder: string
  let readme: string

  beforeAll(async () => {
    const { tarball } = await pack()
    readme = await readFile(join(root, "README.md"), "utf8")
    folder = await mkdtemp(join(tmpdir(), "effect-session-newcomer-"))
    const [npm = "", ...words] = installCommand(readme, tarball)
    await run(npm, [...words, "--no-audit", "--no-fund"], folder)
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  it("installs, pastes the README's first app, and is counted on the second visit", async () => {
    const port = await freePort()
    const code = firstApp(readme)
    assert.match(code, /port: 3000/)
    const file = /^npx tsx (\S+)$/m.exec(readme)?.[1] ?? "app.ts"
    await writeFile(join(folder, file), code.replace("port: 3000", `port: ${port}`))
    // tsx is not of this folder; everything that the app imports is.
    const tsx = pathToFileURL(join(root, "node_modules/tsx/dist/loader.mjs")).href
    const app = spawn(process.execPath, ["--import", tsx, file], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] })
    const closed = once(app, "close")
    try {
      let said = ""
      app.stdout.setEncoding("utf8").on("data", (text: string) => said += text)
      app.stderr.setEncoding("utf8").on("data", (text: string) => said += text)
      const url = `http://127.0.0.1:${port}/`
      const first = await ask(app, () => said, url)
      assert.strictEqual(await first.text(), "Visit number 1\n")
      const cookie = first.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ")
      const second = await ask(app, () => said, url, cookie)
      assert.strictEqual(await second.text(), "Visit number 2\n")
      const stranger = await ask(app, () => said, url)
      assert.strictEqual(await stranger.text(), "Visit number 1\n")
    } finally {
      app.kill("SIGKILL")
      await closed
    }
  })

  it("makes a key with the README's command that the configuration takes", async () => {
    const command = /^npx effect-session-key$/m.exec(readme)?.[0]
    assert.isDefined(command, "The README does not say how to make a key")
    const [npx = "", ...words] = command.split(" ")
    const printed = await run(npx, ["--no-install", ...words], folder)
    assert.match(printed, /^[\w-]+\n$/)
    const keys = Redacted.make(printed.trim())
    for (const cookieFormat of ["EffectSession", "CookieRs"] as const) {
      const cookie = { name: "id" }
      assert.isTrue(Either.isRight(Config.make({ keys, cookie, cookieFormat })), cookieFormat)
    }
  })
})
