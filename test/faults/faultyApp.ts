/**
 * A session app on a store that can be made to fail, with everything that tells a safe answer from an unsafe one.
 */
import { assert } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as SessionKey from "effect-session/SessionKey"
import type * as SessionStore from "effect-session/SessionStore"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import { performance } from "node:perf_hooks"
import { afterAll, beforeAll } from "vitest"
import type { Answer, Browser, Handler, WebApp } from "../support/webApp.js"
import { Counter, handle, makeWebApp, User } from "../support/webApp.js"

/**
 * The time limit of a store call: one that never passes, so that whatever ends has another reason to, and a short one for
 * what only a limit ends.
 */
export const limits = { long: 86_400_000, short: 300 } as const

export const whoAmI = handle((session) => Effect.map(session.get(User), Option.getOrNull))
export const count = handle((session) => session.get(Counter))
export const increment = handle((session) => session.updateOr(Counter, 1, (n) => n + 1))
export const renew = handle((session) => session.renew)
export const purge = handle((session) => session.purge)
export const signIn = (name: string) => handle((session) => Effect.zipRight(session.insert(User, name), session.renew))

export interface FaultyApp {
  readonly app: WebApp
  /** Makes a request and notes how long it takes. */
  readonly request: (handler: Handler, cookie?: string) => Effect.Effect<Answer>
  readonly signedIn: (name: string) => Effect.Effect<Browser>
  readonly slowestMillis: () => number
  /** What the app logged last. */
  readonly lastLines: () => string
  /**
   * A request that asks again until the store is available: for what has to be so before and after a fault, on a machine
   * that may be too busy to answer within the limit.
   */
  readonly patient: (handler: Handler, cookie?: string) => Effect.Effect<Answer>
  readonly limitMillis: number
  /** Forgets what was called and sent until now. */
  readonly forget: () => void
  /** Ends the app and everything that it holds, and answers how long that took. */
  readonly close: Effect.Effect<number>
}

export const makeFaultyApp = (options: {
  /** With `limitMillis` as its time limit. */
  readonly store: Layer.Layer<SessionStore.SessionStore, unknown>
  readonly limitMillis?: number
  readonly keys?: Config.SessionOptions["keys"]
  readonly wrap?: (store: SessionStore.SessionStore) => SessionStore.SessionStore
}): Effect.Effect<FaultyApp, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { limitMillis = limits.long, store } = options
    const lines: Array<string> = []
    const log = Logger.make(({ cause, message }) => {
      lines.push(`${String(message)} ${Cause.pretty(cause)}`)
    })
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
    const app = yield* makeWebApp({
      store,
      config: { keys: options.keys ?? Config.generateKey(), storeTimeout: limitMillis },
      ...options.wrap === undefined ? {} : { wrap: options.wrap }
    }).pipe(Scope.extend(scope), Effect.provide(Logger.replace(Logger.defaultLogger, log)))
    let slowest = 0
    const lastLines = () => lines.slice(-5).join("\n")
    const request: FaultyApp["request"] = (handler, cookie) =>
      Effect.suspend(() => {
        const start = performance.now()
        return Effect.tap(app.request(handler, cookie), () =>
          Effect.sync(() => {
            slowest = Math.max(slowest, performance.now() - start)
          }))
      })
    const patient: FaultyApp["patient"] = (handler, cookie) =>
      Effect.flatMap(request(handler, cookie), (answer) =>
        isUnavailable(answer) ? Effect.delay(patient(handler, cookie), "10 millis") : Effect.succeed(answer))
    return {
      app,
      request,
      patient,
      limitMillis,
      forget: () => {
        app.calls.length = 0
      },
      signedIn: (name: string) =>
        Effect.gen(function*() {
          const browser = app.browser()
          const answer = yield* patient(signIn(name))
          assert.strictEqual(answer.status, 200, lastLines())
          assert.strictEqual(answer.setCookies.length, 1)
          const [pair = ""] = answer.setCookies[0]!.split(";")
          browser.jar.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1))
          return browser
        }),
      lastLines,
      slowestMillis: () =>
        Math.round(slowest),
      close: Effect.suspend(() => {
        const start = performance.now()
        return Effect.map(Scope.close(scope, Exit.void), () => performance.now() - start)
      })
    }
  })

// -- what is safe

/** A cookie of ours with the key of a session that nobody ever had. */
export const unknownCookie = ({ app: { middleware } }: FaultyApp): string =>
  `${middleware.config.cookie.name}=${middleware.crypto.seal(SessionKey.toText(SessionKey.mint()))}`

/** The store could not answer: 503 with nothing in it, and the browser keeps the cookie that it has. */
export const isUnavailable = (answer: Answer): boolean =>
  answer.status === 503 && answer.body === undefined && answer.setCookies.length === 0

