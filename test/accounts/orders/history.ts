/**
 * Sends the requests of a situation to an app with accounts, each to a server of its own, and decides at every step which of them goes
 * on. What is left is what clients sent and got, and what opens what when all is over.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { SessionAccounts as Accounts } from "effect-session/SessionAccounts"
import type { SessionId, SessionKey } from "effect-session/SessionKey"
import type { SessionMiddleware } from "effect-session/SessionMiddleware"
import type { SessionStore } from "effect-session/SessionStore"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { setImmediate } from "node:timers/promises"
import type { Library } from "../../promises/library.js"
import { HandClock } from "../../support/handClock.js"
import type { Backends, StoreFor, Turn } from "./backends.js"
import { type AccountName, accounts, type Act, type Request, type Situation } from "./requests.js"

/** A cookie that a browser was given. */
export interface Given {
  readonly value: string
  readonly key: SessionKey
}

/** A request and what came of it. Times are the steps of the order; nothing came of what crashed. */
export interface Sent {
  readonly request: Request
  readonly presented: Given | undefined
  /** When its handler asked for the act, and when the library had done so, as far as a handler can tell. */
  readonly began: number | undefined
  readonly done: number | undefined
  readonly answered: number | undefined
  readonly status: number | undefined
  readonly body: unknown
  readonly set: Given | undefined
}

/** What a cookie opens: the session, and the account that it is signed in to. */
export interface Opened {
  readonly cookie: Given
  readonly account: string | null
}

export interface History {
  readonly situation: Situation
  /** The requests with which each browser came to what it has at first. */
  readonly before: ReadonlyArray<Sent>
  readonly sent: ReadonlyArray<Sent>
  /** What each cookie opens that anybody was given. */
  readonly opened: ReadonlyArray<Opened>
  readonly listed: Readonly<Record<AccountName, ReadonlyArray<SessionId>>>
  /** The same once all sessions of both accounts were ended. */
  readonly openedAfterwards: ReadonlyArray<Opened>
  readonly order: ReadonlyArray<string>
}

export type Choose = (ready: number) => number

export interface World {
  readonly play: (situation: Situation, choose: Choose) => Promise<History>
}

const alone: Turn = () => Promise.resolve()

