/**
 * What sessions do, said without stores, seals, HTTP and concurrency: plain data that is changed in place, one request
 * after the other. It predicts the answer of each request, its cookie, and the calls that the store sees.
 */
import type * as Config from "effect-session/Config"
import type { Ending, Key, Operation } from "./operations.js"
import type { Verb } from "./sessionApp.js"

export interface Settings {
  readonly lifecycle: Config.SessionLifecycle["_tag"]
  readonly ttlExtension: "OnStateChanges" | "OnEveryRequest" | { readonly every: number }
  /** In milliseconds, as all times here. */
  readonly ttl: number
  readonly maxLifetime: number | undefined
  readonly contentSecurity: "Private" | "Signed"
}

type State = Map<Key, number>

/** A session, or, where the cookie itself holds the session, one of the copies that are about. */
export interface ModelSession {
  readonly number: number
  readonly createdAt: number
  readonly deadline: number | undefined
  state: State
  extendedAt: number
  expiresAt: number
  isEnded: boolean
  /** Which of the keys that the session had, counted from zero, is the current one. */
  generation: number
  /** When each earlier key was replaced. */
  readonly superseded: Map<number, number>
  /** The session that began in the place of this one when it ended, as long as the store knows of it, and when that was. */
  successor?: { readonly session: ModelSession; readonly since: number } | undefined
}

/** What a cookie of ours stands for. */
export interface Ticket {
  readonly session: ModelSession
  readonly generation: number
}

/** A cookie: its ticket (`undefined`: a key of no session), and the number of the ring's key that sealed it. */
export interface ModelCookie {
  readonly ticket: Ticket | undefined
  readonly sealedBy: number
}

export type ExpectedNews =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Removal" }
  | { readonly _tag: "Value"; readonly cookie: ModelCookie; readonly maxAge: number | undefined }

/** For how long a replaced key is known for a late one. */
export const supersededWindow = 10_000

/** For how long a request that came with it may still commit. */
export const supersededRetention = 3_600_000

export class Model {
  readonly sessions: Array<ModelSession> = []
  /** Every cookie that was ever set. */
  readonly cookies: Array<ModelCookie> = []
  /** Which cookie each browser holds. */
  readonly jars: Array<number | undefined> = [undefined, undefined, undefined]
  /** The numbers of the keys that open cookies; the first seals. */
  ring: ReadonlyArray<number> = [0]
  private lastFresh = 0

  constructor(
    readonly settings: Settings,
    /** Whether the store keeps the sessions, so that it can end them; or they travel in the cookie. */
    readonly isRevocable: boolean,
    public now: number
  ) {}

  /** A value that no other insert of this run writes, also when it is counted up for a while. */
  freshValue(): number {
    return this.lastFresh += 1000
  }

  isAlive(session: ModelSession): boolean {
    return !session.isEnded && this.now < session.expiresAt
  }

  extended(deadline: number | undefined): number {
    return Math.min(this.now + this.settings.ttl, deadline ?? Infinity)
  }

  /** Whether two cookies hold the very same text before they are sealed. */
  textOf(ticket: Ticket | undefined): string {
    if (ticket === undefined) {
      return "nobody's"
    }
    const { createdAt, expiresAt, extendedAt, number, state } = ticket.session
    return this.isRevocable
      ? `${number}/${ticket.generation}`
      : JSON.stringify([number, createdAt, extendedAt, expiresAt, Array.from(state)])
  }
}

type Presented =
  | { readonly _tag: "None" | "Refused" }
  | Several
  | Live

interface Several extends Late {
  readonly _tag: "Superseded" | "Replaced" | "Ambiguous"
  readonly tickets: ReadonlyArray<Ticket>
}

interface Late {
  /** Late keys of other sessions that came beside. */
  readonly late: ReadonlyArray<Ticket>
}

interface Live extends Late {
  readonly _tag: "Live"
  readonly ticket: Ticket
  readonly sealedByNewest: boolean
  /** When it was to expire as the request found it. */
  readonly expiresAt: number
}

type Value = number | undefined

/** A write of one key; `derive` is there when the value was computed from `from`. */
interface Write {
  readonly value: Value
  readonly from?: Value
  readonly derive?: (stored: Value) => Value
}

