/**
 * A store call that can be watched: its duration is measured, and it has a span where somebody asked for spans.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
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
  return <A, E>(call: Effect.Effect<A, E>, id?: SessionId): Effect.Effect<A, E> => {
    const measured = Effect.clockWith((clock) => {
      const start = clock.unsafeCurrentTimeNanos()
      return Effect.onExit(
        call,
        () => Metric.update(latency, Number(clock.unsafeCurrentTimeNanos() - start) / 1_000_000)
      )
    })
    return Effect.tracerWith((tracer) =>
      tracer === silentTracer ? measured : Effect.withSpan(measured, name, {
        kind: "client",
        captureStackTrace: false,
        ...(id === undefined ? {} : { attributes: { "session.id": id } })
      })
    )
  }
}
