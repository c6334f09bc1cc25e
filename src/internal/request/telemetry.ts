/**
 * The public id of a session on the span of its request and in the logs of its handler.
 *
 * @internal
 */
import * as Context from "effect/Context"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as HashMap from "effect/HashMap"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { SessionId } from "../../SessionKey.js"
import { setFiberRef } from "../effect/setFiberRef.js"

type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

// The names that OpenTelemetry has for them (https://opentelemetry.io/docs/specs/semconv/registry/attributes/session/).
const sessionId = "session.id"
const previousSessionId = "session.previous_id"

/**
 * Names the session in each line that the fiber logs from now on.
 *
 * @internal
 */
export const annotateLogs = (fiber: AnyFiber, id: SessionId): void =>
  setFiberRef(
    fiber,
    FiberRef.currentLogAnnotations,
    HashMap.set(fiber.getFiberRef(FiberRef.currentLogAnnotations), sessionId, id)
  )

/**
 * Names the session on the span of the request that the fiber works for, and the one that it took the place of, if any.
 *
 * @internal
 */
export const annotateSpan = (fiber: AnyFiber, id: SessionId, previous?: SessionId): void => {
  const span = serverSpanOf(fiber)
  span?.attribute(sessionId, id)
  if (previous !== undefined && previous !== id) {
    span?.attribute(previousSessionId, previous)
  }
}

// The spans that a handler opens stand between. A body that is streamed may look at its session when the span has ended.
const serverSpanOf = (fiber: AnyFiber): Tracer.Span | undefined => {
  let span = Context.getOption(fiber.currentContext as Context.Context<Tracer.ParentSpan>, Tracer.ParentSpan)
  while (Option.isSome(span) && span.value._tag === "Span") {
    if (span.value.kind === "server") {
      return span.value.status._tag === "Started" ? span.value : undefined
    }
    span = span.value.parent
  }
  return undefined
}
