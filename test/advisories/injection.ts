/**
 * Input that was run, deserialized into objects, or taken for a part of a path, a protocol or a prototype.
 */
import { assert } from "@effect/vitest"
import type * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import { randomUUID } from "node:crypto"
import type { WebApp } from "../support/webApp.js"
import { handle } from "../support/webApp.js"
import type { Advisory } from "./advisory.js"
import {
  begin,
  cookieApp,
  cookieOf,
  increment,
  keyIn,
  loginAs,
  logout,
  memoryApp,
  onEachServer,
  opens,
  opensNothing,
  read,
  redisApp,
  sealed,
  stateBehind
} from "./app.js"

const marker = () => (globalThis as { readonly hasRun?: unknown }).hasRun

/** Serialized objects as PHP, Ruby, Python, Java and node-serialize write them, each of which would run something. */
const gadgets: ReadonlyArray<string> = [
  "O:8:\"stdClass\":1:{s:3:\"cmd\";s:2:\"id\";}",
  "\u0004\b[\u0006o:\u000bObject\u0000",
  "\u0080\u0004\u0095cos\nsystem\n(S'id'\ntR.",
  Buffer.from("aced0005737200116a6176612e7574696c2e486173684d6170", "hex").toString("latin1"),
  "{\"rce\":\"_$$ND_FUNC$$_function(){globalThis.hasRun=true}()\"}",
  "function(){globalThis.hasRun=true}()",
  "!!js/function 'globalThis.hasRun=true'"
]

/** What names a file, a pattern or a command to somebody, where a session id should be. */
const paths: ReadonlyArray<string> = [
  ...["../../../../etc/passwd", "..\\..\\..\\x", "/dev/stdin", "file:///etc/hosts", "....//....//", "%2e%2e%2f"],
  ...["*", "?", "[a-z]*", "session:*", "a\u0000b", "CON", "~", "$(id)", "{id}", "\r\nFLUSHALL\r\n"]
]

const rootState = { user: "ferris", "\r\nSET x 1\r\n": "crlf", "'; FLUSHALL": "quote", "__proto__": "own", "": "empty" }

const refusesPaths = (app: WebApp) =>
  Effect.gen(function*() {
    const secret = "A".repeat(43)
    for (const path of paths) {
      for (const text of [path, `${path}.${secret}`, `${path.padEnd(22, "x").slice(0, 22)}.${secret}`]) {
        const cookie = sealed(app, text)
        app.calls.length = 0
        yield* opensNothing(app, cookie)
        yield* app.request(logout, cookie)
        assert.deepStrictEqual(app.calls, [], JSON.stringify(text))
      }
    }
  })

/** A session with this value under a key is what a reader with a Schema gets, or a typed error. */
const decodes = (app: WebApp, cookie: string) =>
  app.request(
    handle((session) =>
      Effect.match(session.get("a", Schema.Struct({ name: Schema.String })), {
        onFailure: ({ reason }) => reason,
        onSuccess: () => "decoded"
      })
    ),
    cookie
  )

const hasNoPollution = Effect.sync(() => {
  const fresh: Record<string, unknown> = {}
  assert.isUndefined(fresh["isAdmin"])
  assert.isUndefined(marker())
  assert.strictEqual(Object.getPrototypeOf(fresh), Object.prototype)
})

