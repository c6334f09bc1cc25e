/**
 * The session of one HTTP request: the request's session, which knows no HTTP, with the request before it and the response
 * behind it.
 *
 * @internal
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerError from "@effect/platform/HttpServerError"
import type * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerRespondable from "@effect/platform/HttpServerRespondable"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type { ResolvedCookie } from "../../Config.js"
import type { ClearSiteData, SessionGetError, SessionInsertError } from "../../Session.js"
import type { SessionId } from "../../SessionKey.js"
import type { SessionRecord } from "../../SessionRecord.js"
import { readCookieValues, tooManyCandidates } from "../cookie/cookieHeader.js"
import type { CookieAttributes } from "../cookie/cookieRules.js"
import type { SetCookie } from "../cookie/setCookie.js"
import { attempt, chain, isDone } from "../effect/chain.js"
import { clockOf } from "../effect/clockOf.js"
import { type Bearer, bearerOf } from "../http/bearerHeader.js"
import { connectionOf } from "../http/connectionOf.js"
import { emptyResponse, withoutBody } from "../http/errorResponse.js"
import { isMadeWhileSent, unwrapWebResponse } from "../http/responseBody.js"
import { cookiesToSet } from "../http/responseCookies.js"
import { clearSiteDataHeader, headersAgainstCaching, varyBy } from "../http/responseHeaders.js"
import { type AnyFiber, appendHook, type Hooks, hooksOf, sourceOf, withFirmHeaders } from "../http/responseHooks.js"
import { cameOverHttps } from "../http/trustedProxies.js"
import { tooLate } from "../session/sessionBase.js"
import { type BearerTransport, credentialsOf } from "./bearerTransport.js"
import { type CommitOutcome, keep } from "./commit.js"
import { isLate } from "./commitDecision.js"
import { csrfCookieName, CsrfTokens } from "./csrfTokens.js"
import { openBearer } from "./openedBearer.js"
import { namesOf, type OpenedCookie } from "./openedCookie.js"
import { RequestSession } from "./requestSession.js"
import type { SessionServices } from "./sessionServices.js"
import { annotateLogs, annotateSpan } from "./telemetry.js"

// Platform answers an interruption with one of these two objects, in every position of a middleware.
const interruptedResponses = [FiberId.none, HttpServerError.clientAbortFiberId].map((fiberId) =>
  Effect.runSync(HttpServerError.causeResponse(Cause.interrupt(fiberId)))[0]
)

/** @internal */
export interface HttpSessionServices extends SessionServices {
  /** What handlers yield. */
  readonly session: { readonly key: string }
  /** What takes the place of the cookie where a request brings a bearer; `undefined` where none is taken. */
  readonly bearer: BearerTransport | undefined
}

/** What a response is varied by, and where its client gets the key. */
interface Delivery {
  readonly varies: ReadonlyArray<string>
  /** The header that the key goes into; `undefined`: into the cookie. */
  readonly header: string | undefined
}

const byCookie: Delivery = { varies: ["Cookie"], header: undefined }
const cookieOrBearer = ["Cookie", "Authorization"]

/**
 * A request's session with the request and the response around it.
 *
 * @internal
 */
export class HttpSession extends RequestSession {
  readonly #middleware: HttpSessionServices
  readonly #request: HttpServerRequest.HttpServerRequest
  readonly #bearer: Bearer | undefined
  #isInterrupted = false
  #csrf: CsrfTokens | undefined = undefined
  #annotated: SessionId | undefined = undefined

  readonly #arrivedAt: number

  /** `arrivedAt` matters only where keys are renewed by themselves. */
  constructor(services: HttpSessionServices, request: HttpServerRequest.HttpServerRequest, arrivedAt: number) {
    const bearer = services.bearer === undefined ? undefined : bearerOf(request)
    super(bearer === undefined ? services : { ...services, ...services.bearer })
    this.#middleware = services
    this.#request = request
    this.#bearer = bearer
    this.#arrivedAt = arrivedAt
  }

  override arrivedAt(): number {
    return this.#arrivedAt
  }

  // Read when it is needed: a web request's headers are copied the first time that somebody asks for one. Where a bearer came, no
  // cookie counts.
  protected override cookieHeader(): string | undefined {
    return this.#bearer === undefined ? this.#request.headers["cookie"] : undefined
  }

