/**
 * Watches what goes over the wire and holds it against rules that need no model of the library: whatever the model gets
 * wrong together with the library shows up here. It knows what a cookie says about itself (id and secret), what a handler
 * did, what it was shown, and what time it was.
 */
import type * as SessionKey from "effect-session/SessionKey"
import * as Redacted from "effect/Redacted"
import { type Settings, supersededRetention } from "./model.js"
import type { Program } from "./operations.js"
import type { Verb } from "./sessionApp.js"

export interface Observation {
  /** The keys in the request's cookies that the app at that time could open. */
  readonly presented: ReadonlyArray<SessionKey.SessionKey>
  /** When the request was sent, and what was current then; a request in flight may be answered much later. */
  readonly sent: Moment
  readonly answeredAt: number
  readonly program: Program
  /** Whether the handler got to its end, whichever that was. */
  readonly isInterrupted: boolean
  /** The values that the handler found, where the first thing it did was to look. */
  readonly seen: Readonly<Record<string, number>> | undefined
  /** The key in the cookie that the answer sets. */
  readonly set: SessionKey.SessionKey | undefined
  readonly isRemoval: boolean
  readonly calls: ReadonlyArray<Verb>
}

/** What the observer knew at one time. */
export interface Moment {
  readonly at: number
  readonly ended: ReadonlySet<string>
  readonly currentSecrets: ReadonlyMap<string, string>
}

export class Observer {
  private ended: ReadonlySet<string> = new Set()
  private currentSecrets: ReadonlyMap<string, string> = new Map()
  private readonly earlierSecrets = new Map<string, Set<string>>()
  private readonly createdAt = new Map<string, number>()
  private readonly touchedAt = new Map<string, number>()
  /** Which session each value was first written to. */
  private readonly owners = new Map<number, string>()

  constructor(private readonly settings: Settings, private readonly isRevocable: boolean) {}

  now(at: number): Moment {
    return { at, ended: this.ended, currentSecrets: this.currentSecrets }
  }

  observe(seen: Observation): void {
    if (seen.seen !== undefined && Object.keys(seen.seen).length > 0) {
      this.checkSight(seen, seen.seen)
    }
    this.checkNews(seen)
    this.checkAnonymous(seen)
    this.learn(seen)
  }

  private checkSight({ presented, sent }: Observation, seen: Readonly<Record<string, number>>): void {
    const keys = this.isRevocable
      ? presented.filter((key) => sent.currentSecrets.get(key.id) === Redacted.value(key.secret))
      : presented
    const faults = keys.map(({ id }) => this.faultOfSight(id, sent, Object.values(seen)))
    if (!faults.includes(undefined)) {
      throw new Error(faults[0] ?? "I3: values were shown without the current cookie of a session")
    }
  }

  /** Why it cannot be the session of that id that was shown. */
  private faultOfSight(id: string, { at, ended }: Moment, values: ReadonlyArray<number>): string | undefined {
    const { maxLifetime = Infinity, ttl } = this.settings
    const stray = values.find((value) => (this.owners.get(originOf(value)) ?? id) !== id)
    return this.isRevocable && ended.has(id)
      ? "I1: values of an ended session were shown"
      : at >= (this.touchedAt.get(id) ?? 0) + ttl
      ? "I2: values were shown after the idle limit"
      : at >= (this.createdAt.get(id) ?? 0) + maxLifetime
      ? "I2: values were shown after the absolute limit"
      : stray !== undefined
      ? `I5: ${stray} was written to another session than the one that shows it`
      : undefined
  }

  private checkNews({ isRemoval, presented, program, set }: Observation): void {
    const did = new Set(program.map(({ _tag }) => _tag))
    // A renewal where several sessions came at once ends them all.
    if (isRemoval && !did.has("Purge") && !(did.has("Renew") && presented.length > 1)) {
      throw new Error("A cookie was removed though nobody ended its session")
    }
    if (set === undefined || !this.isRevocable) {
      return
    }
    const secret = Redacted.value(set.secret)
    const current = this.currentSecrets.get(set.id)
    if (current === undefined) {
      return
    }
    if (!presented.some(({ id }) => id === set.id)) {
      throw new Error("I3: a cookie opens a session that the request did not come with")
    }
    if (this.earlierSecrets.get(set.id)?.has(secret) === true) {
      throw new Error("I4: an older key was sent after a newer one")
    }
    if (secret !== current && !did.has("Renew")) {
      throw new Error("I4: a key was replaced without a renewal")
    }
    if (this.ended.has(set.id)) {
      throw new Error("I1: a cookie was set for an ended session")
    }
  }

  private checkAnonymous({ calls, presented, program, set }: Observation): void {
    const writes = program.some(({ _tag }) => _tag === "Insert" || _tag === "Count")
    if (presented.length === 0 && !writes && (calls.length > 0 || set !== undefined)) {
      throw new Error(
        `I7: anonymous browsing cost ${calls.join(", ") || "no call"}, and a cookie: ${set !== undefined}`
      )
    }
  }

  private learn({ answeredAt, isInterrupted, presented, program, sent, set }: Observation): void {
    const home = set ?? (presented.length === 1 ? presented[0] : undefined)
    if (set !== undefined) {
      const secret = Redacted.value(set.secret)
      const current = this.currentSecrets.get(set.id)
      if (current === undefined) {
        this.createdAt.set(set.id, answeredAt)
      } else if (current !== secret) {
        const earlier = this.earlierSecrets.get(set.id) ?? new Set()
        this.earlierSecrets.set(set.id, earlier.add(current))
      }
      this.currentSecrets = new Map(this.currentSecrets).set(set.id, secret)
    }
    for (const { id } of home === undefined ? presented : [home, ...presented]) {
      this.touchedAt.set(id, answeredAt)
    }
    const lastPurge = program.map(({ _tag }) => _tag).lastIndexOf("Purge")
    // A key that was replaced while its request went on is forgotten in the end.
    if (lastPurge !== -1 && answeredAt - sent.at < supersededRetention) {
      const shown = presented.filter(({ id, secret }) => sent.currentSecrets.get(id) === Redacted.value(secret))
      this.ended = new Set([...this.ended, ...shown.map(({ id }) => id)])
    }
    if (home !== undefined && !isInterrupted) {
      for (const operation of program.slice(lastPurge + 1)) {
        if (operation._tag === "Insert" && operation.value >= 1000) {
          this.owners.set(operation.value, home.id)
        }
      }
    }
  }
}

// Values are drawn a thousand apart, and counted up one by one.
const originOf = (value: number): number => Math.floor(value / 1000) * 1000
