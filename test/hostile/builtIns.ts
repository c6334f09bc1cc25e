/**
 * What a polluted prototype would show: everything that hangs on the objects which all others inherit from.
 */

const shared = { Object, Array, Map, Set, String, Number, Boolean, Function, Promise, RegExp, Date, Error }

/** A picture of the built-in prototypes, to be compared with a later one. */
export const builtIns = (): ReadonlyArray<string> =>
  Object.entries(shared).flatMap(([name, { prototype }]) =>
    Reflect.ownKeys(prototype as object).map((key) => {
      const { configurable, enumerable, get, set, value, writable } = Reflect.getOwnPropertyDescriptor(prototype, key)!
      const flags = [configurable, enumerable, writable].join()
      return `${name}.prototype ${String(key)} ${flags} ${identify(value)} ${identify(get)} ${identify(set)}`
    })
  )

const seen = new Map<unknown, number>()

// The same thing has the same number in every picture, another one another.
const identify = (thing: unknown): string => {
  const known = seen.get(thing) ?? seen.size
  seen.set(thing, known)
  return `#${known}`
}
