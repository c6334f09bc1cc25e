/**
 * Makes sure that the programs which the tests run are there: finds them, else installs them with apt-get where it may,
 * else stops with one line that says what to install. It never lets the tests go on without them, unless they are optional: then
 * it says that they are not there.
 */
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  chromium,
  findProgram,
  mariadb,
  mariadbInit,
  postgres,
  postgresInit,
  redis,
  valkey
} from "./systemPrograms.mjs"

const programs = [redis, postgres, postgresInit, mariadb, mariadbInit, chromium, valkey]

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

/** @param {ReadonlyArray<string>} words */
const runs = ([command = "", ...args]) => {
  console.log(`$ ${[command, ...args].join(" ")}`)
  return spawnSync(command, args, { stdio: "inherit" }).status === 0
}

/** @param {ReadonlyArray<import("./systemPrograms.mjs").SystemProgram>} wanted */
const packagesOf = (wanted) => [...new Set(wanted.map(({ debianPackage }) => debianPackage))]

/**
 * @param {ReadonlyArray<string>} root
 * @param {ReadonlyArray<import("./systemPrograms.mjs").SystemProgram>} wanted
 * @param {ReadonlyArray<string>} options
 */
const aptInstall = (root, wanted, options = []) => {
  // RUNLEVEL=1 keeps the package from starting a server of its own: the tests start theirs, and end them.
  const apt = [...root, "env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", ...options]
  const isInstalled = runs([...apt, "update"]) &&
    runs([...apt, "install", "-y", "--no-install-recommends", ...packagesOf(wanted)])
  // systemd starts a service whatever the run level says.
  const services = wanted.flatMap(({ service }) => service ?? [])
  if (isInstalled && services.length > 0 && existsSync("/run/systemd/system")) {
    runs([...root, "systemctl", "disable", "--now", ...services])
  }
  return isInstalled
}

/** The backports of this Debian, as a list of sources for one call of apt-get; undefined on another system. */
const backports = () => {
  const release = existsSync("/etc/os-release") ? readFileSync("/etc/os-release", "utf8") : ""
  const codename = /^ID="?debian"?$/m.test(release) ? /^VERSION_CODENAME="?(\w+)"?$/m.exec(release)?.[1] : undefined
  return codename === undefined
    ? undefined
    : [codename, `${codename}-backports`].map((suite) => `deb http://deb.debian.org/debian ${suite} main\n`).join("")
}

/** @param {ReadonlyArray<string>} root @param {import("./systemPrograms.mjs").SystemProgram} program */
const installOptional = (root, program) => {
  if (aptInstall(root, [program])) {
    return
  }
  const sources = backports()
  if (sources !== undefined) {
    const folder = mkdtempSync(join(tmpdir(), "apt-"))
    const file = join(folder, "backports.list")
    writeFileSync(file, sources)
    aptInstall(root, [program], ["-o", `Dir::Etc::SourceList=${file}`])
    rmSync(folder, { recursive: true })
  }
}

/** @param {ReadonlyArray<import("./systemPrograms.mjs").SystemProgram>} absent */
const install = (absent) => {
  const root = asRoot()
  if (root === undefined || !succeeds("apt-get", "--version")) {
    return
  }
  const needed = absent.filter(({ isOptional }) => isOptional !== true)
  if (needed.length > 0) {
    aptInstall(root, needed)
  }
  for (const program of absent.filter(({ isOptional }) => isOptional === true)) {
    installOptional(root, program)
  }
}

const absent = missing()
if (absent.length > 0) {
  install(absent)
}

for (const program of programs) {
  const file = findProgram(program)
  if (file !== undefined) {
    console.log(`${program.title}: ${file}`)
  } else if (program.isOptional === true) {
    console.log(`${program.title}: none (${program.names.join(" or ")} on the PATH), so its tests are not run`)
  }
}

const still = missing().filter(({ isOptional }) => isOptional !== true)
if (still.length > 0) {
  const wanted = still.map((program) => `${program.title} (${program.names.join(" or ")} on the PATH)`).join(" and ")
  const packages = packagesOf(still).join(" ")
  console.error(`The tests need ${wanted}: install it, on Debian with: sudo apt-get install -y ${packages}`)
  process.exit(1)
}
