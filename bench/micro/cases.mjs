/**
 * The single steps of a request, each beside its floor: the least code that does the same to the same bytes. A regression
 * has an address here.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { Buffer } from "node:buffer"
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  randomBytes,
  randomFillSync,
  timingSafeEqual
} from "node:crypto"
import * as CookieCrypto from "../../dist/CookieCrypto.js"
import { readCookieValues } from "../../dist/internal/cookie/cookieHeader.js"
import { decideCommit } from "../../dist/internal/request/commitDecision.js"
import * as Session from "../../dist/Session.js"
import * as SessionKey from "../../dist/SessionKey.js"
import * as SessionStore from "../../dist/SessionStore.js"
import * as MemorySessionStore from "../../dist/stores/MemorySessionStore.js"
import * as TestSession from "../../dist/testing/TestSession.js"
import { userOf } from "../apps/contract.mjs"

/**
 * @typedef {object} MicroCase
 * @property {string} id
 * @property {string} title
 * @property {() => unknown} run
 * @property {string} floorTitle
 * @property {() => unknown} floor
 */

const name = "__Host-id"
const master = randomBytes(32)
const key = createSecretKey(randomBytes(32))
const sessionKey = SessionKey.mint()
const keyText = SessionKey.toText(sessionKey)

const sealPrivate = () => {
  const size = Buffer.byteLength(keyText)
  const sealed = Buffer.allocUnsafe(12 + size + 16)
  randomFillSync(sealed, 0, 12)
  const cipher = createCipheriv("aes-256-gcm", key, sealed.subarray(0, 12))
  sealed.set(cipher.update(keyText, "utf8"), 12)
  cipher.final()
  sealed.set(cipher.getAuthTag(), 12 + size)
  return sealed.toString("base64url")
}

const openPrivate = (value) => {
  const sealed = Buffer.from(value, "base64url")
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12), { authTagLength: 16 })
  decipher.setAuthTag(sealed.subarray(-16))
  return decipher.update(sealed.subarray(12, -16), undefined, "utf8") + decipher.final("utf8")
}

const sealSigned = () => {
  const mac = createHmac("sha256", key).update(keyText).digest()
  return Buffer.concat([mac, Buffer.from(keyText)]).toString("base64url")
}

const openSigned = (value) => {
  const sealed = Buffer.from(value, "base64url")
  const text = sealed.subarray(32)
  const mac = createHmac("sha256", key).update(text).digest()
  return timingSafeEqual(mac, sealed.subarray(0, 32)) ? text.toString("utf8") : undefined
}

const secretText = keyText.slice(23)

const cryptoOf = (contentSecurity) => CookieCrypto.make({ name, keys: [Redacted.make(master)], contentSecurity })
const privateCrypto = cryptoOf("Private")
const signedCrypto = cryptoOf("Signed")
const privateValue = privateCrypto.seal(keyText)
const signedValue = signedCrypto.seal(keyText)
const floorPrivateValue = sealPrivate()
const floorSignedValue = sealSigned()

const header =
  `theme=dark; _ga=GA1.1.1234567890.1700000000; ${name}=${privateValue}; locale=en-GB; consent=analytics%3Dno`

const scanHeader = () => {
  const start = header.indexOf(`${name}=`) + name.length + 1
  const end = header.indexOf(";", start)
  return header.slice(start, end === -1 ? undefined : end)
}

// Several and by turns: the compiler would work out a single one once and for all.
const allFacts = ["None", "Refused", "Superseded", "Valid"].flatMap((presented) =>
  ["Unchanged", "Changed", "Renewed", "Purged"].map((status) => ({
    presented,
    status,
    hasWrites: status === "Changed",
    hasValues: status !== "Purged",
    refreshes: false
  }))
)
let turn = 0
const nextFacts = () => allFacts[turn++ & 15]
const compareFacts = (facts) => facts.hasWrites && facts.presented === "Valid" ? "Update" : "Nothing"

const user = userOf(undefined)
const userText = JSON.stringify(user)
const User = Session.entry(
  "user",
  Schema.Struct({ id: Schema.String, name: Schema.String, roles: Schema.Array(Schema.String) })
)
const session = Effect.runSync(Effect.provide(Session.Session, TestSession.layer({ user })))
const getUser = session.get(User)
const parseUser = Effect.map(Effect.sync(() => userText), (text) => JSON.parse(text))

