/**
 * The sessions of an account: all of them, one that is to be added, and how many there may be.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as SessionEvent from "../../SessionEvent.js"
import type { SessionId } from "../../SessionKey.js"
import * as SessionKey from "../../SessionKey.js"
import type { Lifetime, SessionRecord } from "../../SessionRecord.js"
import type { AccountText, Ticket } from "../../SessionSignIn.js"
import * as SessionSignIn from "../../SessionSignIn.js"
import * as SessionStore from "../../SessionStore.js"
import { chain } from "../effect/chain.js"
import type { PendingSignIn } from "../session/sessionLog.js"
import type { SessionServices } from "./sessionServices.js"

/**
 * All live sessions of an account, the oldest sign-in first.
 *
 * @internal
 */
export const sessionsOfAccount = (
  accounts: SessionStore.AccountVerbs,
  account: AccountText,
  now: number
): Effect.Effect<ReadonlyArray<SessionRecord>, SessionStore.LoadError> => {
  const found = new Map<SessionId, SessionRecord>()
  const from = (next: string | undefined): Effect.Effect<ReadonlyArray<SessionRecord>, SessionStore.LoadError> =>
    chain(accounts.list(account, now, next), (page) => {
      for (const record of page.records) {
        found.set(record.id, record)
      }
      return page.next === undefined
        ? Effect.succeed(SessionSignIn.oldestFirst(Array.from(found.values())))
        : Effect.suspend(() => from(page.next))
    })
  return from(undefined)
}

// Out of 2^128 ids, a taken one is drawn never. Taken ones in a row say that the machine's randomness is broken.
const maxDraws = 8

/**
 * Stores a session under an id that the account knows of by then.
 *
 * @internal
 */
export const enlistAnew = (
  accounts: SessionStore.AccountVerbs,
  { account, id, key }: PendingSignIn,
  lifetime: Lifetime,
  now: number,
  save: (key: SessionKey.SessionKey) => Effect.Effect<SessionStore.Saved, SessionStore.SaveError>
): Effect.Effect<SessionStore.Saved, SessionStore.SaveError | SessionStore.UpdateError> => {
  const draw = (key: SessionKey.SessionKey, draws: number): ReturnType<typeof enlistAnew> =>
    chain(
      key.id === id ? Effect.void : Effect.asVoid(accounts.enlist(account, key.id, lifetime, now)),
      () =>
        chain(save(key), (saved) =>
          saved.key.id === key.id
            ? Effect.succeed(saved)
            : draws < maxDraws
            ? Effect.suspend(() => draw(SessionKey.mint(), draws + 1))
            : Effect.fail(takenIds))
    )
  return draw(key ?? SessionKey.mint(), 1)
}

const takenIds = new SessionStore.SaveError({
  reason: "Unavailable",
  message: `${maxDraws} session ids in a row were taken: the randomness of this machine cannot be trusted`
})

/**
 * Whether a session that has come to its account may stay: nobody has ended all sessions of the account since the sign-in began, and
 * there are not too many. Where the oldest sign-ins have to go for it, they end here.
 *
 * @internal
 */
export const mayStay = (
  services: SessionServices,
  accounts: SessionStore.AccountVerbs,
  { account, id, limit, ticket }: Omit<PendingSignIn, "key" | "ticket"> & { readonly ticket: Ticket },
  lifetime: Lifetime,
  now: number
): Effect.Effect<boolean, SessionStore.SessionStoreError> =>
  chain(accounts.confirm(account, id, ticket, lifetime, now), (confirmation) =>
    confirmation._tag === "Void"
      ? Effect.succeed(false)
      : limit === undefined || confirmation.count <= limit.max
      ? Effect.succeed(true)
      : keepLimit(services, accounts, account, id, limit, now))

// Each of several parallel sign-ins looks when its own record is there, so that the last of them sees all, and none of them is
// anybody's before it has looked. All of them agree on which are the oldest.
const keepLimit = (
  { tell }: SessionServices,
  accounts: SessionStore.AccountVerbs,
  account: AccountText,
  id: SessionId,
  { max, onLimit }: SessionSignIn.AccountLimit,
  now: number
): Effect.Effect<boolean, SessionStore.SessionStoreError> =>
  Effect.flatMap(sessionsOfAccount(accounts, account, now), (sessions) => {
    const surplus = sessions.slice(0, Math.max(0, sessions.length - max))
    if (surplus.length === 0) {
      return Effect.succeed(true)
    }
    if (onLimit === "Refuse") {
      tell(SessionEvent.LimitRefused({ id }))
      return Effect.succeed(false)
    }
    const others = surplus.filter((session) => session.id !== id)
    return Effect.as(
      Effect.forEach(others, (session) =>
        Effect.map(accounts.end(account, session.id, now), (isEnded) => {
          if (isEnded) {
            tell(SessionEvent.Ended({ id: session.id, by: "Limit" }))
          }
        }), { discard: true }),
      others.length === surplus.length
    )
  })
