import { assert, describe, it } from "@effect/vitest"
import type { Action, Answer, Operation, Values } from "./linearizability.js"
import { check } from "./linearizability.js"
import { makeRandom } from "./random.js"

const done: Answer = { cookie: "None" }
const removed: Answer = { cookie: "Removal" }
const other: Answer = { cookie: "Other" }
const refused: Answer = { cookie: "Refused" }

const at = (
  [invoked, returned]: readonly [number, number],
  action: Action,
  answer: Answer | undefined = done,
  key = 0
): Operation => ({ action, key, invoked, returned: answer === undefined ? Infinity : returned, answer })

const lost = (invoked: number, action: Action): Operation => ({
  ...at([invoked, Infinity], action),
  answer: undefined
})

const read: Action = { _tag: "Read" }
const put = (name: string, value: number): Action => ({ _tag: "Put", name, value })
const remove = (name: string): Action => ({ _tag: "Delete", name })
const increment = (name: string): Action => ({ _tag: "Increment", name })
const clear: Action = { _tag: "Clear" }
const purge: Action = { _tag: "Purge" }
const renew: Action = { _tag: "Renew" }
const saw = (values: Values): Answer => ({ cookie: "None", values })
const came = (value: number): Answer => ({ cookie: "None", value })

const cases = (
  tag: "Linearizable" | "Violation",
  histories: Readonly<Record<string, ReadonlyArray<Operation>>>
) => {
  for (const [title, history] of Object.entries(histories)) {
    it(title, () => {
      assert.strictEqual(check(history, { a: 1 })._tag, tag)
      // The order in which operations were noted down says nothing.
      assert.strictEqual(check(history.slice().reverse(), { a: 1 })._tag, tag)
    })
  }
}

describe("the checker accepts", () => {
  cases("Linearizable", {
    "one operation after the other": [
      at([0, 1], read, saw({ a: 1 })),
      at([2, 3], put("b", 5)),
      at([4, 5], increment("b"), came(6)),
      at([6, 7], remove("a")),
      at([8, 9], read, saw({ b: 6 })),
      at([10, 11], clear),
      at([12, 13], read, saw({})),
      at([14, 15], increment("b"), came(1)),
      at([16, 17], purge, removed),
      at([18, 19], read, saw({})),
      at([20, 21], put("a", 1), other)
    ],
    "parallel writes in either order": [
      at([0, 9], put("a", 2)),
      at([1, 8], put("a", 3)),
      at([10, 11], read, saw({ a: 2 }))
    ],
    "a read that overlaps a write, before or after it": [
      at([0, 9], put("a", 2)),
      at([1, 2], read, saw({ a: 1 })),
      at([3, 4], read, saw({ a: 2 }))
    ],
    "parallel increments that answered the same, where both count": [
      at([0, 9], increment("a"), came(2)),
      at([1, 8], increment("a"), came(2)),
      at([10, 11], read, saw({ a: 3 }))
    ],
    "a clear that spares what came after it had loaded": [
      at([0, 9], clear),
      at([1, 2], put("b", 2)),
      at([10, 11], read, saw({ b: 2 }))
    ],
    "a clear that spares the new value of no key that it had loaded": [
      at([0, 9], clear),
      at([1, 2], put("a", 2)),
      at([10, 11], read, saw({}))
    ],
    "a write that a purge beside it dropped": [
      at([0, 9], put("b", 2)),
      at([1, 2], purge, removed),
      at([3, 4], read, saw({}))
    ],
    "a write beside a purge that began another session": [
      at([0, 9], put("b", 2), other),
      at([1, 2], purge, removed)
    ],
    "two purges beside each other": [at([0, 9], purge, removed), at([1, 8], purge, removed)],
    "a renewal: the new key opens, the old one ends the session and does nothing else": [
      at([0, 1], renew, { cookie: 1 }),
      at([2, 3], read, saw({}), 0),
      at([4, 5], put("a", 9), refused, 0),
      at([6, 7], increment("a"), refused, 0),
      at([8, 9], renew, done, 0),
      at([10, 11], read, saw({ a: 1 }), 1),
      at([12, 13], purge, removed, 0),
      at([14, 15], read, saw({}), 1)
    ],
    "a purge with a superseded key, and one with the current key that was faster": [
      at([0, 1], renew, { cookie: 1 }),
      at([2, 9], purge, done, 0),
      at([3, 4], purge, removed, 1)
    ],
    "a write that a purge beside it refused": [
      at([0, 9], put("b", 2), refused),
      at([1, 2], purge, removed),
      at([3, 4], read, saw({}))
    ],
    "a write beside a renewal that came before it": [
      at([0, 9], put("b", 2), done, 0),
      at([1, 2], renew, { cookie: 1 }),
      at([10, 11], read, saw({ a: 1, b: 2 }), 1)
    ],
    "a write beside a renewal that came too late for its key, refused": [
      at([0, 9], put("b", 2), refused, 0),
      at([1, 2], renew, { cookie: 1 }),
      at([10, 11], read, saw({ a: 1 }), 1)
    ],
    "two renewals of one key, of which the earlier holds": [
      at([0, 9], renew, { cookie: 1 }),
      at([1, 8], renew, done),
      at([10, 11], read, saw({ a: 1 }), 1)
    ],
    "a write without an answer that happened": [lost(0, put("a", 2)), at([1, 2], read, saw({ a: 2 }))],
    "a write without an answer that did not happen": [lost(0, put("a", 2)), at([1, 2], read, saw({ a: 1 }))],
    "a write without an answer that happened late": [
      lost(0, purge),
      at([1, 2], read, saw({ a: 1 })),
      at([3, 4], read, saw({}))
    ],
    "a renewal without an answer, after which nobody has the key": [
      lost(0, renew),
      at([1, 2], read, saw({ a: 1 })),
      at([3, 4], read, saw({}))
    ],
    "another session for a key that was superseded long ago": [
      at([0, 1], renew, { cookie: 1 }),
      at([10_000, 10_001], put("b", 1), other, 0)
    ]
  })
})

