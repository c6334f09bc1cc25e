/**
 * Reads what Redis answered, and takes nothing for an answer but exactly what the command, or the script, says. A client in
 * a `MULTI`, a proxy or a transformer of replies answers `QUEUED`, `OK`, `[]` or nothing at all, which must end no session, let
 * nobody in, and leave no orphan.
 *
 * @internal
 */
import * as Either from "effect/Either"
import type { Successor } from "../../SessionRecord.js"
import type { RedisFailure } from "./redisCommand.js"
import { fields, readSuccessor, readTime, wrongField } from "./redisRecord.js"
import { savedWords } from "./redisScripts.js"

/**
 * What a script that writes to a record answered.
 *
 * @internal
 */
export type ScriptAnswer =
  /** `word` is one of `savedWords`, if any. `account`: the one that has to be told that its session lives longer now. */
  | {
    readonly _tag: "Saved"
    readonly expiresAt: number
    readonly word: string | undefined
    readonly account: string | undefined
  }
  | { readonly _tag: "Conflict"; readonly values: ReadonlyArray<string | undefined> }
  | { readonly _tag: "TooLarge" }
  | { readonly _tag: "Superseded" }
  | { readonly _tag: "Deleted" }
  | { readonly _tag: "Replaced"; readonly successor: Successor }
  | { readonly _tag: "Gone" }

type Read<A> = Either.Either<A, RedisFailure>

const noAnswer = (verb: string): Read<never> =>
  Either.left({
    reason: "Unavailable",
    message:
      `Redis answered "${verb}" with something that it does not answer. Is its client in a MULTI, or does a proxy or ` +
      "a transformer change its replies?"
  })

const isText = (value: unknown): value is string => typeof value === "string"

/**
 * The fields and values of a hash. None of them: there is no such key.
 *
 * @internal
 */
export const readHash = (reply: unknown): Read<ReadonlyArray<readonly [string, string]>> => {
  if (typeof reply !== "object" || reply === null || Array.isArray(reply)) {
    return noAnswer("load")
  }
  const entries = Object.entries(reply as Record<string, unknown>)
  return entries.every((entry): entry is [string, string] => isText(entry[1]))
    ? Either.right(entries)
    : noAnswer("load")
}

/**
 * The fields and values of a record that is read by the script, or `TooLarge`.
 *
 * @internal
 */
export const readLoadReply = (reply: unknown): Read<ReadonlyArray<readonly [string, string]> | "TooLarge"> => {
  const [tag, hash, ...more] = Array.isArray(reply) ? reply as ReadonlyArray<unknown> : []
  if (tag === "TooLarge" && hash === undefined) {
    return Either.right("TooLarge")
  }
  if (tag !== "Found" || !Array.isArray(hash) || hash.length % 2 === 1 || !hash.every(isText) || more.length > 0) {
    return noAnswer("load")
  }
  return Either.right(Array.from({ length: hash.length / 2 }, (_, i) => [hash[2 * i]!, hash[2 * i + 1]!] as const))
}

/**
 * Whether a new record was stored, or its id is taken. A client may be told to hand numbers out as texts.
 *
 * @internal
 */
export const readSaveReply = (reply: unknown): Read<"Saved" | "Taken"> =>
  reply === 1 || reply === "1"
    ? Either.right("Saved")
    : reply === 0 || reply === "0"
    ? Either.right("Taken")
    : noAnswer("save")

/**
 * @param expected - how many values a `Conflict` tells of
 *
 * @internal
 */
export const readScriptReply = (verb: string, reply: unknown, expected: number): Read<ScriptAnswer> => {
  const [tag, ...details] = Array.isArray(reply) ? reply as ReadonlyArray<unknown> : []
  switch (tag) {
    case "Saved": {
      const [time, said, account, ...more] = details
      const expiresAt = isText(time) ? readTime(time) : undefined
      const word = said === "" && account !== undefined ? undefined : said
      return expiresAt !== undefined && isSavedWord(verb, word) && (account === undefined || isText(account)) &&
          more.length === 0
        ? Either.right({ _tag: "Saved", expiresAt, word, account })
        : noAnswer(verb)
    }
    case "Conflict":
      return expected > 0 && details.length === expected && details.every((value) => value === null || isText(value))
        ? Either.right({
          _tag: "Conflict",
          values: details.map((value) => value === null ? undefined : value as string)
        })
        : noAnswer(verb)
    case "TooLarge":
      return verb === "delete" || verb === "updateTtl" || details.length > 0
        ? noAnswer(verb)
        : Either.right({ _tag: "TooLarge" })
    case "Superseded":
      return verb === "delete" || details.length > 0 ? noAnswer(verb) : Either.right({ _tag: "Superseded" })
    case "Replaced":
      return verb === "delete" && details.length === 1 && isText(details[0]) ? toReplaced(details[0]) : noAnswer(verb)
    case "Deleted":
      return verb !== "delete" || details.length > 0 ? noAnswer(verb) : Either.right({ _tag: "Deleted" })
    case "Gone":
      return details.length > 0 ? noAnswer(verb) : Either.right({ _tag: "Gone" })
    case "Malformed":
      return details.length === 1 && isText(details[0])
        ? Either.left({ reason: "Malformed", message: wrongField(details[0]) })
        : noAnswer(verb)
    default:
      return noAnswer(verb)
  }
}

/**
 * Reads a word that a script answers, with as many texts behind it as that one has.
 *
 * @internal
 */
export const readWords = (
  verb: string,
  reply: unknown,
  answers: Readonly<Record<string, number>>
): Read<ReadonlyArray<string>> =>
  Array.isArray(reply) && reply.length > 0 && reply.every(isText) && answers[reply[0]!] === reply.length - 1
    ? Either.right(reply)
    : noAnswer(verb)

const isSavedWord = (verb: string, word: unknown): word is string | undefined => {
  switch (word) {
    case undefined:
      return verb !== "delete"
    case savedWords.older:
      return verb === "update" || verb === "updateTtl" || verb === "rotate"
    case savedWords.new:
      return verb === "rotate"
    default:
      return false
  }
}

const toReplaced = (text: string): Read<ScriptAnswer> => {
  const successor = readSuccessor(text)
  return successor === undefined
    ? Either.left({ reason: "Malformed", message: wrongField(fields.successor) })
    : Either.right({ _tag: "Replaced", successor })
}
