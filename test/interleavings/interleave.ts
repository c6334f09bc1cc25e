/**
 * Sends several requests of one browser and decides at every step which of them goes on. A request stops before each
 * call to the store, and once more before its answer reaches the browser.
 */
import * as SessionKey from "effect-session/SessionKey"
import type * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Breakage } from "../model/brokenStores.js"
import { describeProgram, handlerOf, type Program } from "../model/operations.js"
import { type Answer, beforeEachCall, cookieHeaderOf, type SessionApp } from "../model/sessionApp.js"
import type { Choose } from "./orders.js"

export interface Situation {
  readonly app: SessionApp
  readonly middleware: SessionMiddleware.SessionMiddleware
  /** What is in the session before the requests come. */
  readonly state: Readonly<Record<string, number>>
  readonly programs: ReadonlyArray<Program>
  /**
   * Whether a request goes on to its first call at once when it is sent. That leaves out orders that differ in nothing:
   * what a request does before that call, nobody else can see.
   */
  readonly startsWithCall?: boolean | undefined
  /** A defect to put between the requests and the store. `pause` gives the other requests a turn. */
  readonly breakage?: ((pause: Effect.Effect<void>) => Breakage) | undefined
}

/** A request and what came of it. Times are places in `History.order`. */
export interface Sent {
  readonly program: Program
  readonly startedAt: number
  /** The key in the cookie that the browser sent along. */
  readonly presented: SessionKey.SessionKey | undefined
  /** What the store said about that key, where it was asked. */
  readonly loaded: SessionStore.LoadResult["_tag"] | undefined
  readonly answeredAt: number
  readonly answer: Answer
  /** The key in the cookie that the answer sets. */
  readonly set: SessionKey.SessionKey | undefined
  /** Whether no newer key of that session was there when the answer was made. */
  readonly isSetNewest: boolean
  readonly deliveredAt: number
}

/** A session that the store has made, when all is over. */
export interface MadeSession {
  readonly id: string
  /** Its keys, oldest first. */
  readonly keys: ReadonlyArray<SessionKey.SessionKey>
  /** For each key the values that it opens, if any. */
  readonly openedBy: ReadonlyArray<Readonly<Record<string, number>> | undefined>
}

export interface History {
  readonly situation: Situation
  /** The key of the session that was there from the beginning. */
  readonly first: SessionKey.SessionKey
  readonly requests: ReadonlyArray<Sent>
  readonly sessions: ReadonlyArray<MadeSession>
  /** The key in the cookie that the browser has in the end. */
  readonly jar: SessionKey.SessionKey | undefined
  /** Who took which step, in the order in which it happened. */
  readonly order: ReadonlyArray<string>
}

export const describeHistory = ({ order, situation }: History): string =>
  [
    `the session holds ${JSON.stringify(situation.state)}`,
    ...situation.programs.map((program, index) => `request ${index + 1}: ${describeProgram(program)}`),
    `order: ${order.join(", ")}`
  ].join("\n")

export const interleave = async (situation: Situation, choose: Choose): Promise<History> => {
  const { app, breakage, middleware, programs, startsWithCall = false, state } = situation
  const { config: { lifecycle }, crypto, store } = middleware
  const { key: first } = await app.run(
    SessionStore.withClock(store).save(
      new Map(Object.entries(state).map(([key, value]) => [key, JSON.stringify(value)])),
      {
        ttl: lifecycle.ttlMillis,
        maxLifetime: lifecycle.maxLifetimeMillis
      }
    )
  )
  const keyIn = (value: string | undefined): SessionKey.SessionKey | undefined =>
    value === undefined
      ? undefined
      : Option.getOrUndefined(Option.flatMap(crypto.open(value), ({ plaintext }) => store.readKey(plaintext)))

  const minted = [first]
  const order: Array<string> = []
  let jar: string | undefined = crypto.seal(SessionKey.toText(first))

  // Only one request moves at a time, so that whatever happens is its doing.
  let moving: Actor | undefined = undefined
  const pause = (step: string) => Effect.suspend(() => moving?.waitForTurn(step) ?? Effect.void)
  const observed = observeResults(store, minted, () => moving)
  const broken = breakage === undefined ? observed : breakage(pause("writes"))(observed)

  const actors = programs.map((program) =>
    new Actor(program, startsWithCall, (actor) => {
      actor.presented = keyIn(jar)
      // As in a process of its own: those of one process take turns, and who waits for another's takes no step.
      const gated = { ...middleware, store: beforeEachCall(broken, pause) }
      return app.request(gated, handlerOf(program), cookieHeaderOf(jar === undefined ? [] : [jar]))
    })
  )
  for (;;) {
    const ready = actors.filter((actor) => actor.deliveredAt === undefined)
    const actor = ready[ready.length < 2 ? 0 : choose(ready.length)]
    if (actor === undefined) {
      break
    }
    const now = order.push(`${actors.indexOf(actor) + 1} ${actor.nextStep}`)
    if (actor.answer !== undefined) {
      const { news } = actor.answer
      jar = news._tag === "Value" ? news.value : news._tag === "Removal" ? undefined : jar
      actor.deliveredAt = now
      continue
    }
    moving = actor
    await actor.goOn(now)
    moving = undefined
    const value = actor.cookieSet()
    if (value !== undefined) {
      actor.set = keyIn(value)
      actor.isSetNewest = actor.set !== undefined && isNewest(actor.set, minted)
    }
  }

  const sessions: Array<MadeSession> = []
  for (const id of new Set(minted.map((key) => key.id))) {
    const keys = minted.filter((key) => key.id === id)
    const results = await app.run(Effect.forEach(keys, SessionStore.withClock(broken).load))
    sessions.push({
      id,
      keys,
      openedBy: results.map((result) => result._tag === "Live" ? valuesOf(result.record.state) : undefined)
    })
  }
  return { situation, first, requests: actors.map((actor) => actor.sent()), sessions, jar: keyIn(jar), order }
}