describe("the checker rejects", () => {
  cases("Violation", {
    "a lost increment": [
      at([0, 9], increment("a"), came(2)),
      at([1, 8], increment("a"), came(2)),
      at([10, 11], read, saw({ a: 2 }))
    ],
    "an increment that counted twice": [at([0, 1], increment("a"), came(2)), at([2, 3], read, saw({ a: 3 }))],
    "an increment that answered what nobody could compute": [at([0, 1], increment("a"), came(3))],
    "the lost write of another key": [
      at([0, 9], put("b", 2)),
      at([1, 8], put("c", 3)),
      at([10, 11], read, saw({ a: 1, c: 3 }))
    ],
    "a stale read after a write was acknowledged": [at([0, 1], put("a", 2)), at([2, 3], read, saw({ a: 1 }))],
    "two reads that see two writes in two orders": [
      at([0, 9], put("a", 2)),
      at([0, 9], put("a", 3)),
      at([1, 2], read, saw({ a: 2 })),
      at([3, 4], read, saw({ a: 3 })),
      at([5, 6], read, saw({ a: 2 }))
    ],
    "a read that goes back behind an earlier one": [
      at([0, 9], put("a", 2)),
      at([1, 2], read, saw({ a: 2 })),
      at([3, 4], read, saw({ a: 1 }))
    ],
    "a read of a value from the future": [at([0, 1], read, saw({ a: 2 })), at([2, 3], put("a", 2))],
    "a session that is there after its purge": [at([0, 1], purge, removed), at([2, 3], read, saw({ a: 1 }))],
    "a write in flight that brought the session back": [
      at([0, 9], put("b", 2)),
      at([1, 2], purge, removed),
      at([10, 11], read, saw({ b: 2 }))
    ],
    "a read that sees the session end, and one after it that does not": [
      at([0, 9], purge, removed),
      at([1, 2], read, saw({})),
      at([3, 4], read, saw({ a: 1 }))
    ],
    "a write after the purge that began no other session": [at([0, 1], purge, removed), at([2, 3], put("b", 2))],
    "another session while this one lives": [at([0, 1], put("b", 2), other)],
    "a purge that took no cookie away": [at([0, 1], purge, done)],
    "a purge that ended nothing": [at([0, 1], purge, removed), at([2, 3], increment("a"), came(2))],
    "a deleted value that is there": [at([0, 1], remove("a")), at([2, 3], read, saw({ a: 1 }))],
    "a clear that left something": [at([0, 1], clear), at([2, 3], read, saw({ a: 1 }))],
    "a clear that removed what it cannot have seen": [
      at([0, 1], clear),
      at([2, 3], put("b", 2)),
      at([4, 5], read, saw({}))
    ],
    "a superseded key that opens the session": [
      at([0, 1], renew, { cookie: 1 }),
      at([2, 3], read, saw({ a: 1 }), 0)
    ],
    "a superseded key that writes": [
      at([0, 1], renew, { cookie: 1 }),
      at([2, 3], put("b", 2), done, 0),
      at([4, 5], read, saw({ a: 1, b: 2 }), 1)
    ],
    "a superseded key whose purge ends nothing": [
      at([0, 1], renew, { cookie: 1 }),
      at([2, 3], purge, removed, 0),
      at([4, 5], read, saw({ a: 1 }), 1)
    ],
    "a write that is answered with success and not kept": [
      at([0, 9], put("b", 2), done, 0),
      at([1, 2], renew, { cookie: 1 }),
      at([10, 11], read, saw({ a: 1 }), 1)
    ],
    "a write that is refused and kept": [
      at([0, 9], put("b", 2), refused, 0),
      at([1, 2], renew, { cookie: 1 }),
      at([10, 11], read, saw({ a: 1, b: 2 }), 1)
    ],
    "a write that is refused though nothing came between": [at([0, 1], put("b", 2), refused)],
    "a cookie for a key that was superseded a moment ago": [
      at([0, 1], renew, { cookie: 1 }),
      at([2, 3], put("b", 2), other, 0)
    ],
    "a new key that opens nothing": [at([0, 1], renew, { cookie: 1 }), at([2, 3], read, saw({}), 1)],
    "two keys that are alive": [
      at([0, 9], renew, { cookie: 1 }),
      at([1, 8], renew, { cookie: 2 }),
      at([10, 11], read, saw({ a: 1 }), 1),
      at([12, 13], read, saw({ a: 1 }), 2)
    ],
    "a cookie on a read": [at([0, 1], read, { cookie: "Other", values: { a: 1 } })],
    "a write without an answer that happened before it was sent": [
      at([0, 1], read, saw({ a: 2 })),
      lost(2, put("a", 2))
    ],
    "an increment without an answer that happened twice": [
      lost(0, increment("a")),
      at([1, 2], read, saw({ a: 3 }))
    ]
  })

  it("says how far it came and what could not be next", () => {
    const stale = at([2, 3], read, saw({ a: 1 }))
    const verdict = check([at([0, 1], put("a", 2)), stale, at([4, 5], read, saw({ a: 2 }))], { a: 1 })
    assert(verdict._tag === "Violation")
    assert.deepStrictEqual(verdict.stuck, [stale])
    assert.strictEqual(verdict.explained, 1)
    assert.deepStrictEqual(verdict.values, { a: 2 })
  })
})

