/**
 * Waiting for the end of a session, whoever ends it: the store is asked when it says that it is worth it, when the record
 * expires, and every so often.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type { SessionKey } from "../../SessionKey.js"
import * as SessionRecord from "../../SessionRecord.js"
import * as SessionStore from "../../SessionStore.js"
import { sleepFor } from "../session/untilExpired.js"
import { withLimitsOfNow } from "./presentedSession.js"
import type { SessionServices } from "./sessionServices.js"

/**
 * What a look for the session came to. `There` with its record, unless the answer was no record or none at all.
 */
type Look = { readonly _tag: "Ended" } | {
  readonly _tag: "There"
  readonly record: SessionRecord.SessionRecord | undefined
}

const ended: Look = { _tag: "Ended" }
const there: Look = { _tag: "There", record: undefined }

/**
 * Completes when the session of the record has ended. `key` is the one that opened it, which may be replaced meanwhile.
 *
 * @internal
 */
export const untilEnded = (
  services: SessionServices,
  key: SessionKey,
  record: SessionRecord.SessionRecord
): Effect.Effect<void> =>
  Effect.scoped(Effect.gen(function*() {
    const { endings } = services.store
    const pollEvery = endings?.pollEvery ?? (() => SessionStore.defaultPollEvery)
    const news = Effect.unsafeMakeLatch()
    if (endings?.listen !== undefined) {
      yield* endings.listen(record.id, () => news.unsafeOpen())
    }
    let { expiresAt } = record
    for (;;) {
      // What is told from here on is looked at in the next round.
      news.unsafeClose()
      const now = yield* Clock.currentTimeMillis
      const look = yield* lookFor(services, key, now)
      if (look._tag === "Ended") {
        return
      }
      expiresAt = look.record?.expiresAt ?? expiresAt
      const pause = pollEvery() * (1 - jitter * (yield* Random.next))
      yield* whicheverComesFirst(news.await, sleepFor(expiresAt > now ? Math.min(pause, expiresAt - now) : pause))
    }
  }))

// Where the caller cannot be interrupted, as the handler of a bare app, the other one still can.
const whicheverComesFirst = (one: Effect.Effect<void>, other: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.raceFirst(Effect.interruptible(one), Effect.interruptible(other))

// Those who began to wait together, as after a restart of the server, do not go on asking together.
const jitter = 0.25

const lookFor = (services: SessionServices, key: SessionKey, now: number): Effect.Effect<Look> => {
  const { endings } = services.store
  const looking = endings === undefined
    ? askWith(services, key, now)
    : Effect.map(
      endings.find(key.id, now),
      Option.match({ onNone: () => ended, onSome: (record) => found(services, record, now) })
    )
  return Effect.catchAll(looking, (error) =>
    // A store that does not answer has ended nothing. What is no record opens no session ever again.
    Effect.succeed(error.reason === "Malformed" ? ended : there))
}

const found = (services: SessionServices, record: SessionRecord.SessionRecord, now: number): Look => {
  const limited = withLimitsOfNow(services, record)
  return SessionRecord.isExpired(limited, now) ? ended : { _tag: "There", record: limited }
}

// A value that nobody ever wrote, so that the write that expects it tells how the key stands and changes nothing.
const unmet: SessionRecord.SessionChange = {
  ...SessionRecord.noChange,
  expect: new Map([["~effect-session/nothing", "0"]])
}

/** For a store that finds no record without a key of it. */
const askWith = (
  services: SessionServices,
  key: SessionKey,
  now: number
): Effect.Effect<Look, SessionStore.LoadError | SessionStore.UpdateError> =>
  Effect.flatMap(services.store.load(key, now), (result): Effect.Effect<Look, SessionStore.UpdateError> => {
    switch (result._tag) {
      case "Live":
        return Effect.succeed(found(services, result.record, now))
      case "Superseded":
      case "Reused":
        return Effect.succeed(there)
      case "Replaced":
        return Effect.succeed(ended)
      case "Absent": {
        const { maxLifetimeMillis, ttlMillis } = services.config.lifecycle
        return Effect.map(
          services.store.update(key, unmet, { ttl: ttlMillis, maxLifetime: maxLifetimeMillis }, now),
          ({ _tag }) => _tag === "Gone" ? ended : there
        )
      }
    }
  })
