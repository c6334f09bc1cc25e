/**
 * The programs that the tests run and npm does not install, and where they are on this machine.
 */
import { accessSync, constants, existsSync, readdirSync, statSync } from "node:fs"
import { delimiter, join } from "node:path"

/**
 * @typedef {object} SystemProgram
 * @property {string} title what a person calls it
 * @property {ReadonlyArray<string>} names executables that serve, the preferred one first
 * @property {string} debianPackage the Debian package that brings it
 * @property {string} [service] what that package would start, and the tests do not need: they start their own, and end them
 * @property {boolean} [isOptional] whether the tests go on without it: those that need it say that they were not run
 */

/** @type {SystemProgram} */
export const redis = {
  title: "a Redis server",
  names: ["redis-server", "valkey-server"],
  debianPackage: "redis-server",
  service: "redis-server"
}

/** @type {SystemProgram} */
export const valkey = {
  title: "a Valkey server",
  names: ["valkey-server"],
  debianPackage: "valkey-server",
  service: "valkey-server",
  isOptional: true
}

/** @type {SystemProgram} */
export const postgres = {
  title: "a Postgres server",
  names: ["postgres"],
  debianPackage: "postgresql",
  service: "postgresql"
}

/** @type {SystemProgram} */
export const postgresInit = {
  title: "what begins a database of Postgres",
  names: ["initdb"],
  debianPackage: "postgresql"
}

/** @type {SystemProgram} */
export const mariadb = {
  title: "a MariaDB server",
  names: ["mariadbd"],
  debianPackage: "mariadb-server",
  service: "mariadb"
}

/** @type {SystemProgram} */
export const mariadbInit = {
  title: "what begins a database of MariaDB",
  names: ["mariadb-install-db"],
  debianPackage: "mariadb-server"
}

/** @type {SystemProgram} */
export const chromium = {
  title: "a Chromium browser",
  names: ["chromium", "chromium-browser", "google-chrome"],
  debianPackage: "chromium"
}

/** @param {string} file */
const isExecutable = (file) => {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

// Debian keeps each major of Postgres in a folder of its own, and none of them on the PATH.
const postgresMajors = "/usr/lib/postgresql"

const postgresFolders = () =>
  existsSync(postgresMajors)
    ? readdirSync(postgresMajors)
      .sort((left, right) => Number(right) - Number(left))
      .map((major) => join(postgresMajors, major, "bin"))
    : []

/**
 * The path of the first of the program's executables that is on the PATH.
 *
 * @param {SystemProgram} program
 * @returns {string | undefined}
 */
export const findProgram = (program) => {
  // A slim PATH may leave out the folders that distributions install to.
  const usual = ["/usr/bin", "/usr/local/bin", "/usr/sbin", ...postgresFolders()]
  const folders = [...(process.env.PATH ?? "").split(delimiter).filter(Boolean), ...usual]
  return program.names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}
