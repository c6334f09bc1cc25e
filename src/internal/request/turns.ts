/**
 * Turns: of those in this process who fight over the values of one session, one goes at a time. Each then loses against
 * other processes alone, so that the calls of n requests grow with n and not with its square.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type { SessionId } from "../../SessionKey.js"

interface Queue {
  readonly semaphore: Effect.Semaphore
  /** How many wait for their turn or have it. */
  members: number
}

/** @internal */
export class Turns {
  private readonly queues = new Map<SessionId, Queue>()

  /** Whether somebody waits for a turn, or has it. */
  areTaken(id: SessionId): boolean {
    return this.queues.has(id)
  }

  /** Runs the effect when it is its turn. Who came first goes first. */
  take<A, E>(id: SessionId, effect: Effect.Effect<A, E>): Effect.Effect<A, E> {
    return Effect.suspend(() => {
      const queue = this.join(id)
      return Effect.ensuring(queue.semaphore.withPermits(1)(effect), Effect.sync(() => this.leave(id, queue)))
    })
  }

  private join(id: SessionId): Queue {
    const queue = this.queues.get(id) ?? { semaphore: Effect.unsafeMakeSemaphore(1), members: 0 }
    queue.members++
    this.queues.set(id, queue)
    return queue
  }

  private leave(id: SessionId, queue: Queue): void {
    queue.members--
    if (queue.members === 0) {
      this.queues.delete(id)
    }
  }
}
