/**
 * On what and with which versions the figures were taken.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { cpus, totalmem } from "node:os"
import process from "node:process"
import { findProgram, postgres, redis } from "../../scripts/systemPrograms.mjs"
import { appNames, loadApp } from "../apps/contract.mjs"

const searchPaths = createRequire(import.meta.url).resolve.paths("any") ?? []

const versionOf = (name) => {
  for (const folder of searchPaths) {
    try {
      return JSON.parse(readFileSync(`${folder}/${name}/package.json`, "utf8")).version
    } catch {
      // It is in a folder further up.
    }
  }
  throw new Error(`${name} is not installed`)
}

const redisVersion = () => {
  const text = execFileSync(findProgram(redis), ["--version"], { encoding: "utf8" })
  return /v=([\d.]+)/.exec(text)?.[1] ?? text.trim()
}

const postgresVersion = () => {
  const text = execFileSync(findProgram(postgres), ["--version"], { encoding: "utf8" })
  return /[\d.]+/.exec(text)?.[0] ?? text.trim()
}

export const describeEnvironment = async () => {
  const apps = await Promise.all(appNames.map(loadApp))
  const names = new Set(apps.flatMap(({ variants }) => variants.flatMap(({ packages }) => packages)))
  const processors = cpus()
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: processors[0]?.model.trim() ?? "unknown",
    cores: processors.length,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    redis: redisVersion(),
    postgres: postgresVersion(),
    packages: Object.fromEntries(Array.from(names, (name) => [name, versionOf(name)]).toSorted())
  }
}