/** One request, from its cookies to its answer. The store may change between what it reads and what it commits. */
export class ModelRequest {
  /** The calls that the store sees, in their order. */
  readonly calls: Array<Verb> = []
  isTouched = false
  /** Whether what the request wrote is not kept. */
  isLost = false
  private readonly ring: ReadonlyArray<number>
  private readonly candidates: ReadonlyArray<ModelCookie>
  private presented: Presented | undefined
  private status: "Unchanged" | "Changed" | "Renewed" | "Purged" = "Unchanged"
  private base: State = new Map()
  private record: { readonly id: number; readonly createdAt: number; readonly expiresAt: number } | undefined
  private readonly writes = new Map<Key, Write>()
  /** Whether the handler asked for a write, be it one that changed nothing of what it saw. */
  private asksForWrites = false

  /** `cookies`: the session cookies in the header; `undefined` stands for one that nobody can open. */
  constructor(
    private readonly model: Model,
    private readonly cookies: ReadonlyArray<ModelCookie | undefined>
  ) {
    this.ring = model.ring
    const distinct = new Map<string, ModelCookie>()
    for (const cookie of cookies) {
      if (cookie !== undefined && this.ring.includes(cookie.sealedBy)) {
        const text = model.textOf(cookie.ticket)
        const twin = distinct.get(text)
        // Of two seals around one text the older is the one to get rid of.
        distinct.set(text, twin === undefined || twin.sealedBy === this.ring[0] ? cookie : twin)
      }
    }
    this.candidates = Array.from(distinct.values())
  }

  /** What the operation answers. A session is named by its number. */
  perform(operation: Operation): unknown {
    this.isTouched = true
    switch (operation._tag) {
      case "Read":
        return Object.fromEntries(this.state())
      case "Facts": {
        const { status } = this
        this.load()
        const { createdAt = null, expiresAt = null, id = null } = this.record ?? {}
        return { status, id, createdAt, expiresAt }
      }
      case "Contains":
        return this.read(operation.key) !== undefined
      case "Insert":
        this.assign(operation.key, operation.value)
        return null
      case "Count":
        return this.derive(operation.key, (value) => value === undefined ? 1 : value + 1)
      case "CountIfThere":
        return this.derive(operation.key, (value) => value === undefined ? undefined : value + 1) ?? null
      case "Remove": {
        const value = this.read(operation.key)
        this.assign(operation.key, undefined)
        return value ?? null
      }
      case "Clear":
        this.asksForWrites = true
        for (const key of this.state().keys()) {
          this.assign(key, undefined)
        }
        return null
      case "Renew":
        this.status = this.status === "Purged" ? "Purged" : "Renewed"
        return null
      case "Purge":
        this.status = "Purged"
        this.record = undefined
        this.base = new Map()
        this.writes.clear()
        this.asksForWrites = false
        return null
    }
  }

  /** Commits, and says what the browser is told. */
  finish(ending: Ending): ExpectedNews {
    if (ending === "IsInterrupted") {
      this.writes.clear()
      this.asksForWrites = false
      this.status = this.status === "Purged" ? "Purged" : "Unchanged"
    }
    const refreshes = this.refreshes()
    const isUntouched = this.writes.size === 0 && (this.status === "Unchanged" || this.status === "Changed")
    if (isUntouched && !this.asksForWrites && !refreshes) {
      return nothing
    }
    const only = this.candidates.length === 1 ? this.candidates[0] : undefined
    if (isUntouched && this.status === "Unchanged" && this.presented === undefined && only !== undefined) {
      return this.refresh(only)
    }
    const presented = this.ask()
    switch (presented._tag) {
      case "Live":
        return this.commit(presented)
      case "None":
        return this.stateNow().size > 0 ? this.save() : nothing
      case "Refused":
        return this.stateNow().size > 0 ? this.save() : this.status === "Purged" ? { _tag: "Removal" } : nothing
      case "Ambiguous":
        return this.status === "Purged" || this.status === "Renewed"
          ? this.end(presented)
          : this.stateNow().size > 0
          ? this.save()
          : nothing
      case "Superseded":
        return this.status === "Purged"
          ? this.end(presented)
          : this.status === "Renewed"
          ? this.saveBeside(presented.tickets)
          : this.lose()
      case "Replaced":
        return this.status !== "Purged" && this.status !== "Renewed"
          ? this.lose()
          : this.stateNow().size > 0
          ? this.saveIf(() => presented.tickets.some((ticket) => this.isFollowed(ticket)))
          : this.status === "Purged"
          ? this.end(presented)
          : this.lose()
    }
  }

