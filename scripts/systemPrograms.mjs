/**
 * The programs that the tests run and npm does not install, and where they are on this machine.
 */
import { accessSync, constants, statSync } from "node:fs"
import { delimiter, join } from "node:path"

/**
 * @typedef {object} SystemProgram
 * @property {string} title what a person calls it
 * @property {ReadonlyArray<string>} names executables that serve, the preferred one first
 * @property {string} debianPackage the Debian package that brings it
 * @property {boolean} [isOptional] whether the tests go on without it: those that need it say that they were not run
 */

/** @type {SystemProgram} */
export const redis = {
  title: "a Redis server",
  names: ["redis-server", "valkey-server"],
  debianPackage: "redis-server"
}

/** @type {SystemProgram} */
export const valkey = {
  title: "a Valkey server",
  names: ["valkey-server"],
  debianPackage: "valkey-server",
  isOptional: true
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

/**
 * The path of the first of the program's executables that is on the PATH.
 *
 * @param {SystemProgram} program
 * @returns {string | undefined}
 */
export const findProgram = (program) => {
  // A slim PATH may leave out the two folders that distributions install to.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/bin", "/usr/local/bin"].filter(Boolean)
  return program.names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable)
}
