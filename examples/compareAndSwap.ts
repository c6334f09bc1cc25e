/**
 * Sessions in a backend that can compare and swap. Here it is a table of items with versions, in this process, so that there is
 * something to run; what it does for a put on a condition, DynamoDB does with a `ConditionExpression`, etcd with a transaction on
 * `mod_revision`, and a bucket with `If-Match`.
 */
import type * as SessionStore from "effect-session/SessionStore"
import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"

/** An item as the table keeps it. `removeAt`, in seconds, is when the table may remove it by itself. */
interface Item {
  readonly text: string
  readonly version: number
  readonly removeAt: number
}

interface Table {
  readonly get: (id: string) => Promise<Item | undefined>
  /** Puts the item if the one that is there has that version (`undefined`: if there is none), or says no. */
  readonly put: (id: string, item: Item, ifVersion: number | undefined) => Promise<boolean>
  readonly remove: (id: string, ifVersion: number) => Promise<boolean>
}

export const makeTable = (): Table => {
  const items = new Map<string, Item>()
  const isThere = (id: string, version: number | undefined) => items.get(id)?.version === version
  return {
    get: async (id) => items.get(id),
    put: async (id, item, ifVersion) => isThere(id, ifVersion) && items.set(id, item) !== undefined,
    remove: async (id, ifVersion) => isThere(id, ifVersion) && items.delete(id)
  }
}

/** A table that removes by the second is told the next one: early would end a session. */
const itemOf = (text: string, version: number, expiresAt: number): Item => ({
  text,
  version,
  removeAt: Math.ceil(expiresAt / 1_000)
})

export const backendOf = (table: Table): CompareAndSwapSessionStore.Backend<number> => ({
  get: (id) => Effect.tryPromise(() => table.get(id)),
  insert: (id, text, expiresAt) => Effect.tryPromise(() => table.put(id, itemOf(text, 1, expiresAt), undefined)),
  replace: (id, version, text, expiresAt) =>
    Effect.tryPromise(() => table.put(id, itemOf(text, version + 1, expiresAt), version)),
  remove: (id, version) => Effect.tryPromise(() => table.remove(id, version))
})

export const layer: Layer.Layer<SessionStore.SessionStore> = CompareAndSwapSessionStore.layer(
  Effect.sync(() => backendOf(makeTable()))
)
