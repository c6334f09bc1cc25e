/**
 * Secrets are planted in an app, and looked for in everything that it prints: in normal use and in each way to fail.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as SessionConfig from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Redis } from "ioredis"
import type { TcpProxy } from "../faults/tcpProxy.js"
import { silence, tcpProxy } from "../faults/tcpProxy.js"
import { report } from "../support/figures.js"
import { handTimers, heldLimit } from "../support/handTimers.js"
import type { RunningRedis } from "../support/redisServer.js"
import { redisServer } from "../support/redisServer.js"
import type { Answer, Handler, WebApp } from "../support/webApp.js"
import { Counter, handle, makeWebApp, User } from "../support/webApp.js"
import type { Printed } from "./printed.js"
import { makePrinted } from "./printed.js"
import type { Vault } from "./vault.js"
import { makeVault, unique } from "./vault.js"

/** An app whose secrets are all in the vault. */
interface Planted {
  readonly vault: Vault
  readonly printed: Printed
  readonly app: WebApp
  /** Makes a request with the cookie of the one browser, and plants the cookie and the key that come back. */
  readonly visit: (handler: Handler) => Effect.Effect<Answer>
  readonly cookieHeader: () => string
  /** A session value that was not there before. */
  readonly value: () => string
}

const plantApp = (
  vault: Vault,
  printed: Printed,
  store: Layer.Layer<SessionStore.SessionStore, unknown>,
  wrap?: (store: SessionStore.SessionStore) => SessionStore.SessionStore
): Effect.Effect<Planted, never, Scope.Scope> =>
  Effect.gen(function*() {
    const keys = ["the newest ring key", "an older ring key"].map((name) =>
      Redacted.make(vault.plantKey(name, Redacted.value(SessionConfig.generateKey())))
    )
    const app = yield* makeWebApp({
      store,
      config: { keys, storeTimeout: "300 millis" },
      ...wrap === undefined ? {} : { wrap }
    })
    const browser = app.browser()
    yield* Effect.forkScoped(
      Stream.runForEach(app.middleware.events, (event) => Effect.sync(() => printed.print("event", event)))
    )
    const { name } = app.middleware.config.cookie
    return {
      vault,
      printed,
      app,
      cookieHeader: browser.cookie,
      value: () => vault.plant("a session value", unique("value")),
      visit: (handler) =>
        Effect.tap(browser.visit(handler), (answer) =>
          Effect.sync(() => {
            const sealed = browser.jar.get(name)
            if (answer.setCookies.length > 0 && sealed !== undefined) {
              vault.plant("a sealed cookie", sealed)
              const text = Option.getOrThrow(app.middleware.crypto.open(sealed)).plaintext
              vault.plant("the secret half of a key", text.slice(text.indexOf(".") + 1))
            }
          }))
    }
  })

const nothingFound = ({ printed, vault }: { readonly printed: Printed; readonly vault: Vault }) => {
  const places = printed.places()
  const found = Array.from(places).flatMap(([place, text]) => vault.findIn(text).map((secret) => `${place}: ${secret}`))
  assert.deepStrictEqual(Array.from(new Set(found)), [])
  return { places: places.size, bytes: Array.from(places.values()).reduce((sum, text) => sum + text.length, 0) }
}

/** A handler that prints its session, before and after, and then fails or not. */
const printing = (
  printed: Printed,
  operation: (session: Session.Session) => Effect.Effect<unknown, unknown>
): Handler =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    printed.print("the session, untouched", session)
    yield* operation(session)
    printed.print("the session, used", session)
    yield* Effect.log("the session", session)
    yield* Effect.logDebug(session)
    return HttpServerResponse.empty()
  })

/** A handler whose operation fails; the failure is printed, and the response is what the platform makes of it. */
const failing = (
  printed: Printed,
  what: string,
  operation: (session: Session.Session) => Effect.Effect<unknown, unknown>
): Handler =>
  Effect.flatMap(Session.Session, (session) => Effect.flatten(printed.printFailure(what, operation(session))))

