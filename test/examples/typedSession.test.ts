import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { visitor } from "./cookieJar.js"
import { runExample } from "./exampleProcess.js"

describe("typed session example", () => {
  it.scopedLive("keeps each field by itself, shows each notice once, and ends all but the farewell with a logout", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("typedSession.ts")
      const { copy, cookie, send } = visitor(url)
      const home = Effect.map(send("GET /"), (reply) => reply.json())
      const fresh = { visits: 1, user: "nobody", theme: "light", cart: [], notices: [] }

      assert.deepStrictEqual(yield* home, fresh)
      for (const step of ["/cart/tea", "/cart/milk", "/theme"]) {
        const reply = yield* send(`POST ${step}`)
        assert.strictEqual(reply.status, 303)
        assert.strictEqual(reply.headers.get("location"), "/")
      }
      const notices = ["tea is in your cart", "milk is in your cart", "It is dark now"]
      const filled = { user: "nobody", theme: "dark", cart: ["tea", "milk"] }
      assert.deepStrictEqual(yield* home, { ...filled, visits: 2, notices })
      assert.deepStrictEqual(yield* home, { ...filled, visits: 3, notices: [] })

      const anonymous = cookie()
      yield* send("POST /login/ferris")
      assert.notStrictEqual(cookie(), anonymous)
      assert.deepStrictEqual(yield* home, { ...filled, user: "ferris", visits: 4, notices: ["Welcome, ferris"] })

      const stolen = copy()
      yield* send("POST /logout")
      assert.deepStrictEqual(yield* home, { ...fresh, notices: ["You are signed out"] })
      // It would count the visit of somebody who has just left.
      assert.strictEqual((yield* stolen.send("GET /")).status, 409)
    }))

  it.scopedLive("puts everything into the cart that is put there at the same time", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("typedSession.ts")
      const { send } = visitor(url)
      yield* send("GET /")
      const items = Array.from({ length: 20 }, (_, i) => `item${i}`)
      yield* Effect.forEach(items, (item) => send(`POST /cart/${item}`), { concurrency: "unbounded" })
      const { cart, notices } = (yield* send("GET /")).json() as Record<"cart" | "notices", Array<string>>
      assert.deepStrictEqual(cart.sort(), [...items].sort())
      assert.deepStrictEqual(notices.sort(), items.map((item) => `${item} is in your cart`).sort())
    }))
})
