/**
 * Copies of the library in a folder of their own, with one passage replaced, so that the same visits run against them.
 */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { type Library, library } from "./library.js"

export interface Replacement {
  readonly name: string
  /** A file of `src`. */
  readonly file: string
  readonly from: string
  readonly to: string
}

const root = fileURLToPath(new URL("../..", import.meta.url))

export const withReplacements = async (
  name: string,
  replacements: ReadonlyArray<Omit<Replacement, "name">>
): Promise<Library> => {
  const folder = `${root}.cache/promises/${process.pid}-${name.replaceAll(/\W+/g, "-")}`
  await mkdir(folder, { recursive: true })
  await cp(`${root}src`, folder, { recursive: true })
  for (const { file, from, to } of replacements) {
    const text = await readFile(`${folder}/${file}`, "utf8")
    if (text.split(from).length !== 2) {
      throw new Error(`${name}: the passage is not there exactly once in ${file}: ${from}`)
    }
    await writeFile(`${folder}/${file}`, text.replace(from, () => to))
  }
  return importLibrary(folder)
}

const fileOf = (name: string): string =>
  name.endsWith("SessionStore") && name !== "SessionStore" ? `stores/${name}` : name

/** The library whose sources are in the folder. */
export const importLibrary = async (folder: string): Promise<Library> => {
  const modules = Object.keys(library).map(async (name) =>
    [name, await import(/* @vite-ignore */ `${folder}/${fileOf(name)}.ts`)] as const
  )
  return Object.fromEntries(await Promise.all(modules)) as Library
}