  protected override openPresented(): OpenedCookie {
    return this.#bearer === undefined ? super.openPresented() : openBearer(this.#bearer, this.services())
  }

  /**
   * Whether the session is the one of a bearer, and no cookie's. No browser sends such a header by itself, and no page of another
   * site has it sent unless this server allows it.
   */
  isOfBearer(): boolean {
    return this.#bearer !== undefined
  }

  /** Whether there is a session cookie beside the bearer, so that nobody can say whose request it is. */
  bringsCookieAndBearer(): boolean {
    const header = this.#bearer === undefined ? undefined : this.#request.headers["cookie"]
    return header !== undefined && namesOf(this.#middleware.config.cookie).some((name) => {
      const values = readCookieValues(header, name)
      return values.length > 0 || values === tooManyCandidates
    })
  }

  /** How the response hands the key out, and what it is varied by. */
  delivery(): Delivery {
    const { bearer } = this.#middleware
    return bearer === undefined
      ? byCookie
      : { varies: cookieOrBearer, header: this.#bearer === undefined ? undefined : bearer.header }
  }

  belongsTo(services: SessionServices, request: HttpServerRequest.HttpServerRequest): boolean {
    return this.#middleware === services && sourceOf(this.#request) === sourceOf(request)
  }

  /** The key of the tag that handlers yield. */
  get tag(): string {
    return this.#middleware.session.key
  }

  /**
   * What this session and another of the same request cannot both be: the reader of one cookie, the writer of one header, the
   * answer to one tag.
   */
  clashWith(
    services: HttpSessionServices,
    request: HttpServerRequest.HttpServerRequest
  ): "cookie.name" | "bearer.header" | "session" | undefined {
    const own = this.#middleware
    if (own === services || sourceOf(this.#request) !== sourceOf(request)) {
      return undefined
    }
    return this.tag === services.session.key
      ? "session"
      : namesOf(own.config.cookie).some((name) => namesOf(services.config.cookie).includes(name))
      ? "cookie.name"
      : own.bearer !== undefined && own.bearer.header === services.bearer?.header
      ? "bearer.header"
      : undefined
  }

  // What came with the request proves nothing before the store has said that it lives.
  protected override load(now: number): Effect.Effect<SessionRecord | undefined, SessionGetError> {
    const loading = super.load(now)
    return this.#middleware.config.telemetry === "None" ? loading : chain(loading, (record) => {
      const fiber = Fiber.getCurrentFiber()
      if (record !== undefined && Option.isSome(fiber)) {
        this.#annotated = record.id
        annotateSpan(fiber.value, record.id)
        annotateLogs(fiber.value, record.id)
      }
      return Effect.succeed(record)
    })
  }

  /** Names the session, where it is known, in what this fiber logs from now on: what stood around the load may have ended. */
  annotateLogsOf(fiber: AnyFiber): void {
    if (this.#annotated !== undefined) {
      annotateLogs(fiber, this.#annotated)
    }
  }

  /** Names the session that the commit was the first to look for, and the one that it began. */
  private annotateCommitted(outcome: CommitOutcome, fiber: AnyFiber): void {
    const presented = this.presented()
    const found = presented?._tag === "Valid" ? presented.record?.id : undefined
    const begun = outcome._tag === "SetCookie" ? outcome.key?.id : undefined
    const id = begun ?? found
    if (id !== undefined) {
      this.#annotated = id
      annotateSpan(fiber, id, found)
      annotateLogs(fiber, id)
    }
  }

  /** Takes note that the handler was interrupted, or that nobody waits for what it came to. */
  handlerInterrupted(): void {
    this.#isInterrupted = true
  }

  /** Leaves the session to those who read. */
  close(): void {
    this.log().isCommitted = true
  }

  /** Takes no more changes, since the answer is on its way, and the commit with it. */
  closeForChanges(): void {
    this.log().isClosed = true
  }

  /**
   * Ends a session that its handler ended when nobody was waiting for the response any more, as one can that goes on in a fiber
   * of its own.
   */
  endIfLeft(clock: Clock.Clock): Effect.Effect<unknown> {
    return this.#isInterrupted && this.awaitsEnd
      ? this.settle({ wasInterrupted: true, canSetCookie: true }, clock)
      : Effect.void
  }

  /** Settles the session once its handler has come to this response, whatever happens. */
  settleFor(response: HttpServerResponse.HttpServerResponse, fiber: AnyFiber): Effect.Effect<CommitOutcome> {
    const canSetCookie = !wasUpgraded(this.#request, response)
    // Every socket ends sooner or later, and often by interruption: that undoes nothing.
    const wasInterrupted = canSetCookie && this.wasInterrupted(response, fiber)
    const settled = this.settle({ wasInterrupted, canSetCookie }, clockOf(fiber))
    const complete = !canSetCookie
      ? chain(settled, afterUpgrade)
      : !wasInterrupted && this.usesCsrf()
      ? chain(
        settled,
        (outcome) => chain(this.knowing(outcome, fiber), () => Effect.succeed(this.withCsrfCookie(outcome)))
      )
      : settled
    return this.#middleware.config.telemetry === "None" ? complete : chain(complete, (outcome) => {
      this.annotateCommitted(outcome, fiber)
      return Effect.succeed(outcome)
    })
  }

  /** The tokens against cross-site request forgery of this request. No getter, which an inspection of the session would call. */
  csrfTokens(): CsrfTokens {
    return this.#csrf ??= new CsrfTokens(this.services(), {
      header: this.cookieHeader(),
      keys: () => this.opened().keys.map(({ key }) => key)
    })
  }

  /** A token for the browser that gets the response. Like every look at the session it makes the response vary by the cookie. */
  csrfToken(): Effect.Effect<string, SessionInsertError> {
    const log = this.log()
    log.isTouched = true
    const token = log.isTooLate ? this.csrfTokens().handOutAgain(this.isNext) : this.csrfTokens().handOut(this.isNext)
    return token === undefined ? Effect.fail(tooLate()) : Effect.succeed(token)
  }

  override closeIdle(): boolean {
    return (this.#csrf?.needsCookie !== true || this.isOfBearer()) && super.closeIdle()
  }

  /** Whether the browser leaves this request without what its session was before. */
  protected get isNext(): boolean {
    const { status } = this.log()
    return status === "Renewed" || status === "Purged"
  }

  // Whoever has no tokens pays for none, and whoever keeps no cookies needs none.
  private usesCsrf(): boolean {
    return this.#bearer === undefined && (this.#csrf !== undefined ||
      this.cookieHeader()?.includes(`${csrfCookieName(this.services().config.cookie)}=`) === true)
  }

  // Where a browser with a session gets its first token, the store says which key that browser is left with.
  private knowing(outcome: CommitOutcome, fiber: AnyFiber): Effect.Effect<void> {
    return outcome._tag === "Keep" && this.#csrf?.needsCookie === true && this.opened().keys.length > 0
      ? Effect.ignore(this.presentedAt(clockOf(fiber).unsafeCurrentTimeMillis()))
      : Effect.void
  }

  private withCsrfCookie(outcome: CommitOutcome): CommitOutcome {
    const isSet = outcome._tag === "SetCookie"
    const presented = this.presented()
    // A late request puts no cookie over a newer one, nor this one over that of a newer one's page.
    if (!isSet && (outcome._tag !== "Keep" || isLate(presented?._tag))) {
      return outcome
    }
    const newer = presented?._tag === "Valid" && this.opened().keys.length === 1 ? presented.newer : undefined
    const left = isSet
      ? outcome.key === undefined ? [] : [outcome.key]
      : newer !== undefined && this.csrfTokens().needsCookie
      ? [newer]
      : undefined
    const cookie = this.csrfTokens().cookieFor(left, this.isNext, this.attributesOf(this.services().config.cookie))
    return cookie === undefined
      ? outcome
      : isSet
      ? { ...outcome, cookies: [...outcome.cookies, cookie] }
      : { _tag: "SetCookie", cookies: [cookie], isRefresh: true, key: undefined }
  }

  protected override attributesOf({ attributes, secureFromRequest }: ResolvedCookie): CookieAttributes {
    return secureFromRequest === undefined
      ? attributes
      : { ...attributes, secure: cameOverHttps(connectionOf(this.#request), secureFromRequest.trustedProxies) }
  }

  private wasInterrupted(response: HttpServerResponse.HttpServerResponse, fiber: AnyFiber): boolean {
    return this.#isInterrupted || interruptedResponses.includes(response) ||
      ((response.status === 499 || response.status === 503) &&
        !Cause.isEmpty(fiber.getFiberRef(FiberRef.interruptedCause)))
  }
}

// Its response has gone out long ago, and whoever wrote has gone: only the log is left to tell.
const afterUpgrade = (outcome: CommitOutcome): Effect.Effect<CommitOutcome> =>
  outcome._tag === "NeedsCookie"
    ? Effect.as(
      Effect.logWarning(
        `The response to a WebSocket upgrade can set no session cookie, which this commit needed (${outcome.plan}). Begin ` +
          "and renew sessions, and change those in the cookie store, in a request before the upgrade."
      ),
      keep
    )
    : Effect.succeed(outcome._tag === "Lost" ? keep : outcome)

/**
 * What a session asks of its response, be it the handler's or the one that platform sends where that one breaks.
 *
 * @internal
 */
interface ResponseChange {
  readonly outcome: CommitOutcome
  readonly isTouched: boolean
  readonly clearSiteData: ReadonlyArray<ClearSiteData>
}

const changeBy = (session: HttpSession, outcome: CommitOutcome): ResponseChange => ({
  outcome,
  isTouched: session.isTouched,
  clearSiteData: session.clearSiteData
})

const unchanged: ResponseChange = { outcome: keep, isTouched: false, clearSiteData: [] }
const looked: ResponseChange = { ...unchanged, isTouched: true }

/**
 * What is left to do when the handler is done. It works once, and remembers what came of it: platform asks again when a
 * response breaks.
 *
 * By then it has let the session go. Platform keeps the fiber of a request, and whatever its refs hold, long enough for
 * it to grow old in the heap, and what is old waits for a collection of everything.
 *
 * @internal
 */
export class PendingCommit {
  private change = unchanged
  private hooks: Hooks = Option.none()
  private hasLastWord = false
  private readonly delivery: Delivery

  constructor(private session: HttpSession | undefined) {
    this.delivery = session?.delivery() ?? byCookie
  }

  /** The response hooks of the fiber so far, with this commit behind them. */
  hooksFor(fiber: AnyFiber): Hooks {
    return this.hooks = this.behind(hooksOf(fiber))
  }

  /**
   * Hears what became of the app inside, on the fiber that answers. What the app hooked runs after the commit and may write
   * over what that has to say, as CORS does with `Vary`: then the commit speaks again, at the end.
   */
  appEnded(exit: Exit.Exit<unknown, unknown>, fiber: AnyFiber): Effect.Effect<void> {
    this.session?.annotateLogsOf(fiber)
    const ended = this.handlerEnded(exit, fiber)
    if (this.session?.awaitsEnd === true) {
      this.watch(fiber)
    }
    const hooks = hooksOf(fiber)
    if (hooks === this.hooks) {
      return ended
    }
    this.hasLastWord = true
    return Effect.zipRight(FiberRef.set(HttpApp.currentPreResponseHandlers, this.behind(hooks)), ended)
  }

  /** Hears what becomes of the fiber, which may be interrupted when the handler is done and the response is not. */
  watch(fiber: AnyFiber): void {
    fiber.addObserver((exit) => {
      Effect.runFork(this.handlerEnded(exit, fiber))
    })
  }

  private behind(hooks: Hooks): Hooks {
    return appendHook(hooks, (_request, response) => this.commitTo(response))
  }

  /**
   * Hears what became of the handler. Where it was interrupted its response may never come here, since a time limit or a race
   * around the middleware answers in its place; so a session that it ended, ends now.
   */
  handlerEnded(exit: Exit.Exit<unknown, unknown>, fiber: AnyFiber): Effect.Effect<void> {
    const { session } = this
    const isInterrupted = (Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)) ||
      !Cause.isEmpty(fiber.getFiberRef(FiberRef.interruptedCause))
    if (session === undefined || !isInterrupted) {
      return Effect.void
    }
    session.handlerInterrupted()
    if (!session.awaitsEnd) {
      return Effect.void
    }
    this.session = undefined
    return chain(session.settle({ wasInterrupted: true, canSetCookie: true }, clockOf(fiber)), (outcome) => {
      this.change = changeBy(session, outcome)
      return Exit.void
    })
  }

  /** Never fails, whatever happens: platform would run it again, and leave the socket hanging when that fails too. */
  commitTo(response: HttpServerResponse.HttpServerResponse): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    if (this.session?.closeIdle() === true) {
      this.change = this.session.isTouched ? looked : unchanged
      this.session = undefined
    }
    if (this.session === undefined && this.change === unchanged && !isMadeWhileSent(response)) {
      return Effect.succeed(response)
    }
    return Effect.withFiberRuntime((fiber, { runtimeFlags }) => {
      const respond = () => this.respond(response, fiber)
      // What is done at once and what has to be waited for are one, below a middleware that lets itself be interrupted as well.
      return this.session === undefined || !RuntimeFlags.interruptible(runtimeFlags)
        ? respond()
        : Effect.uninterruptible(Effect.suspend(respond))
    })
  }

  private respond(
    response: HttpServerResponse.HttpServerResponse,
    fiber: AnyFiber
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    const { session } = this
    if (session === undefined) {
      return this.apply(response, fiber)
    }
    this.session = undefined
    const responded = attempt(() =>
      chain(session.settleFor(response, fiber), (outcome) => {
        this.change = changeBy(session, outcome)
        return this.apply(response, fiber)
      })
    )
    const failed = (cause: Cause.Cause<never>) =>
      Effect.as(Effect.logError("The session could not be put into the response", cause), withoutBody(response, 500))
    return isDone(responded) ? responded : Effect.catchAllCause(responded, failed)
  }

  private apply(
    response: HttpServerResponse.HttpServerResponse,
    fiber: AnyFiber
  ): Effect.Effect<HttpServerResponse.HttpServerResponse> {
    const change = isMadeWhileSent(response) ? { ...this.change, isTouched: true } : this.change
    return chain(applyChange(change, this.delivery, unwrapWebResponse(response)), (response) =>
      Effect.succeed(
        this.hasLastWord || hooksOf(fiber) === this.hooks ? response : withFirmHeaders(response, spokenHeaders)
      ))
  }
}

