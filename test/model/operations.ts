/**
 * What a handler does with its session, as data: so that a program can be drawn at random, told in one line, carried out
 * on the real session, and predicted by a model.
 */
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Session from "effect-session/Session"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

export type Operation =
  | { readonly _tag: "Read" }
  /** Status, id, times of creation and expiry. */
  | { readonly _tag: "Facts" }
  | { readonly _tag: "Contains"; readonly key: Key }
  | { readonly _tag: "Insert"; readonly key: Key; readonly value: number }
  /** Adds one, or begins with one. */
  | { readonly _tag: "Count"; readonly key: Key }
  /** Adds one if there is a value. */
  | { readonly _tag: "CountIfThere"; readonly key: Key }
  | { readonly _tag: "Remove"; readonly key: Key }
  | { readonly _tag: "Clear" }
  | { readonly _tag: "Renew" }
  | { readonly _tag: "Purge" }

export type Program = ReadonlyArray<Operation>

/** How the handler ends when it has done all that. */
export type Ending = "Answers" | "Fails" | "IsInterrupted"

export const keys = ["a", "b", "n", "user"] as const
export type Key = typeof keys[number]

/** Stands for a value that nobody else writes; it is drawn when the request is sent. */
export const fresh = -1

export const read: Operation = { _tag: "Read" }
export const facts: Operation = { _tag: "Facts" }
export const insert = (key: Key, value: number): Operation => ({ _tag: "Insert", key, value })
export const count = (key: Key): Operation => ({ _tag: "Count", key })
export const remove = (key: Key): Operation => ({ _tag: "Remove", key })
export const clear: Operation = { _tag: "Clear" }
export const renew: Operation = { _tag: "Renew" }
export const purge: Operation = { _tag: "Purge" }

/** A program in one line. */
export const describeProgram = (program: Program): string =>
  program.length === 0 ? "untouched" : program.map(describeOperation).join(", ")

const describeOperation = (operation: Operation): string => {
  switch (operation._tag) {
    case "Insert":
      return `insert ${operation.key}=${operation.value === fresh ? "fresh" : operation.value}`
    case "Contains":
    case "Count":
    case "CountIfThere":
    case "Remove":
      return `${operation._tag.toLowerCase()} ${operation.key}`
    default:
      return operation._tag.toLowerCase()
  }
}

const entries = Object.fromEntries(keys.map((key) => [key, Session.entry(key, Schema.Number)])) as {
  readonly [K in Key]: Session.SessionEntry<number>
}

/** What an operation answers, as JSON. */
export const perform = (session: Session.Session, operation: Operation): Effect.Effect<unknown, unknown> => {
  switch (operation._tag) {
    case "Read":
      return Effect.map(session.entries, Object.fromEntries)
    case "Facts":
      return Effect.all({
        status: session.status,
        id: Effect.map(session.id, Option.getOrNull),
        createdAt: Effect.map(session.createdAt, toMillis),
        expiresAt: Effect.map(session.expiresAt, toMillis)
      })
    case "Contains":
      return session.contains(operation.key)
    case "Insert":
      return Effect.as(session.insert(entries[operation.key], operation.value), null)
    case "Count":
      return session.updateOr(entries[operation.key], 1, (n) => n + 1)
    case "CountIfThere":
      return Effect.map(session.update(entries[operation.key], (n) => n + 1), Option.getOrNull)
    case "Remove":
      return Effect.map(session.remove(operation.key), Option.getOrNull)
    case "Clear":
      return Effect.as(session.clear, null)
    case "Renew":
      return Effect.as(session.renew, null)
    case "Purge":
      return Effect.as(session.purge, null)
  }
}

const toMillis: (time: Option.Option<DateTime.Utc>) => number | null = Option.match({
  onNone: () => null,
  onSome: DateTime.toEpochMillis
})

export type Handler = Effect.Effect<HttpServerResponse.HttpServerResponse, unknown, Session.Session>

/**
 * The handler that carries out a program and answers what its operations answered, as a JSON array. `pause` comes after
 * the first operation.
 */
export const handlerOf = (program: Program, ending: Ending = "Answers", pause?: Effect.Effect<void>): Handler =>
  Effect.flatMap(Session.Session, (session) =>
    Effect.flatMap(
      Effect.forEach(program, (operation, index) =>
        index === 0 && pause !== undefined
          ? Effect.zipLeft(perform(session, operation), pause)
          : perform(session, operation)),
      (results): Handler => {
        switch (ending) {
          case "Answers":
            return Effect.succeed(HttpServerResponse.unsafeJson(results))
          case "Fails":
            return Effect.fail("the handler has a bug")
          case "IsInterrupted":
            return Effect.interrupt
        }
      }
    ))