  /** Ends the sessions; a new one takes their place if it was this request that ended all of them. */
  private end({ _tag, late, tickets }: Several | Late & { readonly _tag: "Live"; tickets: [Ticket] }): ExpectedNews {
    const beside = this.status === "Purged" ? late : []
    const end = (tickets: ReadonlyArray<Ticket>, successor?: ModelSession) =>
      tickets.filter((ticket) => this.endOne(ticket, successor)).length
    if (this.stateNow().size > 0) {
      return this.saveIf((successor) => {
        const ended = end(tickets, successor)
        end(beside, successor)
        return ended === tickets.length
      })
    }
    return end([...tickets, ...beside]) === 0 && (_tag === "Superseded" || _tag === "Replaced")
      ? nothing
      : { _tag: "Removal" }
  }

  private endOne(ticket: Ticket, successor: ModelSession | undefined): boolean {
    const { isRevocable, now } = this.model
    this.calls.push("delete")
    const { session } = ticket
    if (!isRevocable || this.owns(ticket)) {
      session.isEnded ||= isRevocable
      session.successor = isRevocable && successor !== undefined ? { session: successor, since: now } : undefined
      return true
    }
    const other = this.replacedSince(ticket) === undefined ? undefined : session.successor?.session
    return other !== undefined && successor === undefined && this.endOne({ session: other, generation: 0 }, undefined)
  }

  private isFollowed(ticket: Ticket): boolean {
    this.calls.push("delete")
    if (this.replacedSince(ticket) === undefined) {
      return false
    }
    const { session } = ticket.session.successor!
    const next = { session, generation: 0 }
    this.calls.push("updateTtl")
    if (!this.owns(next)) {
      return this.isFollowed(next)
    }
    if (session.generation === 0) {
      session.extendedAt = this.model.now
      session.expiresAt = this.model.extended(session.deadline)
    }
    return true
  }

  /** Since when the key is one of a session that gave way to another, where the store still knows it for one. */
  private replacedSince({ generation, session }: Ticket): number | undefined {
    const { now } = this.model
    const since = generation === session.generation ? session.successor?.since : session.superseded.get(generation)
    return session.successor !== undefined && now - session.successor.since < supersededRetention &&
        since !== undefined && now - since < supersededRetention
      ? since
      : undefined
  }

  /** Begins a session of its own beside the one whose key was replaced. */
  private saveBeside(tickets: ReadonlyArray<Ticket>): ExpectedNews {
    this.moveTo(new Map())
    return this.stateNow().size === 0 ? this.lose() : this.saveIf(() =>
      tickets.some((ticket) => {
        this.calls.push("updateTtl")
        return this.owns(ticket)
      })
    )
  }

  private saveIf(condition: (session: ModelSession) => boolean): ExpectedNews {
    const news = this.save()
    const session = this.model.sessions.at(-1)!
    if (condition(session)) {
      return news
    }
    this.calls.push("delete")
    session.isEnded = true
    return this.lose()
  }

  private lose(): ExpectedNews {
    this.isLost = this.asksForWrites
    return nothing
  }

