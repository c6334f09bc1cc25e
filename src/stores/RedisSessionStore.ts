/**
 * Keeps sessions in Redis or Valkey: one hash a session, one round trip a call, each write one atomic script.
 *
 * An app boots, runs and shuts down without its Redis: calls fail as `Unavailable` within the time limit while it is
 * away, and work again within about a second after it is back. A connection that was closed while nothing was sent costs no
 * call: the next ones wait for the new one. Needs `ioredis` 5.11 or later, or 6.
 *
 * @example
 * ```ts
 * import * as Config from "effect/Config"
 * import * as Layer from "effect/Layer"
 * import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
 *
 * const Live = RedisSessionStore.layer({ url: "redis://localhost:6379" })
 *
 * const FromEnv = RedisSessionStore.layerConfig({ url: Config.redacted("REDIS_URL") })
 *
 * console.log(Layer.isLayer(Live), Layer.isLayer(FromEnv))
 * ```
 *
 * @since 0.1.0
 */
import * as EffectConfig from "effect/Config"
import type * as ConfigError from "effect/ConfigError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import type * as Scope from "effect/Scope"
import type { RedisOptions } from "ioredis"
import { RecentIds } from "../internal/redis/recentIds.js"
import { listedField, RedisAccounts } from "../internal/redis/redisAccounts.js"
import { connectionOfClient, primariesOf, problemOfClient, subscriberOfClient } from "../internal/redis/redisClient.js"
import type { RedisClient, RedisFailure, SendCommand } from "../internal/redis/redisCommand.js"
import { makeSendCommand, sendScript } from "../internal/redis/redisCommand.js"
import { connect, openSubscriber } from "../internal/redis/redisConnection.js"
import { RedisEndings, type RedisSubscriber } from "../internal/redis/redisEndings.js"
import { problemOfNodes } from "../internal/redis/redisNodes.js"
import { decodeRecord, encodeRecord, fieldOf, successorText, timeText } from "../internal/redis/redisRecord.js"
import {
  readHash,
  readLoadReply,
  readSaveReply,
  readScriptReply,
  type ScriptAnswer
} from "../internal/redis/redisReply.js"
import { refusedRights } from "../internal/redis/redisRights.js"
import * as scripts from "../internal/redis/redisScripts.js"
import type { RedisAddress } from "../internal/redis/redisUrl.js"
import { parseRedisUrl } from "../internal/redis/redisUrl.js"
import type { SessionId } from "../SessionKey.js"
import * as SessionKey from "../SessionKey.js"
import type { SessionChange, StoredRecord } from "../SessionRecord.js"
import * as SessionRecord from "../SessionRecord.js"
import * as SessionStore from "../SessionStore.js"

/**
 * What every Redis store can be told. Everything left out is taken from `defaults`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ClientOptions {
  /**
   * What the Redis key of a session starts with; the session id follows. Apps that share a Redis need prefixes of their
   * own.
   */
  readonly prefix?: string | undefined
  /**
   * How long a call may wait for Redis, more than zero and at most 24 days. A bare number is milliseconds. It holds
   * also where the caller cannot be interrupted, and runs on the machine's own clock.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /**
   * How many bytes a session may have in Redis, fields and values together: an integer from 1024 to 2^28. A write that would make
   * it larger fails as `TooLarge`, whichever requests made it grow. One that is larger already is `Malformed`, and is not
   * fetched: it would keep everybody else waiting on the one connection. Keep it well above the middleware's `maxStateBytes`.
   */
  readonly maxRecordBytes?: number | undefined
}

/**
 * What `layer` can be told.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options extends ClientOptions {
  /**
   * Where Redis is: `redis://user:password@host:port/db`, or `rediss://…` for TLS. A part with reserved characters is
   * percent-encoded. The one parameter is ioredis' `?family=` (0, 4 or 6).
   */
  readonly url: string | Redacted.Redacted<string>
  /**
   * Whatever else ioredis should know, such as the certificate authority of a `rediss://` server. What the promises of
   * this store hang on is not up for choice: see `FixedRedisOption`.
   *
   * With `sentinels` they are asked where Redis is: the URL's host is then the name that they have for the primary (unless `name`
   * says it), and its port is nobody's.
   */
  readonly redis?: Omit<RedisOptions, FixedRedisOption> | undefined
}

