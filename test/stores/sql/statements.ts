import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { watched, watchStatements } from "../../support/watchedStatements.js"
import { Counter, handle, type Handler, makeWebApp, User } from "../../support/webApp.js"
import { type Group, openWorld } from "./world.js"

const untouched: Handler = Effect.succeed(HttpServerResponse.empty())

export const statements: Group = (name, database) => {
  describe("statements", () => {
    it.scopedLive("none where a session is not touched, one to read, one more to write", () =>
      Effect.gen(function*() {
        const { sql, store, table } = yield* openWorld(database)
        const watch = watchStatements(name, sql)
        const app = yield* makeWebApp({ store: Layer.succeed(SessionStore.SessionStore, store) })
        const browser = app.browser()
        const during = (handler: Handler) =>
          Effect.map(watch(table, browser.visit(handler)), (all) => all.map((one) => one.slice(0, one.indexOf(" "))))
        assert.deepStrictEqual(yield* during(handle((session) => session.insert(Counter, 1))), ["INSERT"])
        assert.deepStrictEqual(yield* during(untouched), [])
        assert.deepStrictEqual(yield* during(handle((session) => session.get(Counter))), ["SELECT"])
        assert.deepStrictEqual(
          yield* during(handle((session) => Effect.all([session.entries, session.get(User), session.expiresAt]))),
          ["SELECT"]
        )
        assert.deepStrictEqual(yield* during(handle((session) => session.insert(Counter, 1))), ["SELECT"])
        for (
          const write of [
            handle((session) => session.insert(User, "ada")),
            handle((session) => session.update(Counter, (n) => n + 1)),
            handle((session) => Effect.zipRight(session.insert(User, "grace"), session.renew)),
            handle((session) => session.remove(User))
          ]
        ) {
          assert.deepStrictEqual(yield* during(write), ["SELECT", "UPDATE"])
        }
        assert.deepStrictEqual(
          yield* during(handle((session) => Effect.zipRight(session.get(Counter), session.purge))),
          ["DELETE", "SELECT"]
        )
      }).pipe(watched))

    it.scopedLive("strangers cost none, whatever their cookies hold", () =>
      Effect.gen(function*() {
        const { sql, store, table } = yield* openWorld(database)
        const app = yield* makeWebApp({ store: Layer.succeed(SessionStore.SessionStore, store) })
        const cookies = ["", "__Host-id=junk", "__Host-id=", "other=1"]
        const visits = Effect.forEach(cookies, (cookie) => app.request(handle((session) => session.entries), cookie))
        assert.deepStrictEqual(yield* watchStatements(name, sql)(table, visits), [])
      }).pipe(watched))
  })
}
