/**
 * What a request may ask of any route of the workbench: `?delay=` to meet other requests half-way, and `?fail=1` to fail
 * after its work is done.
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as Session from "effect-session/Session"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** A handler failed because its request asked for it. The platform answers 500. */
export class RequestedFailure extends Schema.TaggedError<RequestedFailure>()("RequestedFailure", {}) {}

const Adjustments = Schema.Struct({
  /** Milliseconds. */
  delay: Schema.optional(Schema.NumberFromString.pipe(Schema.between(0, 3_600_000))),
  fail: Schema.optional(Schema.Literal("0", "1"))
})

/** Runs `beforeDelay` and waits when the request says so, then the app, and fails in the end when the request says so. */
export const adjustable =
  <E1, R1>({ beforeDelay }: { readonly beforeDelay: Effect.Effect<unknown, E1, R1> }) =>
  <E, R>(app: HttpApp.Default<E, R>) =>
    Effect.gen(function*() {
      const { delay, fail } = yield* HttpServerRequest.schemaSearchParams(Adjustments)
      if (delay !== undefined) {
        yield* beforeDelay
        yield* Effect.sleep(delay)
      }
      const response = yield* app
      return fail === "1" ? yield* new RequestedFailure() : response
    })

/** What a route that works with the session does before it waits: the session that it acts on is the one of before. */
export const readSession = Effect.flatMap(Session.Session, (session) => session.entries)
