/**
 * Sites for a real browser: an app on a port of its own, with a session, and other sites beside it.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Config from "effect-session/Config"
import type * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { createServer } from "node:http"
import { HandClock } from "./handClock.js"

/** Serves on 127.0.0.1, and answers the port. */
export const portOf = <E>(layer: Layer.Layer<never, E, HttpServer.HttpServer>) =>
  Effect.map(
    Layer.build(
      Layer.provideMerge(layer, Layer.orDie(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })))
    ),
    (context) => {
      const { address } = Context.get(context, HttpServer.HttpServer)
      return address._tag === "TcpAddress" ? address.port : 0
    }
  )

/** An app with sessions in memory over plain HTTP, by a clock that the test moves. */
export const sessionSite = <E, R extends Session.Session>(
  app: HttpApp.Default<E, R>,
  options: Partial<Config.SessionOptions> = {}
) => {
  const clock = new HandClock()
  const layer = HttpServer.serve(
    SessionMiddleware.session(app) as HttpApp.Default<E, SessionMiddleware.SessionMiddleware>
  )
    .pipe(
      Layer.provide(
        SessionMiddleware.layer({ ...Config.development, keys: Config.generateKey(), ...options }).pipe(
          Layer.provide(MemorySessionStore.layer()),
          Layer.orDie
        )
      ),
      // Plain HTTP is what each of these apps warns of.
      Layer.provide(Logger.minimumLogLevel(LogLevel.Error)),
      Layer.provide(Layer.setClock(clock))
    )
  return Effect.map(portOf(layer), (port) => ({ clock, port, url: `http://127.0.0.1:${port}` }))
}