const normalUse = (planted: Planted) =>
  Effect.gen(function*() {
    const { app, cookieHeader, printed, value, visit } = planted
    const uses: ReadonlyArray<(session: Session.Session) => Effect.Effect<unknown, unknown>> = [
      (session) => session.insert(User, value()),
      (session) => session.get(User),
      (session) => session.updateOr("other", Schema.String, value(), () => value()),
      (session) => session.update("other", Schema.String, () => value()),
      (session) => session.entries,
      (session) => Effect.zipRight(session.insert(User, value()), session.renew),
      (session) => Effect.all([session.id, session.createdAt, session.expiresAt, session.status]),
      (session) => session.remove("other"),
      (session) => Effect.zipRight(session.insert("other", Schema.String, value()), session.clear),
      (session) => Effect.zipRight(session.purge, session.insert(User, value()))
    ]
    for (const use of uses) {
      const answer = yield* visit(printing(printed, use))
      assert.strictEqual(answer.status, 204)
    }
    const stale = cookieHeader()
    yield* visit(printing(printed, (session) => session.renew))
    for (const cookie of [stale, `${stale}; ${cookieHeader()}`, `${stale}x`, `${stale.slice(0, 30)}`]) {
      yield* app.request(printing(printed, (session) => session.insert(User, value())), cookie)
    }
    yield* visit(printing(printed, (session) => session.purge))
    const key = SessionKey.mint()
    planted.vault.plant("the secret half of a key", Redacted.value(key.secret))
    printed.print("a session key", key)
    printed.print("the middleware", app.middleware)
    printed.print("the configuration", app.middleware.config)
    printed.print("the crypto", app.middleware.crypto)
    printed.print("the store", app.middleware.store)
    yield* Effect.log("the middleware", app.middleware)
  })

const handlerFailures = (planted: Planted) =>
  Effect.gen(function*() {
    const { printed, value, visit } = planted
    yield* visit(handle((session) => session.insert(User, value())))
    const unsuitable = Schema.String.pipe(Schema.pattern(/^never$/), Schema.annotations({ identifier: "Unsuitable" }))
    const notJson = Schema.Any
    const failures: Readonly<Record<string, (session: Session.Session) => Effect.Effect<unknown, unknown>>> = {
      "a value that does not decode": (session) => session.get(User.key, Schema.Number),
      "a value that breaks a rule": (session) => session.get(User.key, unsuitable),
      "a value that does not update": (session) => session.update(User.key, Schema.Number, (n) => n + 1),
      "a value that is removed and does not decode": (session) => session.removeAs(User.key, Schema.Number),
      "a value that does not encode": (session) => session.insert(User.key, unsuitable, value()),
      "a value that is no JSON": (session) => session.insert(User.key, notJson, { [value()]: () => value() }),
      "a value that is a big number": (session) => session.insert(User.key, notJson, BigInt(`0x${value().slice(6)}`))
    }
    for (const [what, operation] of Object.entries(failures)) {
      yield* visit(handle((session) => session.insert(User, value())))
      assert.strictEqual((yield* visit(failing(printed, what, operation))).status, 500)
    }
    // A fiber that outlives its handler.
    let late: Session.Session | undefined
    yield* visit(handle((session) =>
      Effect.sync(() => {
        late = session
      })
    ))
    yield* printed.printFailure("a late write", late!.insert(User, value()))
    printed.print("a session that was committed", late)
  })

describe("a search for secrets", () => {
  it.scopedLive("finds each one that is printed, in whatever way", () =>
    Effect.gen(function*() {
      const vault = makeVault()
      const printed = makePrinted()
      const value = vault.plant("the value", unique("value"))
      const key = vault.plantKey("the key", Redacted.value(SessionConfig.generateKey()))
      const bytes = Buffer.from(key, "base64url")
      const quoted = vault.plant("the quoted", `"${unique("a \"value\" in <quotes>")}`)
      yield* Effect.log("look", value).pipe(Effect.provide(printed.layer))
      for (const place of ["plain", "logfmt", "JSON", "structured, inspected", "pretty"]) {
        assert.isNotEmpty(vault.findIn(printed.places().get(`log, ${place}`)!), place)
      }
      const ways: ReadonlyArray<unknown> = [
        { deep: { in: [{ an: new Map([[value, 1]]) }] } },
        new Error(value),
        new Error("outer", { cause: new Error(value) }),
        Object.assign(new Error("outer"), { command: { args: [value] } }),
        bytes,
        new Uint8Array(bytes),
        bytes.toString("hex"),
        bytes.toString("base64"),
        { bytes },
        encodeURIComponent(quoted),
        { quoted },
        Buffer.from(value).toString("base64"),
        `${value.slice(0, 20)}…`
      ]
      for (const way of ways) {
        printed.clear()
        printed.print("a way", way)
        assert.isNotEmpty(Array.from(printed.places().values()).flatMap(vault.findIn), String(way))
      }
      printed.clear()
      yield* printed.printFailure("a failure", Effect.fail({ hidden: value }))
      yield* Effect.fail(new Error(value)).pipe(Effect.withSpan("span"), Effect.exit, Effect.provide(printed.layer))
      assert.isNotEmpty(vault.findIn(printed.places().get("a failure, inspected")!))
      assert.isNotEmpty(vault.findIn(printed.places().get("span, its failure, pretty")!))
    }))
})

