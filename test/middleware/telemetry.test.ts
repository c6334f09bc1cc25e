/**
 * The id of a session on the span of its request and in the logs of its handler: there as soon as the store has said that the
 * session lives, not a moment sooner, and at the price of no store call.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpMiddleware from "@effect/platform/HttpMiddleware"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionKey from "effect-session/SessionKey"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CookieSessionStore from "effect-session/stores/CookieSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { counting } from "../support/countingStore.js"
import { waiting } from "../support/waitingStore.js"
import { cookieHeaderOf, keepCookies, User } from "../support/webApp.js"

interface Line {
  readonly text: string
  readonly id: unknown
}

interface Seen {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly attributes: Map<string, unknown>
  /** What was set when it had ended. */
  readonly late: Array<string>
}

const watching = () => {
  const spans: Array<Seen> = []
  const lines: Array<Line> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const seen: Seen = { name, kind, attributes: new Map(), late: [] }
      spans.push(seen)
      let status: Tracer.SpanStatus = { _tag: "Started", startTime }
      return {
        _tag: "Span",
        name,
        spanId: String(spans.length),
        traceId: "trace",
        parent,
        context,
        get status() {
          return status
        },
        attributes: seen.attributes,
        links,
        sampled: true,
        kind,
        end: (endTime, exit) => {
          status = { _tag: "Ended", startTime, endTime, exit }
        },
        attribute: (key, value) => {
          if (status._tag === "Ended") {
            seen.late.push(key)
          }
          seen.attributes.set(key, value)
        },
        event: () => {},
        addLinks: () => {}
      }
    },
    context: (f) => f()
  })
  const logger = Logger.make(({ annotations, message }) => {
    lines.push({ text: String(message), id: Option.getOrUndefined(HashMap.get(annotations, "session.id")) })
  })
  return {
    spans,
    lines,
    layer: Layer.mergeAll(Layer.setTracer(tracer), Logger.replace(Logger.defaultLogger, logger))
  }
}

type App = HttpApp.Default<unknown, Session.Session>

const makeApp = (
  store: Layer.Layer<SessionStore.SessionStore, unknown>,
  config: Partial<Config.SessionOptions> = { telemetry: "SessionId" }
) =>
  Effect.gen(function*() {
    const inner = Context.get(yield* Effect.orDie(Layer.build(store)), SessionStore.SessionStore)
    const { calls, store: counted } = counting(inner)
    const middleware = yield* SessionMiddleware.make({ keys: Config.generateKey(), ...config }).pipe(
      Effect.provideService(SessionStore.SessionStore, counted)
    )
    const { layer, lines, spans } = watching()
    const runtime = yield* Effect.provide(Effect.runtime<never>(), layer)
    const send = (app: App, headers: Record<string, string> = {}) =>
      Effect.promise(async () => {
        spans.length = lines.length = calls.length = 0
        const web = HttpApp.toWebHandlerRuntime(runtime)(
          SessionMiddleware.sessionWith(middleware)(app),
          HttpMiddleware.logger
        )
        const response = await web(new Request("https://app.test/", { headers }))
        const body = await response.text()
        const span = spans.find(({ kind }) => kind === "server")!
        return {
          status: response.status,
          body,
          headers: response.headers,
          id: span.attributes.get("session.id"),
          previous: span.attributes.get("session.previous_id"),
          lines: [...lines],
          spans: [...spans],
          calls: [...calls]
        }
      })
    const browser = () => {
      const jar = new Map<string, string>()
      const cookie = () => cookieHeaderOf(jar)
      const visit = (app: App) =>
        Effect.tap(
          Effect.suspend(() => send(app, jar.size === 0 ? {} : { cookie: cookie() })),
          (answer) => Effect.sync(() => keepCookies(jar, answer.headers.getSetCookie()))
        )
      return { cookie, visit }
    }
    return { middleware, send, browser }
  })

const using = (operation: (session: Session.Session) => Effect.Effect<unknown, unknown>): App =>
  Effect.gen(function*() {
    const session = yield* Session.Session
    yield* Effect.log("before")
    yield* operation(session)
    yield* Effect.log("after")
    return HttpServerResponse.empty()
  })

