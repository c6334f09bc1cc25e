/**
 * What may lie where a session record should be: records of other releases, records with one thing wrong, JSON and
 * bytes of no kind at all.
 */
import * as SessionKey from "effect-session/SessionKey"
import type { Random } from "./random.js"

const nest = (depth: number): string => "[".repeat(depth) + "]".repeat(depth)

/** Texts that stand where a time, a version or a digest is expected. */
const oddTexts = [
  ...["", " ", "0", "-0", "-1", "1", "2", "1.5", "01", "1e3", "1e+300", "1e300", "-1e+300", "0x7fffffffffff"],
  ...["NaN", "nan", "-nan", "Infinity", "-Infinity", "inf", "null", "undefined", "true", "{}", "[]", "\"1\""],
  ...["8640000000000001", "9007199254740993", "9".repeat(400), "__proto__", "constructor", "\u0000", "\r\n*1\r\n"]
]

/** JSON of every kind, some of which no writer writes. */
export const oddJson = [
  ...["null", "true", "0", "-0", "1e400", "1e-400", "\"\"", "\"\\ud800\"", "\"\\u0000\"", "[]", "{}", "[[[[]]]]"],
  ...["{\"__proto__\":{\"isAdmin\":true}}", "{\"constructor\":{\"prototype\":{\"isAdmin\":true}}}"],
  ...["{\"toString\":1,\"valueOf\":1,\"hasOwnProperty\":1}", "{\"_tag\":\"Some\",\"value\":1}", "[1,2,3]"]
]

const notJson = ["", "{", "}", "NaN", "undefined", "'a'", "{a:1}", "[1,]", "\u0000", "\ufeff1", "1 2", "function(){}"]

const oddKeys = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "",
  "counter",
  "\u0000",
  "é",
  "a\r\nb"
]

// The last is more than JSON.stringify can write again, in any stack.
const nested = [10, 600, 12_000].map(nest)

// -- one JSON text, as the cookie store has it

const jsonTime = (random: Random): string =>
  random.pick([
    ...[
      "0",
      "1",
      "-1",
      "1.5",
      "1e3",
      "1e21",
      "1e400",
      "-1e400",
      "null",
      "\"1\"",
      "[]",
      "{}",
      "true",
      "9007199254740992"
    ],
    ...["8640000000000000", "8640000000000001", "9007199254740991", "99999999", "NaN", "Infinity"]
  ])

const jsonState = (random: Random): string => {
  const values = Array.from(
    { length: random.below(5) },
    () => `${JSON.stringify(random.pick(oddKeys))}:${random.pick(random.oneIn(8) ? notJson : oddJson)}`
  )
  switch (random.below(16)) {
    case 0:
      return `[${values.join(",")}]`
    case 1:
      return random.pick(oddJson)
    case 2:
      return `{"a":${random.pick(nested)}}`
    default:
      return `{${values.join(",")}}`
  }
}

const jsonRecord = (random: Random): string => {
  const fields = [
    random.pick(["\"v\":1", "\"v\":1", "\"v\":1", "\"v\":1.0", "\"v\":0", "\"v\":2", "\"v\":\"1\"", "\"v\":null", ""]),
    random.oneIn(3) ? `"c":${jsonTime(random)}` : "\"c\":0",
    random.oneIn(3) ? `"e":${jsonTime(random)}` : "\"e\":99999999999",
    random.oneIn(3) ? `"d":${jsonTime(random)}` : "",
    `"s":${jsonState(random)}`,
    random.oneIn(6) ? `"__proto__":${random.pick(oddJson)}` : "",
    random.oneIn(6) ? `"${random.pick(["v", "e", "s", "x"])}":${random.pick(oddJson)}` : ""
  ]
  return `{${fields.filter((field) => field !== "").join(",")}}`
}

/** What may stand behind the id in the cookie of a store that keeps its records there. */
export const recordText = (random: Random): string => {
  switch (random.below(12)) {
    case 0:
      return random.pick([...oddJson, ...notJson])
    case 1:
      return random.bytes(random.below(60)).toString("latin1")
    case 2: {
      const text = jsonRecord(random)
      return text.slice(0, random.below(text.length))
    }
    case 3: {
      const text = jsonRecord(random)
      const at = random.below(text.length)
      return text.slice(0, at) + String.fromCharCode(random.below(256)) + text.slice(at + 1)
    }
    default:
      return jsonRecord(random)
  }
}

/** The same of more than ten megabytes. */
export const hugeRecordTexts: ReadonlyArray<string> = [
  `{"v":1,"c":0,"e":99999999999,"s":{"a":"${"x".repeat(10_000_000)}"}}`,
  `{"v":1,"c":0,"e":99999999999,"s":{${Array.from({ length: 10_000 }, (_, i) => `"${"k".repeat(1_000)}${i}":${i}`)}}}`,
  `{"v":1,"c":0,"e":99999999999,"s":{"a":${nest(500_000)},"b":"${"x".repeat(9_000_000)}"}}`,
  "[".repeat(10_000_000),
  `{"v":${"9".repeat(10_000_000)}}`
]

