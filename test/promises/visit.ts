/**
 * Sends several requests and decides at every step which of them goes on. A request stops wherever the store or its
 * handler waits, and once more before its answer arrives. What it hands out is what an outsider sees: cookies, statuses,
 * what handlers have read and how far they came, and what each cookie opens when all is over.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type * as EffectSession from "effect-session/Session"
import type * as SessionStore from "effect-session/SessionStore"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { setImmediate } from "node:timers/promises"
import type { Choose } from "../interleavings/orders.js"
import type { Library } from "./library.js"
import { describeRequest, type Operation, type Program, programs, type Request } from "./requests.js"

/** What a session holds: the number of the request that wrote it by key, and under `n` what was counted. */
export type Values = Readonly<Record<string, number>>

/** A request and what came of it. Times are places in `Visit.order`. */
export interface Seen {
  readonly number: number
  readonly request: Request
  readonly program: Program
  readonly startedAt: number
  readonly presented: string | undefined
  /** What the handler read at first, if it came to that. */
  readonly read: Values | undefined
  readonly readAt: number
  /** The operations that the handler came to. */
  readonly done: ReadonlyArray<Operation>
  /** When the handler came to its end, by itself or not at all. */
  readonly handledAt: number
  readonly answeredAt: number
  /** `undefined` where nothing was answered, as to a client that has hung up. */
  readonly status: number | undefined
  readonly set: string | undefined
  readonly removes: boolean
  /** What the cookie opened when it was handed out. */
  readonly setOpened: Values | undefined
  readonly deliveredAt: number
}

export interface Visit {
  readonly before: Values
  readonly first: string
  readonly seen: ReadonlyArray<Seen>
  readonly jar: string | undefined
  /** What each cookie opens in the end. */
  readonly opens: ReadonlyMap<string, Values>
  readonly order: ReadonlyArray<string>
}

export const describeVisit = ({ order, seen }: Visit): string =>
  [
    ...seen.map(({ number, request, status }) => `request ${number}: ${describeRequest(request)} → ${status}`),
    `order: ${order.join(", ")}`
  ].join("\n")

/** The store of a stage, made so that `gate` stands where it waits. */
export type MakeStore = (
  library: Library,
  gate: (store: SessionStore.SessionStoreVerbs) => SessionStore.SessionStoreVerbs
) => SessionStore.SessionStore

export interface Stage {
  readonly visit: (requests: ReadonlyArray<Request>, choose: Choose) => Promise<Visit>
}

const name = "__Host-id"
const limit = Duration.toMillis("1 hour")

export const before: Values = { a: 0, origin: 0, n: 1 }

/** Where a request waits besides its handler: before each call of the store, before its answer as well, or nowhere. */
export type Waits = "before" | "around" | "nowhere"

/** Whether keys are renewed by themselves, and the visit begins when the first one is due. */
export type Keys = "renewed by handlers" | "renewed by themselves"