export const makeWorld = async (lib: Library, backends: Backends): Promise<World> => {
  const { Config, MemorySessionStore, Session, SessionAccount, SessionAccounts, SessionMiddleware, SessionStore } = lib

  class Account extends SessionAccount.Tag<Account>()("orders/Account", { id: Schema.NonEmptyString }) {}

  const clock = new HandClock()
  const runtime = Effect.runSync(
    Effect.runtime<never>().pipe(
      Effect.withClock(clock),
      Logger.withMinimumLogLevel(LogLevel.None),
      Effect.locally(HttpMiddleware.currentTracerDisabledWhen, () => true)
    )
  )
  const serve = HttpApp.toWebHandlerRuntime(runtime)
  const run = <A, E>(effect: Effect.Effect<A, E>) => Effect.runPromise(Effect.withClock(effect, clock))
  const options = { keys: Config.generateKey(), lifecycle: Config.BrowserSession({ ttl: "1 day" }) }
  const { name } = Config.defaults.cookie

  // Each request has another store in the place of this one.
  const middleware: SessionMiddleware = await run(
    Effect.flatMap(
      MemorySessionStore.make({ capacity: 1 }),
      (store) => Effect.provideService(SessionMiddleware.make(options), SessionStore.SessionStore, store)
    )
  )

  const perform = (act: Act, first: ReadonlyArray<Given | undefined>) =>
    Effect.gen(function*() {
      const session = yield* Session.Session
      switch (act.does) {
        case "signIn":
          return yield* Account.signIn(act.account)
        case "signInAlone":
          yield* Account.signIn(act.account)
          return yield* SessionAccounts.endOthers(Account)
        case "renew":
          return yield* session.renew
        case "write":
          return yield* session.insert("written", Schema.Number, 1)
        case "signOut":
          return yield* Account.signOut
        case "reauthenticate":
          return yield* Account.reauthenticate
        case "endAll":
          return yield* SessionAccounts.endAll(Account, act.account)
        case "endOthers": {
          const account = Option.getOrNull(Option.map(yield* Account.current, ({ id }) => id))
          yield* SessionAccounts.endOthers(Account)
          return { account, spared: Option.getOrNull(yield* session.id) }
        }
        case "end": {
          const current = yield* Account.demand()
          const id = first[act.of]?.key.id ?? "none"
          return { account: current.id, id, isEnded: yield* SessionAccounts.end(Account, current.id, id) }
        }
      }
    })

  const play = async (situation: Situation, choose: Choose): Promise<History> => {
    const storeFor: StoreFor = await backends()
    let now = 0
    const open = (value: string): Given => {
      const { crypto, store } = middleware
      const key = Option.flatMap(crypto.open(value), ({ plaintext }) => store.readKey(plaintext))
      return { value, key: Option.getOrThrow(key) }
    }
    const send = async <E>(
      store: SessionStore,
      cookie: Given | undefined,
      app: HttpApp.Default<E, any>
    ) => {
      const accounts = await run(
        Effect.provideService(
          SessionAccounts.make(Session.Session, situation.limit),
          SessionStore.SessionStore,
          store
        )
      )
      const handler = SessionMiddleware.sessionWith({ ...middleware, store })(
        Effect.provideService(app, SessionAccounts.SessionAccounts, accounts)
      ) as HttpApp.Default<E>
      const response = await serve(handler)(
        new Request("https://app.test/", { headers: cookie === undefined ? {} : { cookie: `${name}=${cookie.value}` } })
      )
      const text = await response.text()
      const [line] = response.headers.getSetCookie()
      const value = line?.split(";", 1)[0]?.slice(name.length + 1) ?? ""
      return {
        status: response.status,
        body: text === "" ? undefined : JSON.parse(text) as unknown,
        set: value === "" ? undefined : open(value),
        isRemoved: line !== undefined && value === ""
      }
    }

    const jars: Array<Given | undefined> = situation.browsers.map(() => undefined)
    let first: ReadonlyArray<Given | undefined> = jars

    class Actor {
      isDone = false
      isCrashed = false
      steps = 0
      private readonly waiting: Array<() => void> = []
      sent: Sent

      constructor(readonly request: Request) {
        this.sent = {
          request,
          presented: undefined,
          began: undefined,
          done: undefined,
          answered: undefined,
          status: undefined,
          body: undefined,
          set: undefined
        }
      }

      readonly turn: Turn = () => new Promise((resolve) => void this.waiting.push(resolve))

      get isReady(): boolean {
        return !this.isDone && !this.isCrashed
      }

      async step(turn = this.turn): Promise<void> {
        this.steps++
        if (this.steps === 1) {
          void this.begin(turn)
        } else {
          this.waiting.shift()?.()
        }
        // It goes on until it waits for its next turn, or is done; what it does then takes turns of the event loop alone.
        do {
          await setImmediate()
          await setImmediate()
        } while (!this.isDone && this.waiting.length === 0)
        this.isCrashed = !this.isDone && this.steps === this.request.crashesAfter
      }

      private async begin(turn: Turn): Promise<void> {
        const { act, browser, looksFirst } = this.request
        const presented = jars[browser]
        this.sent = { ...this.sent, presented }
        const handler = Effect.gen(this, function*() {
          if (looksFirst) {
            yield* (yield* Session.Session).entries
          }
          this.sent = { ...this.sent, began: now }
          const body = yield* perform(act, first)
          this.sent = { ...this.sent, done: now }
          return HttpServerResponse.unsafeJson(body ?? null)
        })
        const { body, isRemoved, set, status } = await send(await storeFor(turn), presented, handler)
        if (this.isCrashed) {
          return
        }
        this.sent = { ...this.sent, status, body, set, answered: now }
        jars[browser] = set ?? (isRemoved ? undefined : jars[browser])
        this.isDone = true
      }
    }

    const before: Array<Sent> = []
    for (const [browser, who] of situation.browsers.entries()) {
      if (who !== "nobody") {
        const act: Act = who === "anonymous" ? { does: "write" } : { does: "signIn", account: who }
        const actor = new Actor({ browser, act, looksFirst: false, crashesAfter: undefined })
        clock.moveOn(1)
        now++
        await actor.step(alone)
        before.push(actor.sent)
      }
    }
    first = [...jars]

    const actors = situation.requests.map((request) => new Actor(request))
    const order: Array<string> = []
    for (;;) {
      const ready = actors.filter(({ isReady }) => isReady)
      const actor = ready[ready.length < 2 ? 0 : choose(ready.length)]
      if (actor === undefined) {
        break
      }
      clock.moveOn(1)
      now++
      order.push(String(actors.indexOf(actor) + 1))
      await actor.step()
    }

    const store = await storeFor(alone)
    const look = async () => {
      const opened: Array<Opened> = []
      for (const { set: cookie } of [...before, ...actors.map(({ sent }) => sent)]) {
        if (cookie !== undefined) {
          const { body } = await send(
            store,
            cookie,
            Effect.map(
              Account.current,
              (current) => HttpServerResponse.unsafeJson(Option.getOrNull(Option.map(current, ({ id }) => id)))
            )
          )
          opened.push({ cookie, account: body as string | null })
        }
      }
      return opened
    }
    const service = await run(Effect.provideService(
      SessionAccounts.make(Session.Session),
      SessionStore.SessionStore,
      store
    ))
    const ofEach = <A, E>(f: (account: AccountName) => Effect.Effect<A, E, Accounts>) =>
      run(Effect.provideService(Effect.forEach(accounts, f), SessionAccounts.SessionAccounts, service))
    clock.moveOn(1)
    const opened = await look()
    const [ada, bob] = await ofEach((account) => SessionAccounts.list(Account, account))
    await ofEach((account) => SessionAccounts.endAll(Account, account))
    return {
      situation,
      before,
      sent: actors.map(({ sent }) => sent),
      opened,
      listed: { ada: ada!.map(({ id }) => id), bob: bob!.map(({ id }) => id) },
      openedAfterwards: await look(),
      order
    }
  }
  return { play }
}