/**
 * The options of ioredis that this store sets for its own connection: no command waits in a queue of ioredis, none is sent
 * twice, and the connection is made anew for as long as the store is there.
 *
 * @since 0.1.0
 * @category models
 */
export type FixedRedisOption =
  | "host"
  | "port"
  | "username"
  | "password"
  | "db"
  | "lazyConnect"
  | "enableOfflineQueue"
  | "autoResendUnfulfilledCommands"
  | "maxRetriesPerRequest"
  | "reconnectOnError"
  | "monitor"
  | "readOnly"
  | "role"
  | "stringNumbers"
  | "replyMapping"

/**
 * A prefix that says what the keys are, and a second: far longer than Redis takes, and short enough for a request to be
 * answered 503 before its client gives up. Four mebibytes are four times what the middleware lets a session hold by default.
 *
 * @since 0.1.0
 * @category constants
 */
export const defaults = { prefix: "session:", timeout: "1 second", maxRecordBytes: 4_194_304 } as const

export type {
  /**
   * What this store needs of a client: `Redis` and `Cluster` of ioredis 5 and 6 have it.
   *
   * @since 0.1.0
   * @category models
   */
  RedisClient
} from "../internal/redis/redisCommand.js"

/**
 * Connects to Redis and makes a store of the connection, which is closed with the scope.
 *
 * Fails with a `SessionStoreConfigError` where an option cannot be used, and where Redis refuses its user what the store
 * needs; its message never quotes the URL. Waits for the connection for at most the time limit. Where it is not there by then, a warning is logged and the store
 * is built nevertheless. A connection that stays away for longer than calls wait for it (the time limit, five seconds at most)
 * is logged once as a warning, and once more when it is back.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  options: Options
): Effect.Effect<SessionStore.SessionStore, SessionStore.SessionStoreConfigError, Scope.Scope> =>
  Effect.gen(function*() {
    const address = yield* decodeUrl(options)
    const limit = yield* decodeTimeout(options)
    const prefix = yield* decodePrefix(options)
    const maxBytes = yield* decodeMaxBytes(options)
    const connection = yield* Effect.mapError(connect(address, limit, options.redis), configError("redis"))
    const send = makeSendCommand(connection, limit)
    // One that is not there has been reported.
    yield* checkRights(send, prefix, "url", () => Effect.void)
    const endings = yield* Effect.acquireRelease(
      makeEndings(send, prefix, limit, () => openSubscriber(address, limit, options.redis)),
      closeEndings
    )
    return makeStore(send, () => [send], prefix, maxBytes, endings)
  })

/**
 * Makes a store of a client that the app has and keeps: it is neither connected, watched nor closed here. How it queues
 * and repeats commands is the client's affair; `docs/stores/redis.md` says which of its options keep this store's
 * promises.
 *
 * Fails with a `SessionStoreConfigError` where the client cannot serve: it has other methods, is closed, or is one that
 * nothing would connect; or Redis refuses its user what the store needs. One that does not answer within the time limit is
 * taken as it is, with a warning.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromClient = (
  client: RedisClient,
  options?: ClientOptions | undefined
): Effect.Effect<SessionStore.SessionStore, SessionStore.SessionStoreConfigError> =>
  Effect.map(makeOfClient(client, options), ({ store }) => store)

const makeOfClient = (client: RedisClient, options: ClientOptions | undefined) =>
  Effect.gen(function*() {
    const limit = yield* decodeTimeout(options)
    const prefix = yield* decodePrefix(options)
    const maxBytes = yield* decodeMaxBytes(options)
    yield* checkClient(client)
    const send = makeSendCommand(connectionOfClient(client), limit)
    yield* checkRights(send, prefix, "client", ({ message }) =>
      Effect.logWarning(`Redis could not be asked whether sessions can be kept in it: ${message}`))
    yield* checkNodes(client, limit)
    const servers = () =>
      primariesOf(client).map((one) =>
        one === client ? send : makeSendCommand(connectionOfClient(one), limit)
      )
    const endings = yield* makeEndings(send, prefix, limit, () =>
      subscriberOfClient(client))
    return { store: makeStore(send, servers, prefix, maxBytes, endings), endings }
  })

const channelOf = (prefix: string): string => `${prefix}~ended`

const makeEndings = (
  send: SendCommand,
  prefix: string,
  limit: Duration.Duration,
  open: () => RedisSubscriber | undefined
): Effect.Effect<RedisEndings> =>
  Effect.map(Effect.runtime<never>(), (runtime) => {
    const channel = channelOf(prefix)
    const asked = Effect.suspend(() =>
      sendScript(send, "publish", scripts.tryToTell, prefix + SessionKey.mintId(), [channel])
    )
    return new RedisEndings({
      channel,
      open,
      limitMillis: Duration.toMillis(limit),
      refusedToTell: Effect.map(asked, (reply) => reply === "" ? undefined : String(reply)),
      fork: Runtime.runFork(runtime)
    })
  })

const closeEndings = (endings: RedisEndings): Effect.Effect<void> => Effect.sync(() => endings.close())

const configError = (option: string) => (message: string) =>
  new SessionStore.SessionStoreConfigError({ option, message })

const checkRights = (
  send: SendCommand,
  prefix: string,
  option: "client" | "url",
  onSilence: (failure: RedisFailure) => Effect.Effect<void>
): Effect.Effect<void, SessionStore.SessionStoreConfigError> =>
  Effect.matchEffect(refusedRights(send, prefix + SessionKey.mintId()), {
    onFailure: onSilence,
    onSuccess: (refused) => refused === undefined ? Effect.void : Effect.fail(configError(option)(refused))
  })

const checkNodes = (
  client: unknown,
  limit: Duration.Duration
): Effect.Effect<void, SessionStore.SessionStoreConfigError> =>
  Effect.flatMap(problemOfNodes(client, limit), (problem) =>
    problem === undefined
      ? Effect.void
      : problem._tag === "Wrong"
      ? Effect.fail(configError("client")(problem.message))
      : Effect.logWarning(problem.message))

const checkClient = (client: unknown): Either.Either<void, SessionStore.SessionStoreConfigError> => {
  const problem = problemOfClient(client)
  return problem === undefined ? Either.void : Either.left(configError("client")(problem))
}

/**
 * The store as a Layer, with a connection of its own. See `make`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Options): Layer.Layer<SessionStore.SessionStore, SessionStore.SessionStoreConfigError> =>
  Layer.scoped(SessionStore.SessionStore, make(options))

/**
 * The store as a Layer, with options from Effect's `Config`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  options: EffectConfig.Config.Wrap<Options>
): Layer.Layer<SessionStore.SessionStore, SessionStore.SessionStoreConfigError | ConfigError.ConfigError> =>
  Layer.scoped(SessionStore.SessionStore, Effect.flatMap(EffectConfig.unwrap(options), make))

/**
 * The store as a Layer, on a client that the app has and keeps. See `fromClient`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFromClient = (
  client: RedisClient,
  options?: ClientOptions | undefined
): Layer.Layer<SessionStore.SessionStore, SessionStore.SessionStoreConfigError> =>
  Layer.scoped(
    SessionStore.SessionStore,
    Effect.map(
      Effect.acquireRelease(makeOfClient(client, options), ({ endings }) => closeEndings(endings)),
      ({ store }) => store
    )
  )

// -- options

// What a timer of Node can count: more overflows, and would fire at once.
const maxTimerMillis = 2_147_483_647

// From JavaScript anything may come, options that are none included.
const decodeUrl = (
  options: Options | undefined
): Either.Either<RedisAddress, SessionStore.SessionStoreConfigError> => {
  const given: unknown = options?.url
  const url = Redacted.isRedacted(given) ? Redacted.value(given) : given
  return Either.mapLeft(
    parseRedisUrl(typeof url === "string" ? url : ""),
    (mend) =>
      new SessionStore.SessionStoreConfigError({ option: "url", message: `The option url cannot be read: ${mend}` })
  )
}

const decodePrefix = (
  options: ClientOptions | undefined
): Either.Either<string, SessionStore.SessionStoreConfigError> => {
  const prefix: unknown = options?.prefix ?? defaults.prefix
  return typeof prefix === "string"
    ? Either.right(prefix)
    : Either.left(
      new SessionStore.SessionStoreConfigError({
        option: "prefix",
        message: "The option prefix must be a text, such as \"session:\""
      })
    )
}

const smallestMaxBytes = 1_024
// Half of the longest text there is, which ioredis makes of a command.
const largestMaxBytes = 2 ** 28

const decodeMaxBytes = (
  options: ClientOptions | undefined
): Either.Either<number, SessionStore.SessionStoreConfigError> => {
  const bytes: unknown = options?.maxRecordBytes ?? defaults.maxRecordBytes
  return typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes >= smallestMaxBytes &&
      bytes <= largestMaxBytes
    ? Either.right(bytes)
    : Either.left(
      new SessionStore.SessionStoreConfigError({
        option: "maxRecordBytes",
        message: `The option maxRecordBytes must be an integer from ${smallestMaxBytes} to ${largestMaxBytes}`
      })
    )
}

const decodeTimeout = (
  options: ClientOptions | undefined
): Effect.Effect<Duration.Duration, SessionStore.SessionStoreConfigError> =>
  Duration.decodeUnknown(options?.timeout ?? defaults.timeout).pipe(
    Option.filter((limit) => Duration.toMillis(limit) > 0 && Duration.toMillis(limit) <= maxTimerMillis),
    Effect.mapError(() =>
      new SessionStore.SessionStoreConfigError({
        option: "timeout",
        message: "The option timeout must be a duration of more than zero and at most 24 days, such as \"1 second\""
      })
    )
  )

// -- the verbs

// Out of 2^128 ids, a taken one is drawn never. Taken ones in a row say that the machine's randomness is broken.
const maxDraws = 8

// Whoever writes keeps to the limit, so that a record which this process has seen within it needs no second look.
const recentGeneration = 8_192

const makeStore = (
  send: SendCommand,
  servers: () => ReadonlyArray<SendCommand>,
  prefix: string,
  maxBytes: number,
  endings: RedisEndings
): SessionStore.SessionStore => {
  const redisKey = (id: SessionId): string => prefix + id
  const recent = new RecentIds(recentGeneration)

  const tooLarge = (): RedisFailure => ({
    reason: "TooLarge",
    message: `The session would have more than ${maxBytes} bytes in Redis (maxRecordBytes): keep less in it`
  })

  const readWithin = (id: SessionId): Effect.Effect<Fields, RedisFailure> =>
    Effect.flatMap(
      sendScript(send, "load", scripts.load, redisKey(id), [String(maxBytes)]),
      (reply) =>
        Either.flatMap(readLoadReply(reply), (read) => {
          if (read === "TooLarge") {
            return Either.left(malformed(`it has more than ${maxBytes} bytes (maxRecordBytes)`))
          }
          recent.add(id)
          return Either.right(read)
        })
    )

  const read = (id: SessionId): Effect.Effect<StoredRecord | undefined, RedisFailure> =>
    Effect.flatMap(
      recent.has(id)
        ? Effect.flatMap(send("load", (client) => client.hgetall(redisKey(id))), readHash)
        : readWithin(id),
      (hash) => readRecord(id, hash)
    )

  const accounts = new RedisAccounts({ send, servers, prefix, read, channel: channelOf(prefix) })

  const found = (id: SessionId): Effect.Effect<StoredRecord | undefined, SessionStore.LoadError> =>
    Effect.mapError(
      read(id),
      (failure) => {
        const { reason, ...rest } = nameRecord(failure, id)
        return new SessionStore.LoadError({ ...rest, reason: reason === "Malformed" ? reason : "Unavailable" })
      }
    )

  const load: SessionStore.SessionStore["load"] = (key, now) =>
    Effect.map(found(key.id), (record) => SessionStore.loadResult(record, key, now))

  const save = (
    state: SessionRecord.SessionState,
    lifetime: SessionRecord.Lifetime,
    now: number,
    key: SessionKey.SessionKey,
    draws: number
  ): Effect.Effect<SessionStore.Saved, SessionStore.SaveError> => {
    const record = SessionRecord.create(key, state, lifetime, now)
    const fields = encodeRecord(record).concat(listedField(state, lifetime, now))
    if (bytesOf(fields) > maxBytes) {
      return Effect.fail(new SessionStore.SaveError({ ...tooLarge(), reason: "TooLarge" }))
    }
    const args = [redisTtl(record.expiresAt - now), ...fields]
    const sent = Effect.flatMap(sendScript(send, "save", scripts.save, redisKey(key.id), args), readSaveReply)
    return Effect.matchEffect(sent, {
      onFailure: ({ reason, ...rest }) =>
        Effect.fail(new SessionStore.SaveError({ ...rest, reason: reason === "TooLarge" ? reason : "Unavailable" })),
      onSuccess: (reply) => {
        if (reply === "Saved") {
          recent.add(key.id)
          return Effect.succeed({ key, expiresAt: record.expiresAt })
        }
        return draws < maxDraws
          ? save(state, lifetime, now, SessionKey.mint(), draws + 1)
          : Effect.fail(
            new SessionStore.SaveError({
              reason: "Unavailable",
              message: `${maxDraws} session ids in a row were taken: the randomness of this machine cannot be trusted`
            })
          )
      }
    })
  }

  const runScript = (
    verb: string,
    script: scripts.RedisScript,
    key: SessionKey.SessionKey,
    now: number,
    args: ReadonlyArray<string>,
    expected: number
  ): Effect.Effect<ScriptAnswer, RedisFailure> =>
    Effect.mapError(
      Effect.flatMap(
        sendScript(send, verb, script, redisKey(key.id), [SessionKey.digest(key), timeText(now), ...args]),
        (reply) => readScriptReply(verb, reply, expected)
      ),
      (failure) => nameRecord(failure, key.id)
    )

  const rewrite = (
    verb: string,
    script: scripts.RedisScript,
    key: SessionKey.SessionKey,
    newKey: SessionKey.SessionKey,
    lifetime: SessionRecord.Lifetime,
    now: number,
    more: ReadonlyArray<string>,
    expected: SessionChange["expect"] = new Map()
  ): Effect.Effect<SessionStore.WriteResult, SessionStore.UpdateError> =>
    Effect.matchEffect(
      runScript(verb, script, key, now, [
        timeText(now + lifetime.ttl),
        lifetime.maxLifetime === undefined ? "" : timeText(lifetime.maxLifetime),
        ...more
      ], expected.size),
      {
        onFailure: (failure) => Effect.fail(new SessionStore.UpdateError(failure)),
        onSuccess: (answer) =>
          answer._tag === "TooLarge"
            ? Effect.fail(new SessionStore.UpdateError(tooLarge()))
            : answer._tag === "Saved" && answer.account !== undefined
            ? Effect.as(
              accounts.relist(answer.account, key.id, lifetime, now),
              toWriteResult(verb, answer, key, newKey, expected)
            )
            : Effect.succeed(toWriteResult(verb, answer, key, newKey, expected))
      }
    )

  const remove: SessionStore.SessionStore["delete"] = (key, now, successor) =>
    Effect.mapBoth(
      runScript("delete", scripts.remove, key, now, [
        successor === undefined ? "" : successorText({ id: successor.id, digest: SessionKey.digest(successor) }),
        timeText(now + SessionRecord.supersededRetention.millis),
        channelOf(prefix),
        key.id
      ], 0),
      {
        onFailure: (failure) => new SessionStore.DeleteError({ ...failure, reason: "Unavailable" }),
        onSuccess: (answer) =>
          answer._tag === "Replaced"
            ? SessionKey.fromDigest(answer.successor.id, answer.successor.digest)
            : answer._tag === "Deleted"
      }
    )

  const verbs: SessionStore.SessionStoreVerbs = {
    readKey: SessionKey.fromText,
    load,
    save: (state, lifetime, now, key = SessionKey.mint()) => save(state, lifetime, now, key, 1),
    update: (key, change, lifetime, now) =>
      rewrite(
        "update",
        scripts.update,
        key,
        key,
        lifetime,
        now,
        [String(maxBytes), ...changeArguments(change, lifetime, now)],
        change.expect
      ),
    updateTtl: (key, lifetime, now) =>
      rewrite("updateTtl", scripts.updateTtl, key, key, lifetime, now, [timeText(lifetime.ttl)]),
    renew: (key, change, lifetime, now) => {
      const newKey = SessionKey.mintSecret(key.id)
      const args = [String(maxBytes), SessionKey.digest(newKey), ...changeArguments(change, lifetime, now)]
      return rewrite("renew", scripts.renew, key, newKey, lifetime, now, args, change.expect)
    },
    rotate: (key, change, lifetime, { every, extend, grace, mint }, now) => {
      const newKey = SessionKey.mintSecret(key.id)
      const times = [timeText(every), timeText(grace), timeText(now + grace), extend ? "1" : "0", mint ? "1" : "0"]
      const args = [String(maxBytes), SessionKey.digest(newKey), ...times, ...changeArguments(change, lifetime, now)]
      return rewrite("rotate", scripts.rotate, key, newKey, lifetime, now, args, change.expect)
    },
    delete: remove,
    endings: {
      find: (id, now) => Effect.map(found(id), (record) => SessionStore.foundRecord(record, now)),
      listen: endings.listen,
      pollEvery: endings.pollEvery
    },
    accounts
  }
  // Each command has its own limit, which holds in a region that cannot be interrupted as well.
  return SessionStore.make(verbs, { timeout: "none" })
}

type Fields = ReadonlyArray<readonly [string, string]>

const bytesOf = (texts: ReadonlyArray<string>): number => texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)

const redisTtl = (millis: number): string => String(millis >= 1 ? Math.min(Math.ceil(millis), 1e15) : 1)

const changeArguments = (change: SessionChange, lifetime: SessionRecord.Lifetime, now: number): Array<string> => {
  const { absent, valued } = sortExpected(change.expect)
  const args = [String(valued.length), String(absent.length), String(change.unset.size)]
  for (const key of valued) {
    args.push(fieldOf(key), change.expect.get(key)!)
  }
  for (const key of absent) {
    args.push(fieldOf(key))
  }
  for (const key of change.unset) {
    args.push(fieldOf(key))
  }
  for (const [key, value] of change.set) {
    args.push(fieldOf(key), value)
  }
  return args.concat(listedField(change.set, lifetime, now))
}

/** The keys that something was expected of, in the order in which a script gets them and answers for them. */
const sortExpected = (expected: SessionChange["expect"]) => {
  const keys = Array.from(expected.keys())
  return {
    valued: keys.filter((key) => expected.get(key) !== undefined),
    absent: keys.filter((key) => expected.get(key) === undefined)
  }
}

