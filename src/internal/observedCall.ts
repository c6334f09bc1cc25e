/**
 * A store call that can be watched: its duration is measured, and it has a span where somebody asked for spans.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import type { SessionId } from "../SessionKey.js"
import * as SessionMetrics from "../SessionMetrics.js"

// A span costs more than many a call, and nobody sees those of the default tracer.
const silentTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** @internal */
export const observeCalls = (verb: string) => {
  const latency = Metric.tagged(SessionMetrics.storeLatency, "verb", verb)
  const name = `SessionStore.${verb}`
  return <A, E>(call: Effect.Effect<A, E>, id?: SessionId): Effect.Effect<A, E> =>
    // One step, since clock and tracer are asked for at every call of a store.
    Effect.withFiberRuntime((fiber) => {
      const services = fiber.getFiberRef(DefaultServices.currentServices)
      const clock = Context.get(services, Clock.Clock)
      const start = clock.unsafeCurrentTimeNanos()
      const labels = fiber.getFiberRef(FiberRef.currentMetricLabels)
      const measure = <B>(result: B): B => {
        latency.unsafeUpdate(Number(clock.unsafeCurrentTimeNanos() - start) / 1_000_000, labels)
        return result
      }
      const measured = Effect.matchCauseEffect(call, {
        onSuccess: (value) => measure(Effect.succeed(value)),
        onFailure: (cause) => measure(Effect.failCause(cause))
      })
      return Context.get(services, Tracer.Tracer) === silentTracer ? measured : Effect.withSpan(measured, name, {
        kind: "client",
        captureStackTrace: false,
        ...(id === undefined ? {} : { attributes: { "session.id": id } })
      })
    })
}
