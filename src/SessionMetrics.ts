/**
 * What the middleware measures, for any exporter of Effect's metrics.
 *
 * @example
 * ```ts
 * import * as Metric from "effect/Metric"
 * import * as SessionMetrics from "effect-session/SessionMetrics"
 *
 * const refused = Metric.value(Metric.tagged(SessionMetrics.events, "event", "KeyRefused"))
 * ```
 *
 * @since 0.1.0
 */
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"

/**
 * How many session events there were, tagged with `event`, the `_tag` of the `SessionEvent`.
 *
 * @since 0.1.0
 * @category metrics
 */
export const events = Metric.counter("effect_session_events", {
  description: "Session events by kind",
  incremental: true
})

/**
 * How long store calls took, in milliseconds, tagged with `verb`. Failed calls count as well; those of a store that waits for
 * nobody, as the one in memory, do not.
 *
 * @since 0.1.0
 * @category metrics
 */
export const storeLatency = Metric.histogram(
  "effect_session_store_latency_millis",
  MetricBoundaries.fromIterable([0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500]),
  "Duration of session store calls in milliseconds"
)
