/**
 * express with express-session (memory, Redis through connect-redis) and cookie-session, as their documentation
 * recommends: nothing is saved that did not change, nothing rolls.
 */
import { RedisStore } from "connect-redis"
import { RedisStore as RedisStore8 } from "connect-redis-8"
import cookieSession from "cookie-session"
import express from "express"
import expressSession from "express-session"
import { Redis } from "ioredis"
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
  { id: "cookie-session", title: "cookie-session", store: "cookie", seal: "signed", packages: ["cookie-session"] }
]

const sessionOptions = {
  secret: password,
  resave: false,
  saveUninitialized: false,
  rolling: false,
  cookie: { maxAge: ttlSeconds * 1000, httpOnly: true, sameSite: "lax" }
}

const middlewareOf = async (id, redisUrl) => {
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
export const open = async (id, { redisUrl, stateBytes }) => {
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
  const { close, middleware } = await middlewareOf(id, redisUrl)
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
