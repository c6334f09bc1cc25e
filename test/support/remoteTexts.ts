/**
 * A backend for a store over compare and swap that is a turn of the event loop away, there and back, and whose rows are told
 * apart by their text.
 */
import type { SessionId } from "effect-session/SessionKey"
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
  const accounts = new Map<string, string | undefined>()
  const epochs = new Map<string, string>()
  const put = (id: SessionId, text: string, account: string | undefined) => {
    texts.set(id, text)
    accounts.set(id, account)
    return true
  }
  const idsOf = (account: string) =>
    Array.from(texts.keys()).filter((id) => accounts.get(id) === account).sort() as Array<SessionId>
  return {
    get: (id) =>
      call("get", () => {
        const text = texts.get(id)
        return text === undefined ? undefined : { text, version: text }
      }),
    insert: (id, text, _expiresAt, account) => call("insert", () => !texts.has(id) && put(id, text, account)),
    replace: (id, version, text, _expiresAt, account) =>
      call("replace", () => texts.get(id) === version && put(id, text, account)),
    remove: (id, version) => call("remove", () => texts.get(id) === version && texts.delete(id)),
    accounts: {
      rowsOf: (account, after, limit) =>
        call("rowsOf", () =>
          idsOf(account).filter((id) => after === undefined || id > after).slice(0, limit)
            .map((id) => ({ id, text: texts.get(id)!, version: texts.get(id)! }))),
      stateOf: (account) => call("stateOf", () => ({ epoch: epochs.get(account), count: idsOf(account).length })),
      moveEpoch: (account, from, to) =>
        call("moveEpoch", () => epochs.get(account) === from && Boolean(epochs.set(account, to)))
    }
  }
}
