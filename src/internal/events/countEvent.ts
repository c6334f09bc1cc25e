/**
 * Counts what happens to sessions.
 *
 * @internal
 */
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as MetricLabel from "effect/MetricLabel"
import * as Option from "effect/Option"
import type { EventKind } from "../../SessionEvent.js"
import * as SessionMetrics from "../../SessionMetrics.js"

// A metric finds its counter anew for every list of labels that it has not seen, so there is one for all events of a kind.
const labels = new Map<EventKind, ReadonlyArray<MetricLabel.MetricLabel>>()

/** @internal */
export const countEvent = (tag: EventKind): void => {
  let ofKind = labels.get(tag)
  if (ofKind === undefined) {
    labels.set(tag, ofKind = [MetricLabel.make("event", tag)])
  }
  const ofFiber = Option.match(Fiber.getCurrentFiber(), {
    onNone: () => [],
    onSome: (fiber) => fiber.getFiberRef(FiberRef.currentMetricLabels)
  })
  SessionMetrics.events.unsafeUpdate(1, ofFiber.length === 0 ? ofKind : [...ofKind, ...ofFiber])
}