  private commit(presented: Live): ExpectedNews {
    const { model } = this
    const { ticket } = presented
    if (this.status === "Purged") {
      return this.end({ _tag: "Live", tickets: [ticket], late: presented.late })
    }
    if (this.status !== "Renewed" && this.writes.size === 0) {
      return this.refreshes()
        ? this.refresh({ ticket, sealedBy: presented.sealedByNewest ? this.ring[0]! : -1 })
        : nothing
    }
    const isRenewal = this.status === "Renewed"
    const verb = isRenewal ? "renew" : "update"
    this.calls.push(verb)
    if (!this.owns(ticket)) {
      return this.lose()
    }
    if (ticket.generation !== ticket.session.generation) {
      return isRenewal ? this.saveBeside([ticket]) : this.lose()
    }
    if (this.moveTo(ticket.session.state)) {
      this.calls.push(verb)
    }
    const session = this.rewritten(ticket.session)
    session.state = this.applied(ticket.session.state)
    // Of the copies of one session it says which is the later.
    session.extendedAt = model.isRevocable ? model.now : Math.max(model.now, ticket.session.extendedAt + 1)
    session.expiresAt = model.extended(session.deadline)
    if (isRenewal && model.isRevocable) {
      session.superseded.set(session.generation, model.now)
      session.generation++
    }
    const saved = { session, generation: model.isRevocable && !isRenewal ? ticket.generation : session.generation }
    return isRenewal || this.isNews(presented.sealedByNewest, ticket, saved) ? this.tell(saved) : nothing
  }

  private refreshes(): boolean {
    const { now, settings: { ttl, ttlExtension } } = this.model
    if (typeof ttlExtension === "string") {
      return ttlExtension === "OnEveryRequest"
    }
    // Only who looked at the session knows when it was last extended.
    if (this.presented?._tag !== "Live") {
      return false
    }
    const { expiresAt, ticket } = this.presented
    return ttl - (expiresAt - now) >= ttlExtension.every && this.model.extended(ticket.session.deadline) > expiresAt
  }

  private refresh(cookie: ModelCookie): ExpectedNews {
    this.calls.push("updateTtl")
    const { ticket } = cookie
    if (ticket === undefined || !this.owns(ticket)) {
      return this.lose()
    }
    if (ticket.generation !== ticket.session.generation) {
      return nothing
    }
    const before = this.model.textOf(ticket)
    const session = this.rewritten(ticket.session)
    session.extendedAt = Math.max(this.model.now, session.extendedAt)
    session.expiresAt = this.model.extended(session.deadline)
    const saved = { session, generation: ticket.generation }
    return this.isNews(cookie.sealedBy === this.ring[0], before, saved) ? this.tell(saved) : nothing
  }

  private save(): ExpectedNews {
    const { model } = this
    this.calls.push("save")
    const deadline = model.settings.maxLifetime === undefined ? undefined : model.now + model.settings.maxLifetime
    const session: ModelSession = {
      number: model.sessions.length,
      createdAt: model.now,
      deadline,
      state: this.stateNow(),
      extendedAt: model.now,
      expiresAt: model.extended(deadline),
      isEnded: false,
      generation: 0,
      superseded: new Map()
    }
    model.sessions.push(session)
    return this.tell({ session, generation: 0 })
  }

  private tell(ticket: Ticket): ExpectedNews {
    const maxAge = this.model.settings.lifecycle === "PersistentSession"
      ? Math.max(1, Math.ceil((ticket.session.expiresAt - this.model.now) / 1000))
      : undefined
    return { _tag: "Value", cookie: { ticket, sealedBy: this.ring[0]! }, maxAge }
  }

  private isNews(sealedByNewest: boolean, before: Ticket | string, saved: Ticket): boolean {
    const text = typeof before === "string" ? before : this.model.textOf(before)
    return !sealedByNewest || this.model.settings.lifecycle === "PersistentSession" || this.model.textOf(saved) !== text
  }

  /** The session to write to: itself in a store, a copy of it in a cookie. */
  private rewritten(session: ModelSession): ModelSession {
    return this.model.isRevocable ? session : { ...session }
  }

  /** Whether a request that had loaded the session may still write to it. */
  private owns({ generation, session }: Ticket): boolean {
    const replacedAt = session.superseded.get(generation) ?? -Infinity
    return this.model.isAlive(session) &&
      (generation === session.generation || this.model.now - replacedAt < supersededRetention)
  }

  private ask(): Presented {
    return this.presented ??= this.cookies.length === 0 ? { _tag: "None" } : this.theOnlyLiveOne()
  }

