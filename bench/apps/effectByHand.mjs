/**
 * The floor on Effect: the session middleware that one writes by hand in an afternoon, on the same server and router as
 * effect-session. It keeps none of the promises of a library either, and stores what the floor on `node:http` stores: what
 * it adds beyond that is what Effect's own steps cost, to whoever takes them.
 *
 * Handlers yield the session. It is loaded when one of them asks for it, and saved once, after all of them.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as SqlClient from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Option from "effect/Option"
import { Redis } from "ioredis"
import { ttlSeconds, userOf } from "./contract.mjs"
import { newId, newKey, seal, sign, unseal, unsign } from "./floorCookie.mjs"
import { postgresClient, sqliteClient } from "./sqlClients.mjs"

const packages = ["effect", "@effect/platform", "@effect/platform-node"]
const floor = { isFloor: true, packages }

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { ...floor, id: "hand-memory", title: "floor on Effect, Map", store: "memory" },
  { ...floor, id: "hand-private", title: "floor on Effect, AES-256-GCM", store: "cookie", seal: "encrypted" },
  { ...floor, id: "hand-signed", title: "floor on Effect, HMAC-SHA256", store: "cookie", seal: "signed" },
  {
    ...floor,
    id: "hand-redis",
    title: "floor on Effect, GET and SET EX",
    store: "redis",
    packages: [...packages, "ioredis"]
  },
  {
    ...floor,
    id: "hand-postgres",
    title: "floor on Effect, SELECT and upsert in PostgreSQL",
    store: "postgres",
    packages: [...packages, "@effect/sql", "@effect/sql-pg"]
  },
  {
    ...floor,
    id: "hand-sqlite",
    title: "floor on Effect, SELECT and upsert in SQLite",
    store: "sqlite",
    packages: [...packages, "@effect/sql", "@effect/sql-sqlite-node"]
  }
]

/** What handlers yield. */
class Session extends Context.Tag("Session")() {}

/** From the value of a cookie to the state, and from the state, with the cookie that led to it, to the next value. */
class SessionStore extends Context.Tag("SessionStore")() {}

const expiry = () => Date.now() + ttlSeconds * 1000

const memoryStore = Layer.sync(SessionStore, () => {
  const sessions = new Map()
  return {
    load: (id) =>
      Effect.sync(() => {
        const session = sessions.get(id)
        return session !== undefined && session.expiresAt > Date.now() ? Option.some(session.state) : Option.none()
      }),
    save: (state, id = newId()) =>
      Effect.sync(() => {
        sessions.set(id, { state, expiresAt: expiry() })
        return id
      })
  }
})

const cookieStore = (write, read) =>
  Layer.sync(SessionStore, () => {
    const key = newKey()
    return {
      load: (value) =>
        Effect.sync(() => {
          const { expiresAt, state } = JSON.parse(read(key, value))
          return expiresAt > Date.now() ? Option.some(state) : Option.none()
        }),
      save: (state) => Effect.sync(() => write(key, JSON.stringify({ state, expiresAt: expiry() })))
    }
  })

const redisStore = (url) =>
  Layer.scoped(
    SessionStore,
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => new Redis(url, { enableAutoPipelining: true })),
        (redis) => Effect.sync(() => redis.disconnect())
      ),
      (redis) => ({
        load: (id) =>
          Effect.map(Effect.promise(() => redis.get(id)), (text) => Option.map(Option.fromNullable(text), JSON.parse)),
        save: (state, id = newId()) =>
          Effect.as(Effect.promise(() => redis.set(id, JSON.stringify(state), "EX", ttlSeconds)), id)
      })
    )
  )

const sqlStore = Layer.effect(
  SessionStore,
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS hand (id text PRIMARY KEY, state text NOT NULL, expires_at bigint NOT NULL)`
    return {
      load: (id) =>
        Effect.map(
          sql`SELECT state FROM hand WHERE id = ${id} AND expires_at > ${Date.now()}`,
          ([row]) => Option.map(Option.fromNullable(row?.state), JSON.parse)
        ),
      save: (state, id = newId()) =>
        Effect.as(
          sql`INSERT INTO hand (id, state, expires_at) VALUES (${id}, ${JSON.stringify(state)}, ${expiry()})
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, expires_at = excluded.expires_at`,
          id
        )
    }
  })
)

class CurrentSession {
  /** The cookie that led to a session. */
  found = undefined
  /** The state that is to be saved. */
  changed = undefined

  constructor(store, request) {
    this.store = store
    this.request = request
  }

  get() {
    const { id } = this.request.cookies
    return id === undefined ? Effect.succeedNone : Effect.map(this.store.load(id), (state) => {
      this.found = Option.isSome(state) ? id : undefined
      return state
    })
  }

  set(state) {
    return Effect.sync(() => {
      this.changed = state
    })
  }
}

const save = ({ changed, found, store }, response) =>
  Effect.flatMap(store.save(changed, found), (id) =>
    id === found
      ? Effect.succeed(response)
      : HttpServerResponse.setCookie(response, "id", id, { path: "/", httpOnly: true, sameSite: "lax" }))

const withSession = HttpMiddleware.make((app) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) =>
    Effect.flatMap(SessionStore, (store) => {
      const session = new CurrentSession(store, request)
      return Effect.flatMap(Effect.provideService(app, Session, session), (response) =>
        session.changed === undefined ? Effect.succeed(response) : save(session, response))
    }))
)

const ok = HttpServerResponse.text("ok")

const routerOf = (user) =>
  HttpRouter.empty.pipe(
    HttpRouter.get("/seed", Effect.flatMap(Session, (session) => Effect.as(session.set({ counter: 0, user }), ok))),
    HttpRouter.get("/plain", Effect.sync(() => HttpServerResponse.text("ok"))),
    HttpRouter.get(
      "/read",
      Effect.flatMap(Session, (session) =>
        Effect.map(session.get(), (state) =>
          HttpServerResponse.text(Option.isSome(state) ? String(state.value.counter) : "none")))
    ),
    HttpRouter.get(
      "/count",
      Effect.flatMap(Session, (session) =>
        Effect.flatMap(session.get(), (state) => {
          const next = Option.isSome(state) ? { ...state.value, counter: state.value.counter + 1 } : { counter: 1 }
          return Effect.as(session.set(next), HttpServerResponse.text(String(next.counter)))
        }))
    )
  )

const storeOf = (id, databases) => {
  switch (id) {
    case "hand-memory":
      return memoryStore
    case "hand-private":
      return cookieStore(seal, unseal)
    case "hand-signed":
      return cookieStore(sign, unsign)
    case "hand-redis":
      return redisStore(databases.redisUrl)
    case "hand-postgres":
      return Layer.provide(sqlStore, postgresClient(databases))
    case "hand-sqlite":
      return Layer.provide(sqlStore, sqliteClient(databases))
  }
}

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, { stateBytes, ...databases }) => {
  const runtime = ManagedRuntime.make(storeOf(id, databases))
  const handler = await runtime.runPromise(NodeHttpServer.makeHandler(withSession(routerOf(userOf(stateBytes)))))
  return { handler, close: () => runtime.dispose() }
}
