import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as SessionStore from "effect-session/SessionStore"
import * as CompareAndSwapSessionStore from "effect-session/stores/CompareAndSwapSessionStore"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as RedisSessionStore from "effect-session/stores/RedisSessionStore"
import * as SqlSessionStore from "effect-session/stores/SqlSessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Cluster } from "ioredis"
import { createServer } from "node:http"
import { redisCluster } from "../support/redisCluster.js"
import { redisServer } from "../support/redisServer.js"
import { remoteTexts } from "../support/remoteTexts.js"
import type { DatabaseName } from "../support/sqlDatabases.js"
import { makeDatabase } from "../support/sqlDatabases.js"
import { generous } from "../support/timeLimits.js"
import { User } from "../support/webApp.js"
import { connect } from "../support/webSocketClient.js"

const config = { ...Config.development, keys: Config.generateKey() }

/** Says that it is there, and goodbye when the session has ended: for as long as both sides like. */
const events = Effect.map(Session.Session, (session) =>
  HttpServerResponse.stream(
    Stream.make("data: here\n\n").pipe(
      Stream.concat(Stream.never),
      Stream.interruptWhen(session.ended),
      Stream.concat(Stream.make("data: goodbye\n\n")),
      Stream.encodeText
    ),
    { contentType: "text/event-stream" }
  ))

const socket = Effect.gen(function*() {
  const session = yield* Session.Session
  const socket = yield* HttpServerRequest.upgrade
  const write = yield* socket.writer
  yield* Effect.raceFirst(
    socket.runRaw((message) => write(`you said ${String(message)}`)),
    session.ended
  )
  return HttpServerResponse.empty()
})

const does = (work: (session: Session.Session) => Effect.Effect<unknown, Session.SessionInsertError>) =>
  Effect.as(Effect.flatMap(Session.Session, work), HttpServerResponse.empty())

const server = (store: SessionStore.SessionStore) =>
  Effect.gen(function*() {
    const context = yield* Layer.build(
      HttpRouter.empty.pipe(
        HttpRouter.get("/login", does((session) => Effect.zipRight(session.renew, session.insert(User, "ferris")))),
        HttpRouter.get("/renew", does((session) => session.renew)),
        HttpRouter.get("/write", does((session) => session.insert(User, "corro"))),
        HttpRouter.get("/logout", does((session) => session.purge)),
        HttpRouter.get("/again", does((session) => Effect.zipRight(session.purge, session.insert(User, "corro")))),
        HttpRouter.get("/events", events),
        HttpRouter.get("/socket", socket),
        SessionMiddleware.session,
        HttpServer.serve(),
        Layer.provide(SessionMiddleware.layer(config)),
        Layer.provide(Layer.succeed(SessionStore.SessionStore, store)),
        Layer.provide(Logger.minimumLogLevel(LogLevel.Error)),
        Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" }))
      )
    )
    const { address } = Context.get(context, HttpServer.HttpServer)
    const port = address._tag === "TcpAddress" ? address.port : 0
    const send = (path: string, cookie: string) =>
      Effect.promise(() => fetch(`http://127.0.0.1:${port}${path}`, { headers: { cookie, connection: "close" } }))
    return {
      visit: (path: string, cookie = "") =>
        Effect.map(send(path, cookie), ({ headers, status }) => {
          assert.strictEqual(status, 204)
          return headers.getSetCookie()[0]?.split(";")[0] ?? cookie
        }),
      /** Comes back when the stream is there; `rest` is what else came until it ended. */
      listen: (cookie: string) =>
        Effect.flatMap(send("/events", cookie), (response) =>
          Effect.promise(async () => {
            const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
            let text = (await reader.read()).value ?? ""
            assert.match(text, /^data: here\n\n/)
            let isOver = false
            const rest = (async () => {
              for (let next = await reader.read(); !next.done; next = await reader.read()) {
                text += next.value
              }
              isOver = true
              return text
            })()
            return { isOver: () => isOver, rest: Effect.promise(() => rest) }
          })),
      connect: (cookie: string) =>
        Effect.promise(async () => {
          const client = await connect(port, "/socket", cookie)
          client.send("hello")
          assert.strictEqual(await client.next(), "you said hello")
          return client
        })
    }
  })

type Built = Effect.Effect<SessionStore.SessionStore, unknown, Scope.Scope>

