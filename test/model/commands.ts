/**
 * What can happen to a session app, as fast-check commands: requests of three browsers with all kinds of cookies,
 * requests that stay in flight while other things happen, time, restarts, new keys, and a store that runs out of room.
 * Each command checks the app's answer against the model's.
 */
import type * as SessionKey from "effect-session/SessionKey"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as assert from "node:assert/strict"
import type { Model, ModelCookie, ModelSession } from "./model.js"
import { ModelRequest, supersededRetention, supersededWindow } from "./model.js"
import type { Moment } from "./observer.js"
import {
  clear,
  count,
  describeProgram,
  type Ending,
  facts,
  fresh,
  handlerOf,
  insert,
  keys,
  type Operation,
  type Program,
  purge,
  read,
  remove,
  renew
} from "./operations.js"
import { type Answer, cookieHeaderOf, type Verb } from "./sessionApp.js"
import { type Forgery, keyCount, type World } from "./world.js"

export type Command = FastCheck.AsyncCommand<Model, Run>

/** The real app and the requests that are in flight in it. */
export class Run {
  readonly inFlight: Array<InFlight> = []
  commands = 0
  requests = 0

  constructor(readonly world: World) {}
}

/** Which cookies a request carries. Cookies are picked from all that were ever set, whoever they were set for. */
type Presentation =
  | { readonly _tag: "Own" }
  | { readonly _tag: "None" }
  | { readonly _tag: "Replayed"; readonly pick: number }
  | { readonly _tag: "Forged"; readonly kind: Forgery; readonly pick: number; readonly at: number }
  | { readonly _tag: "TwoAtOnce"; readonly pick: number; readonly isOwnFirst: boolean }

interface RequestData {
  readonly browser: number
  readonly presentation: Presentation
  readonly program: Program
  readonly ending: Ending
}

const describeRequest = ({ browser, ending, presentation, program }: RequestData): string =>
  `browser ${browser} with ${describePresentation(presentation)}: ${describeProgram(program)}${
    ending === "Answers" ? "" : `, then ${ending === "Fails" ? "fails" : "is interrupted"}`
  }`

const describePresentation = (presentation: Presentation): string => {
  switch (presentation._tag) {
    case "Own":
      return "its cookie"
    case "None":
      return "no cookie"
    case "Replayed":
      return `cookie #${presentation.pick}`
    case "Forged":
      return `${presentation.kind} of cookie #${presentation.pick} (${presentation.at})`
    case "TwoAtOnce":
      return presentation.isOwnFirst
        ? `its cookie and cookie #${presentation.pick}`
        : `cookie #${presentation.pick} and its own`
  }
}

const withFreshValues = (program: Program, model: Model): Program =>
  program.map((operation) =>
    operation._tag === "Insert" && operation.value === fresh ? { ...operation, value: model.freshValue() } : operation
  )

interface Presented {
  readonly values: ReadonlyArray<string>
  readonly cookies: ReadonlyArray<ModelCookie | undefined>
}

const present = ({ browser, presentation }: RequestData, model: Model, world: World): Presented => {
  let cookies: ReadonlyArray<number> = []
  const own = model.jars[browser]
  const pick = (pick: number): number | undefined => model.cookies.length === 0 ? own : pick % model.cookies.length
  switch (presentation._tag) {
    case "Own":
      cookies = [own].filter(isDefined)
      break
    case "None":
      break
    case "Replayed":
      cookies = [pick(presentation.pick)].filter(isDefined)
      break
    case "TwoAtOnce": {
      const both = [own, pick(presentation.pick)].filter(isDefined)
      cookies = presentation.isOwnFirst ? both : both.reverse()
      break
    }
    case "Forged": {
      const picked = pick(presentation.pick)
      const genuine = picked === undefined ? undefined : world.cookies[picked]
      const { at, kind } = presentation
      const isSealed = kind === "UnknownId" || kind === "WrongSecret"
      return {
        values: [world.forge(kind, genuine, at, model.ring)],
        cookies: [isSealed ? { ticket: undefined, sealedBy: model.ring[0]! } : undefined]
      }
    }
  }
  return {
    values: cookies.map((number) => world.cookies[number]!),
    cookies: cookies.map((number) => model.cookies[number]!)
  }
}

