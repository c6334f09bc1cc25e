/**
 * A store call that can be watched: its duration is measured, and it has a span where somebody asked for spans. What was
 * answered at once has no duration.
 *
 * @internal
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as MetricLabel from "effect/MetricLabel"
import * as Tracer from "effect/Tracer"
import type { SessionId } from "../../SessionKey.js"
import * as SessionMetrics from "../../SessionMetrics.js"

// A span costs more than many a call, and nobody sees those of the default tracer.
const silentTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** @internal */
export const observeCalls = (verb: string) => {
  // A metric finds its histogram anew for every list of labels that it has not seen, so there is one for all calls.
  const ownLabels = [MetricLabel.make("verb", verb)]
  const name = `SessionStore.${verb}`
  return <A, E>(call: Effect.Effect<A, E>, id?: SessionId): Effect.Effect<A, E> =>
    Exit.isExit(call) ? call : Effect.withFiberRuntime((fiber) => {
      const services = fiber.getFiberRef(DefaultServices.currentServices)
      const clock = Context.get(services, Clock.Clock)
      const start = clock.unsafeCurrentTimeNanos()
      const fiberLabels = fiber.getFiberRef(FiberRef.currentMetricLabels)
      const labels = fiberLabels.length === 0 ? ownLabels : [...fiberLabels, ...ownLabels]
      const measure = <B>(result: B): B => {
        SessionMetrics.storeLatency.unsafeUpdate(Number(clock.unsafeCurrentTimeNanos() - start) / 1_000_000, labels)
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