export const makeStage = (
  library: Library,
  makeStore: MakeStore,
  waits: Waits,
  keys: Keys = "renewed by handlers"
): Stage => {
  const isDue = keys === "renewed by themselves"
  let busy = 0
  const pause = (step: string) => Effect.flatMap(FiberRef.get(current), (actor) => actor?.pause(step) ?? Effect.void)
  const clock = handClock((millis) =>
    Effect.flatMap(FiberRef.get(current), (actor) => actor?.sleepsFor(millis) ?? Effect.never)
  )

  const around = <A, E>(verb: string, call: Effect.Effect<A, E>): Effect.Effect<A, E> => {
    const counted = Effect.suspend(() => {
      busy++
      return Effect.ensuring(
        call,
        Effect.sync(() => {
          busy--
        })
      )
    })
    const late = waits === "around" ? Effect.zipLeft(counted, pause(`${verb} answers`)) : counted
    return Effect.zipRight(pause(verb), late)
  }
  const gate = (store: SessionStore.SessionStoreVerbs): SessionStore.SessionStoreVerbs => {
    // Each call does its work behind the gate, also where a store does it when it is called.
    const inner = library.SessionStore.withClock(store)
    return {
      ...store,
      load: (key) => around("load", inner.load(key)),
      save: (state, lifetime) => around("save", inner.save(state, lifetime)),
      update: (key, change, lifetime) => around("update", inner.update(key, change, lifetime)),
      updateTtl: (key, lifetime) => around("updateTtl", inner.updateTtl(key, lifetime)),
      renew: (key, change, lifetime) => around("renew", inner.renew(key, change, lifetime)),
      rotate: inner.rotate &&
        ((key, change, lifetime, rotation) => around("rotate", inner.rotate!(key, change, lifetime, rotation))),
      delete: (key, _now, successor) => around("delete", inner.delete(key, successor))
    }
  }

  const { Config, Session, SessionMiddleware } = library
  const middleware = Effect.runSync(
    SessionMiddleware.make({
      keys: Config.generateKey(),
      cookie: { name },
      lifecycle: Config.BrowserSession({ rememberMe: "30 days", ...(isDue ? { renewEvery: "15 minutes" } : {}) })
    }).pipe(
      Effect.provideService(library.SessionStore.SessionStore, makeStore(library, gate))
    )
  )
  const runtime = Effect.runSync(
    Effect.runtime<never>().pipe(
      Effect.withClock(clock),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.locally(HttpMiddleware.currentTracerDisabledWhen, () => true)
    )
  )
  const readAll = (session: EffectSession.Session) =>
    Effect.forEach(
      ["a", "b", "user", "origin", "n"],
      (key) => Effect.map(session.get(key, Schema.Number), Option.map((value) => [key, value] as const))
    ).pipe(Effect.map((found) => Object.fromEntries(found.flatMap(Option.toArray))))

  const perform = (
    session: EffectSession.Session,
    actor: Actor,
    operation: Operation
  ): Effect.Effect<unknown, unknown> => {
    switch (operation) {
      case "read":
        return Effect.tap(readAll(session), (values) => Effect.sync(() => actor.hasRead(values)))
      case "wait":
        return pause("waits")
      case "insert a":
      case "insert b":
      case "insert user":
        return session.insert(operation.slice("insert ".length), Schema.Number, actor.number)
      case "update n":
        return session.updateOr("n", Schema.Number, 1, (n) => n + 1)
      case "renew":
        return session.renew
      case "purge":
        return session.purge
      case "clear":
        return session.clear
      case "remember":
        return session.remember()
    }
  }
  const ask = (
    handler: Effect.Effect<unknown, unknown, EffectSession.Session>,
    cookie: string | undefined,
    actor?: Actor
  ) => {
    const answered = Effect.as(Effect.orDie(handler), HttpServerResponse.empty({ status: 200 }))
    const limited = <R>(effect: Effect.Effect<HttpServerResponse.HttpServerResponse, never, R>) =>
      Effect.timeoutTo(effect, {
        duration: limit,
        onSuccess: (response) => response,
        onTimeout: () => HttpServerResponse.empty({ status: 504 })
      })
    const inside = actor?.request.cut === "a time limit inside" ? limited(answered) : answered
    const app = SessionMiddleware.sessionWith(middleware)(inside)
    const serve = HttpApp.toWebHandlerRuntime(Runtime.setFiberRef(runtime, current, actor))
    return serve(actor?.request.cut === "a time limit outside" ? limited(Effect.orDie(app)) : app)(
      new Request("https://app.test/", {
        ...(cookie === undefined ? {} : { headers: { cookie: `${name}=${cookie}` } }),
        ...(actor === undefined ? {} : { signal: actor.abort.signal })
      })
    )
  }
  const probe = async (cookie: string | undefined): Promise<Values> => {
    let values: Values = {}
    if (cookie !== undefined) {
      const session = Effect.flatMap(library.Session.Session, readAll)
      await ask(
        Effect.tap(session, (found) =>
          Effect.sync(() => {
            values = found
          })),
        cookie
      )
    }
    return values
  }

  const settle = async () => {
    for (let still = 0; still < 3; still = busy === 0 ? still + 1 : 0) {
      await setImmediate()
    }
  }

  return {
    visit: async (requests, choose) => {
      const started = await ask(
        Effect.flatMap(
          Session.Session,
          (session) =>
            Effect.forEach(Object.entries(before), ([key, value]) => session.insert(key, Schema.Number, value))
        ),
        undefined
      )
      const first = readCookie(started).set
      if (first === undefined) {
        throw new Error("The first session has no cookie")
      }
      if (isDue) {
        clock.moveOn()
      }
      const order: Array<string> = []
      const jars = { browser: first as string | undefined, stranger: first as string | undefined }
      const actors = requests.map((request, index) => new Actor(index + 1, request, () => order.length))

      for (;;) {
        const moves = actors.flatMap((actor) => actor.moves())
        const move = moves[moves.length < 2 ? 0 : choose(moves.length)]
        if (move === undefined) {
          const stuck = actors.find((actor) => !actor.isOver())
          if (stuck !== undefined) {
            throw new Error(`Request ${stuck.number} neither waits nor is answered:\n${order.join(", ")}`)
          }
          break
        }
        const { actor } = move
        order.push(`${actor.number} ${move.step}`)
        if (move.step === "arrives" || move.step === "is lost") {
          actor.deliveredAt = order.length
          if (move.step === "arrives") {
            jars[actor.request.by] = actor.set ?? (actor.removes ? undefined : jars[actor.request.by])
          }
          continue
        }
        if (move.step === "starts") {
          actor.startedAt = order.length
          actor.presented = jars[actor.request.by]
          const handler = Effect.flatMap(
            Session.Session,
            (session) =>
              Effect.forEach(actor.program, (operation) =>
                Effect.zipRight(
                  perform(session, actor, operation),
                  Effect.sync(() => actor.hasDone(operation))
                ))
          )
          ask(handler, actor.presented, actor).then(
            (response) => actor.isAnswered(response),
            () => actor.isAnswered(undefined)
          )
        } else {
          move.take()
        }
        await settle()
        if (waits !== "nowhere" && actor.goesOnWithCall()) {
          await settle()
        }
        for (const other of actors) {
          other.arrivesUnseen()
          if (other.set !== undefined && other.setOpened === undefined) {
            other.setOpened = await probe(other.set)
          }
        }
      }
      const opens = new Map<string, Values>()
      for (const cookie of [first, ...actors.flatMap(({ set }) => set ?? [])]) {
        opens.set(cookie, await probe(cookie))
      }
      return { before, first, seen: actors, jar: jars.browser, opens, order }
    }
  }
}

