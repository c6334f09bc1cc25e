/**
 * A bounded number of records in memory, in as few bytes as can be had: a record is a numbered slot with its times in
 * arrays of numbers and everything else of it in one text. A record that is read is made anew from these, so what its
 * reader does to it changes nothing here.
 *
 * When all slots are taken, one record makes room: among those that nobody has come back to, the one that waits longest.
 * A record that was used after it was made moves to a part of its own, which those that are made cannot push it out of
 * (a segmented LRU cache): else whoever begins sessions in any number would end everybody else's. Traces of sessions that
 * gave way have a small part of their own, for the same reason.
 *
 * @internal
 */
import type { SecretDigest, SessionId } from "../../SessionKey.js"
import type { StoredRecord, Successor, SupersededSecret } from "../../SessionRecord.js"
import type { AccountText } from "../../SessionSignIn.js"
import { accountOf } from "../../SessionSignIn.js"
import { AccountIndex } from "./accountIndex.js"
import { ExpiryBuckets } from "./expiryBuckets.js"
import type { PackedTexts } from "./packedTexts.js"
import { packTexts, unpackTexts } from "./packedTexts.js"
import { SlotIndex } from "./slotIndex.js"
import { SlotRings } from "./slotRings.js"
import { SlotSet } from "./slotSet.js"

const timesPerSlot = 3
const createdAt = 0
const expiresAt = 1
const extendedAt = 2

// How much of the capacity is kept for records that somebody came back to. The rest has to hold every new session until
// its browser's second request.
const returnedShare = 0.8
const traceShare = 0.1

/** @internal */
export class RecordTable {
  private readonly index: SlotIndex
  private readonly texts: Array<PackedTexts | undefined>
  /** Of each slot its times, side by side. */
  private readonly times: Float64Array
  private readonly expiry: ExpiryBuckets
  private readonly rings: SlotRings
  private readonly accounts = new AccountIndex()
  /** Those that nobody has come back to, and those that had to leave the others, the longest waiting first. */
  private waiting: number | undefined
  /** Those that somebody came back to, the least recently used first. */
  private returned: number | undefined
  private readonly hasReturned: SlotSet
  private readonly returnedLimit: number
  /** What is left of sessions that gave way to others, the oldest first. */
  private traces: number | undefined
  private readonly isTrace: SlotSet
  private readonly traceLimit: number
  private free: number | undefined
  /** How many slots were ever taken. */
  private touched = 0

  /** `tellEnded` hears of each id whose session has ended, or made room. */
  constructor(private readonly capacity: number, private readonly tellEnded: (id: SessionId) => void = () => {}) {
    this.index = new SlotIndex(capacity)
    this.texts = new Array<PackedTexts | undefined>(capacity)
    this.times = new Float64Array(timesPerSlot * capacity)
    this.expiry = new ExpiryBuckets(capacity)
    this.rings = new SlotRings(capacity)
    this.hasReturned = new SlotSet(capacity)
    this.returnedLimit = Math.floor(returnedShare * capacity)
    this.isTrace = new SlotSet(capacity)
    this.traceLimit = Math.max(1, Math.floor(traceShare * capacity))
  }

  has(id: SessionId): boolean {
    return this.index.slotOf(id) !== undefined
  }

  /** The record of the id, which counts as used with this. */
  find(id: SessionId): StoredRecord | undefined {
    const slot = this.index.slotOf(id)
    if (slot === undefined) {
      return undefined
    }
    this.use(slot)
    return this.read(slot)
  }

  /** The record of the id, which does not count as used with this. */
  peek(id: SessionId): StoredRecord | undefined {
    const slot = this.index.slotOf(id)
    return slot === undefined ? undefined : this.read(slot)
  }

  /** How many records an account has, those that have expired and are still there included. */
  countOf(account: AccountText): number {
    return this.accounts.slotsOf(account).size
  }

  /** The records of an account, which do not count as used with this. */
  recordsOf(account: AccountText): ReadonlyArray<StoredRecord> {
    return Array.from(this.accounts.slotsOf(account), (slot) => this.read(slot))
  }

  insert(record: StoredRecord): void {
    const slot = this.takeSlot()
    this.index.add(record.id, slot)
    this.texts[slot] = packTexts(toTexts(record))
    this.times[timesPerSlot * slot + createdAt] = record.createdAt
    this.times[timesPerSlot * slot + expiresAt] = record.expiresAt
    this.times[timesPerSlot * slot + extendedAt] = record.extendedAt
    this.expiry.add(slot, record.expiresAt)
    this.waiting = this.rings.append(this.waiting, slot)
    this.accounts.assign(slot, accountOf(record.state))
  }

