/**
 * The commit of one request: what `decideCommit` plans is carried out in the store, and comes to the cookie that the response
 * sends. Where the store answers at once, all of it is one step of the fiber.
 *
 * @internal
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ResolvedCookie } from "../../Config.js"
import type * as Session from "../../Session.js"
import * as SessionEvent from "../../SessionEvent.js"
import * as SessionKey from "../../SessionKey.js"
import type * as SessionRecord from "../../SessionRecord.js"
import { accountOf } from "../../SessionSignIn.js"
import * as SessionStore from "../../SessionStore.js"
import { type CookieAttributes, cookieSize, maxCookieBytes } from "../cookie/cookieRules.js"
import { removalCookie, type SetCookie, setCookie } from "../cookie/setCookie.js"
import { attempt, chain, chainMatch, isDone } from "../effect/chain.js"
import type { SessionLog } from "../session/sessionLog.js"
import { enlistAnew, mayStay } from "./accountSessions.js"
import {
  type CommitPlan,
  decideCommit,
  isLate,
  type Presented as PresentedTag,
  withoutCookie
} from "./commitDecision.js"
import { endSessions, isFollowed, isThere } from "./endedSession.js"
import { rebase, writeMerged } from "./mergedWrite.js"
import { openFormerCookies, type PresentedKey } from "./openedCookie.js"
import { malformed, noSessions, others, type Presented, rotates } from "./presentedSession.js"
import { hasChangedScope, isPersistent, lifetimeOf, refreshes } from "./sessionPolicy.js"
import type { SessionServices } from "./sessionServices.js"

/**
 * What the commit came to, for the response to carry.
 *
 * @internal
 */
export type CommitOutcome =
  | { readonly _tag: "Keep" }
  /**
   * `cookies`: the session cookie's own, then one that removes each cookie it was before. `isRefresh`: the cookie that the
   * browser has goes on working without this one. `key`: what the session cookie holds; none where it is removed.
   */
  | {
    readonly _tag: "SetCookie"
    readonly cookies: ReadonlyArray<SetCookie>
    readonly isRefresh: boolean
    readonly key: SessionKey.SessionKey | undefined
  }
  /** What the request wrote is not kept. */
  | { readonly _tag: "Lost" }
  /** Nor is what would have needed a cookie, where none can be set. */
  | { readonly _tag: "NeedsCookie"; readonly plan: CommitPlan }
  | { readonly _tag: "Fail"; readonly error: CommitError | undefined }

/**
 * Why a commit could not be carried out.
 *
 * @internal
 */
export type CommitError = SessionStore.SessionStoreError | Session.SessionGetError | Session.SessionInsertError

/** @internal */
export const keep: CommitOutcome = { _tag: "Keep" }

const lost: CommitOutcome = { _tag: "Lost" }

/**
 * What the commit has to know of the cookies of its request, and of those that the response sets.
 *
 * @internal
 */
export interface RequestCookies {
  /** The header `Cookie` of the request. */
  readonly header: string | undefined
  /** The attributes of that cookie in this response. */
  readonly attributesOf: (cookie: ResolvedCookie) => CookieAttributes
}

/** @internal */
export class Commit {
  constructor(
    private readonly services: SessionServices,
    private readonly log: SessionLog<Session.SessionGetError | Session.SessionInsertError>,
    private readonly presented: Presented,
    private readonly cookies: RequestCookies,
    private readonly clock: Clock.Clock,
    /** Whether the browser can get a key that the handler did not ask for. */
    private readonly canMint: boolean
  ) {}

  run(canSetCookie: boolean): Effect.Effect<CommitOutcome, CommitError> {
    const plan = decideCommit({
      presented: this.presented._tag,
      status: this.log.status,
      hasWrites: this.log.hasWrites,
      asksForWrites: this.log.asksForWrites,
      hasValues: this.log.hasValues,
      refreshes: this.refreshes,
      rotates: rotates(this.presented, this.canMint)
    })
    return canSetCookie
      ? this.carryOut(plan)
      // Nobody signs in without a renewal.
      : this.runWithoutCookie(plan, withoutCookie(plan, this.log.hasWrites && !this.log.writesSignIn))
  }

