/**
 * All the routes of the example: the page, the API, and the description of the API.
 */
import * as HttpApiSwagger from "@effect/platform/HttpApiSwagger"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as SessionHttpLayerRouter from "effect-session/SessionHttpLayerRouter"
import * as Layer from "effect/Layer"
import { Api } from "./api.js"
import { ApiHandlers } from "./apiHandlers.js"
import { Files } from "./files.js"
import { Pages } from "./pages.js"
import { securityHeaders } from "./securityHeaders.js"

const ApiRoutes = HttpLayerRouter.addHttpApi(Api, { openapiPath: "/openapi.json" }).pipe(Layer.provide(ApiHandlers))

const Docs = HttpApiSwagger.layerHttpLayerRouter({ api: Api, path: "/docs" })

export const App = Layer.mergeAll(
  Pages,
  Files,
  ApiRoutes,
  Docs,
  SessionHttpLayerRouter.originGuard(),
  HttpLayerRouter.middleware(securityHeaders, { global: true })
)
