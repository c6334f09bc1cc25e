/**
 * What one request knows and does: the record it loaded, the writes on top of it, and its status. Plain and synchronous,
 * one object a request, shared by the handler's fibers and the commit.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { ClearSiteData, SessionStatus } from "../../Session.js"
import type { SessionId, SessionKey } from "../../SessionKey.js"
import type { JsonText, SessionChange, SessionRecord, SessionState } from "../../SessionRecord.js"
import type { AccountLimit, AccountText, SignIn, Ticket } from "../../SessionSignIn.js"
import { accountKey, accountOf, signInKey, signInOf, toEntries } from "../../SessionSignIn.js"
import { isReserved, rememberKey } from "./reservedKeys.js"
import { afterRenew, afterWrite } from "./sessionStatus.js"

/**
 * Computes a value anew from the one that the store holds (`undefined`: none). It runs again when a parallel request
 * was faster.
 *
 * @internal
 */
export type Derive<E> = (stored: JsonText | undefined) => Effect.Effect<JsonText | undefined, E>

/**
 * A write of one key. `Assign` does not care what was there (`undefined` removes); `Derived` was computed from `from`.
 */
type Write<E> =
  | { readonly _tag: "Assign"; readonly value: JsonText | undefined }
  | {
    readonly _tag: "Derived"
    readonly from: JsonText | undefined
    readonly value: JsonText | undefined
    readonly derive: Derive<E>
  }

/**
 * A sign-in that is not committed yet.
 *
 * @internal
 */
export interface PendingSignIn {
  readonly account: AccountText
  /** The session that the account knows of: the loaded one, or the one to come. */
  readonly id: SessionId
  /** The key of the session to come, where one has been drawn for it. */
  readonly key: SessionKey | undefined
  /** None where the account is not told of it before the commit. */
  readonly ticket: Ticket | undefined
  readonly limit: AccountLimit | undefined
  /** Whether this request has ended all other sessions of the account, and spared the one with this id. */
  readonly isSpared?: boolean | undefined
}

const emptyState: SessionState = new Map()

const isOfApp = (key: string): boolean => key === accountKey || !isReserved(key)

const bytesOf = (key: string, value: JsonText | undefined): number =>
  value === undefined ? 0 : Buffer.byteLength(key) + Buffer.byteLength(value)

/** @internal */
export class SessionLog<E> {
  status: SessionStatus = "Unchanged"
  /** Whether the handler looked at the session in any way: the response varies by the cookie then. */
  isTouched = false
  /** Whether the handler asked for a write since the last purge, be it one that changed nothing of what it saw. */
  asksForWrites = false
  /** Whether the commit has begun: whatever comes later is too late. */
  isCommitted = false
  /** Whether the answer is on its way, and the commit about to begin. */
  isClosed = false
  /** What a purge asked the browser to forget besides the cookie. */
  clearSiteData: ReadonlyArray<ClearSiteData> = []
  record: SessionRecord | undefined = undefined
  /** The sign-in of this request, which a purge undoes like everything else. */
  pendingSignIn: PendingSignIn | undefined = undefined
  /** Whether the session belonged to its account by a value of the app's when it was loaded. */
  private isAdopted = false
  private base: SessionState = emptyState
  /** How many bytes the state has, where somebody asked since its ground changed. */
  private bytes: number | undefined = undefined
  private readonly writes = new Map<string, Write<E>>()

  /** Whether whatever would change the session comes too late. */
  get isTooLate(): boolean {
    return this.isCommitted || this.isClosed
  }

  get hasWrites(): boolean {
    return this.writes.size > 0
  }

  /** Whether a session made of this state alone would hold a value of the app's, or belong to an account. */
  get hasValues(): boolean {
    for (const [key, { value }] of this.writes) {
      if (value !== undefined && isOfApp(key)) {
        return true
      }
    }
    for (const key of this.base.keys()) {
      if (isOfApp(key) && !this.writes.has(key)) {
        return true
      }
    }
    return false
  }

