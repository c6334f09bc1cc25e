/**
 * An app with accounts on a real socket: who is signed in, on which devices, and how it ends everywhere. A request may be held where
 * its handler is done, until the test lets it go.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionAccount from "effect-session/SessionAccount"
import * as SessionAccounts from "effect-session/SessionAccounts"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type * as SessionStore from "effect-session/SessionStore"
import * as TestBrowser from "effect-session/testing/TestBrowser"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { HandClock } from "../support/handClock.js"

export class Account extends SessionAccount.Tag<Account>()("test/Account", {
  id: Schema.NonEmptyString,
  facts: Schema.Struct({ label: Schema.String }),
  freshFor: "10 minutes"
}) {}

/** Where requests wait, by the name that they give it. */
class Gates {
  private readonly gates = new Map<string, readonly [arrived: Deferred.Deferred<void>, open: Deferred.Deferred<void>]>()

  private gate(name: string) {
    return Effect.suspend(() => {
      const gate = this.gates.get(name)
      return gate === undefined
        ? Effect.map(Effect.all([Deferred.make<void>(), Deferred.make<void>()]), (made) => {
          this.gates.set(name, made)
          return made
        })
        : Effect.succeed(gate)
    })
  }

  /** Waits at the gate. */
  hold(name: string | null): Effect.Effect<void> {
    return name === null ? Effect.void : Effect.flatMap(
      this.gate(name),
      ([arrived, open]) => Effect.zipRight(Deferred.succeed(arrived, undefined), Deferred.await(open))
    )
  }

  /** Waits until somebody waits there. */
  reached(name: string): Effect.Effect<void> {
    return Effect.flatMap(this.gate(name), ([arrived]) => Deferred.await(arrived))
  }

  open(name: string): Effect.Effect<void> {
    return Effect.flatMap(this.gate(name), ([, open]) => Effect.asVoid(Deferred.succeed(open, undefined)))
  }
}

export class App extends Context.Tag("test/App")<App, {
  readonly clock: HandClock
  readonly gates: Gates
}>() {}

const paramOf = (name: string) =>
  Effect.map(HttpServerRequest.HttpServerRequest, ({ url }) => new URL(url, "http://app.test").searchParams.get(name))

/** Does it, and waits where the request says. */
const held = <A, E, R>(what: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const { gates } = yield* App
    const answer = yield* what
    yield* gates.hold(yield* paramOf("hold"))
    return answer
  })

const answering = <A, E, R>(what: Effect.Effect<A, E, R>) =>
  Effect.map(held(what), (result) => HttpServerResponse.unsafeJson(result ?? null))

const SignInBody = Schema.Struct({ account: Schema.String, label: Schema.optional(Schema.String) })

const signIn = Effect.gen(function*() {
  const { account, label } = yield* HttpServerRequest.schemaBodyJson(SignInBody)
  yield* Account.signIn(account, label === undefined ? undefined : { label })
})

/** The password is looked at for as long as the test wants, and is right where it is the account's name. */
const signInWith = Effect.gen(function*() {
  const { account, label } = yield* HttpServerRequest.schemaBodyJson(SignInBody)
  const { gates } = yield* App
  const gate = yield* paramOf("hold")
  const check = Effect.zipRight(
    gates.hold(gate),
    label === account ? Effect.succeed(label) : Effect.fail("WrongPassword" as const)
  )
  return yield* Account.signInWith(account, check)
})

const shownAccount = Effect.map(Account.current, (current) =>
  Option.match(current, {
    onNone: () => null,
    onSome: ({ authenticatedAt, facts, id, signedInAt }) => ({
      account: id,
      label: Option.getOrNull(Option.map(facts, ({ label }) => label)),
      signedInAt: signedInAt.epochMillis,
      authenticatedAt: authenticatedAt.epochMillis
    })
  }))

const devices = Effect.flatMap(
  Account,
  ({ id }) =>
    Effect.map(SessionAccounts.list(Account, id), (sessions) =>
      sessions.map(({ facts, id, isCurrent }) => ({
        id,
        isCurrent,
        label: Option.getOrNull(Option.map(facts, ({ label }) => label))
      })))
)

const Value = Session.entry("value", Schema.String)

