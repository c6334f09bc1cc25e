/**
 * Secrets that were weak, shown, compared badly, or not checked at all.
 */
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { Buffer } from "node:buffer"
import crypto, { createHash } from "node:crypto"
import { readFileSync } from "node:fs"
import { syncBuiltinESMExports } from "node:module"
import { inspect } from "node:util"
import { repeat } from "../support/breathing.js"
import type { WebApp } from "../support/webApp.js"
import { makeWebApp } from "../support/webApp.js"
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
  renew,
  sealed,
  sealedKey,
  settle,
  valueOf
} from "./app.js"
import type { RedisApp } from "./app.js"

/** No verb of the store does anything for this key. */
const isGoneFor = (store: SessionStore.ClockedVerbs, key: SessionKey.SessionKey) =>
  Effect.gen(function*() {
    const change = { ...SessionRecord.noChange, set: new Map([["counter", "666"]]) }
    const lifetime = { ttl: 60_000, maxLifetime: undefined }
    for (
      const verb of [
        store.update(key, change, lifetime),
        store.renew(key, change, lifetime),
        store.updateTtl(key, lifetime)
      ]
    ) {
      assert.strictEqual((yield* verb)._tag, "Gone")
    }
    assert.isFalse(yield* store.delete(key))
    assert.strictEqual((yield* store.load(key))._tag, "Absent")
  })

const securities = ["Private", "Signed"] as const

const secretOf = (key: SessionKey.SessionKey): string => Redacted.value(key.secret)

const refusesKeys = (keys: unknown) => {
  const made = Config.make({ keys: keys as Redacted.Redacted<string> })
  assert(Either.isLeft(made), `accepted ${inspect(keys)}`)
  assert.strictEqual(made.left.option, "keys")
}

const refusesText = (text: string) => refusesKeys(Redacted.make(Buffer.from(text).toString("base64url")))

/** Everything that is in Redis under the app's keys, as one text. */
const dump = ({ keys, redis }: RedisApp) =>
  Effect.flatMap(keys, (keys) =>
    Effect.map(
      Effect.promise(() => Promise.all(keys.map((key) => redis.hgetall(key)))),
      (hashes) => JSON.stringify(keys.map((key, index) => [key, hashes[index]]))
    ))

