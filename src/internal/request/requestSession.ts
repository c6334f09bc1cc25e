/**
 * The session of one request, from its cookie to its commit: what the middleware is without HTTP. It opens the cookie
 * when the handler first asks, and hands what was done to it over to the commit.
 *
 * @internal
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ResolvedCookie } from "../../Config.js"
import * as Session from "../../Session.js"
import * as SessionEvent from "../../SessionEvent.js"
import type * as SessionRecord from "../../SessionRecord.js"
import type * as SessionStore from "../../SessionStore.js"
import type { CookieAttributes } from "../cookie/cookieRules.js"
import { attempt, chain, chainMatch, isDone } from "../effect/chain.js"
import { SessionBase } from "../session/sessionBase.js"
import { Commit, type CommitError, type CommitOutcome, keep } from "./commit.js"
import { isIdle, isLate } from "./commitDecision.js"
import { holdsState } from "./contentSecurity.js"
import { openCookie, type OpenedCookie } from "./openedCookie.js"
import { present, type Presented, rotates, unasked } from "./presentedSession.js"
import { untilEnded } from "./sessionEnd.js"
import { lifetimeOf, refreshes } from "./sessionPolicy.js"
import type { SessionServices } from "./sessionServices.js"

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

/** @internal */
export abstract class RequestSession extends SessionBase {
  #presented: Presented | undefined = undefined
  #cookie: OpenedCookie | undefined = undefined

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

  /** When the request came. */
  abstract arrivedAt(): number

  /** Whether the handler looked at the session in any way. */
  get isTouched(): boolean {
    return this.log().isTouched
  }

