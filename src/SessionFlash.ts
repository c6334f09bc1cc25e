/**
 * Flash values: what one request leaves for the next one to show, once. "Saved", "Wrong password", "You are signed out".
 *
 * No message is lost: those of parallel requests all stay, and taking removes exactly what it answered. What cannot be
 * had without locks is "at most once": two requests that read at the same time may both show a message.
 *
 * @example
 * ```ts
 * import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
 * import * as Effect from "effect/Effect"
 * import * as Schema from "effect/Schema"
 * import * as SessionFlash from "effect-session/SessionFlash"
 *
 * const Notices = SessionFlash.make("notices", Schema.String)
 *
 * const save = Effect.gen(function*() {
 *   yield* Notices.add("Saved")
 *   return HttpServerResponse.empty({ status: 303, headers: { location: "/" } })
 * })
 *
 * const index = Effect.gen(function*() {
 *   const notices = yield* Notices.take
 *   return HttpServerResponse.text(notices.join("\n"))
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { randomBytes } from "node:crypto"
import * as Session from "./Session.js"

/**
 * Marks the objects that are flashes.
 *
 * @since 0.1.0
 * @category type ids
 */
export const TypeId = "~effect-session/SessionFlash"

/**
 * The type of `TypeId`.
 *
 * @since 0.1.0
 * @category type ids
 */
export type TypeId = typeof TypeId

/**
 * The messages of one name, in the session that `R` asks for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Messages<in out A, out R = never> {
  /**
   * Leaves a message, to be shown by this request or a later one. Like every write it begins a session where there is
   * none, and a message that is added after a `purge` goes into the new session.
   */
  readonly add: (message: A) => Effect.Effect<void, Session.SessionGetError | Session.SessionInsertError, R>

  /**
   * The messages in the order in which they were added, removed from the session. Those that parallel requests added stand
   * in no particular order to each other. Where there is none, nothing is written.
   *
   * A message that does not decode any more is removed too, with a warning in the log that does not quote it: nobody
   * could ever show it, and every page that shows messages would fail until the session ends.
   */
  readonly take: Effect.Effect<ReadonlyArray<A>, Session.SessionGetError | Session.SessionInsertError, R>

  /**
   * The messages that `take` would answer. They stay.
   */
  readonly peek: Effect.Effect<ReadonlyArray<A>, Session.SessionGetError, R>
}

/**
 * Flash values of one name and Schema.
 *
 * @since 0.1.0
 * @category models
 */
export interface SessionFlash<in out A, out R = never, out Self = Session.Session> extends Messages<A, R | Self> {
  readonly [TypeId]: TypeId
  readonly name: string
  /**
   * The messages of a session that you have.
   */
  readonly of: (session: Session.Session) => Messages<A, R>
}

/**
 * Declares flash values. The third argument is the tag of their session, where it is not the default one.
 *
 * Each message is kept under a key of its own: the name, `#`, and what tells it from the others.
 *
 * @example
 * ```ts
 * import * as Context from "effect/Context"
 * import * as Schema from "effect/Schema"
 * import type * as Session from "effect-session/Session"
 * import * as SessionFlash from "effect-session/SessionFlash"
 *
 * class AdminSession extends Context.Tag("AdminSession")<AdminSession, Session.Session>() {}
 *
 * const Notice = Schema.Struct({ level: Schema.Literal("info", "error"), text: Schema.String })
 *
 * const Notices = SessionFlash.make("notices", Notice, AdminSession)
 *
 * const warn = Notices.add({ level: "error", text: "That user is gone" })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <A, I, R, Self = Session.Session>(
  name: string,
  schema: Schema.Schema<A, I, R>,
  tag?: Context.Tag<Self, Session.Session> | undefined
): SessionFlash<A, R, Self> => {
  // Without a tag there is nothing to infer Self from, so it is the default session.
  const current = tag ?? Session.Session as unknown as Context.Tag<Self, Session.Session>
  const decode = Schema.decodeUnknown(schema)

  const read = (session: Session.Session): Effect.Effect<ReadonlyArray<Found<A>>, Session.SessionGetError, R> =>
    Effect.flatMap(session.entries, (entries) =>
      Effect.forEach(
        keysInOrder(name, entries.keys()),
        (key) => Effect.map(Effect.option(decode(entries.get(key))), (message) => ({ key, message }))
      ))

  const of = (session: Session.Session): Messages<A, R> => ({
    add: (message) =>
      Effect.flatMap(session.entries, (entries) => session.insert(newKey(name, entries.keys()), schema, message)),
    // Decoding may wait and be interrupted, so that nothing is removed before everything that it answers is there.
    take: Effect.flatMap(read(session), (found) => Effect.uninterruptible(remove(name, session, found))),
    peek: Effect.map(read(session), (found) => found.flatMap(({ message }) => Option.toArray(message)))
  })

  return {
    [TypeId]: TypeId,
    name,
    of,
    add: (message) => Effect.flatMap(current, (session) => of(session).add(message)),
    take: Effect.flatMap(current, (session) => of(session).take),
    peek: Effect.flatMap(current, (session) => of(session).peek)
  }
}

interface Found<A> {
  readonly key: string
  readonly message: Option.Option<A>
}

/** Answers what this fiber is the one to remove: another one of the same request may take at the same time. */
const remove = <A>(
  name: string,
  session: Session.Session,
  found: ReadonlyArray<Found<A>>
): Effect.Effect<ReadonlyArray<A>, Session.SessionGetError | Session.SessionInsertError> =>
  Effect.gen(function*() {
    const messages: Array<A> = []
    for (const { key, message } of found) {
      if (Option.isNone(yield* session.remove(key))) {
        continue
      }
      if (Option.isSome(message)) {
        messages.push(message.value)
      } else {
        yield* Effect.logWarning(`A message of ${JSON.stringify(name)} does not decode any more and is dropped`)
      }
    }
    return messages
  })

// A message is a key of the session state, not an item of a list under one key. Writes of different keys merge, so that
// adding never meets a conflict, a take removes what it answered and nothing else, `clear` cannot take along what it did
// not see, and once all is taken nothing remains. The number gives the order and may come again after that; the random
// half tells apart what parallel requests add, and a new message from one that a late request is about to remove.
const numberedKey = /^#(\d{1,15})-[\w-]{8}$/
const randomHalfBytes = 6

const numberOf = (name: string, key: string): number | undefined => {
  const number = key.startsWith(name) ? numberedKey.exec(key.slice(name.length))?.[1] : undefined
  return number === undefined ? undefined : Number(number)
}

const keysInOrder = (name: string, keys: Iterable<string>): ReadonlyArray<string> => {
  const numbered: Array<{ readonly key: string; readonly number: number }> = []
  for (const key of keys) {
    const number = numberOf(name, key)
    if (number !== undefined) {
      numbered.push({ key, number })
    }
  }
  // Keys of one number are compared so that every reader sees the same order.
  return numbered.sort((left, right) => left.number - right.number || (left.key < right.key ? -1 : 1))
    .map(({ key }) => key)
}

const newKey = (name: string, keys: Iterable<string>): string => {
  const last = keysInOrder(name, keys).at(-1)
  const number = last === undefined ? 0 : numberOf(name, last)! + 1
  return `${name}#${number}-${randomBytes(randomHalfBytes).toString("base64url")}`
}
