/**
 * Whether memory stays flat: serves requests with sessions that are created, read, changed, renewed and left to expire,
 * and compares the heap after a quarter of them with the heap at the end. Run it with `npm run test:heap`; a number as
 * argument says how many requests, 200 000 by default.
 */
import * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Config from "effect-session/Config"
import * as Session from "effect-session/Session"
import * as SessionMiddleware from "effect-session/SessionMiddleware"
import * as MemorySessionStore from "effect-session/stores/MemorySessionStore"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"

const requests = Number(process.argv[2] ?? 200_000)

/** More than the sessions of one second take, far less than those of the whole run. */
const allowedGrowthBytes = 8 * 1024 * 1024

const Visits = Session.entry("visits", Schema.NonNegativeInt)
const Padding = Session.entry("padding", Schema.String)

const visit = Effect.gen(function*() {
  const session = yield* Session.Session
  const visits = yield* session.updateOr(Visits, 1, (n) => n + 1)
  if (visits === 1) {
    yield* session.insert(Padding, "x".repeat(500))
  }
  if (visits === 3) {
    yield* session.renew
  }
  return HttpServerResponse.empty()
})

const heapUsed = Effect.promise(async () => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return process.memoryUsage().heapUsed
})

const megabytes = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MB`

const program = Effect.gen(function*() {
  if (globalThis.gc === undefined) {
    return yield* Effect.dieMessage("Run it with node --expose-gc")
  }
  const middleware = yield* SessionMiddleware.SessionMiddleware
  const handler = HttpApp.toWebHandlerRuntime(Runtime.defaultRuntime)(
    SessionMiddleware.sessionWith(middleware)(Effect.orDie(visit))
  )
  // Every visitor comes four times and is never seen again.
  const serve = (count: number) =>
    Effect.promise(async () => {
      for (let i = 0; i < count / 4; i++) {
        let cookie: string | undefined
        for (let j = 0; j < 4; j++) {
          const response = await handler(
            new Request("https://app.test/", cookie === undefined ? {} : { headers: { cookie } })
          )
          cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie
        }
      }
    })
  yield* serve(requests / 4)
  const before = yield* heapUsed
  yield* serve(requests - requests / 4)
  const after = yield* heapUsed
  yield* Console.log(
    `heap after ${requests / 4} requests ${megabytes(before)}, after ${requests} requests ${megabytes(after)}`
  )
  if (after - before > allowedGrowthBytes) {
    return yield* Effect.dieMessage(`The heap grew by more than ${megabytes(allowedGrowthBytes)}`)
  }
})

const Sessions = SessionMiddleware.layer({
  keys: Config.generateKey(),
  lifecycle: Config.BrowserSession({ ttl: "500 millis" })
}).pipe(Layer.provide(MemorySessionStore.layer()))

Effect.runPromise(Effect.provide(program, Sessions)).catch((error: unknown) => {
  process.exitCode = 1
  process.stderr.write(`${String(error)}\n`)
})