const isDefined = <A>(value: A | undefined): value is A => value !== undefined

/** A request that was sent, on both sides. */
class InFlight {
  private readonly presented: Presented
  private readonly program: Program
  private readonly expected: ModelRequest
  private readonly opened: ReadonlyArray<SessionKey.SessionKey>
  private readonly sent: Moment
  private readonly results: Array<unknown> = []
  private calls: ReadonlyArray<Verb> = []
  private answer: Promise<Answer> | undefined = undefined
  private performed = 0

  constructor(readonly data: RequestData, private readonly model: Model, private readonly run: Run) {
    const { world } = run
    this.presented = present(data, model, world)
    this.program = withFreshValues(data.program, model)
    this.expected = new ModelRequest(model, this.presented.cookies)
    this.opened = this.presented.values
      .filter((value) => model.ring.includes(world.sealerOf(value)))
      .map((value) => world.keyIn(value))
      .filter(isDefined)
    this.sent = world.observer.now(model.now)
    run.requests++
  }

  send(pause?: Effect.Effect<void>): Promise<Answer> {
    const { world } = this.run
    return this.answer = world.app.request(
      world.middleware,
      handlerOf(this.program, this.data.ending, pause),
      cookieHeaderOf(this.presented.values)
    )
  }

  /** The handler waits after its first operation. */
  release: () => void = () => {}

  /** Sends the request and goes as far as to its first operation. */
  async begin(): Promise<void> {
    const gate = new Promise<void>((resolve) => {
      this.release = resolve
    })
    await new Promise<void>((arrive, reject) => {
      const wait = Effect.promise(() => {
        arrive()
        return gate
      })
      this.send(wait).then(() => reject(new Error("the request was answered before its time")), reject)
    })
    this.performUntil(1)
    this.takeCalls()
  }

  /** Lets the request go on to its end, or sends it if it was not, and checks its answer. */
  async finish(): Promise<void> {
    const { model, presented, run: { world } } = this
    const { browser, ending } = this.data
    this.release()
    const answer = await (this.answer ?? this.send())
    this.takeCalls()
    this.performUntil(this.program.length)
    const news = this.expected.finish(ending)
    const set = news._tag === "Value" && answer.news._tag === "Value"
      ? world.recognise(answer.news.value, news.cookie)
      : undefined
    const { value: _, ...told } = { value: undefined, ...answer.news }
    // What was not kept is not answered with success.
    const isRefused = ending === "Answers" && this.expected.isLost
    assert.deepStrictEqual({ ...answer, news: told, calls: this.calls }, {
      status: isRefused ? 409 : statusOf[ending],
      body: ending === "Answers" && !isRefused ? this.results : undefined,
      news: news._tag === "Value" ? { _tag: news._tag, maxAge: news.maxAge } : news,
      vary: this.expected.isTouched ? "Cookie" : null,
      cacheControl: news._tag === "Nothing" && !isRefused ? null : "no-store",
      calls: this.expected.calls
    })
    if (news._tag === "Value") {
      model.jars[browser] = model.cookies.push(news.cookie) - 1
    } else if (news._tag === "Removal") {
      model.jars[browser] = undefined
    }
    world.observer.observe({
      presented: this.opened,
      sent: this.sent,
      answeredAt: model.now,
      program: this.program,
      isInterrupted: ending === "IsInterrupted",
      seen: ending === "Answers" && !isRefused && this.program[0]?._tag === "Read" && presented.values.length > 0
        ? (answer.body as ReadonlyArray<Readonly<Record<string, number>>>)[0]
        : undefined,
      set,
      isRemoval: answer.news._tag === "Removal",
      calls: this.calls
    })
  }

