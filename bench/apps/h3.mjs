/**
 * h3 on Node with its `useSession`.
 */
import { H3, toNodeHandler, useSession } from "h3"
import { bareAnswers, password, ttlSeconds, userOf } from "./contract.mjs"

/** @type {ReadonlyArray<import("./contract.mjs").Variant>} */
export const variants = [
  { id: "h3", title: "h3", store: "none", packages: ["h3"] },
  {
    id: "h3-session",
    title: "h3 useSession",
    store: "cookie",
    seal: "encrypted",
    packages: ["h3"],
    isExplicit: true,
    note: "nothing of it runs unless a handler calls it; derives a key with 8192 rounds per cookie"
  }
]

const config = { password, maxAge: ttlSeconds, cookie: { path: "/", httpOnly: true, sameSite: "lax", secure: false } }

/** @type {import("./contract.mjs").App["open"]} */
export const open = async (id, { stateBytes }) => {
  const app = new H3()
  if (id === "h3") {
    for (const [path, answer] of Object.entries(bareAnswers)) {
      app.get(path, () => answer)
    }
  } else {
    const user = userOf(stateBytes)
    app.get("/seed", async (event) => {
      const session = await useSession(event, config)
      await session.update({ counter: 0, user })
      return "ok"
    })
    app.get("/plain", () => "ok")
    app.get("/read", async (event) => String((await useSession(event, config)).data.counter))
    app.get("/count", async (event) => {
      const session = await useSession(event, config)
      await session.update((data) => ({ ...data, counter: data.counter + 1 }))
      return String(session.data.counter)
    })
  }
  return { handler: toNodeHandler(app), close: async () => {} }
}
