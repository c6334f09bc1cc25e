/**
 * Hands events to whoever listens, and never waits for a listener. What one has not taken yet is kept for it, within bounds:
 * each kind of event has room of its own, so that no flood of one kind takes the place of another, and what anybody can cause
 * in masses is counted together.
 *
 * @internal
 */
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SessionEvent from "../../SessionEvent.js"

// How many events of one kind are kept for a listener.
const keptOfEachKind = 1_024

/** What waits of one kind. */
interface Lane {
  /** By their number, the oldest first. */
  readonly waiting: Map<number, SessionEvent.Happening>
  /** The numbers of the refusals that wait, by what they are counted together by. */
  readonly refusals: Map<string, number>
  missed: { readonly since: number; readonly count: number } | undefined
}

/**
 * What waits for one listener. Plain and synchronous.
 *
 * @internal
 */
export class Backlog {
  private next = 0
  private readonly lanes = new Map<SessionEvent.EventKind, Lane>()

  constructor(private readonly kept: number = keptOfEachKind) {}

  get isEmpty(): boolean {
    return this.lanes.size === 0
  }

  add(event: SessionEvent.Happening): void {
    const lane = this.laneOf(event._tag)
    if (event._tag !== "KeyRefused") {
      this.append(lane, event)
      return
    }
    const group = `${event.reason} ${event.id}`
    const number = lane.refusals.get(group)
    const waiting = number === undefined ? undefined : lane.waiting.get(number)
    if (number === undefined || waiting === undefined) {
      lane.refusals.set(group, this.append(lane, event))
    } else {
      lane.waiting.set(number, { ...event, count: event.count + countOf(waiting) })
    }
  }

  /** Takes all that waits, in the order in which it happened. Of what is missing it is told where that would have stood. */
  takeAll(): Chunk.Chunk<SessionEvent.SessionEvent> {
    const all: Array<readonly [number: number, event: SessionEvent.SessionEvent]> = []
    for (const [kind, { missed, waiting }] of this.lanes) {
      if (missed !== undefined) {
        all.push([missed.since, SessionEvent.Missed({ kind, count: missed.count })])
      }
      for (const entry of waiting) {
        all.push(entry)
      }
    }
    this.lanes.clear()
    return Chunk.unsafeFromArray(all.sort(([one], [other]) => one - other).map(([, event]) => event))
  }

  private laneOf(kind: SessionEvent.EventKind): Lane {
    let lane = this.lanes.get(kind)
    if (lane === undefined) {
      lane = { waiting: new Map(), refusals: new Map(), missed: undefined }
      this.lanes.set(kind, lane)
    }
    return lane
  }

  private append(lane: Lane, event: SessionEvent.Happening): number {
    const [oldest] = lane.waiting
    if (oldest !== undefined && lane.waiting.size >= this.kept) {
      const [number, lost] = oldest
      lane.waiting.delete(number)
      lane.missed = { since: lane.missed?.since ?? number, count: (lane.missed?.count ?? 0) + countOf(lost) }
    }
    const number = this.next++
    lane.waiting.set(number, event)
    return number
  }
}

const countOf = (event: SessionEvent.Happening): number => event._tag === "KeyRefused" ? event.count : 1

/**
 * Tells every listener of an event, and hands out the stream that a listener runs.
 *
 * @internal
 */
export class EventHub {
  private readonly listeners = new Set<(event: SessionEvent.Happening) => void>()

  readonly events: Stream.Stream<SessionEvent.SessionEvent> = Stream.unwrapScoped(
    Effect.map(
      Effect.acquireRelease(
        Effect.sync(() => this.listen()),
        ({ tell }) => Effect.sync(() => this.listeners.delete(tell))
      ),
      ({ take }) => Stream.repeatEffectChunk(take)
    )
  )

  /** How many listen. */
  get listening(): number {
    return this.listeners.size
  }

  publish(event: SessionEvent.Happening): void {
    for (const tell of this.listeners) {
      tell(event)
    }
  }

  private listen() {
    const backlog = new Backlog()
    let wake: (() => void) | undefined
    const tell = (event: SessionEvent.Happening): void => {
      backlog.add(event)
      wake?.()
    }
    this.listeners.add(tell)
    const take = Effect.async<Chunk.Chunk<SessionEvent.SessionEvent>>((resume) => {
      const resumeWithAll = () => {
        wake = undefined
        resume(Effect.sync(() => backlog.takeAll()))
      }
      if (backlog.isEmpty) {
        wake = resumeWithAll
        return Effect.sync(() => {
          wake = undefined
        })
      }
      resumeWithAll()
      return undefined
    })
    return { tell, take }
  }
}