  /** The sign-in of this session, as this request sees it. */
  get signIn(): SignIn | undefined {
    return this.read(accountKey) === undefined ? undefined : signInOf(this.state())
  }

  /** Whether this request signs its visitor in, or has him prove who he is. */
  get writesSignIn(): boolean {
    return this.writes.has(signInKey)
  }

  /** Whether the session that the writes stand on belongs to an account already, be it by a value of the app's. */
  get wasSignedIn(): boolean {
    return accountOf(this.base) !== undefined || this.isAdopted
  }

  /** Whether the session has come meanwhile to another account than the one that it is about to come to. */
  isOvertaken(found: ReadonlyMap<string, JsonText | undefined>): boolean {
    const account = found.get(accountKey)
    return account !== undefined && account !== this.read(accountKey)
  }

  /** Whether a write depends on what was there, so that a parallel request can make it out of date. */
  get hasDerivedWrites(): boolean {
    return Array.from(this.writes.values()).some(({ _tag }) => _tag === "Derived")
  }

  get isRemembered(): boolean {
    return this.read(rememberKey) !== undefined
  }

  /** Whether the session of this state is remembered. */
  static isRememberedIn(state: SessionState): boolean {
    return state.has(rememberKey)
  }

  /** Whether this request began or ended to remember the session. */
  get hasChangedRemembering(): boolean {
    return this.writes.has(rememberKey)
  }

  /** Takes the loaded record as the ground that the writes stand on. A purge has no ground any more. */
  loaded(record: SessionRecord | undefined): void {
    if (this.status !== "Purged") {
      this.record = record
      this.base = record === undefined ? emptyState : record.state
      this.bytes = undefined
    }
  }

  read(key: string): JsonText | undefined {
    const write = this.writes.get(key)
    return write === undefined ? this.base.get(key) : write.value
  }

  state(): SessionState {
    if (this.writes.size === 0) {
      return this.base
    }
    const state = new Map(this.base)
    for (const [key, { value }] of this.writes) {
      if (value === undefined) {
        state.delete(key)
      } else {
        state.set(key, value)
      }
    }
    return state
  }

  /** The values of the app, without those that this library keeps beside them. */
  *values(): Generator<readonly [key: string, text: JsonText], undefined> {
    for (const entry of this.state()) {
      if (!isReserved(entry[0])) {
        yield entry
      }
    }
  }

  /** Whether the value would make the state grow beyond `maxBytes`. One that is larger already may shrink. */
  outgrows(key: string, value: JsonText | undefined, maxBytes: number): boolean {
    const growth = bytesOf(key, value) - bytesOf(key, this.read(key))
    if (growth <= 0) {
      return false
    }
    if (this.bytes === undefined) {
      this.bytes = 0
      for (const [key, value] of this.state()) {
        this.bytes += bytesOf(key, value)
      }
    }
    return this.bytes + growth > maxBytes
  }

  /** Sets a key, or removes it with `undefined`. The value that is there already is no change. */
  assign(key: string, value: JsonText | undefined): void {
    this.asksForWrites = true
    if (this.read(key) !== value || this.writes.get(key)?._tag === "Derived") {
      this.write(key, { _tag: "Assign", value })
    }
  }

  /** Sets a key to what `derive` made of the value that is there now. */
  derive(key: string, value: JsonText | undefined, derive: Derive<E>): void {
    const write = this.writes.get(key)
    if (write === undefined) {
      const from = this.base.get(key)
      if (from !== value) {
        this.write(key, { _tag: "Derived", from, value, derive })
      }
    } else if (write._tag === "Derived") {
      const earlier = write.derive
      this.write(key, { ...write, value, derive: (stored) => Effect.flatMap(earlier(stored), derive) })
    } else {
      this.assign(key, value)
    }
  }

  clear(): void {
    this.asksForWrites = true
    for (const [key] of this.values()) {
      this.assign(key, undefined)
    }
  }

  remember(isOn: boolean): void {
    this.assign(rememberKey, isOn ? "true" : undefined)
  }

  renew(): void {
    this.status = afterRenew(this.status)
  }

