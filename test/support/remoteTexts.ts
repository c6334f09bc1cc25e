/**
 * A backend for a store over compare and swap that is a turn of the event loop away, there and back, and whose rows are told
 * apart by their text.
 */
import type { Backend } from "effect-session/stores/CompareAndSwapSessionStore"
import * as Effect from "effect/Effect"

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const remote = <A>(step: () => A): Effect.Effect<A> =>
  turn.pipe(Effect.andThen(Effect.sync(step)), Effect.zipLeft(turn))

/** `calls` gets the name of each call. */
export const remoteTexts = (texts: Map<string, string>, calls: Array<string> = []): Backend<string> => {
  const call = <A>(name: string, step: () => A) =>
    Effect.suspend(() => {
      calls.push(name)
      return remote(step)
    })
  return {
    get: (id) =>
      call("get", () => {
        const text = texts.get(id)
        return text === undefined ? undefined : { text, version: text }
      }),
    insert: (id, text) => call("insert", () => !texts.has(id) && Boolean(texts.set(id, text))),
    replace: (id, version, text) => call("replace", () => texts.get(id) === version && Boolean(texts.set(id, text))),
    remove: (id, version) => call("remove", () => texts.get(id) === version && texts.delete(id))
  }
}
