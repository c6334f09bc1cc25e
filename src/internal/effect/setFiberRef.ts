/**
 * Sets a ref of a fiber at once, from wherever: there is one thread, and a fiber reads its refs anew each time.
 *
 * @internal
 */
import type * as Fiber from "effect/Fiber"
import type * as FiberRef from "effect/FiberRef"

/** @internal */
export const setFiberRef = <A>(
  fiber: Fiber.RuntimeFiber<unknown, unknown>,
  ref: FiberRef.FiberRef<A>,
  value: A
): void => {
  const runtime = fiber as typeof fiber & { readonly setFiberRef: (ref: FiberRef.FiberRef<A>, value: A) => void }
  runtime.setFiberRef(ref, value)
}