describe("no secret is printed", () => {
  const inMemory: Readonly<Record<string, Layer.Layer<SessionStore.SessionStore, unknown>>> = {
    memory: MemorySessionStore.layer(),
    cookie: CookieSessionStore.layer
  }
  for (const [name, store] of Object.entries(inMemory)) {
    it.scopedLive(`by an app that keeps sessions in the ${name}, in use and when a handler fails`, () => {
      const vault = makeVault()
      const printed = makePrinted()
      return Effect.gen(function*() {
        const planted = yield* plantApp(vault, printed, store)
        yield* normalUse(planted)
        yield* handlerFailures(planted)
        if (name === "cookie") {
          const { value, visit } = planted
          const large = vault.plant("a large value", value().repeat(200))
          assert.strictEqual((yield* visit(handle((session) => session.insert(User, large)))).status, 500)
        }
        report(`Secrets looked for, ${name}`, { "planted": vault.size(), ...nothingFound(planted), "found": 0 })
      }).pipe(Effect.provide(printed.layer))
    })
  }

  it.scopedLive("by an app whose commits cannot be carried out", () => {
    const vault = makeVault()
    const printed = makePrinted()
    return Effect.gen(function*() {
      let conflicts = false
      let dies = false
      const planted = yield* plantApp(vault, printed, MemorySessionStore.layer(), (store) => ({
        ...store,
        update: (key, change, lifetime, now) =>
          dies
            ? Effect.die(new Error("the store has a bug"))
            : conflicts
            ? Effect.flatMap(Effect.orDie(store.load(key, now)), (result) => {
              assert(result._tag === "Live")
              return Effect.delay(
                Effect.succeed(SessionStore.WriteResult.Conflict({ found: result.record.state })),
                "50 millis"
              )
            })
            : store.update(key, change, lifetime, now)
      }))
      const { value, visit } = planted
      const rewrite = handle((session) => session.updateOr(User, value(), () => value()))
      yield* visit(rewrite)
      conflicts = true
      assert.strictEqual((yield* visit(rewrite)).status, 503)
      dies = true
      assert.strictEqual((yield* visit(rewrite)).status, 500)
      nothingFound(planted)
    }).pipe(Effect.provide(printed.layer))
  })

  it.scopedLive("by wrong configuration", () => {
    const vault = makeVault()
    const printed = makePrinted()
    const badKeys = [
      vault.plant("a short key", unique("short").slice(0, 30)),
      vault.plant("a key that is none", `${unique("no key")} !${"x".repeat(60)}`),
      vault.plant("a key with padding", `${Redacted.value(SessionConfig.generateKey())}==`)
    ]
    const good = Redacted.value(SessionConfig.generateKey())
    vault.plantKey("a good key", good)
    const password = vault.plant("a password", unique("password"))
    const badUrls = [
      `redis://user:${password}@host:port`,
      `http://user:${password}@host`,
      `redis://user:${password}@host/db?x=${password}`,
      `redis://user:${password}@`,
      `${password}@host`,
      `redis://user:%zz${password}@host`
    ]
    const env = (entries: Record<string, string>) => ConfigProvider.fromMap(new Map(Object.entries(entries)))
    const memory = MemorySessionStore.layer()
    return Effect.gen(function*() {
      for (const text of badKeys) {
        for (const keys of [Redacted.make(text), [Redacted.make(good), Redacted.make(text)]]) {
          const made = SessionMiddleware.make({ keys }).pipe(Effect.provide(memory))
          yield* printed.printFailure("a bad key", made)
        }
        const fromEnv = Layer.build(Layer.provide(SessionMiddleware.layerConfig(SessionConfig.fromEnv), memory)).pipe(
          Effect.withConfigProvider(env({ SESSION_KEYS: `${good},${text}` })),
          Effect.scoped
        )
        yield* printed.printFailure("a bad key in the environment", fromEnv)
      }
      for (const url of badUrls) {
        yield* printed.printFailure("a bad URL", Effect.scoped(RedisSessionStore.make({ url })))
        const fromEnv = Layer.build(RedisSessionStore.layerConfig({ url: Config.redacted("REDIS_URL") })).pipe(
          Effect.withConfigProvider(env({ REDIS_URL: url })),
          Effect.scoped
        )
        yield* printed.printFailure("a bad URL in the environment", fromEnv)
      }
      nothingFound({ printed, vault })
    }).pipe(Effect.provide(printed.layer))
  })
})

