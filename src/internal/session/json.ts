/**
 * JSON as the session state keeps it. `JSON.stringify` loses values without a word (`NaN`, `undefined`, a `Map`, a
 * `Date`), so what cannot be read back as it was written is refused here.
 *
 * @internal
 */
import type { Json } from "../../Session.js"
import type { JsonText } from "../../SessionRecord.js"

// Deep enough for any real value, and far from where JSON.stringify or a parser runs out of stack.
const maxDepth = 512

const isJson = (value: unknown, depth: number): value is Json => {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true
    case "number":
      return Number.isFinite(value)
    case "object":
      return value === null ||
        (depth < maxDepth && (Array.isArray(value) ? isJsonArray : isJsonObject)(value, depth + 1))
    default:
      return false
  }
}

const isJsonArray = (value: object, depth: number): boolean => {
  const items = value as ReadonlyArray<unknown>
  for (let i = 0; i < items.length; i++) {
    if (!isJson(items[i], depth)) {
      return false
    }
  }
  return true
}

// A property that holds `undefined` is an optional field left out, as Schema encodes it; JSON leaves it out as well.
const isJsonObject = (value: object, depth: number): boolean => {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    return false
  }
  for (const key of Object.keys(value)) {
    const property = (value as Record<string, unknown>)[key]
    if (property !== undefined && !isJson(property, depth)) {
      return false
    }
  }
  return true
}

/**
 * The JSON text of a value, or `undefined` when the value is not JSON: a number that is not finite, a `bigint`, a function,
 * an instance of a class, a cycle.
 *
 * @internal
 */
export const toJsonText = (value: unknown): JsonText | undefined => isJson(value, 0) ? JSON.stringify(value) : undefined