  // A deleted session needs no removal of its cookie, which opens nothing any more.
  private runWithoutCookie(wanted: CommitPlan, possible: CommitPlan): Effect.Effect<CommitOutcome, CommitError> {
    return chain(this.carryOut(possible), (outcome) => {
      const needsCookie = wanted === possible
        ? possible === "Update" && outcome._tag === "SetCookie" && !outcome.isRefresh
        : wanted !== "RemoveCookie" && wanted !== "Drop"
      return Effect.succeed(
        needsCookie ? { _tag: "NeedsCookie", plan: wanted } : outcome._tag === "Lost" ? outcome : keep
      )
    })
  }

  private carryOut(plan: CommitPlan): Effect.Effect<CommitOutcome, CommitError> {
    const { presented } = this
    const sessions = "sessions" in presented ? presented.sessions : noSessions
    switch (plan) {
      case "Nothing":
        return Effect.succeed(keep)
      case "RemoveCookie":
        return chain(this.end(this.endedBeside(sessions)), () => Effect.succeed(this.removeCookie()))
      case "Save":
        return this.save(this.endedBeside(sessions))
      case "SaveBeside":
        return this.saveBeside(sessions, presented._tag)
      case "Delete":
        return this.endAll([...sessions, ...this.endedBeside(sessions)])
      case "Replace":
        return this.replace(sessions, this.endedBeside(sessions))
      case "Drop":
        return Effect.succeed(this.writesLost(sessions, presented._tag === "Replaced" ? "Ended" : "Superseded"))
      case "UpdateTtl":
        // Only `update` notices that a parallel request has begun or ended to remember the session.
        return this.canRemember ? this.mergeChanges(sessions[0]!) : this.refreshExpiry(sessions[0]!)
      case "Update":
        return this.mergeChanges(sessions[0]!)
      case "Rotate":
        return this.rotateSecret(sessions[0]!)
      case "Renew":
        return this.renewSecret(sessions[0]!)
    }
  }

  private get now(): number {
    return this.clock.unsafeCurrentTimeMillis()
  }

  private get refreshes(): boolean {
    return refreshes(this.services.config.lifecycle, this.log, this.now)
  }

  private get canRemember(): boolean {
    return this.services.config.lifecycle.rememberMeMillis !== undefined
  }

  private get lifetime(): SessionRecord.Lifetime {
    return lifetimeOf(this.services.config.lifecycle, this.log.isRemembered)
  }

  private end(
    sessions: ReadonlyArray<PresentedKey>,
    successor?: SessionKey.SessionKey
  ): Effect.Effect<number, SessionStore.DeleteError> {
    const { presented } = this
    return chain(endSessions(this.services, sessions, this.now, successor), (ended) => {
      if (
        ended > 0 && presented._tag === "Valid" && isSignedIn(presented) && sessions.includes(presented.sessions[0])
      ) {
        this.services.tell(SessionEvent.SignedOut({ id: presented.sessions[0].key.id }))
      }
      return Effect.succeed(ended)
    })
  }

  /** The other sessions that a logout ends: whatever the browser showed, be it late or under a former name. */
  private endedBeside(sessions: ReadonlyArray<PresentedKey>): ReadonlyArray<PresentedKey> {
    if (this.log.status !== "Purged") {
      return noSessions
    }
    const late = "late" in this.presented ? this.presented.late : noSessions
    return [...late, ...others(openFormerCookies(this.cookies.header, this.services), [...sessions, ...late])]
  }

  private refreshExpiry(presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    return chainMatch(this.services.store.updateTtl(presented.key, this.lifetime, this.now), {
      onSuccess: (result) => this.updated(result, presented),
      // The one verb that acts on a record which nobody has loaded, and may be the first to find that it is none.
      onFailure: (error): Effect.Effect<CommitOutcome, CommitError> =>
        error.reason === "Malformed"
          ? Effect.as(malformed(this.services, presented, error), keep)
          : Effect.fail(error)
    })
  }

  private mergeChanges(presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    const { key } = presented
    return chain(
      this.write(key, (change) => this.services.store.update(key, change, this.lifetime, this.now)),
      (result) => this.updated(result, presented)
    )
  }