interface PlantedRedis {
  readonly server: RunningRedis
  readonly proxy: TcpProxy
  readonly admin: Redis
  readonly store: Layer.Layer<SessionStore.SessionStore, unknown>
}

const plantRedis = (vault: Vault, args: ReadonlyArray<string> = []): Effect.Effect<PlantedRedis, never, Scope.Scope> =>
  Effect.gen(function*() {
    const password = vault.plant("the password of Redis", unique("password"))
    const server = yield* redisServer({ args: ["--requirepass", password, ...args] })
    const proxy = yield* tcpProxy(server.port)
    const admin = yield* Effect.acquireRelease(
      Effect.sync(() => new Redis(server.url, { password }).on("error", () => {})),
      (admin) => Effect.sync(() => admin.disconnect())
    )
    const store = RedisSessionStore.layer({ url: `redis://:${password}@127.0.0.1:${proxy.port}`, timeout: heldLimit })
    return { server, proxy, admin, store }
  })

/** Calls every verb of the store and prints what it fails with. */
const storeFailures = ({ app, printed, value }: Planted, key: SessionKey.SessionKey) => {
  const store = SessionStore.withClock(app.middleware.store)
  const state = new Map([["user", JSON.stringify(value())]])
  const lifetime = { ttl: 60_000, maxLifetime: undefined }
  const change = { set: state, unset: new Set<string>(), expect: new Map([["user", JSON.stringify(value())]]) }
  return Effect.forEach(
    [
      store.load(key),
      store.save(state, lifetime),
      store.update(key, change, lifetime),
      store.updateTtl(key, lifetime),
      store.renew(key, change, lifetime),
      store.delete(key)
    ] as ReadonlyArray<Effect.Effect<unknown, SessionStore.SessionStoreError>>,
    (call) =>
      Effect.matchEffect(call, {
        onFailure: (error) => printed.printFailure("a store call", Effect.fail(error)),
        onSuccess: () => Effect.void
      }),
    { discard: true }
  )
}

