/**
 * Faults of the same kind that were found by reading other libraries and about which no advisory is known.
 */
import * as Cookies from "@effect/platform/Cookies"
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { handle } from "../support/webApp.js"
import type { Advisory } from "./advisory.js"
import {
  begin,
  cookieOf,
  keyIn,
  loginAs,
  logout,
  onEachServer,
  opens,
  opensNothing,
  redisApp,
  valueOf,
  whileInFlight
} from "./app.js"

export const noAdvisory: ReadonlyArray<Advisory> = [
  {
    id: "scs: time to live of zero or below",
    holds: "a session whose time is already over is never kept for ever: Redis is always told an end",
    check: Effect.gen(function*() {
      const { app, keys, redis } = yield* redisApp()
      const store = SessionStore.withClock(app.middleware.store)
      for (const ttl of [0, -1, -60_000, 60_000]) {
        const { key } = yield* store.save(new Map([["a", "1"]]), { ttl, maxLifetime: undefined })
        assert.strictEqual((yield* store.load(key))._tag, ttl > 0 ? "Live" : "Absent")
      }
      const { key } = yield* store.save(new Map([["a", "1"]]), { ttl: 60_000, maxLifetime: undefined })
      yield* store.update(key, SessionRecord.noChange, { ttl: -1, maxLifetime: undefined })
      assert.strictEqual((yield* store.load(key))._tag, "Absent")
      // -1 is what Redis says of a key that it keeps for ever.
      for (const redisKey of yield* keys) {
        assert.notStrictEqual(yield* Effect.promise(() => redis.pttl(redisKey)), -1)
      }
      for (const ttl of [0, -1, "0 seconds"] as const) {
        const made = Config.make({ keys: Config.generateKey(), lifecycle: Config.BrowserSession({ ttl }) })
        assert.strictEqual(made._tag, "Left")
      }
    })
  },
  {
    id: "actix-session: a destroyed state under a new id",
    holds:
      "a change that comes too late for its session is dropped and answered with 409: no new session and no cookie carry it on",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      const cookie = yield* begin(app, loginAs("ferris"))
      const work = handle((session) => session.update("user", Schema.String, (user) => `${user}!`))
      const late = yield* whileInFlight(app, cookie, work, app.request(logout, cookie))
      assert.deepStrictEqual([late.status, late.body, late.setCookies], [409, undefined, []])
      assert.deepStrictEqual(yield* keys, [])
    })
  },
  {
    id: "effect Cookies.parseHeader: U+00A0 before a name",
    holds: "a cookie whose name begins with a no-break space is not ours, though the platform's own reader trims it",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const attackers = yield* begin(app, loginAs("attacker"))
        const victims = yield* begin(app, loginAs("ferris"))
        const tossed = `\u00a0${attackers}`
        assert.strictEqual(Cookies.parseHeader(`${tossed}; ${victims}`)["__Host-id"], valueOf(attackers))
        yield* opensNothing(app, tossed)
        yield* opens(app, `${tossed}; ${victims}`, { user: "ferris" })
        yield* opens(app, `${victims}; ${tossed}`, { user: "ferris" })
      })
    )
  },
  {
    id: "spring-session#2021",
    holds: "no write leaves half a record: of a session that is gone not one field comes back",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      const store = SessionStore.withClock(app.middleware.store)
      const minute = { ttl: 60_000, maxLifetime: undefined }
      const change = { ...SessionRecord.noChange, set: new Map([["a", "1"]]), unset: new Set(["b"]) }
      for (const verb of ["update", "renew", "updateTtl", "delete"] as const) {
        const { key } = yield* store.save(new Map([["b", "1"]]), minute)
        yield* store.delete(key)
        yield* verb === "updateTtl"
          ? store.updateTtl(key, minute)
          : verb === "delete"
          ? store.delete(key)
          : store[verb](key, change, minute)
      }
      assert.deepStrictEqual(yield* keys, [])
    })
  },
  {
    id: "spring-session#2809",
    holds:
      "a record of which fields are missing opens no session, and does not stop its browser from beginning another",
    check: Effect.gen(function*() {
      const { app, prefix, redis } = yield* redisApp()
      for (const field of ["v", "digest", "createdAt", "expiresAt"]) {
        const cookie = yield* begin(app, loginAs("ferris"))
        yield* Effect.promise(() => redis.hdel(`${prefix}${keyIn(app, cookie).id}`, field))
        yield* opensNothing(app, cookie)
        const answer = yield* app.request(loginAs("ferris"), cookie)
        assert.strictEqual(answer.status, 200)
        yield* opens(app, cookieOf(answer), { user: "ferris" })
        assert.isTrue(SessionKey.isSessionId(keyIn(app, cookieOf(answer)).id))
      }
    })
  }
]
