/**
 * Everything that a handler can do to a session short of ending it, and what came of it, with defects kept apart from
 * typed errors.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Option from "effect/Option"
import { Counter, type Handler, User } from "../support/webApp.js"

export const operations: {
  readonly [name: string]: (session: Session.Session) => Effect.Effect<unknown, unknown>
} = {
  entries: (session) => session.entries,
  get: (session) => session.get(Counter),
  contains: (session) => session.contains("__proto__"),
  id: (session) => session.id,
  createdAt: (session) => session.createdAt,
  expiresAt: (session) => session.expiresAt,
  status: (session) => session.status,
  update: (session) => session.update(Counter, (n) => n + 1),
  remove: (session) => session.remove("counter"),
  removeAs: (session) => session.removeAs(User),
  clear: (session) => session.clear,
  renew: (session) => session.renew
}

/** What an operation came to: its value, the tag of its error, or the defect that must never be. */
export type Result =
  | { readonly _tag: "Value"; readonly value: unknown }
  | { readonly _tag: "Typed"; readonly error: string }
  | { readonly _tag: "Defect"; readonly what: string }

export const resultOf = <A, E>(exit: Exit.Exit<A, E>): Result => {
  if (Exit.isSuccess(exit)) {
    return { _tag: "Value", value: exit.value }
  }
  const failure: Option.Option<unknown> = Cause.failureOption(exit.cause)
  return failure._tag === "Some" && hasTag(failure.value)
    ? { _tag: "Typed", error: failure.value._tag }
    : { _tag: "Defect", what: Cause.pretty(exit.cause) }
}

const hasTag = (error: unknown): error is { readonly _tag: string } =>
  typeof error === "object" && error !== null && "_tag" in error && typeof error._tag === "string"

/** Runs one operation and keeps what came of it; the response says nothing of it. */
export const observed = (name: string, keep: (result: Result) => void): Handler =>
  Effect.flatMap(Session.Session, (session) =>
    Effect.map(Effect.exit(operations[name]!(session)), (exit) => {
      keep(resultOf(exit))
      return HttpServerResponse.empty()
    }))