  private performUntil(end: number): void {
    while (this.performed < end) {
      const operation = this.program[this.performed++]!
      const result = this.expected.perform(operation)
      if (operation._tag === "Facts") {
        const { id, ...others } = result as { readonly id: number | null }
        this.results.push({ ...others, id: id === null ? null : this.run.world.idOf(id) })
      } else {
        this.results.push(result)
      }
    }
  }

  private takeCalls(): void {
    this.calls = this.calls.concat(this.run.world.takeCalls())
  }
}

const statusOf: { readonly [E in Ending]: number } = { Answers: 200, Fails: 500, IsInterrupted: 503 }

class Request implements Command {
  constructor(private readonly data: RequestData) {}

  check(): boolean {
    return true
  }

  async run(model: Model, run: Run): Promise<void> {
    run.commands++
    await new InFlight(this.data, model, run).finish()
  }

  toString(): string {
    return describeRequest(this.data)
  }
}

/** Sends a request that has read its session and does the rest when `Finish` comes. */
class Begin implements Command {
  private readonly data: RequestData

  constructor(data: RequestData) {
    this.data = { ...data, program: [read, ...data.program] }
  }

  hasCookie({ jars }: Readonly<Model>): boolean {
    return jars[this.data.browser] !== undefined
  }

  check(): boolean {
    return true
  }

  async run(model: Model, run: Run): Promise<void> {
    run.commands++
    const request = new InFlight(this.data, model, run)
    run.inFlight.push(request)
    await request.begin()
  }

  toString(): string {
    return `[in flight] ${describeRequest(this.data)}`
  }
}

/** A request that is overtaken by others which carry the same cookie: between what it reads and what it commits. */
class Overtake implements Command {
  private readonly slow: Begin
  private readonly others: ReadonlyArray<Request>

  constructor(slow: RequestData, others: ReadonlyArray<RequestData>) {
    this.slow = new Begin({ ...slow, presentation: { _tag: "Own" } })
    this.others = others.map((data) => new Request({ ...data, browser: slow.browser, presentation: { _tag: "Own" } }))
  }

  check(model: Readonly<Model>): boolean {
    return this.slow.hasCookie(model)
  }

  async run(model: Model, run: Run): Promise<void> {
    await this.slow.run(model, run)
    const slow = run.inFlight.at(-1)
    for (const other of this.others) {
      await other.run(model, run)
    }
    run.inFlight.pop()
    await slow?.finish()
  }

  toString(): string {
    return `${this.slow} ... overtaken by ${this.others.join(", then ")}`
  }
}

class Finish implements Command {
  constructor(private readonly pick: number) {}

  check(): boolean {
    return true
  }

  async run(_: Model, run: Run): Promise<void> {
    run.commands++
    const [request] = run.inFlight.splice(this.pick % Math.max(run.inFlight.length, 1), 1)
    await request?.finish()
  }

  toString(): string {
    return `request in flight #${this.pick} goes on`
  }
}

/** Lets the first browser have a session, with which most of the commands are about something. */
export const signIn = (model: Model, run: Run): Promise<void> =>
  new Request({
    browser: 0,
    presentation: { _tag: "None" },
    program: [insert("user", fresh), insert("n", 1)],
    ending: "Answers"
  }).run(model, run)

/** Ends all requests that are in flight when the commands are over. */
export const finishAll = async (run: Run): Promise<void> => {
  for (const request of run.inFlight.splice(0)) {
    await request.finish()
  }
}

/** Lets all requests in flight go, when nobody wants to know any more how they end. */
export const abandonAll = (run: Run): void => {
  for (const request of run.inFlight.splice(0)) {
    request.release()
  }
}

/** A time that matters to a session, met from below, exactly, or from above. */
type Limit = "idle" | "absolute" | "extension" | "late key" | "forgotten key" | "half of idle" | "one step"

class Advance implements Command {
  constructor(
    private readonly limit: Limit,
    private readonly pick: number,
    private readonly offset: number
  ) {}

  check(): boolean {
    return true
  }