const malformed = (message: string): RedisFailure => ({ reason: "Malformed", message })

const readRecord = (
  id: SessionId,
  hash: Iterable<readonly [string, string]>
): Either.Either<StoredRecord | undefined, RedisFailure> => Either.mapLeft(decodeRecord(id, hash), malformed)

const toWriteResult = (
  verb: string,
  answer: Exclude<ScriptAnswer, { readonly _tag: "TooLarge" }>,
  key: SessionKey.SessionKey,
  newKey: SessionKey.SessionKey,
  expected: SessionChange["expect"]
): SessionStore.WriteResult => {
  switch (answer._tag) {
    case "Saved":
      return toSaved(verb === "renew" || answer.word === scripts.savedWords.new ? newKey : key, answer)
    case "Conflict": {
      const { absent, valued } = sortExpected(expected)
      return SessionStore.WriteResult.Conflict({
        found: new Map([...valued, ...absent].map((key, i) => [key, answer.values[i]]))
      })
    }
    case "Superseded":
      return SessionStore.WriteResult.Superseded()
    default:
      return SessionStore.WriteResult.Gone()
  }
}

const toSaved = (
  key: SessionKey.SessionKey,
  { expiresAt, word }: Extract<ScriptAnswer, { readonly _tag: "Saved" }>
): SessionStore.WriteResult =>
  SessionStore.WriteResult.Saved(
    word === scripts.savedWords.older ? { key, expiresAt, hasNewer: true } : { key, expiresAt }
  )

/** Says whose record it is that a failure is about. */
const nameRecord = (failure: RedisFailure, id: SessionId): RedisFailure =>
  failure.reason === "Malformed"
    ? { ...failure, message: `What Redis holds for session ${id} is no session record: ${failure.message}` }
    : failure
