/**
 * express with express-session (memory, Redis through connect-redis) and cookie-session, as their documentation
 * recommends: nothing is saved that did not change, nothing rolls.
 */
import Database from "better-sqlite3"
import connectPgSimple from "connect-pg-simple"
import { RedisStore } from "connect-redis"
import { RedisStore as RedisStore8 } from "connect-redis-8"
import cookieSession from "cookie-session"
import express from "express"
import expressSession from "express-session"
import sqliteStore from "express-session-better-sqlite3"
import { Redis } from "ioredis"
import { randomUUID } from "node:crypto"
import { join } from "node:path"
import pg from "pg"
import { createClient } from "redis"
import { bareAnswers, password, ttlSeconds, userOf } from "./contract.mjs"

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { id: "express", title: "express", store: "none", packages: ["express"] },
  { id: "express-session-memory", title: "express-session, memory", store: "memory", packages: ["express-session"] },
  {
    id: "connect-redis-10",
    title: "express-session, connect-redis 10",
    store: "redis",
    packages: ["express-session", "connect-redis", "redis"]
  },
  {
    id: "connect-redis-8",
    title: "express-session, connect-redis 8",
    store: "redis",
    packages: ["express-session", "connect-redis-8", "ioredis"],
    note: "the last that takes ioredis"
  },
  {
    id: "connect-pg-simple",
    title: "express-session, connect-pg-simple",
    store: "postgres",
    packages: ["express-session", "connect-pg-simple", "pg"],
    note: "it writes the expiry with every request that has a session, whether it was changed or not"
  },
  {
    id: "express-session-better-sqlite3",
    title: "express-session-better-sqlite3",
    store: "sqlite",
    packages: ["express-session", "express-session-better-sqlite3", "better-sqlite3"],
    note: "it keeps no expiry in the table, and no row is ever removed that was not destroyed"
  },
  { id: "cookie-session", title: "cookie-session", store: "cookie", seal: "signed", packages: ["cookie-session"] }
]

const sessionOptions = {
  secret: password,
  resave: false,
  saveUninitialized: false,
  rolling: false,
  cookie: { maxAge: ttlSeconds * 1000, httpOnly: true, sameSite: "lax" }
}

const middlewareOf = async (id, { folder, postgresUrl, redisUrl }) => {
  switch (id) {
    case "express-session-memory":
      return { middleware: expressSession(sessionOptions) }
    case "connect-redis-10": {
      const client = createClient({ url: redisUrl })
      await client.connect()
      const store = new RedisStore({ client, ttl: ttlSeconds })
      return { middleware: expressSession({ ...sessionOptions, store }), close: () => client.destroy() }
    }
    case "connect-redis-8": {
      const client = new Redis(redisUrl, { enableAutoPipelining: true })
      const store = new RedisStore8({ client, ttl: ttlSeconds })
      return { middleware: expressSession({ ...sessionOptions, store }), close: () => client.disconnect() }
    }
    case "connect-pg-simple": {
      const pool = new pg.Pool({ connectionString: postgresUrl, max: 10 })
      const PgStore = connectPgSimple(expressSession)
      const store = new PgStore({ pool, createTableIfMissing: true, ttl: ttlSeconds })
      return {
        middleware: expressSession({ ...sessionOptions, store }),
        close: async () => {
          await store.close()
          await pool.end()
        }
      }
    }
    case "express-session-better-sqlite3": {
      const client = new Database(join(folder, `express-${randomUUID()}.db`))
      client.pragma("journal_mode = WAL")
      const SqliteStore = sqliteStore(expressSession, client)
      const store = new SqliteStore()
      return { middleware: expressSession({ ...sessionOptions, store }), close: () => client.close() }
    }
    case "cookie-session":
      return {
        middleware: cookieSession({
          name: "session",
          keys: [password],
          maxAge: ttlSeconds * 1000,
          httpOnly: true,
          sameSite: "lax"
        })
      }
  }
}

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, { stateBytes, ...databases }) => {
  const app = express()
  app.set("env", "production")
  app.disable("x-powered-by")
  app.disable("etag")
  if (id === "express") {
    for (const [path, answer] of Object.entries(bareAnswers)) {
      app.get(path, (_request, response) => response.send(answer))
    }
    return { handler: app, close: async () => {} }
  }
  const user = userOf(stateBytes)
  const { close, middleware } = await middlewareOf(id, databases)
  app.use(middleware)
  app.get("/seed", (request, response) => {
    request.session.counter = 0
    request.session.user = user
    response.send("ok")
  })
  app.get("/plain", (_request, response) => response.send("ok"))
  app.get("/read", (request, response) => response.send(String(request.session.counter)))
  app.get("/count", (request, response) => {
    request.session.counter += 1
    response.send(String(request.session.counter))
  })
  return { handler: app, close: async () => close?.() }
}