// -- one JSON text, as a row has it

/** A text that says it is the record of `key`, and is not quite. */
export const rowText = (random: Random, key: SessionKey.SessionKey, victim: SessionKey.SessionKey): string => {
  const record: Record<string, unknown> = {
    id: key.id,
    digest: digestOf(key),
    superseded: [],
    state: [["counter", "1"]],
    createdAt: 0,
    extendedAt: 0,
    expiresAt: 9_999_999_999_999
  }
  const fields = [...Object.keys(record), "successor", "v", "__proto__"]
  for (let changes = random.below(4); changes > 0; changes--) {
    const field = random.pick(fields)
    switch (random.below(8)) {
      case 0:
        delete record[field]
        break
      case 1:
        record.state = random.pick([
          [["__proto__", "{\"isAdmin\":true}"], ["constructor", "1"]],
          [[random.pick(oddKeys), random.pick([...oddJson, ...notJson])]],
          [["a", "1"], ["a", "2"]],
          [["a", 1]],
          [["a"]],
          { a: "1" },
          random.pick(oddTexts)
        ])
        break
      case 2:
        record.superseded = random.pick<unknown>([
          [{ digest: digestOf(key), at: 0 }],
          [{ digest: digestOf(key), at: 0, graceEndsAt: "Open" }],
          [{ digest: digestOf(key), at: -1, graceEndsAt: "Closed" }],
          Array.from({ length: 2_000 }, () => ({ digest: digestOf(victim), at: 0, graceEndsAt: 9_999_999_999_999 })),
          [null],
          {}
        ])
        break
      case 3:
        record.successor = random.pick<unknown>([
          { id: key.id, digest: digestOf(key) },
          { id: victim.id, digest: digestOf(victim) },
          { id: "", digest: "" },
          null
        ])
        break
      case 4:
        record[field] = random.pick<unknown>([victim.id, digestOf(victim), -1, 1.5, 1e300, 8_640_000_000_000_001, null])
        break
      default:
        record[field] = random.pick(oddTexts)
    }
  }
  const text = JSON.stringify(record)
  switch (random.below(12)) {
    case 0:
      return random.pick([...oddJson, ...notJson])
    case 1:
      return text.slice(0, random.below(text.length))
    case 2:
      return text.replace("9999999999999", random.pick(["1e400", "-1e400", "1e21", "[]", random.pick(nested)]))
    default:
      return text
  }
}

// -- a hash, as Redis has it

export type Hash = ReadonlyMap<string, string>

const digestOf = (key: SessionKey.SessionKey): string => SessionKey.digest(key)

/** A hash that says it is the record of `key`, and is not quite. */
export const recordHash = (random: Random, key: SessionKey.SessionKey): Hash => {
  const hash = new Map([
    ["v", "1"],
    ["digest", digestOf(key)],
    ["createdAt", "0"],
    ["expiresAt", "9999999999999"],
    ["=counter", "1"]
  ])
  const fields = [...hash.keys(), "deadline", "superseded", "=user", "=__proto__", "~\"a\"", "~\"\\ud800\"", "~x", "~1"]
  for (let changes = random.below(4); changes > 0; changes--) {
    const field = random.pick(fields)
    switch (random.below(7)) {
      case 0:
        hash.delete(field)
        break
      case 1:
        hash.set(random.pick(["v2", "id", "state", "__proto__", "constructor", "", "\u0000", "=", "==", "=é"]), "1")
        break
      case 2:
        hash.set(field, random.pick([...oddJson, ...notJson]))
        break
      case 3:
        hash.set("superseded", oddSuperseded(random, key))
        break
      case 4:
        hash.set(
          "successor",
          random.pick([`${key.id}:${digestOf(key)}`, `${SessionKey.mintId()}:${digestOf(key)}`, ...oddTexts])
        )
        break
      default:
        hash.set(field, random.pick(oddTexts))
    }
  }
  return hash
}

const oddSuperseded = (random: Random, key: SessionKey.SessionKey): string => {
  const digest = random.oneIn(2) ? digestOf(key) : digestOf(SessionKey.mint())
  return random.pick([
    `${digest}:0`,
    `${digest}:NaN`,
    `${digest}:Infinity`,
    `${digest}:`,
    `:${digest}`,
    `,${digest}:0,`,
    `${digest}:0,${digest}:0`,
    Array.from({ length: 2_000 }, () => `${digest}:0`).join(),
    `${digest.slice(1)}:0`,
    ":,:,:"
  ])
}
