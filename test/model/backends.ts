/**
 * The stores under test, each as a run of the model needs it: empty, and with a way to lose sessions as the backend
 * itself might.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type * as SessionKey from "effect-session/SessionKey"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import type { SqlDatabase } from "../support/sqlDatabases.js"
import { generous } from "../support/timeLimits.js"

export interface Backend {
  readonly store: SessionStore.SessionStore
  /** Whether it keeps the sessions itself, so that it can end them. */
  readonly isRevocable: boolean
  /** The finest step of the clock that it can be asked about, in milliseconds. */
  readonly grain: number
  /** Whether it forgets together with its sessions which other ones took the place of those that ended. */
  readonly forgetsTraces: boolean
  /** Drops all sessions but one, for want of room. */
  readonly evictAllBut: (kept: SessionKey.SessionKey | undefined) => Effect.Effect<void>
}

export type MakeBackend = () => Backend

// A run of the model makes less sessions than this, and less than a tenth of it give way to others.
const capacity = 640

/** A memory store with room for whatever a run makes. */
export const memory: MakeBackend = () => {
  const store = Effect.runSync(MemorySessionStore.make({ capacity }))
  const { load, save } = SessionStore.withClock(store)
  // Somebody who comes back, so that others who did make room as well.
  const other = Effect.flatMap(
    save(new Map([["other", "1"]]), { ttl: 1_000_000_000, maxLifetime: undefined }),
    ({ key }) => load(key)
  )
  return {
    store,
    isRevocable: true,
    grain: 1,
    forgetsTraces: false,
    evictAllBut: (kept) =>
      Effect.orDie(
        Effect.repeatN(kept === undefined ? other : Effect.zipRight(load(kept), other), 3 * capacity).pipe(
          Effect.zipRight(kept === undefined ? Effect.void : load(kept))
        )
      )
  }
}

/** A cookie store, which has nothing to lose. */
export const cookie: MakeBackend = () => ({
  store: CookieSessionStore.store,
  isRevocable: false,
  grain: 1,
  forgetsTraces: false,
  evictAllBut: () => Effect.void
})

/** A client of the test's own, which lets go of the server with the scope. */
export const connectRedis = (url: string): Effect.Effect<Redis, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => new Redis(url)),
    (client) => Effect.sync(() => client.disconnect())
  )

/**
 * A Redis store with a prefix of its own. Redis removes records by its own clock, which hardly moves during a run; with a
 * grain of three seconds no record has less than that left before its time is up.
 */
export const redis = (client: Redis): () => Promise<Backend> => {
  let runs = 0
  return async () => {
    const prefix = `run${runs++}:`
    return {
      store: await Effect.runPromise(RedisSessionStore.fromClient(client, { prefix, timeout: generous })),
      isRevocable: true,
      grain: 3000,
      forgetsTraces: true,
      evictAllBut: (kept) =>
        Effect.promise(async () => {
          const found = await client.keys(`${prefix}*`)
          const lost = found.filter((name) => name !== `${prefix}${kept?.id ?? ""}`)
          if (lost.length > 0) {
            await client.del(lost)
          }
        })
    }
  }
}

/** A table of an SQL database, emptied for each run. Rows go by the test's hand alone. */
export const sql = ({ client }: SqlDatabase): Effect.Effect<() => Promise<Backend>, never, Scope.Scope> =>
  Effect.gen(function*() {
    const context = yield* Layer.build(client())
    const sql = Context.get(context, SqlClient.SqlClient)
    const store = yield* SqlSessionStore.make({ createTable: true, sweep: false, timeout: generous }).pipe(
      Effect.provide(context),
      Effect.orDie
    )
    const removeAllBut = (id: string) => Effect.orDie(sql`DELETE FROM sessions WHERE id <> ${id}`)
    return async () => {
      await Effect.runPromise(removeAllBut(""))
      return {
        store,
        isRevocable: true,
        grain: 1,
        forgetsTraces: true,
        evictAllBut: (kept) => Effect.asVoid(removeAllBut(kept?.id ?? ""))
      }
    }
  })