const spokenHeaders = ["Vary", "Cache-Control", "Clear-Site-Data"]

const applyChange = (
  { clearSiteData, isTouched, outcome }: ResponseChange,
  delivery: Delivery,
  response: HttpServerResponse.HttpServerResponse
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  if (outcome._tag === "Fail") {
    return Effect.map(
      HttpServerRespondable.toResponseOrElse(outcome.error, emptyResponse(500)),
      ({ status }) => withoutBody(response, status)
    )
  }
  // What has failed anyway claims nothing that it could take back.
  if (outcome._tag === "Lost" && response.status < 400) {
    return applyChange({ clearSiteData, isTouched, outcome: keep }, delivery, withoutBody(response, 409))
  }
  const { headers } = response
  const varied = isTouched
    ? HttpServerResponse.setHeader(response, "vary", varyBy(delivery.varies, headers["vary"]))
    : response
  const cleared = clearSiteData.length === 0
    ? varied
    : HttpServerResponse.setHeader(
      varied,
      "clear-site-data",
      clearSiteDataHeader(clearSiteData, headers["clear-site-data"])
    )
  return Effect.succeed(
    outcome._tag !== "SetCookie"
      ? cleared
      : handOut(outcome.cookies, delivery, HttpServerResponse.setHeaders(cleared, headersAgainstCaching(headers)))
  )
}

// A client that keeps no cookies gets what the session cookie would hold, and nothing of the cookies beside it.
const handOut = (
  cookies: ReadonlyArray<SetCookie>,
  { header }: Delivery,
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse =>
  header === undefined
    ? HttpServerResponse.mergeCookies(response, cookiesToSet(cookies))
    : HttpServerResponse.setHeader(response, header, credentialsOf(cookies[0]!.value))

// A handler that takes the socket of an upgrade over ends long after its 101 went out, and answers with a response that
// nobody sees. One that refuses the upgrade answers like any other. On Node the response behind the request has ended in
// the first case, whatever the handler came to. Elsewhere a refusal shows in its status, and in doubt no cookie is set:
// a key that nobody gets to know would lock its user out.
const wasUpgraded = (
  request: HttpServerRequest.HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
): boolean => {
  if (request.headers["upgrade"]?.toLowerCase() !== "websocket") {
    return false
  }
  const nodeResponse = Predicate.hasProperty(request, "resolvedResponse") ? request.resolvedResponse : undefined
  return Predicate.hasProperty(nodeResponse, "writableEnded")
    ? nodeResponse.writableEnded === true
    : response.status < 300 || response.status >= 499
}