const store = SessionStore.withClock(Effect.runSync(MemorySessionStore.make()))
const lifetime = { ttl: 86_400_000, maxLifetime: undefined }
const state = new Map([["counter", "1"], ["user", userText]])
const saved = Effect.runSync(store.save(state, lifetime))
const change = { set: new Map([["counter", "2"]]), unset: new Set(), expect: new Map([["counter", "1"]]) }
const changeBack = { set: new Map([["counter", "1"]]), unset: new Set(), expect: new Map([["counter", "2"]]) }
const plain = new Map([[saved.key.id, { state, expiresAt: Date.now() + 86_400_000 }]])
const loadSession = store.load(saved.key)
const loadPlain = Effect.sync(() => {
  const found = plain.get(saved.key.id)
  return found !== undefined && found.expiresAt > Date.now() ? found.state : undefined
})
const updateTwice = Effect.zipRight(
  store.update(saved.key, change, lifetime),
  store.update(saved.key, changeBack, lifetime)
)
const setPlain = (counter) =>
  Effect.sync(() => {
    const found = plain.get(saved.key.id)
    const next = new Map(found.state).set("counter", counter)
    plain.set(saved.key.id, { state: next, expiresAt: Date.now() + 86_400_000 })
  })
const setPlainTwice = Effect.zipRight(setPlain("2"), setPlain("1"))

/** @type {ReadonlyArray<MicroCase>} */
export const cases = [
  {
    id: "header",
    title: "find the cookie in a header of five",
    run: () => readCookieValues(header, name),
    floorTitle: "one indexOf and a slice",
    floor: scanHeader
  },
  {
    id: "seal-private",
    title: "seal a session key, Private",
    run: () => privateCrypto.seal(keyText),
    floorTitle: "AES-256-GCM and base64url of the same bytes",
    floor: sealPrivate
  },
  {
    id: "open-private",
    title: "open it, Private",
    run: () => privateCrypto.open(privateValue),
    floorTitle: "AES-256-GCM",
    floor: () => openPrivate(floorPrivateValue)
  },
  {
    id: "seal-signed",
    title: "seal a session key, Signed",
    run: () => signedCrypto.seal(keyText),
    floorTitle: "HMAC-SHA256 and base64url of the same bytes",
    floor: sealSigned
  },
  {
    id: "open-signed",
    title: "open it, Signed",
    run: () => signedCrypto.open(signedValue),
    floorTitle: "HMAC-SHA256",
    floor: () => openSigned(floorSignedValue)
  },
  {
    id: "mint",
    title: "mint a session key",
    run: () => SessionKey.mint(),
    floorTitle: "48 random bytes, base64url",
    floor: () => randomBytes(48).toString("base64url")
  },
  {
    id: "parse-key",
    title: "parse a session key",
    run: () => SessionKey.fromText(keyText),
    floorTitle: "one regular expression",
    floor: () => /^([\w-]{22})\.([\w-]{43})$/.exec(keyText)
  },
  {
    id: "digest",
    title: "digest of its secret",
    run: () => SessionKey.digest(SessionKey.make(sessionKey.id, secretText)),
    floorTitle: "SHA-256 of the same bytes",
    floor: () => createHash("sha256").update(secretText).digest("base64url")
  },
  {
    id: "commit",
    title: "decide the commit",
    run: () => decideCommit(nextFacts()),
    floorTitle: "one comparison",
    floor: () => compareFacts(nextFacts())
  },
  {
    id: "decode",
    title: "get a value with a Schema",
    run: () => Effect.runSync(getUser),
    floorTitle: "JSON.parse in an Effect",
    floor: () => Effect.runSync(parseUser)
  },
  {
    id: "memory-load",
    title: "load from the memory store",
    run: () => Effect.runSync(loadSession),
    floorTitle: "Map.get in an Effect",
    floor: () => Effect.runSync(loadPlain)
  },
  {
    id: "memory-update",
    title: "update twice in the memory store",
    run: () => Effect.runSync(updateTwice),
    floorTitle: "Map.set of a copy, twice, in an Effect",
    floor: () => Effect.runSync(setPlainTwice)
  }
]