  private theOnlyLiveOne(): Presented {
    const answers = this.candidates.map((cookie) => {
      this.calls.push("load")
      return this.answerOf(cookie)
    })
    const live = answers.filter((answer) => answer._tag === "Live")
    const superseded = sessionsOf(answers, "Superseded")
    const replaced = sessionsOf(answers, "Replaced")
    const tickets = live.map(({ ticket }) => ticket)
    const late = others([...superseded, ...replaced], tickets)
    return tickets.length > 1
      ? { _tag: "Ambiguous", tickets, late }
      : live[0] !== undefined
      ? { ...live[0], late }
      : superseded.length > 0
      ? { _tag: "Superseded", tickets: superseded, late: others(replaced, superseded) }
      : replaced.length > 0
      ? { _tag: "Replaced", tickets: replaced, late: [] }
      : { _tag: "Refused" }
  }

  private answerOf({ sealedBy, ticket }: ModelCookie): Presented {
    if (ticket === undefined) {
      return { _tag: "Refused" }
    }
    if (!this.owns(ticket)) {
      const since = this.replacedSince(ticket)
      return since !== undefined && this.model.now - since < supersededWindow
        ? { _tag: "Replaced", tickets: [ticket], late: [] }
        : { _tag: "Refused" }
    }
    const replacedAt = ticket.session.superseded.get(ticket.generation)
    return replacedAt === undefined
      ? {
        _tag: "Live",
        ticket,
        sealedByNewest: sealedBy === this.ring[0],
        expiresAt: ticket.session.expiresAt,
        late: []
      }
      : this.model.now - replacedAt < supersededWindow
      ? { _tag: "Superseded", tickets: [ticket], late: [] }
      : { _tag: "Refused" }
  }

  private load(): void {
    if (this.presented === undefined && this.status !== "Purged") {
      const presented = this.ask()
      if (presented._tag === "Live") {
        const { createdAt, expiresAt, number, state } = presented.ticket.session
        this.record = { id: number, createdAt, expiresAt }
        this.base = new Map(state)
      }
    }
  }

  private state(): State {
    this.load()
    return this.stateNow()
  }

  private stateNow(): State {
    return this.applied(this.base)
  }

  private applied(base: State): State {
    const state = new Map(base)
    for (const [key, { value }] of this.writes) {
      if (value === undefined) {
        state.delete(key)
      } else {
        state.set(key, value)
      }
    }
    return state
  }

  private read(key: Key): Value {
    return this.state().get(key)
  }

  private assign(key: Key, value: Value): void {
    this.asksForWrites = true
    if (this.read(key) !== value || this.writes.get(key)?.derive !== undefined) {
      this.write(key, { value })
    }
  }

  private derive(key: Key, f: (value: Value) => Value): Value {
    const stored = this.read(key)
    const value = f(stored)
    const earlier = this.writes.get(key)
    if (earlier === undefined) {
      if (value !== stored) {
        this.write(key, { value, from: stored, derive: f })
      }
    } else if (earlier.derive === undefined) {
      this.assign(key, value)
    } else {
      const { derive, from } = earlier
      this.write(key, { value, from, derive: (value) => f(derive(value)) })
    }
    return value
  }

  private write(key: Key, write: Write): void {
    this.asksForWrites = true
    this.writes.set(key, write)
    this.status = this.status === "Unchanged" ? "Changed" : this.status
  }

  /** Computes anew what was computed from values that are not there any more. Says whether there were any. */
  private moveTo(state: State): boolean {
    let hasConflict = false
    this.base = state
    for (const [key, { derive, from }] of this.writes) {
      const stored = state.get(key)
      if (derive !== undefined && stored !== from) {
        hasConflict = true
        const value = derive(stored)
        if (value === stored) {
          this.writes.delete(key)
        } else {
          this.writes.set(key, { value, from: stored, derive })
        }
      }
    }
    return hasConflict
  }
}

const nothing: ExpectedNews = { _tag: "Nothing" }

const sessionsOf = (answers: ReadonlyArray<Presented>, tag: "Superseded" | "Replaced"): ReadonlyArray<Ticket> => {
  const tickets = answers.flatMap((answer) => answer._tag === tag ? answer.tickets : [])
  return Array.from(new Map(tickets.map((ticket) => [ticket.session, ticket])).values())
}

const others = (tickets: ReadonlyArray<Ticket>, than: ReadonlyArray<Ticket>): ReadonlyArray<Ticket> =>
  tickets.filter(({ session }) => !than.some((one) => one.session === session))
