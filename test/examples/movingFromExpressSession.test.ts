import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHmac } from "node:crypto"
import { visitor } from "./cookieJar.js"
import { runExample } from "./exampleProcess.js"

/** The value of a cookie as express-session sets it. */
const sign = (sid: string, secret: string): string => {
  const signature = createHmac("sha256", secret).update(sid).digest("base64").replace(/=+$/, "")
  return encodeURIComponent(`s:${sid}.${signature}`)
}

const sid = "nQ4vJ0zC8mXw2LrTq7YbKd5sHf1GpEau"

const withOldCookie = (url: string, value: string) => visitor(url, new Map([["connect.sid", value]]))

const expectSeen = (user: ReturnType<typeof visitor>, seen: { readonly user: string; readonly views: number }) =>
  Effect.map(user.send("GET /"), (reply) => {
    assert.deepStrictEqual(reply.json(), seen)
    return reply
  })

describe("moving from express-session", () => {
  it("signs as the package cookie-signature does", () => {
    // The example in that package's own description.
    assert.strictEqual(sign("hello", "tobiiscool"), "s%3Ahello.DGDUkGlIkCzPz%2BC0B064FNgHdEjox7ch8tOBGslZ5QI")
  })

  it.scopedLive("a visitor with an old cookie stays signed in, gets a new cookie and loses the old one", () =>
    Effect.gen(function*() {
      const { output, printed, url } = yield* runExample("movingFromExpressSession.ts")
      yield* printed(/connect\.sid=.*\n/)
      assert.include(output().stdout, `connect.sid=${sign(sid, "keyboard cat")}\n`)
      const user = withOldCookie(url, sign(sid, "keyboard cat"))
      const other = user.copy()
      const { headers } = yield* expectSeen(user, { user: "ferris", views: 42 })
      const expired = headers.getSetCookie().find((line) => line.startsWith("connect.sid="))
      assert.match(expired ?? "", /^connect\.sid=; Max-Age=0; Path=\/;/)
      assert.match(user.cookie(), /^id=[\w-]+$/)
      yield* expectSeen(user, { user: "ferris", views: 43 })
      yield* expectSeen(other, { user: "nobody", views: 1 })
    }))

  it.scopedLive("an old cookie that is forged, of another secret or of no session signs nobody in", () =>
    Effect.gen(function*() {
      const { url } = yield* runExample("movingFromExpressSession.ts")
      const refused = [
        sign(sid, "another secret"),
        sign(sid, "keyboard cat").slice(0, -1),
        sign(sid, "keyboard cat").replace("s%3A", ""),
        sign("unknown", "keyboard cat"),
        encodeURIComponent(`s:${sid}.`),
        "s%3A",
        ""
      ]
      for (const value of refused) {
        yield* expectSeen(withOldCookie(url, value), { user: "nobody", views: 1 })
      }
      yield* expectSeen(withOldCookie(url, sign(sid, "keyboard cat")), { user: "ferris", views: 42 })
    }))
})
