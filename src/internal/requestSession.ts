/**
 * The session of one request, from its cookie to its commit: what the middleware is without HTTP. It opens the cookie
 * when the handler first asks, and carries out the commit that `decideCommit` plans.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ResolvedCookie } from "../Config.js"
import * as Session from "../Session.js"
import * as SessionEvent from "../SessionEvent.js"
import * as SessionKey from "../SessionKey.js"
import type * as SessionRecord from "../SessionRecord.js"
import * as SessionStore from "../SessionStore.js"
import { chain } from "./chain.js"
import {
  type CommitPlan,
  decideCommit,
  isIdle,
  type Presented as PresentedTag,
  withoutCookie
} from "./commitDecision.js"
import { cookieSize, maxCookieBytes } from "./cookieRules.js"
import { endSessions, isFollowed, isThere } from "./endedSession.js"
import { openCookie, type OpenedCookie, openFormerCookies, type PresentedKey } from "./openedCookie.js"
import {
  hasChangedScope,
  lifetimeOf,
  malformed,
  noSessions,
  others,
  present,
  type Presented,
  type SessionServices
} from "./presentedSession.js"
import { SessionBase } from "./sessionBase.js"
import { type CookieAttributes, removalCookie, type SetCookie, setCookie } from "./setCookie.js"
import { Turns } from "./turns.js"
import { withClock } from "./withClock.js"

/**
 * What the commit came to, for the response to carry.
 *
 * @internal
 */
export type CommitOutcome =
  | { readonly _tag: "Keep" }
  /**
   * `cookies`: the session cookie's own, then one that removes each cookie it was before. `isRefresh`: the cookie that the
   * browser has goes on working without this one.
   */
  | { readonly _tag: "SetCookie"; readonly cookies: ReadonlyArray<SetCookie>; readonly isRefresh: boolean }
  /** What the request wrote is not kept. */
  | { readonly _tag: "Lost" }
  | { readonly _tag: "Fail"; readonly error: CommitError | undefined }

/** @internal */
export const keep: CommitOutcome = { _tag: "Keep" }

const lost: CommitOutcome = { _tag: "Lost" }

/**
 * What the response says about its request's commit.
 *
 * @internal
 */
export interface ResponseFacts {
  readonly wasInterrupted: boolean
  /** Whether the response can still carry a cookie. */
  readonly canSetCookie: boolean
}

const allButCookies: ReadonlyArray<Session.ClearSiteData> = ["cache", "storage", "executionContexts"]

// Somebody else's answer may have a newer cookie than the one that the request came with.
const isLate = (presented: PresentedTag | undefined): boolean => presented === "Superseded" || presented === "Replaced"

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
export abstract class RequestSession extends SessionBase {
  #presented: Presented | undefined = undefined

  readonly #services: SessionServices

  constructor(services: SessionServices) {
    super()
    this.#services = services
  }

  protected services(): SessionServices {
    return this.#services
  }

  /** The header `Cookie` of the request. */
  protected abstract cookieHeader(): string | undefined

  /** Whether the handler looked at the session in any way. */
  get isTouched(): boolean {
    return this.log().isTouched
  }

  /**
   * Closes a session that asks for nothing, and says whether it was such a one, as most are.
   */
  closeIdle(): boolean {
    const { isIdle } = this
    this.log().isCommitted = isIdle
    return isIdle
  }

