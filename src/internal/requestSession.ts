/**
 * The session of one request, from its cookie to its commit: what the middleware is without HTTP. It opens the cookie
 * when the handler first asks, and carries out the commit that `decideCommit` plans.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type { SessionConfig } from "../Config.js"
import type { CookieCrypto } from "../CookieCrypto.js"
import * as Session from "../Session.js"
import * as SessionEvent from "../SessionEvent.js"
import type { SessionId } from "../SessionKey.js"
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
import { readCookieValues, tooManyCandidates } from "./cookieHeader.js"
import { cookieSize, maxCookieBytes } from "./cookieRules.js"
import { SessionBase } from "./sessionBase.js"
import { type CookieAttributes, serializeRemovalCookie, serializeSetCookie } from "./setCookie.js"
import { withClock } from "./withClock.js"

/** A key that came in the session cookie, sealed by us. */
interface PresentedKey {
  readonly key: SessionKey.SessionKey
  readonly sealedByNewest: boolean
}

/** What the request presented. There is no record where the store was not asked. */
type Presented =
  | { readonly _tag: Exclude<PresentedTag, "Valid" | "Ambiguous"> }
  | { readonly _tag: "Ambiguous"; readonly sessions: ReadonlyArray<PresentedKey> }
  | PresentedSession

interface PresentedSession extends PresentedKey {
  readonly _tag: "Valid"
  readonly record: SessionRecord.SessionRecord | undefined
}

const none: Presented = { _tag: "None" }
const refused: Presented = { _tag: "Refused" }
const superseded: Presented = { _tag: "Superseded" }

/**
 * What the commit came to, for the response to carry.
 *
 * @internal
 */
export type CommitOutcome =
  | { readonly _tag: "Keep" }
  /** `isRefresh`: the cookie that the browser has goes on working without this one. */
  | { readonly _tag: "SetCookie"; readonly line: string; readonly isRefresh: boolean }
  | { readonly _tag: "Fail"; readonly error: CommitError | undefined }

/** @internal */
export const keep: CommitOutcome = { _tag: "Keep" }

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

/**
 * What the session of a request works with.
 *
 * @internal
 */
export interface SessionServices {
  readonly config: SessionConfig
  readonly crypto: CookieCrypto
  readonly store: SessionStore.SessionStore
  readonly publish: (event: SessionEvent.SessionEvent) => Effect.Effect<void>
}

/** @internal */
export abstract class RequestSession extends SessionBase {
  private presented: Presented | undefined = undefined

  constructor(protected readonly services: SessionServices) {
    super()
  }

  /** The header `Cookie` of the request. */
  protected abstract readonly cookieHeader: string | undefined

  /** Whether the handler looked at the session in any way. */
  get isTouched(): boolean {
    return this.log.isTouched
  }

  /**
   * Closes a session that asks for nothing, and says whether it was such a one, as most are.
   */
  closeIdle(): boolean {
    const { isIdle } = this
    this.log.isCommitted = isIdle
    return isIdle
  }

  /**
   * What the browser is to forget besides the cookie. A newer cookie must not be among it, be it that of a new session or
   * that of the renewal which superseded this request's key.
   */
  get clearSiteData(): ReadonlyArray<Session.ClearSiteData> {
    const { clearSiteData } = this.log
    return this.log.hasValues || this.presented === superseded
      ? clearSiteData.flatMap((directive) =>
        directive === "*" ? allButCookies : directive === "cookies" ? [] : directive
      )
      : clearSiteData
  }

