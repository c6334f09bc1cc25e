/**
 * The app as Node serves it.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as HttpServer from "@effect/platform/HttpServer"
import * as Config from "effect/Config"
import * as Layer from "effect/Layer"
import { createServer } from "node:http"
import { app, sessions } from "./app.js"

app.pipe(
  HttpServer.serve(),
  HttpServer.withLogAddress,
  Layer.provide(
    NodeHttpServer.layerConfig(createServer, { host: Config.string("HOST"), port: Config.integer("PORT") })
  ),
  // Last, so built first: a request that comes after the server listens and before it serves is never answered.
  Layer.provide(sessions),
  Layer.launch,
  NodeRuntime.runMain
)