  private rotateSecret(presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    const { key } = presented
    const { config: { lifecycle }, store, tell } = this.services
    const extend = this.log.hasWrites || this.refreshes
    const rotation = { ...lifecycle.rotation!, extend, mint: this.canMint }
    return chain(
      this.write(key, (change) => store.rotate!(key, change, this.lifetime, rotation, this.now)),
      (result) => {
        if (result._tag === "Saved" && result.key !== key) {
          tell(SessionEvent.Rotated({ id: key.id }))
        }
        return this.updated(result, presented)
      }
    )
  }

  private write(
    key: SessionKey.SessionKey,
    write: (change: SessionRecord.SessionChange) => Effect.Effect<SessionStore.WriteResult, SessionStore.UpdateError>
  ) {
    return chain(
      this.enlistLate(),
      () => writeMerged(this.services, this.log, this.clock, key.id, write)
    )
  }

  /** Tells the account of the session before it is written, where the sign-in has not done so. */
  private enlistLate(): Effect.Effect<void, SessionStore.UpdateError> {
    const { store: { accounts } } = this.services
    const { pendingSignIn } = this.log
    return pendingSignIn === undefined || pendingSignIn.ticket !== undefined || accounts === undefined
      ? Effect.void
      : chain(accounts.enlist(pendingSignIn.account, pendingSignIn.id, this.lifetime, this.now), ({ ticket }) => {
        this.log.pendingSignIn = { ...pendingSignIn, ticket }
        return Effect.void
      })
  }

  private updated(
    result: SessionStore.WriteResult,
    presented: PresentedKey
  ): Effect.Effect<CommitOutcome, CommitError> {
    switch (result._tag) {
      case "Saved":
        return this.unlessVoid(result, () => this.refreshCookie(result, presented))
      case "Superseded":
        return Effect.succeed(
          this.log.hasWrites && this.log.asksForWrites ? this.writesLost([presented], "Superseded") : keep
        )
      default:
        return Effect.succeed(this.gone([presented]))
    }
  }

  private renewSecret(presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    const { key } = presented
    const { store, tell } = this.services
    const written = this.write(key, (change) => store.renew(key, change, this.lifetime, this.now))
    return chain(written, (result) => {
      switch (result._tag) {
        case "Saved":
          tell(SessionEvent.Renewed({ id: key.id }))
          return this.unlessVoid(result, () => this.setCookie(result))
        case "Superseded":
          // A session of its own would sign its visitor out of the other one, or leave one alive that was spared as this one.
          return this.log.wasSignedIn || this.log.pendingSignIn?.isSpared === true
            ? Effect.succeed(this.writesLost([presented], "Superseded"))
            : this.saveBeside([presented], "Superseded")
        default:
          return Effect.succeed(this.gone([presented]))
      }
    })
  }

  /**
   * What this request wrote, and nothing that it had loaded, begins a session of its own beside the one whose secret was
   * replaced, so that neither of two parallel sign-ins hands its session to the other side.
   *
   * The new session is stored before the old one is looked for: a logout that comes between the two finds nobody who was
   * not asked afterwards.
   */
  private saveBeside(
    sessions: ReadonlyArray<PresentedKey>,
    presented: PresentedTag
  ): Effect.Effect<CommitOutcome, CommitError> {
    const condition = (saved: SessionStore.Saved) =>
      Effect.exists(
        sessions,
        ({ key }) =>
          presented === "Replaced"
            ? isFollowed(this.services, key, this.now, saved.key)
            // A replaced secret refreshes nothing, so that this only asks.
            : isThere(this.services, key, this.now)
      )
    return Effect.flatMap(rebase(this.log, new Map()), () =>
      this.log.hasValues
        ? this.saveIf(condition, sessions)
        : Effect.succeed(this.log.asksForWrites ? this.writesLost(sessions, "Superseded") : keep))
  }