const idOf: App = Effect.gen(function*() {
  const session = yield* Session.Session
  return HttpServerResponse.text(Option.getOrElse(yield* session.id, () => "none"))
})

const begin = using((session) => session.insert(User, "ferris"))
const read = using((session) => session.get(User))
const nothing = using(() => Effect.void)

const stores = [
  ["a store of keys", MemorySessionStore.layer()],
  ["a store in the cookie", CookieSessionStore.layer]
] as const

const sent = "Sent HTTP response"

describe.each(stores)("with %s, the id of a session", (_, store) => {
  it.scoped("stands on the span and in each line from when the session was loaded, the line of the answer included", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp(store)
      const { visit } = browser()
      yield* visit(begin)
      const id = (yield* visit(idOf)).body
      assert.lengthOf(id, SessionKey.idLength)
      const answer = yield* visit(read)
      assert.strictEqual(answer.id, id)
      assert.isUndefined(answer.previous)
      assert.deepStrictEqual(answer.lines, [
        { text: "before", id: undefined },
        { text: "after", id },
        { text: sent, id }
      ])
    }))

  it.scoped("costs no store call, and makes none where the session is not touched", () =>
    Effect.gen(function*() {
      const on = yield* makeApp(store)
      const off = yield* makeApp(store, {})
      const calls = (app: typeof on) =>
        Effect.gen(function*() {
          const { visit } = app.browser()
          const answers = [yield* visit(begin)]
          for (
            const operation of [
              () => Effect.void,
              (session: Session.Session) => session.get(User),
              (session: Session.Session) => session.insert(User, "gopher"),
              (session: Session.Session) => session.renew,
              (session: Session.Session) => Effect.zipRight(session.purge, session.insert(User, "ferris")),
              (session: Session.Session) => session.purge
            ]
          ) {
            answers.push(yield* visit(using(operation)))
          }
          return answers
        })
      const [watched, unwatched] = [yield* calls(on), yield* calls(off)]
      assert.deepStrictEqual(watched.map(({ calls }) => calls), unwatched.map(({ calls }) => calls))
      assert.deepStrictEqual(watched[1]!.calls, [])
      assert.isUndefined(watched[1]!.id)
      for (const { id, lines, previous } of unwatched) {
        assert.deepStrictEqual([id, previous], [undefined, undefined])
        assert.isTrue(lines.every((line) => line.id === undefined))
      }
      for (const index of [0, 2, 3, 4, 5, 6]) {
        assert.isDefined(watched[index]!.id, String(index))
      }
    }))

  it.scoped("stands on the span of a request that begins a session, with the one before it where there was one", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp(store)
      const { visit } = browser()
      const begun = yield* visit(begin)
      const first = (yield* visit(idOf)).body
      assert.deepStrictEqual([begun.id, begun.previous], [first, undefined])
      const replaced = yield* visit(using((session) => Effect.zipRight(session.purge, session.insert(User, "gopher"))))
      const second = (yield* visit(idOf)).body
      assert.notStrictEqual(second, first)
      assert.deepStrictEqual([replaced.id, replaced.previous], [second, first])
    }))

  it.scoped("stands on the span of a request that only renews its key, or only ends its session", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp(store)
      const { visit } = browser()
      yield* visit(begin)
      const id = (yield* visit(idOf)).body
      const renewed = yield* visit(using((session) => session.renew))
      assert.deepStrictEqual([renewed.id, renewed.previous], [id, undefined])
      const ended = yield* visit(using((session) => session.purge))
      assert.deepStrictEqual([ended.id, ended.previous], [id, undefined])
      const after = yield* visit(read)
      assert.isUndefined(after.id)
    }))

  it.scoped("stands on the span of the request, not on those that the handler opens, wherever it is loaded", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp(store)
      const { visit } = browser()
      yield* visit(begin)
      const id = (yield* visit(idOf)).body
      const answer = yield* visit(using((session) =>
        session.get(User).pipe(
          Effect.withSpan("inner"),
          Effect.annotateLogs("who", "inner"),
          Effect.withSpan("outer")
        )
      ))
      assert.strictEqual(answer.id, id)
      const inner = answer.spans.filter(({ kind }) => kind !== "server")
      assert.deepStrictEqual(inner.map(({ name }) => name), ["outer", "inner"])
      assert.isTrue(inner.every(({ attributes }) => !attributes.has("session.id")))
      // The region's end took the annotation along; the end of the handler brings it back.
      assert.deepStrictEqual(answer.lines.at(-1), { text: sent, id })
    }))

  it.scoped("is written on no span that has ended", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp(store)
      const { visit } = browser()
      yield* visit(begin)
      const id = (yield* visit(idOf)).body
      const answer = yield* visit(Effect.map(Session.Session, (session) =>
        HttpServerResponse.stream(
          Stream.fromEffect(Effect.map(Effect.orDie(session.id), Option.getOrElse(() => "none"))).pipe(
            Stream.encodeText
          )
        )))
      assert.strictEqual(answer.body, id)
      assert.deepStrictEqual(answer.spans.flatMap(({ late }) => late), [])
    }))

  it.scoped("that only came with the request stands nowhere", () =>
    Effect.gen(function*() {
      const { browser, middleware, send } = yield* makeApp(store)
      const { cookie, visit } = browser()
      yield* visit(begin)
      const cookies = [
        `${cookie()}x`,
        `__Host-id=${middleware.crypto.seal(SessionKey.toText(SessionKey.mint()))}`,
        `__Host-id=${middleware.crypto.seal("no key")}`
      ]
      for (const cookie of cookies) {
        for (const app of [read, nothing, using((session) => session.purge)]) {
          const answer = yield* send(app, { cookie })
          assert.isUndefined(answer.id)
          assert.isTrue(answer.lines.every(({ id }) => id === undefined))
        }
      }
    }))

  it.scoped("is that of the bearer where one came", () =>
    Effect.gen(function*() {
      const { send } = yield* makeApp(store, { telemetry: "SessionId", bearer: true })
      const begun = yield* send(begin, { authorization: "Bearer" })
      const authorization = begun.headers.get("authorization")!
      const id = (yield* send(idOf, { authorization })).body
      assert.strictEqual(begun.id, id)
      const answer = yield* send(read, { authorization })
      assert.strictEqual(answer.id, id)
      assert.deepStrictEqual(answer.lines.map((line) => line.id), [undefined, id, id])
    }))
})

