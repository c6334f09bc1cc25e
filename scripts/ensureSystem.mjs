/**
 * Makes sure that the programs which the tests run are there: finds them, else installs them with apt-get where it may,
 * else stops with one line that says what to install. It never lets the tests go on without them.
 */
import { spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { chromium, findProgram, redis } from "./systemPrograms.mjs"

const programs = [redis, chromium]

const missing = () => programs.filter((program) => findProgram(program) === undefined)

/** @param {string} command @param {ReadonlyArray<string>} args */
const succeeds = (command, ...args) => spawnSync(command, args, { stdio: "ignore" }).status === 0

/** The words that put a command in front of root's rights; undefined where this user has none. */
const asRoot = () => {
  if (process.getuid?.() === 0) {
    return []
  }
  return succeeds("sudo", "-n", "true") ? ["sudo", "-n"] : undefined
}

/** @param {ReadonlyArray<string>} packages */
const install = (packages) => {
  const root = asRoot()
  if (root === undefined || !succeeds("apt-get", "--version")) {
    return
  }
  // RUNLEVEL=1 keeps the package from starting a Redis of its own: the tests start theirs, and end them.
  const apt = [...root, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"]
  for (const args of [["update"], ["install", "-y", "--no-install-recommends", ...packages]]) {
    const [command = "", ...rest] = [...apt, ...args]
    console.log(`$ ${[command, ...rest].join(" ")}`)
    if (spawnSync(command, rest, { stdio: "inherit" }).status !== 0) {
      return
    }
  }
  // systemd starts a service whatever the run level says.
  if (packages.includes(redis.debianPackage) && existsSync("/run/systemd/system")) {
    const [command = "", ...rest] = [...root, "systemctl", "disable", "--now", redis.debianPackage]
    spawnSync(command, rest, { stdio: "inherit" })
  }
}

const absent = missing()
if (absent.length > 0) {
  install(absent.map((program) => program.debianPackage))
}

for (const program of programs) {
  const file = findProgram(program)
  if (file !== undefined) {
    console.log(`${program.title}: ${file}`)
  }
}

const still = missing()
if (still.length > 0) {
  const wanted = still.map((program) => `${program.title} (${program.names.join(" or ")} on the PATH)`).join(" and ")
  const packages = still.map((program) => program.debianPackage).join(" ")
  console.error(`The tests need ${wanted}: install it, on Debian with: sudo apt-get install -y ${packages}`)
  process.exit(1)
}