  /**
   * Ends the sessions, and lets a new one take their place if it was this request that ended each of them. Whoever ends one of
   * them afterwards ends the new one.
   */
  private replace(
    sessions: ReadonlyArray<PresentedKey>,
    beside: ReadonlyArray<PresentedKey>
  ): Effect.Effect<CommitOutcome, CommitError> {
    const condition = ({ key }: SessionStore.Saved) =>
      Effect.flatMap(
        this.end(sessions, key),
        (ended) => Effect.as(Effect.suspend(() => this.end(beside, key)), ended === sessions.length)
      )
    return this.orElseEnd(attempt(() => this.saveIf(condition, sessions)), [...sessions, ...beside])
  }

  /** Ends the sessions also where the new one cannot be stored. */
  private orElseEnd<A, E>(
    saved: Effect.Effect<A, E>,
    sessions: ReadonlyArray<PresentedKey>
  ): Effect.Effect<A, E | SessionStore.DeleteError> {
    return Effect.tapErrorCause(saved, () => this.end(sessions))
  }

  /**
   * Stores a new session and sends its cookie, unless what it hangs on is found not to hold afterwards: then nobody ever
   * learns its key.
   */
  private saveIf(
    condition: (saved: SessionStore.Saved) => Effect.Effect<boolean, CommitError>,
    sessions: ReadonlyArray<PresentedKey>
  ): Effect.Effect<CommitOutcome, CommitError> {
    const { tell } = this.services
    return Effect.flatMap(this.storeNew(), (saved) => {
      const discard = this.discard(saved)
      const kept = Effect.flatMap(this.setCookie(saved), (cookie) =>
        Effect.flatMap(condition(saved), (holds) => {
          if (holds) {
            tell(SessionEvent.Created({ id: saved.key.id }))
            return this.unlessVoid(saved, () => Effect.succeed(cookie))
          }
          return Effect.map(discard, () => this.gone(sessions))
        }))
      return Effect.onError(kept, () => discard)
    })
  }

  private discard({ key }: SessionStore.Saved): Effect.Effect<void> {
    return Effect.ignoreLogged(Effect.suspend(() => this.services.store.delete(key, this.now)))
  }

  /** Stores a new session, of which its account knows before, where it is to come to one. */
  private storeNew(): Effect.Effect<SessionStore.Saved, SessionStore.SaveError | SessionStore.UpdateError> {
    const { store } = this.services
    const { pendingSignIn } = this.log
    const { accounts } = store
    return pendingSignIn === undefined || accounts === undefined
      ? attempt(() => store.save(this.log.state(), this.lifetime, this.now))
      : enlistAnew(
        accounts,
        pendingSignIn,
        this.lifetime,
        this.now,
        (key) => store.save(this.log.state(), this.lifetime, this.now, key)
      )
  }

  /**
   * Goes on with what was written, unless all sessions of its account were ended since the sign-in of this request began, or the
   * account has too many: then it ends, and nobody ever learns its key.
   */
  private unlessVoid(
    saved: SessionStore.Saved,
    next: () => Effect.Effect<CommitOutcome, CommitError>
  ): Effect.Effect<CommitOutcome, CommitError> {
    const { store: { accounts }, tell } = this.services
    const { pendingSignIn } = this.log
    const ticket = pendingSignIn?.ticket
    if (ticket === undefined || accounts === undefined) {
      return next()
    }
    const { id } = saved.key
    const signIn = { ...pendingSignIn!, id, ticket }
    const stays = attempt(() => mayStay(this.services, accounts, signIn, this.lifetime, this.now))
    return chain(isDone(stays) ? stays : Effect.onError(stays, () => this.discard(saved)), (stays) => {
      if (stays) {
        tell(SessionEvent.SignedIn({ id }))
        return next()
      }
      const outcome = this.log.asksForWrites ? this.writesLost([{ key: saved.key }], "Ended") : keep
      return Effect.as(this.discard(saved), outcome)
    })
  }

  private save(beside: ReadonlyArray<PresentedKey>): Effect.Effect<CommitOutcome, CommitError> {
    const { tell } = this.services
    const saved = this.storeNew()
    return chain(
      beside.length === 0 ? saved : this.orElseEnd(saved, beside),
      (saved) =>
        chain(this.end(beside, saved.key), () => {
          tell(SessionEvent.Created({ id: saved.key.id }))
          return this.unlessVoid(saved, () => this.setCookie(saved))
        })
    )
  }