export type Expected = "Answered" | "Unavailable" | "Either"

const expect = (what: string, answer: Answer, expected: Expected, isRight: boolean): void => {
  const seen = `${what}: ${answer.status} ${JSON.stringify(answer.body)} with ${answer.setCookies.length} cookies`
  if (isUnavailable(answer)) {
    assert.notStrictEqual(expected, "Answered", seen)
  } else {
    assert.isTrue(isRight, seen)
    assert.notStrictEqual(expected, "Unavailable", seen)
  }
}

/** What came of the requests that were sent while something was wrong. */
export interface Storm {
  requests: number
  unavailable: number
  /** Increments of the one session that were answered 200, and all of them. */
  counted: number
  tried: number
}

/**
 * One round of everything that a user, a stranger and an attacker may ask, all at once, each held against what may be
 * answered while the store is in trouble.
 */
export const storm = (
  faulty: FaultyApp,
  alice: Browser,
  expected: { readonly reads: Expected; readonly writes: Expected; readonly purges: Expected },
  total: Storm,
  spare: { readonly renews: Array<Browser>; readonly purges: Array<Browser> }
): Effect.Effect<void> => {
  const { app, request } = faulty
  const { name } = app.middleware.config.cookie
  const cookie = alice.cookie()
  const ask = (
    what: string,
    handler: Handler,
    sent: string | undefined,
    kind: Expected,
    isRight: (answer: Answer) => boolean
  ) =>
    Effect.map(request(handler, sent), (answer) => {
      total.requests++
      total.unavailable += answer.status === 503 ? 1 : 0
      expect(what, answer, kind, isRight(answer))
      return answer
    })
  const isBare = (answer: Answer) => answer.status === 200 && answer.setCookies.length === 0
  const renewing = spare.renews.pop()
  const purging = spare.purges.pop()
  return Effect.all([
    ask("who the user is", whoAmI, cookie, expected.reads, (answer) => isBare(answer) && answer.body === "alice"),
    ask(
      "who the user is, again",
      whoAmI,
      cookie,
      expected.reads,
      (answer) => isBare(answer) && answer.body === "alice"
    ),
    Effect.map(ask("a write", increment, cookie, expected.writes, isBare), (answer) => {
      total.tried++
      total.counted += answer.status === 200 ? 1 : 0
    }),
    ask("nobody", whoAmI, undefined, "Answered", (answer) => isBare(answer) && answer.body === null),
    ask("a forger", whoAmI, `${name}=forged`, "Answered", (answer) => isBare(answer) && answer.body === null),
    ask(
      "an unknown key",
      whoAmI,
      unknownCookie(faulty),
      expected.reads,
      (answer) => isBare(answer) && answer.body === null
    ),
    ask(
      "a new session",
      increment,
      undefined,
      expected.writes,
      (answer) => answer.status === 200 && answer.setCookies.length === 1
    ),
    ask(
      "a renewal",
      renew,
      renewing?.cookie(),
      renewing === undefined ? "Answered" : expected.writes,
      (answer) => answer.status === 200 && (renewing === undefined || !/Max-Age=0/.test(answer.setCookies[0] ?? ""))
    ),
    ask(
      "a logout",
      purge,
      purging?.cookie(),
      purging === undefined ? "Answered" : expected.purges,
      (answer) => answer.status === 200 && (purging === undefined || /Max-Age=0/.test(answer.setCookies[0] ?? ""))
    )
  ], { concurrency: "unbounded", discard: true })
}

/** Asks until the user is recognised, and answers for how many milliseconds that was not so. */
export const recovery = (faulty: FaultyApp, alice: Browser): Effect.Effect<number> =>
  Effect.suspend(() => {
    const start = performance.now()
    const attempt: Effect.Effect<number> = Effect.flatMap(faulty.request(whoAmI, alice.cookie()), (answer) => {
      const millis = performance.now() - start
      if (answer.status === 200) {
        assert.strictEqual(answer.body, "alice")
        assert.deepStrictEqual(answer.setCookies, [])
        return Effect.succeed(millis)
      }
      assert.isTrue(isUnavailable(answer))
      return Effect.zipRight(Effect.sleep("10 millis"), attempt)
    })
    return attempt
  })

/** No test of the file leaves a promise or an exception that nobody looks at. */
export const nothingUnhandled = (): void => {
  const unhandled: Array<unknown> = []
  const collect = (reason: unknown) => unhandled.push(reason)
  beforeAll(() => {
    process.on("unhandledRejection", collect)
    process.on("uncaughtExceptionMonitor", collect)
  })
  afterAll(() => {
    process.off("unhandledRejection", collect)
    process.off("uncaughtExceptionMonitor", collect)
    assert.deepStrictEqual(unhandled, [])
  })
}