/** What a store may get wrong. */
const faults = {
  WritesWholeState: "writes whole sessions",
  CreatesOnUpdate: "creates what is gone",
  ReadsACache: "reads a cache",
  KeepsOldKeys: "opens sessions with superseded keys",
  IncrementsBlindly: "computes a value from another one than it replaces"
}

type Fault = keyof typeof faults | "None"

/** The history of a store in small that runs six operations at a time, on a clock of its own. */
const simulate = (seed: number, fault: Fault): ReadonlyArray<Operation> => {
  const random = makeRandom(seed)
  const names = ["a", "b", "c"]
  const first: { readonly values: Values; readonly key: number } = { values: { a: 1 }, key: 0 }
  let session: typeof first | undefined = first
  let cache: typeof first | undefined = first
  let lastKey = 0
  let knownKey = 0
  let nextValue = 100

  interface Running {
    readonly operation: Operation
    loaded?: { readonly values: Values; readonly isAlive: boolean; readonly isSuperseded: boolean }
    answer?: Answer
  }
  const running: Array<Running> = []
  const history: Array<Operation> = []

  const act = (): Action => {
    const name = names[random.whole(names.length)]!
    return random.pick<Action>([
      [30, read],
      [20, put(name, random.isLikely(0.2) ? 100 : nextValue += 100)],
      [25, increment(name)],
      [6, remove(name)],
      [5, clear],
      [6, renew],
      [1, purge]
    ])
  }

  const load = (one: Running) => {
    const found = fault === "ReadsACache" && random.isLikely(0.3) ? cache : session
    const isAlive = found !== undefined && (found.key === one.operation.key || fault === "KeepsOldKeys")
    one.loaded = { values: isAlive ? found.values : {}, isAlive, isSuperseded: !isAlive && session !== undefined }
  }

  const commit = (one: Running) => {
    const { action } = one.operation
    const { isAlive, isSuperseded, values: before } = one.loaded!
    const value = action._tag === "Increment" ? (before[action.name] ?? 0) + 1 : undefined
    one.answer = action._tag === "Read" ? saw(before) : value === undefined ? done : came(value)
    if (action._tag === "Read") {
      return
    }
    if (action._tag === "Purge" && (isAlive || isSuperseded)) {
      one.answer = isAlive || session !== undefined ? removed : done
      cache = session
      session = undefined
      return
    }
    if (isSuperseded) {
      one.answer = action._tag === "Renew" ? done : refused
      return
    }
    if (!isAlive) {
      const cookie = action._tag === "Purge"
        ? "Removal"
        : action._tag === "Put" || action._tag === "Increment"
        ? "Other"
        : "None"
      one.answer = { ...one.answer, cookie }
      return
    }
    if (session === undefined && fault === "CreatesOnUpdate") {
      session = { values: before, key: one.operation.key }
    }
    if (session === undefined || session.key !== one.operation.key && fault !== "KeepsOldKeys") {
      const isChange = action._tag === "Put"
        ? before[action.name] !== action.value
        : action._tag === "Delete"
        ? action.name in before
        : action._tag === "Clear"
        ? Object.keys(before).length > 0
        : action._tag === "Increment"
      one.answer = isChange ? refused : done
      return
    }
    cache = session
    if (action._tag === "Renew") {
      one.answer = { cookie: ++lastKey }
      session = { ...session, key: lastKey }
      return
    }
    const ground = { ...fault === "WritesWholeState" ? before : session.values }
    if (action._tag === "Put" && before[action.name] !== action.value) {
      ground[action.name] = action.value
    } else if (action._tag === "Increment") {
      ground[action.name] = fault === "IncrementsBlindly" ? value! : (ground[action.name] ?? 0) + 1
    } else if (action._tag === "Delete") {
      delete ground[action.name]
    } else if (action._tag === "Clear") {
      Object.keys(before).forEach((name) => delete ground[name])
    }
    session = { ...session, values: ground }
  }

  const started = () => running.length + history.length
  for (let now = 0; running.length > 0 || started() < 120; now++) {
    if (running.length < 6 && started() < 120 && random.isLikely(0.5)) {
      const key = random.isLikely(0.1) ? random.whole(knownKey + 1) : knownKey
      running.push({ operation: { action: act(), key, invoked: now, returned: Infinity, answer: undefined } })
      continue
    }
    const index = random.whole(running.length)
    const one = running[index]
    if (one === undefined) {
      continue
    }
    if (one.loaded === undefined) {
      load(one)
    } else if (one.answer === undefined) {
      commit(one)
    } else {
      running.splice(index, 1)
      // A few answers get lost.
      const isLost = random.isLikely(0.02)
      if (!isLost && typeof one.answer.cookie === "number") {
        knownKey = Math.max(knownKey, one.answer.cookie)
      }
      history.push(isLost ? one.operation : { ...one.operation, returned: now, answer: one.answer })
    }
  }
  return history
}

describe("the checker on stores in small", () => {
  const verdicts = (fault: Fault) =>
    Array.from({ length: 15 }, (_, seed) => check(simulate(seed, fault), { a: 1 })._tag)

  it("accepts every history of a store that is right", () => {
    assert.deepStrictEqual(verdicts("None").filter((verdict) => verdict !== "Linearizable"), [])
  })

  for (const [fault, title] of Object.entries(faults)) {
    it(`finds out a store that ${title}`, () => {
      const found = verdicts(fault as Fault).filter((verdict) => verdict === "Violation").length
      assert.isAtLeast(found, 5)
    })
  }
})