  /** Lets the session come to an account. There is no way to do so without a renewal. */
  enter(signIn: SignIn, pending: PendingSignIn): void {
    this.pendingSignIn = pending
    this.keepSignIn(signIn)
  }

  /**
   * Lets the session come to an account that it belonged to all along, by a value of the app's. That is no write of the request's: it
   * loses nothing where it comes to nothing.
   */
  adopt(signIn: SignIn, id: SessionId): void {
    this.isAdopted = true
    this.pendingSignIn = { account: signIn.account, id, key: undefined, ticket: undefined, limit: undefined }
    for (const [key, value] of toEntries(signIn)) {
      this.writes.set(key, { _tag: "Assign", value })
    }
    this.bytes = undefined
  }

  /** Replaces the times and the facts of a sign-in, which takes a renewal as well. */
  keepSignIn(signIn: SignIn): void {
    for (const [key, value] of toEntries(signIn)) {
      this.assign(key, value)
    }
    this.renew()
  }

  purge(clearSiteData: ReadonlyArray<ClearSiteData> = []): void {
    this.status = "Purged"
    this.clearSiteData = [...this.clearSiteData, ...clearSiteData]
    this.record = undefined
    this.base = emptyState
    this.bytes = undefined
    this.writes.clear()
    this.pendingSignIn = undefined
    this.isAdopted = false
    this.asksForWrites = false
  }

  /** Drops the writes of a handler that did not get to its end. */
  dropWrites(): void {
    this.writes.clear()
    this.pendingSignIn = undefined
    this.bytes = undefined
    this.asksForWrites = false
    this.status = this.status === "Purged" ? "Purged" : "Unchanged"
  }

  /** With `holdsRemembering` the store has to say so when the session's being remembered has changed meanwhile. */
  change(holdsRemembering = false): SessionChange {
    const set = new Map<string, JsonText>()
    const unset = new Set<string>()
    const expect = new Map<string, JsonText | undefined>()
    for (const [key, write] of this.writes) {
      if (write.value === undefined) {
        unset.add(key)
      } else {
        set.set(key, write.value)
      }
      if (write._tag === "Derived") {
        expect.set(key, write.from)
      }
    }
    if (holdsRemembering && !this.hasChangedRemembering) {
      expect.set(rememberKey, this.base.get(rememberKey))
    }
    // A session comes from no account to one, and never from one to another.
    if (this.writes.has(accountKey)) {
      expect.set(accountKey, this.base.get(accountKey))
    }
    return { set, unset, expect }
  }

  /** The derived writes that another ground makes out of date. */
  outdated(base: SessionState): ReadonlyArray<{ readonly key: string; readonly derive: Derive<E> }> {
    const outdated: Array<{ readonly key: string; readonly derive: Derive<E> }> = []
    for (const [key, write] of this.writes) {
      if (write._tag === "Derived" && write.from !== base.get(key)) {
        outdated.push({ key, derive: write.derive })
      }
    }
    return outdated
  }

  /** The ground with what was found under some of its keys. */
  groundWith(found: ReadonlyMap<string, JsonText | undefined>): SessionState {
    const base = new Map(this.base)
    for (const [key, value] of found) {
      if (value === undefined) {
        base.delete(key)
      } else {
        base.set(key, value)
      }
    }
    return base
  }

  /** Moves the writes to another ground, with the values that `outdated` came to there. */
  rebase(base: SessionState, values: ReadonlyMap<string, JsonText | undefined>): void {
    this.base = base
    this.bytes = undefined
    for (const [key, value] of values) {
      const write = this.writes.get(key)
      if (write?._tag === "Derived") {
        const from = base.get(key)
        if (from === value) {
          this.writes.delete(key)
        } else {
          this.writes.set(key, { ...write, from, value })
        }
      }
    }
  }

  private write(key: string, write: Write<E>): void {
    this.asksForWrites = true
    if (this.bytes !== undefined) {
      this.bytes += bytesOf(key, write.value) - bytesOf(key, this.read(key))
    }
    this.writes.set(key, write)
    this.status = afterWrite(this.status)
  }
}