/** What Redis is sent while `use` runs. */
const commandsDuring = ({ redis }: RedisApp, use: Effect.Effect<unknown>) =>
  Effect.gen(function*() {
    const monitor = yield* Effect.acquireRelease(
      Effect.promise(() => redis.monitor()),
      (monitor) => Effect.sync(() => monitor.disconnect())
    )
    const sent: Array<ReadonlyArray<string>> = []
    monitor.on("monitor", (_time: string, command: ReadonlyArray<string>) => sent.push(command))
    yield* use
    // The monitor has told everything that came before this.
    yield* Effect.promise(async () => {
      await redis.ping("the end")
      while (!sent.some((command) => command.includes("the end"))) {
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    return sent.filter((command) => !command.includes("the end"))
  })

/** The whole life of a session, for who looks over its shoulder. */
const live = (app: WebApp) =>
  Effect.gen(function*() {
    const first = yield* begin(app, loginAs("ferris"))
    yield* app.request(read, first)
    const second = cookieOf(yield* app.request(renew, first))
    yield* app.request(read, first)
    yield* app.request(increment, second)
    yield* app.request(read, `${first}x; ${second}x`)
    yield* app.request(logout, second)
    yield* app.request(read, second)
    return [first, second]
  })

/** A machine whose generator of random numbers fails. */
const withoutRandomness = <A, E, R>(use: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const { randomBytes } = crypto
      setRandomBytes(() => {
        throw new Error("the entropy pool is empty")
      })
      return randomBytes
    }),
    () => use,
    (randomBytes) => Effect.sync(() => setRandomBytes(randomBytes))
  )

const setRandomBytes = (randomBytes: unknown): void => {
  Reflect.set(crypto, "randomBytes", randomBytes)
  syncBuiltinESMExports()
}

const sources = ["src/internal/cookie/cookieSeal.ts", "src/internal/cookie/cookieRs.ts", "src/SessionKey.ts"]

export const secrets: ReadonlyArray<Advisory> = [
  {
    id: "CVE-2026-39324",
    holds: "what does not open with the configured format and policy is tried with no other decoder",
    check: Effect.gen(function*() {
      for (const contentSecurity of securities) {
        const app = yield* cookieApp({ contentSecurity })
        const record = `${SessionKey.mintId()}.{"v":1,"c":0,"e":9007199254740991,"s":{"user":"root"}}`
        const make = (format: CookieCrypto.CookieFormat, contentSecurity: CookieCrypto.ContentSecurity) =>
          CookieCrypto.make({ name: "__Host-id", keys: app.middleware.config.keys, contentSecurity, format }).seal(
            record
          )
        for (
          const value of [
            record,
            encodeURIComponent(record),
            Buffer.from(record).toString("base64"),
            Buffer.from(record).toString("base64url"),
            `s:${record}.${createHash("sha256").update(record).digest("base64")}`,
            make("EffectSession", contentSecurity === "Private" ? "Signed" : "Private"),
            make("CookieRs", "Private"),
            make("CookieRs", "Signed")
          ]
        ) {
          yield* opensNothing(app, `__Host-id=${value}`)
        }
        yield* opens(app, sealed(app, record), { user: "root" })
      }
    })
  },
  {
    id: "CVE-2026-40372",
    holds: "every byte of a sealed value is covered by its check: version, nonce, text and tag",
    check: Effect.gen(function*() {
      for (const contentSecurity of securities) {
        const app = yield* cookieApp({ contentSecurity })
        const cookie = yield* begin(app, loginAs("ferris"))
        const bytes = Buffer.from(valueOf(cookie), "base64url")
        for (let at = 0; at < bytes.length; at++) {
          const turned = Buffer.from(bytes)
          turned[at]! ^= 0x01
          assert.isTrue(Option.isNone(app.middleware.crypto.open(turned.toString("base64url"))))
        }
        yield* opens(app, cookie, { user: "ferris" })
      }
    })
  },
  {
    id: "CVE-2025-47275",
    holds: "a tag has sixteen bytes: a sealed session with a shorter one is refused, whatever is left of it",
    check: Effect.gen(function*() {
      const app = yield* cookieApp()
      const cookie = yield* begin(app, loginAs("ferris"))
      const bytes = Buffer.from(valueOf(cookie), "base64url")
      for (let missing = 1; missing <= 16; missing++) {
        yield* opensNothing(app, `__Host-id=${bytes.subarray(0, bytes.length - missing).toString("base64url")}`)
      }
    })
  },
  {
    id: "CVE-2025-47278",
    holds: "of a ring of keys the first one seals, so that taking the last one away signs nobody out who came since",
    check: Effect.gen(function*() {
      const [newest, older, oldest] = [Config.generateKey(), Config.generateKey(), Config.generateKey()]
      const app = yield* memoryApp({ keys: [newest, older, oldest] })
      const cookie = yield* begin(app)
      const withKeys = (keys: ReadonlyArray<Redacted.Redacted<string>>) =>
        makeWebApp({ config: { keys }, store: Layer.succeed(SessionStore.SessionStore, app.middleware.store) })
      yield* opens(yield* withKeys([newest]), cookie, { counter: 1 })
      yield* opensNothing(yield* withKeys([older, oldest]), cookie)
    })
  },
  {
    id: "CVE-2019-16782",
    holds: "Redis looks a session up by its public id: what is secret is not part of any look-up that could be timed",
    check: Effect.gen(function*() {
      const world = yield* redisApp()
      const cookie = yield* begin(world.app)
      const key = keyIn(world.app, cookie)
      const sent = yield* commandsDuring(world, world.app.request(read, cookie))
      assert.deepStrictEqual(sent, [["hgetall", `${world.prefix}${key.id}`]])
    })
  },
  {
    id: "CVE-2019-25025",
    holds: "a known id with a wrong secret is answered like an unknown id, and its record is not touched",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app)
        const { id } = keyIn(app, cookie)
        const secret = secretOf(keyIn(app, cookie))
        const almost = SessionKey.make(id, `${secret.slice(0, 41)}${secret[41] === "A" ? "B" : "A"}${secret[42]!}`)
        const answers = yield* Effect.forEach(
          [almost, SessionKey.mintSecret(id), SessionKey.mint()],
          (key) => app.request(read, sealedKey(app, key))
        )
        const seen = answers.map(({ body, headers, setCookies, status }) => ({
          status,
          body,
          setCookies,
          headers: [...headers]
        }))
        assert.deepStrictEqual(seen[0], seen[2])
        assert.deepStrictEqual(seen[1], seen[2])
        for (const handler of [increment, renew, logout]) {
          yield* app.request(handler, sealedKey(app, almost))
        }
        // The store refuses by itself as well, without a load before.
        yield* isGoneFor(SessionStore.withClock(app.middleware.store), almost)
        yield* opens(app, cookie, { counter: 1 })
      })
    )
  },
  {
    id: "CVE-2016-1000236",
    holds: "signatures are compared in constant time, and one that is wrong in its last bit is as wrong as any",
    check: Effect.gen(function*() {
      const app = yield* cookieApp({ contentSecurity: "Signed" })
      const bytes = Buffer.from(valueOf(yield* begin(app)), "base64url")
      for (const at of [1, 16, 32]) {
        const turned = Buffer.from(bytes)
        turned[at]! ^= 0x80
        yield* opensNothing(app, `__Host-id=${turned.toString("base64url")}`)
      }
      for (const source of sources) {
        const text = readFileSync(new URL(`../../${source}`, import.meta.url), "utf8")
        assert.include(text, "timingSafeEqual(", source)
        assert.notMatch(text, /(mac|digest|tag|secret)\w*(\.equals\(| ===? )/i, source)
      }
    })
  },
  {
    id: "CVE-2017-14775",
    holds: "secrets of different lengths are told apart without an exception, and without comparing their texts",
    check: Effect.sync(() => {
      const digest = SessionKey.digest(SessionKey.mint())
      for (const other of ["", digest.slice(1), `${digest}A`, digest.replace(/.$/, "é")]) {
        assert.isFalse(SessionKey.digestsEqual(digest, other as SessionKey.SecretDigest))
      }
      assert.isTrue(SessionKey.digestsEqual(digest, `${digest}` as SessionKey.SecretDigest))
    })
  },
  {
    id: "CVE-2015-8125",
    holds: "what is compared is the digest of a secret, so that no prefix of the secret itself ever decides",
    check: Effect.sync(() => {
      const key = SessionKey.mint()
      const secret = secretOf(key)
      const digest = SessionKey.digest(key)
      assert.strictEqual(digest, createHash("sha256").update(secret).digest("base64url"))
      const neighbour = SessionKey.make(key.id, `${secret.slice(0, 42)}${secret[42] === "A" ? "E" : "A"}`)
      // Texts that differ in one character have digests that have nothing in common.
      const same = [...SessionKey.digest(neighbour)].filter((character, at) => character === digest[at])
      assert.isBelow(same.length, 12)
    })
  },
  {
    id: "CVE-2020-26228",
    holds: "a dump of Redis holds no secret of any session, not while it lives and not after its key was renewed",
    check: Effect.gen(function*() {
      const world = yield* redisApp()
      const first = yield* begin(world.app, loginAs("ferris"))
      const before = yield* dump(world)
      const second = cookieOf(yield* world.app.request(renew, first))
      const after = yield* dump(world)
      for (const cookie of [first, second]) {
        const key = keyIn(world.app, cookie)
        for (const secret of [secretOf(key), SessionKey.toText(key), valueOf(cookie)]) {
          assert.notInclude(before + after, secret)
        }
      }
      assert.include(after, keyIn(world.app, second).id)
    })
  },
  {
    id: "CVE-2021-21339",
    holds: "of a secret Redis is told its digest only, by every command there is",
    check: Effect.gen(function*() {
      const world = yield* redisApp()
      let cookies: ReadonlyArray<string> = []
      const sent = yield* commandsDuring(
        world,
        Effect.map(live(world.app), (used) => {
          cookies = used
        })
      )
      const text = JSON.stringify(sent)
      assert.isAbove(sent.length, 5)
      for (const cookie of cookies) {
        const key = keyIn(world.app, cookie)
        assert.notInclude(text, secretOf(key))
        assert.include(text, SessionKey.digest(key))
      }
    })
  },
  {
    id: "CVE-2026-53603",
    holds: "who copies the whole store can open none of its sessions, even with the key that seals cookies",
    check: Effect.gen(function*() {
      const world = yield* redisApp()
      const cookie = yield* begin(world.app, loginAs("ferris"))
      const { id } = keyIn(world.app, cookie)
      for (const part of (yield* dump(world)).match(/[A-Za-z0-9_-]{22,}/g) ?? []) {
        yield* opensNothing(world.app, sealed(world.app, `${id}.${part}`))
        yield* opensNothing(world.app, sealed(world.app, part))
      }
      yield* opens(world.app, cookie, { user: "ferris" })
    })
  },
  {
    id: "CVE-2023-20866",
    holds: "no log line, event or error says a secret, at any level, in the whole life of a session",
    check: onEachServer((outer) =>
      Effect.gen(function*() {
        const logged: Array<string> = []
        const log = Logger.replace(
          Logger.defaultLogger,
          Logger.make(({ annotations, cause, message, spans }) => {
            logged.push(inspect([message, cause, [...annotations], spans], { depth: 12 }))
          })
        )
        const keys = yield* Effect.gen(function*() {
          const app = yield* makeWebApp({ store: Layer.succeed(SessionStore.SessionStore, outer.middleware.store) })
          yield* Effect.forkScoped(
            Stream.runForEach(
              app.middleware.events,
              (event) => Effect.sync(() => logged.push(inspect(event, { depth: 12, showHidden: true })))
            )
          )
          yield* settle
          const cookies = yield* live(app)
          yield* settle
          yield* Effect.logTrace("the end of it")
          logged.push(inspect(app.middleware.config, { depth: 12, showHidden: true }))
          return cookies.map((cookie) => keyIn(app, cookie))
        }).pipe(Effect.scoped, Effect.provide(log), Logger.withMinimumLogLevel(LogLevel.All))
        assert.include(logged.join(), "KeyRefused")
        assert.include(logged.join(), "the end of it")
        for (const key of keys) {
          assert.notInclude(logged.join("\n"), secretOf(key))
          assert.notInclude(inspect(key, { depth: 12, showHidden: true }), secretOf(key))
          assert.notInclude(JSON.stringify(key), secretOf(key))
        }
      })
    )
  },
  {
    id: "CVE-2020-17526",
    holds: "there is no default key: without one of your own no middleware is made",
    check: Effect.gen(function*() {
      assert.notProperty(Config.defaults, "keys")
      for (const keys of [undefined, null, [], "", Redacted.make("")]) {
        refusesKeys(keys)
      }
      const exit = yield* Effect.exit(
        Effect.scoped(Layer.build(
          Layer.provide(SessionMiddleware.layer({} as Config.SessionOptions), MemorySessionStore.layer())
        ))
      )
      assert.strictEqual(exit._tag, "Failure")
    })
  },
  {
    id: "CVE-2023-27524",
    holds: "keys that somebody typed, and those that stand in every tutorial, are refused",
    check: Effect.sync(() => {
      for (
        const text of [
          "thisismyscretkey",
          "CHANGE_ME_TO_A_COMPLEX_RANDOM_SECRET",
          "\u0002\u0001thisismyscretkey\u0001\u0002\\e\\y\\y\\h",
          "keyboard cat",
          "secretsecretsecretsecretsecretsecret",
          "password".repeat(8),
          "0123456789".repeat(7),
          "a".repeat(64)
        ]
      ) {
        refusesKeys(Redacted.make(text))
        if (Buffer.byteLength(text) < 32 || new Set(text).size < 12) {
          refusesText(text)
        }
      }
    })
  },
  {
    id: "CVE-2024-6535",
    holds: "two apps that were set up the same way have nothing in common that opens a session",
    check: Effect.gen(function*() {
      assert.notStrictEqual(Redacted.value(Config.generateKey()), Redacted.value(Config.generateKey()))
      const [one, two] = [yield* cookieApp(), yield* cookieApp()]
      yield* opensNothing(two, yield* begin(one, loginAs("root")))
    })
  },
  {
    id: "CVE-2019-5420",
    holds: "the settings for development bring no key along, not even one made from the app's name",
    check: Effect.sync(() => {
      for (const preset of [Config.development, Config.actixDefaults, Config.defaults]) {
        const { lifecycle: { onKeyReuse: _, ...lifecycle }, ...rest } = {
          lifecycle: Config.BrowserSession(),
          ...preset
        }
        assert.notInclude(JSON.stringify({ ...rest, lifecycle }).toLowerCase(), "key")
        const made = Config.make(preset as unknown as Config.SessionOptions)
        assert(Either.isLeft(made))
        assert.strictEqual(made.left.option, "keys")
      }
    })
  },
  {
    id: "RUSTSEC-2024-0343",
    holds: "each character of a key is any of the sixty-four with the same chance",
    check: Effect.promise(async () => {
      const drawn = 20_000
      const counts = Array.from({ length: 66 }, () => new Map<string, number>())
      await repeat(drawn, () => {
        const text = SessionKey.toText(SessionKey.mint())
        for (let at = 0; at < 66; at++) {
          counts[at]!.set(text[at]!, (counts[at]!.get(text[at]!) ?? 0) + 1)
        }
      })
      counts.forEach((byCharacter, at) => {
        // The last character of a half carries two bits, or four; between the halves stands a dot.
        const size = at === 22 ? 1 : at === 21 ? 4 : at === 65 ? 16 : 64
        assert.strictEqual(byCharacter.size, size, `place ${at}`)
        for (const count of byCharacter.values()) {
          // Eight standard deviations: not once in the lifetime of a universe by chance.
          const expected = drawn / size
          assert.isBelow(Math.abs(count - expected), 1 + 8 * Math.sqrt(expected), `place ${at}`)
        }
      })
    })
  },
  {
    id: "CVE-2024-52801",
    holds: "nothing about a session's key follows from the keys before it, or from what is in the session",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const keys = yield* Effect.forEach(
          Array.from({ length: 100 }),
          () => Effect.map(begin(app, loginAs("ferris")), (cookie) => SessionKey.toText(keyIn(app, cookie)))
        )
        for (const half of [(text: string) => text.slice(0, 22), (text: string) => text.slice(23)]) {
          assert.strictEqual(new Set(keys.map(half)).size, keys.length)
          // Counters and clocks would show as prefixes in common.
          assert.isAbove(new Set(keys.map((key) => half(key).slice(0, 6))).size, 95)
        }
      })
    )
  },
  {
    id: "CVE-2019-10911",
    holds: "name and text are apart under the seal: no value means the same under a name that ends where it begins",
    check: Effect.sync(() => {
      for (const contentSecurity of securities) {
        const keys = [Redacted.make(new Uint8Array(64).map((_, at) => at))] as const
        const make = (name: string) => CookieCrypto.make({ name, keys, contentSecurity })
        const bytes = Buffer.from(make("id").seal("entity"), "base64url")
        for (const [name, cut] of [["ident", 3], ["iden", 2], ["i", 0]] as const) {
          const moved = Buffer.concat([bytes.subarray(0, 33), bytes.subarray(33 + cut)])
          assert.isTrue(Option.isNone(make(name).open(moved.toString("base64url"))))
          assert.isTrue(Option.isNone(make(name).open(bytes.toString("base64url"))))
        }
      }
    })
  },
  {
    id: "CVE-2024-51996",
    holds: "the secret of one session opens no other, though both halves are genuine",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const mine = yield* begin(app, loginAs("attacker"))
        const theirs = yield* begin(app, loginAs("ferris"))
        const mixed = SessionKey.make(keyIn(app, theirs).id, secretOf(keyIn(app, mine)))
        yield* opensNothing(app, sealedKey(app, mixed))
        yield* app.request(logout, sealedKey(app, mixed))
        yield* opens(app, theirs, { user: "ferris" })
      })
    )
  },
  {
    id: "illuminate/cookie 2020-07-27",
    holds: "what was sealed for one cookie opens under no other name, with either policy and the same key",
    check: Effect.gen(function*() {
      for (const contentSecurity of securities) {
        const keys = Config.generateKey()
        const preferences = yield* cookieApp({ keys, contentSecurity, cookie: { name: "__Host-my" } })
        const sessions = yield* cookieApp({ keys, contentSecurity })
        const value = valueOf(yield* begin(preferences, loginAs("root")))
        yield* opens(preferences, `__Host-my=${value}`, { user: "root" })
        yield* opensNothing(sessions, `__Host-id=${value}`)
      }
    })
  },
  {
    id: "CVE-2025-66630",
    holds: "where the system has no randomness to give, no session begins, least of all one under a key of zeros",
    check: onEachServer((app) =>
      Effect.gen(function*() {
        const cookie = yield* begin(app)
        const [begun, renewed] = yield* withoutRandomness(
          Effect.all([app.request(increment), app.request(renew, cookie)])
        )
        assert.deepStrictEqual([begun.status, begun.setCookies], [500, []])
        assert.deepStrictEqual([renewed.status, renewed.setCookies], [500, []])
        yield* opens(app, cookie, { counter: 1 })
      })
    )
  }
]
