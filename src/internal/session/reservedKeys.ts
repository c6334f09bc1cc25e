/**
 * What this library keeps among the values of a session, so that every store has it and parallel requests merge it, and how it
 * keeps out of the app's way: an app may use any text as a key, one that a visitor typed included, and reaches none of this with
 * it.
 *
 * @internal
 */
const reservedPrefix = "~effect-session/"

/** @internal */
export const rememberKey = `${reservedPrefix}remember`

/**
 * Whether what stands under this key of the state belongs to this library.
 *
 * @internal
 */
export const isReserved = (stateKey: string): boolean => stateKey.startsWith(reservedPrefix)

const tilde = "~".charCodeAt(0)
const looksReserved = /^~+effect-session\//
const wasEscaped = /^~~+effect-session\//

/**
 * The key of the state under which a value of the app's is kept: the app's own, with one more `~` where it looks like one of this
 * library. No two keys of an app share one, and none is reserved.
 *
 * @internal
 */
export const stateKeyOf = (appKey: string): string =>
  appKey.charCodeAt(0) === tilde && looksReserved.test(appKey) ? `~${appKey}` : appKey

/**
 * The way back.
 *
 * @internal
 */
export const appKeyOf = (stateKey: string): string =>
  stateKey.charCodeAt(0) === tilde && wasEscaped.test(stateKey) ? stateKey.slice(1) : stateKey
