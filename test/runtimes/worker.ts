/**
 * The app as `bun`, `deno serve` and workerd serve it: a module whose default export has `fetch`.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import { app, sessions } from "./app.js"

const { handler } = HttpApp.toWebHandlerLayer(app, sessions)

export default { fetch: (request: Request): Promise<Response> => handler(request) }
