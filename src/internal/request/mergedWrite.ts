/**
 * A write that parallel requests cannot make each other lose: it is tried until nobody is faster, with what depended on the
 * values that changed computed anew. Who has lost once takes turns with the others of this process from then on.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Session from "../../Session.js"
import * as SessionEvent from "../../SessionEvent.js"
import type { SessionId } from "../../SessionKey.js"
import type * as SessionRecord from "../../SessionRecord.js"
import * as SessionStore from "../../SessionStore.js"
import { chain } from "../effect/chain.js"
import type { SessionLog } from "../session/sessionLog.js"
import type { SessionServices } from "./sessionServices.js"
import { Turns } from "./turns.js"

type DeriveError = Session.SessionGetError | Session.SessionInsertError
type WriteError = DeriveError | SessionStore.UpdateError
type Written = Effect.Effect<SessionStore.WriteResult, WriteError>
type Found = ReadonlyMap<string, SessionRecord.JsonText | undefined>

// Those who share a store share its sessions, and so take turns.
const turnsByStore = new WeakMap<SessionStore.SessionStore, Turns>()

const turnsOf = (store: SessionStore.SessionStore): Turns => {
  let turns = turnsByStore.get(store)
  if (turns === undefined) {
    turnsByStore.set(store, turns = new Turns())
  }
  return turns
}

/** @internal */
export const writeMerged = (
  { config, store, tell }: SessionServices,
  log: SessionLog<DeriveError>,
  clock: Clock.Clock,
  id: SessionId,
  write: (change: SessionRecord.SessionChange) => Effect.Effect<SessionStore.WriteResult, SessionStore.UpdateError>
): Written => {
  const { lifecycle, storeTimeoutMillis } = config
  const tryOnce = (onConflict: (found: Found) => Written): Written =>
    // How long the session lives depends on whether it is remembered, so that no write may go by what was.
    chain(write(log.change(lifecycle.rememberMeMillis !== undefined)), (result) => {
      if (result._tag !== "Conflict") {
        return Effect.succeed(result)
      }
      tell(SessionEvent.Conflict({ id }))
      return log.isOvertaken(result.found) ? overtaken(log, result.found) : onConflict(result.found)
    })
  const turns = turnsOf(store)
  const inTurn = () =>
    turns.take(
      id,
      Effect.suspend(() => {
        const start = clock.unsafeCurrentTimeMillis()
        const again: Written = Effect.suspend(() =>
          tryOnce((found) =>
            clock.unsafeCurrentTimeMillis() - start < storeTimeoutMillis
              ? Effect.zipRight(rebase(log, log.groundWith(found)), again)
              : Effect.fail(tooContended(storeTimeoutMillis))
          )
        )
        return again
      })
    )
  return turns.areTaken(id) && log.hasDerivedWrites
    ? inTurn()
    : tryOnce((found) => Effect.zipRight(rebase(log, log.groundWith(found)), inTurn()))
}

// The session is another account's now, which is none of this request's business any more.
const overtaken = (log: SessionLog<DeriveError>, found: Found): Written =>
  Effect.as(rebase(log, log.groundWith(found)), SessionStore.WriteResult.Superseded())

const tooContended = (millis: number): SessionStore.UpdateError =>
  new SessionStore.UpdateError({
    reason: "Unavailable",
    message: `Parallel requests kept changing the same session value for ${millis} ms. ` +
      "Raise storeTimeout, or keep such a value outside the session."
  })

/**
 * Moves what was written onto another state, and computes what depended on the one before anew.
 *
 * @internal
 */
export const rebase = <E>(log: SessionLog<E>, state: SessionRecord.SessionState): Effect.Effect<void, E> =>
  Effect.map(
    Effect.forEach(
      log.outdated(state),
      ({ derive, key }) => Effect.map(derive(state.get(key)), (value) => [key, value] as const)
    ),
    (values) => log.rebase(state, new Map(values))
  )