export const injection: ReadonlyArray<Advisory> = [
  {
    id: "CVE-2017-1000248",
    holds: "whatever somebody else put into Redis is read as text and as JSON, never as an object of the program",
    check: Effect.gen(function*() {
      const { app, prefix, redis } = yield* redisApp()
      for (const gadget of gadgets) {
        const cookie = yield* begin(app)
        const key = `${prefix}${keyIn(app, cookie).id}`
        yield* Effect.promise(() => redis.hset(key, "=a", gadget))
        assert.strictEqual((yield* decodes(app, cookie)).body, "DecodeFailed")
        yield* Effect.promise(() => redis.hset(key, gadget, "1"))
        yield* opensNothing(app, cookie)
        yield* Effect.promise(() => redis.del(key))
        yield* Effect.promise(() => redis.set(key, gadget))
        yield* opensNothing(app, cookie)
      }
      assert.isUndefined(marker())
    })
  },
  {
    id: "CVE-2018-15133",
    holds: "whoever holds the key that seals cookies can forge a session with it, and run nothing",
    check: Effect.gen(function*() {
      for (const app of [yield* memoryApp(), yield* cookieApp()]) {
        for (const gadget of gadgets) {
          yield* opensNothing(app, sealed(app, gadget))
          yield* opensNothing(app, sealed(app, `${SessionKey.mintId()}.${gadget}`))
        }
      }
      assert.isUndefined(marker())
    })
  },
  {
    id: "illuminate 2018-08-08",
    holds: "a value that was forged into a sealed session is no more than JSON: a Schema decides what it may be",
    check: Effect.gen(function*() {
      const app = yield* cookieApp()
      for (const gadget of [...gadgets.map((gadget) => JSON.stringify(gadget)), "{\"name\":{}}", "[]", "null"]) {
        const forged = sealed(app, `${SessionKey.mintId()}.{"v":1,"c":0,"e":60000,"s":{"a":${gadget}}}`)
        assert.strictEqual((yield* decodes(app, forged)).body, "DecodeFailed")
      }
      assert.isUndefined(marker())
    })
  },
  {
    id: "CVE-2020-9484",
    holds: "no part of a cookie names a file or anything else that a store would open",
    check: onEachServer(refusesPaths)
  },
  {
    id: "CVE-2025-24813",
    holds: "what lies under a session's Redis key but is no record of ours is not restored, only refused",
    check: Effect.gen(function*() {
      const { app, prefix, redis } = yield* redisApp()
      const cookie = yield* begin(app)
      const key = `${prefix}${keyIn(app, cookie).id}`
      yield* Effect.promise(() => redis.hset(key, "sessionAttr:user", "\u00ac\u00ed\u0000\u0005t\u0000\u0004root"))
      yield* opensNothing(app, cookie)
      const told = yield* app.request(increment, cookie)
      yield* opens(app, cookieOf(told), { counter: 1 })
    })
  },
  {
    id: "CVE-2025-61686",
    holds: "an id that climbs out of its folder is no id: it costs no store call, under our seal or without it",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        yield* refusesPaths(app)
        app.calls.length = 0
        for (const path of paths) {
          yield* opensNothing(app, `__Host-id=${encodeURIComponent(path)}`)
        }
        assert.deepStrictEqual(app.calls, [])
      })
    )
  },
  {
    id: "CVE-2018-18925",
    holds: "what a session is called has exactly one form, and two dots in a row are no part of it",
    check: Effect.sync(() => {
      for (const path of paths) {
        for (const text of [path, path.padEnd(22, ".").slice(0, 22), path.padStart(22, ".").slice(-22)]) {
          assert.isFalse(SessionKey.isSessionId(text), text)
        }
      }
      assert.isTrue(SessionKey.isSessionId(SessionKey.mintId()))
    })
  },
  {
    id: "CVE-2024-3400 (gorilla FilesystemStore)",
    holds: "a session that is saved lies under the id that the server drew, whatever the client called it",
    check: Effect.gen(function*() {
      const { app, keys, prefix } = yield* redisApp()
      for (const path of paths) {
        const header = `__Host-id=${encodeURIComponent(path)}; SESSID=/../../../opt/x; __Host-id.path=${
          encodeURIComponent(path)
        }`
        yield* app.request(increment, header)
      }
      const stored = yield* keys
      assert.strictEqual(stored.length, paths.length)
      for (const key of stored) {
        assert.isTrue(SessionKey.isSessionId(key.slice(prefix.length)), key)
      }
    })
  },
  {
    id: "CVE-2026-25480",
    holds: "no two keys of a session fall together: not by case, by Unicode form, by length or by what joins them",
    check: Effect.gen(function*() {
      const keys = [
        "é",
        "e\u0301",
        "E",
        "e",
        "ﬁ",
        "fi",
        "ａ",
        "a",
        "a:b",
        "a::b",
        "a b",
        "a\u00a0b",
        "a.b",
        "a/b",
        "K",
        "\u212a",
        "",
        " "
      ]
      const state = Object.fromEntries(keys.map((key, index) => [key, index]))
      const write = handle((session) =>
        Effect.forEach(keys, (key, index) => session.insert(key, Schema.Number, index), { discard: true })
      )
      for (const app of [yield* memoryApp(), (yield* redisApp()).app, yield* cookieApp()]) {
        yield* opens(app, yield* begin(app, write), state)
      }
    })
  },
  {
    id: "CVE-2026-31865",
    holds: "a cookie called __proto__ overrides no other, and a session value called so is a value like any other",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app, loginAs("ferris"))
        for (const name of ["__proto__", "constructor", "prototype", "__proto__[__Host-id]", "__proto__.__Host-id"]) {
          const hostile = `${name}=${cookie.slice("__Host-id=".length)}`
          yield* opensNothing(app, hostile)
          yield* opens(app, `${hostile}; ${cookie}`, { user: "ferris" })
          yield* opens(app, `${cookie}; ${hostile}`, { user: "ferris" })
        }
        yield* hasNoPollution
      })
    )
  },
  {
    id: "CVE-2023-26136",
    holds: "keys and values that name prototypes come back from each store as they went, and pollute nothing",
    check: Effect.gen(function*() {
      const hostile = JSON.parse(
        "{\"__proto__\":{\"isAdmin\":true},\"constructor\":{\"prototype\":{\"isAdmin\":true}}}"
      ) as object
      const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty", "valueOf"]
      const write = handle((session) =>
        Effect.forEach(names, (name) => session.insert(name, Schema.Unknown, hostile), { discard: true })
      )
      const all = handle((session) => Effect.map(session.entries, (entries) => [...entries]))
      for (const app of [yield* memoryApp(), (yield* redisApp()).app, yield* cookieApp()]) {
        const { body } = yield* app.request(all, yield* begin(app, write))
        const found = (body as ReadonlyArray<unknown>).map((entry) => JSON.stringify(entry))
        assert.sameMembers(found, names.map((name) => JSON.stringify([name, hostile])))
      }
      yield* hasNoPollution
    })
  },
  {
    id: "connect-pg-simple",
    holds: "the one name that an app gives to its storage, the prefix, is never a part of a command or a script",
    check: Effect.gen(function*() {
      const bystander = yield* redisApp()
      const kept = yield* begin(bystander.app)
      for (
        const hostile of [
          "'; DROP TABLE session; --",
          "\"] redis.call('FLUSHALL') --[[",
          "\r\nFLUSHALL\r\n",
          "{}*?[a] %"
        ]
      ) {
        const prefix = `${randomUUID()}${hostile}`
        const { app, keys } = yield* redisApp({}, prefix)
        const cookie = yield* begin(app, loginAs("ferris"))
        yield* app.request(increment, cookie)
        yield* opens(app, cookie, { counter: 1, user: "ferris" })
        assert.deepStrictEqual(yield* keys, [`${prefix}${keyIn(app, cookie).id}`])
        yield* app.request(logout, cookie)
        assert.deepStrictEqual(yield* keys, [])
      }
      yield* opens(bystander.app, kept, { counter: 1 })
      assert.strictEqual(RedisSessionStore.defaults.prefix, "session:")
    })
  },
  {
    id: "memcached injection (CRLF in a session key)",
    holds: "line breaks and commands of a protocol in keys and values stay what they are, and Redis runs none of them",
    check: Effect.gen(function*() {
      const { app, keys, redis } = yield* redisApp()
      const write = handle((session) =>
        Effect.forEach(Object.entries(rootState), ([key, value]) => session.insert(key, Schema.String, value), {
          discard: true
        })
      )
      const before = yield* Effect.promise(() => redis.dbsize())
      const cookie = yield* begin(app, write)
      yield* opens(app, cookie, rootState)
      assert.strictEqual((yield* keys).length, 1)
      assert.strictEqual(yield* Effect.promise(() => redis.dbsize()), before + 1)
      const octal = cookie.replace("__Host-id=", "__Host-id=\"\\015\\012") + "\""
      app.calls.length = 0
      yield* opensNothing(app, octal)
      assert.deepStrictEqual(app.calls, [])
      assert.deepStrictEqual(yield* stateBehind(app, cookie), rootState)
      const removed = yield* app.request(
        handle((session: Session.Session) => session.remove("\r\nSET x 1\r\n")),
        cookie
      )
      assert.strictEqual(removed.status, 200)
      assert.notProperty(yield* stateBehind(app, cookie), "\r\nSET x 1\r\n")
      assert.deepStrictEqual((yield* app.request(read, cookie)).setCookies, [])
    })
  }
]