  /**
   * Closes a session that asks for nothing, and says whether it was such a one, as most are.
   */
  closeIdle(): boolean {
    // Nobody looks at the clock for a session that no time makes due.
    const isIdle = this.isIdle(rotates(this.#presented, true), this.refreshes(Infinity))
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

  protected load(now: number): Effect.Effect<SessionRecord.SessionRecord | undefined, Session.SessionGetError> {
    return chainMatch(this.presentedAt(now), {
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

  protected override untilEnded(record: SessionRecord.SessionRecord): Effect.Effect<void> {
    const presented = this.#presented
    return presented?._tag === "Valid" && !holdsState(this.services().store)
      ? untilEnded(this.services(), presented.sessions[0].key, record)
      : super.untilEnded(record)
  }

  /** What the store of this session does for accounts. */
  accountVerbs(): SessionStore.AccountVerbs | undefined {
    return this.services().store.accounts
  }

  /** Tells those who listen to the sessions. */
  tell(event: SessionEvent.Happening): void {
    this.services().tell(event)
  }

  /** Whether the handler ended the session, and nothing has come of that yet. */
  get awaitsEnd(): boolean {
    return this.log().status === "Purged" && !this.log().isCommitted
  }

  /**
   * Closes the session and does what the handler's doings ask for. Never fails. It is called once, where nothing interrupts it.
   */
  settle({ canSetCookie, wasInterrupted }: ResponseFacts, clock: Clock.Clock): Effect.Effect<CommitOutcome> {
    this.log().isCommitted = true
    if (wasInterrupted) {
      this.log().dropWrites()
    }
    // Nobody gets a key by an answer that can bring none.
    const canMint = canSetCookie && !wasInterrupted
    if (this.isIdle(rotates(this.#presented, canMint), this.refreshes(clock.unsafeCurrentTimeMillis()))) {
      return Effect.succeed(keep)
    }
    const committed = attempt(() => this.commit(canSetCookie, canMint, clock))
    return isDone(committed) ? committed : Effect.catchAllCause(committed, (cause) => this.commitFailed(cause))
  }

  protected override get canRemember(): boolean {
    return this.services().config.lifecycle.rememberMeMillis !== undefined
  }

  protected override lifetime(): SessionRecord.Lifetime {
    return lifetimeOf(this.services().config.lifecycle, this.log().isRemembered)
  }

  protected override get maxStateBytes(): number {
    return this.services().config.maxStateBytes
  }

  /** The attributes of that cookie in this response. */
  protected attributesOf({ attributes }: ResolvedCookie): CookieAttributes {
    return attributes
  }

  // Where the store could not be read and the handler went on without, it is not asked again for a mere refresh.
  private refreshes(now: number): boolean {
    return this.outcome()?._tag !== "Failure" && refreshes(this.services().config.lifecycle, this.log(), now)
  }

  private isIdle(rotates: boolean, refreshes: boolean): boolean {
    return isIdle({
      rotates,
      refreshes,
      status: this.log().status,
      hasWrites: this.log().hasWrites,
      asksForWrites: this.log().asksForWrites
    })
  }

  private commit(
    canSetCookie: boolean,
    canMint: boolean,
    clock: Clock.Clock
  ): Effect.Effect<CommitOutcome, CommitError> {
    return chain(this.presentedForCommit(clock), (presented) => {
      const cookies = {
        header: this.cookieHeader(),
        attributesOf: (cookie: ResolvedCookie) => this.attributesOf(cookie)
      }
      return new Commit(this.services(), this.log(), presented, cookies, clock, canMint).run(canSetCookie)
    })
  }

  // Every verb but `updateTtl` acts for a request that has seen its session alive, so the others load it first. So does
  // `updateTtl` where only the record says which TTL it is, or whether its key is old.
  private presentedForCommit(clock: Clock.Clock): Effect.Effect<Presented, SessionStore.LoadError> {
    if (this.#presented !== undefined) {
      return Effect.succeed(this.#presented)
    }
    const cookie = this.opened()
    return this.log().status === "Unchanged" && cookie.keys.length === 1 && !this.canRemember &&
        this.services().config.lifecycle.rotation === undefined
      ? Effect.succeed(unasked(cookie.keys[0]!))
      : chain(this.present(cookie, clock.unsafeCurrentTimeMillis()), (presented) => {
        if (presented._tag === "Valid") {
          this.log().loaded(presented.record)
        }
        return Effect.succeed(presented)
      })
  }

  // A refresh that fails shortens a session and loses nothing that the handler did: its answer stands.
  private commitFailed(cause: Cause.Cause<CommitError>): Effect.Effect<CommitOutcome> {
    const isRefresh = this.log().status === "Unchanged" && !this.log().asksForWrites
    const error = Option.getOrUndefined(Cause.failureOption(cause))
    const isUnavailable = error !== undefined && (error.reason === "Unavailable" || error.reason === "StoreUnavailable")
    if (isUnavailable) {
      this.services().tell(SessionEvent.StoreUnavailable({ during: isRefresh ? "refresh" : "commit" }))
    }
    return isRefresh
      ? Effect.as(Effect.logWarning("The session could not be refreshed", cause), keep)
      : Effect.as(Effect.logError("The session could not be committed", cause), { _tag: "Fail", error })
  }

  /** What the request's cookie, or its bearer, holds. */
  protected opened(): OpenedCookie {
    return this.#cookie ??= this.openPresented()
  }

  /** Opens what the request brought. */
  protected openPresented(): OpenedCookie {
    return openCookie(this.cookieHeader(), this.services())
  }

  /** What the store said of it so far. */
  protected presented(): Presented | undefined {
    return this.#presented
  }

  /** What the request presents, asked for now where nobody has before. */
  protected presentedAt(now: number): Effect.Effect<Presented, SessionStore.LoadError> {
    return this.#presented === undefined ? this.present(this.opened(), now) : Effect.succeed(this.#presented)
  }

  private present(cookie: OpenedCookie, now: number): Effect.Effect<Presented, SessionStore.LoadError> {
    return chain(
      present(this.services(), cookie, now, this.arrivedAt()),
      (presented) => Effect.succeed(this.#presented = presented)
    )
  }
}
