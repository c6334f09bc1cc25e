/**
 * The words in which the cases of the store contract speak: lifetimes, changes, and what a store answered.
 *
 * @internal
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as SessionKey from "../../SessionKey.js"
import type { Lifetime, SessionChange, SessionRecord, SessionState } from "../../SessionRecord.js"
import * as Record from "../../SessionRecord.js"
import type { ClockedVerbs, LoadError, LoadResult, Saved, UpdateError, WriteResult } from "../../SessionStore.js"

/** @internal */
export type Entries = ReadonlyArray<readonly [key: string, value: string]>

/** @internal */
export const minute = 60_000

/**
 * Long enough for a backend that removes records by its own clock to keep them while a case runs.
 *
 * @internal
 */
export const hour = 3_600_000

/** @internal */
export const hourly: Lifetime = { ttl: hour, maxLifetime: undefined }

/** @internal */
export const changeOf = (
  set: Entries,
  rest?: {
    readonly unset?: ReadonlyArray<string> | undefined
    readonly expect?: ReadonlyArray<readonly [key: string, value: string | undefined]> | undefined
  }
): SessionChange => ({ set: new Map(set), unset: new Set(rest?.unset), expect: new Map(rest?.expect) })

/**
 * A change that no record in these cases lets through: the answer is a `Conflict`.
 *
 * @internal
 */
export const unmet: SessionChange = changeOf([["written", "1"]], { expect: [["nowhere", "0"]] })

/** @internal */
export const sorted = (state: SessionState | Entries): Entries =>
  [...state].sort(([left], [right]) => left < right ? -1 : left > right ? 1 : 0)

/** @internal */
export const save = (store: ClockedVerbs, entries: Entries, lifetime: Lifetime = hourly) =>
  store.save(new Map(entries), lifetime)

/**
 * The key as the next request brings it: written to its text and read back.
 *
 * @internal
 */
export const fromCookie = (store: ClockedVerbs, key: SessionKey.SessionKey): SessionKey.SessionKey => {
  const back = store.readKey(SessionKey.toText(key))
  assert(Option.isSome(back), "the text of a key that the store gave is not read as a key")
  return back.value
}

/** @internal */
export const load = (store: ClockedVerbs, key: SessionKey.SessionKey): Effect.Effect<LoadResult, LoadError> =>
  Effect.suspend(() => store.load(fromCookie(store, key)))

/** @internal */
export const liveRecord = (result: LoadResult): SessionRecord => {
  assert(result._tag === "Live", `load answered ${result._tag} where the session is Live`)
  return result.record
}

/** @internal */
export const loadRecord = (store: ClockedVerbs, key: SessionKey.SessionKey): Effect.Effect<SessionRecord, LoadError> =>
  Effect.map(load(store, key), liveRecord)

/** @internal */
export const expectState = (store: ClockedVerbs, key: SessionKey.SessionKey, entries: Entries) =>
  Effect.map(
    loadRecord(store, key),
    ({ state }) => assert.deepStrictEqual(sorted(state), sorted(entries), "the state of the session")
  )

/** @internal */
export const expectLoad = (store: ClockedVerbs, key: SessionKey.SessionKey, tag: LoadResult["_tag"], when: string) =>
  Effect.map(load(store, key), (result) => assert.strictEqual(result._tag, tag, `the answer of load, ${when}`))

/** @internal */
export const savedBy = (result: WriteResult): Saved => {
  assert(result._tag === "Saved", `the write answered ${result._tag} where it is Saved`)
  return result
}

/** @internal */
export const conflictOf = (result: WriteResult): ReadonlyMap<string, string | undefined> => {
  assert(result._tag === "Conflict", `the write answered ${result._tag} where it is a Conflict`)
  return result.found
}

/**
 * The parts of a record that every store hands out, in an order of their own.
 *
 * @internal
 */
export const comparable = ({ createdAt, expiresAt, extendedAt, id, state }: SessionRecord) => ({
  id,
  createdAt,
  extendedAt,
  expiresAt,
  state: sorted(state)
})

/**
 * The three verbs that change a record, each with a change that writes `written`, or none where the verb takes none.
 *
 * @internal
 */
export const writes = {
  update: (store: ClockedVerbs, key: SessionKey.SessionKey, lifetime: Lifetime = hourly) =>
    store.update(key, changeOf([["written", "1"]]), lifetime),
  renew: (store: ClockedVerbs, key: SessionKey.SessionKey, lifetime: Lifetime = hourly) =>
    store.renew(key, changeOf([["written", "1"]]), lifetime),
  updateTtl: (store: ClockedVerbs, key: SessionKey.SessionKey, lifetime: Lifetime = hourly) =>
    store.updateTtl(key, lifetime)
} as const satisfies {
  readonly [verb: string]: (
    store: ClockedVerbs,
    key: SessionKey.SessionKey,
    lifetime?: Lifetime
  ) => Effect.Effect<WriteResult, UpdateError>
}

/** @internal */
export const verbsThatWrite = ["update", "renew", "updateTtl"] as const

const expectAnswer = (tag: "Gone" | "Superseded") =>
(
  store: ClockedVerbs,
  key: SessionKey.SessionKey,
  verb: typeof verbsThatWrite[number],
  when: string,
  lifetime?: Lifetime
) =>
  Effect.map(writes[verb](store, key, lifetime), (result) => assert.strictEqual(result._tag, tag, `${verb}, ${when}`))

/** @internal */
export const expectGone = expectAnswer("Gone")

/** @internal */
export const expectSuperseded = expectAnswer("Superseded")

/**
 * Renews, and answers the key that is current afterwards.
 *
 * @internal
 */
export const renewed = (store: ClockedVerbs, key: SessionKey.SessionKey, lifetime: Lifetime = hourly) =>
  Effect.map(store.renew(key, Record.noChange, lifetime), (result) => savedBy(result).key)

/**
 * What can be compared of the answer of `delete`.
 *
 * @internal
 */
export const ended = (answer: boolean | SessionKey.SessionKey) =>
  typeof answer === "boolean" ? answer : { id: answer.id, digest: SessionKey.digest(answer) }

/**
 * A lifetime that no `maxLifetime` limits.
 *
 * @internal
 */
export const livingFor = (ttl: number): Lifetime => ({ ttl, maxLifetime: undefined })

/** @internal */
export const now = Clock.currentTimeMillis
