/**
 * Sets refs of a fiber at once, from wherever: there is one thread, and a fiber reads its refs anew each time.
 *
 * @internal
 */
import type * as Fiber from "effect/Fiber"
import type * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"

/** What the runtime's own fibers have beside what they show. */
interface Settable {
  readonly setFiberRef: <A>(ref: FiberRef.FiberRef<A>, value: A) => void
  readonly setFiberRefs: (refs: FiberRefs.FiberRefs) => void
}

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/** @internal */
export const setFiberRef = <A>(fiber: AnyFiber, ref: FiberRef.FiberRef<A>, value: A): void =>
  (fiber as AnyFiber & Settable).setFiberRef(ref, value)

/** @internal */
export const updateFiberRefs = (
  fiber: AnyFiber,
  entries: Parameters<typeof FiberRefs.updateManyAs>[1]["entries"]
): void => (fiber as AnyFiber & Settable).setFiberRefs(FiberRefs.updateManyAs(fiber.getFiberRefs(), { entries }))
