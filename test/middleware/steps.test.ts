/**
 * How many steps of its fiber a request takes: where nobody has to be waited for, what a session does is done in one. The count
 * is exact and the same on every machine, where a time is neither.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import type { SessionStore } from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scheduler from "effect/Scheduler"
import { Counter, User } from "../support/webApp.js"

const stores = { "in memory": Layer.orDie(MemorySessionStore.layer()), "in the cookie": CookieSessionStore.layer }

type Operation = (session: Session.Session) => Effect.Effect<unknown, unknown>

const nothing: Operation = () => Effect.suspend(() => Effect.void)

const operations: { readonly [name: string]: Operation } = {
  get: (session) => session.get(Counter),
  contains: (session) => session.contains(User),
  "contains, of what is not there": (session) => session.contains("nothing"),
  id: (session) => session.id,
  timeLeft: (session) => session.timeLeft,
  insert: (session) => session.insert(User, "another"),
  update: (session) => session.update(Counter, (n) => n + 1),
  updateOr: (session) => session.updateOr(Counter, 1, (n) => n + 1),
  remove: (session) => session.remove(User),
  removeAs: (session) => session.removeAs(Counter),
  clear: (session) => session.clear,
  purge: (session) => session.purge,
  renew: (session) => session.renew
}

/** Counts each step of every fiber that runs on it, and lets none give way. */
const countingScheduler = () => {
  const counter = { steps: 0 }
  const scheduler: Scheduler.Scheduler = {
    scheduleTask: (task) => setImmediate(task),
    shouldYield: () => {
      counter.steps++
      return false
    }
  }
  return { counter, scheduler }
}

/** An app in which one visitor has a session with a counter and a user, and what a request of that visitor takes. */
const makeApp = (store: Layer.Layer<SessionStore>) =>
  Effect.gen(function*() {
    const { counter, scheduler } = countingScheduler()
    const middleware = yield* SessionMiddleware.make({ keys: Config.generateKey() }).pipe(Effect.provide(store))
    const runtime = yield* Effect.withScheduler(Effect.runtime<never>(), scheduler)
    const visit = (operate: Operation, cookie?: string) =>
      Effect.promise(async () => {
        let ofOperations: ReadonlyArray<number> = []
        const counted = (session: Session.Session) =>
          Effect.suspend(() => {
            const before = counter.steps
            return Effect.map(operate(session), () => counter.steps - before)
          })
        const handler = Effect.gen(function*() {
          const session = yield* Session.Session
          ofOperations = [yield* counted(session), yield* counted(session)]
          return HttpServerResponse.empty()
        })
        const app = SessionMiddleware.sessionWith(middleware)(Effect.orDie(handler))
        const before = counter.steps
        const response = await HttpApp.toWebHandlerRuntime(runtime)(app)(
          new Request("https://app.test/", cookie === undefined ? {} : { headers: { cookie } })
        )
        assert.strictEqual(response.status, 204)
        const [first, second] = ofOperations as [number, number]
        return {
          first,
          second,
          around: counter.steps - before - first - second,
          cookie: response.headers.getSetCookie()[0]?.split(";")[0]
        }
      })
    const begin = (session: Session.Session) =>
      Effect.zipRight(session.insert(Counter, 1), session.insert(User, "somebody"))
    const { cookie } = yield* visit(begin)
    return { visit: (operate: Operation) => visit(operate, cookie) }
  })

describe.each(Object.entries(stores))("a session %s", (_, store) => {
  it.effect.each(Object.entries(operations))(
    "is asked or told in one step of the fiber, the load included: %s",
    ([, operate]) =>
      Effect.gen(function*() {
        const { visit } = yield* makeApp(store)
        const bare = yield* visit(nothing)
        const touched = yield* visit(operate)
        assert.deepStrictEqual([touched.first, touched.second], [bare.first, bare.second])
      })
  )

  it.effect.each(["get", "insert", "update", "remove", "clear"])(
    "is committed in one step of the fiber: %s",
    (name) =>
      Effect.gen(function*() {
        const { visit } = yield* makeApp(store)
        const bare = yield* visit(nothing)
        const touched = yield* visit(operations[name]!)
        assert.strictEqual(touched.around - bare.around, 1)
      })
  )
})