describe("with a store of keys, the id of a session", () => {
  it.scoped("stands there as well where the store has to be waited for", () =>
    Effect.gen(function*() {
      const slow = Layer.map(MemorySessionStore.layer(), (context) =>
        Context.make(SessionStore.SessionStore, waiting(Context.get(context, SessionStore.SessionStore))))
      const { browser } = yield* makeApp(slow)
      const { visit } = browser()
      const begun = yield* visit(begin)
      const id = (yield* visit(idOf)).body
      assert.strictEqual(begun.id, id)
      const answer = yield* visit(read)
      assert.strictEqual(answer.id, id)
      assert.deepStrictEqual(
        answer.lines.map((line) =>
          line.id
        ),
        [undefined, id, id]
      )
      const together = yield* visit(
        using((session) => Effect.all([session.get(User), session.contains(User)], { concurrency: "unbounded" }))
      )
      assert.deepStrictEqual(together.lines.map((line) => line.id), [undefined, id, id])
      const ended = yield* visit(using((session) => session.purge))
      assert.strictEqual(ended.id, id)
    }))

  it.scoped("does not stand where a key names it that a renewal replaced", () =>
    Effect.gen(function*() {
      const { browser, send } = yield* makeApp(MemorySessionStore.layer())
      const { cookie, visit } = browser()
      yield* visit(begin)
      const planted = cookie()
      yield* visit(using((session) => session.renew))
      const late = yield* send(read, { cookie: planted })
      assert.isUndefined(late.id)
      assert.isTrue(late.lines.every(({ id }) => id === undefined))
    }))

  it.scoped("comes back to the fiber of a handler whose children loaded the session", () =>
    Effect.gen(function*() {
      const { browser } = yield* makeApp(MemorySessionStore.layer())
      const { visit } = browser()
      yield* visit(begin)
      const id = (yield* visit(idOf)).body
      const answer = yield* visit(
        using((session) => Effect.all([session.get(User), session.contains(User)], { concurrency: "unbounded" }))
      )
      assert.deepStrictEqual(answer.lines.map((line) => line.id), [undefined, id, id])
    }))
})
