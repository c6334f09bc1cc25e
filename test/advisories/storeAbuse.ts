/**
 * Requests that fill the store, the memory or the processor of a server.
 */
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type { WebApp } from "../support/webApp.js"
import { handle } from "../support/webApp.js"
import type { Advisory } from "./advisory.js"
import {
  begin,
  cookieApp,
  increment,
  logout,
  memoryApp,
  opens,
  opensNothing,
  read,
  redisApp,
  renew,
  sealed,
  sealedKey
} from "./app.js"

const attempts = 300

const megabyte = 1_000_000

/** A header of a megabyte, before and behind the true cookie, leaves that what it is. */
const isReadDespite = (filling: string) =>
  Effect.gen(function*() {
    const app = yield* memoryApp()
    const cookie = yield* begin(app)
    const bulk = filling.repeat(Math.ceil(megabyte / filling.length))
    yield* opens(app, `${bulk};${cookie}`, { counter: 1 })
    yield* opens(app, `${cookie};${bulk}`, { counter: 1 })
    yield* opensNothing(app, bulk.trim())
  })

const costsNothing = (app: WebApp, header: string) =>
  Effect.gen(function*() {
    app.calls.length = 0
    for (const handler of [read, renew]) {
      const answer = yield* app.request(handler, header)
      assert.deepStrictEqual([answer.status, answer.setCookies], [200, []])
    }
    assert.deepStrictEqual(app.calls, [])
  })

const refusesTtl = (ttl: Config.LifecycleOptions["ttl"]) => {
  const made = Config.make({ keys: Config.generateKey(), lifecycle: Config.PersistentSession({ ttl }) })
  assert(Either.isLeft(made))
  assert.strictEqual(made.left.option, "lifecycle.ttl")
}

export const storeAbuse: ReadonlyArray<Advisory> = [
  {
    id: "CVE-2015-5143",
    holds: "visitors who bring keys that nobody issued leave no record in Redis, however many they are",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      yield* Effect.forEach(
        Array.from({ length: attempts }),
        () => app.request(read, sealedKey(app, SessionKey.mint())),
        { concurrency: 16, discard: true }
      )
      assert.strictEqual(app.calls.length, attempts)
      assert.deepStrictEqual(yield* keys, [])
    })
  },
  {
    id: "CVE-2015-5963",
    holds: "a logout page that anybody may call creates no record",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      for (const cookie of [undefined, "__Host-id=forged", sealedKey(app, SessionKey.mint())]) {
        yield* Effect.forEach(Array.from({ length: 50 }), () => app.request(logout, cookie))
      }
      assert.deepStrictEqual(yield* keys, [])
    })
  },
  {
    id: "CVE-2015-5964",
    holds: "clearing, renewing, or taking back what was just written creates no record for a visitor without a session",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      for (
        const handler of [
          handle((session) => session.clear),
          renew,
          handle((session) => Effect.zipRight(session.insert("a", Schema.Number, 1), session.remove("a"))),
          handle((session) => Effect.zipRight(session.insert("a", Schema.Number, 1), session.purge))
        ]
      ) {
        for (const cookie of [undefined, sealedKey(app, SessionKey.mint())]) {
          yield* app.request(handler, cookie)
        }
      }
      assert.deepStrictEqual(yield* keys, [])
    })
  },
  {
    id: "CVE-2016-4423",
    holds: "a value longer than its Schema allows is a typed error that stores nothing, and a cookie has its own limit",
    check: Effect.gen(function*() {
      const { app, keys } = yield* redisApp()
      const Name = Session.entry("name", Schema.String.pipe(Schema.maxLength(200)))
      const huge = "x".repeat(megabyte)
      const answer = yield* app.request(handle((session) => Effect.flip(session.insert(Name, huge))))
      assert.strictEqual((answer.body as { readonly reason: string }).reason, "EncodeFailed")
      assert.deepStrictEqual(yield* keys, [])
      const inCookie = yield* (yield* cookieApp()).request(
        handle((session) => session.insert("name", Schema.String, huge))
      )
      assert.deepStrictEqual([inCookie.status, inCookie.setCookies], [500, []])
    })
  },
  {
    id: "CVE-2017-18589",
    holds: "a life that no date can hold is refused when the configuration is made, and nothing panics",
    check: Effect.sync(() => {
      for (const ttl of [Infinity, "401 days", Number.MAX_VALUE, 2 ** 63, "999999999999999999999 days"] as const) {
        refusesTtl(ttl as Config.LifecycleOptions["ttl"])
      }
    })
  },
  {
    id: "RUSTSEC-2017-0005",
    holds: "the longest life that is accepted is written as the Max-Age that browsers accept",
    check: Effect.gen(function*() {
      const app = yield* memoryApp({ lifecycle: Config.PersistentSession({ ttl: "400 days" }) })
      assert.match((yield* app.request(increment)).setCookies[0]!, /; Max-Age=34560000;/)
    })
  },
  {
    id: "CVE-2025-58186",
    holds: "a request with a quarter of a million cookies is read in one pass, and its true cookie is found",
    check: isReadDespite("a=1;")
  },
  {
    id: "CVE-2026-40303",
    holds: "no cookie says how many others there are: a count in a value makes nobody allocate anything",
    check: Effect.gen(function*() {
      const app = yield* memoryApp()
      for (const count of ["chunks-999999999", "chunks:4294967295", "999999999"]) {
        yield* costsNothing(app, `__Host-id=${count}`)
        yield* costsNothing(app, `__Host-id=${app.middleware.crypto.seal(count)}; __Host-idC1=x; __Host-id.0=x`)
      }
    })
  },
  {
    id: "CVE-2026-25899",
    holds: "no length that stands in a value is believed: what announces four gigabytes is refused like any garbage",
    check: Effect.gen(function*() {
      const app = yield* cookieApp()
      // The heads of a msgpack map, array and binary of 2^32 - 1 members, bare and under the first byte of our format.
      for (const head of ["dfffffffff", "ddffffffff", "c6ffffffff"]) {
        for (const first of ["", "11", "12"]) {
          yield* costsNothing(app, `__Host-id=${Buffer.from(`${first}${head}`, "hex").toString("base64url")}`)
        }
        yield* costsNothing(app, sealed(app, Buffer.from(head, "hex").toString("latin1")))
      }
    })
  },
  {
    id: "CVE-2016-1000232",
    holds: "a megabyte of blanks, equals signs or semicolons takes no longer than a megabyte of anything else",
    check: Effect.forEach([" ", "=", ";", "; ", " ;=", "a \t"], isReadDespite, { discard: true })
  },
  {
    id: "CVE-2024-7592",
    holds: "a megabyte of backslashes and quotes is not unescaped, once or many times over",
    check: Effect.forEach(["\\", "\"", "a=\"\\\"", "\\073"], isReadDespite, { discard: true })
  }
]