interface Move {
  readonly actor: Actor
  readonly step: string
  readonly take: () => void
}

const never = Number.POSITIVE_INFINITY

/** Whose request a fiber works at. */
const current = FiberRef.unsafeMake<Actor | undefined>(undefined)

class Actor implements Seen {
  readonly program: Program
  readonly abort = new AbortController()
  startedAt = never
  presented: string | undefined = undefined
  read: Values | undefined = undefined
  readAt = never
  done: Array<Operation> = []
  handledAt = never
  answeredAt = never
  status: number | undefined = undefined
  set: string | undefined = undefined
  removes = false
  setOpened: Values | undefined = undefined
  deliveredAt = never
  private isCut = false
  private hasGoneOn = false
  private readonly waits = new Map<symbol, { readonly step: string; readonly resume: () => void }>()
  private readonly limits = new Set<() => void>()

  constructor(readonly number: number, readonly request: Request, private readonly now: () => number) {
    this.program = programs[request.program]
  }

  moves(): ReadonlyArray<Move> {
    if (this.startedAt === never) {
      return [{ actor: this, step: "starts", take: () => {} }]
    }
    const moves: Array<Move> = []
    for (const [id, { resume, step }] of this.waits) {
      moves.push({
        actor: this,
        step,
        take: () => {
          this.waits.delete(id)
          resume()
        }
      })
    }
    if (this.answeredAt !== never) {
      if (this.deliveredAt === never) {
        moves.push({
          actor: this,
          step: this.request.isLost === true || this.isGone() ? "is lost" : "arrives",
          take: () => {}
        })
      }
    } else if (!this.isCut && this.request.cut !== undefined && this.waits.size > 0) {
      moves.push({
        actor: this,
        step: "is cut",
        take: () => {
          this.isCut = true
          if (this.request.cut === "the client hangs up") {
            this.abort.abort()
          } else {
            this.limits.forEach((fire) => fire())
          }
        }
      })
    }
    return moves
  }

