/**
 * The app for workerd with Redis: there a connection belongs to the request that opened it, so each request builds the
 * Layers anew, and closes them once its response is out.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import { app, sessions } from "./app.js"

interface ExecutionContext {
  readonly waitUntil: (promise: Promise<unknown>) => void
}

export default {
  async fetch(request: Request, _env: unknown, context: ExecutionContext): Promise<Response> {
    const { dispose, handler } = HttpApp.toWebHandlerLayer(app, sessions)
    const response = await handler(request)
    context.waitUntil(dispose())
    return response
  }
}