  /**
   * What the browser is to forget besides the cookie. A newer cookie must not be among it, be it that of a new session or
   * one that this request came too late for.
   */
  get clearSiteData(): ReadonlyArray<Session.ClearSiteData> {
    const { clearSiteData } = this.log()
    return this.log().hasValues || isLate(this.#presented?._tag)
      ? clearSiteData.flatMap((directive) =>
        directive === "*" ? allButCookies : directive === "cookies" ? [] : directive
      )
      : clearSiteData
  }

  protected load(): Effect.Effect<SessionRecord.SessionRecord | undefined, Session.SessionGetError> {
    const presented = this.#presented === undefined ? this.present() : Effect.succeed(this.#presented)
    return Effect.matchEffect(presented, {
      onSuccess: (presented) => Effect.succeed(presented._tag === "Valid" ? presented.record : undefined),
      onFailure: (cause) =>
        Effect.fail(
          new Session.SessionGetError({
            reason: "StoreUnavailable",
            message: `The session store could not say whether there is a session: ${cause.message}`,
            cause
          })
        )
    })
  }

  /** Whether the handler ended the session, and nothing has come of that yet. */
  get awaitsEnd(): boolean {
    return this.log().status === "Purged" && !this.log().isCommitted
  }

  /**
   * Closes the session and does what the handler's doings ask for. Never fails, and is not interrupted. It is called once.
   */
  settle({ canSetCookie, wasInterrupted }: ResponseFacts): Effect.Effect<CommitOutcome> {
    this.log().isCommitted = true
    if (wasInterrupted) {
      this.log().dropWrites()
    }
    return this.isIdle
      ? Effect.succeed(keep)
      : Effect.uninterruptible(
        Effect.catchAllCause(Effect.suspend(() => this.commit(canSetCookie)), (cause) => this.commitFailed(cause))
      )
  }

  protected override get canRemember(): boolean {
    return this.services().config.lifecycle.rememberMeMillis !== undefined
  }

  protected override get maxStateBytes(): number {
    return this.services().config.maxStateBytes
  }

  /** The attributes of that cookie in this response. */
  protected attributesOf({ attributes }: ResolvedCookie): CookieAttributes {
    return attributes
  }

  private get lifetime(): SessionRecord.Lifetime {
    return lifetimeOf(this.services().config.lifecycle, this.log().isRemembered)
  }

  /** Whether the cookie outlives the browser. */
  private get isPersistent(): boolean {
    return this.services().config.lifecycle._tag === "PersistentSession" ||
      (this.canRemember && this.log().isRemembered)
  }

  private get refreshesAlways(): boolean {
    return this.services().config.lifecycle.ttlExtension === "OnEveryRequest"
  }

  // Where the store could not be read and the handler went on without, it is not asked again for a mere refresh.
  private get isIdle(): boolean {
    return isIdle({
      status: this.log().status,
      hasWrites: this.log().hasWrites,
      asksForWrites: this.log().asksForWrites,
      refreshesAlways: this.refreshesAlways && this.outcome()?._tag !== "Failure"
    })
  }

  private commit(canSetCookie: boolean): Effect.Effect<CommitOutcome, CommitError> {
    return chain(this.presentedForCommit(), (presented) => {
      const facts = {
        presented: presented._tag,
        status: this.log().status,
        hasWrites: this.log().hasWrites,
        asksForWrites: this.log().asksForWrites,
        hasValues: this.log().hasValues,
        refreshesAlways: this.refreshesAlways
      }
      const plan = decideCommit(facts)
      if (!canSetCookie) {
        return this.commitWithoutCookie(plan, withoutCookie(plan, facts.hasWrites), presented)
      }
      return this.carryOut(plan, presented)
    })
  }

  // A deleted session needs no removal of its cookie, which opens nothing any more.
  private commitWithoutCookie(
    wanted: CommitPlan,
    possible: CommitPlan,
    presented: Presented
  ): Effect.Effect<CommitOutcome, CommitError> {
    return Effect.flatMap(this.carryOut(possible, presented), (outcome) => {
      const isLoss = wanted === possible
        ? possible === "Update" && outcome._tag === "SetCookie" && !outcome.isRefresh
        : wanted !== "RemoveCookie" && wanted !== "Drop"
      const warning = isLoss
        ? Effect.logWarning(
          `The response to a WebSocket upgrade can set no session cookie, which this commit needed (${wanted}). Begin and ` +
            "renew sessions, and change those in the cookie store, in a request before the upgrade."
        )
        : Effect.void
      return Effect.as(warning, keep)
    })
  }

  // Every verb but `updateTtl` acts for a request that has seen its session alive, so the others load it first. So does
  // `updateTtl` where only the record says which TTL it is.
  private presentedForCommit(): Effect.Effect<Presented, SessionStore.LoadError> {
    if (this.#presented !== undefined) {
      return Effect.succeed(this.#presented)
    }
    const cookie = this.opened()
    return this.log().status === "Unchanged" && cookie.keys.length === 1 && !this.canRemember
      ? Effect.succeed({ _tag: "Valid", record: undefined, sessions: [cookie.keys[0]!], late: noSessions })
      : Effect.tap(this.present(cookie), (presented) => {
        if (presented._tag === "Valid") {
          this.log().loaded(presented.record)
        }
      })
  }

  private carryOut(plan: CommitPlan, presented: Presented): Effect.Effect<CommitOutcome, CommitError> {
    const sessions = "sessions" in presented ? presented.sessions : noSessions
    switch (plan) {
      case "Nothing":
        return Effect.succeed(keep)
      case "RemoveCookie":
        return Effect.as(endSessions(this.services(), this.endedBeside(presented, sessions)), this.removeCookie())
      case "Save":
        return this.save(this.endedBeside(presented, sessions))
      case "SaveBeside":
        return this.saveBeside(sessions, presented._tag)
      case "Delete":
        return this.endAll([...sessions, ...this.endedBeside(presented, sessions)], presented._tag)
      case "Replace":
        return this.replace(sessions, this.endedBeside(presented, sessions))
      case "Drop":
        return this.writesLost(sessions, presented._tag === "Replaced" ? "Ended" : "Superseded")
      case "UpdateTtl":
        // Only `update` notices that a parallel request has begun or ended to remember the session.
        return this.canRemember ? this.mergeChanges(sessions[0]!) : this.refreshExpiry(sessions[0]!)
      case "Update":
        return this.mergeChanges(sessions[0]!)
      case "Renew":
        return this.renewSecret(sessions[0]!)
    }
  }

  /** The other sessions that a logout ends: whatever the browser showed, be it late or under a former name. */
  private endedBeside(presented: Presented, sessions: ReadonlyArray<PresentedKey>): ReadonlyArray<PresentedKey> {
    if (this.log().status !== "Purged") {
      return noSessions
    }
    const late = "late" in presented ? presented.late : noSessions
    return [...late, ...others(openFormerCookies(this.cookieHeader(), this.services()), [...sessions, ...late])]
  }

  private refreshExpiry(presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    return Effect.matchEffect(this.services().store.updateTtl(presented.key, this.lifetime), {
      onSuccess: (result) => this.updated(result, presented),
      // The one verb that acts on a record which nobody has loaded, and may be the first to find that it is none.
      onFailure: (error) =>
        error.reason === "Malformed"
          ? Effect.as(malformed(this.services(), presented, error), keep)
          : Effect.fail(error)
    })
  }

  private mergeChanges(presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    return this.merge(
      presented,
      (change) => this.services().store.update(presented.key, change, this.lifetime),
      (result) => this.updated(result, presented)
    )
  }

  private updated(
    result: SessionStore.WriteResult,
    presented: PresentedKey
  ): Effect.Effect<CommitOutcome, CommitError> {
    switch (result._tag) {
      case "Saved":
        return this.refreshCookie(result, presented)
      case "Superseded":
        return this.log().hasWrites ? this.writesLost([presented], "Superseded") : Effect.succeed(keep)
      default:
        return this.gone([presented])
    }
  }

  private renewSecret(presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    const { publish, store } = this.services()
    return this.merge(
      presented,
      (change) => store.renew(presented.key, change, this.lifetime),
      (result) => {
        switch (result._tag) {
          case "Saved":
            return Effect.zipRight(publish(SessionEvent.Renewed({ id: presented.key.id })), this.setCookie(result))
          case "Superseded":
            return this.saveBeside([presented], "Superseded")
          default:
            return this.gone([presented])
        }
      }
    )
  }

  /**
   * Writes until no parallel request is faster, computing anew what depended on the values it changed, and goes on with
   * what came of it. Who has lost once takes turns with the others of this process from then on.
   */
  private merge(
    presented: PresentedKey,
    write: (change: SessionRecord.SessionChange) => Effect.Effect<SessionStore.WriteResult, SessionStore.UpdateError>,
    next: (result: SessionStore.WriteResult) => Effect.Effect<CommitOutcome, CommitError>
  ): Effect.Effect<CommitOutcome, CommitError> {
    const { publish, store } = this.services()
    const { id } = presented.key
    const turns = turnsOf(store)
    const attempt = <E>(
      onConflict: (retry: Effect.Effect<void, CommitError>) => Effect.Effect<SessionStore.WriteResult, E>
    ): Effect.Effect<SessionStore.WriteResult, E | SessionStore.UpdateError> =>
      // How long the session lives depends on whether it is remembered, so that no write may go by what was.
      chain(write(this.log().change(this.canRemember)), (result) =>
        result._tag === "Conflict"
          ? onConflict(
            Effect.zipRight(
              publish(SessionEvent.Conflict({ id })),
              Effect.suspend(() => this.rebase(this.log().groundWith(result.found)))
            )
          )
          : Effect.succeed(result))
    const inTurn = turns.take(
      id,
      Effect.flatMap(Clock.currentTimeMillis, (start) => {
        const again: Effect.Effect<SessionStore.WriteResult, CommitError> = Effect.suspend(() =>
          attempt((retry) =>
            Effect.flatMap(Clock.currentTimeMillis, (now) =>
              now - start < this.services().config.storeTimeoutMillis
                ? Effect.zipRight(retry, again)
                : Effect.fail(this.tooContended()))
          )
        )
        return again
      })
    )
    const written = turns.areTaken(id) && this.log().hasDerivedWrites
      ? inTurn
      : attempt((retry) => Effect.zipRight(retry, inTurn))
    return chain(written, next)
  }

  private tooContended(): SessionStore.UpdateError {
    return new SessionStore.UpdateError({
      reason: "Unavailable",
      message:
        `Parallel requests kept changing the same session value for ${this.services().config.storeTimeoutMillis} ms. ` +
        "Raise storeTimeout, or keep such a value outside the session."
    })
  }

  private rebase(
    state: SessionRecord.SessionState
  ): Effect.Effect<void, Session.SessionGetError | Session.SessionInsertError> {
    return Effect.map(
      Effect.forEach(
        this.log().outdated(state),
        ({ derive, key }) => Effect.map(derive(state.get(key)), (value) => [key, value] as const)
      ),
      (values) => this.log().rebase(state, new Map(values))
    )
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
            ? isFollowed(this.services(), key, saved.key)
            // A replaced secret refreshes nothing, so that this only asks.
            : isThere(this.services(), key)
      )
    return Effect.flatMap(this.rebase(new Map()), () =>
      this.log().hasValues
        ? this.saveIf(condition, sessions)
        : this.log().asksForWrites
        ? this.writesLost(sessions, "Superseded")
        : Effect.succeed(keep))
  }

  /**
   * Ends the sessions, and lets a new one take their place if it was this request that ended each of them. Whoever ends one of
   * them afterwards ends the new one.
   */
  private replace(
    sessions: ReadonlyArray<PresentedKey>,
    beside: ReadonlyArray<PresentedKey>
  ): Effect.Effect<CommitOutcome, CommitError> {
    return Effect.tapErrorCause(
      this.saveIf(
        ({ key }) =>
          Effect.zipWith(
            endSessions(this.services(), sessions, key),
            endSessions(this.services(), beside, key),
            (ended) => ended === sessions.length
          ),
        sessions
      ),
      // They end also where the new one cannot be stored.
      () => endSessions(this.services(), [...sessions, ...beside])
    )
  }

  /**
   * Stores a new session and sends its cookie, unless what it hangs on is found not to hold afterwards: then nobody ever
   * learns its key.
   */
  private saveIf(
    condition: (saved: SessionStore.Saved) => Effect.Effect<boolean, CommitError>,
    sessions: ReadonlyArray<PresentedKey>
  ): Effect.Effect<CommitOutcome, CommitError> {
    const { publish, store } = this.services()
    return Effect.flatMap(store.save(this.log().state(), this.lifetime), (saved) => {
      const discard = Effect.ignoreLogged(store.delete(saved.key))
      return Effect.onError(
        Effect.flatMap(Effect.zip(this.setCookie(saved), condition(saved)), ([cookie, holds]) =>
          holds
            ? Effect.as(publish(SessionEvent.Created({ id: saved.key.id })), cookie)
            : Effect.zipRight(discard, this.gone(sessions))),
        () => discard
      )
    })
  }

  private save(beside: ReadonlyArray<PresentedKey>): Effect.Effect<CommitOutcome, CommitError> {
    const { publish, store } = this.services()
    return Effect.flatMap(
      store.save(this.log().state(), this.lifetime),
      (saved) =>
        endSessions(this.services(), beside, saved.key).pipe(
          Effect.zipRight(publish(SessionEvent.Created({ id: saved.key.id }))),
          Effect.zipRight(this.setCookie(saved))
        )
    )
  }

  // The browser may hold a newer cookie than the earlier one that came. It opens nothing any more if this request has
  // ended its session; if somebody else has, it may be the one of a sign-in since.
  private endAll(
    sessions: ReadonlyArray<PresentedKey>,
    presented: PresentedTag
  ): Effect.Effect<CommitOutcome, CommitError> {
    return Effect.map(
      endSessions(this.services(), sessions),
      (ended) => isLate(presented) && ended === 0 ? keep : this.removeCookie()
    )
  }

  private gone(sessions: ReadonlyArray<PresentedKey>): Effect.Effect<CommitOutcome> {
    const told = Effect.forEach(sessions, ({ key }) => this.services().publish(SessionEvent.Gone({ id: key.id })), {
      discard: true
    })
    // A write of what was there already is lost as well: the value went with the session.
    return this.log().asksForWrites
      ? Effect.zipRight(told, this.writesLost(sessions, "Ended"))
      : Effect.as(told, keep)
  }

  private writesLost(
    sessions: ReadonlyArray<PresentedKey>,
    reason: "Ended" | "Superseded"
  ): Effect.Effect<CommitOutcome> {
    const { config, publish } = this.services()
    return Effect.as(
      Effect.forEach(sessions, ({ key }) => publish(SessionEvent.WritesLost({ id: key.id, reason })), {
        discard: true
      }),
      config.lostWrites === "Refuse" ? lost : keep
    )
  }

  // A refresh that fails shortens a session and loses nothing that the handler did: its answer stands.
  private commitFailed(cause: Cause.Cause<CommitError>): Effect.Effect<CommitOutcome> {
    const isRefresh = this.log().status === "Unchanged" && !this.log().asksForWrites
    const error = Option.getOrUndefined(Cause.failureOption(cause))
    const isUnavailable = error !== undefined && (error.reason === "Unavailable" || error.reason === "StoreUnavailable")
    const told = isUnavailable
      ? this.services().publish(SessionEvent.StoreUnavailable({ during: isRefresh ? "refresh" : "commit" }))
      : Effect.void
    return isRefresh
      ? Effect.logWarning("The session could not be refreshed", cause).pipe(Effect.zipRight(told), Effect.as(keep))
      : Effect.logError("The session could not be committed", cause).pipe(
        Effect.zipRight(told),
        Effect.as({ _tag: "Fail", error })
      )
  }

  /** Sends a cookie only where the browser learns something from it, and never an old key over a newer one. */
  private refreshCookie(saved: SessionStore.Saved, presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    const isRefresh = !this.log().hasChangedRemembering &&
      (saved.key === presented.key || SessionKey.toText(saved.key) === SessionKey.toText(presented.key))
    const isNews = !isRefresh || !presented.isUpToDate || this.isPersistent ||
      hasChangedScope(this.services().config.cookie)
    return isNews ? this.setCookie(saved, isRefresh) : Effect.succeed(keep)
  }

  private setCookie(saved: SessionStore.Saved, isRefresh = false): Effect.Effect<CommitOutcome, CommitError> {
    const { config, crypto } = this.services()
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
    return withClock((clock) => {
      const maxAge = this.isPersistent
        ? Math.max(1, Math.ceil((saved.expiresAt - clock.unsafeCurrentTimeMillis()) / 1000))
        : undefined
      return Effect.succeed(
        this.withRemovals(
          setCookie(config.cookie.name, value, this.attributesOf(config.cookie), maxAge),
          isRefresh
        )
      )
    })
  }

  private removeCookie(): CommitOutcome {
    return this.withRemovals(this.removalOf(this.services().config.cookie), false)
  }

  private withRemovals(cookie: SetCookie, isRefresh: boolean): CommitOutcome {
    const removals = this.services().config.cookie.retired.map((cookie) => this.removalOf(cookie))
    return { _tag: "SetCookie", cookies: [cookie, ...removals], isRefresh }
  }

  private removalOf(cookie: ResolvedCookie): SetCookie {
    return removalCookie(cookie.name, this.attributesOf(cookie))
  }

  private opened(): OpenedCookie {
    return openCookie(this.cookieHeader(), this.services())
  }

  private present(cookie: OpenedCookie = this.opened()): Effect.Effect<Presented, SessionStore.LoadError> {
    return present(this.services(), cookie, (presented) => this.#presented = presented)
  }
}

/**
 * Why a commit could not be carried out.
 *
 * @internal
 */
export type CommitError = SessionStore.SessionStoreError | Session.SessionGetError | Session.SessionInsertError
