/**
 * A store over compare and swap keeps the contract also where the backend takes its time, loses races and comes to grief.
 */
import { assert, describe, it } from "@effect/vitest"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionRecord from "effect-session/SessionRecord"
import * as SessionStore from "effect-session/SessionStore"
import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { livingFor } from "../support/lifetimes.js"
import { remoteTexts } from "../support/remoteTexts.js"
import { generous } from "../support/timeLimits.js"

const { make } = CompareAndSwapSessionStore

describe("CompareAndSwapSessionStore", () => {
  const hourly = { ttl: 3_600_000, maxLifetime: undefined }
  const changeOf = (key: string, value = "1"): SessionRecord.SessionChange => ({
    ...SessionRecord.noChange,
    set: new Map([[key, value]])
  })

  it.live("loads in one call, and writes in one where nobody was faster since, in three where somebody was", () =>
    Effect.gen(function*() {
      const calls: Array<string> = []
      const store = SessionStore.withClock(make(remoteTexts(new Map(), calls), { timeout: generous }))
      const { key } = yield* store.save(new Map([["a", "1"]]), hourly)
      const other = Option.getOrThrow(store.readKey(SessionKey.toText(key)))
      const during = <A, E>(work: Effect.Effect<A, E>) =>
        Effect.suspend(() => {
          calls.length = 0
          return Effect.map(work, (result) => [result, [...calls]] as const)
        })
      assert.deepStrictEqual((yield* during(store.load(key)))[1], ["get"])
      assert.deepStrictEqual((yield* during(store.update(key, changeOf("b"), hourly)))[1], ["replace"])
      yield* store.load(key)
      yield* store.update(other, changeOf("c"), hourly)
      const [result, made] = yield* during(store.update(key, changeOf("d"), hourly))
      assert.deepStrictEqual([result._tag, made], ["Saved", ["replace", "get", "replace"]])
      const loaded = yield* store.load(key)
      assert(loaded._tag === "Live")
      assert.deepStrictEqual(Array.from(loaded.record.state.keys()).sort(), ["a", "b", "c", "d"])
      assert.deepStrictEqual(yield* during(store.delete(key)), [true, ["remove"]])
    }))

  it.live("answers nothing by what it had loaded alone", () =>
    Effect.gen(function*() {
      const store = SessionStore.withClock(make(remoteTexts(new Map()), { timeout: generous }))
      const { key } = yield* store.save(new Map([["a", "1"]]), hourly)
      const other = Option.getOrThrow(store.readKey(SessionKey.toText(key)))
      yield* store.load(key)
      yield* store.update(other, changeOf("a", "2"), hourly)
      const expecting = { ...changeOf("a", "3"), expect: new Map([["a", "2"]]) }
      assert.strictEqual((yield* store.update(key, expecting, hourly))._tag, "Saved")
      yield* store.load(key)
      assert.isTrue(yield* store.delete(other))
      assert.strictEqual((yield* store.updateTtl(key, hourly))._tag, "Gone")
    }))

  it.live("says Malformed of a text that is no record, and quotes nothing of it", () =>
    Effect.gen(function*() {
      const texts = new Map<string, string>()
      const store = SessionStore.withClock(make(remoteTexts(texts), { timeout: generous }))
      const { key } = yield* store.save(new Map([["planted", "1"]]), hourly)
      const sound = texts.get(key.id)!
      for (
        const text of [
          "",
          "planted",
          "null",
          "[]",
          "{\"planted\":1}",
          sound.slice(1),
          sound.replace(key.id, SessionKey.mintId()),
          sound.replace(/"at|"createdAt/, "\"planted")
        ]
      ) {
        texts.set(key.id, text)
        const errors = [
          yield* Effect.flip(store.load(key)),
          yield* Effect.flip(store.update(key, SessionRecord.noChange, livingFor(1))),
          yield* Effect.flip(store.updateTtl(key, livingFor(1))),
          yield* Effect.flip(store.renew(key, SessionRecord.noChange, livingFor(1)))
        ]
        for (const error of errors) {
          assert.strictEqual(error.reason, "Malformed")
          assert.include(error.message, key.id)
          assert.notInclude(JSON.stringify(error), "planted")
        }
        assert.strictEqual((yield* Effect.flip(store.delete(key)))._tag, "DeleteError")
        assert.strictEqual(texts.get(key.id), text)
      }
    }))

  it.live("is Unavailable, by the name of the verb's error, where the backend fails or is silent", () =>
    Effect.gen(function*() {
      const key = SessionKey.mint()
      const failing = Effect.fail(new Error("connection lost"))
      for (const call of [failing, Effect.never]) {
        const store = SessionStore.withClock(
          make({ get: () => call, insert: () => call, replace: () => call, remove: () => call }, {
            timeout: "20 millis"
          })
        )
        const errors = [
          yield* Effect.flip(store.load(key)),
          yield* Effect.flip(store.save(new Map(), hourly)),
          yield* Effect.flip(store.update(key, SessionRecord.noChange, livingFor(1))),
          yield* Effect.flip(Effect.uninterruptible(store.updateTtl(key, livingFor(1)))),
          yield* Effect.flip(store.renew(key, SessionRecord.noChange, livingFor(1))),
          yield* Effect.flip(store.delete(key))
        ]
        assert.deepStrictEqual(
          errors.map(({ _tag, reason }) => `${_tag} ${reason}`),
          ["LoadError", "SaveError", "UpdateError", "UpdateError", "UpdateError", "DeleteError"].map((tag) =>
            `${tag} Unavailable`
          )
        )
      }
    }))

  it.live("says what the backend says went wrong, TooLarge of what is written alone", () =>
    Effect.gen(function*() {
      const cause = new Error("4 MiB")
      const failing = Effect.fail(
        new CompareAndSwapSessionStore.BackendError({ reason: "TooLarge", message: "The table takes no more", cause })
      )
      const sound = remoteTexts(new Map())
      const { key } = yield* SessionStore.withClock(make(sound, { timeout: generous })).save(new Map(), hourly)
      const write = { insert: () => failing, replace: () => failing, remove: () => failing }
      const store = SessionStore.withClock(make({ get: sound.get, ...write }, { timeout: generous }))
      const unreadable = SessionStore.withClock(make({ get: () => failing, ...write }, { timeout: generous }))
      const errors = [
        yield* Effect.flip(store.save(new Map(), hourly)),
        yield* Effect.flip(store.update(key, SessionRecord.noChange, hourly)),
        yield* Effect.flip(unreadable.load(key)),
        yield* Effect.flip(store.delete(key))
      ]
      assert.deepStrictEqual(
        errors.map(({ _tag, reason }) => `${_tag} ${reason}`),
        ["SaveError TooLarge", "UpdateError TooLarge", "LoadError Unavailable", "DeleteError Unavailable"]
      )
      for (const error of errors) {
        assert.strictEqual(error.message, "The table takes no more")
        assert.strictEqual(error.cause, cause)
      }
    }))

  it.live("gives up within the time limit where it never wins a race", () =>
    Effect.gen(function*() {
      const texts = new Map<string, string>()
      const sound = remoteTexts(texts)
      const { key } = yield* SessionStore.withClock(make(sound, { timeout: generous })).save(new Map(), hourly)
      const store = SessionStore.withClock(
        make({ ...sound, replace: () => Effect.succeed(false) }, { timeout: "50 millis" })
      )
      const error = yield* Effect.flip(store.update(key, SessionRecord.noChange, livingFor(1)))
      assert.strictEqual(error.reason, "Unavailable")
    }))
})
