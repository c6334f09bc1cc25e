/**
 * Hears from Redis which sessions end, over a connection of its own: Redis sends no other commands over one that listens. It is
 * there while somebody waits for the end of a session, and made anew when it is lost. What is told is a hint, and whoever waits
 * asks the store: a message that gets lost with a connection is made up for when the next one listens.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { SessionId } from "../../SessionKey.js"
import { defaultPollEvery, type EndingVerbs, makeEndListeners } from "../../SessionStore.js"
import { describeError, isRefusal, type RedisFailure } from "./redisCommand.js"

/**
 * What this needs of a client that nobody else uses: one of ioredis, not connected yet, that connects once.
 *
 * @internal
 */
export interface RedisSubscriber {
  readonly connect: () => Promise<void>
  readonly subscribe: (channel: string) => Promise<unknown>
  readonly disconnect: () => void
  readonly on: {
    (event: "message", listener: (channel: string, message: string) => void): unknown
    (event: "end" | "error", listener: (error?: Error) => void): unknown
  }
}

/** @internal */
export interface RedisEndingsOptions {
  readonly channel: string
  /** Makes a client to listen with; `undefined`: there is none now. */
  readonly open: () => RedisSubscriber | undefined
  /** What Redis refuses of what is told by those who end sessions; `undefined`: nothing. */
  readonly refusedToTell: Effect.Effect<string | undefined, RedisFailure>
  /** How long a connection may take until it listens, in milliseconds. */
  readonly limitMillis: number
  readonly fork: (effect: Effect.Effect<void>) => void
}

// A message may get lost with its connection, and Redis removes records of its own accord.
const listeningPollEvery = 30_000

// Who waits only now and then costs no new connection each time.
const lingerMillis = 10_000

const firstRetryMillis = 250
const maxRetryMillis = 5_000

// Rights may be given while the app runs.
const refusedRetryMillis = 60_000

/** @internal */
export class RedisEndings {
  private readonly listeners = makeEndListeners()
  private subscriber: RedisSubscriber | undefined
  private isListening = false
  private waiting = 0
  private failures = 0
  private hasWarned = false
  private isClosed = false
  private linger: NodeJS.Timeout | undefined
  private retry: NodeJS.Timeout | undefined

  constructor(private readonly options: RedisEndingsOptions) {}

  readonly listen: NonNullable<EndingVerbs["listen"]> = (id, notify): Effect.Effect<void, never, Scope.Scope> =>
    Effect.zipRight(
      this.listeners.listen(id, notify),
      Effect.acquireRelease(Effect.sync(() => this.begin()), () => Effect.sync(() => this.end()))
    )

  readonly pollEvery = (): number => this.isListening ? listeningPollEvery : defaultPollEvery

  /** Lets the connection go for good. */
  close(): void {
    this.isClosed = true
    clearTimeout(this.retry)
    this.leave()
  }

  private begin(): void {
    this.waiting++
    clearTimeout(this.linger)
    if (this.subscriber === undefined && this.retry === undefined && !this.isClosed) {
      this.open()
    }
  }

  private end(): void {
    this.waiting--
    if (this.waiting === 0) {
      this.linger = setTimeout(() => this.leave(), lingerMillis).unref()
    }
  }

  private open(): void {
    const subscriber = this.options.open()
    if (subscriber === undefined) {
      this.openLater()
      return
    }
    this.subscriber = subscriber
    subscriber.on("error", () => {})
    subscriber.on("message", (_channel, id) => this.listeners.tell(id as SessionId))
    const tooSlow = setTimeout(() => this.lost(subscriber), this.options.limitMillis).unref()
    subscriber.on("end", () => {
      clearTimeout(tooSlow)
      this.lost(subscriber)
    })
    subscriber.connect().then(() => subscriber.subscribe(this.options.channel)).then(
      () => {
        clearTimeout(tooSlow)
        this.subscribed(subscriber)
      },
      (error: unknown) => {
        clearTimeout(tooSlow)
        this.failed(subscriber, error)
      }
    )
  }

  private subscribed(subscriber: RedisSubscriber): void {
    if (this.subscriber !== subscriber) {
      return
    }
    this.failures = 0
    this.isListening = true
    // What ended before was told to nobody.
    this.listeners.tellAll()
    this.options.fork(Effect.matchEffect(this.options.refusedToTell, {
      onFailure: () => Effect.void,
      onSuccess: (refused) => refused === undefined ? Effect.void : Effect.sync(() => this.refused(refused))
    }))
  }

  private failed(subscriber: RedisSubscriber, error: unknown): void {
    const description = describeError(error)
    if (this.subscriber === subscriber && isRefusal(description)) {
      this.refused(description)
    } else {
      this.lost(subscriber)
    }
  }

  private lost(subscriber: RedisSubscriber): void {
    if (this.subscriber === subscriber) {
      this.leave()
      this.openLater()
    }
  }

  private refused(description: string): void {
    this.leave()
    this.openLater(refusedRetryMillis)
    if (!this.hasWarned) {
      this.hasWarned = true
      this.options.fork(Effect.logWarning(
        `Redis refuses what tells of sessions that end: ${description}. It is asked every ${
          defaultPollEvery / 1_000
        } seconds instead. Give its user the rights +subscribe +publish on the channel &${this.options.channel}`
      ))
    }
  }

  private openLater(millis = Math.min(firstRetryMillis * 2 ** this.failures++, maxRetryMillis)): void {
    this.retry = setTimeout(() => {
      this.retry = undefined
      if (this.waiting > 0) {
        this.open()
      }
    }, millis).unref()
  }

  private leave(): void {
    clearTimeout(this.linger)
    const { subscriber } = this
    this.subscriber = undefined
    this.isListening = false
    subscriber?.disconnect()
  }
}
