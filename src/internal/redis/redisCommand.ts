/**
 * Sends commands to Redis, each with a time limit that holds in a region that cannot be interrupted as well, and says
 * what went wrong without a word of what was sent.
 *
 * @internal
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { RedisScript } from "./redisScripts.js"

/**
 * What this store needs of a client: `Redis` and `Cluster` of ioredis 5 and 6 have it. As in ioredis, one of the arguments may
 * be a list of arguments. Whatever else stands in for them has to answer as ioredis does: texts, integers, lists, and `null`
 * for nothing; and a rejection, with Redis' own words, for an error. `docs/stores/redis.md` has an adapter for node-redis.
 *
 * @since 0.1.0
 * @category models
 */
export interface RedisClient {
  readonly hgetall: (key: string) => Promise<Record<string, string>>
  readonly evalsha: (sha: string, numberOfKeys: number, ...keysAndArguments: Array<string>) => Promise<unknown>
  readonly eval: (script: string, numberOfKeys: number, ...keysAndArguments: Array<string>) => Promise<unknown>
  /**
   * Leaves the server for another connection. Called where the server has answered that it is a replica, so that the name, or
   * the Sentinel, can lead to the primary. `Redis` and `Cluster` of ioredis need none.
   */
  readonly reconnect?: () => void
  /**
   * The clients of all primaries, where this one leads to several. Called where Redis evicts what it has no room for, and sessions of an
   * account have to be looked for on all of them. `Cluster` of ioredis needs none.
   */
  readonly primaries?: () => ReadonlyArray<RedisClient>
}

/**
 * A client, and what can be known and done about its connection.
 *
 * @internal
 */
export interface RedisConnection {
  readonly client: RedisClient
  /** Gets rid of a connection that has stopped answering. */
  readonly dropIfReady: () => void
  /** Leaves a server that has said that it is a replica: the same name may lead to the primary now. */
  readonly leaveReplica: () => void
  /**
   * Calls `go` once: with `true` as soon as a command can be sent, at once where it can be now, or with `false` where there has
   * been no connection for too long. `isLost` asks for the next connection, as the one that seems to be there is none.
   * Returns how to wait no longer. A client of the app's has its own way to wait, or not to.
   */
  readonly whenReady?: (go: (isReady: boolean) => void, isLost: boolean) => () => void
}

/**
 * What became of a command that was not answered, or answered with an error, in the terms of the port's errors.
 *
 * @internal
 */
export interface RedisFailure {
  readonly reason: "Unavailable" | "TooLarge" | "Malformed"
  readonly message: string
  readonly cause?: Error
}

type RedisCall = (client: RedisClient) => Promise<unknown>

/**
 * Makes one call and waits for its answer, for as long as the time limit lets it. `verb` names the call in messages.
 *
 * @internal
 */
export type SendCommand = (verb: string, call: RedisCall) => Effect.Effect<unknown, RedisFailure>

/** @internal */
export const makeSendCommand = (connection: RedisConnection, limit: Duration.Duration): SendCommand => {
  const millis = Duration.toMillis(limit)
  // A call that runs out of time while others are answered says nothing against the connection.
  let answers = 0
  return (verb, call) =>
    Effect.async((resume) => {
      const answersBefore = answers
      let isOpen = true
      let isSent = false
      let waitNoLonger = () => {}
      const end = () => {
        isOpen = false
        clearTimeout(timer)
        waitNoLonger()
      }
      const settle = (result: Effect.Effect<unknown, RedisFailure>) => {
        end()
        resume(result)
      }
      const giveUp = () => {
        if (!isOpen) {
          return
        }
        if (!isSent) {
          settle(Effect.fail(noConnection(verb)))
          return
        }
        const message = `Redis did not answer "${verb}" within ${Duration.format(limit)}`
        settle(Effect.fail({ reason: "Unavailable", message }))
        if (answers === answersBefore) {
          connection.dropIfReady()
        }
      }
      // Where it was this process that had no time, the answer has arrived by now: it is read before the next immediate.
      const timer = setTimeout(() => setImmediate(giveUp), millis)
      const failed = (error: unknown) => {
        if (isReply(error)) {
          answers++
        }
        if (saysReplica(error)) {
          connection.leaveReplica()
        }
        if (isOpen && connection.whenReady !== undefined && wasNotSent(error)) {
          isSent = false
          waitNoLonger = connection.whenReady(go, true)
        } else {
          settle(Effect.fail(toFailure(verb, error)))
        }
      }
      const send = () => {
        isSent = true
        try {
          call(connection.client).then(
            (reply) => {
              answers++
              settle(Effect.succeed(reply))
            },
            failed
          )
        } catch (error) {
          failed(error)
        }
      }
      const go = (isReady: boolean) => isReady ? send() : settle(Effect.fail(noConnection(verb)))
      if (connection.whenReady === undefined) {
        send()
      } else {
        waitNoLonger = connection.whenReady(go, false)
      }
      return Effect.sync(end)
    })
}