  /** Puts what a rule of `SessionRecord` made of a record that was just found in its place. */
  replace(found: StoredRecord, record: StoredRecord): void {
    const slot = this.index.slotOf(found.id)!
    // Those rules change the times alone, or the state as well, or the superseded digests; what leaves a trace takes the state.
    if (record.state !== found.state || record.superseded !== found.superseded) {
      this.texts[slot] = packTexts(toTexts(record))
      this.accounts.assign(slot, accountOf(record.state))
    }
    this.times[timesPerSlot * slot + extendedAt] = record.extendedAt
    this.times[timesPerSlot * slot + expiresAt] = record.expiresAt
    // A later expiry is noticed when the earlier one falls due, which spares every write the filing.
    if (record.expiresAt < found.expiresAt) {
      this.expiry.remove(slot)
      this.expiry.add(slot, record.expiresAt)
    }
    if (record.successor !== undefined) {
      this.keepTrace(slot)
      this.tellEnded(record.id)
    }
  }

  delete(id: SessionId): void {
    const slot = this.index.slotOf(id)
    if (slot !== undefined) {
      this.expiry.remove(slot)
      this.release(slot)
    }
  }

  /** Removes expired records, at most `limit`. */
  sweep(now: number, limit: number): void {
    for (const slot of this.expiry.take(now, limit)) {
      const due = this.times[timesPerSlot * slot + expiresAt]!
      if (now >= due) {
        this.release(slot)
      } else {
        this.expiry.add(slot, due)
      }
    }
  }

  private read(slot: number): StoredRecord {
    const texts = unpackTexts(this.texts[slot]!)
    const record: StoredRecord = {
      id: this.index.idOf(slot),
      digest: texts[0] as SecretDigest,
      superseded: supersededOf(texts[1]!),
      state: stateOf(texts),
      createdAt: this.times[timesPerSlot * slot + createdAt]!,
      extendedAt: this.times[timesPerSlot * slot + extendedAt]!,
      expiresAt: this.times[timesPerSlot * slot + expiresAt]!
    }
    return this.isTrace.has(slot) ? { ...record, successor: successorOf(texts.at(-1)!) } : record
  }

  private keepTrace(slot: number): void {
    this.takeOut(slot)
    this.traces = this.rings.append(this.traces, slot)
    this.isTrace.add(slot)
    if (this.isTrace.size > this.traceLimit) {
      this.delete(this.index.idOf(this.traces))
    }
  }

  private use(slot: number): void {
    if (this.isTrace.has(slot)) {
      return
    }
    this.takeOut(slot)
    this.returned = this.rings.append(this.returned, slot)
    this.hasReturned.add(slot)
    if (this.hasReturned.size > this.returnedLimit) {
      const oldest = this.returned
      this.takeOut(oldest)
      this.waiting = this.rings.append(this.waiting, oldest)
    }
  }

  /** Out of whichever of the lists it is in. */
  private takeOut(slot: number): void {
    if (this.isTrace.has(slot)) {
      this.isTrace.delete(slot)
      this.traces = this.rings.remove(this.traces, slot)
    } else if (this.hasReturned.has(slot)) {
      this.hasReturned.delete(slot)
      this.returned = this.rings.remove(this.returned, slot)
    } else {
      this.waiting = this.rings.remove(this.waiting, slot)
    }
  }

  private takeSlot(): number {
    if (this.free === undefined && this.touched < this.capacity) {
      return this.touched++
    }
    if (this.free === undefined) {
      // Somebody waits whenever all slots are taken, since not all of them may have returned; of the fewest, a trace may be all.
      this.delete(this.index.idOf((this.waiting ?? this.traces)!))
    }
    const slot = this.free!
    this.free = this.rings.remove(slot, slot)
    return slot
  }

  private release(slot: number): void {
    const id = this.index.idOf(slot)
    this.index.remove(slot)
    this.texts[slot] = undefined
    this.accounts.assign(slot, undefined)
    this.takeOut(slot)
    this.free = this.rings.append(this.free, slot)
    this.tellEnded(id)
  }
}

const toTexts = ({ digest, state, successor, superseded }: StoredRecord): ReadonlyArray<string> => {
  const texts: Array<string> = [digest, superseded.map(secretText).join(",")]
  for (const [key, value] of state) {
    texts.push(key, value)
  }
  // A trace has no state.
  if (successor !== undefined) {
    texts.push(`${successor.id} ${successor.digest}`)
  }
  return texts
}

const secretText = ({ at, digest, graceEndsAt }: SupersededSecret): string =>
  graceEndsAt === undefined ? `${digest} ${at}` : `${digest} ${at} ${graceEndsAt}`

const stateOf = (texts: ReadonlyArray<string>): StoredRecord["state"] => {
  const state = new Map<string, string>()
  for (let i = 3; i < texts.length; i += 2) {
    state.set(texts[i - 1]!, texts[i]!)
  }
  return state
}

const successorOf = (text: string): Successor => {
  const [id, digest] = text.split(" ")
  return { id: id as SessionId, digest: digest as SecretDigest }
}

const noSecrets: ReadonlyArray<SupersededSecret> = []

const supersededOf = (text: string): ReadonlyArray<SupersededSecret> =>
  text === "" ? noSecrets : text.split(",").map((secret) => {
    const [digest, at, grace] = secret.split(" ")
    const superseded = { digest: digest as SecretDigest, at: Number(at) }
    return grace === undefined ? superseded : { ...superseded, graceEndsAt: grace === "Open" ? grace : Number(grace) }
  })
