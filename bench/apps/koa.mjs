/**
 * koa with koa-session: its own cookie, and an external store, which here is a Map of JSON texts, since it brings none.
 */
import Koa from "koa"
import session from "koa-session"
import { bareAnswers, password, ttlSeconds, userOf } from "./contract.mjs"

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { id: "koa", title: "koa", store: "none", packages: ["koa"] },
  {
    id: "koa-session-memory",
    title: "koa-session, a Map as store",
    store: "memory",
    packages: ["koa-session"],
    note: "it brings no memory store; this one keeps JSON text and does not watch expiry"
  },
  { id: "koa-session-cookie", title: "koa-session", store: "cookie", seal: "signed", packages: ["koa-session"] }
]

const mapStore = () => {
  const sessions = new Map()
  return {
    get: async (key) => {
      const text = sessions.get(key)
      return text === undefined ? undefined : JSON.parse(text)
    },
    set: async (key, value) => {
      sessions.set(key, JSON.stringify(value))
    },
    destroy: async (key) => {
      sessions.delete(key)
    }
  }
}

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, { stateBytes }) => {
  const app = new Koa()
  app.keys = [password]
  if (id === "koa") {
    app.use((context) => {
      context.body = bareAnswers[context.path]
    })
    return { handler: app.callback(), close: async () => {} }
  }
  const user = userOf(stateBytes)
  const store = id === "koa-session-memory" ? { store: mapStore() } : {}
  app.use(session({ key: "session", maxAge: ttlSeconds * 1000, sameSite: "lax", ...store }, app))
  app.use((context) => {
    switch (context.path) {
      case "/seed":
        context.session.counter = 0
        context.session.user = user
        context.body = "ok"
        break
      case "/read":
        context.body = String(context.session.counter)
        break
      case "/count":
        context.session.counter += 1
        context.body = String(context.session.counter)
        break
      default:
        context.body = "ok"
    }
  })
  return { handler: app.callback(), close: async () => {} }
}