const valuesOf = (state: ReadonlyMap<string, string>): Readonly<Record<string, number>> =>
  Object.fromEntries(Array.from(state, ([key, value]) => [key, Number(value)]))

class Actor {
  nextStep = "starts"
  presented: SessionKey.SessionKey | undefined = undefined
  loaded: SessionStore.LoadResult["_tag"] | undefined = undefined
  answer: Answer | undefined = undefined
  set: SessionKey.SessionKey | undefined = undefined
  isSetNewest = false
  deliveredAt: number | undefined = undefined
  private startedAt: number | undefined = undefined
  private answeredAt = 0
  private resume: () => void = () => {}
  private stop: () => void = () => {}

  constructor(
    private readonly program: Program,
    private mayGoOn: boolean,
    private readonly send: (actor: Actor) => Promise<Answer>
  ) {}

  waitForTurn(step: string): Effect.Effect<void> {
    if (this.mayGoOn) {
      this.mayGoOn = false
      return Effect.void
    }
    return Effect.async((resume) => {
      this.nextStep = step
      this.resume = () => resume(Effect.void)
      this.stop()
    })
  }

  /** Takes one step: resolves when the request waits for its next turn, or has its answer. */
  goOn(now: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.stop = resolve
      if (this.startedAt === undefined) {
        this.startedAt = now
        this.send(this).then((answer) => {
          this.answer = answer
          this.nextStep = "is delivered"
          this.stop()
        }, reject)
      } else {
        this.resume()
      }
      this.answeredAt = now
    })
  }

  cookieSet(): string | undefined {
    const { news } = this.answer ?? { news: undefined }
    return news?._tag === "Value" ? news.value : undefined
  }

  sent(): Sent {
    const { answer, answeredAt, deliveredAt = 0, isSetNewest, loaded, presented, program, set, startedAt = 0 } = this
    if (answer === undefined) {
      throw new Error("A request was not answered")
    }
    return { program, startedAt, presented, loaded, answeredAt, answer, set, isSetNewest, deliveredAt }
  }
}

const observeResults = (
  store: SessionStore.SessionStore,
  minted: Array<SessionKey.SessionKey>,
  moving: () => Actor | undefined
): SessionStore.SessionStore => {
  const inner = SessionStore.withClock(store)
  return {
    ...store,
    load: (key) =>
      Effect.tap(inner.load(key), ({ _tag }) => {
        const actor = moving()
        if (actor !== undefined) {
          actor.loaded ??= _tag
        }
      }),
    save: (state, lifetime) =>
      Effect.tap(inner.save(state, lifetime), ({ key }) => {
        minted.push(key)
      }),
    renew: (key, change, ttl) =>
      Effect.tap(inner.renew(key, change, ttl), (result) => {
        if (result._tag === "Saved") {
          minted.push(result.key)
        }
      })
  }
}

const isNewest = (key: SessionKey.SessionKey, minted: ReadonlyArray<SessionKey.SessionKey>): boolean =>
  SessionKey.toText(minted.filter(({ id }) => id === key.id).at(-1) ?? key) === SessionKey.toText(key)
