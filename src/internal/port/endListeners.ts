/**
 * Who waits to hear of the end of which session. Plain and synchronous: whoever ends a session tells it in the same step.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SessionId } from "../../SessionKey.js"

/** @internal */
export class EndListeners {
  private readonly listeners = new Map<SessionId, Set<() => void>>()
  #size = 0

  /** How many listen. */
  get size(): number {
    return this.#size
  }

  /** Has `notify` called when somebody tells of the id, for as long as the scope is open. */
  readonly listen = (id: SessionId, notify: () => void): Effect.Effect<void, never, Scope.Scope> =>
    Effect.acquireRelease(
      Effect.sync(() => {
        // Each time is one of its own, whoever else listens with the same function.
        const listener = () => notify()
        this.add(id, listener)
        return listener
      }),
      (listener) => Effect.sync(() => this.remove(id, listener))
    )

  /** Tells those who listen to this id. */
  readonly tell = (id: SessionId): void => {
    for (const notify of this.listeners.get(id) ?? []) {
      notify()
    }
  }

  /** Tells everybody. */
  readonly tellAll = (): void => {
    for (const id of this.listeners.keys()) {
      this.tell(id)
    }
  }

  private add(id: SessionId, listener: () => void): void {
    const all = this.listeners.get(id)
    if (all === undefined) {
      this.listeners.set(id, new Set([listener]))
    } else {
      all.add(listener)
    }
    this.#size++
  }

  private remove(id: SessionId, listener: () => void): void {
    const all = this.listeners.get(id)
    if (all?.delete(listener) === true) {
      this.#size--
      if (all.size === 0) {
        this.listeners.delete(id)
      }
    }
  }
}
