/**
 * Sends several requests of one browser and decides at every step which of them goes on. A request stops before each
 * call to the store, and once more before its answer reaches the browser.
 */
import type * as SessionKey from "effect-session/SessionKey"
import * as SessionKeys from "effect-session/SessionKey"
import type * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
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

export interface History {
  readonly situation: Situation
  /** The key of the session that was there from the beginning. */
  readonly first: SessionKey.SessionKey
  readonly requests: ReadonlyArray<Sent>
  /** Every key that the store has made, oldest first. */
  readonly minted: ReadonlyArray<SessionKey.SessionKey>
  /** The key in the cookie that the browser has in the end. */
  readonly jar: SessionKey.SessionKey | undefined
  /** Who took which step, in the order in which it happened. */
  readonly order: ReadonlyArray<string>
}

export const interleave = async (situation: Situation, choose: Choose): Promise<History> => {
  const { app, breakage, middleware, programs, state } = situation
  const { crypto, store } = middleware
  const { lifecycle } = middleware.config
  const { key: first } = await app.run(
    store.save(new Map(Object.entries(state).map(([key, value]) => [key, JSON.stringify(value)])), {
      ttl: lifecycle.ttlMillis,
      maxLifetime: lifecycle.maxLifetimeMillis
    })
  )
  const keyIn = (value: string): SessionKey.SessionKey | undefined =>
    Option.getOrUndefined(Option.flatMap(crypto.open(value), ({ plaintext }) => store.readKey(plaintext)))

  const minted = [first]
  const order: Array<string> = []
  let jar: string | undefined = crypto.seal(SessionKeys.toText(first))

  const actors = programs.map((program, number) => {
    const actor = new Actor(program)
    const pause = (step: string) => actor.waitForTurn(step)
    const observed = observeResults(store, minted, actor)
    const broken = breakage === undefined ? observed : breakage(pause("write"))(observed)
    const gated = beforeEachCall(broken, pause)
    actor.send = () => {
      actor.presented = jar === undefined ? undefined : keyIn(jar)
      return app.request(
        { ...middleware, store: gated },
        handlerOf(program),
        cookieHeaderOf(jar === undefined ? [] : [jar])
      )
    }
    actor.name = `request ${number + 1}`
    return actor
  })

  for (;;) {
    const ready = actors.filter((actor) => !actor.isDelivered)
    if (ready.length === 0) {
      break
    }
    const actor = ready[choose(ready.length)]!
    order.push(`${actor.name} ${actor.nextStep}`)
    if (actor.answer === undefined) {
      await actor.step(order.length)
      // Nobody else has had a turn since the last call to the store.
      if (actor.answer !== undefined) {
        const { news } = actor.answer
        actor.set = news._tag === "Value" ? keyIn(news.value) : undefined
        actor.isSetNewest = actor.set !== undefined && isNewest(actor.set, minted)
      }
    } else {
      const { news } = actor.answer
      jar = news._tag === "Value" ? news.value : news._tag === "Removal" ? undefined : jar
      actor.deliveredAt = order.length
    }
  }
  return {
    situation,
    first,
    requests: actors.map((actor) => actor.sent()),
    minted,
    jar: jar === undefined ? undefined : keyIn(jar),
    order
  }
}

const isNewest = (key: SessionKey.SessionKey, minted: ReadonlyArray<SessionKey.SessionKey>): boolean => {
  const newest = minted.findLast(({ id }) => id === key.id)
  return newest !== undefined && SessionKeys.toText(newest) === SessionKeys.toText(key)
}