const routes = HttpRouter.empty.pipe(
  HttpRouter.post("/signin", answering(signIn)),
  HttpRouter.post("/signin-with", Effect.map(signInWith, (name) => HttpServerResponse.unsafeJson(name))),
  HttpRouter.post("/signout", answering(Account.signOut)),
  HttpRouter.post("/reauthenticate", answering(Account.reauthenticate)),
  HttpRouter.get("/account", answering(shownAccount)),
  HttpRouter.get("/devices", Account.required(answering(devices))),
  HttpRouter.get("/fresh", Account.fresh(answering(Effect.map(Account, ({ id }) => id)))),
  HttpRouter.del(
    "/devices/:id",
    Account.required(answering(Effect.gen(function*() {
      const { id } = yield* Account
      return yield* SessionAccounts.end(Account, id, (yield* HttpRouter.params)["id"] ?? "")
    })))
  ),
  HttpRouter.post("/end-others", answering(SessionAccounts.endOthers(Account))),
  HttpRouter.post("/signin-alone", answering(Effect.zipRight(signIn, SessionAccounts.endOthers(Account)))),
  HttpRouter.post(
    "/end-all",
    Account.required(answering(Effect.flatMap(Account, ({ id }) => SessionAccounts.endAll(Account, id))))
  ),
  HttpRouter.get(
    "/value",
    answering(Effect.flatMap(Session.Session, (session) => Effect.map(session.get(Value), Option.getOrNull)))
  ),
  HttpRouter.post(
    "/value/:value",
    answering(
      Effect.flatMap(
        Session.Session,
        (session) => Effect.flatMap(HttpRouter.params, ({ value = "" }) => session.insert(Value, value))
      )
    )
  ),
  HttpRouter.post("/renew", answering(Effect.flatMap(Session.Session, (session) => session.renew)))
)

export interface AppOptions {
  readonly accounts?: SessionAccounts.Options | undefined
  readonly config?: Partial<Config.SessionOptions> | undefined
}

/** The app over a store, with a clock of its own. */
export const appOver = <E>(store: Layer.Layer<SessionStore.SessionStore, E>, options: AppOptions = {}) => {
  const clock = new HandClock()
  const app: App["Type"] = { clock, gates: new Gates() }
  return routes.pipe(
    SessionMiddleware.session,
    HttpServer.serve(),
    Layer.provideMerge(Layer.mergeAll(
      SessionMiddleware.layer({ keys: Config.generateKey(), ...options.config }),
      SessionAccounts.layer(options.accounts)
    )),
    Layer.provideMerge(store),
    Layer.provideMerge(Layer.succeed(App, app)),
    Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
    Layer.provideMerge(Layer.setClock(clock))
  )
}

export interface Device {
  readonly id: string
  readonly isCurrent: boolean
  readonly label: string | null
}

/** What a visitor does with a browser of his own. */
export const visitor = Effect.map(TestBrowser.make, (browser) => visitorWith(browser))

export type Visitor = ReturnType<typeof visitorWith>

export const visitorWith = (browser: TestBrowser.TestBrowser) => {
  const json = (answer: TestBrowser.Answer): unknown => answer.body === "" ? undefined : JSON.parse(answer.body)
  return {
    browser,
    signIn: (account: string, label?: string, hold?: string) =>
      Effect.map(
        browser.post(`/signin${hold === undefined ? "" : `?hold=${hold}`}`, { account, label }),
        ({ status }) => status
      ),
    account: Effect.map(
      browser.get("/account"),
      (answer) => (json(answer) as { readonly account: string } | null)?.account ?? null
    ),
    current: Effect.map(browser.get("/account"), json),
    devices: Effect.map(
      browser.get("/devices"),
      (answer) => answer.status === 200 ? json(answer) as ReadonlyArray<Device> : answer.status
    ),
    post: (path: string) =>
      Effect.map(browser.post(path), (answer) => answer.status === 200 ? json(answer) : answer.status),
    get: (path: string) =>
      Effect.map(browser.get(path), (answer) => answer.status === 200 ? json(answer) : answer.status),
    end: (id: string) => Effect.map(browser.request(`/devices/${id}`, { method: "DELETE" }), json)
  }
}