  // The browser may hold a newer cookie than the earlier one that came. It opens nothing any more if this request has
  // ended its session; if somebody else has, it may be the one of a sign-in since.
  private endAll(sessions: ReadonlyArray<PresentedKey>): Effect.Effect<CommitOutcome, CommitError> {
    return chain(
      this.end(sessions),
      (ended) => Effect.succeed(isLate(this.presented._tag) && ended === 0 ? keep : this.removeCookie())
    )
  }

  private gone(sessions: ReadonlyArray<PresentedKey>): CommitOutcome {
    for (const { key } of sessions) {
      this.services.tell(SessionEvent.Gone({ id: key.id }))
    }
    // A write of what was there already is lost as well: the value went with the session.
    return this.log.asksForWrites ? this.writesLost(sessions, "Ended") : keep
  }

  private writesLost(
    sessions: ReadonlyArray<Pick<PresentedKey, "key">>,
    reason: "Ended" | "Superseded"
  ): CommitOutcome {
    const { config, tell } = this.services
    for (const { key } of sessions) {
      tell(SessionEvent.WritesLost({ id: key.id, reason }))
    }
    return config.lostWrites === "Refuse" ? lost : keep
  }

  /** Sends a cookie only where the browser learns something from it, and never an old key over a newer one. */
  private refreshCookie(saved: SessionStore.Saved, presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    const isRefresh = !this.log.hasChangedRemembering &&
      (saved.key === presented.key || SessionKey.toText(saved.key) === SessionKey.toText(presented.key))
    // Of two answers on their way, the one with the key of before could arrive last.
    const isSoonReplaced = "rotation" in this.presented && this.presented.rotation === "Near"
    const isNews = !isRefresh || !presented.isUpToDate || (this.isPersistent && !isSoonReplaced) ||
      hasChangedScope(this.services.config.cookie)
    return isNews && saved.hasNewer !== true ? this.setCookie(saved, isRefresh) : Effect.succeed(keep)
  }

  private get isPersistent(): boolean {
    return isPersistent(this.services.config.lifecycle, this.log.isRemembered)
  }

  private setCookie(
    saved: SessionStore.Saved,
    isRefresh = false
  ): Effect.Effect<CommitOutcome, SessionStore.SaveError> {
    const { config, crypto } = this.services
    const text = SessionKey.toText(saved.key)
    const value = crypto.seal(text)
    // What one seal accepts all have to accept, however long each of them happens to be.
    const size = Math.max(cookieSize(config.cookie.name, value), config.cookie.name.length + crypto.sealedSize(text))
    if (size > maxCookieBytes) {
      return Effect.fail(
        new SessionStore.SaveError({
          reason: "TooLarge",
          message:
            `The session cookie would have ${size} bytes, and browsers drop cookies of more than ${maxCookieBytes}. ` +
            "Keep less in the session, or use a store that keeps the state on the server."
        })
      )
    }
    const maxAge = this.isPersistent ? Math.max(1, Math.ceil((saved.expiresAt - this.now) / 1000)) : undefined
    const cookie = setCookie(config.cookie.name, value, this.cookies.attributesOf(config.cookie), maxAge)
    return Effect.succeed(this.withRemovals(cookie, isRefresh, saved.key))
  }

  private removeCookie(): CommitOutcome {
    return this.withRemovals(this.removalOf(this.services.config.cookie), false, undefined)
  }

  private withRemovals(
    cookie: SetCookie,
    isRefresh: boolean,
    key: SessionKey.SessionKey | undefined
  ): CommitOutcome {
    const removals = this.services.config.cookie.retired.map((cookie) => this.removalOf(cookie))
    return { _tag: "SetCookie", cookies: [cookie, ...removals], isRefresh, key }
  }

  private removalOf(cookie: ResolvedCookie): SetCookie {
    return removalCookie(cookie.name, this.cookies.attributesOf(cookie))
  }
}

const isSignedIn = ({ record }: Extract<Presented, { readonly _tag: "Valid" }>): boolean =>
  record !== undefined && accountOf(record.state) !== undefined
