/**
 * Cases about keys: what is read as one, and that no two sessions share one.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as SessionKey from "../../SessionKey.js"
import type { SessionId } from "../../SessionKey.js"
import type { ContractCase } from "./contractCase.js"
import { contractCase } from "./contractCase.js"
import { expectLoad, expectState, save } from "./contractWords.js"
import { withDraws } from "./forcedDraws.js"

const refuses = (readKey: (text: string) => Option.Option<unknown>, text: string) =>
  assert(Option.isNone(readKey(text)), `readKey takes ${JSON.stringify(text.slice(0, 80))} for a key`)

// None of them starts with an id and a dot.
const noKeys = [
  "",
  " ",
  ".",
  "..",
  "../../etc/passwd",
  "null",
  "undefined",
  "__proto__",
  "__proto__.constructor",
  "\0",
  "\r\n",
  "*",
  "%",
  "' OR ''='",
  "{\"$ne\":null}",
  "[object Object]",
  "a".repeat(1_000_000),
  `${".".repeat(22)}.`,
  `${"a".repeat(21)}b.`,
  `${"a".repeat(21)}é.`,
  `${"A".repeat(21)}=.`
]

// What looks like a key and is none, made of one that is.
const spoilt = (id: string, secret: string): ReadonlyArray<string> => {
  const key = `${id}.${secret}`
  return [
    id,
    `${id}.`,
    `.${secret}`,
    `${id}${secret}`,
    `${id}:${secret}`,
    `${id}..${secret}`,
    `${secret}.${id}`,
    `${key}.`,
    `${key}=`,
    `${key}A`,
    `${key}.${secret}`,
    `${key},${key}`,
    key.slice(1),
    key.slice(0, -1),
    ` ${key}`,
    `${key} `,
    `${key}\n`,
    `${key}\0`,
    `\uFEFF${key}`,
    `"${key}"`,
    encodeURIComponent(`${id}/${secret}`),
    `${id}%2E${secret}`,
    // The bits that an encoder leaves zero, set: the same bytes in another spelling.
    `${id}.${secret.slice(0, -1)}${nextLetter(secret.at(-1)!)}`,
    `${id.slice(0, -1)}${nextLetter(id.at(-1)!)}.${secret}`
  ]
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

const nextLetter = (letter: string): string => alphabet[alphabet.indexOf(letter) + 1]!

// An id that differs from another one in the case of one letter alone.
const inOtherCase = (id: SessionId): SessionId | undefined => {
  const at = id.slice(0, -1).search(/[a-zA-Z]/)
  if (at === -1) {
    return undefined
  }
  const letter = id[at]!
  const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()
  return `${id.slice(0, at)}${other}${id.slice(at + 1)}` as SessionId
}

/** @internal */
export const contractOfKeys: ReadonlyArray<ContractCase> = [
  contractCase(
    "the text of a key reads back as that key, and is text that UTF-8 can carry",
    (store) =>
      Effect.gen(function*() {
        const { key } = yield* save(store, [["a", "\"\\ud800 é \u{1F600}\""], ["é", "1"]])
        const text = SessionKey.toText(key)
        const back = store.readKey(text)
        assert(Option.isSome(back), "the text of a key is no key")
        assert.strictEqual(SessionKey.toText(back.value), text)
        assert.strictEqual(back.value.id, key.id)
        assert.strictEqual(Buffer.from(text).toString(), text)
      })
  ),
  contractCase(
    "the id of a session has the form of a SessionId",
    (store) =>
      Effect.map(save(store, []), ({ key }) => assert(SessionKey.isSessionId(key.id), `${key.id} is no SessionId`))
  ),
  contractCase("a text that does not start with a session id is no key", (store) =>
    Effect.sync(() => {
      for (const text of noKeys) {
        refuses(store.readKey, text)
      }
    })),
  contractCase(
    "a key is read strictly: lengths, alphabet, spare bits, nothing before and nothing after",
    (store) =>
      Effect.map(save(store, []), ({ key }) => {
        for (const text of spoilt(key.id, Redacted.value(key.secret))) {
          refuses(store.readKey, text)
        }
        const text = SessionKey.toText(key)
        for (let i = 0; i < text.length; i++) {
          for (const stranger of ["+", "/", "=", "%", " ", "\u212A", "."]) {
            if (text[i] !== stranger) {
              refuses(store.readKey, `${text.slice(0, i)}${stranger}${text.slice(i + 1)}`)
            }
          }
        }
      }),
    { for: "Stores" }
  ),
  contractCase("no two sessions share an id or a secret", (store) =>
    Effect.gen(function*() {
      const saved = yield* Effect.forEach(Array(100).keys(), () => save(store, []), { concurrency: "unbounded" })
      assert.strictEqual(new Set(saved.map(({ key }) => key.id)).size, 100)
      assert.strictEqual(new Set(saved.map(({ key }) => Redacted.value(key.secret))).size, 100)
    }), { for: "Stores", clock: "Live" }),
  contractCase("ids that differ in the case of one letter name two sessions", (store) =>
    Effect.gen(function*() {
      let id = SessionKey.mintId()
      let other = inOtherCase(id)
      while (other === undefined) {
        id = SessionKey.mintId()
        other = inOtherCase(id)
      }
      const first = yield* withDraws({ ids: [id] }, save(store, [["first", "1"]]))
      const second = yield* withDraws({ ids: [other] }, save(store, [["second", "2"]]))
      assert.deepStrictEqual([first.key.id, second.key.id], [id, other])
      yield* expectState(store, first.key, [["first", "1"]])
      yield* expectState(store, second.key, [["second", "2"]])
      yield* store.delete(first.key)
      yield* expectLoad(store, first.key, "Absent", "after its delete")
      yield* expectState(store, second.key, [["second", "2"]])
    }), { for: "Stores" })
]
