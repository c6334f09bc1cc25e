/**
 * Loads the modules of the second argument and prints, as JSON, what each of them changed outside itself: built-in
 * objects, listeners of the process, its environment, and what keeps it alive. Those of the first argument are loaded
 * before that. Both are JSON arrays of specifiers.
 */
import process from "node:process"

const [foreign, watched] = process.argv.slice(2).map((text) => /** @type {ReadonlyArray<string>} */ (JSON.parse(text)))

/**
 * @param {unknown} value
 * @returns {value is object}
 */
const isObject = (value) => (typeof value === "object" && value !== null) || typeof value === "function"

/** The global object, the process, and every built-in object with its prototype, by name. */
const builtIns = () => {
  /** @type {Map<string, object>} */
  const found = new Map()
  found.set("globalThis", globalThis).set("process", process)
  for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(globalThis))) {
    if (isObject(value)) {
      found.set(name, value)
      const prototype = Object.getOwnPropertyDescriptor(value, "prototype")?.value
      if (isObject(prototype)) {
        found.set(`${name}.prototype`, prototype)
      }
    }
  }
  return found
}

/** @param {ReadonlyMap<string, object>} objects */
const snapshot = (objects) => {
  /** @type {Map<string, unknown>} */
  const facts = new Map()
  for (const [name, object] of objects) {
    for (const key of Reflect.ownKeys(object)) {
      const { get, set, value } = Object.getOwnPropertyDescriptor(object, key) ?? {}
      facts.set(`${name}.${String(key)}`, value)
      facts.set(`get ${name}.${String(key)}`, get)
      facts.set(`set ${name}.${String(key)}`, set)
    }
  }
  for (const name of process.eventNames()) {
    facts.set(`listeners of ${String(name)}`, process.listenerCount(name))
  }
  for (const [name, value] of Object.entries(process.env)) {
    facts.set(`the variable ${name}`, value)
  }
  facts.set("what keeps the process alive", process.getActiveResourcesInfo().sort().join())
  return facts
}

for (const specifier of foreign ?? []) {
  await import(specifier)
}

const objects = builtIns()
let before = snapshot(objects)
/** @type {Array<string>} */
const changes = []
for (const specifier of watched ?? []) {
  await import(specifier)
  const after = snapshot(objects)
  for (const fact of new Set([...before.keys(), ...after.keys()])) {
    if (!Object.is(before.get(fact), after.get(fact))) {
      changes.push(`${specifier}: ${fact}`)
    }
  }
  before = after
}
process.stdout.write(JSON.stringify(changes))