  async run(model: Model, run: Run): Promise<void> {
    run.commands++
    const { grain } = run.world.backend
    const session = model.sessions.length === 0 ? undefined : model.sessions[this.pick % model.sessions.length]
    const target = limitOf(this.limit, session, model, grain) + this.offset * grain
    model.now = run.world.app.now = Math.max(model.now, roundTo(grain, target))
  }

  toString(): string {
    const where = this.offset < 0 ? "to just below" : this.offset === 0 ? "to" : "to just beyond"
    return `the clock goes ${where} the limit "${this.limit}" of session ${this.pick}`
  }
}

const roundTo = (grain: number, time: number): number => Math.ceil(time / grain) * grain

const limitOf = (limit: Limit, session: ModelSession | undefined, model: Model, grain: number): number => {
  switch (limit) {
    case "idle":
      return session?.expiresAt ?? model.now
    case "absolute":
      return session?.deadline ?? model.now
    case "extension":
      return (session?.extendedAt ?? model.now) + everyOf(model)
    case "late key":
      return lastRenewal(session, model) + supersededWindow
    case "forgotten key":
      return lastRenewal(session, model) + supersededRetention
    case "half of idle":
      return model.now + model.settings.ttl / 2
    case "one step":
      return model.now + grain
  }
}

const everyOf = ({ settings: { ttlExtension } }: Model): number =>
  typeof ttlExtension === "string" ? 0 : ttlExtension.every

const lastRenewal = (session: ModelSession | undefined, model: Model): number => {
  const times = [
    ...session?.superseded.values() ?? [],
    ...session?.successor === undefined ? [] : [session.successor.since]
  ]
  return times.length === 0 ? model.now : Math.max(...times)
}

class Restart implements Command {
  constructor(private readonly change: "same keys" | "a new key" | "without its oldest key") {}

  check(): boolean {
    return true
  }

  async run(model: Model, run: Run): Promise<void> {
    run.commands++
    const { ring } = model
    if (this.change === "a new key" && ring.length < keyCount) {
      let next = (Math.max(...ring) + 1) % keyCount
      while (ring.includes(next)) {
        next = (next + 1) % keyCount
      }
      model.ring = [next, ...ring]
    } else if (this.change === "without its oldest key" && ring.length > 1) {
      model.ring = ring.slice(0, -1)
    }
    run.world.restart(model.ring)
  }

  toString(): string {
    return `the app restarts with ${this.change}`
  }
}

class Evict implements Command {
  constructor(private readonly pick: number) {}

  check({ isRevocable }: Model): boolean {
    return isRevocable
  }

  async run(model: Model, run: Run): Promise<void> {
    run.commands++
    const { world } = run
    const kept = model.cookies.length === 0 ? undefined : this.pick % model.cookies.length
    const session = kept === undefined ? undefined : model.cookies[kept]!.ticket?.session
    await world.app.run(world.backend.evictAllBut(kept === undefined ? undefined : world.keyIn(world.cookies[kept]!)))
    for (const other of model.sessions) {
      if (other !== session) {
        other.isEnded = true
        other.successor = world.backend.forgetsTraces ? undefined : other.successor
      }
    }
  }

  toString(): string {
    return `the store drops all sessions but that of cookie #${this.pick}`
  }
}

// -- drawing them

const { array, boolean, constant, constantFrom, integer, nat, oneof, record, tuple } = FastCheck

const anyKey = constantFrom(...keys)

const anyOperation: FastCheck.Arbitrary<Operation> = oneof(
  constant(read),
  constant(facts),
  constant(clear),
  constant(renew),
  constant(purge),
  anyKey.map((key): Operation => ({ _tag: "Contains", key })),
  anyKey.map((key): Operation => ({ _tag: "CountIfThere", key })),
  anyKey.map(remove),
  anyKey.map(count),
  // An insert of what is there already is no change: only few values make that happen.
  { weight: 3, arbitrary: tuple(anyKey, constantFrom(fresh, 0, 1)).map(([key, value]) => insert(key, value)) }
)

const login: Program = [insert("user", fresh), renew]