const built = (layer: Layer.Layer<SessionStore.SessionStore, unknown>): Built =>
  Effect.map(Layer.build(Layer.fresh(layer)), Context.get(SessionStore.SessionStore))

const inDatabase = (name: DatabaseName) =>
  Effect.map(makeDatabase(name), ({ client }) => {
    const store = built(
      SqlSessionStore.layer({ createTable: true, timeout: generous, pollEvery: "100 millis" }).pipe(
        Layer.provide(client())
      )
    )
    return [store, store] as const
  })

/** The stores of two servers that share their sessions. */
const backends: Readonly<Record<string, Effect.Effect<readonly [Built, Built], never, Scope.Scope>>> = {
  "MemorySessionStore": Effect.map(Effect.orDie(built(MemorySessionStore.layer())), (store) => [
    Effect.succeed(store),
    Effect.succeed(store)
  ]),
  "RedisSessionStore": Effect.map(redisServer(), ({ url }) => {
    const store = built(RedisSessionStore.layer({ url, timeout: generous }))
    return [store, store]
  }),
  "RedisSessionStore on a Redis Cluster": Effect.map(redisCluster(), (nodes) => {
    const store = Effect.flatMap(
      Effect.acquireRelease(
        Effect.sync(() => new Cluster(nodes.map(({ port }) => ({ host: "127.0.0.1", port })))),
        (client) => Effect.sync(() => client.disconnect())
      ),
      (client) => built(RedisSessionStore.layerFromClient(client, { timeout: generous }))
    )
    return [store, store]
  }),
  "CompareAndSwapSessionStore": Effect.sync(() => {
    const texts = new Map<string, string>()
    const store = Effect.sync(() =>
      CompareAndSwapSessionStore.make(remoteTexts(texts), { timeout: generous, pollEvery: "100 millis" })
    )
    return [store, store]
  }),
  "SqlSessionStore on SQLite": inDatabase("sqlite"),
  "SqlSessionStore on Postgres": inDatabase("postgres")
}

for (const [name, backend] of Object.entries(backends)) {
  describe(`streams and sockets of a session in ${name}`, () => {
    for (const [what, path] of [["a sign-out", "/logout"], ["another session in its place", "/again"]] as const) {
      it.scopedLive(`close with ${what} at another server, and with nothing less`, () =>
        Effect.gen(function*() {
          const [one, two] = yield* backend
          const [here, there] = [yield* server(yield* one), yield* server(yield* two)]
          const first = yield* here.visit("/login")
          const other = yield* here.visit("/login")
          const [stream, again, ofOther] = [
            yield* here.listen(first),
            yield* here.listen(first),
            yield* here.listen(other)
          ]
          const socket = yield* here.connect(first)
          const current = yield* there.visit("/renew", yield* there.visit("/write", first))
          assert.notStrictEqual(current, first)
          const late = yield* here.listen(current)
          socket.send("still there")
          assert.strictEqual(yield* Effect.promise(socket.next), "you said still there")
          yield* there.visit(path, current)
          for (const { rest } of [stream, again, late]) {
            assert.strictEqual(yield* rest, "data: here\n\ndata: goodbye\n\n")
          }
          assert.isUndefined(yield* Effect.promise(socket.next))
          assert.isFalse(ofOther.isOver())
          yield* there.visit("/logout", other)
          yield* ofOther.rest
          // Where the session has ended there is nothing to wait for.
          assert.strictEqual(yield* (yield* here.listen(current)).rest, "data: here\n\ndata: goodbye\n\n")
        }))
    }
  })
}

describe("a stream of a session in Redis", () => {
  it.scopedLive("outlives a restart of the server, and closes with a sign-out after it", () =>
    Effect.gen(function*() {
      const redis = yield* redisServer({ args: ["--appendonly", "yes", "--appendfsync", "always"] })
      const store = yield* built(RedisSessionStore.layer({ url: redis.url, timeout: "5 seconds" }))
      const app = yield* server(store)
      const [cookie, other] = [yield* app.visit("/login"), yield* app.visit("/login")]
      const [stream, ofOther] = [yield* app.listen(cookie), yield* app.listen(other)]
      yield* redis.restart()
      yield* app.visit("/logout", other)
      yield* ofOther.rest
      assert.isFalse(stream.isOver())
      yield* app.visit("/logout", cookie)
      assert.strictEqual(yield* stream.rest, "data: here\n\ndata: goodbye\n\n")
    }).pipe(Logger.withMinimumLogLevel(LogLevel.None)))
})