describe("no secret is printed by an app on Redis", () => {
  interface Trouble {
    readonly args?: ReadonlyArray<string>
    /** Whether nothing but their time limit ends its calls. */
    readonly hangs?: boolean
    readonly begin: (redis: PlantedRedis, planted: Planted) => Effect.Effect<unknown>
  }

  const onEachKey = (admin: Redis, change: (key: string) => Promise<unknown>) =>
    Effect.promise(async () => {
      for (const key of await admin.keys("*")) {
        await change(key)
      }
    })

  // An app that starts before its Redis does not know yet what that Redis lacks.
  const appear = ({ proxy }: PlantedRedis, { app }: Planted) =>
    Effect.zipRight(
      proxy.accept,
      Effect.repeat(
        Effect.zipLeft(
          Effect.either(SessionStore.withClock(app.middleware.store).load(SessionKey.mint())),
          Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
        ),
        { while: (loaded) => Either.isLeft(loaded) && loaded.left.message.includes("there is no connection") }
      )
    )

  const troubles: Readonly<Record<string, Trouble>> = {
    "in normal use": { begin: () => Effect.void },
    "that refuses connections": { begin: ({ proxy }) => proxy.refuse },
    "that is silent": { hangs: true, begin: ({ proxy }) => proxy.behave(silence) },
    "that was killed": { begin: ({ server }) => server.kill9() },
    "that is full": { begin: ({ admin }) => Effect.promise(() => admin.config("SET", "maxmemory", "1")) },
    "that became a replica": {
      begin: ({ admin }) => Effect.promise(() => admin.call("REPLICAOF", "127.0.0.1", "1") as Promise<unknown>)
    },
    "that has another password": {
      begin: ({ admin }) =>
        Effect.promise(async () => {
          await admin.config("SET", "requirepass", "another")
          await admin.client("KILL", "TYPE", "normal", "SKIPME", "yes")
        })
    },
    "that does not permit scripts": {
      begin: ({ admin }) => Effect.promise(() => admin.acl("SETUSER", "default", "-evalsha", "-eval"))
    },
    "that does not permit to read": {
      begin: ({ admin }) => Effect.promise(() => admin.acl("SETUSER", "default", "-hgetall", "-hmget"))
    },
    "that knows no scripts": {
      args: ["--rename-command", "EVALSHA", "", "--rename-command", "EVAL", ""],
      begin: appear
    },
    "that knows no hashes": { args: ["--rename-command", "HGETALL", ""], begin: appear },
    "that holds something else": {
      begin: ({ admin }, { value }) => onEachKey(admin, (key) => admin.set(key, value()))
    },
    "that holds records with a strange field": {
      begin: ({ admin }, { value }) => onEachKey(admin, (key) => admin.hset(key, value(), value()))
    },
    "that holds records of another version": {
      begin: ({ admin }, { value }) => onEachKey(admin, (key) => admin.hset(key, "v", value()))
    },
    "that holds records with broken times": {
      begin: ({ admin }, { value }) => onEachKey(admin, (key) => admin.hset(key, "expiresAt", value()))
    },
    "that holds values that are no JSON": {
      begin: ({ admin }, { value }) => onEachKey(admin, (key) => admin.hset(key, "=user", value()))
    }
  }

  for (const [title, { args = [], begin, hangs = false }] of Object.entries(troubles)) {
    it.scopedLive(title, () => {
      const vault = makeVault()
      const printed = makePrinted()
      return Effect.gen(function*() {
        const timers = yield* handTimers
        const ended: typeof timers.elapsing = hangs ? timers.elapsing : (calls) => calls
        const redis = yield* plantRedis(vault, args)
        if (args.length > 0) {
          yield* printed.printFailure("a Redis that lacks commands", Effect.scoped(Layer.build(redis.store)))
          yield* redis.proxy.refuse
        }
        // It starts without its Redis where that one is refused to it.
        const starting = plantApp(vault, printed, redis.store)
        const planted = yield* (args.length > 0 ? timers.elapsing(starting) : starting)
        const { app, cookieHeader, value, visit } = planted
        const inNormalUse = title === "in normal use"
        if (inNormalUse) {
          yield* normalUse(planted)
          yield* handlerFailures(planted)
        } else {
          yield* visit(handle((session) => session.insert(User, value())))
        }
        yield* begin(redis, planted)
        const header = cookieHeader()
        const opened = Option.flatMap(
          app.middleware.crypto.open(header.slice(header.indexOf("=") + 1)),
          ({ plaintext }) => SessionKey.fromText(plaintext)
        )
        yield* ended(storeFailures(planted, Option.getOrElse(opened, SessionKey.mint)))
        const operations: ReadonlyArray<(session: Session.Session) => Effect.Effect<unknown, unknown>> = [
          (session) => session.get(User),
          (session) => session.insert(User, value()),
          (session) => session.updateOr(User, value(), () => value()),
          (session) => Effect.zipRight(session.insert(Counter, 1), session.renew),
          (session) => session.purge
        ]
        for (const operation of operations) {
          yield* ended(visit(
            printing(printed, (session) =>
              Effect.catchAllCause(operation(session), (cause) =>
                Effect.zipRight(
                  Effect.logError("an operation", cause),
                  Effect.sync(() => printed.print("an operation", cause))
                )))
          ))
          yield* ended(visit(Effect.as(Effect.flatMap(Session.Session, operation), HttpServerResponse.empty())))
        }
        const searched = nothingFound(planted)
        if (inNormalUse) {
          report("Secrets looked for, Redis", { "planted": vault.size(), ...searched, "found": 0 })
        }
      }).pipe(Effect.provide(printed.layer))
    })
  }
})