const noConnection = (verb: string): RedisFailure => toFailure(verb, new Error(notWritable))

const notWritable = "Stream isn't writeable"

// ioredis refuses it before a byte goes out, so that sending it later is not sending it twice.
const wasNotSent = (error: unknown): boolean => error instanceof Error && error.message.startsWith(notWritable)

const isReply = (error: unknown): boolean => error instanceof Error && error.name === "ReplyError"

// Up to Redis 6.2 the error of a command in a script stands amid a sentence.
const saysReplica = (error: unknown): boolean =>
  error instanceof Error && /\bREADONLY\b|^MASTERDOWN\b/.test(error.message)

/**
 * What an error of ioredis says, without what was sent: ioredis hangs the command with all its arguments on the error, and
 * Redis repeats the arguments of a command that it does not know. They are the values of the session, or the password.
 *
 * @internal
 */
export const describeError = (error: unknown): string => {
  if (!(error instanceof Error)) {
    return "an unknown error"
  }
  if (wasNotSent(error)) {
    return "there is no connection"
  }
  if (error.name === "MaxRetriesPerRequestError") {
    return "the connection was lost"
  }
  // Node's error for a name with several addresses has a code and no message.
  const message = error.message === "" ? (error as NodeJS.ErrnoException).code ?? error.name : error.message
  return message.replace(/,? with args beginning with:.*$/is, "")
}

const toFailure = (verb: string, error: unknown): RedisFailure => {
  const description = describeError(error)
  const cause = new Error(description)
  if (description.includes("WRONGTYPE")) {
    return { reason: "Malformed", message: "it is not a hash", cause }
  }
  const mend = isRefusal(description) ? `. ${rightsMend}` : ""
  return { reason: "Unavailable", message: `Redis could not carry out "${verb}": ${description}${mend}`, cause }
}

/**
 * Whether Redis says that this user may not, or that the server does not know the command. Neither mends itself.
 *
 * @internal
 */
export const isRefusal = (description: string): boolean =>
  /^NOPERM\b|\bunknown (redis )?command\b|\bexecuting the script can't\b/i.test(description)

// The commands that the store needs, on the keys of its prefix. The first three it sends, the others its scripts call.
const neededCommands = [
  "hgetall",
  "evalsha",
  "eval",
  "exists",
  "hmget",
  "hget",
  "hexists",
  "hkeys",
  "hlen",
  "hstrlen",
  "hset",
  "hdel",
  "hscan",
  "pexpire",
  "pttl",
  "del"
] as const

/** @internal */
export const rightsMend = `Sessions need a server that has these commands, and a user with the rights ${
  neededCommands.map((command) => `+${command}`).join(" ")
} on the keys of the prefix`

// Half of the longest string there is, since ioredis makes one of a command; and of what Redis takes, 512 MiB.
const maxLength = 2 ** 28

/**
 * Runs a script by its digest, and by its source where Redis does not have it (yet, or any more).
 *
 * @internal
 */
export const sendScript = (
  send: SendCommand,
  verb: string,
  script: RedisScript,
  key: string | undefined,
  args: Array<string>
): Effect.Effect<unknown, RedisFailure> => {
  if (args.reduce((sum, arg) => sum + arg.length, 0) > maxLength) {
    const message = `The change is too large for Redis: it has more than ${maxLength} characters`
    return Effect.fail({ reason: "TooLarge", message })
  }
  // ioredis flattens lists. Passing the list as it is keeps a session of many values from overflowing the stack.
  const list = args as unknown as string
  const keys = key === undefined ? [] : [key]
  return send(verb, (client) =>
    client.evalsha(script.sha, keys.length, ...keys, list).catch((error: unknown) => {
      // Nothing has run, so that sending it again cannot do it twice.
      if (error instanceof Error && error.message.startsWith("NOSCRIPT")) {
        return client.eval(script.source, keys.length, ...keys, list)
      }
      throw error
    }))
}