  protected load(): Effect.Effect<SessionRecord.SessionRecord | undefined, Session.SessionGetError> {
    const presented = this.presented === undefined ? this.present(this.openCookie()) : Effect.succeed(this.presented)
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

  /** Closes the session and does what the handler's doings ask for. Never fails. It is called once. */
  settle({ canSetCookie, wasInterrupted }: ResponseFacts): Effect.Effect<CommitOutcome> {
    this.log.isCommitted = true
    if (wasInterrupted) {
      this.log.dropWrites()
    }
    return this.isIdle
      ? Effect.succeed(keep)
      : Effect.catchAllCause(Effect.suspend(() => this.commit(canSetCookie)), (cause) => this.commitFailed(cause))
  }

  protected override get canRemember(): boolean {
    return this.services.config.lifecycle.rememberMeMillis !== undefined
  }

  /** The attributes of the session cookie in this response. */
  protected get cookieAttributes(): CookieAttributes {
    return this.services.config.cookie.attributes
  }

  private get ttlMillis(): number {
    const { rememberMeMillis, ttlMillis } = this.services.config.lifecycle
    return this.log.isRemembered && rememberMeMillis !== undefined ? rememberMeMillis : ttlMillis
  }

  /** Whether the cookie outlives the browser. */
  private get isPersistent(): boolean {
    return this.services.config.lifecycle._tag === "PersistentSession" || (this.canRemember && this.log.isRemembered)
  }

  private get refreshesAlways(): boolean {
    return this.services.config.lifecycle.ttlExtension === "OnEveryRequest"
  }

  // Where the store could not be read and the handler went on without, it is not asked again for a mere refresh.
  private get isIdle(): boolean {
    return isIdle({
      status: this.log.status,
      hasWrites: this.log.hasWrites,
      refreshesAlways: this.refreshesAlways && this.outcome?._tag !== "Failure"
    })
  }

  private commit(canSetCookie: boolean): Effect.Effect<CommitOutcome, CommitError> {
    return chain(this.presentedForCommit(), (presented) => {
      const facts = {
        presented: presented._tag,
        status: this.log.status,
        hasWrites: this.log.hasWrites,
        hasValues: this.log.hasValues,
        refreshesAlways: this.refreshesAlways
      }
      const plan = decideCommit(facts)
      if (!canSetCookie) {
        return this.commitWithoutCookie(plan, withoutCookie(plan, facts.hasWrites), presented)
      }
      return this.interpret(plan, presented)
    })
  }

  private interpret(plan: CommitPlan, presented: Presented): Effect.Effect<CommitOutcome, CommitError> {
    return presented._tag === "Valid"
      ? this.carryOut(plan, presented)
      : this.carryOutAnonymous(plan, presented._tag === "Ambiguous" ? presented.sessions : [])
  }

  // A deleted session needs no removal of its cookie, which opens nothing any more.
  private commitWithoutCookie(
    wanted: CommitPlan,
    possible: CommitPlan,
    presented: Presented
  ): Effect.Effect<CommitOutcome, CommitError> {
    return Effect.flatMap(this.interpret(possible, presented), (outcome) => {
      const isLoss = wanted === possible
        ? possible === "Update" && outcome._tag === "SetCookie" && !outcome.isRefresh
        : wanted !== "RemoveCookie"
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
    if (this.presented !== undefined) {
      return Effect.succeed(this.presented)
    }
    const cookie = this.openCookie()
    return this.log.status === "Unchanged" && cookie.keys.length === 1 && !this.canRemember
      ? Effect.succeed({ _tag: "Valid", record: undefined, ...cookie.keys[0]! })
      : Effect.tap(this.present(cookie), (presented) => {
        if (presented._tag === "Valid") {
          this.log.loaded(presented.record)
        }
      })
  }

  private carryOutAnonymous(
    plan: CommitPlan,
    ambiguous: ReadonlyArray<PresentedKey>
  ): Effect.Effect<CommitOutcome, CommitError> {
    switch (plan) {
      case "Save":
        return this.save()
      case "RemoveCookie":
        return Effect.succeed(this.removeCookie())
      case "Delete":
        return Effect.as(this.deleteAll(ambiguous), this.removeCookie())
      case "DeleteThenSave":
        return Effect.zipRight(this.deleteAll(ambiguous), this.save())
      default:
        return Effect.succeed(keep)
    }
  }

  private carryOut(plan: CommitPlan, presented: PresentedSession): Effect.Effect<CommitOutcome, CommitError> {
    const { publish, store } = this.services
    // Only `update` notices that a parallel request has begun or ended to remember the session.
    switch (plan === "UpdateTtl" && this.canRemember ? "Update" : plan) {
      case "UpdateTtl":
        return Effect.matchEffect(store.updateTtl(presented.key, this.ttlMillis), {
          onSuccess: (result) => result._tag === "Saved" ? this.refreshCookie(result, presented) : this.gone(presented),
          // The one verb that acts on a record which nobody has loaded, and may be the first to find that it is none.
          onFailure: (error) =>
            error.reason === "Malformed" ? Effect.as(this.malformed(presented, error), keep) : Effect.fail(error)
        })
      case "Update":
        return this.merge(
          presented,
          (change) => store.update(presented.key, change, this.ttlMillis),
          (result) => result._tag === "Saved" ? this.refreshCookie(result, presented) : this.gone(presented)
        )
      case "Renew":
        return this.merge(
          presented,
          (change) => store.renew(presented.key, change, this.ttlMillis),
          (result) =>
            result._tag === "Saved"
              ? Effect.zipRight(publish(SessionEvent.Renewed({ id: presented.key.id })), this.setCookie(result))
              : Effect.zipRight(this.gone(presented), this.startAnew())
        )
      case "Delete":
        return Effect.as(this.deleteAll([presented]), this.removeCookie())
      case "DeleteThenSave":
        return Effect.zipRight(this.deleteAll([presented]), this.save())
      default:
        return Effect.succeed(keep)
    }
  }

  /**
   * Writes until no parallel request is faster, computing anew what depended on the values it changed, and goes on with
   * what came of it. `since` is when the first attempt had lost.
   */
  private merge(
    presented: PresentedKey,
    write: (change: SessionRecord.SessionChange) => Effect.Effect<SessionStore.WriteResult, SessionStore.UpdateError>,
    next: (
      result: Exclude<SessionStore.WriteResult, { readonly _tag: "Conflict" }>
    ) => Effect.Effect<CommitOutcome, CommitError>,
    since?: number
  ): Effect.Effect<CommitOutcome, CommitError> {
    // How long the session lives depends on whether it is remembered, so that no write may go by what was.
    return Effect.flatMap(write(this.log.change(this.canRemember)), (result) => {
      if (result._tag !== "Conflict") {
        return next(result)
      }
      const { config: { storeTimeoutMillis }, publish } = this.services
      return Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const start = since ?? now
        return now - start < storeTimeoutMillis
          ? publish(SessionEvent.Conflict({ id: presented.key.id })).pipe(
            Effect.zipRight(this.rebase(result.record.state)),
            Effect.flatMap(() => this.merge(presented, write, next, start))
          )
          : Effect.fail(
            new SessionStore.UpdateError({
              reason: "Unavailable",
              message: `Parallel requests kept changing the same session value for ${storeTimeoutMillis} ms. ` +
                "Raise storeTimeout, or keep such a value outside the session."
            })
          )
      })
    })
  }

  private rebase(
    state: SessionRecord.SessionState
  ): Effect.Effect<void, Session.SessionGetError | Session.SessionInsertError> {
    return Effect.map(
      Effect.forEach(
        this.log.outdated(state),
        ({ derive, key }) => Effect.map(derive(state.get(key)), (value) => [key, value] as const)
      ),
      (values) => this.log.rebase(state, new Map(values))
    )
  }

  // The session is gone, but its user asked for a new secret: what this request wrote, and nothing that it had loaded,
  // begins a new one.
  private startAnew(): Effect.Effect<CommitOutcome, CommitError> {
    return Effect.flatMap(
      this.rebase(new Map()),
      () => this.log.hasValues ? this.save() : Effect.succeed(keep)
    )
  }

  private save(): Effect.Effect<CommitOutcome, CommitError> {
    const { config: { lifecycle }, publish, store } = this.services
    return Effect.flatMap(
      store.save(this.log.state(), { ttl: this.ttlMillis, maxLifetime: lifecycle.maxLifetimeMillis }),
      (saved) => Effect.zipRight(publish(SessionEvent.Created({ id: saved.key.id })), this.setCookie(saved))
    )
  }

  private deleteAll(sessions: ReadonlyArray<PresentedKey>): Effect.Effect<void, CommitError> {
    const { publish, store } = this.services
    return Effect.forEach(
      sessions,
      ({ key }) => Effect.zipRight(store.delete(key), publish(SessionEvent.Purged({ id: key.id }))),
      { discard: true }
    )
  }

  private gone({ key }: PresentedKey): Effect.Effect<CommitOutcome> {
    return Effect.as(this.services.publish(SessionEvent.Gone({ id: key.id })), keep)
  }

  private commitFailed(cause: Cause.Cause<CommitError>): Effect.Effect<CommitOutcome> {
    const error = Option.getOrUndefined(Cause.failureOption(cause))
    const isUnavailable = error !== undefined && (error.reason === "Unavailable" || error.reason === "StoreUnavailable")
    return Effect.logError("The session could not be committed", cause).pipe(
      Effect.zipRight(
        isUnavailable
          ? this.services.publish(SessionEvent.StoreUnavailable({ during: "commit" }))
          : Effect.void
      ),
      Effect.as({ _tag: "Fail", error })
    )
  }

  /** Sends a cookie only where the browser learns something from it, and never an old key over a newer one. */
  private refreshCookie(saved: SessionStore.Saved, presented: PresentedKey): Effect.Effect<CommitOutcome, CommitError> {
    const isRefresh = !this.log.hasChangedRemembering &&
      (saved.key === presented.key || SessionKey.toText(saved.key) === SessionKey.toText(presented.key))
    const isNews = !isRefresh || !presented.sealedByNewest || this.isPersistent
    return saved.isCurrent && isNews ? this.setCookie(saved, isRefresh) : Effect.succeed(keep)
  }

  private setCookie(saved: SessionStore.Saved, isRefresh = false): Effect.Effect<CommitOutcome, CommitError> {
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
    return withClock((clock) => {
      const maxAge = this.isPersistent
        ? Math.max(1, Math.ceil((saved.expiresAt - clock.unsafeCurrentTimeMillis()) / 1000))
        : undefined
      return Effect.succeed({
        _tag: "SetCookie",
        line: serializeSetCookie(config.cookie.name, value, this.cookieAttributes, maxAge),
        isRefresh
      })
    })
  }

  private removeCookie(): CommitOutcome {
    return {
      _tag: "SetCookie",
      line: serializeRemovalCookie(this.services.config.cookie.name, this.cookieAttributes),
      isRefresh: false
    }
  }

  /** Asks the store about what the cookie holds. */
  private present(cookie: OpenedCookie): Effect.Effect<Presented, SessionStore.LoadError> {
    const { keys, refusals } = cookie
    const remember = (presented: Presented): Presented => this.presented = presented
    const presented = keys.length === 0
      ? Effect.succeed(remember(refusals.length === 0 ? none : refused))
      : keys.length === 1
      ? this.ask(keys[0]!, remember)
      : Effect.flatMap(
        Effect.forEach(keys, (key) => this.ask(key, identity)),
        (all) => Effect.map(this.theOnlyLiveOne(all), remember)
      )
    return refusals.length === 0
      ? presented
      : Effect.zipRight(Effect.forEach(refusals, (reason) => this.refuse(reason), { discard: true }), presented)
  }

  private ask(
    presented: PresentedKey,
    answer: (presented: Presented) => Presented
  ): Effect.Effect<Presented, SessionStore.LoadError> {
    const { publish, store } = this.services
    const { key, sealedByNewest } = presented
    return Effect.matchEffect(store.load(key), {
      onSuccess: (result): Effect.Effect<Presented> => {
        switch (result._tag) {
          case "Live":
            return Effect.succeed(answer({ _tag: "Valid", record: result.record, key, sealedByNewest }))
          case "Superseded":
            return Effect.as(publish(SessionEvent.KeySuperseded({ id: key.id })), answer(superseded))
          case "Absent":
            return Effect.as(publish(SessionEvent.KeyExpired({ id: key.id })), answer(refused))
        }
      },
      // What is not a record opens no session today or ever, so the browser starts anew instead of failing for good.
      onFailure: (error) =>
        error.reason === "Malformed"
          ? Effect.as(this.malformed(presented, error), answer(refused))
          : Effect.zipRight(publish(SessionEvent.StoreUnavailable({ during: "load" })), Effect.fail(error))
    })
  }

  // A parent domain's cookie of the same name can stand beside ours, in either order. A choice between two live sessions
  // would be an attacker's choice, so there is none.
  private theOnlyLiveOne(all: ReadonlyArray<Presented>): Effect.Effect<Presented> {
    const sessions = all.filter((presented) => presented._tag === "Valid")
    if (sessions.length === 1) {
      return Effect.succeed(sessions[0]!)
    }
    return sessions.length === 0
      ? Effect.succeed(all.includes(superseded) ? superseded : refused)
      : Effect.as(this.refuse("Ambiguous"), { _tag: "Ambiguous", sessions })
  }

  private malformed({ key }: PresentedKey, error: CommitError): Effect.Effect<void> {
    return Effect.zipRight(
      Effect.logWarning("A session record is malformed and is ignored", error),
      this.refuse("MalformedRecord", key.id)
    )
  }

  private refuse(reason: SessionEvent.RefusalReason, id?: SessionId): Effect.Effect<void> {
    return this.services.publish(SessionEvent.KeyRefused({ reason, id }))
  }

  /** The distinct keys in the cookies of this name that we sealed ourselves. */
  private openCookie(): OpenedCookie {
    const header = this.cookieHeader
    if (header === undefined) {
      return noCookie
    }
    const { config, crypto, store } = this.services
    const values = readCookieValues(header, config.cookie.name)
    if (values.length === 0) {
      return values === tooManyCandidates ? { keys: [], refusals: ["TooManyCookies"] } : noCookie
    }
    const keys = new Map<string, PresentedKey>()
    const refusals: Array<SessionEvent.RefusalReason> = []
    for (const value of values) {
      const opened = crypto.open(value)
      const key = Option.flatMap(opened, ({ plaintext }) => store.readKey(plaintext))
      if (Option.isNone(opened)) {
        refusals.push("BrokenSeal")
      } else if (Option.isNone(key)) {
        refusals.push("MalformedKey")
      } else {
        const { plaintext, sealedByNewest } = opened.value
        // One key may come in two seals. The older one has to go, whichever stands first.
        keys.set(plaintext, {
          key: key.value,
          sealedByNewest: sealedByNewest && keys.get(plaintext)?.sealedByNewest !== false
        })
      }
    }
    return { keys: Array.from(keys.values()), refusals }
  }
}

/**
 * Why a commit could not be carried out.
 *
 * @internal
 */
export type CommitError = SessionStore.SessionStoreError | Session.SessionGetError | Session.SessionInsertError

/** What is in the cookies of the configured name, before the store is asked. */
interface OpenedCookie {
  readonly keys: ReadonlyArray<PresentedKey>
  readonly refusals: ReadonlyArray<SessionEvent.RefusalReason>
}

const noCookie: OpenedCookie = { keys: [], refusals: [] }
