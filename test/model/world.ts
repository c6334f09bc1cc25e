/**
 * The real app of one run, told apart by the same numbers as the model: sessions, keys of the ring, cookies.
 */
import * as Config from "effect-session/Config"
import * as CookieCrypto from "effect-session/CookieCrypto"
import * as SessionKey from "effect-session/SessionKey"
import type * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as assert from "node:assert/strict"
import { Buffer } from "node:buffer"
import { randomBytes } from "node:crypto"
import type { Backend } from "./backends.js"
import type { ModelCookie, Settings } from "./model.js"
import { Observer } from "./observer.js"
import { cookieName, makeMiddleware, makeSessionApp, type SessionApp, tellingOfCalls, type Verb } from "./sessionApp.js"

/** The keys that a ring can have, by number. */
const keyPool = Array.from({ length: 6 }, () => Redacted.make(randomBytes(32).toString("base64url")))

export const keyCount = keyPool.length

const strangersKey = Config.generateKey()

const cryptoOf = (
  contentSecurity: Settings["contentSecurity"],
  keys: ReadonlyArray<Redacted.Redacted<string>>,
  name: string = cookieName
): CookieCrypto.CookieCrypto => {
  const [first, ...rest] = keys.map((key) => Redacted.make(Buffer.from(Redacted.value(key), "base64url")))
  return CookieCrypto.make({ name, keys: [first!, ...rest], contentSecurity })
}

const perSecurity = <A>(make: (contentSecurity: Settings["contentSecurity"]) => A) => ({
  Private: make("Private"),
  Signed: make("Signed")
})

const poolCrypto = perSecurity((security) => cryptoOf(security, keyPool))
const strangersCrypto = perSecurity((security) => cryptoOf(security, [strangersKey]))
const otherNamesCrypto = perSecurity((security) => keyPool.map((key) => cryptoOf(security, [key], "__Host-other")))
const otherSecuritysCrypto = perSecurity((security) =>
  keyPool.map((key) => cryptoOf(security === "Private" ? "Signed" : "Private", [key]))
)
const ringCrypto = perSecurity((security) => keyPool.map((key) => cryptoOf(security, [key])))

/** Ways to make a cookie that was never set. */
export type Forgery =
  | "FlippedBit"
  | "CutShort"
  | "StrangersSeal"
  | "OtherCookiesSeal"
  | "OtherSecuritysSeal"
  | "Unsealed"
  | "UnknownId"
  | "WrongSecret"

export class World {
  readonly app: SessionApp
  readonly observer: Observer
  /** The values of the cookies that were set, in the order of the model's. */
  readonly cookies: Array<string> = []
  calls: Array<Verb> = []
  middleware: SessionMiddleware.SessionMiddleware
  private readonly store: SessionStore.SessionStore
  private readonly ids = new Map<number, string>()
  private readonly keyTexts = new Map<string, string>()

  constructor(readonly backend: Backend, readonly settings: Settings, ring: ReadonlyArray<number>, start: number) {
    this.app = makeSessionApp(start)
    this.observer = new Observer(settings, backend.isRevocable)
    this.store = tellingOfCalls(backend.store, (verb) => this.calls.push(verb))
    this.middleware = this.makeMiddleware(ring)
  }

  /** Starts the app anew, on the store that is there. Requests in flight end in the old one. */
  restart(ring: ReadonlyArray<number>): void {
    this.middleware = this.makeMiddleware(ring)
  }

  private makeMiddleware(ring: ReadonlyArray<number>): SessionMiddleware.SessionMiddleware {
    const { contentSecurity, lifecycle, maxLifetime, ttl, ttlExtension } = this.settings
    return makeMiddleware(this.store, {
      keys: ring.map((number) => keyPool[number]!),
      contentSecurity,
      lifecycle: Config[lifecycle]({ ttl, ttlExtension, maxLifetime })
    })
  }

  takeCalls(): Array<Verb> {
    const { calls } = this
    this.calls = []
    return calls
  }

  /** The key in a cookie that any ring of ours has sealed. */
  keyIn(value: string): SessionKey.SessionKey | undefined {
    return Option.getOrUndefined(
      Option.flatMap(
        poolCrypto[this.settings.contentSecurity].open(value),
        ({ plaintext }) => this.backend.store.readKey(plaintext)
      )
    )
  }

  /** The number of the key that sealed a cookie. */
  sealerOf(value: string): number {
    return ringCrypto[this.settings.contentSecurity].findIndex((crypto) => Option.isSome(crypto.open(value)))
  }

  /** The real id of a session. */
  idOf(session: number): string | undefined {
    return this.ids.get(session)
  }

  /** Takes in a cookie that the app has set for the model's `cookie`, and checks that it is what it should be. */
  recognise(value: string, { sealedBy, ticket }: ModelCookie): SessionKey.SessionKey {
    const key = this.keyIn(value)
    if (key === undefined || ticket === undefined) {
      throw new Error("the app set a cookie that it cannot open itself")
    }
    assert.strictEqual(this.sealerOf(value), sealedBy, "which key of the ring seals the cookie")
    const { number } = ticket.session
    if (!this.ids.has(number)) {
      assert.equal(Array.from(this.ids.values()).includes(key.id), false, "a new session has a new id")
      this.ids.set(number, key.id)
    }
    assert.strictEqual(key.id, this.ids.get(number), "the cookie names its session")
    if (this.backend.isRevocable) {
      const name = `${number}/${ticket.generation}`
      const text = SessionKey.toText(key)
      if (!this.keyTexts.has(name)) {
        assert.equal(Array.from(this.keyTexts.values()).includes(text), false, "a new key is a new one")
        this.keyTexts.set(name, text)
      }
      assert.strictEqual(text, this.keyTexts.get(name), "the cookie holds the current key")
    }
    this.cookies.push(value)
    return key
  }

  /** Makes a cookie from the value of another one, or from nothing where there is none yet. */
  forge(kind: Forgery, genuine: string | undefined, at: number, ring: ReadonlyArray<number>): string {
    const { contentSecurity } = this.settings
    const seal = ringCrypto[contentSecurity][ring[0]!]!.seal
    const text = genuine === undefined ? SessionKey.toText(SessionKey.mint()) : this.textIn(genuine)
    const value = genuine ?? seal(text)
    const sealer = this.sealerOf(value)
    switch (kind) {
      case "FlippedBit": {
        const position = at % value.length
        const flipped = base64url[(base64url.indexOf(value[position]!) + 1 + at % 63) % 64]!
        return value.slice(0, position) + flipped + value.slice(position + 1)
      }
      case "CutShort":
        return value.slice(0, at % value.length)
      case "StrangersSeal":
        return strangersCrypto[contentSecurity].seal(text)
      case "OtherCookiesSeal":
        return otherNamesCrypto[contentSecurity][sealer]!.seal(text)
      case "OtherSecuritysSeal":
        return otherSecuritysCrypto[contentSecurity][sealer]!.seal(text)
      case "Unsealed":
        return text
      case "UnknownId":
        return seal(SessionKey.toText(SessionKey.mint()))
      case "WrongSecret":
        return seal(
          SessionKey.toText(SessionKey.mintSecret(text.slice(0, SessionKey.idLength) as SessionKey.SessionId))
        )
    }
  }

  private textIn(value: string): string {
    return Option.getOrThrow(poolCrypto[this.settings.contentSecurity].open(value)).plaintext
  }
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