  /** What a request does before its first wait, nobody else can see. */
  goesOnWithCall(): boolean {
    const [wait] = this.waits
    if (this.hasGoneOn || this.request.cut !== undefined || this.program[0] === "wait" || wait === undefined) {
      return false
    }
    this.hasGoneOn = true
    this.waits.delete(wait[0])
    wait[1].resume()
    return true
  }

  /** When an answer arrives that leaves the browser as it is, matters to nobody. */
  arrivesUnseen(): void {
    if (this.answeredAt !== never && this.deliveredAt === never && this.set === undefined && !this.removes) {
      this.deliveredAt = this.now()
    }
  }

  isOver(): boolean {
    return this.isGone() || this.answeredAt !== never
  }

  private isGone(): boolean {
    return this.isCut && this.request.cut === "the client hangs up"
  }

  pause(step: string): Effect.Effect<void> {
    return Effect.async((resume) => {
      const id = Symbol()
      this.waits.set(id, { step, resume: () => resume(Effect.void) })
      return Effect.sync(() => {
        this.waits.delete(id)
      })
    })
  }

  sleepsFor(millis: number): Effect.Effect<void> {
    return Effect.async((resume) => {
      const fire = () => resume(Effect.void)
      if (millis === limit) {
        this.limits.add(fire)
      }
      return Effect.sync(() => {
        this.limits.delete(fire)
      })
    })
  }

  hasRead(values: Values): void {
    if (this.read === undefined) {
      this.read = values
      this.readAt = this.now()
    }
  }

  hasDone(operation: Operation): void {
    this.done.push(operation)
    if (this.done.length === this.program.length) {
      this.handledAt = this.now()
    }
  }

  isAnswered(response: Response | undefined): void {
    this.answeredAt = this.now()
    if (response !== undefined && !this.isGone()) {
      this.status = response.status
    }
    if (response !== undefined) {
      const { removes, set } = readCookie(response)
      this.set = set
      this.removes = removes
    }
  }
}

const readCookie = (response: Response): { readonly set: string | undefined; readonly removes: boolean } => {
  const [line] = response.headers.getSetCookie()
  if (line === undefined) {
    return { set: undefined, removes: false }
  }
  const value = line.slice(name.length + 1, line.indexOf(";"))
  return line.includes("Max-Age=0") ? { set: undefined, removes: true } : { set: value, removes: false }
}

const handClock = (sleep: (millis: number) => Effect.Effect<void>): Clock.Clock & { readonly moveOn: () => void } => {
  let now = 1_800_000_000_000
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    /** As long as it takes a key to get old. */
    moveOn: () => {
      now += 900_000
    },
    unsafeCurrentTimeMillis: () => now,
    unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => now),
    currentTimeNanos: Effect.sync(() => BigInt(now) * 1_000_000n),
    sleep: (duration) => Effect.suspend(() => sleep(Duration.toMillis(duration)))
  }
}
