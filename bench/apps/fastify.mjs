/**
 * fastify with @fastify/session (memory, Redis through a store of express-session) and @fastify/secure-session.
 */
import fastifyCookie from "@fastify/cookie"
import secureSession from "@fastify/secure-session"
import fastifySession from "@fastify/session"
import { RedisStore } from "connect-redis-8"
import fastify from "fastify"
import { Redis } from "ioredis"
import { randomBytes } from "node:crypto"
import { bareAnswers, password, ttlSeconds, userOf } from "./contract.mjs"

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { id: "fastify", title: "fastify", store: "none", packages: ["fastify"] },
  {
    id: "fastify-session-memory",
    title: "@fastify/session, memory",
    store: "memory",
    packages: ["@fastify/session", "@fastify/cookie"]
  },
  {
    id: "fastify-session-redis",
    title: "@fastify/session, connect-redis 8",
    store: "redis",
    packages: ["@fastify/session", "@fastify/cookie", "connect-redis-8", "ioredis"]
  },
  {
    id: "secure-session",
    title: "@fastify/secure-session",
    store: "cookie",
    seal: "encrypted",
    packages: ["@fastify/secure-session"],
    note: "XSalsa20-Poly1305 in native code"
  }
]

const sessionOptions = {
  secret: password,
  saveUninitialized: false,
  rolling: false,
  cookie: { maxAge: ttlSeconds * 1000, httpOnly: true, sameSite: "lax", secure: false }
}

const register = async (app, id, redisUrl) => {
  switch (id) {
    case "fastify-session-memory":
      await app.register(fastifyCookie)
      await app.register(fastifySession, sessionOptions)
      break
    case "fastify-session-redis": {
      const client = new Redis(redisUrl, { enableAutoPipelining: true })
      await app.register(fastifyCookie)
      await app.register(fastifySession, { ...sessionOptions, store: new RedisStore({ client, ttl: ttlSeconds }) })
      app.addHook("onClose", async () => client.disconnect())
      break
    }
    case "secure-session":
      await app.register(secureSession, {
        key: randomBytes(32),
        expiry: ttlSeconds,
        cookie: { path: "/", maxAge: ttlSeconds, httpOnly: true, sameSite: "lax" }
      })
      break
  }
}

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, { redisUrl, stateBytes }) => {
  const app = fastify()
  if (id === "fastify") {
    for (const [path, answer] of Object.entries(bareAnswers)) {
      app.get(path, (_request, reply) => reply.send(answer))
    }
  } else {
    const user = userOf(stateBytes)
    await register(app, id, redisUrl)
    app.get("/seed", (request, reply) => {
      request.session.set("counter", 0)
      request.session.set("user", user)
      reply.send("ok")
    })
    app.get("/plain", (_request, reply) => reply.send("ok"))
    app.get("/read", (request, reply) => reply.send(String(request.session.get("counter"))))
    app.get("/count", (request, reply) => {
      const counter = request.session.get("counter") + 1
      request.session.set("counter", counter)
      reply.send(String(counter))
    })
  }
  await app.ready()
  return { handler: app.routing, close: () => app.close() }
}
