/**
 * hono on its Node server with hono-sessions: its memory store, whose cookie is the bare id, and its cookie store.
 */
import { getRequestListener } from "@hono/node-server"
import { Hono } from "hono"
import { CookieStore, MemoryStore, sessionMiddleware } from "hono-sessions"
import { bareAnswers, password, ttlSeconds, userOf } from "./contract.mjs"

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { id: "hono", title: "hono", store: "none", packages: ["hono", "@hono/node-server"] },
  {
    id: "hono-sessions-memory",
    title: "hono-sessions, memory",
    store: "memory",
    packages: ["hono-sessions"],
    note: "the cookie is the bare id; without a cookie it stores a session for every request"
  },
  {
    id: "hono-sessions-cookie",
    title: "hono-sessions, cookie",
    store: "cookie",
    seal: "encrypted",
    packages: ["hono-sessions"]
  }
]

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, { stateBytes }) => {
  const app = new Hono()
  if (id === "hono") {
    for (const [path, answer] of Object.entries(bareAnswers)) {
      app.get(path, (context) => context.text(answer))
    }
  } else {
    const user = userOf(stateBytes)
    app.use(
      "*",
      sessionMiddleware({
        ...(id === "hono-sessions-cookie"
          ? { store: new CookieStore(), encryptionKey: password }
          : { store: new MemoryStore() }),
        expireAfterSeconds: ttlSeconds,
        autoExtendExpiration: false,
        cookieOptions: { path: "/", httpOnly: true, sameSite: "Lax" }
      })
    )
    app.get("/seed", (context) => {
      const session = context.get("session")
      session.set("counter", 0)
      session.set("user", user)
      return context.text("ok")
    })
    app.get("/plain", (context) => context.text("ok"))
    app.get("/read", (context) => context.text(String(context.get("session").get("counter"))))
    app.get("/count", (context) => {
      const session = context.get("session")
      const counter = session.get("counter") + 1
      session.set("counter", counter)
      return context.text(String(counter))
    })
  }
  return { handler: getRequestListener(app.fetch), close: async () => {} }
}