const anyProgram: FastCheck.Arbitrary<Program> = oneof(
  { weight: 3, arbitrary: constant<Program>([read]) },
  { weight: 2, arbitrary: constant<Program>([]) },
  { weight: 1, arbitrary: constant<Program>([facts]) },
  { weight: 4, arbitrary: anyKey.map((key): Program => [insert(key, fresh)]) },
  { weight: 3, arbitrary: constant<Program>([count("n")]) },
  { weight: 1, arbitrary: anyKey.map((key): Program => [remove(key)]) },
  { weight: 1, arbitrary: constant<Program>([clear]) },
  { weight: 2, arbitrary: constant(login) },
  { weight: 2, arbitrary: constant<Program>([renew]) },
  { weight: 2, arbitrary: constant<Program>([purge]) },
  { weight: 1, arbitrary: constant<Program>([purge, insert("a", fresh)]) },
  { weight: 4, arbitrary: array(anyOperation, { minLength: 2, maxLength: 6 }) }
)

const anyForgery = constantFrom<Array<Forgery>>(
  "FlippedBit",
  "CutShort",
  "StrangersSeal",
  "OtherCookiesSeal",
  "OtherSecuritysSeal",
  "Unsealed",
  "UnknownId",
  "WrongSecret"
)

const anyPick = nat(50)

const anyPresentation: FastCheck.Arbitrary<Presentation> = oneof(
  { weight: 12, arbitrary: constant<Presentation>({ _tag: "Own" }) },
  { weight: 1, arbitrary: constant<Presentation>({ _tag: "None" }) },
  { weight: 4, arbitrary: anyPick.map((pick): Presentation => ({ _tag: "Replayed", pick })) },
  {
    weight: 3,
    arbitrary: record({ _tag: constant("Forged" as const), kind: anyForgery, pick: anyPick, at: nat(4000) })
  },
  {
    weight: 2,
    arbitrary: record({ _tag: constant("TwoAtOnce" as const), pick: anyPick, isOwnFirst: boolean() })
  }
)

const anyRequest: FastCheck.Arbitrary<RequestData> = record({
  // Most of it happens to one browser, so that its session grows old.
  browser: constantFrom(0, 0, 0, 1, 2),
  presentation: anyPresentation,
  program: anyProgram,
  ending: constantFrom<Array<Ending>>("Answers", "Answers", "Answers", "Answers", "Answers", "Fails", "IsInterrupted")
})

const anyAdvance = tuple(
  constantFrom<Array<Limit>>(
    "idle",
    "absolute",
    "extension",
    "late key",
    "forgotten key",
    "half of idle",
    "half of idle",
    "one step"
  ),
  nat(8),
  integer({ min: -1, max: 1 })
).map(([limit, pick, offset]) => new Advance(limit, pick, offset))

const anyRestart = constantFrom(
  "same keys" as const,
  "a new key" as const,
  "a new key" as const,
  "without its oldest key" as const
)
  .map((change) => new Restart(change))

const repeated = <A>(times: number, arbitrary: A): Array<A> => Array.from({ length: times }, () => arbitrary)

/** Lists of up to `maxCommands` commands. */
export const anyCommands = (maxCommands: number): FastCheck.Arbitrary<Iterable<Command>> =>
  FastCheck.commands<Model, Run, false>(
    [
      ...repeated(10, anyRequest.map((data): Command => new Request(data))),
      ...repeated(2, anyRequest.map((data): Command => new Begin(data))),
      ...repeated(
        2,
        tuple(anyRequest, array(anyRequest, { minLength: 1, maxLength: 2 })).map(
          ([slow, others]): Command => new Overtake(slow, others)
        )
      ),
      ...repeated(2, nat(3).map((pick): Command => new Finish(pick))),
      ...repeated(3, anyAdvance),
      oneof<Array<FastCheck.WeightedArbitrary<Command>>>(
        { weight: 3, arbitrary: anyRestart },
        { weight: 1, arbitrary: anyPick.map((pick) => new Evict(pick)) }
      )
    ],
    { maxCommands, size: "max" }
  )
