/**
 * The verbs of a store as they are tried on whatever stands where a record should be.
 */
import { assert } from "@effect/vitest"
import type * as SessionKey from "effect-session/SessionKey"
import type * as SessionRecord from "effect-session/SessionRecord"
import type * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import { livingFor } from "../support/lifetimes.js"
import type { Result } from "./operations.js"

const change: SessionRecord.SessionChange = {
  set: new Map([["a", "1"]]),
  unset: new Set(["user"]),
  expect: new Map([["counter", "1"]])
}

export const verbsOf = (
  store: SessionStore.ClockedVerbs,
  key: SessionKey.SessionKey
): { readonly [verb: string]: Effect.Effect<unknown, unknown> } => ({
  load: store.load(key),
  update: store.update(key, change, livingFor(60_000)),
  updateTtl: store.updateTtl(key, livingFor(60_000)),
  renew: store.renew(key, change, livingFor(60_000)),
  delete: store.delete(key)
})

export const assertNoDefect = (result: Result, about: string) => {
  if (result._tag === "Defect") {
    assert.fail(`${about}: ${result.what}`)
  }
}

/** A session of somebody else, which nothing here may show or touch. */
export const makeVictim = (store: SessionStore.ClockedVerbs) =>
  Effect.map(
    store.save(new Map([["user", "\"victim of the test\""]]), { ttl: 86_400_000, maxLifetime: undefined }),
    ({ key }) => ({
      key,
      isUntouched: Effect.map(store.load(key), (loaded) => {
        assert(loaded._tag === "Live")
        assert.deepStrictEqual([...loaded.record.state], [["user", "\"victim of the test\""]])
      })
    })
  )
