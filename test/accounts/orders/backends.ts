/**
 * Where the sessions of an order are: data that all its requests share, and for each request a store of its own over it, as if each
 * were answered by another server. A request stops before each call of the backend.
 */
import type { SessionId } from "effect-session/SessionKey"
import type { SessionStore } from "effect-session/SessionStore"
import type { Backend } from "effect-session/stores/CompareAndSwapSessionStore"
import * as Effect from "effect/Effect"
import type { Redis } from "ioredis"
import type { Library } from "../../promises/library.js"
import { generous } from "../../support/timeLimits.js"

/** Waits for the turn of whoever calls. */
export type Turn = () => Promise<void>

/** Makes the store of one request. */
export type StoreFor = (turn: Turn) => Promise<SessionStore>

/** Begins anew, without a session. */
export type Backends = () => Promise<StoreFor>

const before =
  (turn: Turn) =>
  <Args extends ReadonlyArray<unknown>, A, E>(call: (...args: Args) => Effect.Effect<A, E>) =>
  (
    ...args: Args
  ): Effect.Effect<A, E> => Effect.zipRight(Effect.promise(turn), Effect.suspend(() => call(...args)))

/** One store in the process, each of whose calls is one step. */
export const memory = ({ MemorySessionStore, SessionStore }: Library): Backends => async () => {
  const store = await Effect.runPromise(MemorySessionStore.make({ capacity: 64 }))
  const accounts = store.accounts!
  return async (turn) => {
    const gated = before(turn)
    return SessionStore.make({
      ...store,
      load: gated(store.load),
      save: gated(store.save),
      update: gated(store.update),
      updateTtl: gated(store.updateTtl),
      renew: gated(store.renew),
      delete: gated(store.delete),
      accounts: {
        begin: gated(accounts.begin),
        enlist: gated(accounts.enlist),
        confirm: gated(accounts.confirm),
        list: gated(accounts.list),
        end: gated(accounts.end),
        endAll: gated(accounts.endAll)
      }
    }, { timeout: "none" })
  }
}

/** Rows with versions, each of whose calls is one step. */
export const compareAndSwap = ({ CompareAndSwapSessionStore }: Library): Backends => async () => {
  const rows = new Map<SessionId, { readonly text: string; readonly account: string | undefined }>()
  const epochs = new Map<string, string>()
  const idsOf = (account: string) => Array.from(rows.keys()).filter((id) => rows.get(id)!.account === account).sort()
  const rowOf = (id: SessionId) => {
    const row = rows.get(id)
    return row && { text: row.text, version: row.text }
  }
  return async (turn) => {
    const gated = before(turn)
    const call = <Args extends ReadonlyArray<any>, A>(step: (...args: Args) => A) =>
      gated((...args: Args) => Effect.sync(() => step(...args)))
    const backend: Backend<string> = {
      get: call(rowOf),
      insert: call((id, text, _expiresAt, account) => !rows.has(id) && Boolean(rows.set(id, { text, account }))),
      replace: call((id, version, text, _expiresAt, account) =>
        rows.get(id)?.text === version && Boolean(rows.set(id, { text, account }))
      ),
      remove: call((id, version) => rows.get(id)?.text === version && rows.delete(id)),
      accounts: {
        rowsOf: call((account, after, limit) =>
          idsOf(account).filter((id) => after === undefined || id > after).slice(0, limit)
            .map((id) => ({ ...rowOf(id)!, id }))
        ),
        stateOf: call((account) => ({ epoch: epochs.get(account), count: idsOf(account).length })),
        moveEpoch: call((account, from, to) => epochs.get(account) === from && Boolean(epochs.set(account, to)))
      }
    }
    return CompareAndSwapSessionStore.make(backend, { timeout: "none" })
  }
}

/** A Redis, each of whose commands is one step. */
export const redis = ({ RedisSessionStore }: Library, client: Redis): Backends => {
  let orders = 0
  return async () => {
    const prefix = `${process.pid}-${orders++}:`
    return (turn) => {
      // What is asked when the store is made is no step of a request.
      let isMade = false
      const passing = async () => isMade ? turn() : undefined
      const store = RedisSessionStore.fromClient({
        hgetall: (key) => passing().then(() => client.hgetall(key)),
        evalsha: (sha, count, ...args) => passing().then(() => client.evalsha(sha, count, ...args)),
        eval: (script, count, ...args) => passing().then(() => client.eval(script, count, ...args))
      }, { prefix, timeout: generous })
      return Effect.runPromise(store).finally(() => isMade = true)
    }
  }
}
